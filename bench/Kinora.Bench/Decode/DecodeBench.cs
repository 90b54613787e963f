using System.Diagnostics;
using System.Globalization;
using Kinora.Bench.Classify;
using Kinora.Media;

namespace Kinora.Bench.Decode;

/// <summary>
/// Frames spread over a clip: opening and decoding by index against the ffmpeg command that selects the same frames.
/// One thread each; then two clips side by side against ffmpeg with two decoder threads, one clip after the other.
/// </summary>
internal static class DecodeBench
{
    public static int Run(BenchArguments arguments)
    {
        int frames = arguments.Number("frames", 16), rounds = arguments.Number("rounds", 9);
        string ffmpeg = arguments.Text("ffmpeg", "ffmpeg");
        string[] clips = arguments.Files.Count > 0 ? [.. arguments.Files] : BenchVideos.Kinetics(2);
        string[] pair = [clips[0], clips[clips.Length > 1 ? 1 : 0]];
        Console.WriteLine($"{frames} frames spread over each clip; {VideoReader.LibraryVersions}; {rounds} rounds, in turn");
        bool agree = true;
        foreach (string clip in clips)
        {
            agree &= Compare(clip, frames, rounds, ffmpeg);
        }

        int[][] indices = [.. pair.Select(clip => Indices(clip, frames))];
        List<double> kinora = [], command = [];
        for (int round = 0; round <= rounds; round++)
        {
            double together = Time(() => Parallel.For(0, 2, new ParallelOptions { MaxDegreeOfParallelism = 2 }, i => Decode(pair[i], indices[i])));
            double inTurn = Time(() =>
            {
                Select(ffmpeg, 2, pair[0], indices[0]);
                Select(ffmpeg, 2, pair[1], indices[1]);
            });
            Note(round, together / 2, inTurn / 2, kinora, command);
        }

        Print("2 threads, a clip", kinora, command);
        return agree ? 0 : 1;
    }

    private static bool Compare(string clip, int frames, int rounds, string ffmpeg)
    {
        using (VideoReader reader = VideoReader.Open(clip))
        {
            Console.WriteLine($"{clip}: {reader.FrameCount} frames {reader.Width}x{reader.Height}, {reader.IsKeyframe.Count(true)} keyframes, {reader.Codec}");
        }

        int[] indices = Indices(clip, frames);
        List<double> kinora = [], command = [];
        long allocated = 0;
        for (int round = 0; round <= rounds; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            double own = Time(() => Decode(clip, indices));
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Note(round, own, Time(() => Select(ffmpeg, 1, clip, indices)), kinora, command);
        }

        bool agree = Decode(clip, indices).AsSpan().SequenceEqual(Select(ffmpeg, 1, clip, indices));
        Print("1 thread", kinora, command);
        Console.WriteLine($"  {allocated / 1024} KB allocated, frames included; pixels {(agree ? "agree" : "DIFFER")}");
        return agree;
    }

    private static int[] Indices(string clip, int frames)
    {
        using VideoReader reader = VideoReader.Open(clip);
        return [.. Enumerable.Range(0, frames).Select(i => (int)(((2L * i) + 1) * reader.FrameCount / (2 * frames)))];
    }

    private static byte[] Decode(string clip, int[] indices)
    {
        using VideoReader reader = VideoReader.Open(clip, new VideoReaderOptions { ApplyRotation = false });
        var pixels = new byte[indices.Length * reader.Width * reader.Height * 3];
        reader.ReadFrames(indices, pixels);
        return pixels;
    }

    private static byte[] Select(string ffmpeg, int threads, string clip, int[] indices)
    {
        string condition = string.Join('+', indices.Select(i => $"eq(n\\,{i})"));
        var start = new ProcessStartInfo(ffmpeg) { RedirectStandardOutput = true };
        foreach (string argument in (string[])["-v", "error", "-nostdin", "-noautorotate", "-threads", threads.ToString(CultureInfo.InvariantCulture),
            "-i", clip, "-an", "-vf", $"select={condition}", "-vsync", "passthrough", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"])
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            using Process process = Process.Start(start)!;
            using var output = new MemoryStream(1 << 22);
            process.StandardOutput.BaseStream.CopyTo(output);
            process.WaitForExit();
            return output.ToArray();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new NativeException($"running {ffmpeg}: {e.Message}; install Debian's package ffmpeg", ffmpeg, e);
        }
    }

    private static double Time(Action action)
    {
        long begin = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
    }

    // The first round warms the disk cache and the compiler.
    private static void Note(int round, double own, double other, List<double> kinora, List<double> command)
    {
        if (round > 0)
        {
            kinora.Add(own);
            command.Add(other);
        }
    }

    private static void Print(string name, List<double> kinora, List<double> command)
    {
        double[] ratios = [.. kinora.Zip(command, (a, b) => a / b).Order()];
        kinora.Sort();
        command.Sort();
        int middle = kinora.Count / 2;
        Console.WriteLine($"  {name,-18} Kinora best {kinora[0],7:0.0} ms, median {kinora[middle],7:0.0}; ffmpeg best {command[0],7:0.0} ms, median {command[middle],7:0.0}; "
            + $"ratio of bests {kinora[0] / command[0]:0.00}, median ratio {ratios[middle]:0.00} (goal 0.50)");
    }
}
