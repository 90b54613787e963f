namespace Kinora.Media;

/// <summary>
/// Random changes of colour, the same for all frames of a clip, in the order brightness, contrast, saturation, hue, gamma.
/// A width of 0 leaves its change out.
/// </summary>
/// <remarks>
/// Brightness, contrast and saturation are drawn from [1 − width, 1 + width], not below 0; gamma likewise, not below
/// 0.01; hue from [−width, width] of the circle. PaddleVideo's ops of these names, of which only gamma works there.
/// </remarks>
public sealed record ColorJitterSpec
{
    /// <summary>Width for the factor of all values.</summary>
    public double Brightness { get; init; }

    /// <summary>Width for the factor of the distance from the clip's mean grey.</summary>
    public double Contrast { get; init; }

    /// <summary>Width for the factor of the distance from each pixel's grey.</summary>
    public double Saturation { get; init; }

    /// <summary>Width for the turn of the hue, in circles; at most 0.5.</summary>
    public double Hue { get; init; }

    /// <summary>Width for the exponent of all values.</summary>
    public double Gamma { get; init; }

    /// <summary>Probability that a clip is changed at all, 0 to 1.</summary>
    public double Probability { get; init; } = 1;
}

/// <summary>
/// Some operations, drawn from fourteen with replacement, of one strength: nothing, autocontrast, equalize, rotate,
/// solarize, colour, posterize, contrast, brightness, sharpness, shear and translate (both in x and y).
/// </summary>
/// <remarks>
/// Cubuk et al., arXiv:1909.13719. Operations and strengths hold for all frames of a clip, and what an operation measures
/// (mean grey, extremes, histogram) is measured over the whole clip, so that nothing flickers. At strength 10: 30 degrees,
/// a shear of 0.3, a shift of 0.45 sides, a factor of 1 ± 0.9, 4 bits, everything inverted.
/// </remarks>
public sealed record RandAugmentSpec
{
    /// <summary>N: operations applied one after the other.</summary>
    public int Operations { get; init; } = 2;

    /// <summary>M: strength, 0 to 10.</summary>
    public double Magnitude { get; init; } = 9;

    /// <summary>Standard deviation of a normal number that is added to each operation's strength.</summary>
    public double MagnitudeNoise { get; init; }
}

/// <summary>What an erased box is filled with.</summary>
public enum EraseFill
{
    /// <summary>The mean colour of the normalisation, rounded to bytes.</summary>
    Mean,

    /// <summary>Random bytes, the same in every frame.</summary>
    Random,
}

/// <summary>A box of random area and shape is painted over, the same in all frames.</summary>
/// <remarks>Zhong et al., arXiv:1708.04896.</remarks>
public sealed record RandomErasingSpec
{
    /// <summary>Probability that a clip gets a box, 0 to 1.</summary>
    public double Probability { get; init; } = 0.5;

    /// <summary>Smallest share of the area.</summary>
    public double MinArea { get; init; } = 0.02;

    /// <summary>Largest share of the area.</summary>
    public double MaxArea { get; init; } = 0.4;

    /// <summary>Smallest ratio of width to height; the largest is its inverse.</summary>
    public double MinRatio { get; init; } = 0.3;

    /// <summary>What the box is filled with.</summary>
    public EraseFill Fill { get; init; }
}
