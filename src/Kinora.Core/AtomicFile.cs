namespace Kinora;

/// <summary>
/// Writes files so that a reader, a crash or a full disk never meets half of one: the content goes to a temporary
/// name in the same folder, is flushed to the disk, and takes its final name by a rename.
/// </summary>
public static class AtomicFile
{
    /// <summary>Creates or replaces a file with what <paramref name="write"/> puts into the stream.</summary>
    /// <param name="path">Final name; missing folders are created.</param>
    /// <param name="write">Writes the content; if it throws, nothing is left behind and the old file stays.</param>
    public static void Write(string path, Action<FileStream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        WriteNamed(path, temporary =>
        {
            using var stream = new FileStream(temporary, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16);
            write(stream);
            stream.Flush(flushToDisk: true);
        });
    }

    /// <summary>Creates or replaces a file through a writer that insists on a file name (an encoder, say).</summary>
    /// <param name="path">Final name; missing folders are created.</param>
    /// <param name="write">Gets the temporary name, which keeps the extension of <paramref name="path"/>.</param>
    public static void WriteNamed(string path, Action<string> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        using var pending = new PendingFile(path);
        write(pending.TemporaryPath);
        pending.Commit();
    }

    /// <summary>Creates or replaces a UTF-8 text file.</summary>
    /// <param name="path">Final name; missing folders are created.</param>
    /// <param name="text">The content.</param>
    public static void WriteText(string path, string text) =>
        Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));
}

/// <summary>
/// A file in the making, for writers whose work spans several calls: write to <see cref="TemporaryPath"/>, then
/// <see cref="Commit"/>. Disposing without it leaves nothing behind and the old file in place.
/// </summary>
public sealed class PendingFile : IDisposable
{
    private static int s_last;

    private readonly string _path;
    private bool _committed;

    /// <summary>Chooses a temporary name in the folder of the final one; no file is created yet.</summary>
    /// <param name="path">Final name; missing folders are created.</param>
    public PendingFile(string path)
    {
        _path = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(_path)!;
        Directory.CreateDirectory(folder);
        TemporaryPath = Path.Combine(folder,
            $".{Path.GetFileNameWithoutExtension(_path)}.{Environment.ProcessId:x}-{Interlocked.Increment(ref s_last):x}.tmp{Path.GetExtension(_path)}");
    }

    /// <summary>Where the content goes; keeps the extension of the final name.</summary>
    public string TemporaryPath { get; }

    /// <summary>Flushes the written and closed file to the disk and gives it its final name.</summary>
    public void Commit()
    {
        using (FileStream written = new(TemporaryPath, FileMode.Open, FileAccess.ReadWrite))
        {
            written.Flush(flushToDisk: true);
        }

        File.Move(TemporaryPath, _path, overwrite: true);
        _committed = true;
    }

    /// <summary>Deletes the temporary file unless it was committed.</summary>
    public void Dispose()
    {
        if (!_committed)
        {
            File.Delete(TemporaryPath);
        }
    }
}
