using Kinora.Tensors;

namespace Kinora.Models.Layers;

/// <summary>
/// Weighs the frames of a clip by a gate computed from their global means: mean over C, H and W, linear T → T, sigmoid,
/// multiply. T is part of the weights.
/// </summary>
/// <remarks>"LTA" of PP-TSMv2; PaddleVideo names it GlobalAttention.</remarks>
internal sealed class TemporalAttention : UnaryModule
{
    private readonly int _frames;
    private readonly Linear _fc;

    /// <summary>Creates the layer.</summary>
    /// <param name="frames">T.</param>
    public TemporalAttention(int frames)
    {
        _frames = frames;
        _fc = Add("fc", new Linear(frames, frames));
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x)
    {
        Tensor means = x.Mean([1, 2, 3]).Reshape(-1, _frames);   // [N, T]
        Tensor gate = _fc.Forward(means).Sigmoid();              // [N, T]
        return x * gate.Reshape(-1, 1, 1, 1);                    // [N·T, C, H, W]
    }
}
