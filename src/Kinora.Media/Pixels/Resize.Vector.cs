using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kinora.Media;

/// <summary>How wide the vectors of the pixel kernels are; results don't depend on it.</summary>
internal enum VectorWidth
{
    /// <summary>The scalar reference.</summary>
    None,

    /// <summary>16 bytes: SSE, NEON.</summary>
    Bits128,

    /// <summary>32 bytes: AVX2.</summary>
    Bits256,
}

/// <summary>The columns' filter in the order in which the vector kernels read it.</summary>
/// <remarks>
/// Title note, lanes: a 16-byte load at an input pixel holds four RGB pixels (and four bytes too many). A byte shuffle
/// turns two of them into the pairs (r0 r1) (g0 g1) (b0 b1) of 16-bit numbers, so that one multiply-add instruction
/// with a broadcast pair of weights serves all three channels; the fourth 32-bit lane stays idle. The upper half of a
/// 32-byte vector does the same for the next row of the image, with the same weights.
/// Pillow's weights have 23 bits, too many for a 16-bit factor: weight = high · 256 + low, two multiply-adds, and both
/// sums stay below 2^31.
/// </remarks>
internal sealed class ColumnTable
{
    /// <summary>Outputs are made in groups of four; the table is filled up with copies of the last one.</summary>
    public const int Group = 4;

    public ColumnTable(ResizeAxis axis, bool split)
    {
        Count = axis.First.Length;

        // One pair, or whole loads of two pairs.
        Pairs = axis.Taps <= 2 ? 1 : (axis.Taps + 3) / 4 * 2;
        int padded = (Count + Group - 1) / Group * Group;
        Offsets = new int[padded];
        Weights = new int[padded * Pairs * (split ? 2 : 1)];
        int at = 0;
        for (int x = 0; x < padded; x++)
        {
            int source = Math.Min(x, Count - 1);
            Offsets[x] = axis.First[source] * 3;
            for (int pair = 0; pair < Pairs; pair++)
            {
                int left = Weight(2 * pair), right = Weight((2 * pair) + 1);
                if (split)
                {
                    Weights[at++] = (left >> 8) | (right >> 8 << 16);
                    Weights[at++] = (left & 255) | ((right & 255) << 16);
                }
                else
                {
                    Weights[at++] = left | (right << 16);
                }
            }

            int Weight(int tap) => tap < axis.Taps ? axis.Weights[(source * axis.Taps) + tap] : 0;
        }

        // Loads advance by 12 bytes for every two pairs.
        Reach = Offsets.Max() + ((Pairs - 1) / 2 * 12) + 16;
    }

    /// <summary>Outputs.</summary>
    public int Count { get; }

    /// <summary>Pairs of taps of each output: 1 or an even number.</summary>
    public int Pairs { get; }

    /// <summary>Byte offset of the first input pixel of each output.</summary>
    public int[] Offsets { get; }

    /// <summary>Packed weights, [output, pair] or, split, [output, pair, high and low].</summary>
    public int[] Weights { get; }

    /// <summary>Bytes that must be readable from the start of a row.</summary>
    public int Reach { get; }

    /// <summary>Bytes that must be writable for one output row (RGB bytes; OpenCV's sums take twice as many).</summary>
    public static int OutputBytes(int count) => ((count + Group - 1) / Group * Group * 3) + 4;
}

/// <remarks>
/// Title note, first calls: the vector entry points are compiled with full optimisation at once. Left to the usual
/// tiers they would start as unoptimised code, some fifty times slower, and a command that classifies one video would
/// be over before they were promoted.
/// </remarks>
internal static partial class Resize
{
    /// <summary>The widest vectors of this processor.</summary>
    public static VectorWidth BestWidth { get; } =
        Avx2.IsSupported ? VectorWidth.Bits256
        : Vector128.IsHardwareAccelerated ? VectorWidth.Bits128
        : VectorWidth.None;

    // Bytes of pixels 0 and 1, or 2 and 3, as three pairs of 16-bit numbers; 255 gives zero.
    private static Vector128<byte> FirstPair
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create((byte)0, 255, 3, 255, 1, 255, 4, 255, 2, 255, 5, 255, 255, 255, 255, 255);
    }

    private static Vector128<byte> SecondPair
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create((byte)6, 255, 9, 255, 7, 255, 10, 255, 8, 255, 11, 255, 255, 255, 255, 255);
    }

    // Four pixels of four bytes become four of three.
    private static Vector128<byte> DropFourthByte
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);
    }

    // Two pixels of four 16-bit numbers become two of three.
    private static Vector128<byte> DropFourthWord
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create((byte)0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 255, 255, 255, 255);
    }

    /// <summary>Pillow, along two rows at once.</summary>
    /// <param name="upper">RGB pixels; table.Reach bytes are read.</param>
    /// <param name="lower">RGB pixels of the other row; table.Reach bytes are read.</param>
    /// <param name="table">Filter of the columns, split.</param>
    /// <param name="upperOutput">RGB pixels; ColumnTable.OutputBytes are written.</param>
    /// <param name="lowerOutput">RGB pixels of the other row.</param>
    /// <param name="width">Vector width to use.</param>
    /// <param name="ahead">Distance to the rows that come next, in bytes; they are fetched into the cache.</param>
    public static void PillowColumns(
        ReadOnlySpan<byte> upper, ReadOnlySpan<byte> lower, ColumnTable table, Span<byte> upperOutput, Span<byte> lowerOutput, VectorWidth width, int ahead = 0)
    {
        Debug.Assert(Math.Min(upper.Length, lower.Length) >= table.Reach, "rows too short");
        Debug.Assert(Math.Min(upperOutput.Length, lowerOutput.Length) >= ColumnTable.OutputBytes(table.Count), "output too short");
        ref byte a = ref MemoryMarshal.GetReference(upper);
        ref byte b = ref MemoryMarshal.GetReference(lower);
        ref byte outA = ref MemoryMarshal.GetReference(upperOutput);
        ref byte outB = ref MemoryMarshal.GetReference(lowerOutput);
        if (width != VectorWidth.Bits256)
        {
            PillowColumns128(ref a, table, ref outA);
            PillowColumns128(ref b, table, ref outB);
            return;
        }

        switch (table.Pairs)
        {
            case 1:
                PillowColumns256<TwoTaps>(ref a, ref b, table, ref outA, ref outB, ahead);
                break;
            case 4:
                PillowColumns256<EightTaps>(ref a, ref b, table, ref outA, ref outB, ahead);
                break;
            default:
                PillowColumns256<ManyTaps>(ref a, ref b, table, ref outA, ref outB, ahead);
                break;
        }
    }

    /// <summary>Pillow, across rows, in vectors; see the scalar overload.</summary>
    /// <param name="ring">Rows of <paramref name="stride"/> bytes.</param>
    /// <param name="stride">Distance of rows, in bytes, at least the output's length rounded up to 32.</param>
    /// <param name="first">Number of the first row; row r lies at place r &amp; mask.</param>
    /// <param name="mask">Rows of the ring minus 1.</param>
    /// <param name="weights">One weight a row.</param>
    /// <param name="output">Bytes of the row; the length must be a multiple of 32.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PillowRowsVector(ReadOnlySpan<byte> ring, int stride, int first, int mask, ReadOnlySpan<int> weights, Span<byte> output)
    {
        Debug.Assert(output.Length % 32 == 0 && stride >= output.Length && ring.Length >= (mask + 1) * stride, "row layout");
        ref byte rows = ref MemoryMarshal.GetReference(ring);
        ref byte target = ref MemoryMarshal.GetReference(output);
        if (Avx2.IsSupported)
        {
            for (int i = 0; i < output.Length; i += 32)
            {
                PillowRows256(ref Unsafe.Add(ref rows, i), stride, first, mask, weights).StoreUnsafe(ref target, (nuint)i);
            }

            return;
        }

        for (int i = 0; i < output.Length; i += 16)
        {
            PillowRows128(ref Unsafe.Add(ref rows, i), stride, first, mask, weights).StoreUnsafe(ref target, (nuint)i);
        }
    }

    /// <summary>OpenCV, along two rows at once.</summary>
    /// <param name="upper">RGB pixels; table.Reach bytes are read.</param>
    /// <param name="lower">RGB pixels of the other row; table.Reach bytes are read.</param>
    /// <param name="table">Filter of the columns, not split.</param>
    /// <param name="upperOutput">Sums; as many numbers as ColumnTable.OutputBytes are written.</param>
    /// <param name="lowerOutput">Sums of the other row.</param>
    /// <param name="width">Vector width to use.</param>
    /// <param name="ahead">Distance to the rows that come next, in bytes; they are fetched into the cache.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void OpenCvColumns(
        ReadOnlySpan<byte> upper, ReadOnlySpan<byte> lower, ColumnTable table, Span<short> upperOutput, Span<short> lowerOutput, VectorWidth width, int ahead = 0)
    {
        Debug.Assert(table.Pairs == 1 && Math.Min(upper.Length, lower.Length) >= table.Reach, "rows too short");
        Debug.Assert(Math.Min(upperOutput.Length, lowerOutput.Length) >= ColumnTable.OutputBytes(table.Count), "output too short");
        ref byte a = ref MemoryMarshal.GetReference(upper);
        ref byte b = ref MemoryMarshal.GetReference(lower);
        ref short outA = ref MemoryMarshal.GetReference(upperOutput);
        ref short outB = ref MemoryMarshal.GetReference(lowerOutput);
        ReadOnlySpan<int> offsets = table.Offsets, weights = table.Weights;
        if (width == VectorWidth.Bits256)
        {
            Vector256<byte> pair = Vector256.Create(FirstPair, FirstPair), drop = Vector256.Create(DropFourthWord, DropFourthWord);
            for (int x = 0; x + 1 < offsets.Length; x += 2)
            {
                if ((x & 2) == 0)
                {
                    Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref a, offsets[x] + ahead)));
                    Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref b, offsets[x] + ahead)));
                }

                Vector256<int> p0 = Avx2.MultiplyAddAdjacent(
                    Avx2.Shuffle(TwoRows(ref a, ref b, offsets[x]), pair).AsInt16(), Vector256.Create(weights[x]).AsInt16());
                Vector256<int> p1 = Avx2.MultiplyAddAdjacent(
                    Avx2.Shuffle(TwoRows(ref a, ref b, offsets[x + 1]), pair).AsInt16(), Vector256.Create(weights[x + 1]).AsInt16());
                Vector256<byte> two = Avx2.Shuffle(Avx2.PackSignedSaturate(p0 >> 4, p1 >> 4).AsByte(), drop);
                two.GetLower().AsInt16().StoreUnsafe(ref outA, (nuint)(3 * x));
                two.GetUpper().AsInt16().StoreUnsafe(ref outB, (nuint)(3 * x));
            }
        }
        else
        {
            OpenCvColumns128(ref a, table, ref outA);
            OpenCvColumns128(ref b, table, ref outB);
        }
    }

    /// <summary>OpenCV, across two rows, in vectors; see the scalar overload.</summary>
    /// <param name="upper">Sums of the upper row.</param>
    /// <param name="lower">Sums of the lower row.</param>
    /// <param name="upperWeight">Weight of the upper row.</param>
    /// <param name="lowerWeight">Weight of the lower row.</param>
    /// <param name="output">Bytes of the row; the length must be a multiple of 32.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OpenCvRowsVector(ReadOnlySpan<short> upper, ReadOnlySpan<short> lower, int upperWeight, int lowerWeight, Span<byte> output)
    {
        Debug.Assert(output.Length % 32 == 0 && Math.Min(upper.Length, lower.Length) >= output.Length, "row layout");
        ref short a = ref MemoryMarshal.GetReference(upper);
        ref short b = ref MemoryMarshal.GetReference(lower);
        ref byte target = ref MemoryMarshal.GetReference(output);
        Vector256<short> wa = Vector256.Create((short)upperWeight), wb = Vector256.Create((short)lowerWeight), two = Vector256.Create((short)2);
        for (nuint i = 0; i < (nuint)output.Length; i += 32)
        {
            Vector256<short> low = (MultiplyHigh(Vector256.LoadUnsafe(ref a, i), wa) + MultiplyHigh(Vector256.LoadUnsafe(ref b, i), wb) + two) >> 2;
            Vector256<short> high = (MultiplyHigh(Vector256.LoadUnsafe(ref a, i + 16), wa) + MultiplyHigh(Vector256.LoadUnsafe(ref b, i + 16), wb) + two) >> 2;
            Vector256.Narrow(low.AsUInt16(), high.AsUInt16()).StoreUnsafe(ref target, i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> TwoRows(ref byte a, ref byte b, nint offset) =>
        Vector256.Create(Vector128.LoadUnsafe(ref a, (nuint)offset), Vector128.LoadUnsafe(ref b, (nuint)offset));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void PillowColumns256<TTaps>(ref byte a, ref byte b, ColumnTable table, ref byte outA, ref byte outB, nint ahead)
        where TTaps : struct, IPillowPixel
    {
        Vector256<byte> first = Vector256.Create(FirstPair, FirstPair), second = Vector256.Create(SecondPair, SecondPair);
        Vector256<byte> drop = Vector256.Create(DropFourthByte, DropFourthByte);
        ref int weights = ref MemoryMarshal.GetArrayDataReference(table.Weights);
        ref int offsets = ref MemoryMarshal.GetArrayDataReference(table.Offsets);
        int pairs = table.Pairs, step = 2 * pairs, count = table.Offsets.Length;
        for (int x = 0; x < count; x += ColumnTable.Group)
        {
            Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref a, offsets + ahead)));
            Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref b, offsets + ahead)));
            Vector256<int> p0 = TTaps.Sum(ref a, ref b, offsets, ref weights, pairs, first, second);
            Vector256<int> p1 = TTaps.Sum(ref a, ref b, Unsafe.Add(ref offsets, 1), ref Unsafe.Add(ref weights, step), pairs, first, second);
            Vector256<int> p2 = TTaps.Sum(ref a, ref b, Unsafe.Add(ref offsets, 2), ref Unsafe.Add(ref weights, 2 * step), pairs, first, second);
            Vector256<int> p3 = TTaps.Sum(ref a, ref b, Unsafe.Add(ref offsets, 3), ref Unsafe.Add(ref weights, 3 * step), pairs, first, second);
            offsets = ref Unsafe.Add(ref offsets, ColumnTable.Group);
            weights = ref Unsafe.Add(ref weights, ColumnTable.Group * step);
            Vector256<byte> four = Avx2.PackUnsignedSaturate(Avx2.PackSignedSaturate(p0, p1), Avx2.PackSignedSaturate(p2, p3));
            four = Avx2.Shuffle(four, drop);
            four.GetLower().StoreUnsafe(ref outA, (nuint)(3 * x));
            four.GetUpper().StoreUnsafe(ref outB, (nuint)(3 * x));
        }
    }

    /// <summary>One output pixel of two rows; a type for each number of taps, so that each loop is compiled on its own.</summary>
    private interface IPillowPixel
    {
        /// <summary>The rounded sums: red, green, blue, nothing of the upper row, and of the lower.</summary>
        static abstract Vector256<int> Sum(
            ref byte a, ref byte b, nint at, ref int weights, int pairs, Vector256<byte> first, Vector256<byte> second);
    }

    /// <summary>Enlarging.</summary>
    private readonly struct TwoTaps : IPillowPixel
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<int> Sum(
            ref byte a, ref byte b, nint at, ref int weights, int pairs, Vector256<byte> first, Vector256<byte> second)
        {
            Vector256<short> p = Avx2.Shuffle(TwoRows(ref a, ref b, at), first).AsInt16();
            Vector256<int> high = Avx2.MultiplyAddAdjacent(p, Vector256.Create(weights).AsInt16());
            Vector256<int> low = Avx2.MultiplyAddAdjacent(p, Vector256.Create(Unsafe.Add(ref weights, 1)).AsInt16());
            return ((high << 8) + low + Vector256.Create(HalfPillow)) >> ResizeAxis.PillowBits;
        }
    }

    /// <summary>Shrinking to between a half and a quarter, such as 720 lines to 256.</summary>
    private readonly struct EightTaps : IPillowPixel
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<int> Sum(
            ref byte a, ref byte b, nint at, ref int weights, int pairs, Vector256<byte> first, Vector256<byte> second)
        {
            Vector256<byte> four = TwoRows(ref a, ref b, at), next = TwoRows(ref a, ref b, at + 12);
            Vector256<short> p = Avx2.Shuffle(four, first).AsInt16();
            Vector256<int> high = Avx2.MultiplyAddAdjacent(p, Vector256.Create(weights).AsInt16());
            Vector256<int> low = Avx2.MultiplyAddAdjacent(p, Vector256.Create(Unsafe.Add(ref weights, 1)).AsInt16());
            p = Avx2.Shuffle(four, second).AsInt16();
            high += Avx2.MultiplyAddAdjacent(p, Vector256.Create(Unsafe.Add(ref weights, 2)).AsInt16());
            low += Avx2.MultiplyAddAdjacent(p, Vector256.Create(Unsafe.Add(ref weights, 3)).AsInt16());
            p = Avx2.Shuffle(next, first).AsInt16();
            high += Avx2.MultiplyAddAdjacent(p, Vector256.Create(Unsafe.Add(ref weights, 4)).AsInt16());
            low += Avx2.MultiplyAddAdjacent(p, Vector256.Create(Unsafe.Add(ref weights, 5)).AsInt16());
            p = Avx2.Shuffle(next, second).AsInt16();
            high += Avx2.MultiplyAddAdjacent(p, Vector256.Create(Unsafe.Add(ref weights, 6)).AsInt16());
            low += Avx2.MultiplyAddAdjacent(p, Vector256.Create(Unsafe.Add(ref weights, 7)).AsInt16());
            return ((high << 8) + low + Vector256.Create(HalfPillow)) >> ResizeAxis.PillowBits;
        }
    }

    /// <summary>Any even number of pairs, four taps a turn.</summary>
    private readonly struct ManyTaps : IPillowPixel
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<int> Sum(
            ref byte a, ref byte b, nint at, ref int weights, int pairs, Vector256<byte> first, Vector256<byte> second)
        {
            Vector256<int> high = Vector256<int>.Zero, low = Vector256.Create(HalfPillow);
            do
            {
                Vector256<byte> four = TwoRows(ref a, ref b, at);
                Vector256<short> p = Avx2.Shuffle(four, first).AsInt16(), q = Avx2.Shuffle(four, second).AsInt16();
                high += Avx2.MultiplyAddAdjacent(p, Vector256.Create(weights).AsInt16());
                low += Avx2.MultiplyAddAdjacent(p, Vector256.Create(Unsafe.Add(ref weights, 1)).AsInt16());
                high += Avx2.MultiplyAddAdjacent(q, Vector256.Create(Unsafe.Add(ref weights, 2)).AsInt16());
                low += Avx2.MultiplyAddAdjacent(q, Vector256.Create(Unsafe.Add(ref weights, 3)).AsInt16());
                weights = ref Unsafe.Add(ref weights, 4);
                at += 12;
                pairs -= 2;
            }
            while (pairs > 0);
            return ((high << 8) + low) >> ResizeAxis.PillowBits;
        }
    }

    // Two rows a turn: their bytes alternate as 16-bit pairs, which one multiply-add sums. Unpacking and packing both
    // stay within 16-byte halves, so the order of the bytes comes back by itself. An odd last row is paired with itself
    // and weight zero.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> PillowRows256(ref byte rows, int stride, int first, int mask, ReadOnlySpan<int> weights)
    {
        Vector256<int> half = Vector256.Create(HalfPillow);
        Vector256<int> h0 = Vector256<int>.Zero, h1 = h0, h2 = h0, h3 = h0, l0 = half, l1 = half, l2 = half, l3 = half;
        for (int t = 0; t < weights.Length; t += 2)
        {
            bool odd = t + 1 == weights.Length;
            int weight = weights[t], nextWeight = odd ? 0 : weights[t + 1];
            Vector256<byte> upper = Vector256.LoadUnsafe(ref rows, (nuint)(((first + t) & mask) * stride));
            Vector256<byte> lower = Vector256.LoadUnsafe(ref rows, (nuint)(((first + t + (odd ? 0 : 1)) & mask) * stride));
            Vector256<short> high = Vector256.Create((weight >> 8) | (nextWeight >> 8 << 16)).AsInt16();
            Vector256<short> low = Vector256.Create((weight & 255) | ((nextWeight & 255) << 16)).AsInt16();
            Vector256<byte> even = Avx2.UnpackLow(upper, lower), rest = Avx2.UnpackHigh(upper, lower);
            Vector256<short> p = Avx2.UnpackLow(even, Vector256<byte>.Zero).AsInt16();
            h0 += Avx2.MultiplyAddAdjacent(p, high);
            l0 += Avx2.MultiplyAddAdjacent(p, low);
            p = Avx2.UnpackHigh(even, Vector256<byte>.Zero).AsInt16();
            h1 += Avx2.MultiplyAddAdjacent(p, high);
            l1 += Avx2.MultiplyAddAdjacent(p, low);
            p = Avx2.UnpackLow(rest, Vector256<byte>.Zero).AsInt16();
            h2 += Avx2.MultiplyAddAdjacent(p, high);
            l2 += Avx2.MultiplyAddAdjacent(p, low);
            p = Avx2.UnpackHigh(rest, Vector256<byte>.Zero).AsInt16();
            h3 += Avx2.MultiplyAddAdjacent(p, high);
            l3 += Avx2.MultiplyAddAdjacent(p, low);
        }

        Vector256<short> s0 = Avx2.PackSignedSaturate(
            ((h0 << 8) + l0) >> ResizeAxis.PillowBits, ((h1 << 8) + l1) >> ResizeAxis.PillowBits);
        Vector256<short> s1 = Avx2.PackSignedSaturate(
            ((h2 << 8) + l2) >> ResizeAxis.PillowBits, ((h3 << 8) + l3) >> ResizeAxis.PillowBits);
        return Avx2.PackUnsignedSaturate(s0, s1);
    }

    // Weights are positive and add up to 2^22 within a few units, so every sum fits a byte after the shift.
    private static Vector128<byte> PillowRows128(ref byte rows, int stride, int first, int mask, ReadOnlySpan<int> weights)
    {
        Vector128<int> half = Vector128.Create(HalfPillow), s0 = half, s1 = half, s2 = half, s3 = half;
        for (int t = 0; t < weights.Length; t++)
        {
            Vector128<byte> pixels = Vector128.LoadUnsafe(ref rows, (nuint)(((first + t) & mask) * stride));
            Vector128<int> weight = Vector128.Create(weights[t]);
            Vector128<ushort> low = Vector128.WidenLower(pixels), high = Vector128.WidenUpper(pixels);
            s0 += Vector128.WidenLower(low).AsInt32() * weight;
            s1 += Vector128.WidenUpper(low).AsInt32() * weight;
            s2 += Vector128.WidenLower(high).AsInt32() * weight;
            s3 += Vector128.WidenUpper(high).AsInt32() * weight;
        }

        return Vector128.Narrow(
            Vector128.Narrow((s0 >> ResizeAxis.PillowBits).AsUInt32(), (s1 >> ResizeAxis.PillowBits).AsUInt32()),
            Vector128.Narrow((s2 >> ResizeAxis.PillowBits).AsUInt32(), (s3 >> ResizeAxis.PillowBits).AsUInt32()));
    }

    private static void PillowColumns128(ref byte row, ColumnTable table, ref byte output)
    {
        ReadOnlySpan<int> offsets = table.Offsets;
        ref int weights = ref MemoryMarshal.GetArrayDataReference(table.Weights);
        for (int x = 0; x < offsets.Length; x++)
        {
            Vector128<int> high = Vector128<int>.Zero, low = Vector128.Create(HalfPillow);
            int offset = offsets[x];
            for (int pair = 0; pair < table.Pairs; pair++)
            {
                Vector128<byte> four = Vector128.LoadUnsafe(ref row, (nuint)offset);
                Vector128<short> p = Vector128.ShuffleNative(four, (pair & 1) == 0 ? FirstPair : SecondPair).AsInt16();
                high += MultiplyAddPairs(p, Vector128.Create(weights).AsInt16());
                low += MultiplyAddPairs(p, Vector128.Create(Unsafe.Add(ref weights, 1)).AsInt16());
                weights = ref Unsafe.Add(ref weights, 2);
                offset += 12 * (pair & 1);
            }

            Vector128<byte> pixel = (((high << 8) + low) >> ResizeAxis.PillowBits).AsByte();
            Unsafe.Add(ref output, 3 * x) = pixel.GetElement(0);
            Unsafe.Add(ref output, (3 * x) + 1) = pixel.GetElement(4);
            Unsafe.Add(ref output, (3 * x) + 2) = pixel.GetElement(8);
        }
    }

    private static void OpenCvColumns128(ref byte row, ColumnTable table, ref short output)
    {
        ReadOnlySpan<int> offsets = table.Offsets, weights = table.Weights;
        for (int x = 0; x < offsets.Length; x++)
        {
            Vector128<short> p = Vector128.ShuffleNative(Vector128.LoadUnsafe(ref row, (nuint)offsets[x]), FirstPair).AsInt16();
            Vector128<short> sums = (MultiplyAddPairs(p, Vector128.Create(weights[x]).AsInt16()) >> 4).AsInt16();
            Unsafe.Add(ref output, 3 * x) = sums.GetElement(0);
            Unsafe.Add(ref output, (3 * x) + 1) = sums.GetElement(2);
            Unsafe.Add(ref output, (3 * x) + 2) = sums.GetElement(4);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> MultiplyAddPairs(Vector128<short> x, Vector128<short> y)
    {
        if (Sse2.IsSupported)
        {
            return Sse2.MultiplyAddAdjacent(x, y);
        }

        Vector128<int> even = ((x.AsInt32() << 16) >> 16) * ((y.AsInt32() << 16) >> 16);
        return even + ((x.AsInt32() >> 16) * (y.AsInt32() >> 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> MultiplyHigh(Vector256<short> x, Vector256<short> y)
    {
        if (Avx2.IsSupported)
        {
            return Avx2.MultiplyHigh(x, y);
        }

        (Vector256<int> x0, Vector256<int> x1) = Vector256.Widen(x);
        (Vector256<int> y0, Vector256<int> y1) = Vector256.Widen(y);
        return Vector256.Narrow((x0 * y0) >> 16, (x1 * y1) >> 16);
    }
}
