using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Kinora.Onnx.Export.Graph;
using Kinora.Paddle.Programs.Format;

namespace Kinora.Paddle.Programs;

/// <summary>
/// Reads <c>.pdiparams</c> files: the tensors of a program one after the other, in the order of their names, without
/// the names. Each is checked against what the program declares before memory is asked for.
/// </summary>
internal sealed class ParameterFile
{
    private const int MaximumHeader = 1 << 12;
    private const int MaximumRank = 16;
    private const int ChunkBytes = 1 << 20;

    private readonly FileStream _stream;
    private readonly string _path;
    private readonly byte[] _small = new byte[MaximumHeader];

    private ParameterFile(FileStream stream, string path) => (_stream, _path) = (stream, path);

    /// <summary>Reads all tensors.</summary>
    /// <param name="path">The file.</param>
    /// <param name="parameters">The program's parameters, in any order.</param>
    /// <returns>Elements by name: float32, float64 or int64, whatever comes closest to the stored type.</returns>
    /// <exception cref="CheckpointException">Missing, damaged, or of another program.</exception>
    public static IReadOnlyDictionary<string, Literal> Read(string path, IEnumerable<ProgramVariable> parameters)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            var file = new ParameterFile(stream, path);
            var tensors = new Dictionary<string, Literal>(StringComparer.Ordinal);
            foreach (ProgramVariable parameter in parameters.OrderBy(p => p.Name, StringComparer.Ordinal))
            {
                tensors.Add(parameter.Name, file.ReadTensor(parameter));
            }

            return file.Remaining == 0
                ? tensors
                : throw new CheckpointException($"reading parameters: expected the end after {tensors.Count} tensors, found {file.Remaining} bytes more; is it another program's file?", path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"reading parameters: {e.Message}", path, e);
        }
    }

    private long Remaining => _stream.Length - _stream.Position;

    // u32 0; u64 number of levels of sequence offsets (none in networks of ours, but they are skipped), each u64 bytes
    // and the bytes; u32 0; i32 length of the header; header; elements.
    private Literal ReadTensor(ProgramVariable parameter)
    {
        Require(BinaryPrimitives.ReadUInt32LittleEndian(Take(4, parameter)) == 0, parameter, "the record's version isn't 0");
        ulong levels = BinaryPrimitives.ReadUInt64LittleEndian(Take(8, parameter));
        Require(levels <= MaximumRank, parameter, $"{levels} levels of sequence offsets");
        for (ulong level = 0; level < levels; level++)
        {
            ulong bytes = BinaryPrimitives.ReadUInt64LittleEndian(Take(8, parameter));
            Require(bytes <= (ulong)Remaining, parameter, $"{bytes} bytes of sequence offsets in the last {Remaining} of the file");
            _stream.Seek((long)bytes, SeekOrigin.Current);
        }

        Require(BinaryPrimitives.ReadUInt32LittleEndian(Take(4, parameter)) == 0, parameter, "the tensor's version isn't 0");
        int length = BinaryPrimitives.ReadInt32LittleEndian(Take(4, parameter));
        Require(length is > 0 and <= MaximumHeader, parameter, $"a header of {length} bytes");
        TensorDesc header = Header(Take(length, parameter), parameter);
        if (header.DataType != (int)parameter.Type! || !header.Dims.SequenceEqual(parameter.Shape))
        {
            throw new CheckpointException(
                $"reading parameters: '{parameter.Name}': expected {parameter.Type} [{string.Join(", ", parameter.Shape)}] as the program declares, "
                + $"found {(ElementType)header.DataType} [{string.Join(", ", header.Dims)}]; is it another program's file?", _path);
        }

        return ReadElements(parameter, [.. header.Dims]);
    }

    private TensorDesc Header(ReadOnlySpan<byte> bytes, ProgramVariable parameter)
    {
        try
        {
            TensorDesc header = TensorDesc.Parser.ParseFrom(bytes);
            Require(header.Dims.Count <= MaximumRank && header.Dims.All(size => size >= 0), parameter, $"the shape [{string.Join(", ", header.Dims.Take(MaximumRank))}]");
            return header;
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new CheckpointException($"reading parameters: '{parameter.Name}': its header can't be read ({e.Message.TrimEnd('.')}); the file is damaged, copy it again", _path, e);
        }
    }

    private Literal ReadElements(ProgramVariable parameter, long[] shape)
    {
        ElementType type = parameter.Type!.Value;
        int size = type switch
        {
            ElementType.Bool or ElementType.UInt8 or ElementType.Int8 => 1,
            ElementType.Int16 or ElementType.Float16 or ElementType.BFloat16 => 2,
            ElementType.Int32 or ElementType.Float32 => 4,
            ElementType.Int64 or ElementType.Float64 => 8,
            _ => throw new CheckpointException($"reading parameters: '{parameter.Name}': element type {(int)type} isn't known", _path),
        };
        long count = 1;
        foreach (long axis in shape)
        {
            // What is left of the file bounds the product long before it could overflow.
            Require(axis == 0 || count <= Remaining / axis, parameter, $"[{string.Join(", ", shape)}] elements in the last {Remaining} bytes of the file");
            count *= axis;
        }

        Require(count <= Remaining / size && count <= Array.MaxLength, parameter, $"{count} elements of {size} bytes in the last {Remaining} bytes of the file");
        switch (type)
        {
            case ElementType.Float32:
            {
                var values = new float[count];
                Fill<float>(values);
                return new Literal(values, shape);
            }

            case ElementType.Float64:
            {
                var values = new double[count];
                Fill<double>(values);
                return new Literal(values, shape);
            }

            case ElementType.Int64:
            {
                var values = new long[count];
                Fill<long>(values);
                return new Literal(values, shape);
            }

            case ElementType.Float16:
                return new Literal(Converted<Half, float>(count, x => (float)x), shape);
            case ElementType.BFloat16:
                return new Literal(Converted<ushort, float>(count, x => BitConverter.UInt32BitsToSingle((uint)x << 16)), shape);
            case ElementType.Int32:
                return new Literal(Converted<int, long>(count, x => x), shape);
            case ElementType.Int16:
                return new Literal(Converted<short, long>(count, x => x), shape);
            case ElementType.Int8:
                return new Literal(Converted<sbyte, long>(count, x => x), shape);
            default:
                return new Literal(Converted<byte, long>(count, x => x), shape);
        }
    }

    private TTo[] Converted<TFrom, TTo>(long count, Func<TFrom, TTo> convert)
        where TFrom : unmanaged
    {
        var values = new TFrom[count];
        Fill<TFrom>(values);
        return Array.ConvertAll(values, x => convert(x));
    }

    // In parts, as a span of bytes ends at 2 GB.
    private void Fill<T>(Span<T> values)
        where T : unmanaged
    {
        int part = ChunkBytes / Unsafe.SizeOf<T>();
        while (values.Length > 0)
        {
            Span<T> next = values[..Math.Min(part, values.Length)];
            _stream.ReadExactly(MemoryMarshal.AsBytes(next));
            values = values[next.Length..];
        }
    }

    private ReadOnlySpan<byte> Take(int count, ProgramVariable parameter)
    {
        Require(count <= Remaining, parameter, "the end of the file");
        _stream.ReadExactly(_small, 0, count);
        return _small.AsSpan(0, count);
    }

    private void Require(bool holds, ProgramVariable parameter, string found)
    {
        if (!holds)
        {
            throw new CheckpointException(
                $"reading parameters: expected the record of '{parameter.Name}' ({parameter.Type} [{string.Join(", ", parameter.Shape)}]), found {found}; "
                + "the file is damaged or another program's, copy it again", _path);
        }
    }
}
