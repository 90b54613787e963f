using System.Buffers;
using System.Globalization;
using Kinora.Media;

namespace Kinora.Data;

/// <summary>How <see cref="FrameExtractor"/> writes frames.</summary>
public sealed record FrameExtractorOptions
{
    /// <summary>JPEG quality, 1 to 100. OpenCV's, hence PaddleVideo's, is 95.</summary>
    public int Quality { get; init; } = 95;

    /// <summary>Short side to which larger frames are resized, in pixels, with their aspect kept; 0: not resized.</summary>
    public int ShortSide { get; init; }

    /// <summary>Whose filter resizes.</summary>
    public ResizeEngine Engine { get; init; } = ResizeEngine.OpenCv;

    /// <summary>YUV matrix; PaddleVideo's extractor has <see cref="ColorMatrix.Bt601"/>.</summary>
    public ColorMatrix Color { get; init; }

    /// <summary>Videos decoded at a time; 0: one for each core.</summary>
    public int Workers { get; init; }

    internal void Validate()
    {
        if (Quality is < 1 or > 100 || ShortSide is < 0 or > 8192 || Workers is < 0 or > 1024 || Engine == ResizeEngine.Interpolate)
        {
            throw new ConfigException($"frames: expected a quality of 1 to 100, a short side of 0 to 8192, 0 to 1024 workers and an engine for pictures, found {Quality}, {ShortSide}, {Workers} and {Engine}");
        }
    }

    // Frames written otherwise don't mix with these.
    internal string Stamp => string.Create(CultureInfo.InvariantCulture, $"quality {Quality}, short side {ShortSide}, {(ShortSide > 0 ? Engine : default)}, {Color}\n");

    // What the caller set otherwise than the stamp says: an engine counts only where both resize.
    internal string Differences(string stamp)
    {
        string[] there = stamp.Trim().Split(", "), here = Stamp.Trim().Split(", ");
        if (there.Length != here.Length)
        {
            return $"found '{Excerpt.Of(stamp.Trim().ReplaceLineEndings(" "))}'";
        }

        bool bothResize = !there.Contains("short side 0") && !here.Contains("short side 0");
        string[] names = ["", "", "engine ", "colours "];
        int[] other = [.. Enumerable.Range(0, here.Length).Where(i => there[i] != here[i] && (i != 2 || bothResize))];
        return $"expected {string.Join(", ", other.Select(i => names[i] + here[i]))} as asked for, found {string.Join(", ", other.Select(i => names[i] + there[i]))}";
    }
}

/// <summary>What was extracted.</summary>
/// <param name="Videos">Videos of which there are frames now.</param>
/// <param name="Found">How many of them were there before.</param>
/// <param name="Frames">Their frames.</param>
/// <param name="Failures">Videos that could not be decoded; they aren't in the lists.</param>
public sealed record FramesReport(int Videos, int Found, long Frames, IReadOnlyList<FailedSample> Failures);

/// <summary>
/// Writes the frames of videos as folders of numbered JPEG files ("rawframes"), with PaddleVideo's lists beside them. A folder
/// appears under its name when all its frames are there, so it may be stopped at any moment and goes on where it was.
/// </summary>
public static class FrameExtractor
{
    private const string StampName = ".kinora-frames";

    /// <summary>Extracts the frames of a data set.</summary>
    /// <param name="splits">The data set; parts that were only held out go into the training list.</param>
    /// <param name="root">Folder below which the videos lie; their frames get the same place below <paramref name="folder"/>.</param>
    /// <param name="folder">Where the folders of frames, <c>train.list</c> and its like, and <c>classes.txt</c> go.</param>
    /// <param name="options">Form of the frames; null: the defaults.</param>
    /// <param name="progress">Hears how many videos of how many are done, on any thread.</param>
    /// <param name="ct">Stops; finished folders stay.</param>
    /// <returns>What is there.</returns>
    /// <exception cref="ConfigException">An option is out of range.</exception>
    /// <exception cref="DatasetException">Two videos would share a folder, or the folder holds frames made with other options.</exception>
    /// <exception cref="MediaException">The disk failed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static FramesReport Extract(
        DatasetSplits splits, string root, string folder, FrameExtractorOptions? options = null, Action<int, int>? progress = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(splits);
        ArgumentException.ThrowIfNullOrEmpty(root);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        options ??= new FrameExtractorOptions();
        options.Validate();
        DoctorInput input = DoctorInput.Of(splits);
        (VideoSample Sample, string Folder)[] videos = [.. input.Parts.SelectMany(p => p.Samples).DistinctBy(s => s.Path).Select(s => (s, Path.Combine(folder, FolderOf(s.Path, root))))];
        if (videos.GroupBy(v => v.Folder, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } clash)
        {
            throw new DatasetException($"frames: expected a folder of its own for each video, found that {string.Join(" and ", clash.Take(2).Select(c => c.Sample.Path))} would share one; rename one", clash.Key);
        }

        try
        {
            CheckStamp(folder, options);
            int workers = options.Workers > 0 ? options.Workers : Environment.ProcessorCount, done = 0, found = 0;
            var counts = new int[videos.Length];
            var errors = new string?[videos.Length];
            Parallel.For(0, videos.Length, new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = ct }, i =>
            {
                if (Directory.Exists(videos[i].Folder) && FrameFolder.CountFrames(videos[i].Folder) is { } already)
                {
                    counts[i] = already;
                    Interlocked.Increment(ref found);
                }
                else
                {
                    try
                    {
                        counts[i] = Extract(videos[i].Sample, videos[i].Folder, options, ct);
                    }
                    catch (MediaException e)
                    {
                        errors[i] = e.Message.ReplaceLineEndings(" ");
                    }
                }

                progress?.Invoke(Interlocked.Increment(ref done), videos.Length);
            });
            WriteLists(input, folder, videos, counts);
            return new FramesReport(
                counts.Count(c => c > 0), found, counts.Sum(c => (long)c), [.. errors.Select((e, i) => (e, i)).Where(f => f.e is not null).Select(f => new FailedSample(f.i, videos[f.i].Sample.Path, f.e!))]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MediaException($"frames: {e.Message}; what is done is kept: run it again to go on", folder, e);
        }
        catch (AggregateException e) when (e.InnerExceptions.FirstOrDefault(i => i is IOException or UnauthorizedAccessException) is { } disk)
        {
            throw new MediaException($"frames: {disk.Message}; what is done is kept: run it again to go on", folder, disk);
        }
    }

    /// <summary>The folder of a video's frames below the folder of all frames: its path without extension.</summary>
    internal static string FolderOf(string path, string root)
    {
        string relative = Path.GetRelativePath(Path.GetFullPath(root), Path.GetFullPath(path));
        if (Path.IsPathRooted(relative) || relative.StartsWith("..", StringComparison.Ordinal))
        {
            string full = Path.GetFullPath(path);
            relative = full[Path.GetPathRoot(full)!.Length..];
        }

        return DatasetFolder.IsVideoName(relative) ? relative[..^Path.GetExtension(relative).Length] : relative;
    }

    private static int Extract(VideoSample sample, string target, FrameExtractorOptions options, CancellationToken ct)
    {
        string unfinished = Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.part");
        if (Directory.Exists(unfinished))
        {
            Directory.Delete(unfinished, recursive: true);
        }

        using IFrameSource source = sample.Open(options.Color, ct);
        Directory.CreateDirectory(unfinished);
        bool shrinks = options.ShortSide > 0 && Math.Min(source.Width, source.Height) > options.ShortSide;
        var scaler = new FrameScaler(shrinks ? new ResizeSpec(ResizeRule.KeepAspectTruncate, options.ShortSide, options.Engine) : new ResizeSpec(ResizeRule.None, 0), source.Width, source.Height);
        byte[] rented = ArrayPool<byte>.Shared.Rent(source.Width * source.Height * 3), small = ArrayPool<byte>.Shared.Rent(scaler.Width * scaler.Height * 3);
        try
        {
            Span<byte> frame = rented.AsSpan(0, source.Width * source.Height * 3), scaled = shrinks ? small.AsSpan(0, scaler.Width * scaler.Height * 3) : frame;
            using FrameSequence frames = source.Frames([.. Enumerable.Range(0, source.FrameCount)], ct);
            while (frames.Next(frame, out int index))
            {
                ct.ThrowIfCancellationRequested();
                if (shrinks)
                {
                    scaler.Scale(frame, scaled);
                }

                File.WriteAllBytes(Path.Combine(unfinished, string.Create(CultureInfo.InvariantCulture, $"img_{index + 1:00000}.jpg")), JpegImage.Encode(scaled, scaler.Width, scaler.Height, options.Quality));
            }
        }
        catch (MediaException)
        {
            Directory.Delete(unfinished, recursive: true);
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
            ArrayPool<byte>.Shared.Return(small);
        }

        Directory.Move(unfinished, target);
        return source.FrameCount;
    }

    private static void CheckStamp(string folder, FrameExtractorOptions options)
    {
        string stamp = Path.Combine(folder, StampName);
        if (!File.Exists(stamp))
        {
            AtomicFile.WriteText(stamp, options.Stamp);
        }
        else if (File.ReadAllText(stamp) is var found && found != options.Stamp)
        {
            throw new DatasetException($"frames: expected a new folder or one with frames of the same kind: {options.Differences(found)}; name another folder", folder);
        }
    }

    private static void WriteLists(DoctorInput input, string folder, (VideoSample Sample, string Folder)[] videos, int[] counts)
    {
        Dictionary<string, (string Folder, int Frames)> of = videos.Select((v, i) => (v.Sample.Path, (v.Folder, counts[i]))).ToDictionary(StringComparer.Ordinal);
        foreach (VideoDataset part in input.Parts)
        {
            VideoSample[] there = [.. part.Samples.Where(s => of[s.Path].Frames > 0).Select(s => new VideoSample(of[s.Path].Folder, s.Label, of[s.Path].Frames) { Labels = s.Labels })];
            if (there.Length > 0)
            {
                DatasetListWriter.Write(Path.Combine(folder, $"{part.Name}.list"), part with { Samples = there }, DatasetListFormat.Frames, folder);
            }
        }

        DatasetListWriter.WriteLabels(Path.Combine(folder, "classes.txt"), input.Parts[0].Labels);
    }
}
