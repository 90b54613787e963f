using Kinora.Tensors;

namespace Kinora.Models.Layers;

/// <summary>
/// Weighs channels by a gate computed from their global means: pool, 1×1 convolution to C/reduction, relu, 1×1
/// convolution back, sigmoid, multiply.
/// </summary>
/// <remarks>Hu, Shen, Sun, "Squeeze-and-Excitation Networks", arXiv:1709.01507.</remarks>
internal sealed class SqueezeExcite : UnaryModule
{
    private readonly GlobalAvgPool2d _pool;
    private readonly Conv2d _reduce;
    private readonly Conv2d _expand;
    private readonly Func<Tensor, Tensor> _gate;

    /// <summary>Creates the layer.</summary>
    /// <param name="channels">C.</param>
    /// <param name="reduction">Divides C for the inner width.</param>
    /// <param name="gate">Maps onto [0, 1]; null for the sigmoid.</param>
    public SqueezeExcite(int channels, int reduction = 4, Func<Tensor, Tensor>? gate = null)
    {
        _gate = gate ?? (x => x.Sigmoid());
        _pool = Add("pool", new GlobalAvgPool2d());
        _reduce = Add("reduce", new Conv2d(channels, channels / reduction, 1, bias: true));
        _expand = Add("expand", new Conv2d(channels / reduction, channels, 1, bias: true));
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x)
    {
        Tensor gate = _reduce.Forward(_pool.Forward(x)).Relu();  // [B, C/reduction, 1, 1]
        return x * _gate(_expand.Forward(gate));                 // [B, C, H, W]
    }
}
