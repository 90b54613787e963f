namespace Kinora.Paddle;

/// <summary>
/// PaddlePaddle's binary form of tensors, one record after the other: <c>.pdiparams</c> files, and single tensors that
/// were saved in binary form.
/// </summary>
/// <remarks>
/// A record is a version (32 bits, 0), the number of levels of detail (64 bits) with their lengths and contents, another
/// version (32 bits, 0), the length of a description (32 bits), the description, and the elements. The description is
/// the protocol buffer <c>VarType.TensorDesc</c>: 1 is the element type, 2 the shape.
/// </remarks>
internal static class TensorRecords
{
    private const int MaxDescriptionBytes = 1024;
    private const int MaxRecords = 100_000;

    /// <summary>Reads where the tensors of a file are.</summary>
    /// <param name="file">The file, at its start.</param>
    /// <returns>The tensors in the order of the file.</returns>
    /// <exception cref="CheckpointException">The file is damaged.</exception>
    public static List<StoredArray> Read(FileWindow file)
    {
        var records = new List<StoredArray>();
        while (file.Position < file.Length)
        {
            if (records.Count == MaxRecords)
            {
                throw file.Damaged($"expected at most {MaxRecords} tensors");
            }

            records.Add(ReadOne(file));
        }

        return records;
    }

    private static StoredArray ReadOne(FileWindow file)
    {
        ExpectVersion(file);
        ulong levels = file.ReadUInt64();
        for (ulong i = 0; i < levels; i++)
        {
            file.Skip(file.ReadUInt64());
        }

        ExpectVersion(file);
        uint length = file.ReadUInt32();
        if (length > MaxDescriptionBytes)
        {
            throw file.Damaged($"expected the description of a tensor, found {length} bytes of it");
        }

        long at = file.Position;
        (ElementType type, long[] shape) = ReadDescription(file, file.Take((int)length), at);
        long bytes = type.Size();
        foreach (long size in shape)
        {
            bytes = size == 0 ? 0 : bytes > long.MaxValue / Math.Max(size, 1) ? long.MaxValue : bytes * size;
        }

        var array = new StoredArray();
        var run = new ByteRun(file.Skip((ulong)Math.Max(bytes, 0)), bytes, bytes, IsText: false);
        return array.Define(type, isBigEndian: false, shape, isFortran: false, [run]) is { } wrong ? throw file.Damaged(wrong, at) : array;
    }

    private static void ExpectVersion(FileWindow file)
    {
        long at = file.Position;
        uint version = file.ReadUInt32();
        if (version != 0)
        {
            throw file.Damaged($"expected a tensor of version 0, found {version}", at);
        }
    }

    private static (ElementType Type, long[] Shape) ReadDescription(FileWindow file, ReadOnlySpan<byte> text, long at)
    {
        ElementType? type = null;
        var shape = new List<long>();
        while (!text.IsEmpty)
        {
            // Fields are a number and a wire type: 0 for one number, 2 for a packed list of them.
            switch (ReadNumber(file, ref text, at))
            {
                case (1 << 3) | 0:
                    ulong number = ReadNumber(file, ref text, at);
                    type = ElementTypes.OfVarType(number) ?? throw file.Damaged($"expected an element type that a weight may have, found number {number}", at);
                    break;
                case (2 << 3) | 0:
                    shape.Add((long)ReadNumber(file, ref text, at));
                    break;
                case (2 << 3) | 2:
                    ulong bytes = ReadNumber(file, ref text, at);
                    if (bytes > (ulong)text.Length)
                    {
                        throw file.Damaged("expected the description of a tensor, found only the start of one", at);
                    }

                    ReadOnlySpan<byte> packed = text[..(int)bytes];
                    text = text[(int)bytes..];
                    while (!packed.IsEmpty)
                    {
                        shape.Add((long)ReadNumber(file, ref packed, at));
                    }

                    break;
                case var field:
                    throw file.Damaged($"expected type and shape of a tensor, found field {field >> 3}", at);
            }
        }

        return (type ?? throw file.Damaged("expected the element type of a tensor, found none", at), [.. shape]);
    }

    // Seven bits a byte, the lowest first; the highest bit says that there is more.
    private static ulong ReadNumber(FileWindow file, ref ReadOnlySpan<byte> text, long at)
    {
        ulong value = 0;
        for (int shift = 0; shift < 64 && !text.IsEmpty; shift += 7)
        {
            byte next = text[0];
            text = text[1..];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw file.Damaged("expected the description of a tensor, found a number that doesn't end", at);
    }
}
