using Kinora.Media.Native;

namespace Kinora.Media;

/// <summary>
/// JPEG through libjpeg-turbo with the accurate integer transform and smooth chroma: the same pixels as Pillow and
/// OpenCV. All methods are thread-safe.
/// </summary>
public static class JpegImage
{
    /// <summary>Reads the size from the header.</summary>
    /// <param name="jpeg">The file.</param>
    /// <param name="path">Where it comes from, for messages.</param>
    /// <returns>Width and height in pixels.</returns>
    /// <exception cref="MediaException">Not a JPEG, or more than 16384 pixels a side.</exception>
    public static unsafe (int Width, int Height) Size(ReadOnlySpan<byte> jpeg, string? path = null)
    {
        MediaLibrary.Ensure();
        NativeError error;
        int width, height;
        fixed (byte* bytes = NotNull(jpeg))
        {
            MediaFailure.Check(MediaMethods.JpegSize(bytes, jpeg.Length, &width, &height, &error), &error, path);
        }

        return (width, height);
    }

    /// <summary>Decodes a picture.</summary>
    /// <param name="jpeg">The file.</param>
    /// <param name="width">Its width in pixels, as <see cref="Size"/> says.</param>
    /// <param name="height">Its height in pixels.</param>
    /// <param name="rgb24">Receives [height, width, 3] bytes, RGB; grey pictures become grey RGB.</param>
    /// <param name="path">Where it comes from, for messages.</param>
    /// <exception cref="MediaException">Not a JPEG, damaged or cut short.</exception>
    /// <exception cref="ArgumentException">Another size, or too little room.</exception>
    public static unsafe void Decode(ReadOnlySpan<byte> jpeg, int width, int height, Span<byte> rgb24, string? path = null)
    {
        MediaLibrary.Ensure();
        NativeError error;
        fixed (byte* bytes = NotNull(jpeg))
        fixed (byte* rgb = rgb24)
        {
            MediaFailure.Check(MediaMethods.JpegDecode(bytes, jpeg.Length, width, height, rgb, rgb24.Length, &error), &error, path);
        }
    }

    /// <summary>Decodes a picture into new memory.</summary>
    /// <param name="jpeg">The file.</param>
    /// <param name="path">Where it comes from, for messages.</param>
    /// <returns>Width and height in pixels, and [height, width, 3] bytes, RGB.</returns>
    /// <exception cref="MediaException">Not a JPEG, damaged or cut short.</exception>
    public static (int Width, int Height, byte[] Rgb24) Decode(ReadOnlySpan<byte> jpeg, string? path = null)
    {
        (int width, int height) = Size(jpeg, path);
        var rgb24 = new byte[checked(width * height * 3)];
        Decode(jpeg, width, height, rgb24, path);
        return (width, height, rgb24);
    }

    /// <summary>Encodes a picture with 4:2:0 chroma: thumbnails, extracted frames.</summary>
    /// <param name="rgb24">[height, width, 3] bytes, RGB.</param>
    /// <param name="width">Width in pixels, 1 to 16384.</param>
    /// <param name="height">Height in pixels, 1 to 16384.</param>
    /// <param name="quality">1 to 100.</param>
    /// <returns>The file.</returns>
    /// <exception cref="ArgumentException">A size that doesn't fit the bytes, or a quality out of range.</exception>
    public static unsafe byte[] Encode(ReadOnlySpan<byte> rgb24, int width, int height, int quality = 90)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(quality, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 100);
        if (rgb24.Length != (long)width * height * 3)
        {
            throw new ArgumentException($"expected {(long)width * height * 3} bytes, found {rgb24.Length}", nameof(rgb24));
        }

        MediaLibrary.Ensure();
        long size;
        if (MediaMethods.JpegBound(width, height, &size) != MediaStatus.Ok)
        {
            throw new ArgumentOutOfRangeException(nameof(width), $"expected at most 16384 pixels a side, found {width}x{height}");
        }

        var jpeg = new byte[checked((int)size)];
        NativeError error;
        fixed (byte* rgb = rgb24)
        fixed (byte* bytes = jpeg)
        {
            MediaFailure.Check(MediaMethods.JpegEncode(rgb, width, height, quality, bytes, &size, &error), &error, null);
        }

        Array.Resize(ref jpeg, (int)size);
        return jpeg;
    }

    // fixed gives null for an empty span, which the native side takes for the caller's mistake.
    private static ReadOnlySpan<byte> NotNull(ReadOnlySpan<byte> bytes) => bytes.IsEmpty ? Nothing.AsSpan(0, 1) : bytes;

    private static readonly byte[] Nothing = new byte[1];
}
