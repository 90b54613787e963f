using System.Text;
using Kinora.Media.Native;

namespace Kinora.Media;

/// <summary>
/// Writes an H.264 MP4 file. The same frames and options give the same bytes: one thread, no dates in the file, no
/// choices that depend on the processor. The file appears under its name only when <see cref="Finish"/> has succeeded.
/// One thread at a time.
/// </summary>
/// <remarks>Colours are stored as BT.601, limited range, 4:2:0, which all decoders assume alike.</remarks>
public sealed class VideoWriter : IDisposable
{
    private readonly PendingFile _file;
    private readonly WriterHandle _handle;
    private readonly string _path;
    private long _frames;

    /// <summary>Starts a file.</summary>
    /// <param name="path">Final name; missing folders are created, an existing file is replaced by <see cref="Finish"/>.</param>
    /// <param name="width">Width in pixels; even, 2 to 8192.</param>
    /// <param name="height">Height in pixels; even, 2 to 8192.</param>
    /// <param name="framesPerSecond">Frame rate, more than 0, at most 1000; kept to a thousandth.</param>
    /// <param name="options">Encoding; null for the defaults.</param>
    /// <exception cref="ArgumentException">A value is out of range.</exception>
    /// <exception cref="MediaException">The encoder is missing, or the file can't be created.</exception>
    /// <exception cref="NativeException">The native library is missing.</exception>
    public unsafe VideoWriter(string path, int width, int height, double framesPerSecond, VideoWriterOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(framesPerSecond);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(framesPerSecond, 1000);
        options ??= new VideoWriterOptions();
        MediaLibrary.Ensure();
        _path = path;
        Width = width;
        Height = height;
        (int numerator, int denominator) = Rate(framesPerSecond);
        var native = new NativeWriterOptions
        {
            Width = width,
            Height = height,
            RateNumerator = numerator,
            RateDenominator = denominator,
            ConstantQuality = options.Quality,
            KeyframeInterval = options.KeyframeInterval,
            BFrames = options.BFrames,
            Rotation = options.Rotation,
        };
        if (!Enum.IsDefined(options.Preset))
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.Preset, "expected a preset of x264");
        }

        Encoding.ASCII.GetBytes(options.Preset.ToString().ToLowerInvariant(), new Span<byte>(native.Preset, 15));

        _file = new PendingFile(path);
        try
        {
            NativeError error;
            MediaStatus status = MediaMethods.WriterOpen(_file.TemporaryPath, &native, out _handle, &error);
            MediaFailure.Check(status, &error, path);
        }
        catch
        {
            _handle?.Dispose();
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>Appends a frame, one frame interval after the frame before.</summary>
    /// <param name="rgb24">[Height, Width, 3] bytes, RGB.</param>
    /// <exception cref="ArgumentException">Another number of bytes.</exception>
    /// <exception cref="MediaException">The encoder or the disk failed.</exception>
    public unsafe void Write(ReadOnlySpan<byte> rgb24)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        NativeError error;
        fixed (byte* bytes = rgb24)
        {
            MediaFailure.Check(MediaMethods.WriterWrite(_handle, bytes, rgb24.Length, _frames, &error), &error, _path);
        }

        _frames++;
    }

    /// <summary>Completes the file, flushes it to the disk and gives it its name.</summary>
    /// <exception cref="MediaException">No frame was written, or the encoder or the disk failed.</exception>
    public unsafe void Finish()
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        if (_frames == 0)
        {
            throw new MediaException("encoding: expected at least one frame, found none", _path);
        }

        NativeError error;
        MediaFailure.Check(MediaMethods.WriterFinish(_handle, &error), &error, _path);
        _handle.Dispose();
        _file.Commit();
    }

    /// <summary>Discards the file unless <see cref="Finish"/> has succeeded.</summary>
    public void Dispose()
    {
        _handle.Dispose();
        _file.Dispose();
    }

    // 29.97 and its like are n·1000/1001; anything else is kept in thousandths.
    private static (int Numerator, int Denominator) Rate(double framesPerSecond)
    {
        double ntsc = framesPerSecond * 1.001;
        if (Math.Abs(framesPerSecond - Math.Round(framesPerSecond)) > 1e-9 && Math.Abs(ntsc - Math.Round(ntsc)) < 1e-3)
        {
            return ((int)Math.Round(ntsc) * 1000, 1001);
        }

        int numerator = Math.Max(1, (int)Math.Round(framesPerSecond * 1000)), denominator = 1000;
        for (int a = numerator, b = denominator; ;)
        {
            (a, b) = (b, a % b);
            if (b == 0)
            {
                return (numerator / a, denominator / a);
            }
        }
    }
}
