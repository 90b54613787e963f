namespace Kinora.Media;

/// <summary>
/// S points spread evenly from the first to the last frame, truncated to whole frames. Nothing is random, so training
/// takes the same frames. PP-TSN test, TimeSformer, PP-TimeSformer.
/// </summary>
public sealed class LinspaceSampler : FrameSampler
{
    internal LinspaceSampler(SamplingSpec spec)
        : base(spec)
    {
    }

    /// <summary>The points between two given positions instead of the whole video (a clip cut by time, say).</summary>
    /// <param name="frameCount">L: frames of the video, at least 1.</param>
    /// <param name="start">First point, in frames; may lie outside the video.</param>
    /// <param name="end">Last point, in frames; may lie outside the video.</param>
    /// <returns>S indices in [0, L): points outside the video become its first or last frame.</returns>
    public int[] EvaluationIndices(int frameCount, double start, double end)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frameCount, 1);
        var indices = new int[Spec.Segments];
        for (int k = 0; k < indices.Length; k++)
        {
            indices[k] = (int)Math.Clamp(Linspace.At(start, end, indices.Length, k), 0, frameCount - 1);
        }

        return indices;
    }

    private protected override int[] Evaluate(int frameCount, double framesPerSecond) => EvaluationIndices(frameCount, 0, frameCount - 1);

    private protected override int[] Train(int frameCount, double framesPerSecond, IDraws draws) => Evaluate(frameCount, framesPerSecond);

    private protected override LegacyIndices LegacyEvaluate(int frameCount, double framesPerSecond, LegacySource source) =>
        Request(Evaluate(frameCount, framesPerSecond), source);

    private protected override LegacyIndices LegacyTrain(int frameCount, double framesPerSecond, LegacySource source, IDraws draws) =>
        Request(Evaluate(frameCount, framesPerSecond), source);
}
