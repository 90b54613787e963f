using System.Numerics;

namespace Kinora.Data;

/// <summary>
/// What a clip looks like, whatever its codec, quality, size and frame rate: the mean picture of each eighth of its length,
/// small and grey, and a difference hash of each.
/// </summary>
/// <remarks>
/// Means don't mind which frames exactly were kept. Two encodings of one video differ in a few hash bits and grey levels. Clips of the same scene may be as near in their
/// hashes, so those only choose who is compared; what decides is how the pictures differ in relation to how much they
/// change within the clip.
/// </remarks>
internal sealed class ClipSignature
{
    /// <summary>Pictures of a clip.</summary>
    public const int Pictures = 8;

    /// <summary>Side of a picture in pixels.</summary>
    public const int Side = 16;

    private const int HashBits = Pictures * 64;

    // Share of hash bits in which candidates may differ.
    private const double NearBits = 0.2;

    // Least change, as a share of the pictures' variance.
    private const double StillShare = 0.01;

    private readonly ulong[] _hashes = new ulong[Pictures];
    private readonly float[] _grey;

    private ClipSignature(float[] grey)
    {
        _grey = grey;
        for (int i = 0; i < Pictures; i++)
        {
            _hashes[i] = DifferenceHash(grey.AsSpan(i * Side * Side, Side * Side));
        }
    }

    /// <summary>A few frames that stand for all where decoding all would take too long.</summary>
    /// <param name="frameCount">Frames of the clip.</param>
    /// <returns>Increasing frame numbers, three from each part where there are as many.</returns>
    public static int[] FewFrames(int frameCount)
    {
        const int points = 3 * Pictures;
        return [.. Enumerable.Range(0, points).Select(i => (int)(((2L * i) + 1) * frameCount / (2 * points))).Distinct()];
    }

    /// <summary>Shrinks a frame to a grey picture: the mean of each of Side × Side boxes.</summary>
    /// <param name="rgb">[height, width, 3] bytes.</param>
    /// <param name="width">In pixels.</param>
    /// <param name="height">In pixels.</param>
    /// <param name="grey">Receives [Side, Side] bytes.</param>
    public static void Shrink(ReadOnlySpan<byte> rgb, int width, int height, Span<byte> grey)
    {
        for (int y = 0; y < Side; y++)
        {
            (int top, int bottom) = Box(y, height);
            for (int x = 0; x < Side; x++)
            {
                (int left, int right) = Box(x, width);
                long sum = 0;
                for (int row = top; row < bottom; row++)
                {
                    ReadOnlySpan<byte> pixels = rgb.Slice(((row * width) + left) * 3, (right - left) * 3);
                    for (int i = 0; i < pixels.Length; i += 3)
                    {
                        // BT.601 luma, in 256ths.
                        sum += (77 * pixels[i]) + (150 * pixels[i + 1]) + (29 * pixels[i + 2]);
                    }
                }

                grey[(y * Side) + x] = (byte)(sum / (256L * (bottom - top) * (right - left)));
            }
        }

        static (int Start, int Stop) Box(int i, int length)
        {
            int start = i * length / Side;
            return (start, Math.Max(start + 1, (i + 1) * length / Side));
        }
    }

    /// <summary>Collects the frames of one clip.</summary>
    /// <param name="width">Frame width in pixels.</param>
    /// <param name="height">Frame height in pixels.</param>
    /// <param name="frameCount">Frames of the clip.</param>
    public sealed class Builder(int width, int height, int frameCount)
    {
        private readonly int[] _sums = new int[Pictures * Side * Side];
        private readonly int[] _counts = new int[Pictures];
        private readonly byte[] _picture = new byte[Side * Side];

        /// <summary>Takes a frame.</summary>
        /// <param name="index">Its number.</param>
        /// <param name="rgb">[height, width, 3] bytes.</param>
        public void Add(int index, ReadOnlySpan<byte> rgb)
        {
            int part = (int)((long)index * Pictures / frameCount);
            Shrink(rgb, width, height, _picture);
            _counts[part]++;
            for (int i = 0; i < _picture.Length; i++)
            {
                _sums[(part * _picture.Length) + i] += _picture[i];
            }
        }

        /// <summary>Makes the signature. Parts without a frame, in clips of less than eight, look like the one before.</summary>
        public ClipSignature Finish()
        {
            var grey = new float[_sums.Length];
            for (int part = 0; part < Pictures; part++)
            {
                int from = part;
                while (from > 0 && _counts[from] == 0)
                {
                    from--;
                }

                for (int i = 0; i < _picture.Length; i++)
                {
                    grey[(part * _picture.Length) + i] = (float)_sums[(from * _picture.Length) + i] / Math.Max(1, _counts[from]);
                }
            }

            return new ClipSignature(grey);
        }
    }

    /// <summary>Whether the hashes are near enough to look closer.</summary>
    public bool IsNear(ClipSignature other)
    {
        int middle = BitOperations.PopCount(_hashes[Pictures / 2] ^ other._hashes[Pictures / 2]);
        if (middle > 2 * NearBits * 64)
        {
            return false;
        }

        int bits = 0;
        for (int i = 0; i < Pictures; i++)
        {
            bits += BitOperations.PopCount(_hashes[i] ^ other._hashes[i]);
        }

        return bits <= NearBits * HashBits;
    }

    /// <summary>
    /// How far two clips are apart: the mean square of the pictures' differences, after gain and brightness were fitted,
    /// over the mean square of what changes within the clips. Near 0 for two encodings, about 2 for unrelated motion.
    /// </summary>
    public double Distance(ClipSignature other)
    {
        double scene = 0, change = 0;
        (double gain, double offset) = Fit(other);
        for (int p = 0; p < Side * Side; p++)
        {
            double meanA = 0, meanB = 0;
            for (int t = 0; t < Pictures; t++)
            {
                meanA += _grey[(t * Side * Side) + p];
                meanB += (gain * other._grey[(t * Side * Side) + p]) + offset;
            }

            (meanA, meanB) = (meanA / Pictures, meanB / Pictures);
            for (int t = 0; t < Pictures; t++)
            {
                double a = _grey[(t * Side * Side) + p], b = (gain * other._grey[(t * Side * Side) + p]) + offset;
                scene += (a - b) * (a - b);
                change += (((a - meanA) * (a - meanA)) + ((b - meanB) * (b - meanB))) / 2;
            }
        }

        // A still clip changes by less than what another size and quality do to its edges, which grows with its contrast.
        double floor = Math.Max(_grey.Length, StillShare * Variance() * _grey.Length);
        return scene / Math.Max(change, floor);
    }

    /// <summary>Share of hash bits that differ, 0 to 1.</summary>
    public double HashDistance(ClipSignature other) =>
        Enumerable.Range(0, Pictures).Sum(i => BitOperations.PopCount(_hashes[i] ^ other._hashes[i])) / (double)HashBits;

    private double Variance()
    {
        double mean = _grey.Average();
        return _grey.Sum(g => (g - mean) * (g - mean)) / _grey.Length;
    }

    // Least squares: this ≈ gain · other + offset. Re-encodings with another range or matrix differ by such a map.
    private (double Gain, double Offset) Fit(ClipSignature other)
    {
        double n = _grey.Length, a = 0, b = 0, ab = 0, bb = 0;
        for (int i = 0; i < _grey.Length; i++)
        {
            a += _grey[i];
            b += other._grey[i];
            ab += (double)_grey[i] * other._grey[i];
            bb += (double)other._grey[i] * other._grey[i];
        }

        double variance = bb - (b * b / n), gain = variance <= 0 ? 1 : Math.Clamp((ab - (a * b / n)) / variance, 0.5, 2);
        return (gain, (a - (gain * b)) / n);
    }

    // Bit x, y: whether the mean of a 2 × 2 box is brighter than that of its right neighbour (the last column: than the one below).
    private static ulong DifferenceHash(ReadOnlySpan<float> grey)
    {
        Span<float> boxes = stackalloc float[64];
        for (int i = 0; i < 64; i++)
        {
            int at = (i / 8 * 2 * Side) + (i % 8 * 2);
            boxes[i] = grey[at] + grey[at + 1] + grey[at + Side] + grey[at + Side + 1];
        }

        ulong hash = 0;
        for (int i = 0; i < 64; i++)
        {
            int neighbour = i % 8 == 7 ? (i + 8) % 64 : i + 1;
            hash |= boxes[i] > boxes[neighbour] ? 1UL << i : 0;
        }

        return hash;
    }
}
