namespace Kinora.Paddle;

/// <summary>What a download reports while it goes on.</summary>
public abstract record DownloadProgress
{
    private DownloadProgress()
    {
    }

    /// <summary>How far it is.</summary>
    /// <param name="Bytes">Bytes on the disk, with those of earlier tries.</param>
    /// <param name="Total">Bytes of the whole file; null where the server doesn't say.</param>
    public sealed record Received(long Bytes, long? Total) : DownloadProgress;

    /// <summary>Something worth a line: another process has the file, a try failed, a file was damaged.</summary>
    /// <param name="Message">One line.</param>
    public sealed record Notice(string Message) : DownloadProgress;
}
