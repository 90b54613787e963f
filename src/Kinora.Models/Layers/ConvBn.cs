using Kinora.Tensors;

namespace Kinora.Models.Layers;

/// <summary>Convolution without bias, batch norm, activation. Symmetric zero padding of (kernel − 1) / 2.</summary>
internal sealed class ConvBn : UnaryModule
{
    private readonly Rectifier _rectifier;

    /// <summary>Creates the layer.</summary>
    /// <param name="inputs">Channels in.</param>
    /// <param name="outputs">Channels out.</param>
    /// <param name="kernel">Side of the square kernel.</param>
    /// <param name="stride">Step in both directions.</param>
    /// <param name="groups">1, or <paramref name="inputs"/> for a depthwise convolution.</param>
    /// <param name="rectifier">What follows the batch norm.</param>
    public ConvBn(int inputs, int outputs, int kernel, int stride = 1, int groups = 1, Rectifier rectifier = Rectifier.Relu)
    {
        _rectifier = rectifier;
        Convolution = Add("conv", new Conv2d(inputs, outputs, kernel, stride, (kernel - 1) / 2, groups));
        Norm = Add("bn", new BatchNorm(outputs));
    }

    /// <summary>The convolution.</summary>
    public Conv2d Convolution { get; }

    /// <summary>The batch norm.</summary>
    public BatchNorm Norm { get; }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => Norm.Forward(Convolution.Forward(x), _rectifier);
}
