using System.Text;

namespace Kinora;

/// <summary>
/// A counter-based random generator: the stream is a pure function of (seed, epoch, sample, operation), so a run
/// resumes bit for bit and doesn't depend on how many workers share the work.
/// </summary>
/// <remarks>
/// Philox 4x32 with ten rounds: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
/// Not thread-safe; create one where it is needed, it is cheap.
/// </remarks>
public sealed class CounterRandom
{
    private readonly uint _key0;
    private readonly uint _key1;
    private readonly uint _epoch;
    private readonly uint _sampleLow;
    private readonly uint _sampleHigh;
    private uint _block;
    private int _left;
    private uint _w0, _w1, _w2, _w3;
    private double _spareNormal = double.NaN;

    /// <summary>Opens the stream of one operation on one sample.</summary>
    /// <param name="seed">Seed of the whole run.</param>
    /// <param name="epoch">Epoch, from 0.</param>
    /// <param name="sample">Index of the sample (or batch) inside its data set.</param>
    /// <param name="operation">Name of the choice, such as "flip" or "shuffle".</param>
    public CounterRandom(ulong seed, int epoch, long sample, string operation)
    {
        ArgumentNullException.ThrowIfNull(operation);
        ulong key = Mix(seed ^ Fnv1a64(operation));
        _key0 = (uint)key;
        _key1 = (uint)(key >> 32);
        _epoch = (uint)epoch;
        _sampleLow = (uint)sample;
        _sampleHigh = (uint)(sample >> 32);
    }

    /// <summary>Opens a stream that depends on the seed and a name alone, such as a weight's initial values.</summary>
    /// <param name="seed">Seed of the whole run.</param>
    /// <param name="operation">Name of the choice.</param>
    public CounterRandom(ulong seed, string operation)
        : this(seed, 0, 0, operation)
    {
    }

    /// <summary>The next 32 uniform bits.</summary>
    /// <returns>A value in [0, 2^32).</returns>
    public uint NextUInt32()
    {
        if (_left == 0)
        {
            Refill();
        }

        return _left-- switch { 4 => _w0, 3 => _w1, 2 => _w2, _ => _w3 };
    }

    /// <summary>The next 64 uniform bits.</summary>
    /// <returns>A value in [0, 2^64).</returns>
    public ulong NextUInt64() => ((ulong)NextUInt32() << 32) | NextUInt32();

    /// <summary>A uniform real number with 53 random bits.</summary>
    /// <returns>A value in [0, 1).</returns>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A uniform real number.</summary>
    /// <param name="low">Inclusive lower end.</param>
    /// <param name="high">Exclusive upper end.</param>
    /// <returns>A value in [low, high).</returns>
    public double NextDouble(double low, double high) => low + ((high - low) * NextDouble());

    /// <summary>A uniform integer without bias.</summary>
    /// <param name="exclusiveMax">Exclusive upper end, at least 1.</param>
    /// <returns>A value in [0, exclusiveMax).</returns>
    public int NextInt32(int exclusiveMax)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(exclusiveMax, 1);

        // Lemire, "Fast Random Integer Generation in an Interval", 2019: reject the short first part of the range.
        uint range = (uint)exclusiveMax;
        ulong product = (ulong)NextUInt32() * range;
        if ((uint)product < range)
        {
            uint threshold = (0u - range) % range;
            while ((uint)product < threshold)
            {
                product = (ulong)NextUInt32() * range;
            }
        }

        return (int)(product >> 32);
    }

    /// <summary>A uniform integer in a range.</summary>
    /// <param name="min">Inclusive lower end.</param>
    /// <param name="exclusiveMax">Exclusive upper end, above <paramref name="min"/>.</param>
    /// <returns>A value in [min, exclusiveMax).</returns>
    public int NextInt32(int min, int exclusiveMax) => min + NextInt32(exclusiveMax - min);

    /// <summary>True with the given probability.</summary>
    /// <param name="probability">In [0, 1].</param>
    /// <returns>The outcome.</returns>
    public bool NextBool(double probability = 0.5) => NextDouble() < probability;

    /// <summary>A standard normal number (Box and Muller's transform).</summary>
    /// <returns>Mean 0, standard deviation 1.</returns>
    public double NextNormal()
    {
        if (!double.IsNaN(_spareNormal))
        {
            double spare = _spareNormal;
            _spareNormal = double.NaN;
            return spare;
        }

        double radius = Math.Sqrt(-2 * Math.Log(1 - NextDouble()));
        double angle = Math.Tau * NextDouble();
        _spareNormal = radius * Math.Sin(angle);
        return radius * Math.Cos(angle);
    }

    /// <summary>Permutes a span in place (Fisher and Yates).</summary>
    /// <typeparam name="T">Element type.</typeparam>
    /// <param name="values">The values to permute.</param>
    public void Shuffle<T>(Span<T> values)
    {
        for (int i = values.Length - 1; i > 0; i--)
        {
            int j = NextInt32(i + 1);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }

    /// <summary>FNV-1a, 64 bits, of the UTF-8 form: a name's stable number.</summary>
    /// <param name="text">The name.</param>
    /// <returns>The hash.</returns>
    public static ulong Fnv1a64(string text)
    {
        ulong hash = 0xCBF29CE484222325;
        foreach (byte b in Encoding.UTF8.GetBytes(text))
        {
            hash = (hash ^ b) * 0x100000001B3;
        }

        return hash;
    }

    // Finaliser of SplitMix64: neighbouring seeds give unrelated keys.
    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }

    private void Refill()
    {
        uint c0 = _block++, c1 = _epoch, c2 = _sampleLow, c3 = _sampleHigh;
        uint k0 = _key0, k1 = _key1;
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = (ulong)c0 * 0xD2511F53, p1 = (ulong)c2 * 0xCD9E8D57;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }

        (_w0, _w1, _w2, _w3, _left) = (c0, c1, c2, c3, 4);
    }
}
