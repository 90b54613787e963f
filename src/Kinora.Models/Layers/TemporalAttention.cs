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
    private readonly double _gain;
    private readonly Linear _fc;

    /// <summary>Creates the layer.</summary>
    /// <param name="frames">T.</param>
    /// <param name="gain">The greatest weight of a frame. With 2 and zero parameters the layer changes nothing, which is where features of images want it to begin.</param>
    public TemporalAttention(int frames, double gain = 1)
    {
        (_frames, _gain) = (frames, gain);
        _fc = Add("fc", new Linear(frames, frames));
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x)
    {
        Tensor means = x.Mean([1, 2, 3]).Reshape(-1, _frames);   // [N, T]
        Tensor gate = _fc.Forward(means).Sigmoid();              // [N, T]
        gate = _gain == 1 ? gate : gate * _gain;
        return x * gate.Reshape(-1, 1, 1, 1);                    // [N·T, C, H, W]
    }
}
