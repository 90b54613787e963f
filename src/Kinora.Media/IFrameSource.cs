namespace Kinora.Media;

/// <summary>Frames by number: a video file, or a folder of images.</summary>
/// <remarks>One thread at a time.</remarks>
public interface IFrameSource : IDisposable
{
    /// <summary>Number of frames.</summary>
    int FrameCount { get; }

    /// <summary>Width in pixels, after rotation.</summary>
    int Width { get; }

    /// <summary>Height in pixels, after rotation.</summary>
    int Height { get; }

    /// <summary>Reads frames in any order; repeats are allowed.</summary>
    /// <param name="indices">Frame numbers in [0, FrameCount).</param>
    /// <param name="destination">indices.Length frames of Height · Width · 3 bytes, RGB, rows without gaps.</param>
    /// <param name="cancellationToken">Stops between frames.</param>
    /// <exception cref="MediaException">A frame can't be decoded, or an index lies outside.</exception>
    void ReadFrames(ReadOnlySpan<int> indices, Span<byte> destination, CancellationToken cancellationToken = default);
}
