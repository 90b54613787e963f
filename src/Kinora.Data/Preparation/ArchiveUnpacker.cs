using System.Formats.Tar;
using System.IO.Compression;

namespace Kinora.Data;

/// <summary>Unpacks zip and tar archives from strangers: nothing is written outside the folder, and links are refused.</summary>
public static class ArchiveUnpacker
{
    /// <summary>Unpacks an archive. Files that are there with the right size are passed over, so it may be interrupted.</summary>
    /// <param name="archive">A .zip, .tar, .tar.gz or .tgz file.</param>
    /// <param name="folder">Where its files go.</param>
    /// <param name="ct">Stops between files.</param>
    /// <returns>Number of files in the archive.</returns>
    /// <exception cref="DatasetException">Another kind of archive, a damaged one, or one that reaches outside the folder.</exception>
    public static int Unpack(string archive, string folder, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(archive);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        folder = Path.GetFullPath(folder);
        string name = Path.GetFileName(archive).ToLowerInvariant();
        try
        {
            using FileStream file = new(archive, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
            if (name.EndsWith(".zip", StringComparison.Ordinal))
            {
                return Zip(file, archive, folder, ct);
            }

            bool zipped = name.EndsWith(".tar.gz", StringComparison.Ordinal) || name.EndsWith(".tgz", StringComparison.Ordinal);
            if (zipped || name.EndsWith(".tar", StringComparison.Ordinal))
            {
                // Once to look, once to write: nothing of an archive with a bad entry is written.
                _ = Tar(file, zipped, archive, folder, write: false, ct);
                file.Position = 0;
                return Tar(file, zipped, archive, folder, write: true, ct);
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or IOException or UnauthorizedAccessException or FormatException)
        {
            throw new DatasetException($"unpack: {e.Message.ReplaceLineEndings(" ")}", archive, e);
        }

        throw new DatasetException(
            name.EndsWith(".rar", StringComparison.Ordinal)
                ? $"unpack: expected a zip or tar archive, found RAR, which is a closed format: unpack it with 'unrar x {Path.GetFileName(archive)}' (or 7z, bsdtar) into the source folder, and run again without --url"
                : "unpack: expected .zip, .tar, .tar.gz or .tgz, found another kind of archive; unpack it yourself and run again without --url",
            archive);
    }

    private static int Zip(FileStream file, string archive, string folder, CancellationToken ct)
    {
        using ZipArchive zip = new(file, ZipArchiveMode.Read);
        var files = new List<(ZipArchiveEntry Entry, string Target)>();
        foreach (ZipArchiveEntry entry in zip.Entries)
        {
            // The upper half of the attributes of archives from Unix is the file's mode.
            const int fileType = 0xF000, link = 0xA000;
            string target = Target(entry.FullName, archive, folder);
            if (((entry.ExternalAttributes >> 16) & fileType) == link)
            {
                throw Refused($"the link '{Excerpt.Of(entry.FullName)}'", archive);
            }

            if (!entry.FullName.EndsWith('/') && !entry.FullName.EndsWith('\\'))
            {
                files.Add((entry, target));
            }
        }

        foreach ((ZipArchiveEntry entry, string target) in files)
        {
            ct.ThrowIfCancellationRequested();
            if (!IsThere(target, entry.Length))
            {
                using Stream content = entry.Open();
                AtomicFile.Write(target, content.CopyTo);
            }
        }

        return files.Count;
    }

    private static int Tar(FileStream file, bool zipped, string archive, string folder, bool write, CancellationToken ct)
    {
        int files = 0;
        using Stream? plain = zipped ? new GZipStream(file, CompressionMode.Decompress, leaveOpen: true) : null;
        using TarReader tar = new(plain ?? file, leaveOpen: true);
        while (tar.GetNextEntry() is { } entry)
        {
            ct.ThrowIfCancellationRequested();
            switch (entry.EntryType)
            {
                case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                    files++;
                    string target = Target(entry.Name, archive, folder);
                    if (write && !IsThere(target, entry.Length))
                    {
                        AtomicFile.Write(target, output => entry.DataStream?.CopyTo(output));
                    }

                    break;
                case TarEntryType.Directory or TarEntryType.GlobalExtendedAttributes:
                    break;
                default:
                    throw Refused($"'{Excerpt.Of(entry.Name)}', a {entry.EntryType}", archive);
            }
        }

        return files;
    }

    private static bool IsThere(string target, long length) => new FileInfo(target) is { Exists: true } there && there.Length == length;

    private static string Target(string name, string archive, string folder)
    {
        string relative = name.Replace('\\', '/');
        string target = relative.Length > 0 && !relative.Contains('\0', StringComparison.Ordinal) ? Path.GetFullPath(Path.Combine(folder, relative)) : "";
        return target.StartsWith(folder.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal) && !Path.IsPathRooted(relative) && !relative.Split('/').Contains("..")
            ? target
            : throw Refused($"'{Excerpt.Of(name)}', which leads elsewhere", archive);
    }

    private static DatasetException Refused(string found, string archive) => new($"unpack: expected files inside the folder only, found {found}; nothing of it was written: don't trust this archive", archive);
}
