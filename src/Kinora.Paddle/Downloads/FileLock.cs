namespace Kinora.Paddle;

/// <summary>
/// Keeps processes (and the threads of one) from fetching the same file at the same time. The lock is the operating
/// system's, so it ends with its process however that ends; the empty lock file stays, because deleting it would let two
/// holders in.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    private readonly FileStream _file;

    private FileLock(FileStream file) => _file = file;

    /// <summary>Waits for the lock.</summary>
    /// <param name="target">The file to be fetched; its folder must exist.</param>
    /// <param name="progress">Hears once that somebody else has it.</param>
    /// <param name="time">Clock of the waiting.</param>
    /// <param name="ct">Stops the waiting.</param>
    public static async Task<FileLock> AcquireAsync(string target, IProgress<DownloadProgress>? progress, TimeProvider time, CancellationToken ct)
    {
        string path = Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.lock");
        for (bool first = true; ; first = false)
        {
            try
            {
                return new FileLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0));
            }
            catch (IOException e) when (DiskFailure.IsSharing(e))
            {
                if (first)
                {
                    progress?.Report(new DownloadProgress.Notice($"another download of {Path.GetFileName(target)} is going on; waiting for it"));
                }
            }

            await Task.Delay(Poll, time, ct).ConfigureAwait(false);
        }
    }

    public void Dispose() => _file.Dispose();
}
