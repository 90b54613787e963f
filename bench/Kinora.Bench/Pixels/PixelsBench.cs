using System.Diagnostics;
using Kinora.Media;

namespace Kinora.Bench.Pixels;

/// <summary>
/// From decoded frames to the network's input on one core: resize, centre crop and normalise, with Pillow's and with
/// OpenCV's filter, and the augmentation of PP-TSM's training. Each against its scalar twin, which must give the same
/// bits.
/// </summary>
internal static class PixelsBench
{
    private const double GoalMilliseconds = 8;

    public static int Run(BenchArguments arguments)
    {
        int frames = arguments.Number("frames", 16), width = arguments.Number("width", 1280), height = arguments.Number("height", 720);
        int rounds = arguments.Number("rounds", 60);
        using DecodedClip clip = DecodedClip.FromVideo(Frames(width, height, frames), width, height, [.. Enumerable.Range(0, frames)]);
        Console.WriteLine($"{frames} frames {width}x{height} to 224, one thread, vectors of {Resize.BestWidth}, best of {rounds} rounds");
        bool agree = true;
        foreach (ResizeEngine engine in new[] { ResizeEngine.Pillow, ResizeEngine.OpenCv })
        {
            ClipSpec spec = Spec(frames, engine);
            agree &= Compare($"{engine} centre crop", rounds, spec, GoalMilliseconds, vectors =>
            {
                var pipeline = new ClipPipeline(spec, vectors);
                return destination => pipeline.Transform(clip, destination);
            });
        }

        ClipSpec training = Spec(frames, ResizeEngine.Pillow);
        agree &= Compare("Pillow PP-TSM training", rounds, training, null, vectors =>
        {
            var transform = new TrainingTransform(TrainingAugmentation.PpTsm(), training, vectors);
            return destination => transform.Transform(clip, new CounterRandom(1, 0, 0, "bench"), destination);
        });
        return agree ? 0 : 1;
    }

    private static bool Compare(string name, int rounds, ClipSpec spec, double? goal, Func<VectorWidth, Action<float[]>> create)
    {
        int length = spec.Frames * 3 * spec.Size * spec.Size;
        float[] expected = new float[length], found = new float[length];
        Action<float[]> scalar = create(VectorWidth.None), vector = create(Resize.BestWidth);
        (double slow, _) = Best(Math.Max(3, rounds / 10), () => scalar(expected));
        (double fast, long allocated) = Best(rounds, () => vector(found));
        int differing = 0;
        for (int i = 0; i < length; i++)
        {
            differing += BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(found[i]) ? 1 : 0;
        }

        Console.WriteLine(
            $"{name,-24} {fast,7:F2} ms{(goal is { } limit ? $" (goal {limit:F0})" : string.Empty)}   scalar {slow,7:F2} ms, {slow / fast:F1}x   {allocated} bytes allocated   {differing} values differ");
        return differing == 0;
    }

    private static (double Milliseconds, long AllocatedBytes) Best(int rounds, Action action)
    {
        double best = double.MaxValue;
        long allocated = 0;
        for (int i = 0; i <= rounds; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread(), start = Stopwatch.GetTimestamp();
            action();
            double elapsed = Stopwatch.GetElapsedTime(start).TotalMilliseconds;

            // The first round compiles.
            if (i > 0)
            {
                best = Math.Min(best, elapsed);
                allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            }
        }

        return (best, allocated);
    }

    private static ClipSpec Spec(int frames, ResizeEngine engine) => new(
        new(SamplingMethod.Uniform, frames), new(ResizeRule.FixedRatio, 256, engine), new(CropMethod.Center, 224), Normalization.ImageNet);

    private static byte[] Frames(int width, int height, int count)
    {
        byte[] bytes = new byte[width * height * 3 * count];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)((i * 7) + (i >> 9) + ((i >> 3) * (i >> 17)));
        }

        return bytes;
    }
}
