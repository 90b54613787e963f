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
        string full = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(full)!;
        Directory.CreateDirectory(folder);
        string temporary = Path.Combine(folder,
            $".{Path.GetFileNameWithoutExtension(full)}.{Environment.ProcessId:x}{Environment.CurrentManagedThreadId:x}.tmp{Path.GetExtension(full)}");
        try
        {
            write(temporary);
            using (FileStream written = new(temporary, FileMode.Open, FileAccess.ReadWrite))
            {
                written.Flush(flushToDisk: true);
            }

            File.Move(temporary, full, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Creates or replaces a UTF-8 text file.</summary>
    /// <param name="path">Final name; missing folders are created.</param>
    /// <param name="text">The content.</param>
    public static void WriteText(string path, string text) =>
        Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));
}
