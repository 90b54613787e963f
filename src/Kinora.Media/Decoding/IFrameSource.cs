namespace Kinora.Media;

/// <summary>Frames by index: a video file or a folder of pictures. One thread at a time.</summary>
public interface IFrameSource : IDisposable
{
    /// <summary>Number of frames; at least 1.</summary>
    int FrameCount { get; }

    /// <summary>Width of all frames in pixels, as shown (after rotation).</summary>
    int Width { get; }

    /// <summary>Height of all frames in pixels, as shown (after rotation).</summary>
    int Height { get; }

    /// <summary>Average frame rate; 0 if unknown, as for pictures without a time.</summary>
    double FramesPerSecond { get; }

    /// <summary>Decodes frames into the caller's memory.</summary>
    /// <param name="indices">Frame indices in [0, FrameCount), in any order, repeats allowed.</param>
    /// <param name="destination">Receives indices.Length frames in the order of <paramref name="indices"/>: [n, Height, Width, 3] bytes, RGB.</param>
    /// <param name="cancellationToken">Stops the decoding.</param>
    /// <exception cref="ArgumentException">An index is out of range, or the destination is too small.</exception>
    /// <exception cref="MediaException">A frame can't be decoded correctly; the message names it. The destination's content is then undefined.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    void ReadFrames(ReadOnlySpan<int> indices, Span<byte> destination, CancellationToken cancellationToken = default);

    /// <summary>
    /// Decodes frames one by one, so that the caller needs memory for one frame only. The source can't be used
    /// otherwise until the sequence is disposed.
    /// </summary>
    /// <param name="indices">Frame indices in [0, FrameCount), in any order, repeats allowed.</param>
    /// <param name="cancellationToken">Stops the decoding.</param>
    /// <returns>The frames, each distinct index once; the caller disposes the sequence.</returns>
    /// <exception cref="ArgumentException">An index is out of range.</exception>
    FrameSequence Frames(ReadOnlySpan<int> indices, CancellationToken cancellationToken = default) =>
        new SingleFrames(this, indices, cancellationToken);
}
