using System.Buffers;
using System.Globalization;

namespace Kinora.Media;

/// <summary>
/// A video as a folder of numbered JPEG files, the "rawframes" form of PaddleVideo and mmaction2. Frame i is file number
/// i + 1. One thread at a time.
/// </summary>
public sealed class RawFrameFolder : IFrameSource
{
    private readonly string _folder;
    private readonly string _pattern;

    private RawFrameFolder(string folder, string pattern, int frameCount)
    {
        _folder = folder;
        _pattern = pattern;
        FrameCount = frameCount;
        byte[] rented = ReadFile(0, out int length);
        try
        {
            (Width, Height) = JpegImage.Size(rented.AsSpan(0, length), FramePath(0));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <inheritdoc/>
    public int FrameCount { get; }

    /// <inheritdoc/>
    public int Width { get; }

    /// <inheritdoc/>
    public int Height { get; }

    /// <inheritdoc/>
    public double FramesPerSecond => 0;

    /// <summary>Opens a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="pattern">File name with the 1-based number as argument 0, in the format of <see cref="string.Format(string, object)"/>.</param>
    /// <param name="frameCount">Frames as a list file states them; null for the highest number found.</param>
    /// <returns>The source, owned by the caller.</returns>
    /// <exception cref="MediaException">No such folder, no frames, or the first isn't a JPEG.</exception>
    public static RawFrameFolder Open(string folder, string pattern = "img_{0:00000}.jpg", int? frameCount = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentException.ThrowIfNullOrEmpty(pattern);
        if (frameCount is { } given)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(given, 1, nameof(frameCount));
        }

        if (!Directory.Exists(folder))
        {
            throw new MediaException("opening: expected a folder of frames, found none", folder);
        }

        int count = frameCount ?? HighestNumber(folder, pattern);
        if (count == 0)
        {
            throw new MediaException($"opening: expected frames named like {Name(pattern, 1)}, found none", folder);
        }

        return new RawFrameFolder(folder, pattern, count);
    }

    /// <inheritdoc/>
    public void ReadFrames(ReadOnlySpan<int> indices, Span<byte> destination, CancellationToken cancellationToken = default)
    {
        FrameSource.CheckRequest(this, indices, destination);
        int frameBytes = Width * Height * 3;
        for (int i = 0; i < indices.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Span<byte> target = destination.Slice(i * frameBytes, frameBytes);
            int earlier = indices[..i].IndexOf(indices[i]);
            if (earlier >= 0)
            {
                destination.Slice(earlier * frameBytes, frameBytes).CopyTo(target);
            }
            else
            {
                ReadFrame(indices[i], target);
            }
        }
    }

    /// <summary>Nothing is held open.</summary>
    public void Dispose()
    {
    }

    private static string Name(string pattern, int number) => string.Format(CultureInfo.InvariantCulture, pattern, number);

    // Numbers may have gaps (a frame that couldn't be extracted), so files aren't counted.
    private static int HighestNumber(string folder, string pattern)
    {
        int open = pattern.IndexOf('{', StringComparison.Ordinal), close = pattern.LastIndexOf('}');
        string prefix = open < 0 ? pattern : pattern[..open], suffix = close < 0 ? "" : pattern[(close + 1)..];
        int highest = 0;
        foreach (string path in Directory.EnumerateFiles(folder))
        {
            ReadOnlySpan<char> name = Path.GetFileName(path.AsSpan());
            if (name.Length > prefix.Length + suffix.Length
                && name.StartsWith(prefix, StringComparison.Ordinal)
                && name.EndsWith(suffix, StringComparison.Ordinal)
                && int.TryParse(name[prefix.Length..^suffix.Length], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                && name.SequenceEqual(Name(pattern, number)))
            {
                highest = Math.Max(highest, number);
            }
        }

        return highest;
    }

    private string FramePath(int index) => Path.Combine(_folder, Name(_pattern, index + 1));

    private void ReadFrame(int index, Span<byte> target)
    {
        byte[] rented = ReadFile(index, out int length);
        try
        {
            ReadOnlySpan<byte> jpeg = rented.AsSpan(0, length);
            string path = FramePath(index);
            (int width, int height) = JpegImage.Size(jpeg, path);
            if (width != Width || height != Height)
            {
                throw new MediaException($"reading frame {index}: expected {Width}x{Height} as in the first frame, found {width}x{height}", path);
            }

            JpegImage.Decode(jpeg, width, height, target, path);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private byte[] ReadFile(int index, out int length)
    {
        string path = FramePath(index);
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            if (stream.Length > 1 << 28)
            {
                throw new MediaException($"reading frame {index}: expected a JPEG of at most 256 MB, found {stream.Length} bytes", path);
            }

            length = (int)stream.Length;
            byte[] rented = ArrayPool<byte>.Shared.Rent(Math.Max(length, 1));
            stream.ReadExactly(rented.AsSpan(0, length));
            return rented;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MediaException($"reading frame {index} of {FrameCount}: {e.Message}", path, e);
        }
    }
}
