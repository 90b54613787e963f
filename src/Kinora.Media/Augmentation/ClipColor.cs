namespace Kinora.Media;

/// <summary>Changes of colour of 8-bit RGB pixels, over all frames of a clip at once.</summary>
/// <remarks>
/// Title note, rounding: every result is rounded half up and clamped to a byte after each change. Mixtures use weights of
/// 16 fraction bits and integers, tables are computed in double, hue in single precision without fused steps; so the
/// bits don't depend on the processor. Grey is Pillow's, (19595·R + 38470·G + 7471·B + 32768) / 65536.
/// </remarks>
internal static class ClipColor
{
    private const int Levels = 256;
    private const int WeightBits = 16;

    /// <summary>Looks each byte up.</summary>
    public static void Map(Span<byte> pixels, ReadOnlySpan<byte> table)
    {
        foreach (ref byte value in pixels)
        {
            value = table[value];
        }
    }

    /// <summary>A table from a formula.</summary>
    public static byte[] Table(Func<double, double> value)
    {
        var table = new byte[Levels];
        for (int x = 0; x < Levels; x++)
        {
            table[x] = Rounded(value(x));
        }

        return table;
    }

    /// <summary>Factor of all values.</summary>
    public static void Brightness(Span<byte> pixels, double factor) => Map(pixels, Table(x => x * factor));

    /// <summary>Factor of the distance from the clip's mean grey, itself rounded to a byte.</summary>
    public static void Contrast(Span<byte> pixels, double factor)
    {
        long sum = 0, count = pixels.Length / 3;
        for (int i = 0; i < pixels.Length; i += 3)
        {
            sum += Grey(pixels[i], pixels[i + 1], pixels[i + 2]);
        }

        long mean = count == 0 ? 0 : (sum + (count / 2)) / count;
        Map(pixels, Table(x => mean + ((x - mean) * factor)));
    }

    /// <summary>x to 255 · (x/255)^exponent.</summary>
    public static void Gamma(Span<byte> pixels, double exponent) => Map(pixels, Table(x => 255 * Math.Pow(x / 255, exponent)));

    /// <summary>Factor of each pixel's distance from its grey; 0 makes everything grey.</summary>
    public static void Saturation(Span<byte> pixels, double factor)
    {
        int weight = Weight(factor);
        for (int i = 0; i < pixels.Length; i += 3)
        {
            int grey = Grey(pixels[i], pixels[i + 1], pixels[i + 2]);
            pixels[i] = Mixed(grey, pixels[i], weight);
            pixels[i + 1] = Mixed(grey, pixels[i + 1], weight);
            pixels[i + 2] = Mixed(grey, pixels[i + 2], weight);
        }
    }

    /// <summary>Turns the hue of the HSV colour model; value and saturation stay.</summary>
    /// <param name="pixels">RGB pixels.</param>
    /// <param name="turn">Circles; a third turns red to green.</param>
    public static void Hue(Span<byte> pixels, double turn)
    {
        float sixths = (float)((turn - Math.Floor(turn)) * 6);
        for (int i = 0; i < pixels.Length; i += 3)
        {
            int red = pixels[i], green = pixels[i + 1], blue = pixels[i + 2];
            int most = Math.Max(red, Math.Max(green, blue)), least = Math.Min(red, Math.Min(green, blue)), chroma = most - least;
            if (chroma == 0)
            {
                continue;
            }

            float hue = most == red ? (green - blue) / (float)chroma
                : most == green ? 2 + ((blue - red) / (float)chroma)
                : 4 + ((red - green) / (float)chroma);
            hue += sixths;
            hue = hue < 0 ? hue + 6 : hue >= 6 ? hue - 6 : hue;
            int sector = Math.Min((int)hue, 5);
            float within = hue - sector;
            byte rising = Rounded(least + (chroma * within)), falling = Rounded(most - (chroma * within));
            (pixels[i], pixels[i + 1], pixels[i + 2]) = sector switch
            {
                0 => ((byte)most, rising, (byte)least),
                1 => (falling, (byte)most, (byte)least),
                2 => ((byte)least, (byte)most, rising),
                3 => ((byte)least, falling, (byte)most),
                4 => (rising, (byte)least, (byte)most),
                _ => ((byte)most, (byte)least, falling),
            };
        }
    }

    /// <summary>Keeps the upper bits of each byte.</summary>
    public static void Posterize(Span<byte> pixels, int bits)
    {
        int mask = 0xFF << (8 - bits);
        Map(pixels, Table(x => (int)x & mask & 0xFF));
    }

    /// <summary>Inverts the bytes that aren't below a threshold.</summary>
    public static void Solarize(Span<byte> pixels, int threshold) => Map(pixels, Table(x => x < threshold ? x : 255 - x));

    /// <summary>Stretches each channel of the clip to 0 … 255.</summary>
    public static void AutoContrast(Span<byte> pixels)
    {
        MapChannels(pixels, static histogram =>
        {
            int low = Array.FindIndex(histogram, n => n > 0), high = Array.FindLastIndex(histogram, n => n > 0);
            return high <= low ? null : Table(x => (x - low) * 255 / (high - low));
        });
    }

    /// <summary>Spreads the levels of each channel of the clip so that all are about equally frequent, as Pillow does.</summary>
    public static void Equalize(Span<byte> pixels)
    {
        MapChannels(pixels, static histogram =>
        {
            long step = (histogram.Sum() - histogram.Last(n => n > 0)) / 255;
            if (step == 0)
            {
                return null;
            }

            var table = new byte[Levels];
            long below = step / 2;
            for (int x = 0; x < Levels; x++)
            {
                table[x] = (byte)Math.Min(below / step, 255);
                below += histogram[x];
            }

            return table;
        });
    }

    /// <summary>Factor of each pixel's distance from the mean of its surroundings (3 × 3, itself five times); the border stays.</summary>
    public static void Sharpness(Span<byte> pixels, int size, double factor)
    {
        int weight = Weight(factor), row = size * 3, frame = row * size;
        byte[] original = new byte[frame];
        for (int start = 0; start < pixels.Length; start += frame)
        {
            Span<byte> picture = pixels.Slice(start, frame);
            picture.CopyTo(original);
            for (int y = 1; y < size - 1; y++)
            {
                for (int i = (y * row) + 3; i < ((y + 1) * row) - 3; i++)
                {
                    int sum = original[i - row - 3] + original[i - row] + original[i - row + 3]
                        + original[i - 3] + (5 * original[i]) + original[i + 3]
                        + original[i + row - 3] + original[i + row] + original[i + row + 3];
                    picture[i] = Mixed(((2 * sum) + 13) / 26, original[i], weight);
                }
            }
        }
    }

    /// <summary>Pillow's grey of a colour.</summary>
    public static int Grey(int red, int green, int blue) => ((red * 19595) + (green * 38470) + (blue * 7471) + 32768) >> 16;

    private static void MapChannels(Span<byte> pixels, Func<long[], byte[]?> table)
    {
        for (int channel = 0; channel < 3; channel++)
        {
            var histogram = new long[Levels];
            for (int i = channel; i < pixels.Length; i += 3)
            {
                histogram[pixels[i]]++;
            }

            if (pixels.Length > 0 && table(histogram) is { } levels)
            {
                for (int i = channel; i < pixels.Length; i += 3)
                {
                    pixels[i] = levels[pixels[i]];
                }
            }
        }
    }

    private static int Weight(double factor) => (int)Math.Round(factor * (1 << WeightBits), MidpointRounding.AwayFromZero);

    private static byte Mixed(int other, int own, int weight) =>
        (byte)Math.Clamp(other + ((((own - other) * weight) + (1 << (WeightBits - 1))) >> WeightBits), 0, 255);

    private static byte Rounded(double value) => (byte)Math.Clamp(Math.Floor(value + 0.5), 0, 255);

    private static byte Rounded(float value) => (byte)Math.Clamp((int)(value + 0.5f), 0, 255);
}
