// TimeSformer and PP-TimeSformer: a vision transformer whose blocks attend over time, then over space.
//   Paper: Bertasius, Wang, Torresani, "Is Space-Time Attention All You Need for Video Understanding?", arXiv:2102.05095.
//   Reference: PaddleVideo ed245e9 (Apache-2.0), recipes timesformer/timesformer_k400_videos and
//   pptimesformer/pptimesformer_k400_videos; tensor names are Kinora's own, Kinora.Paddle translates.
//   Differences: the class token is taken from each clip's own rows (the reference takes rows of other clips, which hold
//   the same values). Linear layers and tokens start truncated normal with std 0.02; the reference's 1.0 is a defect that
//   ImageNet weights hide. As the paper's authors intend (facebookresearch/TimeSformer, issues 29 and 66), the linear
//   layer behind temporal attention and the time embedding start at zero in every block, so that the network starts as
//   the image transformer that it usually gets its weights from.
//   Input: [N, T, 3, H, W] with the T the network was built for; RGB, (pixel / 255 − 0.45) / 0.225; PP-TimeSformer pixel / 255.
//   Other H and W than the network was built for take the nearest entries of the position embedding.
using Kinora.Models.Layers;
using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>What the variants of TimeSformer differ in.</summary>
/// <param name="Width">C: features of a token; the heads divide it.</param>
/// <param name="Depth">Number of blocks.</param>
/// <param name="Heads">Attention heads.</param>
/// <param name="PatchSize">Side of the square that becomes one token, in pixels.</param>
/// <param name="MlpRatio">Width of a block's hidden layer, in C.</param>
/// <param name="QkvBias">Whether queries, keys and values have a bias.</param>
/// <param name="Epsilon">Added to the variance in layer norms.</param>
/// <param name="DropPath">Probability of dropping a branch of the last block for one sample; it rises to this from 0 in the first.</param>
/// <param name="TokenDropout">Probability of dropping a feature inside the blocks.</param>
/// <param name="AttentionDropout">Probability of dropping an attention weight.</param>
public sealed record TimeSformerOptions(
    int Width = 768,
    int Depth = 12,
    int Heads = 12,
    int PatchSize = 16,
    double MlpRatio = 4,
    bool QkvBias = true,
    double Epsilon = 1e-6,
    double DropPath = 0.1,
    double TokenDropout = 0,
    double AttentionDropout = 0);

/// <summary>
/// A vision transformer for clips: each frame is cut into patches, each patch becomes a token, and each block lets a token
/// look first at the same place in the other frames, then at the other places of its own frame. A class token that sees
/// every frame is classified.
/// </summary>
public sealed class TimeSformer : VideoNetwork
{
    private readonly TimeSformerOptions _shape;
    private readonly bool _isPp;
    private readonly int _grid;
    private readonly Conv2d _patchEmbed;
    private readonly Tensor _classToken;
    private readonly Tensor _positions;
    private readonly Tensor _times;
    private readonly Dropout _positionDropout;
    private readonly Dropout _timeDropout;
    private readonly IReadOnlyList<Block> _blocks;
    private readonly LayerNorm _norm;
    private readonly Dropout _dropout;
    private readonly Linear _fc;

    /// <summary>Builds the network with initial weights.</summary>
    /// <param name="options">Defaults: 8 frames, 224 pixels, no dropout.</param>
    /// <param name="shape">What distinguishes variants; null for the base network.</param>
    /// <param name="pp">The training and evaluation rules of PP-TimeSformer.</param>
    /// <exception cref="ConfigException">An option is out of range.</exception>
    public TimeSformer(ModelOptions options, TimeSformerOptions? shape = null, bool pp = false)
        : base(pp ? "pp_timesformer" : "timesformer", Complete(options, frames: 8, size: 224, dropout: 0))
    {
        _shape = shape ?? new TimeSformerOptions();
        _isPp = pp;
        Validate(_shape, Size);
        _grid = Size / _shape.PatchSize;
        int width = _shape.Width;
        _classToken = AddParameter("class_token", Tensor.Zeros([1, 1, width]));
        _positions = AddParameter("position_embedding", Tensor.Zeros([1, 1 + (_grid * _grid), width]));
        _times = AddParameter("time_embedding", Tensor.Zeros([1, Frames, width]));
        _patchEmbed = Add("patch_embed", new Conv2d(3, width, _shape.PatchSize, _shape.PatchSize, bias: true));
        _positionDropout = Add("position_dropout", new Dropout(_shape.TokenDropout));
        _timeDropout = Add("time_dropout", new Dropout(_shape.TokenDropout));
        var blocks = Add("blocks", new ModuleList<Block>());
        for (int i = 0; i < _shape.Depth; i++)
        {
            blocks.Append(new Block(_shape, i * _shape.DropPath / Math.Max(1, _shape.Depth - 1)));
        }

        _blocks = blocks.Items;
        _norm = Add("norm", new LayerNorm(width, _shape.Epsilon));
        _dropout = Add("dropout", new Dropout(Options.Dropout!.Value));
        _fc = Add("fc", new Linear(width, Classes));
        Initialize((name, value, random) =>
        {
            if (name == "time_embedding" || name.Contains(".temporal_fc.", StringComparison.Ordinal))
            {
                return;
            }

            switch (value.Rank)
            {
                case 4:
                    Initializers.KaimingNormal(value, random);
                    break;
                case 2 or 3:
                    Initializers.TruncatedNormal(value, random, 0.02);
                    break;
            }
        });
    }

    /// <inheritdoc/>
    public override bool CanCheckpointGradients => true;

    /// <inheritdoc/>
    public override ClipSpec EvaluationSpec => Spec(CropMethod.Center, Size * 8 / 7);

    /// <summary>The thorough evaluation of the recipe: three crops along the long side.</summary>
    public ClipSpec ThreeCropSpec => Spec(CropMethod.Three, Size);

    /// <inheritdoc/>
    protected override ViewAverage ViewAverage => _isPp ? ViewAverage.Probabilities : ViewAverage.Logits;

    /// <summary>The network of the paper: TimeSformer on the base vision transformer, patches of 16 pixels.</summary>
    /// <param name="options">Defaults: 8 frames, 224 pixels, no dropout.</param>
    /// <returns>The network; the caller disposes it.</returns>
    public static TimeSformer Base(ModelOptions options) => new(options);

    /// <summary>PaddleVideo's PP-TimeSformer: no bias on queries, keys and values, other decay and view averaging.</summary>
    /// <param name="options">Defaults: 8 frames, 224 pixels, no dropout.</param>
    /// <returns>The network; the caller disposes it.</returns>
    public static TimeSformer PpBase(ModelOptions options) => new(options, new TimeSformerOptions(QkvBias: false), pp: true);

    /// <inheritdoc/>
    public override ParameterRule RuleFor(string parameterName) =>
        _isPp && parameterName is "class_token" or "position_embedding" or "time_embedding" or "fc.bias"
            ? ParameterRule.NoDecay
            : ParameterRule.Default;

    /// <inheritdoc/>
    protected override Tensor Score(Tensor clips)
    {
        using var scope = new TensorScope();
        Tensor x = Tokens(clips);                                                       // [N, 1 + P·T, C]
        foreach (Block block in _blocks)
        {
            x = RunBlock(block, x, input => block.Forward(input, Frames));              // [N, 1 + P·T, C]
        }

        x = _norm.Forward(x).Select(1, 0);                                              // [N, C]
        return _fc.Forward(_dropout.Forward(x)).MoveToOuterScope();                     // [N, classes]
    }

    // The class token, then of each patch its T frames.
    private Tensor Tokens(Tensor clips)
    {
        using var scope = new TensorScope();
        (Tensor images, int frames) = Images(clips);                                    // [N·T, 3, H, W]
        Tensor maps = _patchEmbed.Forward(images);                                      // [N·T, C, h, w]
        Tensor patches = maps.Flatten(2).Transpose(1, 2);                               // [N·T, P, C]
        long width = _shape.Width;
        long count = patches.Shape[1];
        Tensor x = Tensor.Concat([_classToken.Expand(patches.Shape[0], 1, width), patches], 1);
        x = _positionDropout.Forward(x + Positions(maps.Shape[2], maps.Shape[3]));      // [N·T, 1 + P, C]
        x = x.Reshape(-1, frames, 1 + count, width);                                    // [N, T, 1 + P, C]

        // The class token of a clip's first frame stands for all: they are equal.
        Tensor classToken = x.Slice(1, 0, 1).Slice(2, 0, 1).Reshape(-1, 1, width);      // [N, 1, C]
        x = x.Slice(2, 1).Permute(0, 2, 1, 3).Reshape(-1, frames, width);               // [N·P, T, C]
        x = _timeDropout.Forward(x + _times).Reshape(-1, count * frames, width);        // [N, P·T, C]
        return Tensor.Concat([classToken, x], 1).MoveToOuterScope();                    // [N, 1 + P·T, C]
    }

    // The embedding of a grid of another size, each place taking the nearest entry; the class token keeps its own.
    private Tensor Positions(long height, long width)
    {
        if (height == _grid && width == _grid)
        {
            return _positions;
        }

        long[] rows = Nearest(_grid, height);
        long[] columns = Nearest(_grid, width);
        long[] indices = [0, .. rows.SelectMany(row => columns.Select(column => 1 + (row * _grid) + column))];
        return _positions.IndexSelect(1, Tensor.From<long>(indices));                   // [1, 1 + P, C]
    }

    // In float32, as the reference's interpolation rounds.
    private static long[] Nearest(int from, long to)
    {
        float step = from / (float)to;
        return [.. Enumerable.Range(0, checked((int)to)).Select(i => Math.Min((long)(i * step), from - 1))];
    }

    // The reference samples its frames from a window of 256; here they spread over the whole video.
    private ClipSpec Spec(CropMethod crop, int shortSide) => new(
        new SamplingSpec(SamplingMethod.Linspace, Frames),
        new ResizeSpec(ResizeRule.KeepAspectTruncate, shortSide, ResizeEngine.OpenCv),
        new CropSpec(crop, Size),
        _isPp ? new(new(0, 0, 0), new(1, 1, 1)) : new(new(0.45f, 0.45f, 0.45f), new(0.225f, 0.225f, 0.225f)));

    private static void Validate(TimeSformerOptions shape, int size)
    {
        Require(shape.PatchSize >= 1 && shape.PatchSize <= size, "patch size", $"1 to {size} pixels", shape.PatchSize);
        Require(shape.Depth >= 1, "depth", "at least 1", shape.Depth);
        Require(shape.Heads >= 1 && shape.Width >= 1 && shape.Width % shape.Heads == 0, "width", $"a multiple of the {shape.Heads} heads", shape.Width);
        Require(shape.MlpRatio * shape.Width >= 1, "mlp ratio", "at least one feature", shape.MlpRatio);
        Require(shape.DropPath is >= 0 and < 1, "drop path", "a probability in [0, 1)", shape.DropPath);

        static void Require(bool holds, string key, string expected, object found)
        {
            if (!holds)
            {
                throw new ConfigException(FormattableString.Invariant($"timesformer: {key}: expected {expected}, found {found}"));
            }
        }
    }

    /// <summary>Attention over time, attention over space, two linear layers; each around an identity.</summary>
    private sealed class Block : Module
    {
        private readonly int _width;
        private readonly LayerNorm _temporalNorm;
        private readonly SelfAttention _temporalAttention;
        private readonly Linear _temporalFc;
        private readonly LayerNorm _spatialNorm;
        private readonly SelfAttention _spatialAttention;
        private readonly LayerNorm _mlpNorm;
        private readonly Mlp _mlp;
        private readonly DropPath _dropPath;

        public Block(TimeSformerOptions shape, double dropPath)
        {
            _width = shape.Width;
            _temporalNorm = Add("temporal_norm", new LayerNorm(_width, shape.Epsilon));
            _temporalAttention = Add("temporal_attention", new SelfAttention(_width, shape.Heads, shape.QkvBias, shape.AttentionDropout, shape.TokenDropout));
            _temporalFc = Add("temporal_fc", new Linear(_width, _width));
            _spatialNorm = Add("spatial_norm", new LayerNorm(_width, shape.Epsilon));
            _spatialAttention = Add("spatial_attention", new SelfAttention(_width, shape.Heads, shape.QkvBias, shape.AttentionDropout, shape.TokenDropout));
            _mlpNorm = Add("mlp_norm", new LayerNorm(_width, shape.Epsilon));
            _mlp = Add("mlp", new Mlp(_width, (int)(_width * shape.MlpRatio), shape.TokenDropout));
            _dropPath = Add("drop_path", new DropPath(dropPath));
        }

        /// <summary>Computes the block.</summary>
        /// <param name="x">Class token and patches, frames innermost, [N, 1 + P·T, C].</param>
        /// <param name="frames">T.</param>
        /// <returns>Same shape.</returns>
        public Tensor Forward(Tensor x, int frames)
        {
            using var scope = new TensorScope();
            long places = (x.Shape[1] - 1) / frames;
            Tensor classToken = x.Slice(1, 0, 1);                                                   // [N, 1, C]
            Tensor patches = x.Slice(1, 1);                                                         // [N, P·T, C]

            Tensor inTime = _temporalNorm.Forward(patches).Reshape(-1, frames, _width);             // [N·P, T, C]
            inTime = _temporalFc.Forward(_dropPath.Forward(_temporalAttention.Forward(inTime)));    // [N·P, T, C]
            patches += inTime.Reshape(-1, places * frames, _width);                                 // [N, P·T, C]

            // Every frame gets the class token; its answers are averaged.
            Tensor inSpace = Tensor.Concat(
                [
                    classToken.Expand(-1, frames, -1).Reshape(-1, 1, _width),                       // [N·T, 1, C]
                    patches.Reshape(-1, places, frames, _width).Permute(0, 2, 1, 3).Reshape(-1, places, _width),
                ],
                1);                                                                                 // [N·T, 1 + P, C]
            inSpace = _dropPath.Forward(_spatialAttention.Forward(_spatialNorm.Forward(inSpace)));  // [N·T, 1 + P, C]
            classToken += inSpace.Slice(1, 0, 1).Reshape(-1, frames, _width).Mean([1], keepDim: true);
            patches += inSpace.Slice(1, 1).Reshape(-1, frames, places, _width)
                .Permute(0, 2, 1, 3).Reshape(-1, places * frames, _width);                          // [N, P·T, C]

            x = Tensor.Concat([classToken, patches], 1);                                            // [N, 1 + P·T, C]
            x += _dropPath.Forward(_mlp.Forward(_mlpNorm.Forward(x)));
            return Observed(x.MoveToOuterScope());
        }
    }
}
