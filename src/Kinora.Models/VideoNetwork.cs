using Kinora.Models.Layers;
using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>How the scores of several views of a video become one.</summary>
public enum ViewAverage
{
    /// <summary>Logits are averaged.</summary>
    Logits,

    /// <summary>Probabilities are averaged; the result is their logarithm.</summary>
    Probabilities,
}

/// <summary>A network that maps clips to class scores.</summary>
/// <remarks>
/// Not thread-safe, as its tensors aren't. Every parameter is initialised from a stream keyed by (seed, parameter
/// name), so equal options give equal weights whatever the order of construction.
/// </remarks>
public abstract class VideoNetwork : Module
{
    [ThreadStatic]
    private static bool s_blank;

    /// <summary>Creates the base.</summary>
    /// <param name="name">Catalogue name.</param>
    /// <param name="options">The options the network is built from, with nothing left to default.</param>
    protected VideoNetwork(string name, ModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Name = name;
        Options = options;
    }

    /// <summary>The name in <see cref="ModelCatalog"/>.</summary>
    public string Name { get; }

    /// <summary>The options that build this network again, with every default filled in.</summary>
    public ModelOptions Options { get; }

    /// <summary>Number of classes.</summary>
    public int Classes => Options.Classes;

    /// <summary>T: frames of one clip that training and evaluation use.</summary>
    public int Frames => Options.Frames!.Value;

    /// <summary>Side of the square input that training and evaluation use, in pixels. Other sizes work too.</summary>
    public int Size => Options.Size!.Value;

    /// <summary>The way from a video to this network's input at evaluation.</summary>
    public abstract ClipSpec EvaluationSpec { get; }

    /// <summary>Whether training-time branches can still be merged by <see cref="Reparameterize"/>.</summary>
    public virtual bool CanReparameterize => false;

    /// <summary>Whether a clip of any length is one view. Otherwise a clip has the T the network was built for, and longer input is several views.</summary>
    protected virtual bool AcceptsAnyFrames => false;

    /// <summary>Whether a clip of fewer frames than the network was built for is one view too.</summary>
    protected virtual bool AcceptsShorterClips => false;

    /// <summary>How the scores of several views become one; softmax of the result is the average of whichever it names.</summary>
    protected virtual ViewAverage ViewAverage => ViewAverage.Logits;

    /// <summary>Scores videos.</summary>
    /// <param name="clips">
    /// Normalised pixels, [N, V·T, C=3, H, W]: V views of each video, one after the other along time. Where the network takes
    /// any number of frames, V is 1.
    /// </param>
    /// <returns>Logits, [N, classes], averaged over views.</returns>
    /// <exception cref="ShapeException">Not five dimensions, not three channels, or a number of frames that is no multiple of T.</exception>
    public Tensor Forward(Tensor clips)
    {
        ArgumentNullException.ThrowIfNull(clips);
        ReadOnlySpan<long> shape = clips.Shape;
        bool isOneView = AcceptsAnyFrames || (AcceptsShorterClips && shape.Length == 5 && shape[1] < Frames);
        if (shape.Length != 5 || shape[1] < 1 || shape[2] != 3 || (!isOneView && shape[1] % Frames != 0))
        {
            string expected = AcceptsAnyFrames ? "T" : AcceptsShorterClips ? $"T < {Frames} or views·{Frames}" : $"views·{Frames}";
            throw new ShapeException($"{Name}: expected clips [N, {expected}, 3, H, W], found [{string.Join(", ", shape.ToArray())}]");
        }

        long views = isOneView ? 1 : shape[1] / Frames;
        if (views == 1)
        {
            return Score(clips);
        }

        using var scope = new TensorScope();
        Tensor logits = Score(clips.Reshape(-1, Frames, 3, shape[3], shape[4])).Reshape(-1, views, Classes);    // [N, V, classes]
        Tensor average = ViewAverage == ViewAverage.Logits
            ? logits.Mean([1])
            : logits.LogSoftmax(2).LogSumExp(1) - Math.Log(views);                                               // [N, classes]
        return average.MoveToOuterScope();
    }

    /// <summary>Scores clips.</summary>
    /// <param name="clips">[N, T, 3, H, W]; T is <see cref="Frames"/> unless the network accepts any.</param>
    /// <returns>Logits, [N, classes].</returns>
    protected abstract Tensor Score(Tensor clips);

    /// <summary>Whether <see cref="CheckpointGradients"/> can be switched on.</summary>
    public virtual bool CanCheckpointGradients => false;

    /// <summary>
    /// Trains with less memory and more time: blocks keep only their inputs and are computed again in the backward pass
    /// (<see cref="GradientCheckpoint"/>). Gradients are the same to the last bit. Off at first.
    /// </summary>
    /// <exception cref="ConfigException">Switched on for a network that can't.</exception>
    public bool CheckpointGradients
    {
        get;
        set => field = !value || CanCheckpointGradients
            ? value
            : throw new ConfigException($"{Name}: gradient checkpointing: expected a network with blocks to compute again, such as timesformer or videoswin, found {Name}");
    }

    /// <summary>How the optimiser treats a parameter.</summary>
    /// <param name="parameterName">A name of <see cref="Module.NamedParameters"/>.</param>
    /// <returns>The rule; <see cref="ParameterRule.Default"/> where the network has no wish.</returns>
    public abstract ParameterRule RuleFor(string parameterName);

    /// <summary>
    /// Merges training-time branches into the single layers they are equal to, for export and deployment. The scores
    /// in evaluation mode stay the same up to rounding; the merged network can't be trained. Does nothing where there is nothing to merge.
    /// </summary>
    public virtual void Reparameterize()
    {
    }

    /// <summary>Parameters grouped by learning-rate factor and weight decay, ready for an optimiser.</summary>
    /// <param name="weightDecay">The run's weight decay, for parameters whose rule doesn't replace it.</param>
    /// <returns>Groups in the order in which their first parameter is registered.</returns>
    public IReadOnlyList<ParameterGroup> ParameterGroups(double weightDecay) =>
    [
        .. NamedParameters()
            .GroupBy(p => RuleFor(p.Name) is var rule ? (rule.LearningRateFactor, Decay: rule.WeightDecay ?? weightDecay) : default)
            .Select(g => new ParameterGroup([.. g], g.Key.LearningRateFactor, g.Key.Decay)),
    ];

    /// <summary>Computes one block, keeping only its input where <see cref="CheckpointGradients"/> is on.</summary>
    /// <param name="block">The block.</param>
    /// <param name="x">Its only input that gradients reach.</param>
    /// <param name="forward">Computes the block, perhaps twice; uses no tensor of a scope that ends before the backward pass.</param>
    /// <returns>The output, in the current scope.</returns>
    private protected Tensor RunBlock(Module block, Tensor x, Func<Tensor, Tensor> forward) =>
        CheckpointGradients ? GradientCheckpoint.Run(block, x, forward) : forward(x);

    /// <summary>Computes a chain of blocks as <see cref="RunBlock"/> does one.</summary>
    /// <param name="blocks">The chain.</param>
    /// <param name="x">The first block's input.</param>
    /// <returns>The last block's output, in the current scope.</returns>
    private protected Tensor RunBlocks(Sequential blocks, Tensor x)
    {
        // Only so are the observers of the chain told.
        if (!CheckpointGradients)
        {
            return blocks.Forward(x);
        }

        for (int i = 0; i < blocks.Count; i++)
        {
            x = blocks[i] is Sequential inner ? RunBlocks(inner, x) : RunBlock(blocks[i], x, blocks[i].Forward);
        }

        return x;
    }

    /// <summary>Fills in the defaults of a network.</summary>
    /// <param name="options">What the caller chose.</param>
    /// <param name="frames">The network's T.</param>
    /// <param name="size">The network's input size.</param>
    /// <param name="dropout">The network's dropout probability.</param>
    /// <param name="shift">What the network's temporal shifts move; null for a network without any.</param>
    /// <returns>Complete options.</returns>
    /// <exception cref="ConfigException">A shift convention is chosen for a network that has no shift.</exception>
    protected static ModelOptions Complete(ModelOptions options, int frames, int size, double dropout, ShiftConvention? shift = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (shift is null && options.Shift is not null)
        {
            throw new ConfigException($"model options: shift: expected none, because the network has no temporal shift to choose for; found '{options.Shift}'");
        }

        return options with
        {
            Frames = options.Frames ?? frames,
            Size = options.Size ?? size,
            Dropout = options.Dropout ?? dropout,
            Shift = options.Shift ?? shift,
        };
    }

    /// <summary>What a temporal shift in front of a layer moves.</summary>
    /// <param name="channels">C at that place.</param>
    /// <returns>The folds; empty where the options turn shifts off or leave nothing to move.</returns>
    private protected ShiftFold Fold(int channels) =>
        Options is { TemporalShift: true, Shift: { } shift } ? shift.Fold(channels, Frames) : default;

    /// <summary>Lays the frames of clips out as a batch of images.</summary>
    /// <param name="clips">[N, T, 3, H, W].</param>
    /// <returns>[N·T, 3, H, W], and T.</returns>
    protected static (Tensor Images, int Frames) Images(Tensor clips)
    {
        ArgumentNullException.ThrowIfNull(clips);
        ReadOnlySpan<long> shape = clips.Shape;
        return (clips.Reshape(-1, 3, shape[3], shape[4]), checked((int)shape[1]));
    }

    /// <summary>
    /// Sets every parameter to its initial value, each from its own random stream; does nothing where parameters have
    /// shapes only.
    /// </summary>
    /// <param name="initialize">Fills one parameter; gets its name, its value and its stream.</param>
    protected void Initialize(Action<string, Tensor, CounterRandom> initialize)
    {
        ArgumentNullException.ThrowIfNull(initialize);
        if (ShapesOnly.IsEnabled || s_blank)
        {
            return;
        }

        foreach ((string name, Tensor value) in NamedParameters())
        {
            initialize(name, value, new CounterRandom(Options.Seed, name));
        }
    }

    /// <summary>Builds a network whose initial values are never looked at.</summary>
    /// <param name="create">Builds it on the calling thread.</param>
    /// <returns>The network, its parameters as the layers leave them.</returns>
    internal static VideoNetwork Blank(Func<VideoNetwork> create)
    {
        s_blank = true;
        try
        {
            return create();
        }
        finally
        {
            s_blank = false;
        }
    }
}
