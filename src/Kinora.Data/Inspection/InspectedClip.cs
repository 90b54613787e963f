using System.Buffers;
using Kinora.Media;

namespace Kinora.Data;

/// <summary>What reading one clip showed.</summary>
/// <param name="Part">Number of its part.</param>
/// <param name="Sample">The clip.</param>
internal sealed record InspectedClip(int Part, VideoSample Sample)
{
    // Announced and real durations may differ by rounding, an audio track, or a last frame's length.
    private const double DurationSlackSeconds = 0.5, DurationSlackShare = 0.05;
    private const double SlowestUsual = 7.5, FastestUsual = 61;

    /// <summary>Frames; 0 where the clip can't be opened.</summary>
    public int Frames { get; private init; }

    public int Width { get; private init; }

    public int Height { get; private init; }

    /// <summary>Average rate; 0 if unknown.</summary>
    public double FramesPerSecond { get; private init; }

    /// <summary>Null where frames are missing.</summary>
    public ClipSignature? Signature { get; private init; }

    /// <summary>What is wrong with the clip by itself.</summary>
    public IReadOnlyList<(ProblemKind Kind, ProblemLevel Level, string Message)> Problems { get; private init; } = [];

    /// <summary>Whether all of the clip can be read.</summary>
    public bool IsWhole => Signature is not null;

    /// <summary>Reads a clip.</summary>
    /// <param name="part">Number of its part.</param>
    /// <param name="sample">The clip.</param>
    /// <param name="options">What to look at.</param>
    /// <param name="ct">Stops between frames.</param>
    public static InspectedClip Read(int part, VideoSample sample, DoctorOptions options, CancellationToken ct)
    {
        var clip = new InspectedClip(part, sample);
        if (!Path.Exists(sample.Path) && !ClipPack.Holds(sample.Path))
        {
            return clip with { Problems = [(ProblemKind.Missing, ProblemLevel.Error, "expected a video or folder of frames, found nothing")] };
        }

        IFrameSource source;
        try
        {
            // Whichever colours a pack has, its clips are as they should be.
            ColorMatrix color = !Path.Exists(sample.Path) && ClipPack.TryFind(sample.Path, out ClipPack pack, out _) ? pack.Header.Color : default;
            source = sample.Open(color, ct);
        }
        catch (Exception e) when (e is MediaException or IOException or UnauthorizedAccessException)
        {
            return clip with { Problems = [(ProblemKind.Unreadable, ProblemLevel.Error, Plain(e, sample))] };
        }

        using (source)
        {
            var problems = new List<(ProblemKind, ProblemLevel, string)>();
            CheckLength(sample, source, problems);
            CheckShape(source, options, problems);
            ClipSignature? signature = Decode(sample, source, options, problems, ct);
            return clip with
            {
                Frames = source.FrameCount,
                Width = source.Width,
                Height = source.Height,
                FramesPerSecond = source.FramesPerSecond,
                Signature = signature,
                Problems = problems,
            };
        }
    }

    private static ClipSignature? Decode(VideoSample sample, IFrameSource source, DoctorOptions options, List<(ProblemKind, ProblemLevel, string)> problems, CancellationToken ct)
    {
        int[] wanted = options.Quick ? ClipSignature.FewFrames(source.FrameCount) : [.. Enumerable.Range(0, source.FrameCount)];
        var signature = new ClipSignature.Builder(source.Width, source.Height, wanted.Length);
        byte[] rented = ArrayPool<byte>.Shared.Rent(source.Width * source.Height * 3);
        try
        {
            Span<byte> frame = rented.AsSpan(0, source.Width * source.Height * 3);
            using FrameSequence frames = source.Frames(wanted, ct);
            while (frames.Next(frame, out _))
            {
                ct.ThrowIfCancellationRequested();
                signature.Add(frame);
            }

            return signature.Finish();
        }
        catch (MediaException e)
        {
            problems.Add((ProblemKind.Damaged, ProblemLevel.Error, $"expected {source.FrameCount} frames, found one that can't be decoded: {Plain(e, sample)}"));
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static void CheckLength(VideoSample sample, IFrameSource source, List<(ProblemKind, ProblemLevel, string)> problems)
    {
        int real = Directory.Exists(sample.Path) ? FrameFolder.CountFrames(sample.Path) ?? 0 : source.FrameCount;
        if (sample.FrameCount is { } stated && stated != real)
        {
            // Frames beyond the end are asked for and fail; frames beyond the stated number are just never seen.
            problems.Add((ProblemKind.Length, stated > real ? ProblemLevel.Error : ProblemLevel.Warning, $"expected {stated} frames as stated, found {real}"));
        }

        if (source is not VideoReader { HasTimestamps: true } video || video.Duration <= TimeSpan.Zero || video.FrameCount < 2)
        {
            return;
        }

        ReadOnlySpan<double> times = video.TimestampsSeconds;
        double span = (times[^1] - times[0]) * video.FrameCount / (video.FrameCount - 1), announced = video.Duration.TotalSeconds;
        if (Math.Abs(announced - span) > Math.Max(DurationSlackSeconds, DurationSlackShare * announced))
        {
            problems.Add((ProblemKind.Length, ProblemLevel.Warning, FormattableString.Invariant($"expected {announced:0.0} s as the file announces, found frames for {span:0.0} s")));
        }
    }

    private static void CheckShape(IFrameSource source, DoctorOptions options, List<(ProblemKind, ProblemLevel, string)> problems)
    {
        if (source.FrameCount < options.Frames)
        {
            problems.Add((ProblemKind.Short, ProblemLevel.Warning, $"expected {options.Frames} frames or more, found {source.FrameCount}: some are shown to the network twice"));
        }

        if (source.Height > source.Width)
        {
            problems.Add((ProblemKind.Portrait, ProblemLevel.Note, $"{source.Width}x{source.Height}: a square crop sees {100 * source.Width / source.Height} % of it"));
        }

        if (source.FramesPerSecond is > 0 and (< SlowestUsual or > FastestUsual))
        {
            problems.Add((ProblemKind.FrameRate, ProblemLevel.Note, FormattableString.Invariant($"{source.FramesPerSecond:0.##} frames per second")));
        }

        if (source is VideoReader { HasTimestamps: true, FrameCount: > 3 } video && Jitter(video.TimestampsSeconds) is { } jitter)
        {
            problems.Add((ProblemKind.FrameRate, ProblemLevel.Note, FormattableString.Invariant($"a changing frame rate: frames are {jitter.Shortest * 1000:0} to {jitter.Longest * 1000:0} ms apart")));
        }
    }

    // Null where nearly all frames are equally far apart; containers round times to a millisecond and more.
    private static (double Shortest, double Longest)? Jitter(ReadOnlySpan<double> times)
    {
        double[] gaps = new double[times.Length - 1];
        for (int i = 0; i < gaps.Length; i++)
        {
            gaps[i] = times[i + 1] - times[i];
        }

        Array.Sort(gaps);
        double median = gaps[gaps.Length / 2], low = gaps[gaps.Length / 50], high = gaps[^(1 + (gaps.Length / 50))];
        return high > 1.5 * median || low < 0.6 * median ? (low, high) : null;
    }

    // The path stands beside the message already.
    private static string Plain(Exception e, VideoSample sample) => e.Message.Replace($" [{sample.Path}]", "", StringComparison.Ordinal).ReplaceLineEndings(" ");
}
