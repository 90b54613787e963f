using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kinora.Data;

/// <summary>Writes data sets as list files that <see cref="DatasetList"/> reads back.</summary>
public static class DatasetListWriter
{
    private static readonly JsonWriterOptions _readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes one list.</summary>
    /// <param name="path">The list file; replaced as a whole.</param>
    /// <param name="dataset">The samples, in the order of the lines.</param>
    /// <param name="format">Not <see cref="DatasetListFormat.Detect"/>. PaddleVideo's formats have no place for groups.</param>
    /// <param name="prefix">Folder from which paths are written, null: as they are. With '/' between folders.</param>
    /// <exception cref="DatasetException">A sample can't be written in the format.</exception>
    public static void Write(string path, VideoDataset dataset, DatasetListFormat format, string? prefix = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(dataset);
        (string Path, VideoSample Sample)[] rows = [.. dataset.Samples.Select(s => (Relative(s.Path, prefix), s))];
        AtomicFile.WriteText(path, format switch
        {
            DatasetListFormat.Videos or DatasetListFormat.Frames => Words(path, rows, format),
            DatasetListFormat.Csv => Csv(path, rows, dataset.Labels),
            DatasetListFormat.JsonLines => JsonLines(rows, dataset.Labels),
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, "expected a format to write"),
        });
    }

    /// <summary>Writes class names, a name a line in class order.</summary>
    /// <param name="path">The text file; replaced as a whole.</param>
    /// <param name="labels">The names.</param>
    public static void WriteLabels(string path, LabelMap labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        AtomicFile.WriteText(path, string.Concat(labels.Names.Select(n => n.ReplaceLineEndings(" ") + "\n")));
    }

    private static string Relative(string path, string? prefix) =>
        prefix is null ? path : Path.GetRelativePath(prefix, path).Replace(Path.DirectorySeparatorChar, '/');

    private static string Words(string list, (string Path, VideoSample Sample)[] rows, DatasetListFormat format)
    {
        var text = new StringBuilder();
        foreach ((string path, VideoSample sample) in rows)
        {
            if (path.Trim() != path || path.AsSpan().IndexOfAny('\r', '\n') >= 0 || sample.StartSeconds is not null || sample.EndSeconds is not null)
            {
                throw new DatasetException($"write list: expected paths without blanks at the ends or line breaks, and whole videos, found '{Excerpt.Of(path)}'; write csv or jsonl", list);
            }

            string frames = format != DatasetListFormat.Frames ? ""
                : sample.FrameCount is { } count ? $" {count.ToString(CultureInfo.InvariantCulture)}"
                : throw new DatasetException($"write list: expected folders of frames, found '{path}'", list);
            text.Append(CultureInfo.InvariantCulture, $"{path}{frames} {string.Join(',', sample.Labels)}\n");
        }

        return text.ToString();
    }

    private static string Csv(string list, (string Path, VideoSample Sample)[] rows, LabelMap labels)
    {
        bool several = rows.Any(r => r.Sample.Labels.Count > 1);
        var columns = new List<(string Name, Func<VideoSample, string> Of)> { (several ? "labels" : "label", s => string.Join(';', s.Labels.Select(l => labels[l]))) };
        AddWhere("frames", s => Number(s.FrameCount));
        AddWhere("start", s => Number(s.StartSeconds));
        AddWhere("end", s => Number(s.EndSeconds));
        AddWhere("group", s => s.Group ?? "");
        if (several && rows.SelectMany(r => r.Sample.Labels).Any(l => labels[l].Contains(';', StringComparison.Ordinal)))
        {
            throw new DatasetException("write list: expected class names without semicolons where a video has several; write jsonl", list);
        }

        var text = new StringBuilder($"path,{string.Join(',', columns.Select(c => c.Name))}\n");
        foreach ((string path, VideoSample sample) in rows)
        {
            text.Append(CsvText.Field(path)).Append(',').AppendJoin(',', columns.Select(c => CsvText.Field(c.Of(sample)))).Append('\n');
        }

        return text.ToString();

        void AddWhere(string name, Func<VideoSample, string> of)
        {
            if (rows.Any(r => of(r.Sample).Length > 0))
            {
                columns.Add((name, of));
            }
        }

        static string Number(IFormattable? value) => value?.ToString(null, CultureInfo.InvariantCulture) ?? "";
    }

    private static string JsonLines((string Path, VideoSample Sample)[] rows, LabelMap labels)
    {
        using var buffer = new MemoryStream();
        foreach ((string path, VideoSample sample) in rows)
        {
            using (var json = new Utf8JsonWriter(buffer, _readable))
            {
                json.WriteStartObject();
                json.WriteString("path", path);
                WriteLabels(json, sample, labels);
                if (sample.FrameCount is { } frames)
                {
                    json.WriteNumber("frames", frames);
                }

                if (sample.StartSeconds is { } start)
                {
                    json.WriteNumber("start", start);
                }

                if (sample.EndSeconds is { } end)
                {
                    json.WriteNumber("end", end);
                }

                if (sample.Group is { } group)
                {
                    json.WriteString("group", group);
                }

                json.WriteEndObject();
            }

            buffer.WriteByte((byte)'\n');
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void WriteLabels(Utf8JsonWriter json, VideoSample sample, LabelMap labels)
    {
        if (sample.Labels.Count == 1)
        {
            json.WriteString("label", labels[sample.Label]);
            return;
        }

        json.WriteStartArray("label");
        foreach (int label in sample.Labels)
        {
            json.WriteStringValue(labels[label]);
        }

        json.WriteEndArray();
    }
}
