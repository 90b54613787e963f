using System.Globalization;

namespace Kinora.Data;

/// <summary>The two line formats of PaddleVideo's list files.</summary>
public enum DatasetListFormat
{
    /// <summary><c>path label</c>: video files.</summary>
    Videos,

    /// <summary><c>folder frames label</c>: folders of numbered frames.</summary>
    Frames,
}

/// <summary>How to read list files.</summary>
public sealed record DatasetListOptions
{
    /// <summary>Line format.</summary>
    public DatasetListFormat Format { get; init; }

    /// <summary>Folder that relative paths start from; null: the folder of the list file. PaddleVideo: data_prefix.</summary>
    public string? Prefix { get; init; }

    /// <summary>Appended to every path, such as ".avi" for lists without extensions. PaddleVideo: suffix.</summary>
    public string Suffix { get; init; } = "";

    /// <summary>File of class names: a name a line in class order, or lines <c>number name</c>. Null: classes are numbered.</summary>
    public string? LabelFile { get; init; }
}

/// <summary>Data sets that are list files. A label is the last word of a line, so paths may contain blanks.</summary>
public static class DatasetList
{
    /// <summary>Reads one list.</summary>
    /// <param name="listPath">The list file; blank lines are passed over.</param>
    /// <param name="options">Format, prefix, suffix and names; null: the defaults.</param>
    /// <returns>The samples in the order of the lines; the set is named after the file.</returns>
    /// <exception cref="DatasetException">Missing, empty or malformed; the message gives the line number. Also where none of the first samples exists, which means a wrong prefix.</exception>
    /// <exception cref="ConfigException">The file of class names is invalid.</exception>
    public static VideoDataset Load(string listPath, DatasetListOptions? options = null)
    {
        options ??= new DatasetListOptions();
        List<VideoSample> samples = Read(listPath, options);
        return new VideoDataset(samples, Labels(options, [(listPath, samples)]), Path.GetFileNameWithoutExtension(listPath));
    }

    /// <summary>Reads one list; the form that the parts of a PaddleVideo recipe map to.</summary>
    /// <param name="listPath">The list file.</param>
    /// <param name="prefix">Folder that relative paths start from; null: the folder of the list file.</param>
    /// <param name="format">Line format.</param>
    /// <returns>The samples in the order of the lines.</returns>
    /// <exception cref="DatasetException">As for <see cref="Load(string, DatasetListOptions?)"/>.</exception>
    public static VideoDataset Load(string listPath, string? prefix, DatasetListFormat format) =>
        Load(listPath, new DatasetListOptions { Prefix = prefix, Format = format });

    /// <summary>Reads the lists of the parts of one data set; they get one label map.</summary>
    /// <param name="train">List of the training part.</param>
    /// <param name="validation">List of the validation part.</param>
    /// <param name="test">List of the test part, or null.</param>
    /// <param name="options">Format, prefix, suffix and names; null: the defaults.</param>
    /// <returns>The parts.</returns>
    /// <exception cref="DatasetException">As for <see cref="Load(string, DatasetListOptions?)"/>.</exception>
    /// <exception cref="ConfigException">The file of class names is invalid.</exception>
    public static DatasetSplits LoadSplits(string train, string validation, string? test, DatasetListOptions? options = null)
    {
        options ??= new DatasetListOptions();
        List<VideoSample> trainSamples = Read(train, options), validationSamples = Read(validation, options);
        List<VideoSample>? testSamples = test is null ? null : Read(test, options);
        var lists = new List<(string, List<VideoSample>)> { (train, trainSamples), (validation, validationSamples) };
        if (testSamples is not null)
        {
            lists.Add((test!, testSamples));
        }

        LabelMap labels = Labels(options, lists);
        return new DatasetSplits(
            new VideoDataset(trainSamples, labels, "train"),
            new VideoDataset(validationSamples, labels, "val"),
            testSamples is null ? null : new VideoDataset(testSamples, labels, "test"));
    }

    /// <summary>Reads class names: a name a line, or lines <c>number name</c> in any order.</summary>
    /// <param name="path">Text file, UTF-8.</param>
    /// <returns>The names in class order.</returns>
    /// <exception cref="DatasetException">Missing, or the numbers aren't 0 to n − 1.</exception>
    /// <exception cref="ConfigException">A name is empty or occurs twice.</exception>
    public static LabelMap ReadLabels(string path)
    {
        string[] lines = [.. Lines(path, "class names").Select(l => l.Text)];
        var numbered = new SortedDictionary<int, string>();
        foreach (string line in lines)
        {
            int blank = line.IndexOfAny([' ', '\t']);
            if (blank < 0 || !int.TryParse(line.AsSpan(0, blank), NumberStyles.None, CultureInfo.InvariantCulture, out int number) || !numbered.TryAdd(number, line[blank..].Trim()))
            {
                // One line without its own number: the lines are plain names.
                return new LabelMap(lines);
            }
        }

        if (numbered.Count > 0 && numbered.Keys.Last() != numbered.Count - 1)
        {
            throw new DatasetException($"read class names: expected the numbers 0 to {numbered.Count - 1}, found {numbered.Keys.First()} to {numbered.Keys.Last()}", path);
        }

        return new LabelMap(numbered.Values);
    }

    private static LabelMap Labels(DatasetListOptions options, IReadOnlyList<(string Path, List<VideoSample> Samples)> lists)
    {
        int classes = lists.Max(l => l.Samples.Max(s => s.Label)) + 1;
        if (options.LabelFile is null)
        {
            return LabelMap.Numbered(classes);
        }

        LabelMap labels = ReadLabels(options.LabelFile);
        if (labels.Count < classes)
        {
            string guilty = lists.First(l => l.Samples.Any(s => s.Label == classes - 1)).Path;
            throw new DatasetException($"read list: expected labels 0 to {labels.Count - 1} as {options.LabelFile} names {labels.Count} classes, found label {classes - 1}", guilty);
        }

        return labels;
    }

    private static List<VideoSample> Read(string listPath, DatasetListOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(listPath);
        string prefix = options.Prefix ?? Path.GetDirectoryName(Path.GetFullPath(listPath))!;
        var samples = new List<VideoSample>();
        string? firstError = null;
        int errors = 0;
        foreach ((int number, string text) in Lines(listPath, "list"))
        {
            if (Parse(text, options, prefix, out string? problem) is VideoSample sample)
            {
                samples.Add(sample);
            }
            else
            {
                errors++;
                firstError ??= $"line {number}: {problem}";
            }
        }

        if (errors > 0)
        {
            string more = errors > 1 ? $" (and {errors - 1} more lines)" : "";
            throw new DatasetException($"read list: {firstError}{more}", listPath);
        }

        if (samples.Count == 0)
        {
            throw new DatasetException($"read list: expected lines '{Shape(options.Format)}', found none", listPath);
        }

        VideoSample[] probe = [.. samples.Take(8)];
        if (!probe.Any(s => Path.Exists(s.Path)))
        {
            throw new DatasetException($"read list: expected videos below {prefix}, found none of the first {probe.Length}, such as {probe[0].Path}; check prefix and suffix", listPath);
        }

        return samples;
    }

    private static VideoSample? Parse(string text, DatasetListOptions options, string prefix, out string? problem)
    {
        string rest = text;
        int? frames = null;
        if (!TakeNumber(ref rest, out int label, out string last))
        {
            problem = $"expected '{Shape(options.Format)}' with a label of 0 or more at the end, found '{Shorten(last)}'";
            return null;
        }

        if (options.Format == DatasetListFormat.Frames)
        {
            if (!TakeNumber(ref rest, out int count, out last) || count < 1)
            {
                problem = $"expected '{Shape(options.Format)}' with a frame count of 1 or more, found '{Shorten(last)}'";
                return null;
            }

            frames = count;
        }

        if (rest.Length == 0)
        {
            problem = $"expected '{Shape(options.Format)}', found no path";
            return null;
        }

        problem = null;
        return new VideoSample(Path.Combine(prefix, rest + options.Suffix), label, frames);
    }

    private static bool TakeNumber(ref string rest, out int number, out string word)
    {
        string trimmed = rest.TrimEnd();
        int blank = trimmed.LastIndexOfAny([' ', '\t']);
        word = trimmed[(blank + 1)..];
        rest = blank < 0 ? "" : trimmed[..blank].TrimEnd();
        return int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number < 1_000_000;
    }

    private static string Shape(DatasetListFormat format) => format == DatasetListFormat.Videos ? "path label" : "folder frames label";

    private static string Shorten(string text) => text.Length <= 40 ? text : text[..40] + "…";

    private static IEnumerable<(int Number, string Text)> Lines(string path, string what)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"read {what}: {e.Message}", path, e);
        }

        return lines.Select((text, i) => (i + 1, text.Trim())).Where(l => l.Item2.Length > 0);
    }
}
