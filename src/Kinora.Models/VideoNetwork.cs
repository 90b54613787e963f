using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>A network that maps clips to class scores.</summary>
/// <remarks>
/// Not thread-safe, as its tensors aren't. Every parameter is initialised from a stream keyed by (seed, parameter
/// name), so equal options give equal weights whatever the order of construction.
/// </remarks>
public abstract class VideoNetwork : Module
{
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

    /// <summary>Scores clips.</summary>
    /// <param name="clips">
    /// Normalised pixels, [N, T, C=3, H, W]. Several views of a video are N's business: fold them into N and average the scores.
    /// </param>
    /// <returns>Logits, [N, classes].</returns>
    /// <exception cref="ShapeException">Not five dimensions, not three channels, or a T this network can't take.</exception>
    public abstract Tensor Forward(Tensor clips);

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

    /// <summary>Fills in the defaults of a network.</summary>
    /// <param name="options">What the caller chose.</param>
    /// <param name="frames">The network's T.</param>
    /// <param name="size">The network's input size.</param>
    /// <param name="dropout">The network's dropout probability.</param>
    /// <returns>Complete options.</returns>
    protected static ModelOptions Complete(ModelOptions options, int frames, int size, double dropout)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options with { Frames = options.Frames ?? frames, Size = options.Size ?? size, Dropout = options.Dropout ?? dropout };
    }

    /// <summary>Checks a batch of clips and lays its frames out as a batch of images.</summary>
    /// <param name="clips">[N, T, 3, H, W].</param>
    /// <param name="frames">The T this network is built for, or null if any will do.</param>
    /// <returns>[N·T, 3, H, W], and T.</returns>
    protected (Tensor Images, int Frames) Images(Tensor clips, int? frames = null)
    {
        ArgumentNullException.ThrowIfNull(clips);
        ReadOnlySpan<long> shape = clips.Shape;
        if (shape.Length != 5 || shape[1] < 1 || shape[2] != 3 || (frames is { } t && shape[1] != t))
        {
            string expected = frames is null ? "T" : $"{frames}";
            throw new ShapeException($"{Name}: expected clips [N, {expected}, 3, H, W], found [{string.Join(", ", shape.ToArray())}]");
        }

        int found = checked((int)shape[1]);
        return (clips.Reshape(-1, 3, shape[3], shape[4]), found);
    }

    /// <summary>Sets every parameter to its initial value, each from its own random stream.</summary>
    /// <param name="initialize">Fills one parameter; gets its name, its value and its stream.</param>
    protected void Initialize(Action<string, Tensor, CounterRandom> initialize)
    {
        ArgumentNullException.ThrowIfNull(initialize);
        foreach ((string name, Tensor value) in NamedParameters())
        {
            initialize(name, value, new CounterRandom(Options.Seed, name));
        }
    }
}
