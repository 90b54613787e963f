namespace Kinora.Media;

/// <summary>
/// Equal segments of L/S frames (a real number), one frame from each: the middle at evaluation, a random one of the
/// first floor(L/S) in training. TSM, TSN, PP-TSN.
/// </summary>
/// <remarks>
/// With L ≤ S PaddleVideo shows its first frame S times (and asks for it with floating-point zeros, which most of its
/// readers refuse); here the formula simply goes on, so that every frame is shown, in time order.
/// </remarks>
public sealed class SelectLeftSampler : FrameSampler
{
    internal SelectLeftSampler(SamplingSpec spec)
        : base(spec)
    {
    }

    private protected override int[] Evaluate(int frameCount, double framesPerSecond) => Middles(frameCount);

    private protected override int[] Train(int frameCount, double framesPerSecond, IDraws draws) =>
        frameCount < Spec.Segments ? Middles(frameCount) : Drawn(frameCount, draws);

    private protected override LegacyIndices LegacyEvaluate(int frameCount, double framesPerSecond, LegacySource source) =>
        frameCount > Spec.Segments ? Request(Middles(frameCount), source) : Zeros(source);

    private protected override LegacyIndices LegacyTrain(int frameCount, double framesPerSecond, LegacySource source, IDraws draws) =>
        frameCount < Spec.Segments ? Zeros(source) : Request(Drawn(frameCount, draws), source);

    private LegacyIndices Zeros(LegacySource source) => Request(new int[Spec.Segments], source, fractional: true);

    private int[] Middles(int frameCount)
    {
        double length = (double)frameCount / Spec.Segments;
        var indices = new int[Spec.Segments];
        for (int i = 0; i < indices.Length; i++)
        {
            indices[i] = (int)((length / 2) + (length * i));
        }

        return indices;
    }

    private int[] Drawn(int frameCount, IDraws draws)
    {
        int average = frameCount / Spec.Segments;
        var indices = new int[Spec.Segments];
        for (int i = 0; i < indices.Length; i++)
        {
            indices[i] = (i * average) + draws.Integer(0, average);
        }

        return indices;
    }
}
