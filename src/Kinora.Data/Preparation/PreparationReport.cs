namespace Kinora.Data;

/// <summary>What was written for a public data set.</summary>
/// <param name="Videos">Folder in which the videos were found.</param>
/// <param name="Classes">Number of classes.</param>
/// <param name="Lists">The lists, in the order of writing.</param>
/// <param name="Missing">Clips of the official lists that aren't there, each once; also in <c>missing.txt</c>.</param>
/// <param name="Unlisted">Videos that are there and in no official list.</param>
public sealed record PreparationReport(string Videos, int Classes, IReadOnlyList<PreparedList> Lists, IReadOnlyList<string> Missing, int Unlisted);

/// <summary>One written list.</summary>
/// <param name="Path">The file.</param>
/// <param name="Clips">Its lines.</param>
/// <param name="Official">Clips that the official list names.</param>
public sealed record PreparedList(string Path, int Clips, int Official);

/// <summary>Finds files of data sets that people unpack in different ways.</summary>
internal static class PreparationFiles
{
    private static readonly EnumerationOptions _everywhere = new() { RecurseSubdirectories = true, IgnoreInaccessible = true };

    /// <summary>Files below a folder whose name a test accepts, in ordinal order.</summary>
    public static string[] Find(string folder, Func<string, bool> accepts) => Directory.Exists(folder)
        ? [.. Directory.EnumerateFiles(folder, "*", _everywhere).Where(f => accepts(Path.GetFileName(f))).Order(StringComparer.Ordinal)]
        : throw new DatasetException("prepare: expected a folder, found none", folder);

    /// <summary>Writes what is missing, or removes an old list of it.</summary>
    public static void WriteMissing(string folder, IReadOnlyList<string> missing)
    {
        string path = Path.Combine(folder, "missing.txt");
        if (missing.Count > 0)
        {
            AtomicFile.WriteText(path, string.Concat(missing.Select(m => m + "\n")));
        }
        else
        {
            File.Delete(path);
        }
    }
}
