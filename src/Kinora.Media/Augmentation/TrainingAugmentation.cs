namespace Kinora.Media;

/// <summary>
/// How training frames are varied, in this order: resize, multi-scale or random resized crop, random crop to the
/// network's input size, mirror, then colour, grey, RandAugment and erasing of the 8-bit pixels. Draws hold for a whole
/// clip. Without any crop the middle is cut out, as at evaluation. Normalisation, layout and input size come from the
/// <see cref="ClipSpec"/>.
/// </summary>
/// <remarks>Plain values throughout, so that it can be written as JSON or YAML. The presets are PaddleVideo's chains.</remarks>
public sealed record TrainingAugmentation
{
    /// <summary>Resize before the crops; rule None leaves the frames alone.</summary>
    public ResizeSpec Resize { get; init; } = new(ResizeRule.None, 0);

    /// <summary>Draws the short side of the resize; null takes <see cref="Resize"/>'s.</summary>
    public ShortSideJitterSpec? Jitter { get; init; }

    /// <summary>Crop of one of several sizes at one of several places, resized to a square; null does without.</summary>
    public MultiScaleCropSpec? MultiScaleCrop { get; init; }

    /// <summary>Crop of random area and shape, resized to the input size; null does without.</summary>
    public RandomResizedCropSpec? RandomResizedCrop { get; init; }

    /// <summary>Whether the input size is cut out at a random place.</summary>
    public bool RandomCrop { get; init; }

    /// <summary>Probability of mirroring left to right, 0 to 1. Set 0 where left and right are different labels.</summary>
    public double FlipProbability { get; init; } = 0.5;

    /// <summary>Changes of colour; null does without.</summary>
    public ColorJitterSpec? ColorJitter { get; init; }

    /// <summary>Probability of turning a clip grey, 0 to 1.</summary>
    public double GreyProbability { get; init; }

    /// <summary>Random operations; null does without.</summary>
    public RandAugmentSpec? RandAugment { get; init; }

    /// <summary>A box painted over; null does without.</summary>
    public RandomErasingSpec? RandomErasing { get; init; }

    /// <summary>TSN: short side 256 with the true aspect ratio, multi-scale crop of OpenCV.</summary>
    /// <param name="size">Input size, in pixels.</param>
    /// <returns>The augmentation.</returns>
    public static TrainingAugmentation Tsn(int size = 224) => new()
    {
        Resize = new(ResizeRule.KeepAspectRound, 256, ResizeEngine.OpenCv),
        MultiScaleCrop = new() { Size = size, AllowDuplicates = true, InnerPlaces = false, Engine = ResizeEngine.OpenCv },
    };

    /// <summary>PP-TSN: as TSN, with the inner places of the multi-scale crop too.</summary>
    /// <param name="size">Input size, in pixels.</param>
    /// <returns>The augmentation.</returns>
    public static TrainingAugmentation PpTsn(int size = 224) => new()
    {
        Resize = new(ResizeRule.KeepAspectRound, 256, ResizeEngine.OpenCv),
        MultiScaleCrop = new() { Size = size, AllowDuplicates = true, Engine = ResizeEngine.OpenCv },
    };

    /// <summary>TSM: multi-scale crop of the original frames.</summary>
    /// <param name="size">Input size, in pixels.</param>
    /// <returns>The augmentation.</returns>
    public static TrainingAugmentation Tsm(int size = 224) => new()
    {
        MultiScaleCrop = new() { Size = size, AllowDuplicates = true },
    };

    /// <summary>PP-TSM, PP-TSMv2 and (with 192) MoViNet: resize to 4:3, multi-scale crop of the short side, random crop.</summary>
    /// <param name="shortSide">Short side of the resize and side of the multi-scale crop, in pixels.</param>
    /// <returns>The augmentation.</returns>
    public static TrainingAugmentation PpTsm(int shortSide = 256) => new()
    {
        Resize = new(ResizeRule.FixedRatio, shortSide),
        MultiScaleCrop = new() { Size = shortSide },
        RandomCrop = true,
    };

    /// <summary>VideoSwin: short side 256, random resized crop, all with OpenCV.</summary>
    /// <returns>The augmentation.</returns>
    public static TrainingAugmentation VideoSwin() => new()
    {
        Resize = new(ResizeRule.KeepAspectRound, 256, ResizeEngine.OpenCv),
        RandomResizedCrop = new() { Engine = ResizeEngine.OpenCv },
    };

    /// <summary>SlowFast: short side between 256 and 320, random crop.</summary>
    /// <returns>The augmentation.</returns>
    public static TrainingAugmentation SlowFast() => new() { Jitter = new(), RandomCrop = true };

    /// <summary>TimeSformer and PP-TimeSformer: as SlowFast, but the resize works on normalised values.</summary>
    /// <returns>The augmentation.</returns>
    /// <remarks>
    /// PaddleVideo's random crop never reaches the last column and row there, and fails where there is no room; here it
    /// reaches them, and a crop without room stays where it is.
    /// </remarks>
    public static TrainingAugmentation TimeSformer() => new() { Jitter = new(Engine: ResizeEngine.Interpolate), RandomCrop = true };

    internal bool VariesPixels => ColorJitter is not null || GreyProbability > 0 || RandAugment is not null || RandomErasing is not null;

    // A jitter takes the place of the resize.
    internal ResizeEngine FirstEngine => Jitter?.Engine ?? (Resize.Rule == ResizeRule.None ? ResizeEngine.Pillow : Resize.Engine);

    internal bool ResizesNormalised => FirstEngine == ResizeEngine.Interpolate;

    /// <summary>Checks the ranges of all values.</summary>
    /// <param name="path">The file it comes from, for messages.</param>
    /// <exception cref="ConfigException">A value is out of range; the message names it.</exception>
    public void Validate(string? path = null)
    {
        Require(Resize.Rule == ResizeRule.None || Resize.ShortSide is > 0 and <= 8192, "resize.shortSide", "1 to 8192", Resize.ShortSide);
        Require(FlipProbability is >= 0 and <= 1, "flipProbability", "0 to 1", FlipProbability);
        Require(MultiScaleCrop is null || RandomResizedCrop is null, "randomResizedCrop", "not both it and multiScaleCrop", "both");
        Require(
            !ResizesNormalised || (MultiScaleCrop is null && RandomResizedCrop is null && !VariesPixels),
            Jitter is null ? "resize.engine" : "jitter.engine",
            "Pillow or OpenCv beside crops that resize and beside changes of colour, RandAugment and erasing, which all work on bytes",
            FirstEngine);
        if (Jitter is { } jitter)
        {
            Require(jitter.Min is > 0 and <= 8192 && jitter.Max >= jitter.Min && jitter.Max <= 8192, "jitter", "1 ≤ min ≤ max ≤ 8192", jitter);
        }

        ValidatePixels(Require);

        if (MultiScaleCrop is { } multi)
        {
            Require(multi.Size is > 0 and <= 8192, "multiScaleCrop.size", "1 to 8192", multi.Size);
            Require(multi.Scales.Count > 0 && multi.Scales.All(s => s is > 0 and <= 1), "multiScaleCrop.scales", "one or more numbers above 0 and at most 1", string.Join(", ", multi.Scales));
            Require(multi.MaxDistort >= 0, "multiScaleCrop.maxDistort", "0 or more", multi.MaxDistort);
        }

        if (RandomResizedCrop is { } random)
        {
            Require(random.MinArea > 0 && random.MaxArea >= random.MinArea && random.MaxArea <= 1, "randomResizedCrop.minArea", "0 < minArea ≤ maxArea ≤ 1", $"{random.MinArea}, {random.MaxArea}");
            Require(random.MinRatio > 0 && random.MaxRatio >= random.MinRatio, "randomResizedCrop.minRatio", "0 < minRatio ≤ maxRatio", $"{random.MinRatio}, {random.MaxRatio}");
        }

        void Require(bool holds, string key, string expected, object found)
        {
            if (!holds)
            {
                throw new ConfigException($"training augmentation: {key}: expected {expected}, found {found}", path);
            }
        }
    }

    private void ValidatePixels(Action<bool, string, string, object> require)
    {
        require(GreyProbability is >= 0 and <= 1, "greyProbability", "0 to 1", GreyProbability);
        if (ColorJitter is { } color)
        {
            require(color.Brightness is >= 0 and <= 10, "colorJitter.brightness", "0 to 10", color.Brightness);
            require(color.Contrast is >= 0 and <= 10, "colorJitter.contrast", "0 to 10", color.Contrast);
            require(color.Saturation is >= 0 and <= 10, "colorJitter.saturation", "0 to 10", color.Saturation);
            require(color.Hue is >= 0 and <= 0.5, "colorJitter.hue", "0 to 0.5", color.Hue);
            require(color.Gamma is >= 0 and <= 10, "colorJitter.gamma", "0 to 10", color.Gamma);
            require(color.Probability is >= 0 and <= 1, "colorJitter.probability", "0 to 1", color.Probability);
        }

        if (RandAugment is { } random)
        {
            require(random.Operations is >= 0 and <= 100, "randAugment.operations", "0 to 100", random.Operations);
            require(random.Magnitude is >= 0 and <= 10, "randAugment.magnitude", "0 to 10", random.Magnitude);
            require(random.MagnitudeNoise is >= 0 and <= 10, "randAugment.magnitudeNoise", "0 to 10", random.MagnitudeNoise);
        }

        if (RandomErasing is { } erasing)
        {
            require(erasing.Probability is >= 0 and <= 1, "randomErasing.probability", "0 to 1", erasing.Probability);
            require(erasing.MinArea > 0 && erasing.MaxArea >= erasing.MinArea && erasing.MaxArea <= 1, "randomErasing.minArea", "0 < minArea ≤ maxArea ≤ 1", $"{erasing.MinArea}, {erasing.MaxArea}");
            require(erasing.MinRatio is > 0 and <= 1, "randomErasing.minRatio", "above 0, at most 1", erasing.MinRatio);
        }
    }
}

/// <summary>A short side drawn evenly from a range and rounded; the long side follows, rounded down.</summary>
/// <param name="Min">Smallest short side, in pixels.</param>
/// <param name="Max">Largest short side, in pixels.</param>
/// <param name="Engine">Whose filter; <see cref="ResizeEngine.Interpolate"/> resizes after the normalisation.</param>
public sealed record ShortSideJitterSpec(int Min = 256, int Max = 320, ResizeEngine Engine = ResizeEngine.Pillow);

/// <summary>
/// Crops whose sides are drawn from shares of the short side, at one of five or thirteen places (or anywhere), resized
/// to a square.
/// </summary>
/// <remarks>Source: temporal segment networks, arXiv:1608.00859, section 3.4; PaddleVideo's op MultiScaleCrop.</remarks>
public sealed record MultiScaleCropSpec
{
    /// <summary>Side of the resized square, in pixels.</summary>
    public int Size { get; init; } = 224;

    /// <summary>Shares of the frame's short side.</summary>
    public IReadOnlyList<double> Scales { get; init; } = [1, 0.875, 0.75, 0.66];

    /// <summary>How far apart the positions of width and height in <see cref="Scales"/> may be.</summary>
    public int MaxDistort { get; init; } = 1;

    /// <summary>Whether the place is one of a few; otherwise any.</summary>
    public bool FixedPlaces { get; init; } = true;

    /// <summary>Whether places that coincide stay in the list, and so are drawn more often.</summary>
    public bool AllowDuplicates { get; init; }

    /// <summary>Whether eight places between corners and centre are in the list.</summary>
    public bool InnerPlaces { get; init; } = true;

    /// <summary>Whose filter resizes the crop.</summary>
    public ResizeEngine Engine { get; init; } = ResizeEngine.Pillow;

    /// <inheritdoc/>
    public bool Equals(MultiScaleCropSpec? other) => other is not null
        && (Size, MaxDistort, FixedPlaces, AllowDuplicates, InnerPlaces, Engine)
            == (other.Size, other.MaxDistort, other.FixedPlaces, other.AllowDuplicates, other.InnerPlaces, other.Engine)
        && Scales.SequenceEqual(other.Scales);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Size, Scales.Count, MaxDistort, FixedPlaces, AllowDuplicates, InnerPlaces, Engine);
}

/// <summary>A crop of random area and aspect ratio, resized to the input size.</summary>
/// <remarks>
/// Source: Szegedy et al., arXiv:1409.4842, section 6; PaddleVideo's op RandomResizedCrop. Its resize passes over a crop
/// whose short side already has the input size, whatever the long side, and then can't stack the batch; here every crop
/// becomes square.
/// </remarks>
public sealed record RandomResizedCropSpec
{
    /// <summary>Smallest share of the frame's area.</summary>
    public double MinArea { get; init; } = 0.08;

    /// <summary>Largest share of the frame's area.</summary>
    public double MaxArea { get; init; } = 1;

    /// <summary>Smallest ratio of width to height.</summary>
    public double MinRatio { get; init; } = 3.0 / 4;

    /// <summary>Largest ratio of width to height.</summary>
    public double MaxRatio { get; init; } = 4.0 / 3;

    /// <summary>Whose filter resizes the crop.</summary>
    public ResizeEngine Engine { get; init; } = ResizeEngine.Pillow;
}
