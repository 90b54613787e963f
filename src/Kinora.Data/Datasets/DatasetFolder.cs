using Kinora.Media;

namespace Kinora.Data;

/// <summary>What <see cref="DatasetFolder"/> does about parts that a folder lacks.</summary>
public sealed record DatasetFolderOptions
{
    /// <summary>Seed of the division; by default always the same.</summary>
    public ulong Seed { get; init; }

    /// <summary>Share of each class held out for validation where there is no such folder, in [0, 0.5].</summary>
    public double ValidationShare { get; init; } = 0.15;

    /// <summary>Share of each class held out for the test where there is no such folder, in [0, 0.5]; 0: no test part.</summary>
    public double TestShare { get; init; } = 0.15;
}

/// <summary>
/// Data sets that are folders: a folder a class with videos inside, optionally below <c>train</c>, <c>val</c> (or
/// <c>valid</c>, <c>validation</c>) and <c>test</c>. A folder of numbered frames (img_00001.jpg …) counts as one video.
/// A pack (see <see cref="ClipPack"/>) stands for the folder or lists that it was made of.
/// </summary>
public static class DatasetFolder
{
    private static readonly string[] _videoExtensions =
    [
        ".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts", ".webm", ".wmv",
    ];

    private static readonly string[] _trainNames = ["train", "training"];
    private static readonly string[] _validationNames = ["val", "valid", "validation"];
    private static readonly string[] _testNames = ["test", "testing"];

    /// <summary>Whether a file name has the extension of a video.</summary>
    /// <param name="path">File name or path; the file needn't exist.</param>
    /// <returns>True for .mp4, .avi, .mkv, .mov, .webm and their like, in any case.</returns>
    public static bool IsVideoName(string path) => _videoExtensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>Reads the structure of a folder; no video is opened.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="options">How to make missing parts; null: the defaults.</param>
    /// <returns>
    /// The parts. Labels are the names of all class folders of all parts in ordinal order; samples are in ordinal order
    /// of class, then path. Every file with the extension of a video is a sample, readable or not.
    /// </returns>
    /// <exception cref="DatasetException">The folder is missing, has no class folders or no videos, or its parts are ambiguous.</exception>
    /// <exception cref="MediaException">The folder is a damaged pack.</exception>
    public static DatasetSplits Load(string folder, DatasetFolderOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        options ??= new DatasetFolderOptions();
        if (!Directory.Exists(folder))
        {
            throw new DatasetException($"load data set: expected a folder, found {(File.Exists(folder) ? "a file" : "nothing")}; give a folder with one folder a class", folder);
        }

        var empty = new List<string>();
        (VideoDataset trainSet, VideoDataset? validationSet, VideoDataset? testSet, List<string> ignored) =
            ClipPack.IsPack(folder) ? PackDataset.Parts(folder) : Parts(folder, empty);
        bool holdOutTest = testSet is null && options.TestShare > 0, holdOutValidation = validationSet is null;
        if (holdOutTest || holdOutValidation)
        {
            // The test part first: adding a val folder later doesn't change who is in it.
            (trainSet, VideoDataset[] heldOut) = StratifiedSplit.HoldOut(
                trainSet, [(holdOutTest ? options.TestShare : 0, "test"), (holdOutValidation ? options.ValidationShare : 0, "val")], options.Seed);
            testSet = holdOutTest ? heldOut[0] : testSet;
            validationSet = holdOutValidation ? heldOut[1] : validationSet;
        }

        ignored.Sort(StringComparer.Ordinal);
        return new DatasetSplits(trainSet, validationSet!, testSet is { Samples.Count: 0 } ? null : testSet)
        {
            Ignored = ignored,
            EmptyClasses = [.. empty.Where(e => !trainSet.Labels.TryGetIndex(Path.GetFileName(e), out _)).Order(StringComparer.Ordinal)],
            ValidationHeldOut = holdOutValidation,
            TestHeldOut = holdOutTest && testSet is { Samples.Count: > 0 },
        };
    }

    private static (VideoDataset Train, VideoDataset? Validation, VideoDataset? Test, List<string> Ignored) Parts(string folder, List<string> empty)
    {
        string? train = Part(folder, _trainNames), validation = Part(folder, _validationNames), test = Part(folder, _testNames);
        bool divided = train is not null && Directory.EnumerateDirectories(train).Any();
        var ignored = new List<string>();
        List<Found> trainFound = Scan(divided ? train! : folder, ignored, empty);
        List<Found> validationFound = divided && validation is not null ? Scan(validation, ignored, empty) : [];
        List<Found> testFound = divided && test is not null ? Scan(test, ignored, empty) : [];
        if (divided)
        {
            string[] parts = [.. new[] { train, validation, test }.OfType<string>()];
            ignored.AddRange(Directory.EnumerateFileSystemEntries(folder).Where(e => !parts.Contains(e) && !IsSideFile(e)));
        }

        if (trainFound.Count == 0)
        {
            throw Empty(divided ? train! : folder);
        }

        string[] names = [.. trainFound.Concat(validationFound).Concat(testFound).Select(f => f.Class).Distinct().Order(StringComparer.Ordinal)];
        if (!divided && names.All(n => _trainNames.Concat(_validationNames).Concat(_testNames).Contains(n, StringComparer.OrdinalIgnoreCase)))
        {
            throw new DatasetException(
                $"load data set: expected train/CLASS/video or CLASS/video, found videos directly inside {string.Join(", ", names)}; put them into one folder a class", folder);
        }

        var labels = new LabelMap(names);
        return (
            Dataset(trainFound, labels, "train"),
            divided && validation is not null ? Dataset(validationFound, labels, "val") : null,
            divided && test is not null ? Dataset(testFound, labels, "test") : null,
            ignored);
    }

    private static string? Part(string folder, string[] names)
    {
        string[] found = [.. Directory.EnumerateDirectories(folder).Where(d => names.Contains(Path.GetFileName(d), StringComparer.OrdinalIgnoreCase)).Order(StringComparer.Ordinal)];
        return found.Length switch
        {
            0 => null,
            1 => found[0],
            _ => throw new DatasetException(
                $"load data set: expected one of {string.Join(", ", names)}, found {string.Join(" and ", found.Select(Path.GetFileName))}; keep one", folder),
        };
    }

    private static List<Found> Scan(string folder, List<string> ignored, List<string> empty)
    {
        var found = new List<Found>();
        foreach (string entry in Directory.EnumerateFileSystemEntries(folder).Order(StringComparer.Ordinal))
        {
            if (IsSideFile(entry))
            {
                continue;
            }

            if (!Directory.Exists(entry) || IsHidden(entry))
            {
                ignored.Add(entry);
                continue;
            }

            int before = found.Count;
            ScanClass(entry, Path.GetFileName(entry), found, ignored);
            if (found.Count == before)
            {
                ignored.Add(entry);
                empty.Add(entry);
            }
        }

        return found;
    }

    // Folders inside a class folder are frame folders, or just another level.
    private static void ScanClass(string folder, string className, List<Found> found, List<string> ignored)
    {
        foreach (string entry in Directory.EnumerateFileSystemEntries(folder).Order(StringComparer.Ordinal))
        {
            if (IsHidden(entry))
            {
                ignored.Add(entry);
            }
            else if (!Directory.Exists(entry))
            {
                if (IsVideoName(entry))
                {
                    found.Add(new Found(className, entry, null));
                }
                else
                {
                    ignored.Add(entry);
                }
            }
            else if (FrameFolder.CountFrames(entry) is int frames)
            {
                found.Add(new Found(className, entry, frames));
            }
            else
            {
                int before = found.Count;
                ScanClass(entry, className, found, ignored);
                if (found.Count == before)
                {
                    ignored.Add(entry);
                }
            }
        }
    }

    // What 'data synth', 'data list' and 'data frames' write beside the class folders.
    private static bool IsSideFile(string path) =>
        !Directory.Exists(path) && (Path.GetFileName(path) is "classes.txt" or "manifest.json" or ".kinora-frames" || Path.GetExtension(path) == ".list");

    private static bool IsHidden(string path) => Path.GetFileName(path).StartsWith('.');

    private static VideoDataset Dataset(List<Found> found, LabelMap labels, string name) =>
        new([.. found.Select(f => new VideoSample(f.Path, labels.TryGetIndex(f.Class, out int label) ? label : -1, f.Frames))], labels, name);

    private static DatasetException Empty(string folder)
    {
        int videos = Directory.EnumerateFiles(folder).Count(IsVideoName);
        return new DatasetException(
            videos > 0
                ? $"load data set: expected one folder a class with videos inside, found {videos} videos without a class folder; move them into folders named after their classes"
                : $"load data set: expected one folder a class with videos ({string.Join(" ", _videoExtensions)}) or frame folders (img_00001.jpg …) inside, found none",
            folder);
    }

    private sealed record Found(string Class, string Path, int? Frames);
}

/// <summary>Recognises folders of numbered frames.</summary>
internal static class FrameFolder
{
    /// <summary>The number of frames, or null where the folder has no first frame.</summary>
    public static int? CountFrames(string folder)
    {
        if (!File.Exists(Path.Combine(folder, "img_00001.jpg")))
        {
            return null;
        }

        // The highest number counts, so that a gap shows as an unreadable frame rather than as a shorter video.
        int last = 1;
        foreach (string file in Directory.EnumerateFiles(folder, "img_*.jpg"))
        {
            ReadOnlySpan<char> digits = Path.GetFileNameWithoutExtension(file.AsSpan())[4..];
            if (int.TryParse(digits, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int number))
            {
                last = Math.Max(last, number);
            }
        }

        return last;
    }
}
