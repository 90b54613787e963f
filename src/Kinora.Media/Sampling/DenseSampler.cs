namespace Kinora.Media;

/// <summary>
/// S frames with stride 64/S inside a window of 64 frames: one random window in training, ten evenly spread windows at
/// evaluation. PP-TSM dense.
/// </summary>
/// <remarks>
/// PaddleVideo adds 1 to every index, also on videos, where that is the next frame (and, for the last one, past the
/// end), and its random start never is the last possible one.
/// </remarks>
public sealed class DenseSampler : FrameSampler
{
    private const int Window = 64;
    private const int Windows = 10;

    internal DenseSampler(SamplingSpec spec)
        : base(spec)
    {
    }

    /// <inheritdoc/>
    public override int EvaluationClips => Windows;

    private protected override int[] Evaluate(int frameCount, double framesPerSecond)
    {
        int[] starts = Linspace.Truncated(0, Starts(frameCount) - 1, Windows);
        var indices = new int[Windows * Spec.Segments];
        for (int w = 0; w < Windows; w++)
        {
            Fill(indices.AsSpan(w * Spec.Segments, Spec.Segments), starts[w], frameCount);
        }

        return indices;
    }

    private protected override int[] Train(int frameCount, double framesPerSecond, IDraws draws)
    {
        int starts = Starts(frameCount);
        return One(starts == 1 ? 0 : draws.Integer(0, starts), frameCount);
    }

    private protected override LegacyIndices LegacyEvaluate(int frameCount, double framesPerSecond, LegacySource source) =>
        PlusOne(Evaluate(frameCount, framesPerSecond), source);

    private protected override LegacyIndices LegacyTrain(int frameCount, double framesPerSecond, LegacySource source, IDraws draws)
    {
        int starts = Starts(frameCount);
        return PlusOne(One(starts == 1 ? 0 : draws.Integer(0, starts - 1), frameCount), source);
    }

    private static LegacyIndices PlusOne(int[] indices, LegacySource source) =>
        new(Array.ConvertAll(indices, i => i + 1), source);

    private static int Starts(int frameCount) => Math.Max(1, 1 + frameCount - Window);

    private int[] One(int start, int frameCount)
    {
        var indices = new int[Spec.Segments];
        Fill(indices, start, frameCount);
        return indices;
    }

    private void Fill(Span<int> clip, int start, int frameCount)
    {
        int stride = Window / Spec.Segments;
        for (int i = 0; i < clip.Length; i++)
        {
            clip[i] = ((i * stride) + start) % frameCount;
        }
    }
}
