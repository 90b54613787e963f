namespace Kinora.Paddle;

/// <summary>A run of bytes in a file.</summary>
/// <param name="Offset">First byte in the file.</param>
/// <param name="FileBytes">Bytes in the file.</param>
/// <param name="Count">Bytes that they stand for.</param>
/// <param name="IsText">
/// They are UTF-8 text whose characters stand for one byte each: protocol 2 has no way to write bytes.
/// </param>
internal readonly record struct ByteRun(long Offset, long FileBytes, long Count, bool IsText);

/// <summary>An array in a file: what is known of it, and where its bytes are.</summary>
internal sealed class StoredArray
{
    /// <summary>Element type.</summary>
    public ElementType Type { get; private set; }

    /// <summary>Sizes of all dimensions; null until the file has said what the array holds.</summary>
    public long[]? Shape { get; private set; }

    /// <summary>Whether the first dimension runs fastest.</summary>
    public bool IsFortran { get; private set; }

    /// <summary>Whether the numbers start with their highest byte.</summary>
    public bool IsBigEndian { get; private set; }

    /// <summary>The bytes, one run after the other.</summary>
    public IReadOnlyList<ByteRun> Runs { get; private set; } = [];

    /// <summary>Bytes of all elements.</summary>
    public long ByteCount { get; private set; }

    /// <summary>Says what the array holds.</summary>
    /// <param name="type">Element type.</param>
    /// <param name="isBigEndian">Whether the numbers start with their highest byte.</param>
    /// <param name="shape">Sizes of all dimensions.</param>
    /// <param name="isFortran">Whether the first dimension runs fastest.</param>
    /// <param name="runs">The bytes.</param>
    /// <returns>What is wrong with it, or null.</returns>
    public string? Define(ElementType type, bool isBigEndian, long[] shape, bool isFortran, IReadOnlyList<ByteRun> runs)
    {
        const int MaxRank = 16;
        long found = runs.Sum(run => run.Count);
        if (shape.Length > MaxRank)
        {
            return $"expected a shape of at most {MaxRank} dimensions, found {shape.Length}";
        }

        if (shape.Any(size => size < 0))
        {
            return $"expected a shape without negative sizes, found {Text(shape)}";
        }

        long elements = 1;
        foreach (long size in shape)
        {
            elements = size == 0 ? 0 : elements > long.MaxValue / size ? long.MaxValue : elements * size;
        }

        // An empty array may have enormous other dimensions, whose strides would overflow.
        if (elements == 0 ? shape.Any(size => size > int.MaxValue) || found != 0 : found / elements != type.Size() || found % elements != 0)
        {
            return $"expected the bytes of {type} {Text(shape)}, found {found}";
        }

        (Type, IsBigEndian, Shape, Runs, ByteCount) = (type, isBigEndian && type.Size() > 1, shape, runs, found);
        IsFortran = isFortran && shape.Length > 1;
        return null;
    }

    /// <summary>A shape in words.</summary>
    public static string Text(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";
}
