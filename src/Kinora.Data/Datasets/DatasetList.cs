using System.Globalization;
using Kinora.Media;

namespace Kinora.Data;

/// <summary>The formats of list files; docs/data-tools.md shows each.</summary>
public enum DatasetListFormat
{
    /// <summary>PaddleVideo's <c>path label</c>: video files. Several labels stand with commas between them: <c>path 1,4,7</c>.</summary>
    Videos,

    /// <summary>PaddleVideo's <c>folder frames label</c>: folders of numbered frames.</summary>
    Frames,

    /// <summary>
    /// Comma-separated values (RFC 4180) with a header: <c>path,label</c> or <c>path,labels</c> (several, with semicolons), and
    /// optionally <c>frames</c>, <c>start</c> and <c>end</c> in seconds, <c>group</c>. A label is a class name or else an index.
    /// </summary>
    Csv,

    /// <summary>A JSON object a line with the same members; a label is a name (text), an index (number), or a list of these.</summary>
    JsonLines,

    /// <summary>By the file's extension, else by its content.</summary>
    Detect,
}

/// <summary>How to read list files.</summary>
public sealed record DatasetListOptions
{
    /// <summary>Line format.</summary>
    public DatasetListFormat Format { get; init; } = DatasetListFormat.Detect;

    /// <summary>Folder that relative paths start from; null: the folder of the list file. PaddleVideo: data_prefix.</summary>
    public string? Prefix { get; init; }

    /// <summary>Appended to every path, such as ".avi" for lists without extensions. PaddleVideo: suffix.</summary>
    public string Suffix { get; init; } = "";

    /// <summary>
    /// File of class names: a name a line in class order, or lines <c>number name</c>. Null: the names that the lists use, in
    /// ordinal order; where they use indices, classes are numbered.
    /// </summary>
    public string? LabelFile { get; init; }
}

/// <summary>
/// Data sets that are list files. In PaddleVideo's formats a label is the last word of a line, so paths may contain blanks.
/// A path may lead into a pack (see <see cref="ClipPack"/>).
/// </summary>
public static class DatasetList
{
    /// <summary>Reads one list, or all clips of a pack.</summary>
    /// <param name="listPath">The list file, UTF-8; blank lines are passed over. Or the folder of a pack.</param>
    /// <param name="options">Format, prefix, suffix and names; null: the defaults.</param>
    /// <returns>The samples in the order of the lines; the set is named after the file.</returns>
    /// <exception cref="DatasetException">Missing, empty or malformed; the message gives the line number. Also where none of the first samples exists, which means a wrong prefix.</exception>
    /// <exception cref="ConfigException">The file of class names is invalid.</exception>
    public static VideoDataset Load(string listPath, DatasetListOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(listPath);
        if (ClipPack.IsPack(listPath))
        {
            return PackDataset.All(listPath);
        }

        options ??= new DatasetListOptions();
        (LabelMap labels, List<VideoSample>[] samples) = Read([listPath], options);
        return new VideoDataset(samples[0], labels, Path.GetFileNameWithoutExtension(listPath));
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
        (LabelMap labels, List<VideoSample>[] samples) = Read(test is null ? [train, validation] : [train, validation, test], options ?? new DatasetListOptions());
        return new DatasetSplits(
            new VideoDataset(samples[0], labels, "train"),
            new VideoDataset(samples[1], labels, "val"),
            test is null ? null : new VideoDataset(samples[2], labels, "test"));
    }

    /// <summary>Reads class names: a name a line, or lines <c>number name</c> in any order.</summary>
    /// <param name="path">Text file, UTF-8.</param>
    /// <returns>The names in class order.</returns>
    /// <exception cref="DatasetException">Missing, or the numbers aren't 0 to n − 1.</exception>
    /// <exception cref="ConfigException">A name is empty or occurs twice.</exception>
    public static LabelMap ReadLabels(string path)
    {
        string[] lines = [.. ListFile.Lines(ListFile.ReadText(path, "class names")).Select(l => l.Text)];
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

    private static (LabelMap Labels, List<VideoSample>[] Samples) Read(string[] lists, DatasetListOptions options)
    {
        var read = new List<(string Path, List<ListRow> Rows)>();
        foreach (string list in lists)
        {
            read.Add((list, Rows(list, options)));
        }

        LabelMap labels = ListLabels.Of(options.LabelFile is null ? null : ReadLabels(options.LabelFile), options.LabelFile, read);
        return (labels, [.. read.Select(l => Samples(l.Path, l.Rows, labels, options))]);
    }

    private static List<ListRow> Rows(string listPath, DatasetListOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(listPath);
        (List<ListRow> rows, List<(int Line, string Problem)> problems, DatasetListFormat format) = ListFile.Read(listPath, options.Format, path => Resolve(listPath, path, options));
        if (problems.Count > 0)
        {
            string more = problems.Count > 1 ? $" (and {problems.Count - 1} more lines)" : "";
            throw new DatasetException($"read list: line {problems[0].Line}: {problems[0].Problem}{more}", listPath);
        }

        return rows.Count > 0 ? rows : throw new DatasetException($"read list: expected lines '{ListFile.Shape(format)}', found none", listPath);
    }

    private static List<VideoSample> Samples(string listPath, List<ListRow> rows, LabelMap labels, DatasetListOptions options)
    {
        List<VideoSample> samples = [.. rows.Select(row => Sample(row, labels, Resolve(listPath, row.Path, options)))];
        VideoSample[] probe = [.. samples.Take(8)];
        return probe.Any(s => Path.Exists(s.Path) || ClipPack.Holds(s.Path))
            ? samples
            : throw new DatasetException($"read list: expected videos below {Prefix(listPath, options)}, found none of the first {probe.Length}, such as {probe[0].Path}; check prefix and suffix", listPath);
    }

    internal static VideoSample Sample(ListRow row, LabelMap labels, string path)
    {
        int[] indices = [.. row.Labels.Select(l => ListLabels.Find(labels, l)).Distinct()];
        return new VideoSample(path, indices[0], row.Frames) { Labels = indices, Group = row.Group, StartSeconds = row.StartSeconds, EndSeconds = row.EndSeconds };
    }

    internal static string Resolve(string listPath, string path, DatasetListOptions options) => Path.Combine(Prefix(listPath, options), path + options.Suffix);

    private static string Prefix(string listPath, DatasetListOptions options) => options.Prefix ?? Path.GetDirectoryName(Path.GetFullPath(listPath))!;
}
