namespace Kinora.Paddle;

/// <summary>A file can't be fetched: the network, the server, the disk, or a checksum that doesn't fit.</summary>
/// <param name="message">One line: operation, expected, found, what to do.</param>
/// <param name="url">Where the file was asked for.</param>
/// <param name="path">Where it was to go.</param>
/// <param name="inner">The cause, if any.</param>
public sealed class DownloadException(string message, Uri? url = null, string? path = null, Exception? inner = null)
    : KinoraException(message, path, inner)
{
    /// <summary>Where the file was asked for, or null.</summary>
    public Uri? Url { get; } = url;
}

/// <summary>A try that failed in a way that the next one may not: it is repeated, and never leaves the downloader.</summary>
/// <param name="message">What happened.</param>
/// <param name="retryAfter">How long the server asks to wait.</param>
/// <param name="inner">The cause, if any.</param>
internal sealed class PassingFailure(string message, TimeSpan? retryAfter = null, Exception? inner = null) : Exception(message, inner)
{
    public TimeSpan? RetryAfter { get; } = retryAfter;
}
