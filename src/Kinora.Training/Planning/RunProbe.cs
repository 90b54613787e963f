using Kinora.Data;
using Kinora.Media;
using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>What a run will cost, measured on real clips and on a copy of its network that is thrown away.</summary>
/// <param name="Step">One optimiser step.</param>
/// <param name="Sparse">Decoding the frames of one clip, on one thread.</param>
/// <param name="Whole">Decoding a whole video, on one thread; zero if nothing is to be cached.</param>
/// <param name="CacheBytesPerClip">Bytes of one video's frames after the resize.</param>
internal sealed record RunProbe(TimeSpan Step, TimeSpan Sparse, TimeSpan Whole, long CacheBytesPerClip)
{
    private const int Rounds = 2;
    private const int Clips = 3;
    private const int CountedClips = 32;
    private const int Frames = 48;
    private const long FrameBytes = 64L << 20;

    // Arithmetic with fewer bits has to be worth it.
    private const double WorthwhileGain = 1.05;

    private static readonly TimeSpan LongestCounting = TimeSpan.FromSeconds(1);

    // Of slow networks one round tells enough.
    private static readonly TimeSpan LongStep = TimeSpan.FromSeconds(2);

    /// <summary>The arithmetic of <see cref="Step"/>: the faster one where there was a choice.</summary>
    public required Precision Precision { get; init; }

    /// <summary>Frames of some of the training clips whose source doesn't state them.</summary>
    public IReadOnlyList<int> FrameCounts { get; init; } = [];

    /// <summary>A step in the arithmetic that was not chosen; null where there was no choice.</summary>
    public TimeSpan? OtherStep { get; init; }

    /// <summary>Measures.</summary>
    /// <param name="config">The run, filled in.</param>
    /// <param name="network">A copy of its network, in training mode; it is changed, and stays the caller's.</param>
    /// <param name="spec">The network's input.</param>
    /// <param name="clips">The training clips.</param>
    /// <param name="precisions">Arithmetics to choose from; the first wins unless another is clearly faster.</param>
    /// <param name="clock">Measures time.</param>
    /// <param name="ct">Ends the measurement.</param>
    public static RunProbe Measure(
        TrainingConfig config, VideoNetwork network, ClipSpec spec, VideoDataset clips, IReadOnlyList<Precision> precisions, TimeProvider clock, CancellationToken ct)
    {
        (TimeSpan sparse, TimeSpan whole, long bytes) = MeasureDecoding(clips, spec, config.Data.Cache, clock, ct);
        TimeSpan[] steps = MeasureSteps(config, network, spec, precisions, clock, ct);
        int chosen = Choose(steps);

        return new RunProbe(steps[chosen], sparse, whole, bytes)
        {
            Precision = precisions[chosen],
            FrameCounts = CountFrames(clips, clock, ct),
            OtherStep = steps.Length > 1 ? steps[1 - chosen] : null,
        };
    }

    /// <summary>Which of several arithmetics to take.</summary>
    /// <param name="steps">Time of a step in each; the first is the one with the most bits.</param>
    /// <returns>Index of the fastest, though fewer bits must gain a twentieth.</returns>
    internal static int Choose(IReadOnlyList<TimeSpan> steps)
    {
        int chosen = 0;
        for (int i = 1; i < steps.Count; i++)
        {
            chosen = steps[i] * WorthwhileGain < steps[chosen] ? i : chosen;
        }

        return chosen;
    }

    // By turns, so that whatever else the machine does slows all of them.
    private static TimeSpan[] MeasureSteps(
        TrainingConfig config, VideoNetwork network, ClipSpec spec, IReadOnlyList<Precision> precisions, TimeProvider clock, CancellationToken ct)
    {
        ParameterPlan parameters = ParameterPlan.For(network, Learner.Rules(config));
        parameters.Apply();
        using Optimizer optimizer = Learner.CreateOptimizer(config.Optimizer, parameters.Groups);
        int batch = config.Loop.BatchSize!.Value;
        long[] shape = [batch, spec.Frames, 3, spec.Size, spec.Size];
        var pixels = new float[shape.Aggregate(1L, (a, b) => a * b)];
        var random = new CounterRandom(config.Seed, "probe");
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (float)random.NextDouble(-1, 1);
        }

        TimeSpan[] best = [.. precisions.Select(_ => TimeSpan.MaxValue)];
        for (int round = 0; round <= Rounds && (round < 2 || best.Max() < LongStep); round++)
        {
            for (int i = 0; i < best.Length; i++)
            {
                ct.ThrowIfCancellationRequested();
                TimeSpan time = Step(precisions[i], round);
                best[i] = round > 0 && time < best[i] ? time : best[i]; // the first one sets things up
            }
        }

        return best;

        TimeSpan Step(Precision precision, int round)
        {
            long start = clock.GetTimestamp();
            using var scope = new TensorScope();
            network.SetRandomKey(config.Seed, 0, round);
            Tensor loss;
            using (Learner.Cast(precision))
            {
                Tensor clips = Tensor.From<float>(pixels, shape).To(precision == Precision.Fp64 ? DType.Float64 : DType.Float32);
                loss = F.CrossEntropy(network.Forward(clips).To(clips.DType), Tensor.From<long>(new long[batch], [batch]));
            }

            loss.Backward();
            optimizer.ClipGradientNorm(1);
            optimizer.Step(1e-6);
            optimizer.ZeroGrad();
            return clock.GetElapsedTime(start);
        }
    }

    // Lengths are cheap to find out, but not for nothing.
    private static List<int> CountFrames(VideoDataset dataset, TimeProvider clock, CancellationToken ct)
    {
        var counts = new List<int>();
        long start = clock.GetTimestamp();
        int clips = Math.Min(CountedClips, dataset.Samples.Count);
        for (int i = 0; i < clips && clock.GetElapsedTime(start) < LongestCounting; i++)
        {
            VideoSample sample = dataset.Samples[(int)((((2L * i) + 1) * dataset.Samples.Count) / (2L * clips))];
            if (sample is not { FrameCount: null, StartSeconds: null, EndSeconds: null })
            {
                continue;
            }

            try
            {
                using IFrameSource source = sample.Open(cancellationToken: ct);
                counts.Add(source.FrameCount);
            }
            catch (MediaException)
            {
                // Training will say so, with the file's name.
            }
        }

        return counts;
    }

    // With a cache, whole videos are decoded once; without, a few frames of each in every epoch.
    private static (TimeSpan Sparse, TimeSpan Whole, long CacheBytes) MeasureDecoding(VideoDataset dataset, ClipSpec spec, CacheMode cache, TimeProvider clock, CancellationToken ct)
    {
        var pipeline = new ClipPipeline(spec);
        TimeSpan sparse = TimeSpan.Zero, whole = TimeSpan.Zero;
        long bytes = 0;
        int read = 0;
        for (int i = 0; i < Clips; i++)
        {
            VideoSample sample = dataset.Samples[(int)((((2L * i) + 1) * dataset.Samples.Count) / (2 * Clips))];
            try
            {
                long start = clock.GetTimestamp();
                using (IFrameSource source = sample.Open(spec.Color, ct))
                using (DecodedClip clip = pipeline.Decode(source, ct))
                {
                    sparse += clock.GetElapsedTime(start);
                    var scaler = new FrameScaler(spec.Resize, source.Width, source.Height);
                    bytes += (long)source.FrameCount * scaler.Width * scaler.Height * 3;
                    if (cache != CacheMode.Off)
                    {
                        start = clock.GetTimestamp();
                        long frameBytes = (long)source.Width * source.Height * 3;
                        int[] some = [.. Enumerable.Range(0, Math.Min(source.FrameCount, (int)Math.Clamp(FrameBytes / frameBytes, 1, Frames)))];
                        var frames = new byte[some.Length * frameBytes];
                        source.ReadFrames(some, frames, ct);
                        whole += clock.GetElapsedTime(start) * ((double)source.FrameCount / some.Length);
                    }
                }

                read++;
            }
            catch (MediaException)
            {
                // Training will say so, with the file's name.
            }
        }

        read = Math.Max(1, read);
        return (sparse / read, whole / read, bytes / read);
    }
}
