namespace Kinora.Media;

/// <summary>
/// Chooses the frames of a clip. The two ordinary members return indices from 0 that always lie inside the video, however
/// short it is; the two legacy members return what PaddleVideo asks for in the same place.
/// </summary>
/// <remarks>Immutable and thread-safe. Source: PaddleVideo ed245e9, data/pipeline Sampler.</remarks>
public abstract class FrameSampler
{
    private protected FrameSampler(SamplingSpec spec) => Spec = spec;

    /// <summary>The rule this sampler follows.</summary>
    public SamplingSpec Spec { get; }

    /// <summary>Clips that evaluation takes from one video, each of <see cref="FramesPerClip"/> frames.</summary>
    public virtual int EvaluationClips => 1;

    /// <summary>T: frames of one clip.</summary>
    public int FramesPerClip => Spec.FramesPerClip;

    /// <summary>Creates the sampler of a specification.</summary>
    /// <param name="spec">Rule and counts.</param>
    /// <returns>A sampler; it may be shared between threads.</returns>
    /// <exception cref="ConfigException">A count is below 1, or the method is unknown.</exception>
    public static FrameSampler Create(SamplingSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        if (spec.Segments < 1 || spec.FramesPerSegment < 1 || spec.Interval < 1 || spec.Rate < 1)
        {
            throw new ConfigException(
                "sampling: expected segments, framesPerSegment, interval and rate of at least 1, "
                + $"found {spec.Segments}, {spec.FramesPerSegment}, {spec.Interval}, {spec.Rate}");
        }

        return spec.Method switch
        {
            SamplingMethod.Uniform => new UniformSampler(spec),
            SamplingMethod.SelectLeft => new SelectLeftSampler(spec),
            SamplingMethod.Dense => new DenseSampler(spec),
            SamplingMethod.Linspace => new LinspaceSampler(spec),
            SamplingMethod.FrameInterval => new FrameIntervalSampler(spec),
            SamplingMethod.Timed => new TimedSampler(spec),
            _ => throw new ConfigException($"sampling.method: expected one of {string.Join(", ", Enum.GetNames<SamplingMethod>())}, found {spec.Method}"),
        };
    }

    /// <summary>The frames that evaluation looks at.</summary>
    /// <param name="frameCount">L: frames of the video, at least 1.</param>
    /// <param name="framesPerSecond">The video's frame rate; 0 where it isn't known. Only <see cref="SamplingMethod.Timed"/> looks at it.</param>
    /// <returns>EvaluationClips · FramesPerClip indices in [0, L), clip after clip, each clip in time order.</returns>
    public int[] EvaluationIndices(int frameCount, double framesPerSecond = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frameCount, 1);
        return Evaluate(frameCount, framesPerSecond);
    }

    /// <summary>Randomly chosen frames for one training step.</summary>
    /// <param name="frameCount">L: frames of the video, at least 1.</param>
    /// <param name="random">The stream that decides.</param>
    /// <param name="framesPerSecond">The video's frame rate; 0 where it isn't known. Only <see cref="SamplingMethod.Timed"/> looks at it.</param>
    /// <returns>Indices in [0, L): one clip, except that FrameInterval returns all its clips.</returns>
    public int[] TrainingIndices(int frameCount, CounterRandom random, double framesPerSecond = 0)
    {
        ArgumentNullException.ThrowIfNull(random);
        return TrainingIndices(frameCount, new CounterDraws(random), framesPerSecond);
    }

    /// <summary>What PaddleVideo asks for in valid and test mode.</summary>
    /// <param name="frameCount">L: frames of the video, at least 1.</param>
    /// <param name="source">Video or frame folder.</param>
    /// <param name="framesPerSecond">The video's frame rate; 0 where it isn't known. Only <see cref="SamplingMethod.Timed"/> looks at it.</param>
    /// <returns>Its request, which needn't be readable.</returns>
    public LegacyIndices LegacyEvaluationIndices(int frameCount, LegacySource source, double framesPerSecond = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frameCount, 1);
        return LegacyEvaluate(frameCount, framesPerSecond, source);
    }

    /// <summary>What PaddleVideo asks for in training.</summary>
    /// <param name="frameCount">L: frames of the video, at least 1.</param>
    /// <param name="source">Video or frame folder.</param>
    /// <param name="random">The stream that decides.</param>
    /// <param name="framesPerSecond">The video's frame rate; 0 where it isn't known. Only <see cref="SamplingMethod.Timed"/> looks at it.</param>
    /// <returns>Its request, which needn't be readable.</returns>
    public LegacyIndices LegacyTrainingIndices(int frameCount, LegacySource source, CounterRandom random, double framesPerSecond = 0)
    {
        ArgumentNullException.ThrowIfNull(random);
        return LegacyTrainingIndices(frameCount, source, new CounterDraws(random), framesPerSecond);
    }

    internal int[] TrainingIndices(int frameCount, IDraws draws, double framesPerSecond = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frameCount, 1);
        return Train(frameCount, framesPerSecond, draws);
    }

    internal LegacyIndices LegacyTrainingIndices(int frameCount, LegacySource source, IDraws draws, double framesPerSecond = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frameCount, 1);
        return LegacyTrain(frameCount, framesPerSecond, source, draws);
    }

    private protected abstract int[] Evaluate(int frameCount, double framesPerSecond);

    private protected abstract int[] Train(int frameCount, double framesPerSecond, IDraws draws);

    private protected abstract LegacyIndices LegacyEvaluate(int frameCount, double framesPerSecond, LegacySource source);

    private protected abstract LegacyIndices LegacyTrain(int frameCount, double framesPerSecond, LegacySource source, IDraws draws);

    // Zero-based indices in PaddleVideo's numbering of the source.
    private protected static LegacyIndices Request(int[] zeroBased, LegacySource source, bool fractional = false) =>
        new(source == LegacySource.Frames ? Array.ConvertAll(zeroBased, i => i + 1) : zeroBased, source, fractional);

    private protected static int[] WrapInside(int[] indices, int frameCount)
    {
        for (int i = 0; i < indices.Length; i++)
        {
            indices[i] %= frameCount;
        }

        return indices;
    }
}
