// MoViNet-A0, base (not causal).
//   Papers: Kondratyuk et al., "MoViNets: Mobile Video Networks for Efficient Video Recognition", arXiv:2103.11511;
//   Bachlechner et al., "ReZero is All You Need", arXiv:2003.04887, for the factor of each branch.
//   Reference: PaddleVideo ed245e9 (Apache-2.0), recipe movinet/movinet_k400_frame; tensor names are Kinora's own,
//   Kinora.Paddle translates.
//   Differences from PaddleVideo:
//   - The factors of the branches start at 0, as in the papers and their authors' code. PaddleVideo creates them without
//     an initialiser, so they start anywhere in ±1.73.
//   - Convolutions start as KaimingNormal over their true fan-in, which PaddleVideo means to do and doesn't.
//   - Running statistics take 10 % of each batch. PaddleVideo passes a momentum of 0.1 to a batch norm that reads it as
//     the share of the old statistics, so its own are 90 % the last batch: the argument normMomentum gives that with 0.9.
//   Input: [N, T, 3, H, W], any T; RGB, ImageNet statistics.
using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>
/// MoViNet-A0: a small network of three-dimensional depthwise convolutions for long, small clips. Time is never
/// subsampled; a clip of any length is one view.
/// </summary>
public sealed class MoViNet : VideoNetwork
{
    // Outputs, inner width, depthwise kernel, spatial stride, padding of the depthwise convolution and of the shortcut's
    // pooling. The blocks that start stages 3 and 4 of the paper aren't padded in space.
    private static readonly (int Outputs, int Inner, (int Time, int Space) Kernel, int Stride, (int Time, int Space) Padding, int PoolPadding)[] A0 =
    [
        (8, 24, (1, 5), 2, (0, 2), 1),
        (32, 80, (3, 3), 2, (1, 0), 0),
        (32, 80, (3, 3), 1, (1, 1), 1),
        (32, 80, (3, 3), 1, (1, 1), 1),
        (56, 184, (5, 3), 2, (2, 0), 0),
        (56, 112, (3, 3), 1, (1, 1), 1),
        (56, 184, (3, 3), 1, (1, 1), 1),
        (56, 184, (5, 3), 1, (2, 1), 1),
        (56, 184, (3, 3), 1, (1, 1), 1),
        (56, 184, (3, 3), 1, (1, 1), 1),
        (56, 184, (3, 3), 1, (1, 1), 1),
        (104, 384, (5, 3), 2, (2, 1), 1),
        (104, 280, (1, 5), 1, (0, 2), 1),
        (104, 280, (1, 5), 1, (0, 2), 1),
        (104, 344, (1, 5), 1, (0, 2), 1),
    ];

    private const int StemWidth = 8;
    private const int HeadWidth = 480;
    private const int HiddenWidth = 2048;

    private readonly ConvBnSwish _stem;
    private readonly Sequential _blocks;
    private readonly ConvBnSwish _head;
    private readonly Sequential _classifier;

    /// <summary>Builds the network with initial weights.</summary>
    /// <param name="options">Defaults: 50 frames, 172 pixels, dropout 0.2.</param>
    /// <param name="normMomentum">Share of a batch in the running statistics after each step, in (0, 1].</param>
    /// <exception cref="ConfigException">An option is out of range.</exception>
    public MoViNet(ModelOptions options, double normMomentum = 0.1)
        : base("movinet_a0", Complete(options, frames: 50, size: 172, dropout: 0.2))
    {
        _stem = Add("stem", new ConvBnSwish(3, StemWidth, (1, 3), 2, (0, 1), 1, normMomentum));
        _blocks = Add("blocks", new Sequential());
        int channels = StemWidth;
        foreach ((int outputs, int inner, (int, int) kernel, int stride, (int, int) padding, int poolPadding) in A0)
        {
            _blocks.Append(new Bottleneck(channels, inner, outputs, kernel, stride, padding, poolPadding, normMomentum));
            channels = outputs;
        }

        _head = Add("head", new ConvBnSwish(channels, HeadWidth, (1, 1), 1, (0, 0), 1, normMomentum));
        _classifier = Add("classifier", new Sequential())
            .Append(new Conv3d(HeadWidth, HiddenWidth, (1, 1, 1), bias: true), "hidden")
            .Append(Swish(), "act")
            .Append(new Dropout(Options.Dropout!.Value), "dropout")
            .Append(new Conv3d(HiddenWidth, Classes, (1, 1, 1), bias: true), "fc");
        Initialize((_, value, random) =>
        {
            if (value.Rank == 5)
            {
                Initializers.KaimingNormal(value, random);
            }
        });
    }

    /// <inheritdoc/>
    protected override bool AcceptsAnyFrames => true;

    /// <inheritdoc/>
    public override ClipSpec EvaluationSpec => new(
        new SamplingSpec(SamplingMethod.Uniform, Frames),
        new ResizeSpec(ResizeRule.FixedRatio, Size * 192 / 172),
        new CropSpec(CropMethod.Center, Size),
        Normalization.ImageNet);

    /// <summary>The network of the published recipe.</summary>
    /// <param name="classes">Number of classes.</param>
    /// <returns>The network; the caller disposes it.</returns>
    public static MoViNet Base(int classes) => new(new ModelOptions(classes));

    /// <inheritdoc/>
    public override ParameterRule RuleFor(string parameterName) => ParameterRule.Default;

    /// <inheritdoc/>
    protected override Tensor Score(Tensor clips)
    {
        Tensor x = clips.Permute(0, 2, 1, 3, 4);                         // [N, 3, T, H, W]
        x = _blocks.Forward(_stem.Forward(x));                           // [N, 104, T, H/32, W/32]
        x = Pool(_head.Forward(x));                                      // [N, 480, 1, 1, 1]
        return _classifier.Forward(x).Flatten(1);                        // [N, classes]
    }

    private static Activation Swish() => new(x => x.Silu());

    private static Tensor Pool(Tensor x) => x.Mean([2, 3, 4], keepDim: true);

    private static (long, long, long) Cube((int Time, int Space) size) => (size.Time, size.Space, size.Space);

    /// <summary>Expand, depthwise, gate, project, scale; around it an identity, or a pooled projection where shapes change.</summary>
    private sealed class Bottleneck : UnaryModule
    {
        private readonly ConvBnSwish _expand;
        private readonly ConvBnSwish _depthwise;
        private readonly Gate _squeeze;
        private readonly ConvBnSwish _project;
        private readonly Sequential? _shortcut;
        private readonly Tensor _alpha;

        public Bottleneck(int inputs, int inner, int outputs, (int, int) kernel, int stride, (int, int) padding, int poolPadding, double momentum)
        {
            _alpha = AddParameter("alpha", Tensor.Zeros([1]));
            _expand = Add("expand", new ConvBnSwish(inputs, inner, (1, 1), 1, (0, 0), 1, momentum));
            _depthwise = Add("depthwise", new ConvBnSwish(inner, inner, kernel, stride, padding, inner, momentum));
            _squeeze = Add("squeeze", new Gate(inner));
            _project = Add("project", new ConvBnSwish(inner, outputs, (1, 1), 1, (0, 0), 1, momentum, swish: false));

            // In A0, channels change only where the stride is 2.
            _shortcut = stride > 1
                ? Add("shortcut", new Sequential())
                    .Append(new SpatialAvgPool(stride, poolPadding), "pool")
                    .Append(new ConvBnSwish(inputs, outputs, (1, 1), 1, (0, 0), 1, momentum, swish: false), "project")
                : null;
        }

        protected override Tensor Compute(Tensor x)
        {
            Tensor y = _project.Forward(_squeeze.Forward(_depthwise.Forward(_expand.Forward(x))));
            return (_shortcut?.Forward(x) ?? x) + (y * _alpha);
        }
    }

    /// <summary>Mean over 3×3 windows of each frame. Padding doesn't count.</summary>
    private sealed class SpatialAvgPool(int stride, int padding) : UnaryModule
    {
        // Over images, because libtorch's operator for volumes refuses maps smaller than the window, padded or not.
        protected override Tensor Compute(Tensor x)
        {
            (long channels, long frames, long height, long width) = (x.Shape[1], x.Shape[2], x.Shape[3], x.Shape[4]);
            Tensor images = x.Reshape(-1, channels * frames, height, width);                     // [N, C·T, H, W]
            images = F.AvgPool2d(images, [3, 3], [stride, stride], [padding, padding]);
            return images.Reshape(-1, channels, frames, images.Shape[2], images.Shape[3]);       // [N, C, T, H', W']
        }
    }

    /// <summary>Weighs channels by a gate computed from their means over the whole clip.</summary>
    private sealed class Gate : UnaryModule
    {
        private readonly Conv3d _reduce;
        private readonly Conv3d _expand;

        public Gate(int channels)
        {
            int inner = Squeezed(channels / 4);
            _reduce = Add("reduce", new Conv3d(channels, inner, (1, 1, 1), bias: true));
            _expand = Add("expand", new Conv3d(inner, channels, (1, 1, 1), bias: true));
        }

        protected override Tensor Compute(Tensor x)
        {
            Tensor gate = _reduce.Forward(Pool(x)).Silu();               // [N, inner, 1, 1, 1]
            return x * _expand.Forward(gate).Sigmoid();                  // [N, C, T, H, W]
        }

        // The nearest multiple of 8, but at least nine tenths of the wish.
        private static int Squeezed(int wish)
        {
            int nearest = Math.Max(8, (wish + 4) / 8 * 8);
            return nearest < 0.9 * wish ? nearest + 8 : nearest;
        }
    }

    /// <summary>Convolution without bias, batch norm, and swish unless it ends a branch.</summary>
    private sealed class ConvBnSwish : UnaryModule
    {
        private readonly Conv3d _convolution;
        private readonly BatchNorm _norm;
        private readonly Activation? _swish;

        public ConvBnSwish(
            int inputs, int outputs, (int, int) kernel, int stride, (int, int) padding, int groups, double momentum, bool swish = true)
        {
            _convolution = Add("conv", new Conv3d(inputs, outputs, Cube(kernel), (1, stride, stride), Cube(padding), groups));
            _norm = Add("bn", new BatchNorm(outputs, momentum: momentum));
            _swish = swish ? Add("act", Swish()) : null;
        }

        protected override Tensor Compute(Tensor x)
        {
            Tensor y = _norm.Forward(_convolution.Forward(x));
            return _swish?.Forward(y) ?? y;
        }
    }
}
