namespace Kinora.Onnx.Export.Graph;

/// <summary>One size of a shape: a fixed number, or a multiple of the number of clips in the batch (N).</summary>
/// <param name="Count">The number, or the factor of N.</param>
/// <param name="PerClip">Whether <paramref name="Count"/> multiplies N.</param>
internal readonly record struct Dimension(long Count, bool PerClip = false)
{
    public static implicit operator Dimension(long count) => new(count);

    /// <summary>Whether the size is the number 1 whatever the batch.</summary>
    public bool IsOne => !PerClip && Count == 1;

    /// <summary>The size for a given number of clips.</summary>
    public long At(long clips) => PerClip ? Count * clips : Count;

    /// <summary>Finds the rule behind two observations of one size.</summary>
    /// <returns>Null where neither a fixed number nor a multiple of N explains both.</returns>
    public static Dimension? Observe(long first, long firstClips, long second, long secondClips) =>
        first == second ? new Dimension(first)
        : first % firstClips == 0 && second % secondClips == 0 && first / firstClips == second / secondClips
            ? new Dimension(first / firstClips, PerClip: true)
            : null;

    /// <summary>The name under which the size stands in the file: "8", "N", "8*N".</summary>
    public override string ToString() => !PerClip ? $"{Count}" : Count == 1 ? "N" : $"{Count}*N";
}

/// <summary>Sizes of a whole value.</summary>
internal static class Shapes
{
    /// <summary>Whether two shapes are equal for every batch.</summary>
    public static bool Same(ReadOnlySpan<Dimension> a, ReadOnlySpan<Dimension> b) => a.SequenceEqual(b);

    /// <summary>The number of elements: the product of the fixed parts and the power of N.</summary>
    public static (long Count, int PowerOfN) Size(ReadOnlySpan<Dimension> shape)
    {
        long count = 1;
        int power = 0;
        foreach (Dimension size in shape)
        {
            count *= size.Count;
            power += size.PerClip ? 1 : 0;
        }

        return (count, power);
    }

    /// <summary>The shape of an element-wise operation on two operands (NumPy's broadcasting).</summary>
    /// <exception cref="ShapeException">The shapes don't fit together.</exception>
    public static Dimension[] Broadcast(ReadOnlySpan<Dimension> a, ReadOnlySpan<Dimension> b)
    {
        var shape = new Dimension[Math.Max(a.Length, b.Length)];
        for (int i = 1; i <= shape.Length; i++)
        {
            Dimension x = i <= a.Length ? a[^i] : 1;
            Dimension y = i <= b.Length ? b[^i] : 1;
            shape[^i] = x.IsOne ? y : y.IsOne || x == y ? x
                : throw new ShapeException($"export: operands {Text(a)} and {Text(b)} don't broadcast");
        }

        return shape;
    }

    /// <summary>The shape without size-1 axes in front, for comparing broadcast operands.</summary>
    public static ReadOnlySpan<Dimension> TrimLeadingOnes(ReadOnlySpan<Dimension> shape)
    {
        int start = 0;
        while (start < shape.Length && shape[start].IsOne)
        {
            start++;
        }

        return shape[start..];
    }

    /// <summary>"[N, 8, 3, 224, 224]".</summary>
    public static string Text(ReadOnlySpan<Dimension> shape) => $"[{string.Join(", ", shape.ToArray())}]";
}
