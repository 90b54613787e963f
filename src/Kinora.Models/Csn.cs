// Channel-separated networks on ResNet: all spatio-temporal work is depthwise, all channel work is 1×1×1.
//   Paper: Tran et al., "Video Classification with Channel-Separated Convolutional Networks", arXiv:1904.02811.
//   Reference: mmaction2 4d6c934 (Apache-2.0), ResNet3dCSN with I3DHead, recipe ircsn_ig65m-pretrained-r152_32x2x1;
//   tensor names are Kinora's own, Kinora.Paddle translates.
//   Differences: none intended. Batch norms keep PyTorch's running variance and the reference's ε of 0.001.
//   Input: [N, T, 3, H, W] with the T the network was built for, which any T may be; RGB, ImageNet statistics, as the
//   reference's weights that began with IG-65M or Sports-1M were trained. Its weights from scratch want
//   (x − [110.2008, 100.63983, 95.99475]) / [58.14765, 56.46975, 55.332195].
using Kinora.Models.Layers;
using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>What stands between the two pointwise convolutions of a channel-separated block.</summary>
public enum CsnBlock
{
    /// <summary>ir-CSN: the depthwise convolution alone.</summary>
    InteractionReduced,

    /// <summary>ip-CSN: a third pointwise convolution, then the depthwise one.</summary>
    InteractionPreserved,
}

/// <summary>
/// Channel-separated network: a ResNet whose 3×3×3 convolutions see one channel each; time is halved at each stage but
/// the first.
/// </summary>
public sealed class Csn : VideoNetwork
{
    private readonly ConvBn3d _stem;
    private readonly MaxPool3d _stemPool;
    private readonly Sequential _stages;
    private readonly Dropout _dropout;
    private readonly Linear _fc;

    /// <summary>Builds the network with initial weights.</summary>
    /// <param name="options">Defaults: 32 frames, 224 pixels, dropout 0.5.</param>
    /// <param name="depth">50, 101 or 152; the catalogue lists ir-CSN 152.</param>
    /// <param name="block">The kind of block.</param>
    /// <exception cref="ConfigException">An option is out of range.</exception>
    public Csn(ModelOptions options, int depth = 152, CsnBlock block = CsnBlock.InteractionReduced)
        : this(options, Shape.Of(depth, block))
    {
    }

    /// <summary>Builds a network of any size.</summary>
    /// <param name="options">Defaults as above.</param>
    /// <param name="shape">Name, blocks and width.</param>
    internal Csn(ModelOptions options, Shape shape)
        : base(shape.Name, Complete(options, frames: 32, size: 224, dropout: 0.5))
    {
        _stem = Add("stem", new ConvBn3d(3, shape.Width, (3, 7), (1, 2), norm: Norm(shape.Width)));
        _stemPool = Add("stem_pool", new MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)));
        _stages = Add("stages", new Sequential());
        int channels = shape.Width;
        for (int stage = 0; stage < shape.Blocks.Length; stage++)
        {
            var sequence = new Sequential();
            for (int i = 0; i < shape.Blocks[stage]; i++)
            {
                var block = new Bottleneck(channels, shape.Width << stage, i == 0 && stage > 0 ? 2 : 1, shape.Block);
                sequence.Append(block);
                channels = block.Outputs;
            }

            _stages.Append(sequence);
        }

        _dropout = Add("dropout", new Dropout(Options.Dropout!.Value));
        _fc = Add("fc", new Linear(channels, Classes));
        Initialize((_, value, random) =>
        {
            switch (value.Rank)
            {
                case 5:
                    Initializers.KaimingNormal(value, random, Fan.Out);
                    break;
                case 2:
                    Initializers.Normal(value, random, 0.01);
                    break;
            }
        });
    }

    /// <inheritdoc/>
    public override bool CanCheckpointGradients => true;

    /// <inheritdoc/>
    public override ClipSpec EvaluationSpec => new(
        new SamplingSpec(SamplingMethod.FrameInterval, 1, Frames, 2),
        new ResizeSpec(ResizeRule.KeepAspectRound, Size * 8 / 7, ResizeEngine.OpenCv),
        new CropSpec(CropMethod.Center, Size),
        Normalization.ImageNet);

    /// <inheritdoc/>
    protected override ViewAverage ViewAverage => ViewAverage.Probabilities;

    /// <summary>The network of the published recipe, ir-CSN 152.</summary>
    /// <param name="classes">Number of classes.</param>
    /// <param name="frames">T.</param>
    /// <returns>The network; the caller disposes it.</returns>
    public static Csn ResNet152(int classes, int frames = 32) => new(new ModelOptions(classes, frames));

    /// <inheritdoc/>
    public override ParameterRule RuleFor(string parameterName) => ParameterRule.Default;

    /// <inheritdoc/>
    protected override Tensor Score(Tensor clips)
    {
        Tensor x = clips.Permute(0, 2, 1, 3, 4);                    // [N, 3, T, H, W]
        x = _stemPool.Forward(_stem.Forward(x));                    // [N, 64, T, H/4, W/4]
        x = RunBlocks(_stages, x).Mean([2, 3, 4]);                  // [N, 2048]
        return _fc.Forward(_dropout.Forward(x));                    // [N, classes]
    }

    private static BatchNorm Norm(int channels) => new(channels, biasedVariance: false) { Epsilon = 1e-3 };

    /// <summary>How deep and wide a channel-separated network is.</summary>
    /// <param name="Name">The network's name.</param>
    /// <param name="Blocks">Blocks of each stage.</param>
    /// <param name="Block">The kind of block.</param>
    /// <param name="Width">Channels of the first layer; each stage doubles the width of its blocks.</param>
    internal sealed record Shape(string Name, int[] Blocks, CsnBlock Block, int Width = 64)
    {
        /// <summary>A network of the paper.</summary>
        /// <param name="depth">Number of layers.</param>
        /// <param name="block">The kind of block.</param>
        public static Shape Of(int depth, CsnBlock block) => new(
            FormattableString.Invariant($"{(block == CsnBlock.InteractionReduced ? "ir" : "ip")}csn_r{depth}"),
            depth switch
            {
                50 => [3, 4, 6, 3],
                101 => [3, 4, 23, 3],
                152 => [3, 8, 36, 3],
                _ => throw new ConfigException(FormattableString.Invariant($"csn: depth: expected 50, 101 or 152, found {depth}")),
            },
            block);
    }

    /// <summary>Pointwise convolutions around a depthwise one, around them the identity or a projection.</summary>
    private sealed class Bottleneck : UnaryModule
    {
        private readonly ConvBn3d[] _branch;
        private readonly ConvBn3d? _shortcut;

        public Bottleneck(int inputs, int width, int stride, CsnBlock block)
        {
            Outputs = 4 * width;
            _branch =
            [
                Add("conv0", new ConvBn3d(inputs, width, (1, 1), (1, 1), norm: Norm(width))),
                .. block == CsnBlock.InteractionPreserved
                    ? [Add("interaction", new ConvBn3d(width, width, (1, 1), (1, 1), rectifier: Rectifier.None, norm: Norm(width)))]
                    : (ConvBn3d[])[],
                Add("conv1", new ConvBn3d(width, width, (3, 3), (stride, stride), width, norm: Norm(width))),
                Add("conv2", new ConvBn3d(width, Outputs, (1, 1), (1, 1), rectifier: Rectifier.None, norm: Norm(Outputs))),
            ];
            _shortcut = inputs == Outputs && stride == 1
                ? null
                : Add("shortcut", new ConvBn3d(inputs, Outputs, (1, 1), (stride, stride), rectifier: Rectifier.None, norm: Norm(Outputs)));
        }

        public int Outputs { get; }

        protected override Tensor Compute(Tensor x)
        {
            // A clip's features are large: what the backward pass doesn't keep goes at the end of each block.
            using var scope = new TensorScope();
            Tensor y = _branch.Aggregate(x, (value, layer) => layer.Forward(value));
            return ((_shortcut?.Forward(x) ?? x) + y).Relu().MoveToOuterScope();
        }
    }
}
