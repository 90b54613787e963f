using System.Numerics;
using System.Runtime.InteropServices;

namespace Kinora.Data;

/// <summary>
/// What a clip looks like, whatever its codec, quality, size and frame rate: the mean picture of each sixteenth of its length,
/// small and grey, apart into the still picture (the mean of all) and the motion (what each differs from it).
/// </summary>
/// <remarks>
/// Brightness and contrast are taken out: values are in standard deviations of the clip's own. Motion tells apart what one
/// camera sees all day; the still picture tells apart what moves alike. 17 KB a clip. Immutable, thread-safe.
/// </remarks>
internal sealed class ClipSignature
{
    /// <summary>Pictures of a clip. With half as many, two people who wash their hands in one rhythm look the same.</summary>
    public const int Pictures = 16;

    /// <summary>Side of a picture in pixels.</summary>
    public const int Side = 16;

    private const int Area = Side * Side;

    // Side of the pictures that rule most pairs out.
    private const int CoarseSide = 4;

    // Mean square by which still pictures of one video may differ. Measured: 0.013 at most for 240 × 160 at crf 38 to 40.
    private const double SameScene = 0.1;

    // Grey levels squared: less contrast or change than this is rounding.
    private const double LeastVariance = 4, LeastChange = 1;

    // Compression takes fine detail: at least this share of what still pictures differ by, where nothing else does.
    private const double DetailShare = 0.4;

    // What lost detail may excuse at the most.
    private const double MostLost = 0.5;

    private readonly float[] _coarse = new float[CoarseSide * CoarseSide];
    private readonly float[] _fair = new float[Area / 4];
    private readonly float[] _still = new float[Area];
    private readonly float[] _motion;
    private readonly double _change, _deviation;

    // Takes the pictures over.
    private ClipSignature(float[] grey)
    {
        _motion = grey;
        double mean = 0, variance = 0;
        foreach (float value in grey)
        {
            mean += value / grey.Length;
        }

        foreach (float value in grey)
        {
            variance += (value - mean) * (value - mean) / grey.Length;
        }

        _deviation = Math.Sqrt(Math.Max(variance, LeastVariance));
        for (int p = 0; p < Area; p++)
        {
            double still = 0;
            for (int i = p; i < grey.Length; i += Area)
            {
                still += (grey[i] - mean) / _deviation / Pictures;
            }

            for (int i = p; i < grey.Length; i += Area)
            {
                double motion = ((grey[i] - mean) / _deviation) - still;
                _motion[i] = (float)motion;
                _change += motion * motion / grey.Length;
            }

            _still[p] = (float)still;
        }

        Halve(_still, Side, _fair);
        Halve(_fair, Side / 2, _coarse);
    }

    /// <summary>A few frames that stand for all where decoding all would take too long.</summary>
    /// <param name="frameCount">Frames of the clip.</param>
    /// <returns>Increasing frame numbers, two for each picture where there are as many.</returns>
    public static int[] FewFrames(int frameCount)
    {
        const int points = 2 * Pictures;
        return [.. Enumerable.Range(0, points).Select(i => (int)(((2L * i) + 1) * frameCount / (2 * points))).Distinct()];
    }

    /// <summary>Shrinks a frame to a grey picture: the mean of each of Side × Side boxes.</summary>
    /// <param name="rgb">[height, width, 3] bytes.</param>
    /// <param name="width">In pixels.</param>
    /// <param name="height">In pixels.</param>
    /// <param name="grey">Receives [Side, Side], 0 to 255.</param>
    /// <remarks>
    /// Boxes end inside pixels, which then count in part. With whole pixels only, the boxes of a frame 54 pixels high lie
    /// elsewhere than those of one with 80, by up to a sixth of a box: more than compression changes.
    /// </remarks>
    public static void Shrink(ReadOnlySpan<byte> rgb, int width, int height, Span<float> grey)
    {
        Span<float> row = stackalloc float[Side];
        grey.Clear();
        for (int y = 0; y < height; y++)
        {
            ShrinkRow(rgb.Slice(y * width * 3, width * 3), width, row);
            for (int box = y * Side / height; box < Side && box * height < (y + 1) * Side; box++)
            {
                float share = Overlap(y, height, box, Side);
                for (int x = 0; x < Side; x++)
                {
                    grey[(box * Side) + x] += share * row[x];
                }
            }
        }
    }

    private static void ShrinkRow(ReadOnlySpan<byte> rgb, int width, Span<float> row)
    {
        for (int box = 0; box < Side; box++)
        {
            int first = box * width / Side, last = (((box + 1) * width) - 1) / Side;
            float sum = Overlap(first, width, box, Side) * Luma(rgb, first);
            if (last > first)
            {
                long whole = 0;
                for (int x = first + 1; x < last; x++)
                {
                    whole += Luma(rgb, x);
                }

                sum += (whole * Side / (float)width) + (Overlap(last, width, box, Side) * Luma(rgb, last));
            }

            row[box] = sum / 256;
        }
    }

    // BT.601, in 256ths.
    private static int Luma(ReadOnlySpan<byte> rgb, int x) => (77 * rgb[3 * x]) + (150 * rgb[(3 * x) + 1]) + (29 * rgb[(3 * x) + 2]);

    // A length cut into parts and, otherwise, into boxes: the share that one part has of one box.
    private static float Overlap(int part, int parts, int box, int boxes) =>
        (Math.Min((part + 1L) * boxes, (box + 1L) * parts) - Math.Max((long)part * boxes, (long)box * parts)) / (float)parts;

    /// <summary>Collects the frames of one clip.</summary>
    /// <param name="width">Frame width in pixels.</param>
    /// <param name="height">Frame height in pixels.</param>
    /// <param name="frameCount">Frames that will come; each stands for an equal share of the clip.</param>
    public sealed class Builder(int width, int height, int frameCount)
    {
        private readonly float[] _pictures = new float[Pictures * Area];
        private readonly float[] _frame = new float[Area];
        private int _taken;

        /// <summary>Takes the next frame.</summary>
        /// <param name="rgb">[height, width, 3] bytes.</param>
        public void Add(ReadOnlySpan<byte> rgb)
        {
            Shrink(rgb, width, height, _frame);
            int first = (int)((long)_taken * Pictures / frameCount);
            for (int part = first; part < Pictures && (long)part * frameCount < (_taken + 1L) * Pictures; part++)
            {
                float share = Overlap(_taken, frameCount, part, Pictures);
                for (int i = 0; i < Area; i++)
                {
                    _pictures[(part * Area) + i] += share * _frame[i];
                }
            }

            _taken++;
        }

        /// <summary>Makes the signature, when all frames have come. The builder is used up.</summary>
        public ClipSignature Finish() => new(_pictures);
    }

    /// <summary>
    /// How far two clips are apart: the mean square by which their motions differ over the mean square of the motions, less
    /// what compression explains. Near 0 for two encodings, about 2 for unrelated motion, infinite for other scenes.
    /// </summary>
    /// <remarks>
    /// What compression took from the still pictures, it took from the motion as well. How much that is shows in fine detail:
    /// other scenes differ in coarse shapes too.
    /// </remarks>
    public double Distance(ClipSignature other)
    {
        // A mean of differences is never more than the differences: what the coarse pictures rule out, the others would too.
        if (MeanSquare(_coarse, other._coarse) > SameScene)
        {
            return double.PositiveInfinity;
        }

        double still = MeanSquare(_still, other._still);
        if (still > SameScene)
        {
            return double.PositiveInfinity;
        }

        double change = Math.Max((_change + other._change) / 2, LeastChange / (_deviation * other._deviation));
        double detail = still - MeanSquare(_fair, other._fair);
        double lost = detail >= DetailShare * still ? Math.Min(MostLost, detail / change) : 0;
        return Math.Max(0, (MeanSquare(_motion, other._motion) / change) - lost);
    }

    // The lengths are multiples of 16, which is a multiple of every vector's length.
    private static double MeanSquare(float[] a, float[] b)
    {
        ReadOnlySpan<Vector<float>> left = MemoryMarshal.Cast<float, Vector<float>>(a), right = MemoryMarshal.Cast<float, Vector<float>>(b);
        Vector<float> sum = Vector<float>.Zero;
        for (int i = 0; i < left.Length; i++)
        {
            Vector<float> difference = left[i] - right[i];
            sum += difference * difference;
        }

        return Vector.Sum(sum) / (double)a.Length;
    }

    private static void Halve(float[] picture, int side, float[] half)
    {
        for (int i = 0; i < half.Length; i++)
        {
            int at = (i / (side / 2) * 2 * side) + (i % (side / 2) * 2);
            half[i] = (picture[at] + picture[at + 1] + picture[at + side] + picture[at + side + 1]) / 4;
        }
    }
}
