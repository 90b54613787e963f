namespace Kinora.Data.Synthetic.Rendering;

/// <summary>A colour with components in [0, 255].</summary>
internal readonly record struct Color(float R, float G, float B)
{
    public float Luminance => (0.299f * R) + (0.587f * G) + (0.114f * B);

    public static Color operator *(Color c, float s) => new(c.R * s, c.G * s, c.B * s);

    public static Color Mix(Color a, Color b, float t) => new(a.R + ((b.R - a.R) * t), a.G + ((b.G - a.G) * t), a.B + ((b.B - a.B) * t));

    public static Color FromHsv(double hue, double saturation, double value)
    {
        return new(Channel(5), Channel(3), Channel(1));

        float Channel(double n)
        {
            double k = (n + (hue * 6)) % 6;
            return (float)(255 * value * (1 - (saturation * Math.Max(0, Math.Min(1, Math.Min(k, 4 - k))))));
        }
    }

    public float DistanceTo(Color other)
    {
        float r = R - other.R, g = G - other.G, b = B - other.B;
        return MathF.Sqrt((r * r) + (g * g) + (b * b));
    }

    public override string ToString() => $"#{(int)Math.Clamp(R, 0, 255):x2}{(int)Math.Clamp(G, 0, 255):x2}{(int)Math.Clamp(B, 0, 255):x2}";
}
