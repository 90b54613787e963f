namespace Kinora.Training;

/// <summary>The parts of a <see cref="ClipSpec"/> that differ from the network's own.</summary>
public sealed record InputConfig
{
    /// <summary>Which frames. Null: the network's own rule.</summary>
    public SamplingSpec? Sampling { get; init; }

    /// <summary>Resize before the crop. Null: the network's own.</summary>
    public ResizeSpec? Resize { get; init; }

    /// <summary>Crop, which also gives the input size. Null: the network's own.</summary>
    public CropSpec? Crop { get; init; }

    /// <summary>Pixel statistics. Null: the network's own.</summary>
    public Normalization? Normalization { get; init; }

    /// <summary>YUV matrix. Null: the stream's.</summary>
    public ColorMatrix? Color { get; init; }

    /// <summary>Frames, or the differences of neighbouring ones. Null: frames.</summary>
    public ClipInput? Show { get; init; }

    /// <summary>Puts the parts that are given into a specification.</summary>
    /// <param name="own">What the rest is taken from.</param>
    /// <returns>The specification, with the layout of <paramref name="own"/>.</returns>
    public ClipSpec ApplyTo(ClipSpec own)
    {
        ArgumentNullException.ThrowIfNull(own);
        return own with
        {
            Sampling = Sampling ?? own.Sampling,
            Resize = Resize ?? own.Resize,
            Crop = Crop ?? own.Crop,
            Normalization = Normalization ?? own.Normalization,
            Color = Color ?? own.Color,
            Input = Show ?? own.Input,
        };
    }

    internal void Validate(ConfigCheck check)
    {
        check.Require(Sampling is null or { Segments: > 0, FramesPerSegment: > 0, Interval: > 0 }, "sampling", "positive numbers", Sampling);
        check.Require(Resize is null || Resize.Rule == ResizeRule.None || Resize.ShortSide is > 0 and <= 8192, "resize.shortSide", "1 to 8192", Resize?.ShortSide);
        check.Require(Crop is null or { Size: > 0 and <= 8192 }, "crop.size", "1 to 8192", Crop?.Size);
    }
}
