using Kinora.Tensors;

namespace Kinora.Models.Layers;

/// <summary>
/// Convolution without bias whose padding follows TensorFlow's SAME rule: the output has ⌈in / stride⌉ cells, and of an
/// odd number of padded cells the one too many is at the bottom or right.
/// </summary>
internal sealed class SameConv : UnaryModule
{
    private readonly int _kernel;
    private readonly int _stride;
    private readonly int _groups;

    /// <summary>Creates the layer.</summary>
    /// <param name="inputs">Channels in.</param>
    /// <param name="outputs">Channels out.</param>
    /// <param name="kernel">Side of the square kernel.</param>
    /// <param name="stride">Step in both directions.</param>
    /// <param name="groups">1, or <paramref name="inputs"/> for a depthwise convolution.</param>
    public SameConv(int inputs, int outputs, int kernel, int stride, int groups)
    {
        (_kernel, _stride, _groups) = (kernel, stride, groups);
        Weight = AddParameter("weight", Tensor.Zeros([outputs, inputs / groups, kernel, kernel]));
    }

    /// <summary>[outputs, inputs / groups, kernel, kernel].</summary>
    public Tensor Weight { get; }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x)
    {
        (long top, long bottom) = Padding(x.Shape[2]);
        (long left, long right) = Padding(x.Shape[3]);
        if (top != bottom || left != right)
        {
            x = F.Pad(x, [left, right, top, bottom]);
            top = left = 0;
        }

        return F.Conv2d(x, Weight, null, [_stride, _stride], [top, left], _groups);
    }

    private (long Before, long After) Padding(long size)
    {
        long outputs = (size + _stride - 1) / _stride;
        long total = Math.Max(((outputs - 1) * _stride) + _kernel - size, 0);
        return (total / 2, total - (total / 2));
    }
}
