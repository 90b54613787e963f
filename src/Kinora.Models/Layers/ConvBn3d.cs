using Kinora.Tensors;

namespace Kinora.Models.Layers;

/// <summary>
/// Volume convolution without bias, batch norm, activation. Kernels and strides are equal in height and width; zero
/// padding of (kernel − 1) / 2 on each side of each axis.
/// </summary>
internal sealed class ConvBn3d : UnaryModule
{
    private readonly Conv3d _convolution;
    private readonly BatchNorm _norm;
    private readonly Rectifier _rectifier;

    /// <summary>Creates the layer.</summary>
    /// <param name="inputs">Channels in.</param>
    /// <param name="outputs">Channels out.</param>
    /// <param name="kernel">Odd kernel size along time and in the picture.</param>
    /// <param name="stride">Step along time and in the picture.</param>
    /// <param name="groups">1, or <paramref name="inputs"/> for a depthwise convolution.</param>
    /// <param name="rectifier">What follows the batch norm.</param>
    /// <param name="norm">The batch norm, where it isn't Paddle's usual one; it belongs to this layer.</param>
    public ConvBn3d(
        int inputs,
        int outputs,
        (int Time, int Space) kernel,
        (int Time, int Space) stride,
        int groups = 1,
        Rectifier rectifier = Rectifier.Relu,
        BatchNorm? norm = null)
    {
        _rectifier = rectifier;
        (int time, int space) = ((kernel.Time - 1) / 2, (kernel.Space - 1) / 2);
        _convolution = Add("conv", new Conv3d(
            inputs,
            outputs,
            (kernel.Time, kernel.Space, kernel.Space),
            (stride.Time, stride.Space, stride.Space),
            (time, space, space),
            groups));
        _norm = Add("bn", norm ?? new BatchNorm(outputs));
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => _norm.Forward(_convolution.Forward(x), _rectifier);
}
