namespace Kinora.Media;

/// <summary>
/// S clips of a fixed duration, K·f frames at a nominal rate, whatever the video's own rate; of each clip K points, spread
/// evenly and truncated to whole frames. Evaluation spreads the clips from the start of the video on (a single one is its
/// beginning); training takes one at a random place. SlowFast (K = 32, f = 2), TimeSformer (K = 8, f = 32).
/// </summary>
/// <remarks>
/// The last clip never reaches the end of the video. Points past the end become its last frame; PaddleVideo's SlowFast
/// takes the one after that, which doesn't exist, and so can't read a video shorter than a clip. A video of unknown rate
/// counts as one of the nominal rate.
/// </remarks>
public sealed class TimedSampler : FrameSampler
{
    internal TimedSampler(SamplingSpec spec)
        : base(spec)
    {
    }

    /// <inheritdoc/>
    public override int EvaluationClips => Spec.Segments;

    private protected override int[] Evaluate(int frameCount, double framesPerSecond) =>
        Spread(frameCount, framesPerSecond, frameCount - 1);

    private protected override int[] Train(int frameCount, double framesPerSecond, IDraws draws) =>
        Drawn(frameCount, framesPerSecond, frameCount - 1, draws);

    private protected override LegacyIndices LegacyEvaluate(int frameCount, double framesPerSecond, LegacySource source) =>
        Request(Spread(frameCount, framesPerSecond, frameCount), source);

    private protected override LegacyIndices LegacyTrain(int frameCount, double framesPerSecond, LegacySource source, IDraws draws) =>
        Request(Drawn(frameCount, framesPerSecond, frameCount, draws), source);

    /// <summary>
    /// What PaddleVideo's TimeSformer takes through PyAV where the header gives duration and frame count: it keeps the
    /// frames whose timestamps lie in the drawn clip, cut to whole timestamps, and one more, and spreads the points over
    /// those. Its first frame may be one later than here.
    /// </summary>
    /// <param name="frameCount">L: frames of the video, at least 1.</param>
    /// <param name="framesPerSecond">The video's frame rate; 0 where it isn't known.</param>
    /// <param name="timestampStep">Distance of neighbouring frames, in units of the stream's time base.</param>
    /// <param name="draws">Decides the start.</param>
    /// <returns>First kept frame, number of kept frames, and indices relative to the first.</returns>
    internal (int First, int Kept, int[] Indices) PyAvTraining(int frameCount, double framesPerSecond, double timestampStep, IDraws draws)
    {
        double length = ClipFrames(framesPerSecond), start = draws.Real(0, Math.Max(frameCount - length, 0));
        int first = (int)Math.Ceiling(Math.Truncate(start * timestampStep) / timestampStep);
        int last = (int)Math.Floor(Math.Truncate((start + length - 1) * timestampStep) / timestampStep);
        int kept = Math.Min(frameCount, last + 2) - first;
        var indices = new int[Spec.FramesPerSegment];
        Fill(indices, 0, length, kept - 1);
        return (first, kept, indices);
    }

    private int[] Spread(int frameCount, double framesPerSecond, int last)
    {
        double length = ClipFrames(framesPerSecond), room = Math.Max(frameCount - length, 0);
        var indices = new int[Spec.Segments * Spec.FramesPerSegment];
        for (int clip = 0; clip < Spec.Segments; clip++)
        {
            Fill(indices.AsSpan(clip * Spec.FramesPerSegment, Spec.FramesPerSegment), room * clip / Spec.Segments, length, last);
        }

        return indices;
    }

    private int[] Drawn(int frameCount, double framesPerSecond, int last, IDraws draws)
    {
        double length = ClipFrames(framesPerSecond);
        var indices = new int[Spec.FramesPerSegment];
        Fill(indices, draws.Real(0, Math.Max(frameCount - length, 0)), length, last);
        return indices;
    }

    // The duration of a clip in frames of this video; a real number.
    private double ClipFrames(double framesPerSecond) =>
        Spec.FramesPerSegment * Spec.Interval * (framesPerSecond > 0 ? framesPerSecond : Spec.Rate) / Spec.Rate;

    private static void Fill(Span<int> indices, double start, double length, int last)
    {
        for (int k = 0; k < indices.Length; k++)
        {
            indices[k] = (int)Math.Clamp(Linspace.At(start, start + length - 1, indices.Length, k), 0, last);
        }
    }
}
