namespace Kinora.Media;

/// <summary>
/// Equal segments of floor(L/S) frames, K consecutive frames from each; the last L mod S frames are never seen.
/// PP-TSM, PP-TSMv2, MoViNet.
/// </summary>
/// <remarks>
/// Indices past the end wrap around, so a video shorter than S starts again from its beginning. PaddleVideo does so for
/// videos only; on frame folders it asks for files that don't exist.
/// </remarks>
public sealed class UniformSampler : FrameSampler
{
    internal UniformSampler(SamplingSpec spec)
        : base(spec)
    {
    }

    private protected override int[] Evaluate(int frameCount, double framesPerSecond) => WrapInside(Middles(frameCount), frameCount);

    private protected override int[] Train(int frameCount, double framesPerSecond, IDraws draws) => WrapInside(Drawn(frameCount, draws), frameCount);

    private protected override LegacyIndices LegacyEvaluate(int frameCount, double framesPerSecond, LegacySource source) =>
        Legacy(Middles(frameCount), frameCount, source);

    private protected override LegacyIndices LegacyTrain(int frameCount, double framesPerSecond, LegacySource source, IDraws draws) =>
        Legacy(Drawn(frameCount, draws), frameCount, source);

    private static LegacyIndices Legacy(int[] indices, int frameCount, LegacySource source) =>
        Request(source == LegacySource.Video ? WrapInside(indices, frameCount) : indices, source);

    private int[] Middles(int frameCount) => Consecutive(frameCount, static (_, average) => (average - 1) / 2, null);

    private int[] Drawn(int frameCount, IDraws draws) =>
        Consecutive(frameCount, (source, average) => source!.Integer(0, average - Spec.FramesPerSegment + 1), draws);

    private int[] Consecutive(int frameCount, Func<IDraws?, int, int> offset, IDraws? draws)
    {
        int segments = Spec.Segments, length = Spec.FramesPerSegment, average = frameCount / segments;
        var indices = new int[segments * length];
        for (int i = 0; i < segments; i++)
        {
            int start = average >= length ? (i * average) + offset(draws, average)
                : average >= 1 ? i * average
                : i;
            for (int k = 0; k < length; k++)
            {
                indices[(i * length) + k] = start + k;
            }
        }

        return indices;
    }
}
