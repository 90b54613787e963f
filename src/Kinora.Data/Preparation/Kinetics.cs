using System.Globalization;
using System.Text.Json;

namespace Kinora.Data;

/// <summary>
/// Kinetics-400 and its relatives: PaddleVideo's lists from the official annotations, as CSV
/// (<c>label,youtube_id,time_start,time_end,split</c>) or JSON. Everybody has another subset of the videos, so what is missing
/// is counted and named.
/// </summary>
public static class Kinetics
{
    private static readonly (string Part, string[] Words)[] _parts = [("train", ["train"]), ("val", ["val", "validate", "validation"]), ("test", ["test"])];

    /// <summary>Writes <c>train.list</c>, <c>val.list</c> and, where it has labels, <c>test.list</c>; paths are relative to the videos' folder. And <c>k400_classes.txt</c>.</summary>
    /// <param name="source">Folder with annotations and videos named <c>ID_000010_000020.mp4</c> or <c>ID.mp4</c>, anywhere inside.</param>
    /// <param name="target">Folder for the lists.</param>
    /// <param name="ct">Stops between lists.</param>
    /// <returns>What was written and what is missing.</returns>
    /// <exception cref="DatasetException">Annotations or videos aren't there, or can't be understood.</exception>
    public static PreparationReport Prepare(string source, string target, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        ArgumentException.ThrowIfNullOrEmpty(target);
        source = Path.GetFullPath(source);
        Dictionary<string, string> videos = [];
        foreach (string file in PreparationFiles.Find(source, DatasetFolder.IsVideoName))
        {
            videos.TryAdd(Path.GetFileNameWithoutExtension(file), file);
        }

        if (videos.Count == 0)
        {
            throw new DatasetException("k400: expected videos named like 3caPS4FHFF8_000036_000046.mp4 in the folder, found none", source);
        }

        (string Part, Annotation[] Clips)[] parts = [.. Annotations(source)];
        if (parts.Length == 0)
        {
            throw new DatasetException("k400: expected annotations such as train.csv and val.csv (or .json) in the folder, found none", source);
        }

        var labels = new LabelMap(parts.SelectMany(p => p.Clips).Select(c => c.Label).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
        string root = Root(videos.Values, source);
        var lists = new List<PreparedList>();
        var missing = new List<string>();
        var listed = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string part, Annotation[] clips) in parts.Where(p => p.Clips.Any(c => c.Label is not null)))
        {
            ct.ThrowIfCancellationRequested();
            var samples = new List<VideoSample>();
            foreach (Annotation clip in clips.Where(c => c.Label is not null))
            {
                string? name = new[] { clip.Name, clip.Id }.FirstOrDefault(videos.ContainsKey);
                if (name is null)
                {
                    missing.Add($"{part} {clip.Name}");
                    continue;
                }

                listed.Add(name);
                _ = labels.TryGetIndex(clip.Label!, out int label);
                samples.Add(new VideoSample(videos[name], label));
            }

            string path = Path.Combine(target, part + ".list");
            DatasetListWriter.Write(path, new VideoDataset(samples, labels, part), DatasetListFormat.Videos, root);
            lists.Add(new PreparedList(path, samples.Count, clips.Length));
        }

        AtomicFile.WriteText(Path.Combine(target, "k400_classes.txt"), string.Concat(labels.Names.Select((n, i) => $"{i} {n.Replace(' ', '_')}\n")));
        PreparationFiles.WriteMissing(target, missing);
        return new PreparationReport(root, labels.Count, lists, missing, videos.Keys.Count(k => !listed.Contains(k)));
    }

    private static string Root(IEnumerable<string> videos, string source)
    {
        // The deepest folder that holds all videos: what recipes call data_prefix.
        string root = Path.GetDirectoryName(videos.First())!;
        foreach (string video in videos)
        {
            while (root != source && !video.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            {
                root = Path.GetDirectoryName(root)!;
            }
        }

        return root;
    }

    private static IEnumerable<(string Part, Annotation[] Clips)> Annotations(string source)
    {
        string[] files = PreparationFiles.Find(source, n => Path.GetExtension(n).ToLowerInvariant() is ".csv" or ".json");
        foreach ((string part, string[] words) in _parts)
        {
            string[] found = [.. files.Where(f => words.Any(w => Path.GetFileNameWithoutExtension(f).Split('_', '-', '.').Contains(w, StringComparer.OrdinalIgnoreCase)))];

            // CSV and JSON say the same; of copies the first counts.
            if (found.OrderBy(f => Path.GetExtension(f), StringComparer.OrdinalIgnoreCase).FirstOrDefault() is { } file)
            {
                yield return (part, Path.GetExtension(file).Equals(".json", StringComparison.OrdinalIgnoreCase) ? ReadJson(file) : ReadCsv(file));
            }
        }
    }

    private static Annotation[] ReadCsv(string path)
    {
        try
        {
            var clips = new List<Annotation>();
            string[]? header = null;
            foreach ((int line, string[] fields) in CsvText.Read(ListFile.ReadText(path, "annotations")))
            {
                if (header is null)
                {
                    header = [.. fields.Select(f => f.Trim())];
                    foreach (string name in new[] { "youtube_id", "time_start", "time_end" })
                    {
                        if (!header.Contains(name))
                        {
                            throw new ListLineException(line, $"expected the columns label,youtube_id,time_start,time_end,split, found '{Excerpt.Of(string.Join(',', fields))}'");
                        }
                    }

                    continue;
                }

                if (fields.Length != header.Length)
                {
                    throw new ListLineException(line, $"expected {header.Length} fields as in the header, found {fields.Length}");
                }

                int label = Array.IndexOf(header, "label");
                clips.Add(new Annotation(
                    Of("youtube_id"), Seconds(line, Of("time_start")), Seconds(line, Of("time_end")), label < 0 || fields[label].Trim().Length == 0 ? null : fields[label].Trim()));

                string Of(string column) => fields[Array.IndexOf(header, column)].Trim();
            }

            return [.. clips];
        }
        catch (ListLineException e)
        {
            throw new DatasetException($"read annotations: line {e.Line}: {e.Message}", path, e);
        }
    }

    private static int Seconds(int line, string field) => double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && seconds is >= 0 and < 1e6
        ? (int)seconds
        : throw new ListLineException(line, $"expected seconds, found '{Excerpt.Of(field)}'");

    // {"ID": {"annotations": {"label": "…", "segment": [10.0, 20.0]}, "subset": "train", …}, …}
    private static Annotation[] ReadJson(string path)
    {
        string at = "";
        try
        {
            using JsonDocument document = JsonDocument.Parse(ListFile.ReadText(path, "annotations"));
            var clips = new List<Annotation>();
            foreach (JsonProperty entry in document.RootElement.EnumerateObject())
            {
                at = entry.Name;
                JsonElement notes = entry.Value.GetProperty("annotations"), segment = notes.GetProperty("segment");
                clips.Add(new Annotation(
                    entry.Name, (int)segment[0].GetDouble(), (int)segment[1].GetDouble(), notes.TryGetProperty("label", out JsonElement label) ? label.GetString() : null));
            }

            return [.. clips];
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException or FormatException)
        {
            throw new DatasetException($"read annotations: expected {{\"ID\": {{\"annotations\": {{\"label\": …, \"segment\": [start, end]}}}}}}, found otherwise{(at.Length > 0 ? $" at '{Excerpt.Of(at)}'" : "")}: {Excerpt.Of(e.Message)}", path, e);
        }
    }

    private sealed record Annotation(string Id, int Start, int End, string? Label)
    {
        public string Name => string.Create(CultureInfo.InvariantCulture, $"{Id}_{Start:000000}_{End:000000}");
    }
}
