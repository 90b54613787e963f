using Kinora.Tensors;

namespace Kinora.Models.Layers;

/// <summary>Which channels of a frame come from its neighbours.</summary>
/// <param name="First">Width of the first fold: channels [0, First).</param>
/// <param name="Second">Width of the second fold: channels [First, First + Second).</param>
/// <param name="Order">Which neighbour the first fold comes from; the second comes from the other one.</param>
/// <remarks><see cref="ShiftConvention"/> says how wide folds are and where they come from.</remarks>
internal readonly record struct ShiftFold(int First, int Second, ShiftOrder Order)
{
    /// <summary>Whether nothing moves.</summary>
    public bool IsEmpty => First + Second == 0;

    /// <summary>Number of channels that come from t − 1.</summary>
    public int Past => Order == ShiftOrder.PastFirst ? First : Second;

    /// <summary>Number of channels that come from t + 1.</summary>
    public int Future => Order == ShiftOrder.PastFirst ? Second : First;

    /// <summary>Folds as PaddleVideo's operator cuts them: [0, C·r), [C·r, C·2r), each end truncated in float32.</summary>
    /// <param name="channels">C.</param>
    /// <param name="ratio">r, the share of the channels that moves each way.</param>
    /// <param name="order">Which neighbour comes first.</param>
    /// <returns>The folds.</returns>
    public static ShiftFold OfRatio(int channels, float ratio, ShiftOrder order)
    {
        int first = (int)(channels * ratio);
        int both = (int)(channels * 2 * ratio);
        return new ShiftFold(first, both - first, order);
    }

    /// <summary>Two equal folds of C/divisor channels, rounded down.</summary>
    /// <param name="channels">C.</param>
    /// <param name="divisor">8 in the original TSM.</param>
    /// <param name="order">Which neighbour comes first.</param>
    /// <returns>The folds.</returns>
    public static ShiftFold OfDivisor(int channels, int divisor, ShiftOrder order) => new(channels / divisor, channels / divisor, order);
}

/// <summary>Moves parts of the channels by one step along time, so that a 2-D convolution sees its neighbour frames.</summary>
/// <remarks>Lin, Gan, Han, "TSM: Temporal Shift Module for Efficient Video Understanding", arXiv:1811.08383, section 3.</remarks>
internal static class TemporalShift
{
    /// <summary>Shifts a batch of frames.</summary>
    /// <param name="x">Features, [N·T, C, H, W]. A channels-last tensor gives a channels-last result.</param>
    /// <param name="frames">T; must divide the first dimension.</param>
    /// <param name="fold">Which channels move.</param>
    /// <returns>Same shape; steps without a neighbour are zero in the moved channels.</returns>
    /// <exception cref="ShapeException">Not four dimensions, or the first is no multiple of T, or the folds are wider than C.</exception>
    /// <remarks>
    /// Split, two paddings that add a step at one end and cut one at the other, and a concatenation: forward and backward
    /// each write the result once and touch the moved folds once more. Slices would be shorter to read, but the backward
    /// of a slice fills a whole zero tensor.
    /// </remarks>
    public static Tensor Apply(Tensor x, int frames, ShiftFold fold)
    {
        ReadOnlySpan<long> shape = x.Shape;
        if (shape.Length != 4 || shape[0] % frames != 0 || fold.First + fold.Second > shape[1])
        {
            throw new ShapeException($"temporal shift: expected [N·{frames}, C ≥ {fold.First + fold.Second}, H, W], found [{string.Join(", ", shape.ToArray())}]");
        }

        if (fold.IsEmpty)
        {
            return x;
        }

        (long channels, long height, long width) = (shape[1], shape[2], shape[3]);

        // Layout: libtorch's concatenation knows two layouts of four dimensions. Time joins the picture rather than a
        // fifth dimension: [N, T, C, HW] is dense for contiguous features, [N, C, T, HW] is channels-last for channels-last ones.
        Tensor clips = x.Reshape(-1, frames, channels, height * width);             // [N, T, C, HW]
        bool channelsLast = !x.IsContiguous && x.IsChannelsLast;
        (int time, int channel) = channelsLast ? (2, 1) : (1, 2);
        Tensor view = channelsLast ? clips.Permute(0, 2, 1, 3) : clips;             // [N, T, C, HW] or [N, C, T, HW]
        (long Width, int Step)[] folds =
        [
            (fold.First, fold.Order == ShiftOrder.PastFirst ? 1 : -1),
            (fold.Second, fold.Order == ShiftOrder.PastFirst ? -1 : 1),
            (channels - fold.First - fold.Second, 0),
        ];
        folds = [.. folds.Where(f => f.Width > 0)];
        Tensor[] parts = view.Split([.. folds.Select(f => f.Width)], channel);
        Tensor shifted = Tensor.Concat(parts.Zip(folds, (part, f) => f.Step == 0 ? part : Move(part, time, f.Step)), channel);
        return (channelsLast ? shifted.Permute(0, 2, 1, 3) : shifted).Reshape(-1, channels, height, width);  // [N·T, C, H, W]
    }

    // Adds a zero step at one end and cuts one at the other: by +1 every step gets what the step before it held.
    // Paddings are listed from the last of the four dimensions to the padded one.
    private static Tensor Move(Tensor x, int time, int step) => F.Pad(x, [.. new long[2 * (3 - time)], step, -step]);
}
