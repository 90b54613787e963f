using Kinora.Tensors;

namespace Kinora.Models.Layers;

/// <summary>What the blocks of one kind of ResNet are made of.</summary>
/// <param name="Layer">
/// Makes a layer of the branch: convolution with padding of (kernel − 1) / 2, batch norm and, where asked for, an activation.
/// </param>
/// <param name="Projection">Makes the shortcut of a stage's first block.</param>
/// <param name="Activation">What follows the sum.</param>
internal sealed record ResNetStyle(
    Func<(int Inputs, int Outputs, int Kernel, int Stride, bool Activated), UnaryModule> Layer,
    Func<ResNetPlace, UnaryModule> Projection,
    Func<Tensor, Tensor> Activation)
{
    /// <summary>ResNet-B: rectified, shortcuts projected by a 1×1 convolution with the block's stride.</summary>
    public static ResNetStyle Plain { get; } = new(
        layer => Rectified(layer),
        place => new ConvBn(place.Inputs, place.Outputs, 1, place.Stride, rectifier: Rectifier.None),
        x => x.Relu());

    /// <summary>ResNet-D, "vd" in PaddlePaddle: rectified, shortcuts averaged before the 1×1 convolution instead of striding past three cells of four.</summary>
    /// <remarks>He et al., "Bag of Tricks for Image Classification", arXiv:1812.01187.</remarks>
    public static ResNetStyle Averaged { get; } = Plain with { Projection = AveragedProjection };

    /// <summary>The shortcut of <see cref="Averaged"/>.</summary>
    /// <param name="place">The block.</param>
    public static UnaryModule AveragedProjection(ResNetPlace place) =>
        place.Stride > 1 ? new PooledConvBn(place.Inputs, place.Outputs) : Plain.Projection(place);

    private static ConvBn Rectified((int Inputs, int Outputs, int Kernel, int Stride, bool Activated) layer) =>
        new(layer.Inputs, layer.Outputs, layer.Kernel, layer.Stride, rectifier: layer.Activated ? Rectifier.Relu : Rectifier.None);
}

/// <summary>Two or three convolutions beside a shortcut. The branch may see its neighbour frames; the shortcut never does.</summary>
internal sealed class ResNetBlock : UnaryModule
{
    private readonly UnaryModule[] _branch;
    private readonly UnaryModule? _shortcut;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly int _frames;

    /// <summary>Creates the block.</summary>
    /// <param name="place">Where it stands.</param>
    /// <param name="style">What it is made of.</param>
    /// <param name="frames">T, for the shift.</param>
    /// <param name="fold">What the shift moves; empty for none.</param>
    public ResNetBlock(ResNetPlace place, ResNetStyle style, int frames = 1, ShiftFold fold = default)
    {
        (int inputs, int width, int outputs, int stride) = (place.Inputs, place.Width, place.Outputs, place.Stride);
        (int, int, int, int, bool)[] layers = place.IsBottleneck
            ? [(inputs, width, 1, 1, true), (width, width, 3, stride, true), (width, outputs, 1, 1, false)]
            : [(inputs, width, 3, stride, true), (width, outputs, 3, 1, false)];
        _branch = [.. layers.Select((layer, i) => Add($"conv{i}", style.Layer(layer)))];
        _shortcut = place.Index == 0 ? Add("shortcut", style.Projection(place)) : null;
        _activation = style.Activation;
        (_frames, Fold) = (frames, fold);
    }

    /// <summary>What the shift moves.</summary>
    public ShiftFold Fold { get; }

    /// <summary>Name of the branch's last layer.</summary>
    public string LastLayer => $"conv{_branch.Length - 1}";

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x)
    {
        // Deep networks hold gigabytes of maps at once if none goes before the clip is scored.
        using var scope = new TensorScope();
        Tensor y = Fold.IsEmpty ? x : TemporalShift.Apply(x, _frames, Fold);
        y = _branch.Aggregate(y, (value, layer) => layer.Forward(value));
        return _activation((_shortcut?.Forward(x) ?? x) + y).MoveToOuterScope();
    }
}
