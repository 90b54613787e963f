using Kinora.Tensors;

namespace Kinora.Models.Layers;

/// <summary>
/// Halves a map by 2×2 means, then 1×1 convolution without bias and batch norm. Windows that hang over an odd edge count,
/// and divide by the cells they have.
/// </summary>
internal sealed class PooledConvBn : UnaryModule
{
    private readonly AvgPool2d _pool;
    private readonly Conv2d _convolution;
    private readonly BatchNorm _norm;

    /// <summary>Creates the layer.</summary>
    /// <param name="inputs">Channels in.</param>
    /// <param name="outputs">Channels out.</param>
    public PooledConvBn(int inputs, int outputs)
    {
        _pool = Add("pool", new AvgPool2d(2, 2, ceilMode: true));
        _convolution = Add("conv", new Conv2d(inputs, outputs, 1));
        _norm = Add("bn", new BatchNorm(outputs));
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => _norm.Forward(_convolution.Forward(_pool.Forward(x)));
}
