using System.Buffers;
using Kinora.Media.Native;

namespace Kinora.Media;

/// <summary>
/// A video file, decoded frame-exactly by index. Opening reads the compressed stream once and builds an index; reading
/// decodes only what the wanted frames depend on. One thread at a time; several readers run in parallel.
/// </summary>
/// <remarks>
/// Frames equal those of the ffmpeg command (<c>-vsync passthrough -pix_fmt rgb24</c>) bit for bit. A frame whose data
/// is damaged is an error, never a neighbour in its place.
/// </remarks>
public sealed class VideoReader : IFrameSource
{
    private readonly ReaderHandle _handle;
    private readonly string? _path;
    private readonly double[] _timestamps;
    private readonly bool[] _keyframes;
    private MemoryHandle _pin;
    private int _busy;

    private unsafe VideoReader(ReaderHandle handle, string? path, MemoryHandle pin)
    {
        _handle = handle;
        _path = path;
        _pin = pin;
        NativeReaderInfo info;
        _ = MediaMethods.ReaderGetInfo(handle, &info);
        Width = info.Width;
        Height = info.Height;
        Rotation = info.Rotation;
        FrameCount = info.FrameCount;
        FramesPerSecond = info.FramesPerSecond;
        Duration = TimeSpan.FromSeconds(Math.Clamp(info.DurationSeconds, 0, TimeSpan.MaxValue.TotalSeconds / 2));
        HasTimestamps = info.Counted == 0;
        IsCached = info.Cached != 0;
        Codec = Utf8.Read(info.Codec, 32);
        Container = Utf8.Read(info.Container, 64);
        _timestamps = new double[FrameCount];
        _keyframes = new bool[FrameCount];
        fixed (double* seconds = _timestamps)
        fixed (bool* keyframes = _keyframes)
        {
            _ = MediaMethods.ReaderGetTimes(handle, seconds, (byte*)keyframes, FrameCount);
        }
    }

    /// <inheritdoc/>
    public int FrameCount { get; }

    /// <inheritdoc/>
    public int Width { get; }

    /// <inheritdoc/>
    public int Height { get; }

    /// <summary>The turn that the container asks for, in degrees clockwise: 0, 90, 180 or 270. Applied unless the options say otherwise.</summary>
    public int Rotation { get; }

    /// <inheritdoc/>
    public double FramesPerSecond { get; }

    /// <summary>Duration as the container states it; zero if unknown.</summary>
    public TimeSpan Duration { get; }

    /// <summary>FFmpeg's name of the codec, such as <c>h264</c>.</summary>
    public string Codec { get; }

    /// <summary>FFmpeg's name of the container format, such as <c>mov,mp4,m4a,3gp,3g2,mj2</c>.</summary>
    public string Container { get; }

    /// <summary>
    /// Whether the stream's timestamps give the order of the frames. Where they don't (AVI with B-frames), frames are
    /// counted from the start of the file and <see cref="TimestampsSeconds"/> follows from the frame rate.
    /// </summary>
    public bool HasTimestamps { get; }

    /// <summary>Presentation time of each frame in seconds, increasing.</summary>
    public ReadOnlySpan<double> TimestampsSeconds => _timestamps;

    /// <summary>For each frame, whether it is a keyframe.</summary>
    public ReadOnlySpan<bool> IsKeyframe => _keyframes;

    /// <summary>Whether all compressed packets are held in memory.</summary>
    internal bool IsCached { get; }

    /// <summary>What the last reading cost.</summary>
    internal NativeReadStatistics LastStatistics { get; private set; }

    /// <summary>Versions of the FFmpeg libraries in use.</summary>
    /// <exception cref="NativeException">The native library is missing.</exception>
    public static string LibraryVersions => MediaLibrary.Versions;

    /// <summary>Opens a video file.</summary>
    /// <param name="path">A regular file.</param>
    /// <param name="options">Colour, rotation and limits; null for the defaults.</param>
    /// <param name="cancellationToken">Stops the opening.</param>
    /// <returns>The reader, owned by the caller.</returns>
    /// <exception cref="MediaException">Not a readable video, or beyond a limit.</exception>
    /// <exception cref="NativeException">The native library is missing.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static VideoReader Open(string path, VideoReaderOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Open(path, default, options ?? new VideoReaderOptions(), cancellationToken);
    }

    /// <summary>Opens a video file that is already in memory.</summary>
    /// <param name="file">The file's bytes; pinned, and not to be changed, until the reader is disposed.</param>
    /// <param name="options">Colour, rotation and limits; null for the defaults.</param>
    /// <param name="cancellationToken">Stops the opening.</param>
    /// <returns>The reader, owned by the caller.</returns>
    /// <exception cref="MediaException">Not a readable video, or beyond a limit.</exception>
    /// <exception cref="NativeException">The native library is missing.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static VideoReader Open(ReadOnlyMemory<byte> file, VideoReaderOptions? options = null, CancellationToken cancellationToken = default)
    {
        if (file.IsEmpty)
        {
            throw new MediaException("opening: expected a video file, found an empty one");
        }

        return Open(null, file, options ?? new VideoReaderOptions(), cancellationToken);
    }

    /// <inheritdoc/>
    public unsafe void ReadFrames(ReadOnlySpan<int> indices, Span<byte> destination, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        FrameSource.CheckRequest(this, indices, destination);
        cancellationToken.ThrowIfCancellationRequested();
        if (indices.IsEmpty)
        {
            return;
        }

        Enter();
        try
        {
            using var cancel = new CancellationFlag(cancellationToken);
            NativeError error;
            NativeReadStatistics statistics;
            fixed (int* frames = indices)
            fixed (byte* output = destination)
            {
                MediaStatus status = MediaMethods.ReaderRead(_handle, frames, indices.Length, output, destination.Length, cancel.Address, &statistics, &error);
                LastStatistics = statistics;
                MediaFailure.Check(status, &error, _path, cancellationToken);
            }
        }
        finally
        {
            Leave();
        }
    }

    /// <inheritdoc/>
    public unsafe FrameSequence Frames(ReadOnlySpan<int> indices, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        FrameSource.CheckIndices(this, indices);
        cancellationToken.ThrowIfCancellationRequested();
        if (indices.IsEmpty)
        {
            return new SingleFrames(this, indices, cancellationToken);
        }

        Enter();
        NativeError error;
        fixed (int* frames = indices)
        {
            MediaStatus status = MediaMethods.ReaderBegin(_handle, frames, indices.Length, &error);
            if (status != MediaStatus.Ok)
            {
                Leave();
            }

            MediaFailure.Check(status, &error, _path, cancellationToken);
        }

        return new Sequence(this, cancellationToken);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        _handle.Dispose();
        _pin.Dispose();
        _pin = default;
    }

    private void Enter()
    {
        if (Interlocked.Exchange(ref _busy, 1) != 0)
        {
            throw new InvalidOperationException("a VideoReader serves one reading at a time");
        }
    }

    private void Leave() => Volatile.Write(ref _busy, 0);

    private static unsafe VideoReader Open(string? path, ReadOnlyMemory<byte> file, VideoReaderOptions options, CancellationToken cancellationToken)
    {
        MediaLibrary.Ensure();
        cancellationToken.ThrowIfCancellationRequested();
        var native = new NativeReaderOptions
        {
            MaxPixels = options.MaxPixels,
            MaxFileBytes = options.MaxFileBytes,
            MaxCacheBytes = options.MaxCacheBytes,
            MaxFrames = options.MaxFrames,
            MaxStreams = options.MaxStreams,
            DeadlineMilliseconds = (int)Math.Clamp(options.Deadline.TotalMilliseconds, 0, int.MaxValue),
            Color = (int)options.Color,
            ApplyRotation = options.ApplyRotation ? 1 : 0,
        };
        using var cancel = new CancellationFlag(cancellationToken);
        MemoryHandle pin = file.Pin();
        NativeError error;
        MediaStatus status = MediaMethods.ReaderOpen(path, (byte*)pin.Pointer, file.Length, &native, cancel.Address, out ReaderHandle handle, &error);
        if (status != MediaStatus.Ok)
        {
            handle.Dispose();
            pin.Dispose();
        }

        MediaFailure.Check(status, &error, path, cancellationToken);
        return new VideoReader(handle, path, pin);
    }

    private sealed class Sequence(VideoReader reader, CancellationToken cancellationToken) : FrameSequence
    {
        private readonly CancellationFlag _cancel = new(cancellationToken);
        private bool _ended;
        private bool _failed;
        private bool _disposed;

        public override unsafe bool Next(Span<byte> frame, out int index)
        {
            ObjectDisposedException.ThrowIf(reader._handle.IsClosed, reader);
            if ((long)frame.Length < (long)reader.Width * reader.Height * 3)
            {
                throw new ArgumentException($"expected room for {(long)reader.Width * reader.Height * 3} bytes, found {frame.Length}", nameof(frame));
            }

            index = -1;
            if (_failed)
            {
                throw new InvalidOperationException("the sequence has failed before");
            }

            if (_ended)
            {
                return false;
            }

            NativeError error;
            int number;
            fixed (byte* output = frame)
            {
                MediaStatus status = MediaMethods.ReaderNext(reader._handle, output, frame.Length, _cancel.Address, &number, &error);
                _failed = status != MediaStatus.Ok;
                _ended = number < 0;
                MediaFailure.Check(status, &error, reader._path, cancellationToken);
            }

            index = number;
            return !_ended;
        }

        public override void Dispose()
        {
            if (!_disposed)
            {
                _disposed = _ended = true;
                _cancel.Dispose();
                reader.Leave();
            }
        }
    }
}
