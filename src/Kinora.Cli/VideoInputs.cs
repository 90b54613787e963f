using Kinora.Data;
using Microsoft.Extensions.FileSystemGlobbing;

namespace Kinora.Cli;

/// <summary>Turns what a user names (files, folders, patterns) into a list of videos.</summary>
internal static class VideoInputs
{
    /// <summary>Expands names into videos, without duplicates.</summary>
    /// <param name="names">Files, folders (searched through for videos; one with numbered images is a video itself) and patterns such as <c>clips/**/*.mp4</c>.</param>
    /// <returns>Paths in the order named; inside a folder or pattern in ordinal order.</returns>
    /// <exception cref="MediaException">A name leads to nothing.</exception>
    public static IReadOnlyList<string> Expand(IEnumerable<string> names)
    {
        List<string> videos = [];
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (string name in names)
        {
            string[] found = Find(name);
            videos.AddRange(found.Where(path => seen.Add(Path.GetFullPath(path))));
        }

        return videos;
    }

    private static string[] Find(string name)
    {
        if (File.Exists(name))
        {
            return [name];
        }

        if (Directory.Exists(name))
        {
            if (IsFrameFolder(name))
            {
                return [name];
            }

            string[] inside = [.. Directory.EnumerateFiles(name, "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true })
                .Where(path => DatasetFolder.IsVideoName(path))
                .Order(StringComparer.Ordinal)];
            return inside.Length > 0
                ? inside
                : throw new MediaException($"find videos: expected files such as .mp4 or .avi in the folder, found none; name another folder", name);
        }

        if (name.AsSpan().IndexOfAny('*', '?') >= 0)
        {
            string[] matched = Match(name);
            return matched.Length > 0 ? matched : throw new MediaException("find videos: no file matches the pattern; check the folder and the quotes", name);
        }

        throw new MediaException("find videos: no such file or folder; check the name", name);
    }

    private static string[] Match(string pattern)
    {
        // The part before the first wildcard is a plain folder; the matcher sees only the rest.
        string full = Path.IsPathRooted(pattern) ? pattern : Path.Combine(".", pattern);
        int wildcard = full.IndexOfAny(['*', '?']);
        int cut = full.LastIndexOf('/', wildcard);
        string folder = cut <= 0 ? "/" : full[..cut];
        if (!Directory.Exists(folder))
        {
            return [];
        }

        Matcher matcher = new(StringComparison.Ordinal);
        matcher.AddInclude(full[(cut + 1)..]);
        return [.. matcher.GetResultsInFullPath(folder).Order(StringComparer.Ordinal)
            .Select(path => Path.IsPathRooted(pattern) ? path : Path.GetRelativePath(".", path))];
    }

    private static bool IsFrameFolder(string folder) =>
        Directory.EnumerateFiles(folder, "img_*.jpg").Any() && !Directory.EnumerateDirectories(folder).Any();
}
