// PP-TSMv2: PP-LCNetV2 with one temporal shift and, optionally, lightweight temporal attention.
//   Reference: PaddleVideo ed245e9 (Apache-2.0), recipes pptsm/v2/pptsm_lcnet_k400_{8,16}frames_uniform; tensor names are
//   Kinora's own, Kinora.Paddle translates.
//   Backbone: PP-LCNetV2-base of PaddleClas (Apache-2.0).
//   Difference: the reference carries an idle convolution beside the branches of each re-parameterised block; here it
//   exists only once the branches are merged.
//   Input: [N, T, 3, H, W] with the T the network was built for; RGB, ImageNet statistics.
using Kinora.Models.Layers;
using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>
/// PaddleVideo's light network for CPUs: depthwise-separable stages, one shift of 1/T of the channels each way before
/// the third stage (the shifted map replaces the feature), and optionally attention over the frames before the shift.
/// </summary>
public sealed class PpTsmV2 : VideoNetwork, IShiftedNetwork
{
    // Inputs, depthwise kernel, split pointwise part, re-parameterised branches, squeeze and excite, shortcut, blocks.
    private static readonly (int Inputs, int Kernel, bool Split, bool Branches, bool Squeeze, bool Shortcut, int Blocks)[] Table =
    [
        (64, 3, false, false, false, false, 2),
        (128, 3, false, false, false, false, 2),
        (256, 5, true, true, true, false, 6),
        (512, 5, false, true, false, true, 2),
    ];

    private const int ShiftedStage = 2;
    private const int FinalWidth = 1280;

    private readonly Sequential _stem;
    private readonly IReadOnlyList<Sequential> _stages;
    private readonly TemporalAttention? _attention;
    private readonly ShiftFold _fold;
    private readonly GlobalAvgPool2d _pool;
    private readonly Conv2d _lastConv;
    private readonly Activation _act;
    private readonly Dropout _dropout;
    private readonly Linear _fc;
    private readonly List<SeparableBlock> _blocks = [];
    private bool _merged;

    /// <summary>Builds the network with initial weights.</summary>
    /// <param name="options">Defaults: 16 frames, 224 pixels, dropout 0.2, <see cref="ShiftConvention.PaddleVideo"/>.</param>
    /// <param name="temporalAttention">Adds the attention over frames.</param>
    /// <exception cref="ConfigException">An option is out of range.</exception>
    public PpTsmV2(ModelOptions options, bool temporalAttention = false)
        : base(temporalAttention ? "pptsmv2_lta" : "pptsmv2", Complete(options, frames: 16, size: 224, dropout: 0.2, ShiftConvention.PaddleVideo))
    {
        _stem = Add("stem", new Sequential());
        _stem.Append(new ConvBn(3, 32, 3, stride: 2));
        _stem.Append(Block(new SeparableBlock(32, 64, 1, 3, split: false, branches: false, squeeze: false, shortcut: false)));
        var stages = Add("stages", new ModuleList<Sequential>());
        foreach ((int inputs, int kernel, bool split, bool branches, bool squeeze, bool shortcut, int blocks) in Table)
        {
            var stage = new Sequential();
            for (int i = 0; i < blocks; i++)
            {
                stage.Append(Block(new SeparableBlock(
                    i == 0 ? inputs : 2 * inputs, 2 * inputs, i == 0 ? 2 : 1, kernel, split, branches, squeeze, shortcut && i > 0)));
            }

            stages.Append(stage);
        }

        _stages = stages.Items;
        _attention = temporalAttention ? Add("attention", new TemporalAttention(Frames)) : null;
        _fold = Fold(Table[ShiftedStage].Inputs);
        _pool = Add("pool", new GlobalAvgPool2d());
        _lastConv = Add("last_conv", new Conv2d(2 * Table[^1].Inputs, FinalWidth, 1));
        _act = Add("act", Activation.Relu());
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

    /// <inheritdoc/>
    public override bool CanReparameterize => !_merged;

    /// <inheritdoc/>
    IEnumerable<ShiftedMap> IShiftedNetwork.ShiftedMaps
    {
        get
        {
            // The attention looks at means over all channels, which have no order.
            string before = $"stages.{ShiftedStage - 1}.{_stages[ShiftedStage - 1].Count - 1}";
            string after = $"stages.{ShiftedStage}.0";
            yield return new ShiftedMap(
                new Dictionary<string, ShiftFold> { [after] = _fold },
                [$"{before}.pointwise.", $"{after}.depthwise.", $"{after}.squeeze.expand."],
                [$"{after}.squeeze.reduce.weight", $"{after}.pointwise0.conv.weight"]);
        }
    }

    /// <summary>The network of the published recipe.</summary>
    /// <param name="classes">Number of classes.</param>
    /// <param name="frames">T.</param>
    /// <param name="temporalAttention">Adds the attention over frames.</param>
    /// <returns>The network; the caller disposes it.</returns>
    public static PpTsmV2 Base(int classes, int frames = 16, bool temporalAttention = false) =>
        new(new ModelOptions(classes, frames), temporalAttention);

    /// <inheritdoc/>
    public override ParameterRule RuleFor(string parameterName)
    {
        ArgumentNullException.ThrowIfNull(parameterName);
        return parameterName switch
        {
            "attention.fc.weight" => new ParameterRule(5, 1e-4),
            "attention.fc.bias" => new ParameterRule(10, 0),
            _ when parameterName.EndsWith(".bn.weight", StringComparison.Ordinal) => ParameterRule.NoDecay,
            _ when parameterName.EndsWith(".bn.bias", StringComparison.Ordinal) => ParameterRule.NoDecay,
            _ => ParameterRule.Default,
        };
    }

    /// <inheritdoc/>
    public override void Reparameterize()
    {
        foreach (SeparableBlock block in _blocks)
        {
            block.Merge();
        }

        _merged = true;
    }

    /// <inheritdoc/>
    protected override Tensor Score(Tensor clips)
    {
        (Tensor x, int frames) = Images(clips);                  // [N·T, 3, H, W]
        x = _stem.Forward(x);                                            // [N·T, 64, H/2, W/2]
        for (int stage = 0; stage < _stages.Count; stage++)
        {
            if (stage == ShiftedStage)
            {
                x = _attention?.Forward(x) ?? x;                         // [N·T, 256, H/8, W/8]
                x = TemporalShift.Apply(x, frames, _fold);
            }

            x = _stages[stage].Forward(x);
        }

        x = _pool.Forward(x);                                            // [N·T, 1024, 1, 1]
        x = _dropout.Forward(_act.Forward(_lastConv.Forward(x)));        // [N·T, 1280, 1, 1]
        x = x.Reshape(-1, frames, FinalWidth).Mean([1]);                 // [N, 1280]
        return _fc.Forward(x);                                           // [N, classes]
    }

    private SeparableBlock Block(SeparableBlock block)
    {
        _blocks.Add(block);
        return block;
    }

    /// <summary>Depthwise part, squeeze and excite, one or two pointwise layers, shortcut around them all.</summary>
    private sealed class SeparableBlock : UnaryModule
    {
        private readonly UnaryModule _depthwise;
        private readonly SqueezeExcite? _squeeze;
        private readonly ConvBn[] _pointwise;
        private readonly bool _shortcut;

        public SeparableBlock(int inputs, int outputs, int stride, int kernel, bool split, bool branches, bool squeeze, bool shortcut)
        {
            _depthwise = branches
                ? Add("depthwise", new BranchedDepthwise(inputs, kernel, stride))
                : Add("depthwise", new ConvBn(inputs, inputs, kernel, stride, inputs));
            _squeeze = squeeze ? Add("squeeze", new SqueezeExcite(inputs)) : null;
            _pointwise = split
                ? [Add("pointwise0", new ConvBn(inputs, outputs / 2, 1)), Add("pointwise1", new ConvBn(outputs / 2, outputs, 1))]
                : [Add("pointwise", new ConvBn(inputs, outputs, 1))];
            _shortcut = shortcut;
        }

        public void Merge() => (_depthwise as BranchedDepthwise)?.Merge();

        protected override Tensor Compute(Tensor x)
        {
            Tensor y = _depthwise.Forward(x);
            y = _squeeze?.Forward(y) ?? y;
            y = _pointwise.Aggregate(y, (value, layer) => layer.Forward(value));
            return _shortcut ? y + x : y;
        }
    }

    /// <summary>
    /// Depthwise convolutions with kernels k, k − 2, … 1 (the last only without stride), each with its batch norm, summed, then relu.
    /// Merged, they are one depthwise convolution with a bias.
    /// </summary>
    private sealed class BranchedDepthwise : UnaryModule
    {
        private readonly ModuleList<ConvBn> _branches;
        private readonly int _channels;
        private readonly int _kernel;
        private readonly int _stride;
        private Conv2d? _merged;

        public BranchedDepthwise(int channels, int kernel, int stride)
        {
            (_channels, _kernel, _stride) = (channels, kernel, stride);
            _branches = Add("branches", new ModuleList<ConvBn>());
            for (int k = kernel; k > 0; k -= 2)
            {
                if (k > 1 || stride == 1)
                {
                    _branches.Append(new ConvBn(channels, channels, k, stride, channels, Rectifier.None));
                }
            }
        }

        protected override Tensor Compute(Tensor x)
        {
            if (_merged is not null)
            {
                return _merged.Forward(x).Relu();
            }

            return _branches.Items.Select(branch => branch.Forward(x)).Aggregate((sum, y) => sum + y).Relu();
        }

        // With s = γ / √(σ² + ε) a branch is K·s and β − μ·s; a smaller kernel is a larger one with zeros around it.
        public void Merge()
        {
            if (_merged is not null)
            {
                return;
            }

            using var scope = new TensorScope();
            using IDisposable noGrad = Grad.Disable();
            Tensor? weight = null;
            Tensor? bias = null;
            foreach (ConvBn branch in _branches.Items)
            {
                BatchNorm norm = branch.Norm;
                Tensor scale = norm.Weight / (norm.RunningVariance + norm.Epsilon).Sqrt();      // [C]
                Tensor kernel = branch.Convolution.Weight * scale.Reshape(-1, 1, 1, 1);          // [C, 1, k, k]
                long margin = (_kernel - kernel.Shape[3]) / 2;
                kernel = F.Pad(kernel, [margin, margin, margin, margin]);                        // [C, 1, K, K]
                Tensor offset = norm.Bias - (norm.RunningMean * scale);                          // [C]
                weight = weight is null ? kernel : weight + kernel;
                bias = bias is null ? offset : bias + offset;
            }

            var merged = new Conv2d(_channels, _channels, _kernel, _stride, (_kernel - 1) / 2, _channels, bias: true);
            merged.To(weight!.DType);
            merged.Weight.CopyFrom(weight);
            merged.Bias!.CopyFrom(bias!);
            Remove("branches");
            _merged = Add("merged", merged);
        }
    }
}
