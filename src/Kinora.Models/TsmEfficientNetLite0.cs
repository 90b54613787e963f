// TSM on EfficientNet-Lite0: Kinora's default network.
//   Papers: Tan, Le, "EfficientNet", arXiv:1905.11946, in the "lite" form of tensorflow/tpu (Apache-2.0): no squeeze and
//   excite, relu6, fixed stem and head; Lin, Gan, Han, "TSM", arXiv:1811.08383.
//   Weights: ImageNet, Apache-2.0 (models/README.md); their names are translated here.
//   Differences: temporal shift on the residual branches; batch-norm momentum 0.1, because TensorFlow's 0.01 leaves the
//   running statistics of a small data set at ImageNet's.
//   Input: [N, T, 3, H, W], any T; RGB, (pixel − 127) / 128.
using Kinora.Models.Layers;
using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>Where the frames of a clip become one answer.</summary>
public enum Consensus
{
    /// <summary>Features are averaged over time, then dropped out and classified.</summary>
    Features,

    /// <summary>Every frame is dropped out and classified by itself, then logits are averaged. The same in evaluation, up to rounding.</summary>
    Logits,
}

/// <summary>
/// TSM on EfficientNet-Lite0: an ImageNet backbone for CPUs whose residual branches see one eighth of the channels of
/// the frame before and one eighth of the frame after.
/// </summary>
public sealed class TsmEfficientNetLite0 : VideoNetwork, IShiftedNetwork
{
    /// <summary>File name of the ImageNet weights under models/.</summary>
    public const string PretrainedFile = "efficientnet_lite0_imagenet_f16.safetensors";

    private const double Epsilon = 1e-3;

    // The share of the original, the order of PaddleVideo.
    private static readonly ShiftConvention Shift = new(ShiftOrder.PastFirst, 8);

    // As in PP-TSMv2: where maps have an eighth of the height, before the next shift.
    private const int AttendedBlock = 5;

    // Repeats, depthwise kernel, stride of the first, expansion, outputs.
    private static readonly (int Repeats, int Kernel, int Stride, int Expansion, int Outputs)[] Table =
    [
        (1, 3, 1, 1, 16),
        (2, 3, 2, 6, 24),
        (2, 5, 2, 6, 40),
        (3, 3, 2, 6, 80),
        (3, 5, 1, 6, 112),
        (4, 5, 2, 6, 192),
        (1, 3, 1, 6, 320),
    ];

    private readonly SameConvBn _stem;
    private readonly IReadOnlyList<MobileBlock> _blocks;
    private readonly SameConvBn _head;
    private readonly GlobalAvgPool2d _pool;
    private readonly Dropout _dropout;
    private readonly Linear _fc;
    private readonly Consensus _consensus;
    private readonly TemporalAttention? _attention;

    /// <summary>Builds the network with initial or ImageNet weights.</summary>
    /// <param name="options">Defaults: 8 frames, 224 pixels, dropout 0.2; shifts from the past first, 1/8 of the channels each way.</param>
    /// <param name="consensus">Where frames become one answer.</param>
    /// <param name="normMomentum">Share of a batch in the running statistics after each step, in (0, 1].</param>
    /// <param name="temporalAttention">Weighs the frames as PP-TSMv2 does; T is then part of the weights.</param>
    /// <exception cref="ConfigException">An option is out of range.</exception>
    /// <exception cref="CheckpointException">ImageNet weights are wanted, and their file is missing or isn't theirs.</exception>
    public TsmEfficientNetLite0(ModelOptions options, Consensus consensus = Consensus.Features, double normMomentum = 0.1, bool temporalAttention = false)
        : base(temporalAttention ? "tsm_efficientnet_lite0_lta" : "tsm_efficientnet_lite0", Complete(options, frames: 8, size: 224, dropout: 0.2, Shift))
    {
        _consensus = consensus;
        _stem = Add("stem", new SameConvBn(3, 32, 3, 2, 1, Rectifier.Relu6, normMomentum));
        var blocks = Add("blocks", new ModuleList<MobileBlock>());
        int channels = 32;
        foreach ((int repeats, int kernel, int stride, int expansion, int outputs) in Table)
        {
            for (int i = 0; i < repeats; i++)
            {
                blocks.Append(new MobileBlock(channels, outputs, kernel, i == 0 ? stride : 1, expansion, Fold, normMomentum));
                channels = outputs;
            }
        }

        _blocks = blocks.Items;
        _attention = temporalAttention ? Add("attention", new TemporalAttention(Frames, gain: 2)) : null;
        _head = Add("head", new SameConvBn(channels, 1280, 1, 1, 1, Rectifier.Relu6, normMomentum));
        _pool = Add("pool", new GlobalAvgPool2d());
        _dropout = Add("dropout", new Dropout(Options.Dropout!.Value));
        _fc = Add("fc", new Linear(1280, Classes));
        Initialize((name, value, random) =>
        {
            switch (name)
            {
                case "fc.weight":
                    Initializers.Normal(value, random, 0.01);
                    break;
                case var _ when value.Rank == 4 && !Options.Pretrained:
                    Initializers.KaimingNormal(value, random);
                    break;
            }
        });
        if (Options.Pretrained)
        {
            LoadImageNet(BundledFiles.Require(PretrainedFile), classifier: false);
        }
    }

    /// <inheritdoc/>
    protected override bool AcceptsAnyFrames => _attention is null;

    /// <inheritdoc/>
    public override ClipSpec EvaluationSpec => new(
        new SamplingSpec(SamplingMethod.SelectLeft, Frames),
        new ResizeSpec(ResizeRule.KeepAspectRound, Size * 8 / 7),
        new CropSpec(CropMethod.Center, Size),
        Normalization.Symmetric128);

    /// <inheritdoc/>
    IEnumerable<ShiftedMap> IShiftedNetwork.ShiftedMaps
    {
        get
        {
            // A block without identity starts a map, those with one add to it, the next without reads it for the last time.
            for (int first = 0; first < _blocks.Count;)
            {
                int next = first + 1;
                while (next < _blocks.Count && _blocks[next].IsResidual)
                {
                    next++;
                }

                int[] residual = [.. Enumerable.Range(first + 1, next - first - 1)];
                yield return new ShiftedMap(
                    residual.ToDictionary(i => $"blocks.{i}", i => _blocks[i].Fold),
                    [$"blocks.{first}.project.", .. residual.Select(i => $"blocks.{i}.project.")],
                    [
                        .. residual.Select(i => $"blocks.{i}.expand.conv.weight"),
                        next < _blocks.Count ? $"blocks.{next}.expand.conv.weight" : "head.conv.weight",
                    ]);
                first = next;
            }
        }
    }

    /// <inheritdoc/>
    public override ParameterRule RuleFor(string parameterName)
    {
        ArgumentNullException.ThrowIfNull(parameterName);
        return parameterName switch
        {
            "attention.fc.weight" => new ParameterRule(5, 1e-4),
            "attention.fc.bias" => new ParameterRule(10, 0),
            "fc.weight" => new ParameterRule(5),
            "fc.bias" => new ParameterRule(5, 0),
            _ when parameterName.Contains(".bn.", StringComparison.Ordinal) => ParameterRule.NoDecay,
            _ => ParameterRule.Default,
        };
    }

    /// <summary>Takes over ImageNet weights under the names of the original EfficientNet-Lite0 files.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <param name="classifier">Whether to take the classifier too, which then must have this network's classes.</param>
    /// <exception cref="CheckpointException">Not such a file, or a tensor is missing, superfluous or of another shape.</exception>
    public void LoadImageNet(string path, bool classifier)
    {
        using var scope = new TensorScope();
        using IDisposable noGrad = Grad.Disable();
        using SafetensorsFile file = SafetensorsFile.Open(path);
        var theirs = file.Entries.Select(e => e.Name).ToHashSet(StringComparer.Ordinal);
        foreach ((string name, Tensor value) in StateDict())
        {
            if (name.StartsWith("attention.", StringComparison.Ordinal))
            {
                continue;
            }

            string original = ImageNetName(name);
            if (!theirs.Remove(original))
            {
                throw new CheckpointException($"ImageNet weights: expected tensor '{original}', found none; use the file that comes with Kinora", path);
            }

            if (!classifier && original.StartsWith("_fc.", StringComparison.Ordinal))
            {
                continue;
            }

            Tensor read = file.Read(original);
            if (!read.Shape.SequenceEqual(value.Shape))
            {
                throw new CheckpointException(
                    $"ImageNet weights: '{original}': expected [{string.Join(", ", value.Shape.ToArray())}], found [{string.Join(", ", read.Shape.ToArray())}]", path);
            }

            value.CopyFrom(read);
        }

        if (theirs.Count > 0)
        {
            throw new CheckpointException($"ImageNet weights: {theirs.Count} tensors have no place in the network, such as '{theirs.First()}'", path);
        }
    }

    /// <inheritdoc/>
    protected override Tensor Score(Tensor clips)
    {
        (Tensor x, int frames) = Images(clips);                     // [N·T, 3, H, W]
        x = _stem.Forward(x);                                       // [N·T, 32, H/2, W/2]
        for (int i = 0; i < _blocks.Count; i++)
        {
            x = i == AttendedBlock && _attention is not null ? _attention.Forward(x) : x;   // [N·T, 40, H/8, W/8]
            x = _blocks[i].Forward(x, frames);
        }

        x = _pool.Forward(_head.Forward(x)).Flatten(1);             // [N·T, 1280]
        if (_consensus == Consensus.Features)
        {
            x = x.Reshape(-1, frames, 1280).Mean([1]);              // [N, 1280]
            return _fc.Forward(_dropout.Forward(x));                // [N, classes]
        }

        x = _fc.Forward(_dropout.Forward(x));                       // [N·T, classes]
        return x.Reshape(-1, frames, Classes).Mean([1]);            // [N, classes]
    }

    /// <summary>Kinora's name of a tensor or layer, in the words of the original files.</summary>
    /// <param name="name">Such as "blocks.3.expand.bn.weight".</param>
    /// <returns>Such as "_blocks.3._bn0.weight".</returns>
    internal static string ImageNetName(string name)
    {
        string[] parts = name.Split('.');
        string rest = parts[0] == "blocks" ? string.Join('.', parts.Skip(2)) : name;
        (string theirs, int used) = (parts[0], rest.Split('.')) switch
        {
            ("stem", [_, "conv", ..]) => ("_conv_stem", 2),
            ("stem", [_, "bn", ..]) => ("_bn0", 2),
            ("head", [_, "conv", ..]) => ("_conv_head", 2),
            ("head", [_, "bn", ..]) => ("_bn1", 2),
            ("fc", _) => ("_fc", 1),
            (_, ["expand", "conv", ..]) => ("_expand_conv", 2),
            (_, ["expand", "bn", ..]) => ("_bn0", 2),
            (_, ["depthwise", "conv", ..]) => ("_depthwise_conv", 2),
            (_, ["depthwise", "bn", ..]) => ("_bn1", 2),
            (_, ["project", "conv", ..]) => ("_project_conv", 2),
            (_, ["project", "bn", ..]) => ("_bn2", 2),
            _ => throw new ArgumentException($"no such tensor: {name}", nameof(name)),
        };
        string tail = string.Join('.', (string[])[theirs, .. rest.Split('.').Skip(used)]);
        return parts[0] == "blocks" ? $"_blocks.{parts[1]}.{tail}" : tail;
    }

    /// <summary>Expand, depthwise, project; around it an identity where shapes allow, and then the branch is shifted.</summary>
    private sealed class MobileBlock : Module
    {
        private readonly SameConvBn? _expand;
        private readonly SameConvBn _depthwise;
        private readonly SameConvBn _project;

        public MobileBlock(int inputs, int outputs, int kernel, int stride, int expansion, Func<int, ShiftFold> fold, double momentum)
        {
            int inner = inputs * expansion;
            _expand = expansion > 1 ? Add("expand", new SameConvBn(inputs, inner, 1, 1, 1, Rectifier.Relu6, momentum)) : null;
            _depthwise = Add("depthwise", new SameConvBn(inner, inner, kernel, stride, inner, Rectifier.Relu6, momentum));
            _project = Add("project", new SameConvBn(inner, outputs, 1, 1, 1, Rectifier.None, momentum));
            IsResidual = stride == 1 && inputs == outputs;
            Fold = IsResidual ? fold(inputs) : default;
        }

        public bool IsResidual { get; }

        public ShiftFold Fold { get; }

        public Tensor Forward(Tensor x, int frames)
        {
            Tensor y = Fold.IsEmpty ? x : TemporalShift.Apply(x, frames, Fold);
            y = _expand?.Forward(y) ?? y;
            y = _project.Forward(_depthwise.Forward(y));
            return Observed(IsResidual ? x + y : y);
        }
    }

    /// <summary>Convolution with TensorFlow's SAME padding, batch norm, activation.</summary>
    private sealed class SameConvBn : UnaryModule
    {
        private readonly SameConv _convolution;
        private readonly BatchNorm _norm;
        private readonly Rectifier _rectifier;

        public SameConvBn(int inputs, int outputs, int kernel, int stride, int groups, Rectifier rectifier, double momentum)
        {
            _rectifier = rectifier;
            _convolution = Add("conv", new SameConv(inputs, outputs, kernel, stride, groups));
            _norm = Add("bn", new BatchNorm(outputs, Epsilon, momentum) { Epsilon = Epsilon });
        }

        protected override Tensor Compute(Tensor x) => _norm.Forward(_convolution.Forward(x), _rectifier);
    }
}
