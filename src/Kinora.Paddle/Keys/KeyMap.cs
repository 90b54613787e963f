using Kinora.Tensors;

namespace Kinora.Paddle;

/// <summary>How one network's tensors and layers are called in PaddleVideo.</summary>
/// <param name="ToPaddle">Kinora's name of a tensor or layer to PaddleVideo's.</param>
/// <param name="Idle">Tensors that PaddleVideo stores and Kinora has no use for, such as index tables that it computes.</param>
internal sealed record KeyMap(Func<string, string> ToPaddle, IReadOnlyList<PaddleName> Idle)
{
    /// <summary>A translation of a network all of whose tensors have a counterpart.</summary>
    /// <param name="toPaddle">Kinora's name to PaddleVideo's.</param>
    public KeyMap(Func<string, string> toPaddle)
        : this(toPaddle, [])
    {
    }

    /// <summary>Makes the value of an idle tensor, for writing; null leaves idle tensors out of written files.</summary>
    public Func<PaddleName, Tensor>? IdleValue { get; init; }
}
