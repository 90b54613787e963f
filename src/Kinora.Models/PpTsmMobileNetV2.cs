// PP-TSM on MobileNetV2.
//   Papers: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv:1801.04381; Lin, Gan, Han,
//   "TSM", arXiv:1811.08383.
//   Reference: PaddleVideo ed245e9 (Apache-2.0), recipe pptsm/pptsm_mv2_k400_videos_uniform; tensor names are Kinora's own,
//   Kinora.Paddle translates.
//   Kept from the reference: the first unit expands too (32 → 32), which the paper's doesn't; batch norms decay.
//   Difference: optional dropout before the classifier, off unless asked for.
//   Input: [N, T, 3, H, W] with the T the network was built for; RGB, ImageNet statistics.
using Kinora.Models.Layers;
using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>
/// PP-TSM on MobileNetV2: inverted residuals whose branches see 1/T of the channels of the frame before and 1/T of the
/// frame after.
/// </summary>
public sealed class PpTsmMobileNetV2 : VideoNetwork
{
    // Expansion, outputs, units, stride of the first.
    private static readonly (int Expansion, int Outputs, int Units, int Stride)[] Table =
    [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ];

    private const int StemWidth = 32;
    private const int FinalWidth = 1280;

    private readonly ConvBn _stem;
    private readonly Sequential _stages;
    private readonly ConvBn _head;
    private readonly GlobalAvgPool2d _pool;
    private readonly Dropout _dropout;
    private readonly Linear _fc;

    /// <summary>Builds the network with initial weights.</summary>
    /// <param name="options">Defaults: 8 frames, 224 pixels, no dropout.</param>
    /// <exception cref="ConfigException">An option is out of range.</exception>
    public PpTsmMobileNetV2(ModelOptions options)
        : base("pptsm_mobilenet_v2", Complete(options, frames: 8, size: 224, dropout: 0))
    {
        _stem = Add("stem", new ConvBn(3, StemWidth, 3, stride: 2, rectifier: Rectifier.Relu6));
        _stages = Add("stages", new Sequential());
        int channels = StemWidth;
        foreach ((int expansion, int outputs, int units, int stride) in Table)
        {
            var stage = new Sequential();
            for (int i = 0; i < units; i++)
            {
                stage.Append(new InvertedResidual(channels, outputs, expansion, i == 0 ? stride : 1, residual: i > 0, Frames, Options.TemporalShift));
                channels = outputs;
            }

            _stages.Append(stage);
        }

        _head = Add("head", new ConvBn(channels, FinalWidth, 1, rectifier: Rectifier.Relu6));
        _pool = Add("pool", new GlobalAvgPool2d());
        _dropout = Add("dropout", new Dropout(Options.Dropout!.Value));
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

    /// <summary>The network of the published recipe.</summary>
    /// <param name="classes">Number of classes.</param>
    /// <param name="frames">T.</param>
    /// <returns>The network; the caller disposes it.</returns>
    public static PpTsmMobileNetV2 Base(int classes, int frames = 8) => new(new ModelOptions(classes, frames));

    /// <inheritdoc/>
    public override ParameterRule RuleFor(string parameterName) => ParameterRule.Default;

    /// <inheritdoc/>
    protected override Tensor Score(Tensor clips)
    {
        (Tensor x, int frames) = Images(clips);                          // [N·T, 3, H, W]
        x = _stages.Forward(_stem.Forward(x));                           // [N·T, 320, H/32, W/32]
        x = _pool.Forward(_head.Forward(x));                             // [N·T, 1280, 1, 1]
        x = x.Reshape(-1, frames, FinalWidth).Mean([1]);                 // [N, 1280]
        return _fc.Forward(_dropout.Forward(x));                         // [N, classes]
    }

    /// <summary>Expand, depthwise, project; with an identity around it, the branch is shifted.</summary>
    private sealed class InvertedResidual : UnaryModule
    {
        private readonly ConvBn _expand;
        private readonly ConvBn _depthwise;
        private readonly ConvBn _project;
        private readonly bool _residual;
        private readonly int _frames;
        private readonly ShiftFold? _fold;

        public InvertedResidual(int inputs, int outputs, int expansion, int stride, bool residual, int frames, bool shift)
        {
            int inner = inputs * expansion;
            (_residual, _frames) = (residual, frames);
            _expand = Add("expand", new ConvBn(inputs, inner, 1, rectifier: Rectifier.Relu6));
            _depthwise = Add("depthwise", new ConvBn(inner, inner, 3, stride, inner, Rectifier.Relu6));
            _project = Add("project", new ConvBn(inner, outputs, 1, rectifier: Rectifier.None));

            // A clip of one frame has no neighbours; the reference's ratio 1/T would push all its channels out.
            _fold = residual && shift && frames > 1 ? ShiftFold.OfRatio(inputs, 1f / frames, ShiftOrder.PastFirst) : null;
        }

        protected override Tensor Compute(Tensor x)
        {
            Tensor y = _fold is { } fold ? TemporalShift.Apply(x, _frames, fold) : x;
            y = _project.Forward(_depthwise.Forward(_expand.Forward(y)));
            return _residual ? x + y : y;
        }
    }
}
