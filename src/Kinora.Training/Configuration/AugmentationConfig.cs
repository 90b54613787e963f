using Kinora.Data;
using Kinora.Media;

namespace Kinora.Training;

/// <summary>What happens to class names such as "turn left" when a clip is mirrored.</summary>
public enum FlipLabels
{
    /// <summary>
    /// Names that differ only by left/right are found; mirroring such a clip swaps its label, and clips of a class
    /// that names a side but has no partner are never mirrored.
    /// </summary>
    Auto,

    /// <summary>Mirrored clips keep their label whatever the class is called.</summary>
    Keep,

    /// <summary>Clips of classes that name a side are never mirrored.</summary>
    Never,
}

/// <summary>Random variation of training clips.</summary>
public sealed record AugmentationConfig
{
    /// <summary>Sides of the random crop as shares of the short side of the frame.</summary>
    public IReadOnlyList<double> Scales { get; init; } = [1, 0.875, 0.75, 0.66];

    /// <summary>Probability that a clip is mirrored.</summary>
    public double FlipProbability { get; init; } = 0.5;

    /// <summary>What mirroring does to labels that name a side.</summary>
    public FlipLabels FlipLabels { get; init; } = FlipLabels.Auto;

    /// <summary>The whole chain, in place of <see cref="Scales"/>. Its own probability of mirroring counts then. Null: resize as at evaluation, then a crop of those scales.</summary>
    public TrainingAugmentation? Chain { get; init; }

    /// <summary>Which frames of a training clip are taken, each with its draws. Null: by the rule of the input.</summary>
    public SamplingSpec? Sampling { get; init; }

    /// <summary>How often each clip of a batch is shown, each time varied anew: decoding once serves so many.</summary>
    public int Repeats { get; init; } = 1;

    /// <summary>How the clips of a batch are mixed with each other.</summary>
    public BatchMix Mix { get; init; } = new();

    internal void Validate(ConfigCheck check)
    {
        check.Require(Scales.Count > 0 && Scales.All(s => s is > 0 and <= 1), "scales", "values above 0, at most 1", string.Join(", ", Scales));
        check.Require(FlipProbability is >= 0 and <= 1, "flipProbability", "0 to 1", FlipProbability);
        Chain?.Validate();
        check.Require(Repeats is > 0 and <= 64, "repeats", "1 to 64", Repeats);
        Mix.Validate();
    }
}
