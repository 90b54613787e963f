namespace Kinora.Media;

/// <summary>Turns, shears and shifts of square 8-bit RGB frames, and boxes painted over them, the same in all frames.</summary>
/// <remarks>
/// Title note, rounding: places are numbers with 16 fraction bits from the frame's centre on; of the four neighbours each has a
/// weight of 8 + 8 bits, their sum is rounded half up. What lies outside is middle grey (128).
/// </remarks>
internal static class ClipGeometry
{
    private const int PlaceBits = 16;
    private const int Outside = 128;

    /// <summary>Moves all frames by a linear map: the pixel at p comes from [a b; c d]·(p − centre) + centre + (x, y).</summary>
    public static void Warp(Span<byte> pixels, int size, double a, double b, double c, double d, double x, double y)
    {
        long fixedA = Fixed(a), fixedB = Fixed(b), fixedC = Fixed(c), fixedD = Fixed(d);

        // Distances from the centre are counted in halves of a pixel, so places have one bit more at first.
        long startX = (2 * Fixed(x)) + ((long)(size - 1) << PlaceBits), startY = (2 * Fixed(y)) + ((long)(size - 1) << PlaceBits);
        int frame = size * size * 3;
        byte[] original = new byte[frame];
        for (int start = 0; start < pixels.Length; start += frame)
        {
            Span<byte> picture = pixels.Slice(start, frame);
            picture.CopyTo(original);
            int at = 0;
            for (int row = 0; row < size; row++)
            {
                long v = (2 * row) - (size - 1);
                for (int column = 0; column < size; column++, at += 3)
                {
                    long u = (2 * column) - (size - 1);
                    long placeX = ((fixedA * u) + (fixedB * v) + startX) >> 1, placeY = ((fixedC * u) + (fixedD * v) + startY) >> 1;
                    Interpolate(original, size, placeX, placeY, picture.Slice(at, 3));
                }
            }
        }
    }

    /// <summary>Paints a box.</summary>
    public static void Fill(Span<byte> pixels, int size, PixelWindow box, ReadOnlySpan<byte> rgb)
    {
        for (int row = 0; row < pixels.Length / (size * 3); row++)
        {
            if (row % size >= box.Y && row % size < box.Bottom)
            {
                Span<byte> target = pixels.Slice(((row * size) + box.X) * 3, box.Width * 3);
                ReadOnlySpan<byte> source = rgb.Length == 3 ? rgb : rgb.Slice(((row % size) - box.Y) * box.Width * 3, box.Width * 3);
                for (int i = 0; i < target.Length; i += source.Length)
                {
                    source.CopyTo(target[i..]);
                }
            }
        }
    }

    private static void Interpolate(byte[] picture, int size, long placeX, long placeY, Span<byte> target)
    {
        long left = placeX >> PlaceBits, top = placeY >> PlaceBits;
        int right = (int)(placeX >> (PlaceBits - 8)) & 0xFF, lower = (int)(placeY >> (PlaceBits - 8)) & 0xFF;
        if (left < -1 || top < -1 || left >= size || top >= size)
        {
            target.Fill(Outside);
            return;
        }

        for (int channel = 0; channel < 3; channel++)
        {
            int upperRow = (At(left, top, channel) * (256 - right)) + (At(left + 1, top, channel) * right);
            int lowerRow = (At(left, top + 1, channel) * (256 - right)) + (At(left + 1, top + 1, channel) * right);
            target[channel] = (byte)(((upperRow * (256 - lower)) + (lowerRow * lower) + 32768) >> 16);
        }

        int At(long x, long y, int channel) =>
            (ulong)x < (ulong)size && (ulong)y < (ulong)size ? picture[(((y * size) + x) * 3) + channel] : Outside;
    }

    private static long Fixed(double value) => (long)Math.Round(value * (1 << PlaceBits), MidpointRounding.AwayFromZero);
}
