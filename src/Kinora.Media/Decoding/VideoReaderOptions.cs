namespace Kinora.Media;

/// <summary>How a video is decoded, and what a file may cost at most.</summary>
public sealed record VideoReaderOptions
{
    /// <summary>Which YUV matrix makes RGB.</summary>
    public ColorMatrix Color { get; init; } = ColorMatrix.FromStream;

    /// <summary>Whether frames are turned upright as the container asks (decord and players do; OpenCV and PyAV don't).</summary>
    public bool ApplyRotation { get; init; } = true;

    /// <summary>Time that opening, and each reading, may take; zero for no limit.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Largest width × height of one frame.</summary>
    public long MaxPixels { get; init; } = 32L << 20;

    /// <summary>Most packets of the video stream, hence frames.</summary>
    public int MaxFrames { get; init; } = 1 << 20;

    /// <summary>Largest file, in bytes.</summary>
    public long MaxFileBytes { get; init; } = 16L << 30;

    /// <summary>Most streams of all kinds that a file may declare.</summary>
    public int MaxStreams { get; init; } = 64;

    /// <summary>
    /// Compressed bytes kept in memory, which makes random access a matter of decoding alone. Where a video needs more,
    /// its packets are read from the file again: slower, with the same result.
    /// </summary>
    public long MaxCacheBytes { get; init; } = 256L << 20;
}
