using System.Diagnostics;
using Kinora.Onnx;

namespace Kinora.Bench.Classify;

/// <summary>
/// Clips a second from files to labels, with 1 thread (the baseline) and with several in turn, so that a neighbour's
/// load meets both alike. The logits of all thread counts must agree.
/// </summary>
internal static class ClassifyBench
{
    public static int Run(BenchArguments arguments)
    {
        string model = BenchModels.Find(arguments.Text("model", "pptsmv2"), arguments.Number("frames", 16));
        int threads = arguments.Number("threads", 2), rounds = arguments.Number("rounds", 5), repeat = arguments.Number("repeat", 3);
        string[] clips = arguments.Files.Count > 0 ? Expand(arguments.Files) : BenchVideos.Kinetics(4);
        string[] work = [.. Enumerable.Repeat(clips, repeat).SelectMany(c => c)];

        using VideoClassifier one = VideoClassifier.Load(model, new ClassifierOptions { Threads = 1 });
        using VideoClassifier several = VideoClassifier.Load(model, new ClassifierOptions { Threads = threads });
        Console.WriteLine($"model {model}: {one.Model.Spec.Frames} frames of {one.Model.Spec.Size}², {one.Pipeline.Views} views; {clips.Length} clips, {work.Length} a round, {rounds} rounds");
        (float[][] expected, _) = Measure(one, clips);
        (float[][] actual, _) = Measure(several, clips);
        double difference = expected.Zip(actual).Max(p => p.First.Zip(p.Second).Max(v => Math.Abs(v.First - v.Second))) / expected.Max(l => l.Max(Math.Abs));

        List<Round> single = [], multiple = [];
        for (int i = 0; i < rounds; i++)
        {
            single.Add(Measure(one, work).Round);
            multiple.Add(Measure(several, work).Round);
        }

        Console.WriteLine("threads | clips/s best | median | decode | pixels | network ms | cores | bytes a clip");
        Print(1, single);
        Print(threads, multiple);
        double[] ratios = [.. single.Zip(multiple).Select(p => p.Second.ClipsPerSecond / p.First.ClipsPerSecond).Order()];
        Console.WriteLine($"ratio in one round: median {ratios[ratios.Length / 2]:0.00}, from {ratios[0]:0.00} to {ratios[^1]:0.00}; of the best: {multiple.Max(r => r.ClipsPerSecond) / single.Max(r => r.ClipsPerSecond):0.00}");
        Console.WriteLine($"largest difference of logits between thread counts, relative: {difference:0.0e+0}");

        PrintLatency(one, clips);
        PrintLatency(several, clips);
        return difference < 1e-4 ? 0 : 1;
    }

    private static (float[][] Logits, Round Round) Measure(VideoClassifier classifier, string[] clips)
    {
        var logits = new float[clips.Length][];
        double decode = 0, pixels = 0, network = 0;
        using var process = Process.GetCurrentProcess();
        TimeSpan before = process.TotalProcessorTime;
        long bytes = GC.GetTotalAllocatedBytes(), start = Stopwatch.GetTimestamp();
        int done = 0;
        foreach (ClipOutcome outcome in classifier.ClassifyMany(clips))
        {
            ClassificationResult result = outcome.Result ?? throw outcome.Failure!;
            logits[done++] = result.Logits.ToArray();
            decode += result.Timings.DecodeMilliseconds;
            pixels += result.Timings.PixelsMilliseconds;
            network += result.Timings.NetworkMilliseconds;
        }

        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        process.Refresh();
        return (logits, new Round(
            done / seconds, decode / done, pixels / done, network / done, (process.TotalProcessorTime - before).TotalSeconds / seconds, (GC.GetTotalAllocatedBytes() - bytes) / done));
    }

    private static void Print(int threads, List<Round> rounds)
    {
        Round[] sorted = [.. rounds.OrderByDescending(r => r.ClipsPerSecond)];
        Round best = sorted[0];
        Console.WriteLine($"{threads,7} | {best.ClipsPerSecond,12:0.00} | {sorted[sorted.Length / 2].ClipsPerSecond,6:0.00} | {best.Decode,6:0.0} | {best.Pixels,6:0.0} | {best.Network,10:0.0} | {best.Cores,5:0.00} | {best.Bytes}");
    }

    // One clip at a time: what somebody who waits for one answer sees.
    private static void PrintLatency(VideoClassifier classifier, string[] clips)
    {
        ClassificationTimings[] timings = [.. Enumerable.Repeat(clips, 3).SelectMany(c => c).Select(c => classifier.Classify(c).Timings).OrderBy(t => t.TotalMilliseconds)];
        ClassificationTimings best = timings[0];
        Console.WriteLine($"one clip at a time: best {best.TotalMilliseconds:0.0} ms = decode {best.DecodeMilliseconds:0.0} + pixels {best.PixelsMilliseconds:0.0} + network {best.NetworkMilliseconds:0.0}; median {timings[timings.Length / 2].TotalMilliseconds:0.0} ms");
    }

    private static string[] Expand(List<string> paths) => [.. paths.SelectMany(p => Directory.Exists(p)
        ? Directory.EnumerateFiles(p, "*.*", SearchOption.AllDirectories).Where(f => Path.GetExtension(f) is ".mp4" or ".avi" or ".mkv" or ".mov").Order(StringComparer.Ordinal)
        : (IEnumerable<string>)[p])];

    private sealed record Round(double ClipsPerSecond, double Decode, double Pixels, double Network, double Cores, long Bytes);
}
