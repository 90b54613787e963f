using System.Buffers;
using System.Numerics;

namespace Kinora.Data;

/// <summary>Mixes the clips of a training batch with each other, in place.</summary>
/// <remarks>
/// Immutable and thread-safe. The result is a function of batch and stream alone, the same bits on every processor.
/// PaddleVideo ed245e9, ops Mixup, Cutmix and VideoMix.
/// </remarks>
public sealed class BatchMixer
{
    // Numbers of each clip that are worked on at a time, so that those of all clips stay in the cache.
    private const int Chunk = 2048;

    /// <summary>Prepares the mixing.</summary>
    /// <param name="mix">What is done.</param>
    /// <param name="layout">Axis order of the batches.</param>
    /// <exception cref="ConfigException">A value is out of range.</exception>
    public BatchMixer(BatchMix mix, ClipLayout layout)
    {
        ArgumentNullException.ThrowIfNull(mix);
        mix.Validate();
        (Mixing, Layout) = (mix, layout);
    }

    /// <summary>What is done.</summary>
    public BatchMix Mixing { get; }

    /// <summary>Axis order of the batches.</summary>
    public ClipLayout Layout { get; }

    /// <summary>
    /// Mixes a batch and notes the second labels and shares in it. Every clip keeps its share λ of the loss; 1 − λ
    /// belongs to the clip that was mixed in.
    /// </summary>
    /// <param name="batch">The batch; its pixels change.</param>
    /// <param name="random">The stream that decides; its draws are used up.</param>
    /// <exception cref="InvalidOperationException">The batch is mixed already.</exception>
    public void Mix(ClipBatch batch, CounterRandom random)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(random);
        if (batch.Lambda is not null)
        {
            throw new InvalidOperationException("mix batch: expected one that isn't mixed yet");
        }

        if (Mixing.Kind == MixKind.None || batch.Count == 0)
        {
            return;
        }

        int[] viewShape = [.. batch.Shape.Skip(1).Select(d => checked((int)d))];
        (int[] partners, float lambda) = Mix(batch.Pixels.Span, batch.Count, batch.Views, viewShape, new CounterMixDraws(random));
        batch.NoteMix(partners, lambda);
    }

    /// <summary>Mixes clips that lie in memory one after the other.</summary>
    /// <param name="pixels">[count, views, …viewShape].</param>
    /// <param name="count">Clips.</param>
    /// <param name="views">Views of each clip.</param>
    /// <param name="viewShape">Four axes.</param>
    /// <param name="draws">Decides.</param>
    /// <returns>The clip that was mixed into each, and the share that all kept.</returns>
    internal (int[] Partners, float Lambda) Mix(Span<float> pixels, int count, int views, ReadOnlySpan<int> viewShape, IMixDraws draws)
    {
        bool cut = Mixing.Kind == MixKind.CutMix || (Mixing.Kind == MixKind.VideoMix && draws.Unit() < Mixing.CutMixProbability);
        int[] partners = draws.Permutation(count);
        double lambda = draws.Beta(cut ? Mixing.CutMixAlpha : Mixing.MixupAlpha);
        int length = pixels.Length / count;
        float[] scratch = ArrayPool<float>.Shared.Rent(count * Chunk);
        try
        {
            if (!cut)
            {
                if (lambda < 1)
                {
                    Blend(pixels, length, partners, (float)lambda, (float)(1 - lambda), scratch);
                }

                return (partners, (float)lambda);
            }

            Box box = Mixing.Legacy ? LegacyBox(viewShape, lambda, draws) : DrawBox(viewShape, lambda, draws);
            Exchange(pixels, length, views, viewShape, box, partners, scratch);
            double share = Mixing.Legacy
                ? (double)box.B.Length * box.C.Length / ((long)viewShape[2] * viewShape[3])
                : (double)box.Volume / ((long)viewShape[0] * viewShape[1] * viewShape[2] * viewShape[3]);
            return (partners, (float)(1 - share));
        }
        finally
        {
            ArrayPool<float>.Shared.Return(scratch);
        }
    }

    // λ·x + (1 − λ)·other, each product and the sum rounded to 32 bits.
    private static void Blend(Span<float> pixels, int length, int[] partners, float own, float others, float[] scratch)
    {
        for (int start = 0; start < length; start += Chunk)
        {
            int part = Math.Min(Chunk, length - start);
            Gather(pixels, length, start, part, partners.Length, scratch);
            for (int i = 0; i < partners.Length; i++)
            {
                BlendRow(pixels.Slice((i * length) + start, part), scratch.AsSpan(partners[i] * Chunk, part), own, others);
            }
        }
    }

    private static void BlendRow(Span<float> target, ReadOnlySpan<float> other, float own, float others)
    {
        int i = 0;
        for (; i <= target.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> mine = new Vector<float>(target[i..]) * own, theirs = new Vector<float>(other[i..]) * others;
            (mine + theirs).CopyTo(target[i..]);
        }

        for (; i < target.Length; i++)
        {
            float mine = target[i] * own, theirs = other[i] * others;
            target[i] = mine + theirs;
        }
    }

    private static void Exchange(Span<float> pixels, int length, int views, ReadOnlySpan<int> shape, Box box, int[] partners, float[] scratch)
    {
        (int b, int c, int d) = (shape[1], shape[2], shape[3]);
        for (int view = 0; view < views; view++)
        {
            for (int first = box.A.Start; first < box.A.Stop; first++)
            {
                for (int second = box.B.Start; second < box.B.Stop; second++)
                {
                    int plane = ((((view * shape[0]) + first) * b) + second) * c * d;

                    // Whole rows that follow each other are one piece.
                    bool whole = box.D.Length == d;
                    int pieces = whole ? Math.Min(1, box.C.Length) : box.C.Length, size = whole ? box.C.Length * d : box.D.Length;
                    for (int piece = 0; piece < pieces; piece++)
                    {
                        Exchange(pixels, length, plane + ((box.C.Start + piece) * d) + box.D.Start, size, partners, scratch);
                    }
                }
            }
        }
    }

    private static void Exchange(Span<float> pixels, int length, int start, int size, int[] partners, float[] scratch)
    {
        for (int done = 0; done < size; done += Chunk)
        {
            int part = Math.Min(Chunk, size - done);
            Gather(pixels, length, start + done, part, partners.Length, scratch);
            for (int i = 0; i < partners.Length; i++)
            {
                scratch.AsSpan(partners[i] * Chunk, part).CopyTo(pixels[((i * length) + start + done)..]);
            }
        }
    }

    private static void Gather(ReadOnlySpan<float> pixels, int length, int start, int part, int count, float[] scratch)
    {
        for (int i = 0; i < count; i++)
        {
            pixels.Slice((i * length) + start, part).CopyTo(scratch.AsSpan(i * Chunk, part));
        }
    }

    // A centre anywhere; what lies outside is cut off, and λ is the share of what remains.
    private Box DrawBox(ReadOnlySpan<int> shape, double lambda, IMixDraws draws)
    {
        (int time, int row) = Layout switch
        {
            ClipLayout.Ntchw => (0, 2),
            ClipLayout.Ncthw => (1, 2),
            _ => (0, 1),
        };
        double share = 1 - lambda;
        double side = Mixing.Region switch
        {
            MixRegion.Spatial => Math.Sqrt(share),
            MixRegion.Temporal => share,
            _ => Math.Cbrt(share),
        };
        Span<AxisRange> ranges = [new(0, shape[0]), new(0, shape[1]), new(0, shape[2]), new(0, shape[3])];
        if (Mixing.Region != MixRegion.Spatial)
        {
            ranges[time] = Draw(shape[time]);
        }

        if (Mixing.Region != MixRegion.Temporal)
        {
            ranges[row] = Draw(shape[row]);
            ranges[row + 1] = Draw(shape[row + 1]);
        }

        return new(ranges[0], ranges[1], ranges[2], ranges[3]);

        AxisRange Draw(int size)
        {
            int part = (int)Math.Round(size * side, MidpointRounding.AwayFromZero), start = draws.Integer(size) - (part / 2);
            return new(Math.Clamp(start, 0, size), Math.Clamp(start + part, 0, size));
        }
    }

    private static Box LegacyBox(ReadOnlySpan<int> shape, double lambda, IMixDraws draws)
    {
        double side = Math.Sqrt(1 - lambda);
        int halfB = (int)(shape[1] * side) / 2, halfC = (int)(shape[2] * side) / 2;
        int centreB = draws.Integer(shape[1]), centreC = draws.Integer(shape[2]);
        return new(new(0, shape[0]), Around(centreB, halfB, shape[1]), Around(centreC, halfC, shape[2]), new(0, shape[3]));

        static AxisRange Around(int centre, int half, int size) => new(Math.Clamp(centre - half, 0, size), Math.Clamp(centre + half, 0, size));
    }

    /// <summary>A half-open range of one axis.</summary>
    private readonly record struct AxisRange(int Start, int Stop)
    {
        public int Length => Stop - Start;
    }

    /// <summary>A part of a view, one range an axis.</summary>
    private readonly record struct Box(AxisRange A, AxisRange B, AxisRange C, AxisRange D)
    {
        public long Volume => (long)A.Length * B.Length * C.Length * D.Length;
    }
}
