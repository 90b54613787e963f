namespace Kinora.Data.Synthetic.Rendering;

/// <summary>What a real camera adds at the end: exposure, contrast, tint, uneven light, flicker, blur, noise.</summary>
internal sealed class Grading
{
    // Independent normal numbers, times 64; frames read them from random places.
    private static readonly sbyte[] _normals = Normals();

    private readonly double _brightness, _contrast, _gamma, _flicker, _flickerHertz, _flickerPhase;
    private readonly double[] _tint = new double[3];
    private readonly ushort[] _light;
    private readonly int _width, _height;
    private readonly int _noise;
    private byte[]? _blurred;

    public Grading(int width, int height, double strength, CounterRandom random)
    {
        (_width, _height) = (width, height);
        _brightness = random.NextDouble(0.75, 1.2);
        _contrast = random.NextDouble(0.8, 1.2);
        _gamma = random.NextDouble(0.8, 1.25);
        for (int c = 0; c < 3; c++)
        {
            _tint[c] = random.NextDouble(0.92, 1.08);
        }

        (_flicker, _flickerHertz, _flickerPhase) = (random.NextBool(0.25) ? random.NextDouble(0, 0.05) : 0, random.NextDouble(1, 8), random.NextDouble(0, Math.Tau));
        NoiseDeviation = random.NextBool(0.7) ? random.NextDouble(0.5, 6) * strength : 0;
        _noise = (int)(NoiseDeviation * 256 / 64);
        Blur = random.NextBool(0.2 * strength);
        double vignette = random.NextDouble(0, 0.35), angle = random.NextDouble(0, Math.Tau), slope = random.NextDouble(0, 0.25);
        (double sine, double cosine) = Math.SinCos(angle);
        _light = new ushort[width * height];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                double dx = ((x + 0.5) / width) - 0.5, dy = ((y + 0.5) / height) - 0.5;
                double light = (1 - (vignette * 2 * ((dx * dx) + (dy * dy)))) * (1 + (slope * ((dx * cosine) + (dy * sine))));
                _light[(y * width) + x] = (ushort)(light * 256);
            }
        }
    }

    /// <summary>Standard deviation of the noise, in grey levels.</summary>
    public double NoiseDeviation { get; }

    /// <summary>Whether the picture is slightly out of focus.</summary>
    public bool Blur { get; }

    public double Brightness => _brightness;

    public double Contrast => _contrast;

    public double Gamma => _gamma;

    /// <summary>Writes the finished frame.</summary>
    /// <param name="source">The drawn picture.</param>
    /// <param name="target">Height × width × 3 bytes.</param>
    /// <param name="seconds">Time, for the flicker.</param>
    /// <param name="random">The frame's stream, for the noise.</param>
    public void Apply(ReadOnlySpan<byte> source, Span<byte> target, double seconds, CounterRandom random)
    {
        double exposure = _brightness * (1 + (_flicker * Math.Sin((Math.Tau * _flickerHertz * seconds) + _flickerPhase)));
        Span<byte> table = stackalloc byte[768];
        for (int c = 0; c < 3; c++)
        {
            for (int v = 0; v < 256; v++)
            {
                double x = Math.Pow(v / 255.0, _gamma) * exposure * _tint[c];
                table[(c * 256) + v] = (byte)Math.Clamp(255 * (((x - 0.5) * _contrast) + 0.5), 0, 255);
            }
        }

        if (Blur)
        {
            _blurred ??= new byte[source.Length];
            BoxBlur(source, _blurred);
            source = _blurred;
        }

        ReadOnlySpan<byte> red = table[..256], green = table[256..512], blue = table[512..];
        for (int y = 0; y < _height; y++)
        {
            int start = random.NextInt32(_normals.Length - (_width * 3));
            ReadOnlySpan<sbyte> noise = _normals.AsSpan(start, _width * 3);
            ReadOnlySpan<ushort> light = _light.AsSpan(y * _width, _width);
            ReadOnlySpan<byte> from = source.Slice(y * _width * 3, _width * 3);
            Span<byte> to = target.Slice(y * _width * 3, _width * 3);
            for (int x = 0; x < light.Length; x++)
            {
                int at = x * 3, l = light[x];

                // Two thirds of the noise are common to the three colours, as after a camera's own processing.
                int grey = noise[at] * 2;
                to[at] = Clamp(((red[from[at]] * l) + ((grey + noise[at]) * _noise / 3) + 128) >> 8);
                to[at + 1] = Clamp(((green[from[at + 1]] * l) + ((grey + noise[at + 1]) * _noise / 3) + 128) >> 8);
                to[at + 2] = Clamp(((blue[from[at + 2]] * l) + ((grey + noise[at + 2]) * _noise / 3) + 128) >> 8);
            }
        }

        static byte Clamp(int v) => (byte)Math.Clamp(v, 0, 255);
    }

    private static sbyte[] Normals()
    {
        var random = new CounterRandom(0, "synthetic motions: noise");
        var values = new sbyte[1 << 16];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (sbyte)Math.Clamp(Math.Round(random.NextNormal() * 64), -127, 127);
        }

        return values;
    }

    // Weights 1 2 1 in both directions; the border keeps its pixels.
    private void BoxBlur(ReadOnlySpan<byte> source, Span<byte> target)
    {
        source.CopyTo(target);
        int row = _width * 3;
        for (int y = 1; y < _height - 1; y++)
        {
            int at = y * row;
            for (int i = at + 3; i < at + row - 3; i++)
            {
                int sum = source[i - row - 3] + (2 * source[i - row]) + source[i - row + 3]
                    + (2 * source[i - 3]) + (4 * source[i]) + (2 * source[i + 3])
                    + source[i + row - 3] + (2 * source[i + row]) + source[i + row + 3];
                target[i] = (byte)((sum + 8) >> 4);
            }
        }
    }
}
