using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Kinora.Data;

/// <summary>Reads the lines of list files, in any of the formats.</summary>
internal static class ListFile
{
    // Lines looked at to tell a list of videos from one of frame folders.
    private const int Probed = 32;

    private static readonly string[] _columns = ["path", "label", "labels", "frames", "start", "end", "group"];

    /// <summary>Reads a list.</summary>
    /// <param name="path">The file.</param>
    /// <param name="format">Its format; <see cref="DatasetListFormat.Detect"/> is decided by name and content.</param>
    /// <param name="resolve">Turns a path as written into one on the disk.</param>
    /// <returns>The lines that could be read, and what is wrong with the others, both in the order of the file; and the format.</returns>
    /// <exception cref="DatasetException">The file can't be read at all, or its header is wrong.</exception>
    public static (List<ListRow> Rows, List<(int Line, string Problem)> Problems, DatasetListFormat Format) Read(string path, DatasetListFormat format, Func<string, string> resolve)
    {
        string text = ReadText(path, "list");
        format = format == DatasetListFormat.Detect ? Detect(path, text, resolve) : format;
        var rows = new List<ListRow>();
        var problems = new List<(int, string)>();
        if (format == DatasetListFormat.Csv)
        {
            ReadCsv(path, text, rows, problems);
            return (rows, problems, format);
        }

        foreach ((int number, string line) in Lines(text))
        {
            try
            {
                rows.Add(format == DatasetListFormat.JsonLines ? ParseJson(number, line) : ParseWords(number, line, format));
            }
            catch (ListLineException e)
            {
                problems.Add((e.Line, e.Message));
            }
        }

        return (rows, problems, format);
    }

    /// <summary>The words that describe a line of a format.</summary>
    public static string Shape(DatasetListFormat format) => format switch
    {
        DatasetListFormat.Frames => "folder frames label",
        DatasetListFormat.Csv => "path,label",
        DatasetListFormat.JsonLines => "{\"path\": …, \"label\": …}",
        _ => "path label",
    };

    /// <summary>Reads a UTF-8 file, with or without byte order mark.</summary>
    public static string ReadText(string path, string what)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(path)).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException e)
        {
            throw new DatasetException($"read {what}: expected UTF-8 text, found other bytes ({e.Message.ReplaceLineEndings(" ")}); save the file as UTF-8", path, e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException || Directory.Exists(path))
        {
            throw new DatasetException($"read {what}: expected a text file, found {(Directory.Exists(path) ? "a folder" : "nothing")}; check the path, which is relative to where the command runs", path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"read {what}: {e.Message}", path, e);
        }
    }

    /// <summary>The lines that aren't blank, trimmed, with their numbers from 1.</summary>
    public static IEnumerable<(int Number, string Text)> Lines(string text) =>
        text.Split('\n').Select((line, i) => (i + 1, line.Trim())).Where(l => l.Item2.Length > 0);

    private static DatasetListFormat Detect(string path, string text, Func<string, string> resolve)
    {
        switch (Path.GetExtension(path).ToLowerInvariant())
        {
            case ".csv":
                return DatasetListFormat.Csv;
            case ".jsonl" or ".ndjson":
                return DatasetListFormat.JsonLines;
        }

        (int Number, string Text)[] first = [.. Lines(text).Take(Probed)];
        if (first.Length > 0 && first[0].Text.StartsWith('{'))
        {
            return DatasetListFormat.JsonLines;
        }

        if (first.Length > 0 && first[0].Text.Split(',').Select(f => f.Trim().Trim('"').ToLowerInvariant()).ToArray() is { Length: > 1 } header && header.Contains("path") && header.Any(f => f is "label" or "labels"))
        {
            return DatasetListFormat.Csv;
        }

        // "name 12 3" is a folder of 12 frames if that folder is there, else the video "name 12".
        return first.Any(l => IsFrameLine(l.Number, l.Text, resolve)) ? DatasetListFormat.Frames : DatasetListFormat.Videos;
    }

    private static bool IsFrameLine(int number, string text, Func<string, string> resolve)
    {
        try
        {
            return Directory.Exists(resolve(ParseWords(number, text, DatasetListFormat.Frames).Path)) && !Path.Exists(resolve(ParseWords(number, text, DatasetListFormat.Videos).Path));
        }
        catch (ListLineException)
        {
            return false;
        }
    }

    private static ListRow ParseWords(int line, string text, DatasetListFormat format)
    {
        string rest = text, word = TakeWord(ref rest);
        ListLabel[] labels = [.. word.Split(',').Select(l => new ListLabel(l, ListLabelKind.Index))];
        if (labels.Any(l => l.Index < 0))
        {
            throw new ListLineException(line, $"expected '{Shape(format)}' with a label of 0 or more at the end, found '{Excerpt.Of(word)}'");
        }

        int? frames = null;
        if (format == DatasetListFormat.Frames)
        {
            word = TakeWord(ref rest);
            frames = int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is > 0 and < 1 << 24
                ? count
                : throw new ListLineException(line, $"expected '{Shape(format)}' with a frame count of 1 or more, found '{Excerpt.Of(word)}'");
        }

        return rest.Length > 0
            ? new ListRow(line, rest, Distinct(labels), frames)
            : throw new ListLineException(line, $"expected '{Shape(format)}', found no path");
    }

    private static string TakeWord(ref string rest)
    {
        int blank = rest.LastIndexOfAny([' ', '\t']);
        string word = rest[(blank + 1)..];
        rest = blank < 0 ? "" : rest[..blank].TrimEnd();
        return word;
    }

    private static ListLabel[] Distinct(IEnumerable<ListLabel> labels) => [.. labels.Distinct()];

    private static void ReadCsv(string path, string text, List<ListRow> rows, List<(int, string)> problems)
    {
        Dictionary<string, int>? columns = null;
        try
        {
            foreach ((int line, string[] fields) in CsvText.Read(text))
            {
                if (columns is null)
                {
                    columns = Columns(line, fields);
                    continue;
                }

                try
                {
                    rows.Add(ParseFields(line, fields, columns));
                }
                catch (ListLineException e)
                {
                    problems.Add((e.Line, e.Message));
                }
            }
        }
        catch (ListLineException e) when (columns is null)
        {
            throw new DatasetException($"read list: line {e.Line}: {e.Message}", path, e);
        }
        catch (ListLineException e)
        {
            // Where quotes are wrong, nobody knows where the next record begins.
            problems.Add((e.Line, e.Message));
        }
    }

    private static Dictionary<string, int> Columns(int line, string[] header)
    {
        var columns = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < header.Length; i++)
        {
            string name = header[i].Trim();
            if (!_columns.Contains(name, StringComparer.OrdinalIgnoreCase) || !columns.TryAdd(name, i))
            {
                throw new ListLineException(line, $"expected columns of {string.Join(", ", _columns)}, each once, found '{Excerpt.Of(name)}'{NearestName.Suggestion(name, _columns)}");
            }
        }

        return columns.ContainsKey("path") && columns.ContainsKey("label") != columns.ContainsKey("labels")
            ? columns
            : throw new ListLineException(line, $"expected a header with path and either label or labels, found '{Excerpt.Of(string.Join(',', header))}'");
    }

    private static ListRow ParseFields(int line, string[] fields, Dictionary<string, int> columns)
    {
        if (fields.Length != columns.Count)
        {
            throw new ListLineException(line, $"expected {columns.Count} fields as in the header, found {fields.Length}; put fields with commas into double quotes");
        }

        string path = fields[columns["path"]];
        string[] labels = columns.TryGetValue("labels", out int many) ? fields[many].Split(';', StringSplitOptions.TrimEntries) : [fields[columns["label"]].Trim()];
        if (path.Length == 0 || labels.Any(l => l.Length == 0))
        {
            throw new ListLineException(line, $"expected a path and a label, found '{Excerpt.Of(string.Join(',', fields))}'");
        }

        string group = Optional("group");
        return Checked(new ListRow(
            line, path, Distinct(labels.Select(l => new ListLabel(l, ListLabelKind.Either))), Count(Optional("frames")), Seconds("start"), Seconds("end"), group.Length > 0 ? group : null));

        string Optional(string column) => columns.TryGetValue(column, out int at) ? fields[at].Trim() : "";

        int? Count(string field) => field.Length == 0 ? null
            : int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count
            : throw new ListLineException(line, $"frames: expected a number of 1 or more, found '{Excerpt.Of(field)}'");

        double? Seconds(string column) => Optional(column) is not { Length: > 0 } field ? null
            : double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) ? seconds
            : throw new ListLineException(line, $"{column}: expected seconds, found '{Excerpt.Of(field)}'");
    }

    private static ListRow Checked(ListRow row)
    {
        if (row.Frames is < 1)
        {
            throw new ListLineException(row.Line, $"frames: expected a number of 1 or more, found {row.Frames}");
        }

        double start = row.StartSeconds ?? 0, end = row.EndSeconds ?? double.MaxValue;
        return double.IsFinite(start) && double.IsFinite(end) && start >= 0 && end > start
            ? row
            : throw new ListLineException(row.Line, FormattableString.Invariant($"expected 0 ≤ start < end in seconds, found {start} and {end}"));
    }

    private static ListRow ParseJson(int line, string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new ListLineException(line, $"expected {Shape(DatasetListFormat.JsonLines)}, found {document.RootElement.ValueKind}");
            }

            string? path = null, group = null;
            ListLabel[] labels = [];
            int? frames = null;
            double? start = null, end = null;
            foreach (JsonProperty member in document.RootElement.EnumerateObject())
            {
                JsonElement value = member.Value;
                switch (member.Name)
                {
                    case "path" when value.ValueKind == JsonValueKind.String:
                        path = value.GetString();
                        break;
                    case "label" or "labels":
                        labels = value.ValueKind == JsonValueKind.Array ? Distinct(value.EnumerateArray().Select(v => Label(line, v))) : [Label(line, value)];
                        break;
                    case "frames" when value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int count):
                        frames = count;
                        break;
                    case "start" when value.ValueKind == JsonValueKind.Number:
                        start = value.GetDouble();
                        break;
                    case "end" when value.ValueKind == JsonValueKind.Number:
                        end = value.GetDouble();
                        break;
                    case "group" when value.ValueKind == JsonValueKind.String:
                        group = value.GetString();
                        break;
                    case "frames" or "start" or "end" or "group" when value.ValueKind == JsonValueKind.Null:
                        break;
                    default:
                        throw new ListLineException(line, _columns.Contains(member.Name)
                            ? $"{member.Name}: found {Excerpt.Of(value.GetRawText())}, which is no {(member.Name is "path" or "group" ? "text" : "number")}"
                            : $"expected members of {string.Join(", ", _columns)}, found '{Excerpt.Of(member.Name)}'{NearestName.Suggestion(member.Name, _columns)}");
                }
            }

            return path is { Length: > 0 } && labels.Length > 0
                ? Checked(new ListRow(line, path, labels, frames, start, end, group))
                : throw new ListLineException(line, "expected a path and a label or more, found none");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new ListLineException(line, $"expected {Shape(DatasetListFormat.JsonLines)}: {Excerpt.Of(e.Message)}");
        }
    }

    private static ListLabel Label(int line, JsonElement value)
    {
        ListLabel label = value.ValueKind switch
        {
            JsonValueKind.String => new(value.GetString()!, ListLabelKind.Name),
            JsonValueKind.Number => new(value.GetRawText(), ListLabelKind.Index),
            _ => default,
        };
        return !string.IsNullOrWhiteSpace(label.Text) && (label.Kind == ListLabelKind.Name || label.Index >= 0)
            ? label
            : throw new ListLineException(line, $"label: expected a class name or an index of 0 or more, found {Excerpt.Of(value.GetRawText())}");
    }
}
