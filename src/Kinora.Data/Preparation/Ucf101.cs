using System.Globalization;

namespace Kinora.Data;

/// <summary>
/// UCF101: PaddleVideo's lists from the official split files. <c>classInd.txt</c> numbers the classes from 1; <c>trainlist01.txt</c>
/// to <c>03</c> and <c>testlist01.txt</c> to <c>03</c> name the clips of the three splits.
/// </summary>
public static class Ucf101
{
    private const int Splits = 3;

    /// <summary>Writes <c>ucf101_{train,val}_split_{1,2,3}_videos.txt</c>, <c>…_rawframes.txt</c> where frames are given, and <c>classes.txt</c>.</summary>
    /// <param name="source">Folder with videos (below folders named after their classes) and split files, anywhere inside.</param>
    /// <param name="target">Folder for the lists.</param>
    /// <param name="frames">Folder of extracted frames with the same class folders, or null.</param>
    /// <param name="ct">Stops between lists.</param>
    /// <returns>What was written and what is missing.</returns>
    /// <exception cref="DatasetException">Split files or videos aren't there, or a line can't be understood.</exception>
    public static PreparationReport Prepare(string source, string target, string? frames = null, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        ArgumentException.ThrowIfNullOrEmpty(target);
        source = Path.GetFullPath(source);
        string classFile = PreparationFiles.Find(source, n => n == "classInd.txt") is [var first, ..]
            ? first
            : throw new DatasetException("ucf101: expected classInd.txt of the official split files (UCF101TrainTestSplits-RecognitionTask.zip) in the folder, found none", source);
        LabelMap labels = Classes(classFile);
        Dictionary<string, string> videos = [];
        foreach (string file in PreparationFiles.Find(source, DatasetFolder.IsVideoName))
        {
            videos.TryAdd(Key(file), file);
        }

        if (videos.Count == 0)
        {
            throw new DatasetException("ucf101: expected videos such as ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi in the folder, found none; UCF101.rar has to be unpacked with 'unrar x UCF101.rar' first", source);
        }

        var lists = new List<PreparedList>();
        var missing = new SortedSet<string>(StringComparer.Ordinal);
        var listed = new HashSet<string>(StringComparer.Ordinal);
        for (int split = 1; split <= Splits; split++)
        {
            foreach ((string official, string part) in new[] { ("train", "train"), ("test", "val") })
            {
                ct.ThrowIfCancellationRequested();
                string file = Path.Combine(Path.GetDirectoryName(classFile)!, string.Create(CultureInfo.InvariantCulture, $"{official}list{split:00}.txt"));
                (string Clip, int Label)[] clips = [.. Clips(file, labels)];
                listed.UnionWith(clips.Select(c => c.Clip));
                missing.UnionWith(clips.Where(c => !videos.ContainsKey(c.Clip)).Select(c => c.Clip));
                Write("videos", [.. clips.Where(c => videos.ContainsKey(c.Clip)).Select(c => $"{WithoutExtension(videos[c.Clip])} {c.Label}")]);
                if (frames is not null)
                {
                    Write("rawframes", [.. FrameLines(clips, Path.GetFullPath(frames), missing)]);
                }

                void Write(string form, string[] lines)
                {
                    string path = Path.Combine(target, $"ucf101_{part}_split_{split}_{form}.txt");
                    AtomicFile.WriteText(path, string.Concat(lines.Select(l => l + "\n")));
                    lists.Add(new PreparedList(path, lines.Length, clips.Length));
                }
            }
        }

        DatasetListWriter.WriteLabels(Path.Combine(target, "classes.txt"), labels);
        PreparationFiles.WriteMissing(target, [.. missing]);
        return new PreparationReport(Path.GetDirectoryName(Path.GetDirectoryName(videos.Values.First()))!, labels.Count, lists, [.. missing], videos.Keys.Count(k => !listed.Contains(k)));
    }

    // Class folder and name without extension: videos may have been converted.
    private static string Key(string path) => $"{Path.GetFileName(Path.GetDirectoryName(path))}/{Path.GetFileNameWithoutExtension(path)}";

    private static string WithoutExtension(string path) => path[..^Path.GetExtension(path).Length];

    private static IEnumerable<string> FrameLines((string Clip, int Label)[] clips, string frames, SortedSet<string> missing)
    {
        foreach ((string clip, int label) in clips)
        {
            string folder = Path.Combine(frames, clip);
            if (Directory.Exists(folder) && FrameFolder.CountFrames(folder) is { } count)
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"{folder} {count} {label}");
            }
            else
            {
                missing.Add($"{clip} (frames)");
            }
        }
    }

    private static LabelMap Classes(string path)
    {
        var names = new SortedDictionary<int, string>();
        foreach ((int number, string line) in ListFile.Lines(ListFile.ReadText(path, "classes")))
        {
            string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length != 2 || !int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out int index) || !names.TryAdd(index, words[1]))
            {
                throw new DatasetException($"read classes: line {number}: expected a new number and a name, found '{Excerpt.Of(line)}'", path);
            }
        }

        return names.Count > 0 && names.Keys.First() == 1 && names.Keys.Last() == names.Count
            ? new LabelMap(names.Values)
            : throw new DatasetException($"read classes: expected the numbers 1 to {names.Count}, found others", path);
    }

    private static IEnumerable<(string Clip, int Label)> Clips(string path, LabelMap labels)
    {
        foreach ((int number, string line) in ListFile.Lines(ListFile.ReadText(path, "split")))
        {
            // The label is looked up by the folder, in both kinds of lists; the number in trainlist0N.txt says the same.
            string clip = line.Split((char[]?)null, 2)[0];
            string[] parts = clip.Split('/');
            if (parts.Length != 2 || !labels.TryGetIndex(parts[0], out int label))
            {
                throw new DatasetException($"read split: line {number}: expected CLASS/video.avi with a class of classInd.txt, found '{Excerpt.Of(clip)}'{NearestName.Suggestion(parts[0], labels.Names)}", path);
            }

            yield return ($"{parts[0]}/{Path.GetFileNameWithoutExtension(parts[1])}", label);
        }
    }
}
