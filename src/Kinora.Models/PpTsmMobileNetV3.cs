// PP-TSM on MobileNetV3.
//   Papers: Howard et al., "Searching for MobileNetV3", arXiv:1905.02244; Lin, Gan, Han, "TSM", arXiv:1811.08383.
//   Reference: PaddleVideo ed245e9 (Apache-2.0), recipe pptsm/pptsm_mv3_k400_frames_uniform; tensor names are Kinora's own,
//   Kinora.Paddle translates.
//   Kept from the reference: every unit expands; the gates' hard sigmoid is clamp(0.2·x + 0.5, 0, 1), where the paper's
//   has slope 1/6; dropout scales at inference.
//   Difference: the small network, whose table the reference holds without naming it, can be built.
//   Input: [N, T, 3, H, W] with the T the network was built for; RGB, ImageNet statistics.
using Kinora.Models.Layers;
using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>
/// PP-TSM on MobileNetV3, large or small: inverted residuals with channel gates whose branches see 1/T of the channels
/// of the frame before and 1/T of the frame after.
/// </summary>
public sealed class PpTsmMobileNetV3 : VideoNetwork
{
    // Depthwise kernel, inner width, outputs, channel gate, hard swish instead of relu, stride.
    private static readonly (int Kernel, int Inner, int Outputs, bool Gate, bool Swish, int Stride)[] Large =
    [
        (3, 16, 16, false, false, 1),
        (3, 64, 24, false, false, 2),
        (3, 72, 24, false, false, 1),
        (5, 72, 40, true, false, 2),
        (5, 120, 40, true, false, 1),
        (5, 120, 40, true, false, 1),
        (3, 240, 80, false, true, 2),
        (3, 200, 80, false, true, 1),
        (3, 184, 80, false, true, 1),
        (3, 184, 80, false, true, 1),
        (3, 480, 112, true, true, 1),
        (3, 672, 112, true, true, 1),
        (5, 672, 160, true, true, 2),
        (5, 960, 160, true, true, 1),
        (5, 960, 160, true, true, 1),
    ];

    private static readonly (int Kernel, int Inner, int Outputs, bool Gate, bool Swish, int Stride)[] Small =
    [
        (3, 16, 16, true, false, 2),
        (3, 72, 24, false, false, 2),
        (3, 88, 24, false, false, 1),
        (5, 96, 40, true, true, 2),
        (5, 240, 40, true, true, 1),
        (5, 240, 40, true, true, 1),
        (5, 120, 48, true, true, 1),
        (5, 144, 48, true, true, 1),
        (5, 288, 96, true, true, 2),
        (5, 576, 96, true, true, 1),
        (5, 576, 96, true, true, 1),
    ];

    private const int StemWidth = 16;
    private const int LargeHeadWidth = 960;
    private const int SmallHeadWidth = 576;
    private const int FinalWidth = 1280;

    private readonly ConvBnAct _stem;
    private readonly Sequential _blocks;
    private readonly ConvBnAct _head;
    private readonly GlobalAvgPool2d _pool;
    private readonly Conv2d _lastConv;
    private readonly Activation _act;
    private readonly Dropout _dropout;
    private readonly Linear _fc;

    /// <summary>Builds the network with initial weights.</summary>
    /// <param name="options">Defaults: 8 frames, 224 pixels, dropout 0.2.</param>
    /// <param name="small">Builds MobileNetV3-Small in place of Large.</param>
    /// <exception cref="ConfigException">An option is out of range.</exception>
    public PpTsmMobileNetV3(ModelOptions options, bool small = false)
        : base(small ? "pptsm_mobilenet_v3_small" : "pptsm_mobilenet_v3", Complete(options, frames: 8, size: 224, dropout: 0.2))
    {
        _stem = Add("stem", new ConvBnAct(3, StemWidth, 3, stride: 2, swish: true));
        _blocks = Add("blocks", new Sequential());
        int channels = StemWidth;
        foreach ((int kernel, int inner, int outputs, bool gate, bool swish, int stride) in small ? Small : Large)
        {
            _blocks.Append(new InvertedResidual(channels, inner, outputs, kernel, stride, gate, swish, Frames, Options.TemporalShift));
            channels = outputs;
        }

        int width = small ? SmallHeadWidth : LargeHeadWidth;
        _head = Add("head", new ConvBnAct(channels, width, 1, swish: true));
        _pool = Add("pool", new GlobalAvgPool2d());
        _lastConv = Add("last_conv", new Conv2d(width, FinalWidth, 1));
        _act = Add("act", Activation.Hardswish());
        _dropout = Add("dropout", new Dropout(Options.Dropout!.Value, DropoutMode.DownscaleInInference));
        _fc = Add("fc", new Linear(FinalWidth, Classes));
        Initialize((_, value, random) =>
        {
            switch (value.Rank)
            {
                case 4:
                    Initializers.KaimingNormal(value, random);
                    break;
                case 2:
                    Initializers.XavierUniform(value, random);
                    break;
            }
        });
    }

    /// <inheritdoc/>
    public override ClipSpec EvaluationSpec => new(
        new SamplingSpec(SamplingMethod.Uniform, Frames),
        new ResizeSpec(ResizeRule.FixedRatio, Size * 8 / 7),
        new CropSpec(CropMethod.Center, Size),
        Normalization.ImageNet);

    /// <summary>The network of the published recipe, on MobileNetV3-Large.</summary>
    /// <param name="classes">Number of classes.</param>
    /// <param name="frames">T.</param>
    /// <returns>The network; the caller disposes it.</returns>
    public static PpTsmMobileNetV3 LargeX1(int classes, int frames = 8) => new(new ModelOptions(classes, frames));

    /// <inheritdoc/>
    public override ParameterRule RuleFor(string parameterName)
    {
        ArgumentNullException.ThrowIfNull(parameterName);
        return parameterName.Contains(".bn.", StringComparison.Ordinal) ? ParameterRule.NoDecay : ParameterRule.Default;
    }

    /// <inheritdoc/>
    protected override Tensor Score(Tensor clips)
    {
        (Tensor x, int frames) = Images(clips);                          // [N·T, 3, H, W]
        x = _head.Forward(_blocks.Forward(_stem.Forward(x)));            // [N·T, C, H/32, W/32]
        x = _act.Forward(_lastConv.Forward(_pool.Forward(x)));           // [N·T, 1280, 1, 1]
        x = _dropout.Forward(x);
        x = x.Reshape(-1, frames, FinalWidth).Mean([1]);                 // [N, 1280]
        return _fc.Forward(x);                                           // [N, classes]
    }

    /// <summary>Expand, depthwise, gate, project; around it an identity where shapes allow, and then the branch is shifted.</summary>
    private sealed class InvertedResidual : UnaryModule
    {
        private readonly ConvBnAct _expand;
        private readonly ConvBnAct _depthwise;
        private readonly SqueezeExcite? _squeeze;
        private readonly ConvBn _project;
        private readonly bool _residual;
        private readonly int _frames;
        private readonly ShiftFold? _fold;

        public InvertedResidual(int inputs, int inner, int outputs, int kernel, int stride, bool gate, bool swish, int frames, bool shift)
        {
            (_residual, _frames) = (stride == 1 && inputs == outputs, frames);
            _expand = Add("expand", new ConvBnAct(inputs, inner, 1, swish: swish));
            _depthwise = Add("depthwise", new ConvBnAct(inner, inner, kernel, stride, inner, swish));
            _squeeze = gate ? Add("squeeze", new SqueezeExcite(inner, gate: HardSigmoid)) : null;
            _project = Add("project", new ConvBn(inner, outputs, 1, rectifier: Rectifier.None));

            // A clip of one frame has no neighbours; the reference's ratio 1/T would push all its channels out.
            _fold = _residual && shift && frames > 1 ? ShiftFold.OfRatio(inputs, 1f / frames, ShiftOrder.PastFirst) : null;
        }

        protected override Tensor Compute(Tensor x)
        {
            Tensor y = _fold is { } fold ? TemporalShift.Apply(x, _frames, fold) : x;
            y = _depthwise.Forward(_expand.Forward(y));
            y = _project.Forward(_squeeze?.Forward(y) ?? y);
            return _residual ? x + y : y;
        }

        // The slope is a float32 in the reference, in float64 passes too.
        private static Tensor HardSigmoid(Tensor x) => F.HardSigmoid(x, slope: 0.2f);
    }

    /// <summary>Convolution without bias, batch norm, relu or hard swish.</summary>
    private sealed class ConvBnAct : UnaryModule
    {
        private readonly Conv2d _convolution;
        private readonly BatchNorm _norm;
        private readonly Activation? _swish;

        public ConvBnAct(int inputs, int outputs, int kernel, int stride = 1, int groups = 1, bool swish = false)
        {
            _convolution = Add("conv", new Conv2d(inputs, outputs, kernel, stride, (kernel - 1) / 2, groups));
            _norm = Add("bn", new BatchNorm(outputs));
            _swish = swish ? Add("act", Activation.Hardswish()) : null;
        }

        protected override Tensor Compute(Tensor x)
        {
            Tensor y = _convolution.Forward(x);
            return _swish?.Forward(_norm.Forward(y)) ?? _norm.Forward(y, Rectifier.Relu);
        }
    }
}
