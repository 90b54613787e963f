// SlowFast on ResNet-50: a slow path that sees few frames with many channels and a fast one that sees all with few.
//   Paper: Feichtenhofer et al., "SlowFast Networks for Video Recognition", arXiv:1812.03982.
//   Reference: PaddleVideo ed245e9 (Apache-2.0), recipes slowfast/slowfast and slowfast/slowfast_multigrid; PySlowFast
//   287ec00 (Apache-2.0) has the same network. mmaction2 4d6c934 (Apache-2.0) trains it in another form, see SlowFastForm.
//   Tensor names are Kinora's own, Kinora.Paddle translates.
//   Differences: the input is one clip and the slow path's frames are picked inside, so that an exported file has one
//   input. In evaluation the reference's head gives probabilities, this one logits whose softmax they are. A picture or
//   map smaller than the head's window is one position instead of an error; in training the logits of several positions
//   are averaged, where the reference's head gives a row too long. Batch norms take statistics of the whole batch: the
//   reference's sub-batch norm, which imitates several devices in multigrid training and is off in its recipes, isn't here.
//   Input: [N, T, 3, H, W], T a multiple of Alpha; RGB, (x/255 − 0.45) / 0.225, or ImageNet statistics for mmaction2's form.
using Kinora.Models.Layers;
using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>Whose SlowFast: the two differ in what weights can't tell.</summary>
public enum SlowFastForm
{
    /// <summary>
    /// PaddleVideo's, PySlowFast's and pytorchvideo's: slow frames are spread from the first to the last, lateral
    /// convolutions are normalised and rectified, and the head averages the probabilities of windows of the picture.
    /// </summary>
    Original,

    /// <summary>
    /// mmaction2's: every Alpha-th frame is slow, lateral convolutions are bare, the head averages the whole map and
    /// reads the fast path's channels first.
    /// </summary>
    MmAction,
}

/// <summary>The shape of a SlowFast network.</summary>
/// <param name="Alpha">α: frames of the fast path for one of the slow path.</param>
/// <param name="FusionKernel">Size along time of the lateral convolutions, odd.</param>
/// <param name="Form">Whose form.</param>
/// <param name="Beta">The fast path has 1/β of the slow path's channels.</param>
/// <param name="Width">Channels of the slow path's first layer, a multiple of β.</param>
/// <param name="FusionRatio">A lateral convolution multiplies the fast path's channels by this.</param>
public sealed record SlowFastOptions(
    int Alpha,
    int FusionKernel,
    SlowFastForm Form = SlowFastForm.Original,
    int Beta = 8,
    int Width = 64,
    int FusionRatio = 2)
{
    /// <summary>"4x16": of 32 frames the slow path sees 4.</summary>
    public static SlowFastOptions FourBySixteen { get; } = new(8, 5);

    /// <summary>"8x8": of 32 frames the slow path sees 8.</summary>
    public static SlowFastOptions EightByEight { get; } = new(4, 7);

    /// <summary>The catalogue's name where it lists the network, else one that tells its numbers.</summary>
    internal string Name => this with { Form = SlowFastForm.Original } switch
    {
        var o when o == FourBySixteen => "slowfast_4x16_r50",
        var o when o == EightByEight => "slowfast_8x8_r50",
        _ => FormattableString.Invariant($"slowfast_r50_alpha{Alpha}_beta{Beta}_width{Width}_fusion{FusionKernel}x{FusionRatio}"),
    }
    + (Form == SlowFastForm.MmAction ? "_mm" : "");

    /// <summary>Checks the ranges of all values.</summary>
    /// <exception cref="ConfigException">A value is out of range; the message names it.</exception>
    internal void Validate()
    {
        Require(Alpha >= 1, "alpha", "at least 1", Alpha);
        Require(FusionKernel >= 1 && FusionKernel % 2 == 1, "fusion kernel", "an odd number", FusionKernel);
        Require(Beta >= 1, "beta", "at least 1", Beta);
        Require(Width >= Beta && Width % Beta == 0, "width", $"a multiple of beta ({Beta})", Width);
        Require(FusionRatio >= 1, "fusion ratio", "at least 1", FusionRatio);

        static void Require(bool holds, string key, string expected, int found)
        {
            if (!holds)
            {
                throw new ConfigException(FormattableString.Invariant($"slowfast: {key}: expected {expected}, found {found}"));
            }
        }
    }
}

/// <summary>
/// Two ResNet-50 paths over one clip. After the first layer and after each of the first three stages a convolution along
/// time brings the fast path's features to the slow path's frame rate, and they join the slow path's channels.
/// </summary>
public sealed class SlowFast : VideoNetwork
{
    // Blocks, slow path's kernel along time in a block's first convolution, stride in the picture. The fast path's kernel is 3.
    private static readonly (int Blocks, int SlowKernel, int Stride)[] Table = [(3, 1, 1), (4, 1, 2), (6, 3, 2), (3, 3, 2)];

    // How much smaller than the picture the last map is.
    private const int Reduction = 32;

    private readonly SlowFastOptions _shape;
    private readonly long[] _slowFrames;
    private readonly IReadOnlyList<Stage> _stages;
    private readonly Dropout _dropout;
    private readonly Linear _projection;

    /// <summary>Builds the network with initial weights.</summary>
    /// <param name="options">Defaults: 32 frames, 224 pixels, dropout 0.5.</param>
    /// <param name="shape">The network's shape.</param>
    /// <exception cref="ConfigException">An option is out of range, or T isn't a multiple of <see cref="SlowFastOptions.Alpha"/>.</exception>
    public SlowFast(ModelOptions options, SlowFastOptions shape)
        : base(Checked(shape).Name, Complete(options, frames: 32, size: 224, dropout: 0.5))
    {
        if (Frames % shape.Alpha != 0)
        {
            throw new ConfigException(FormattableString.Invariant(
                $"{Name}: frames: expected a multiple of {shape.Alpha}, as the slow path takes one of {shape.Alpha} frames; found {Frames}"));
        }

        _shape = shape;
        _slowFrames = [.. Enumerable.Range(0, Frames / shape.Alpha).Select(SlowFrame)];
        var stages = Add("stages", new ModuleList<Stage>());
        stages.Append(new Stage(
            new Sequential(new Stem(shape.Width, 1, Norm)),
            new Sequential(new Stem(shape.Width / shape.Beta, 5, Norm)),
            Lateral(shape.Width)));
        int inputs = shape.Width;
        for (int i = 0; i < Table.Length; i++)
        {
            (int blocks, int kernel, int stride) = Table[i];
            int width = shape.Width << i;
            stages.Append(new Stage(
                Path(inputs + (shape.FusionRatio * inputs / shape.Beta), width, blocks, kernel, stride),
                Path(inputs / shape.Beta, width / shape.Beta, blocks, 3, stride),
                i == Table.Length - 1 ? null : Lateral(4 * width)));
            inputs = 4 * width;
        }

        _stages = stages.Items;
        _dropout = Add("dropout", new Dropout(Options.Dropout!.Value));
        _projection = Add("projection", new Linear(inputs + (inputs / shape.Beta), Classes));
        Initialize((name, value, random) =>
        {
            switch (value.Rank)
            {
                case 5:
                    Initializers.KaimingNormal(value, random, Fan.Out);
                    break;
                case 2:
                    Initializers.Normal(value, random, 0.01);
                    break;
                case 1 when name.EndsWith(Block.LastNorm, StringComparison.Ordinal):
                    // Every block starts as its shortcut alone.
                    Initializers.Constant(value, 0);
                    break;
            }
        });
    }

    /// <summary>Whose form this network has.</summary>
    public SlowFastForm Form => _shape.Form;

    /// <summary>Indices of the frames that the slow path sees, in [0, T).</summary>
    public IReadOnlyList<long> SlowFrames => _slowFrames;

    /// <inheritdoc/>
    public override bool CanCheckpointGradients => true;

    /// <inheritdoc/>
    public override ClipSpec EvaluationSpec => Form == SlowFastForm.Original
        ? Spec(new ResizeSpec(ResizeRule.KeepAspectTruncate, Size * 8 / 7), new Normalization(new(0.45f, 0.45f, 0.45f), new(0.225f, 0.225f, 0.225f)))
        : Spec(new ResizeSpec(ResizeRule.KeepAspectRound, Size * 8 / 7, ResizeEngine.OpenCv), Normalization.ImageNet);

    /// <inheritdoc/>
    protected override ViewAverage ViewAverage => ViewAverage.Probabilities;

    /// <summary>The network of the recipe "4x16".</summary>
    /// <param name="classes">Number of classes.</param>
    /// <returns>The network; the caller disposes it.</returns>
    public static SlowFast FourBySixteen(int classes) => new(new ModelOptions(classes), SlowFastOptions.FourBySixteen);

    /// <summary>The network of the recipe "8x8".</summary>
    /// <param name="classes">Number of classes.</param>
    /// <returns>The network; the caller disposes it.</returns>
    public static SlowFast EightByEight(int classes) => new(new ModelOptions(classes), SlowFastOptions.EightByEight);

    /// <inheritdoc/>
    public override ParameterRule RuleFor(string parameterName)
    {
        ArgumentNullException.ThrowIfNull(parameterName);
        bool norm = parameterName.EndsWith(".bn.weight", StringComparison.Ordinal) || parameterName.EndsWith(".bn.bias", StringComparison.Ordinal);
        return norm ? ParameterRule.NoDecay : ParameterRule.Default;
    }

    /// <summary>Scores clips whose slow frames somebody else has chosen, as PaddleVideo's programs with two inputs do.</summary>
    /// <param name="slow">Frames of the slow path, normalised pixels, [N, T/α, 3, H, W].</param>
    /// <param name="fast">Frames of the fast path, normalised pixels, [N, T, 3, H, W].</param>
    /// <returns>Logits, [N, classes].</returns>
    /// <exception cref="ShapeException">The two don't fit each other or the network.</exception>
    public Tensor Forward(Tensor slow, Tensor fast)
    {
        ArgumentNullException.ThrowIfNull(slow);
        ArgumentNullException.ThrowIfNull(fast);
        ReadOnlySpan<long> s = slow.Shape;
        ReadOnlySpan<long> f = fast.Shape;
        bool fits = s.Length == 5 && f.Length == 5 && s[0] == f[0] && s[1] == _slowFrames.Length && f[1] == Frames
            && s[2] == 3 && f[2] == 3 && s[3..].SequenceEqual(f[3..]);
        return fits ? Score(slow.Permute(0, 2, 1, 3, 4), fast.Permute(0, 2, 1, 3, 4)) : throw new ShapeException(
            $"{Name}: expected slow frames [N, {_slowFrames.Length}, 3, H, W] and fast ones [N, {Frames}, 3, H, W], found {slow} and {fast}");
    }

    /// <inheritdoc/>
    protected override Tensor Score(Tensor clips)
    {
        Tensor fast = clips.Permute(0, 2, 1, 3, 4);                                                 // [N, 3, T, H, W]
        return Score(fast.IndexSelect(2, Tensor.From<long>(_slowFrames, [_slowFrames.Length])), fast);
    }

    // Slow frames [N, 3, T/α, H, W], fast frames [N, 3, T, H, W].
    private Tensor Score(Tensor slow, Tensor fast)
    {
        foreach (Stage stage in _stages)
        {
            (slow, fast) = stage.Forward(slow, fast, RunBlocks);
        }

        (slow, fast) = (Pool(slow), Pool(fast));                                                    // [N, C, 1, h, w] and [N, C/β, 1, h, w]
        Tensor x = Tensor.Concat(Form == SlowFastForm.Original ? [slow, fast] : [fast, slow], 1);
        long positions = x.Shape[3] * x.Shape[4];
        x = x.Permute(0, 2, 3, 4, 1);                                                               // [N, 1, h, w, C + C/β]
        x = _projection.Forward(_dropout.Forward(x)).Reshape(-1, positions, Classes);               // [N, h·w, classes]
        return positions == 1 ? x.Reshape(-1, Classes)
            : IsTraining ? x.Mean([1])
            : x.LogSoftmax(2).LogSumExp(1) - Math.Log(positions);                                   // [N, classes]
    }

    // All frames, and windows as large as the last map is for a picture of the network's size.
    private Tensor Pool(Tensor x)
    {
        (long time, long height, long width) = (x.Shape[2], x.Shape[3], x.Shape[4]);
        long window = Form == SlowFastForm.MmAction ? long.MaxValue : Size / Reduction;
        long[] kernel = [time, Math.Min(window, height), Math.Min(window, width)];
        return F.AvgPool3d(x, kernel, [1, 1, 1], [0, 0, 0]);
    }

    // PaddleVideo's frames are numpy's linspace(0, T − 1, T/α) cut to integers: i·step rounded as a double, the last one exact.
    private long SlowFrame(int index)
    {
        int count = Frames / _shape.Alpha;
        return Form == SlowFastForm.MmAction ? index * _shape.Alpha
            : index == 0 ? 0
            : index == count - 1 ? Frames - 1
            : (long)(index * ((Frames - 1) / (double)(count - 1)));
    }

    private ClipSpec Spec(ResizeSpec resize, Normalization normalization) => new(
        new SamplingSpec(SamplingMethod.FrameInterval, 1, Frames, 2), resize, new CropSpec(CropMethod.Center, Size), normalization);

    private Sequential Path(int inputs, int width, int blocks, int kernel, int stride)
    {
        var path = new Sequential();
        for (int i = 0; i < blocks; i++)
        {
            path.Append(new Block(i == 0 ? inputs : 4 * width, width, kernel, i == 0 ? stride : 1, Norm));
        }

        return path;
    }

    // A path's channels are the slow one's.
    private Fusion Lateral(int channels) => new(
        channels / _shape.Beta, _shape.FusionRatio, _shape.FusionKernel, _shape.Alpha, Form == SlowFastForm.Original ? Norm : null);

    // mmaction2's running variances are PyTorch's.
    private BatchNorm Norm(int channels) => new(channels, biasedVariance: Form == SlowFastForm.Original);

    private static SlowFastOptions Checked(SlowFastOptions shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        shape.Validate();
        return shape;
    }

    /// <summary>Both paths' layers at one resolution, and what the slow path learns from the fast one after them.</summary>
    private sealed class Stage : Module
    {
        private readonly Sequential _slow;
        private readonly Sequential _fast;
        private readonly Fusion? _fusion;

        public Stage(Sequential slow, Sequential fast, Fusion? fusion)
        {
            _slow = Add("slow", slow);
            _fast = Add("fast", fast);
            _fusion = fusion is null ? null : Add("fusion", fusion);
        }

        public (Tensor Slow, Tensor Fast) Forward(Tensor slow, Tensor fast, Func<Sequential, Tensor, Tensor> run)
        {
            (slow, fast) = (run(_slow, slow), run(_fast, fast));
            return _fusion?.Forward(slow, fast) ?? (slow, fast);
        }
    }

    /// <summary>Joins the fast path's features, convolved along time to the slow frame rate, to the slow path's channels.</summary>
    private sealed class Fusion : Module
    {
        private readonly Conv3d _convolution;
        private readonly BatchNorm? _norm;
        private readonly PathOutput _slow;
        private readonly PathOutput _fast;

        public Fusion(int channels, int ratio, int kernel, int alpha, Func<int, BatchNorm>? norm)
        {
            _convolution = Add("conv", new Conv3d(channels, ratio * channels, (kernel, 1, 1), (alpha, 1, 1), (kernel / 2, 0, 0)));
            _norm = norm is null ? null : Add("bn", norm(ratio * channels));
            _slow = Add("slow", new PathOutput());
            _fast = Add("fast", new PathOutput());
        }

        public (Tensor Slow, Tensor Fast) Forward(Tensor slow, Tensor fast)
        {
            Tensor lateral = _convolution.Forward(fast);                                    // [N, ratio·C/β, T/α, H, W]
            lateral = _norm?.Forward(lateral, Rectifier.Relu) ?? lateral;
            return (_slow.Forward(Tensor.Concat([slow, lateral], 1)), _fast.Forward(fast));
        }
    }

    /// <summary>Hands on one of two results: an observer sees one tensor of a module.</summary>
    private sealed class PathOutput : UnaryModule
    {
        protected override Tensor Compute(Tensor x) => x;
    }

    /// <summary>A path's first convolution and pooling.</summary>
    private sealed class Stem : UnaryModule
    {
        private readonly ConvBn3d _convolution;
        private readonly MaxPool3d _pool;

        public Stem(int outputs, int kernel, Func<int, BatchNorm> norm)
        {
            _convolution = Add("conv0", new ConvBn3d(3, outputs, (kernel, 7), (1, 2), norm: norm(outputs)));
            _pool = Add("pool", new MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)));
        }

        protected override Tensor Compute(Tensor x)
        {
            using var scope = new TensorScope();
            return _pool.Forward(_convolution.Forward(x)).MoveToOuterScope();
        }
    }

    /// <summary>Along time, in the picture, across channels; around them the identity or a projection.</summary>
    private sealed class Block : UnaryModule
    {
        public const string LastNorm = ".conv2.bn.weight";

        private readonly ConvBn3d[] _branch;
        private readonly ConvBn3d? _shortcut;

        public Block(int inputs, int width, int kernel, int stride, Func<int, BatchNorm> norm)
        {
            int outputs = 4 * width;
            _branch =
            [
                Add("conv0", new ConvBn3d(inputs, width, (kernel, 1), (1, 1), norm: norm(width))),
                Add("conv1", new ConvBn3d(width, width, (1, 3), (1, stride), norm: norm(width))),
                Add("conv2", new ConvBn3d(width, outputs, (1, 1), (1, 1), rectifier: Rectifier.None, norm: norm(outputs))),
            ];
            _shortcut = inputs == outputs && stride == 1
                ? null
                : Add("shortcut", new ConvBn3d(inputs, outputs, (1, 1), (1, stride), rectifier: Rectifier.None, norm: norm(outputs)));
        }

        protected override Tensor Compute(Tensor x)
        {
            // A clip's features are large: what the backward pass doesn't keep goes at the end of each block.
            using var scope = new TensorScope();
            Tensor y = _branch.Aggregate(x, (value, layer) => layer.Forward(value));
            return ((_shortcut?.Forward(x) ?? x) + y).Relu().MoveToOuterScope();
        }
    }
}
