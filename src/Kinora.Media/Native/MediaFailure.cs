namespace Kinora.Media.Native;

/// <summary>Turns native statuses into exceptions.</summary>
internal static unsafe class MediaFailure
{
    /// <summary>Throws unless the call succeeded.</summary>
    /// <param name="status">What the call returned.</param>
    /// <param name="error">What it wrote.</param>
    /// <param name="path">The file, for the message.</param>
    /// <param name="cancellationToken">Passed on where the call was cancelled.</param>
    /// <exception cref="MediaException">The file is at fault.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    internal static void Check(MediaStatus status, NativeError* error, string? path, CancellationToken cancellationToken = default)
    {
        if (status == MediaStatus.Ok)
        {
            return;
        }

        string message = NativeError.Message(error);
        throw status switch
        {
            MediaStatus.Cancelled => new OperationCanceledException(message, cancellationToken),
            MediaStatus.Argument => new ArgumentException(message),
            MediaStatus.Memory => new OutOfMemoryException(message),
            _ => new MediaException(message, path),
        };
    }
}
