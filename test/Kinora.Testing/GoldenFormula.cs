using System.Text.RegularExpressions;

namespace Kinora.Testing;

/// <summary>The formula weights and inputs of the recorded answers (golden/README.md): no weight files are needed.</summary>
public static partial class GoldenFormula
{
    /// <summary>Uniform number u in [0, 1) of a named tensor at a flat index (step 2).</summary>
    /// <param name="hash">FNV-1a 64 of the name.</param>
    /// <param name="index">Flat index, C order.</param>
    /// <returns>A multiple of 2^-24.</returns>
    public static double Uniform(ulong hash, long index)
    {
        ulong x = hash + (((ulong)index + 1) * 0x9E3779B97F4A7C15);
        x ^= x >> 30;
        x *= 0xBF58476D1CE4E5B9;
        x ^= x >> 27;
        x *= 0x94D049BB133111EB;
        x ^= x >> 31;
        return (x >> 40) * (1.0 / (1 << 24));
    }

    /// <summary>All values of one parameter or buffer (step 3).</summary>
    /// <param name="name">PaddleVideo's structured name.</param>
    /// <param name="shape">Paddle's shape.</param>
    /// <returns>Values in C order of <paramref name="shape"/>.</returns>
    public static double[] Weight(string name, IReadOnlyList<long> shape)
    {
        ulong hash = CounterRandom.Fnv1a64(name);
        long count = shape.Aggregate(1L, (a, b) => a * b);
        (double offset, double u, double v) = Rule(name, shape);
        var values = new double[count];
        for (long i = 0; i < count; i++)
        {
            double uniform = Uniform(hash, i);
            values[i] = offset + (u * uniform) + (v * ((2 * uniform) - 1));
        }

        return values;
    }

    /// <summary>The formula clip, already "normalised".</summary>
    /// <param name="n">Batch.</param>
    /// <param name="t">Frames.</param>
    /// <param name="c">Channels.</param>
    /// <param name="h">Height.</param>
    /// <param name="w">Width.</param>
    /// <returns>Values of [N, T, C, H, W].</returns>
    public static double[] Clip(int n, int t, int c, int h, int w)
    {
        ulong hash = CounterRandom.Fnv1a64("input");
        var values = new double[(long)n * t * c * h * w];
        long flat = 0;
        for (int i = 0; i < n; i++)
        {
            for (int f = 0; f < t; f++)
            {
                double contrast = 0.4 + (0.3 * (((5 * f) + (2 * i)) % 7));
                for (int ch = 0; ch < c; ch++)
                {
                    for (int y = 0; y < h; y++)
                    {
                        double row = Math.Sin((0.11 * y * (1 + (0.2 * (f % 4)))) + (0.5 * ch) + (0.7 * f));
                        for (int x = 0; x < w; x++, flat++)
                        {
                            values[flat] = (contrast * row * Math.Cos((0.09 * x) - (0.4 * f) + i))
                                + (0.25 * ((2 * Uniform(hash, flat)) - 1));
                        }
                    }
                }
            }
        }

        return values;
    }

    // value = offset + u·(factor of u) + v·(factor of v), by the first rule that fits.
    private static (double Offset, double U, double V) Rule(string name, IReadOnlyList<long> shape)
    {
        string last = name[(name.LastIndexOf('.') + 1)..];
        return last switch
        {
            "_mean" => (0, 0, 0.1),
            "_variance" => (1, 0.5, 0),
            "alpha" => (0.5, 0.5, 0),
            _ when SqueezeBias().IsMatch(name) => (2, 0, 0.1),
            "bias" => (0, 0, 0.1),
            "weight" when shape.Count == 1 => (1, 0, 0.2),
            "weight" when shape.Count >= 4 => (0, 0, Math.Sqrt(6.0 / shape.Skip(1).Aggregate(1L, (a, b) => a * b))),
            "weight" when shape.Count == 2 => (0, 0, Math.Sqrt(3.0 / shape[0])),
            _ => (0, 0, 0.1),
        };
    }

    [GeneratedRegex(@"se\.(conv2|fc2\.conv_1\.0)\.bias$")]
    private static partial Regex SqueezeBias();
}
