namespace Kinora.Paddle;

/// <summary>What an <see cref="IOException"/> of the disk means; .NET only says so by the operating system's numbers.</summary>
internal static class DiskFailure
{
    // Linux's and macOS's errno, Windows' HRESULT.
    private const int NoSpace = 28, LinuxQuota = 122, MacQuota = 69, WindowsFull = unchecked((int)0x80070070);
    private const int LinuxAgain = 11, MacAgain = 35, WindowsSharing = unchecked((int)0x80070020);

    /// <summary>Whether there is no room left.</summary>
    public static bool IsFull(IOException e) => e.HResult is NoSpace or LinuxQuota or MacQuota or WindowsFull;

    /// <summary>Whether somebody else has the file open.</summary>
    public static bool IsSharing(IOException e) => e.HResult is LinuxAgain or MacAgain or WindowsSharing;

    /// <summary>The failure of writing a file, in words.</summary>
    /// <param name="e">What the disk said.</param>
    /// <param name="path">The file that was being written.</param>
    /// <param name="written">Its bytes so far.</param>
    /// <param name="total">Its bytes in the end, if known.</param>
    /// <param name="url">Where it comes from.</param>
    public static DownloadException Describe(Exception e, string path, long written, long? total, Uri? url) => new(
        e is IOException io && IsFull(io)
            ? $"download: the disk is full after {written}{(total is { } all ? $" of {all}" : "")} bytes; make room, or set KINORA_CACHE to a folder elsewhere, and try again: what is there is kept"
            : $"download: cannot write: {e.Message}",
        url,
        path,
        e);

    /// <summary>Refuses a transfer that can't fit, before it begins.</summary>
    /// <param name="path">The file that will be written.</param>
    /// <param name="needed">Bytes that are still to come.</param>
    /// <param name="url">Where it comes from.</param>
    public static void RequireSpace(string path, long needed, Uri? url)
    {
        long free;
        try
        {
            free = new DriveInfo(Path.GetDirectoryName(path)!).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return; // Some file systems don't say; then writing will.
        }

        if (free < needed)
        {
            throw new DownloadException(
                $"download: expected {needed} bytes of free space, found {free}; make room, or set KINORA_CACHE to a folder elsewhere", url, path);
        }
    }
}
