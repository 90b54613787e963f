namespace Kinora.Media;

/// <summary>
/// S clips of K frames, every f-th frame: spread over the video at evaluation, randomly shifted in training. VideoSwin.
/// </summary>
/// <remarks>
/// Frames past the end wrap around. Where the training offsets leave exactly no room, PaddleVideo computes them as
/// floating-point numbers, which its reader refuses; here they are whole numbers.
/// </remarks>
public sealed class FrameIntervalSampler : FrameSampler
{
    internal FrameIntervalSampler(SamplingSpec spec)
        : base(spec)
    {
    }

    /// <inheritdoc/>
    public override int EvaluationClips => Spec.Segments;

    private int Span => Spec.FramesPerSegment * Spec.Interval;

    private protected override int[] Evaluate(int frameCount, double framesPerSecond)
    {
        var offsets = new int[Spec.Segments];
        if (frameCount >= Span)
        {
            double room = (double)(frameCount - Span + 1) / Spec.Segments;
            for (int i = 0; i < offsets.Length; i++)
            {
                offsets[i] = (int)((i * room) + (room / 2));
            }
        }

        return Frames(offsets, frameCount);
    }

    private protected override int[] Train(int frameCount, double framesPerSecond, IDraws draws) =>
        Frames(TrainingOffsets(frameCount, draws, out _), frameCount);

    private protected override LegacyIndices LegacyEvaluate(int frameCount, double framesPerSecond, LegacySource source) =>
        Request(Evaluate(frameCount, framesPerSecond), source);

    private protected override LegacyIndices LegacyTrain(int frameCount, double framesPerSecond, LegacySource source, IDraws draws) =>
        Request(Frames(TrainingOffsets(frameCount, draws, out bool fractional), frameCount), source, fractional);

    private int[] TrainingOffsets(int frameCount, IDraws draws, out bool fractional)
    {
        int segments = Spec.Segments, starts = frameCount - Span + 1;
        int average = (int)Math.Floor((double)starts / segments);
        fractional = false;
        var offsets = new int[segments];
        if (average > 0)
        {
            for (int i = 0; i < segments; i++)
            {
                offsets[i] = (i * average) + draws.Integer(0, average);
            }
        }
        else if (frameCount > Math.Max(segments, Span))
        {
            for (int i = 0; i < segments; i++)
            {
                offsets[i] = draws.Integer(0, starts);
            }

            Array.Sort(offsets);
        }
        else if (average == 0)
        {
            fractional = true;
            double ratio = (double)starts / segments;
            for (int i = 0; i < segments; i++)
            {
                offsets[i] = (int)Math.Round(i * ratio, MidpointRounding.ToEven);
            }
        }

        return offsets;
    }

    private int[] Frames(int[] offsets, int frameCount)
    {
        int length = Spec.FramesPerSegment;
        var indices = new int[offsets.Length * length];
        for (int i = 0; i < indices.Length; i++)
        {
            indices[i] = (offsets[i / length] + (i % length * Spec.Interval)) % frameCount;
        }

        return indices;
    }
}
