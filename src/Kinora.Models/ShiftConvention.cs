using System.Globalization;
using System.Text.Json.Serialization;
using Kinora.Models.Layers;

namespace Kinora.Models;

/// <summary>Which neighbour frame the first of the two moved groups of channels comes from.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ShiftOrder>))]
public enum ShiftOrder
{
    /// <summary>First fold from t − 1, second from t + 1.</summary>
    PastFirst,

    /// <summary>First fold from t + 1, second from t − 1.</summary>
    FutureFirst,
}

/// <summary>
/// What a network's temporal shifts move: from which side, how much, in which blocks. Weights fit the convention they
/// were trained with and no other; <see cref="ShiftConverter"/> carries them over where the folds are equally wide.
/// </summary>
/// <param name="Order">Which neighbour the first fold comes from; the second comes from the other one.</param>
/// <param name="Divisor">One channel in so many moves each way; null for one in T.</param>
/// <param name="EverySecondBlockIfDeep">
/// Whether a ResNet with 23 or more blocks in its third stage shifts only the first, third, fifth … block of each stage.
/// </param>
public sealed record ShiftConvention(ShiftOrder Order, int? Divisor = null, bool EverySecondBlockIfDeep = false)
{
    private const int DeepThirdStage = 23;

    /// <summary>PaddleVideo: first fold from the past, 1/T of the channels each way, every block.</summary>
    public static ShiftConvention PaddleVideo { get; } = new(ShiftOrder.PastFirst);

    /// <summary>The original TSM and mmaction2: first fold from the future, 1/8 of the channels each way, every second block where the network is deep.</summary>
    public static ShiftConvention Original { get; } = new(ShiftOrder.FutureFirst, 8, EverySecondBlockIfDeep: true);

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{(Order == ShiftOrder.PastFirst ? "past" : "future")} first, 1/{Divisor?.ToString(CultureInfo.InvariantCulture) ?? "T"}{(EverySecondBlockIfDeep ? ", every second block if deep" : "")}");

    /// <summary>The folds of one feature map.</summary>
    /// <param name="channels">C.</param>
    /// <param name="frames">T.</param>
    /// <returns>The folds; empty for a share of 1/T at T = 1, where PaddleVideo's ratio would push out every channel.</returns>
    internal ShiftFold Fold(int channels, int frames) =>
        Divisor is int divisor ? ShiftFold.OfDivisor(channels, divisor, Order)
        : frames > 1 ? ShiftFold.OfRatio(channels, 1f / frames, Order)
        : default;

    /// <summary>Whether a block of a ResNet shifts.</summary>
    /// <param name="block">Its position in its stage, from 0.</param>
    /// <param name="thirdStage">Number of blocks in the network's third stage.</param>
    internal bool Includes(int block, int thirdStage) => !EverySecondBlockIfDeep || thirdStage < DeepThirdStage || block % 2 == 0;
}
