namespace Kinora.Media;

/// <summary>
/// The four passes of the two 8-bit bilinear resizes, on single rows of RGB pixels. This is the scalar reference;
/// the vector passes beside it return the same bits.
/// </summary>
/// <remarks>
/// Title note, exactness: both originals work with integers, so equality is a matter of the same products and the
/// same roundings, and the order of additions is free. Pillow: Σ pixel·weight with 22 fraction bits, one rounding to
/// 8 bits after each pass. OpenCV: 11-bit weights; the row sums are cut to (sum &gt;&gt; 4), each of the two products of
/// the column pass is cut to (product &gt;&gt; 16), and their sum is rounded by (sum + 2) &gt;&gt; 2.
/// </remarks>
internal static partial class Resize
{
    private const int HalfPillow = 1 << (ResizeAxis.PillowBits - 1);

    /// <summary>Pillow, along a row.</summary>
    /// <param name="row">RGB pixels.</param>
    /// <param name="axis">Filter of the columns.</param>
    /// <param name="output">RGB pixels, one for each output of the filter.</param>
    public static void PillowColumns(ReadOnlySpan<byte> row, ResizeAxis axis, Span<byte> output)
    {
        for (int x = 0; x < axis.First.Length; x++)
        {
            ReadOnlySpan<int> weights = axis.Weights.AsSpan(x * axis.Taps, axis.Used[x]);
            int source = axis.First[x] * 3;
            int red = HalfPillow, green = HalfPillow, blue = HalfPillow;
            foreach (int weight in weights)
            {
                red += row[source] * weight;
                green += row[source + 1] * weight;
                blue += row[source + 2] * weight;
                source += 3;
            }

            output[3 * x] = ClipPillow(red);
            output[(3 * x) + 1] = ClipPillow(green);
            output[(3 * x) + 2] = ClipPillow(blue);
        }
    }

    /// <summary>Pillow, across rows: one output row from several that lie in a ring of rows.</summary>
    /// <param name="ring">Rows of <paramref name="stride"/> bytes.</param>
    /// <param name="stride">Distance of rows, in bytes.</param>
    /// <param name="first">Number of the first row; row r lies at place r &amp; mask.</param>
    /// <param name="mask">Rows of the ring minus 1.</param>
    /// <param name="weights">One weight a row.</param>
    /// <param name="output">Bytes of the row.</param>
    public static void PillowRows(ReadOnlySpan<byte> ring, int stride, int first, int mask, ReadOnlySpan<int> weights, Span<byte> output)
    {
        for (int i = 0; i < output.Length; i++)
        {
            int sum = HalfPillow;
            for (int t = 0; t < weights.Length; t++)
            {
                sum += ring[(((first + t) & mask) * stride) + i] * weights[t];
            }

            output[i] = ClipPillow(sum);
        }
    }

    /// <summary>OpenCV, along a row.</summary>
    /// <param name="row">RGB pixels.</param>
    /// <param name="axis">Filter of the columns.</param>
    /// <param name="output">The sums shifted right by 4, three a pixel, at most 255 · 2048 / 16.</param>
    public static void OpenCvColumns(ReadOnlySpan<byte> row, ResizeAxis axis, Span<short> output)
    {
        for (int x = 0; x < axis.First.Length; x++)
        {
            int source = axis.First[x] * 3, left = axis.Weights[2 * x], right = axis.Weights[(2 * x) + 1];

            // The last column has no right neighbour, and no weight for it.
            int next = right == 0 ? source : source + 3;
            for (int c = 0; c < 3; c++)
            {
                output[(3 * x) + c] = (short)(((row[source + c] * left) + (row[next + c] * right)) >> 4);
            }
        }
    }

    /// <summary>OpenCV, across two rows.</summary>
    /// <param name="upper">Sums of the upper row.</param>
    /// <param name="lower">Sums of the lower row.</param>
    /// <param name="upperWeight">Weight of the upper row, 11 fraction bits.</param>
    /// <param name="lowerWeight">Weight of the lower row.</param>
    /// <param name="output">Bytes of the row.</param>
    public static void OpenCvRows(ReadOnlySpan<short> upper, ReadOnlySpan<short> lower, int upperWeight, int lowerWeight, Span<byte> output)
    {
        for (int i = 0; i < output.Length; i++)
        {
            int sum = ((upper[i] * upperWeight) >> 16) + ((lower[i] * lowerWeight) >> 16) + 2;
            output[i] = (byte)Math.Clamp(sum >> 2, 0, 255);
        }
    }

    private static byte ClipPillow(int sum) => (byte)Math.Clamp(sum >> ResizeAxis.PillowBits, 0, 255);
}
