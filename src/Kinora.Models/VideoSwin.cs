// Video Swin Transformer: attention inside windows of time and space that shift from block to block.
//   Papers: Liu et al., "Video Swin Transformer", arXiv:2106.13230; Liu et al., "Swin Transformer", arXiv:2103.14030.
//   Reference: PaddleVideo ed245e9 (Apache-2.0), recipes videoswin/videoswin_{small,base}_k400_videos; tensor names are
//   Kinora's own, Kinora.Paddle translates.
//   Differences: the tiny variant follows the paper, the reference has no recipe for it. Relative positions are computed,
//   the reference stores them.
//   Input: [N, T, 3, H, W]; T is the network's own, or any smaller number; any H and W, padded with zeros to whole
//   patches; RGB, ImageNet statistics.
using Kinora.Models.Layers;
using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>What the variants of VideoSwin differ in.</summary>
/// <param name="Width">Features of a token in the first stage; each further stage doubles them.</param>
/// <param name="Depths">Blocks of each stage.</param>
/// <param name="Heads">Attention heads of each stage; they divide its features.</param>
/// <param name="Patch">The box that becomes one token: frames, pixels down, pixels across.</param>
/// <param name="Window">The box whose tokens see each other: steps of time, rows, columns.</param>
/// <param name="MlpRatio">Width of a block's hidden layer, in features.</param>
/// <param name="QkvBias">Whether queries, keys and values have a bias.</param>
/// <param name="PatchNorm">Whether tokens are normalised before the first stage.</param>
/// <param name="DropPath">Probability of dropping a branch of the last block for one sample; it rises to this from 0 in the first.</param>
/// <param name="TokenDropout">Probability of dropping a feature inside the blocks.</param>
/// <param name="AttentionDropout">Probability of dropping an attention weight.</param>
public sealed record VideoSwinOptions(
    int Width,
    IReadOnlyList<int> Depths,
    IReadOnlyList<int> Heads,
    (int Time, int Height, int Width)? Patch = null,
    (int Time, int Height, int Width)? Window = null,
    double MlpRatio = 4,
    bool QkvBias = true,
    bool PatchNorm = true,
    double DropPath = 0.1,
    double TokenDropout = 0,
    double AttentionDropout = 0);

/// <summary>
/// A pyramid of transformer stages. A token sees the tokens of its window only; every second block shifts the windows by
/// half their size, so that neighbours meet. Between stages four neighbours become one token of twice the features.
/// </summary>
public sealed class VideoSwin : VideoNetwork
{
    private readonly PatchEmbedding _patchEmbed;
    private readonly Dropout _tokenDropout;
    private readonly IReadOnlyList<Stage> _stages;
    private readonly LayerNorm _norm;
    private readonly Dropout _dropout;
    private readonly Linear _fc;

    /// <summary>Builds the network with initial weights.</summary>
    /// <param name="name">Catalogue name.</param>
    /// <param name="options">Defaults: 32 frames, 224 pixels, dropout 0.5.</param>
    /// <param name="shape">What distinguishes variants.</param>
    /// <exception cref="ConfigException">An option is out of range.</exception>
    public VideoSwin(string name, ModelOptions options, VideoSwinOptions shape)
        : base(name, Complete(options, frames: 32, size: 224, dropout: 0.5))
    {
        ArgumentNullException.ThrowIfNull(shape);
        var window = new Box(shape.Window ?? (8, 7, 7));
        Validate(shape, window);
        Window = window.Sizes;
        _patchEmbed = Add("patch_embed", new PatchEmbedding(shape.Width, new Box(shape.Patch ?? (2, 4, 4)), shape.PatchNorm));
        _tokenDropout = Add("token_dropout", new Dropout(shape.TokenDropout));
        var stages = Add("stages", new ModuleList<Stage>());
        int blocks = shape.Depths.Sum();
        int first = 0;
        for (int i = 0; i < shape.Depths.Count; i++)
        {
            double[] dropPaths = [.. Enumerable.Range(first, shape.Depths[i]).Select(k => k * shape.DropPath / Math.Max(1, blocks - 1))];
            stages.Append(new Stage(shape, window, shape.Width << i, shape.Heads[i], dropPaths, merge: i < shape.Depths.Count - 1));
            first += shape.Depths[i];
        }

        _stages = stages.Items;
        int features = shape.Width << (shape.Depths.Count - 1);
        _norm = Add("norm", new LayerNorm(features));
        _dropout = Add("dropout", new Dropout(Options.Dropout!.Value));
        _fc = Add("fc", new Linear(features, Classes));
        Initialize((parameter, value, random) =>
        {
            switch (value.Rank)
            {
                case 5:
                    Initializers.KaimingNormal(value, random);
                    break;
                case 2 when parameter == "fc.weight":
                    Initializers.Normal(value, random, 0.01);
                    break;
                case 2:
                    Initializers.TruncatedNormal(value, random, 0.02);
                    break;
            }
        });
    }

    /// <summary>The box whose tokens see each other: steps of time, rows, columns.</summary>
    public (int Time, int Height, int Width) Window { get; }

    /// <inheritdoc/>
    public override bool CanCheckpointGradients => true;

    /// <inheritdoc/>
    public override ClipSpec EvaluationSpec => Spec(1, CropMethod.Center, Size * 8 / 7);

    /// <summary>The thorough evaluation of the recipe: four clips, each with three crops along the long side.</summary>
    public ClipSpec TwelveViewSpec => Spec(4, CropMethod.Three, Size);

    /// <inheritdoc/>
    protected override bool AcceptsShorterClips => true;

    /// <inheritdoc/>
    protected override ViewAverage ViewAverage => ViewAverage.Probabilities;

    /// <summary>The paper's tiny variant.</summary>
    /// <param name="options">Defaults: 32 frames, 224 pixels, dropout 0.5.</param>
    /// <returns>The network; the caller disposes it.</returns>
    public static VideoSwin Tiny(ModelOptions options) => new("videoswin_t", options, new(96, [2, 2, 6, 2], [3, 6, 12, 24]));

    /// <summary>The network of the recipe videoswin_small.</summary>
    /// <param name="options">Defaults: 32 frames, 224 pixels, dropout 0.5.</param>
    /// <returns>The network; the caller disposes it.</returns>
    public static VideoSwin Small(ModelOptions options) => new("videoswin_s", options, new(96, [2, 2, 18, 2], [3, 6, 12, 24]));

    /// <summary>The network of the recipe videoswin_base.</summary>
    /// <param name="options">Defaults: 32 frames, 224 pixels, dropout 0.5.</param>
    /// <returns>The network; the caller disposes it.</returns>
    public static VideoSwin Base(ModelOptions options) => new("videoswin_b", options, new(128, [2, 2, 18, 2], [4, 8, 16, 32], DropPath: 0.2));

    /// <inheritdoc/>
    public override ParameterRule RuleFor(string parameterName)
    {
        ArgumentNullException.ThrowIfNull(parameterName);
        return parameterName switch
        {
            "fc.weight" or "fc.bias" => new ParameterRule(10),
            _ when parameterName.Contains("norm", StringComparison.Ordinal) => ParameterRule.NoDecay,
            _ when parameterName.EndsWith(".position_bias", StringComparison.Ordinal) => ParameterRule.NoDecay,
            _ => ParameterRule.Default,
        };
    }

    /// <inheritdoc/>
    protected override Tensor Score(Tensor clips)
    {
        using var scope = new TensorScope();
        Tensor x = _patchEmbed.Forward(clips.Permute(0, 2, 1, 3, 4));                   // [N, T', H', W', C]
        x = ChannelsLast(_tokenDropout.Forward(ChannelsFirst(x)));
        foreach (Stage stage in _stages)
        {
            x = stage.Forward(x, CheckpointGradients);                                  // [N, T', H', W', C]
        }

        x = _norm.Forward(x).Mean([1, 2, 3]);                                           // [N, C]
        return _fc.Forward(_dropout.Forward(x)).MoveToOuterScope();                     // [N, classes]
    }

    // Observers see features as the reference lays them out.
    private static Tensor ChannelsFirst(Tensor x) => x.Permute(0, 4, 1, 2, 3);

    private static Tensor ChannelsLast(Tensor x) => x.Permute(0, 2, 3, 4, 1);

    private ClipSpec Spec(int clips, CropMethod crop, int shortSide) => new(
        new SamplingSpec(SamplingMethod.FrameInterval, clips, Frames, Interval: 2),
        new ResizeSpec(ResizeRule.KeepAspectRound, shortSide, ResizeEngine.OpenCv),
        new CropSpec(crop, Size, CropRounding.Floor),
        new Normalization(new(123.675f, 116.28f, 103.53f), new(58.395f, 57.12f, 57.375f), Scale: 1, NormalizationArithmetic.InPlace));

    private static void Validate(VideoSwinOptions shape, Box window)
    {
        Require(shape.Depths.Count >= 1 && shape.Depths.All(d => d >= 1), "depths", "at least one block a stage", string.Join(", ", shape.Depths));
        Require(shape.Heads.Count == shape.Depths.Count, "heads", $"{shape.Depths.Count} numbers, one a stage", string.Join(", ", shape.Heads));
        Require(
            shape.Width >= 1 && shape.Heads.Select((heads, i) => heads >= 1 && (shape.Width << i) % heads == 0).All(divides => divides),
            "width", "a number whose doubles the heads divide", shape.Width);
        Require(window is { Time: >= 1, Height: >= 1, Width: >= 1 }, "window", "at least 1 along each axis", window);
        Require(shape.Patch is null or { Time: >= 1, Height: >= 1, Width: >= 1 }, "patch", "at least 1 along each axis", shape.Patch!);
        Require(shape.MlpRatio * shape.Width >= 1, "mlp ratio", "at least one feature", shape.MlpRatio);
        Require(shape.DropPath is >= 0 and < 1, "drop path", "a probability in [0, 1)", shape.DropPath);

        static void Require(bool holds, string key, string expected, object found)
        {
            if (!holds)
            {
                throw new ConfigException(FormattableString.Invariant($"videoswin: {key}: expected {expected}, found {found}"));
            }
        }
    }

    /// <summary>Sizes along time, height and width.</summary>
    private readonly record struct Box(int Time, int Height, int Width)
    {
        public Box((int Time, int Height, int Width) sizes)
            : this(sizes.Time, sizes.Height, sizes.Width)
        {
        }

        public (int Time, int Height, int Width) Sizes => (Time, Height, Width);

        public int Volume => Time * Height * Width;

        public bool IsZero => this is { Time: 0, Height: 0, Width: 0 };

        public static Box Of(Tensor channelsLast) => new((int)channelsLast.Shape[1], (int)channelsLast.Shape[2], (int)channelsLast.Shape[3]);

        public Box Map(Box other, Func<int, int, int> function) => new(function(Time, other.Time), function(Height, other.Height), function(Width, other.Width));
    }

    /// <summary>Cuts a clip into boxes of pixels and makes a token of each.</summary>
    private sealed class PatchEmbedding : Module
    {
        private readonly Box _patch;
        private readonly Conv3d _conv;
        private readonly LayerNorm? _norm;

        public PatchEmbedding(int features, Box patch, bool normalise)
        {
            _patch = patch;
            _conv = Add("conv", new Conv3d(3, features, patch.Sizes, patch.Sizes, bias: true));
            _norm = normalise ? Add("norm", new LayerNorm(features)) : null;
        }

        /// <summary>Embeds.</summary>
        /// <param name="clips">[N, 3, T, H, W].</param>
        /// <returns>[N, T', H', W', C], in the caller's scope.</returns>
        public Tensor Forward(Tensor clips)
        {
            using var scope = new TensorScope();
            var size = new Box((int)clips.Shape[2], (int)clips.Shape[3], (int)clips.Shape[4]);
            Box missing = size.Map(_patch, Missing);
            Tensor x = missing.IsZero ? clips : F.Pad(clips, [0, missing.Width, 0, missing.Height, 0, missing.Time]);
            x = _conv.Forward(x);                                                       // [N, C, T', H', W']
            Box tokens = size.Map(_patch, (pixels, patch) => (pixels + patch - 1) / patch);
            long features = x.Shape[1];
            x = x.Flatten(2).Transpose(1, 2);                                           // [N, T'·H'·W', C]
            x = (_norm?.Forward(x) ?? x).Reshape(-1, tokens.Time, tokens.Height, tokens.Width, features).MoveToOuterScope();
            Observed(ChannelsFirst(x).MoveToOuterScope());
            return x;
        }
    }

    /// <summary>Blocks on one grid of tokens, then the merging of four neighbours.</summary>
    private sealed class Stage : Module
    {
        private readonly Box _window;
        private readonly IReadOnlyList<Block> _blocks;
        private readonly Merging? _merging;

        public Stage(VideoSwinOptions shape, Box window, int features, int heads, double[] dropPaths, bool merge)
        {
            _window = window;
            var blocks = Add("blocks", new ModuleList<Block>());
            foreach (double dropPath in dropPaths)
            {
                blocks.Append(new Block(shape, window, features, heads, dropPath));
            }

            _blocks = blocks.Items;
            _merging = merge ? Add("merging", new Merging(features)) : null;
        }

        public Tensor Forward(Tensor x, bool checkpoint)
        {
            using var scope = new TensorScope();
            Windows? plain = checkpoint ? null : Over(x, shifted: false);
            Windows? rolled = checkpoint || _blocks.Count == 1 ? null : Over(x, shifted: true);
            for (int i = 0; i < _blocks.Count; i++)
            {
                (Block block, bool shifted) = (_blocks[i], i % 2 == 1);
                x = checkpoint
                    ? GradientCheckpoint.Run(block, x, input => WithOwnWindows(block, input, shifted))
                    : block.Forward(x, (shifted ? rolled : plain)!);                    // [N, T, H, W, C]
            }

            x = (_merging?.Forward(x) ?? x).MoveToOuterScope();                         // [N, T, ⌈H/2⌉, ⌈W/2⌉, 2·C]
            Observed(ChannelsFirst(x).MoveToOuterScope());
            return x;
        }

        // The backward pass computes the block again when the stage's windows are gone.
        private Tensor WithOwnWindows(Block block, Tensor x, bool shifted)
        {
            using var scope = new TensorScope();
            return block.Forward(x, Over(x, shifted)).MoveToOuterScope();
        }

        private Windows Over(Tensor x, bool shifted) => Windows.Over(Box.Of(x), _window, shifted, x.DType);
    }

    /// <summary>How a grid of tokens is cut into windows, and what the tokens of one window may see.</summary>
    /// <param name="Grid">The grid, before padding.</param>
    /// <param name="Window">One window; no larger than the grid along any axis.</param>
    /// <param name="Shift">By how much the grid is rolled before it is cut.</param>
    /// <param name="Counts">Windows along each axis, the last ones padded.</param>
    /// <param name="Positions">For each pair of tokens its row in the table of position biases, [L·L].</param>
    /// <param name="Mask">−100 for pairs that only meet because the grid was rolled, [windows, 1, L, L]; null where none do.</param>
    private sealed record Windows(Box Grid, Box Window, Box Shift, Box Counts, Tensor Positions, Tensor? Mask)
    {
        private const float Masked = -100;

        /// <summary>Lays windows over a grid.</summary>
        /// <param name="grid">Tokens along each axis.</param>
        /// <param name="window">The network's window.</param>
        /// <param name="shifted">Whether windows are shifted by half their size, along axes with more than one.</param>
        /// <param name="type">Element type of the mask.</param>
        public static Windows Over(Box grid, Box window, bool shifted, DType type)
        {
            Box used = window.Map(grid, Math.Min);
            Box shift = shifted ? window.Map(grid, (size, tokens) => tokens <= size ? 0 : size / 2) : default;
            Box counts = grid.Map(used, (tokens, size) => (tokens + size - 1) / size);
            return new Windows(grid, used, shift, counts, PairPositions(window, used.Volume), shift.IsZero ? null : RollMask(used, shift, counts).To(type));
        }

        /// <summary>Cuts features into windows.</summary>
        /// <param name="x">[N, T, H, W, C].</param>
        /// <returns>[N·windows, L, C].</returns>
        public Tensor Cut(Tensor x)
        {
            long features = x.Shape[4];
            Box missing = Grid.Map(Window, Missing);
            x = missing.IsZero ? x : F.Pad(x, [0, 0, 0, missing.Width, 0, missing.Height, 0, missing.Time]);
            x = Roll(x, -1);                                                            // [N, T', H', W', C]
            return x.Reshape(-1, Counts.Time, Window.Time, Counts.Height, Window.Height, Counts.Width, Window.Width, features)
                .Permute(0, 1, 3, 5, 2, 4, 6, 7).Reshape(-1, Window.Volume, features);  // [N·windows, L, C]
        }

        /// <summary>Puts windows back in their places.</summary>
        /// <param name="windows">[N·windows, L, C].</param>
        /// <returns>[N, T, H, W, C].</returns>
        public Tensor Join(Tensor windows)
        {
            long features = windows.Shape[2];
            Box padded = Counts.Map(Window, (count, size) => count * size);
            Tensor x = windows.Reshape(-1, Counts.Time, Counts.Height, Counts.Width, Window.Time, Window.Height, Window.Width, features)
                .Permute(0, 1, 4, 2, 5, 3, 6, 7).Reshape(-1, padded.Time, padded.Height, padded.Width, features);
            x = Roll(x, 1);                                                             // [N, T', H', W', C]
            return padded == Grid ? x : x.Slice(1, 0, Grid.Time).Slice(2, 0, Grid.Height).Slice(3, 0, Grid.Width);
        }

        /// <summary>Adds position biases and mask to attention scores.</summary>
        /// <param name="scores">[N·windows, heads, L, L].</param>
        /// <param name="table">Position biases, [positions, heads].</param>
        /// <returns>New tensor, same shape, in the caller's scope.</returns>
        public Tensor Adjust(Tensor scores, Tensor table)
        {
            using var scope = new TensorScope();
            (long heads, long length) = (table.Shape[1], Window.Volume);
            Tensor biases = table.Transpose(0, 1).IndexSelect(1, Positions).Reshape(heads, length, length);   // [heads, L, L]
            Tensor adjusted = scores.Reshape(-1, Counts.Volume, heads, length, length) + biases;        // [N, windows, heads, L, L]
            if (Mask is not null)
            {
                adjusted.AddInPlace(Mask);
            }

            return adjusted.Reshape(-1, heads, length, length).MoveToOuterScope();
        }

        private Tensor Roll(Tensor x, int direction) =>
            Shift.IsZero ? x : x.Roll([direction * Shift.Time, direction * Shift.Height, direction * Shift.Width], [1, 2, 3]);

        // The table has a row for each distance in time, rows and columns. A token's number is such that the difference of
        // two is their row. Where the grid is smaller than the window, tokens are numbered as the first ones of a whole
        // window, as the reference does: published weights have learnt it so.
        private static Tensor PairPositions(Box window, int length)
        {
            (int rows, int columns) = ((2 * window.Height) - 1, (2 * window.Width) - 1);
            long middle = ((((window.Time - 1L) * rows) + window.Height - 1) * columns) + window.Width - 1;
            var numbers = new long[length];
            for (int i = 0; i < length; i++)
            {
                (int time, int row, int column) = (i / (window.Height * window.Width), i / window.Width % window.Height, i % window.Width);
                numbers[i] = (((time * rows) + row) * columns) + column;
            }

            Tensor to = Tensor.From<long>([.. numbers.Select(number => number + middle)], [length, 1]);
            return (to - Tensor.From<long>(numbers, [1, length])).Flatten();
        }

        // Rolling brings tokens from opposite ends of an axis into its last window. Tokens of one window see each other only
        // if they come from the same end along every axis, that is, if their regions have the same number.
        private static Tensor RollMask(Box window, Box shift, Box counts)
        {
            var regions = new float[counts.Volume * window.Volume];
            int at = 0;
            for (int i = 0; i < counts.Volume; i++)
            {
                for (int k = 0; k < window.Volume; k++)
                {
                    int time = Region(i / (counts.Height * counts.Width), k / (window.Height * window.Width), counts.Time, window.Time, shift.Time);
                    int row = Region(i / counts.Width % counts.Height, k / window.Width % window.Height, counts.Height, window.Height, shift.Height);
                    int column = Region(i % counts.Width, k % window.Width, counts.Width, window.Width, shift.Width);
                    regions[at++] = (4 * time) + (2 * row) + column;
                }
            }

            using var scope = new TensorScope();
            Tensor to = Tensor.From<float>(regions, [counts.Volume, 1, window.Volume, 1]);
            Tensor from = Tensor.From<float>(regions, [counts.Volume, 1, 1, window.Volume]);
            return ((to - from).Abs().Clamp(max: 1) * Masked).MoveToOuterScope();       // [windows, 1, L, L]

            static int Region(int block, int place, int blocks, int size, int moved) => block == blocks - 1 && place >= size - moved ? 1 : 0;
        }
    }

    /// <summary>Attention inside windows, then two linear layers; each around an identity.</summary>
    private sealed class Block : Module
    {
        private readonly LayerNorm _attentionNorm;
        private readonly WindowAttention _attention;
        private readonly LayerNorm _mlpNorm;
        private readonly Mlp _mlp;
        private readonly DropPath _dropPath;

        public Block(VideoSwinOptions shape, Box window, int features, int heads, double dropPath)
        {
            _attentionNorm = Add("attention_norm", new LayerNorm(features));
            _attention = Add("attention", new WindowAttention(shape, window, features, heads));
            _mlpNorm = Add("mlp_norm", new LayerNorm(features));
            _mlp = Add("mlp", new Mlp(features, (int)(features * shape.MlpRatio), shape.TokenDropout));
            _dropPath = Add("drop_path", new DropPath(dropPath));
        }

        public Tensor Forward(Tensor x, Windows windows)
        {
            using var scope = new TensorScope();
            Tensor seen = _attention.Forward(windows.Cut(_attentionNorm.Forward(x)), windows);  // [N·windows, L, C]
            x += _dropPath.Forward(windows.Join(seen));                                 // [N, T, H, W, C]
            x += _dropPath.Forward(_mlp.Forward(_mlpNorm.Forward(x)));
            return Observed(x.MoveToOuterScope());
        }
    }

    /// <summary>Attention with a learnt bias for each distance between two tokens of a window.</summary>
    private sealed class WindowAttention : Module
    {
        private readonly Tensor _positionBias;
        private readonly SelfAttention _heads;

        public WindowAttention(VideoSwinOptions shape, Box window, int features, int heads)
        {
            int distances = ((2 * window.Time) - 1) * ((2 * window.Height) - 1) * ((2 * window.Width) - 1);
            _positionBias = AddParameter("position_bias", Tensor.Zeros([distances, heads]));
            _heads = Add("heads", new SelfAttention(features, heads, shape.QkvBias, shape.AttentionDropout, shape.TokenDropout));
        }

        public Tensor Forward(Tensor x, Windows windows) => _heads.Forward(x, scores => windows.Adjust(scores, _positionBias));
    }

    /// <summary>Four neighbours in a square become one token with the features of all, then half as many.</summary>
    private sealed class Merging : UnaryModule
    {
        private readonly LayerNorm _norm;
        private readonly Linear _reduce;

        public Merging(int features)
        {
            _norm = Add("norm", new LayerNorm(4 * features));
            _reduce = Add("reduce", new Linear(4 * features, 2 * features, bias: false));
        }

        protected override Tensor Compute(Tensor x)
        {
            using var scope = new TensorScope();
            Box grid = Box.Of(x);
            long features = x.Shape[4];
            x = grid.Height % 2 == 0 && grid.Width % 2 == 0 ? x : F.Pad(x, [0, 0, 0, grid.Width % 2, 0, grid.Height % 2]);
            (int rows, int columns) = ((grid.Height + 1) / 2, (grid.Width + 1) / 2);

            // Of the four, first those of the left column from top to bottom.
            x = x.Reshape(-1, grid.Time, rows, 2, columns, 2, features)
                .Permute(0, 1, 2, 4, 5, 3, 6).Reshape(-1, grid.Time, rows, columns, 4 * features);   // [N, T, H/2, W/2, 4·C]
            return _reduce.Forward(_norm.Forward(x)).MoveToOuterScope();                // [N, T, H/2, W/2, 2·C]
        }
    }

    // What an axis lacks to a multiple.
    private static int Missing(int size, int unit) => (unit - (size % unit)) % unit;
}
