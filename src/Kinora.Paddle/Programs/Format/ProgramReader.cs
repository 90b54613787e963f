using Google.Protobuf;
using Google.Protobuf.Collections;
using Kinora.Paddle.Programs.Format;

namespace Kinora.Paddle.Programs;

/// <summary>Reads <c>.pdmodel</c> files.</summary>
internal static class ProgramReader
{
    // Programs hold no weights; the largest of PaddleVideo's has a megabyte.
    private const long MaximumBytes = 64L << 20;
    private const int MaximumRank = 16;
    private const int MaximumName = 512;
    private const int TensorVariable = 7;

    // How an attribute says which of its fields holds the value.
    private enum AttributeType
    {
        Int = 0,
        Float = 1,
        String = 2,
        Ints = 3,
        Floats = 4,
        Boolean = 6,
        Booleans = 7,
        Block = 8,
        Long = 9,
        Longs = 11,
        Float64s = 12,
        Float64 = 15,
    }

    /// <summary>Reads a program.</summary>
    /// <param name="path">The file.</param>
    /// <returns>PaddlePaddle's version number (2006002 is 2.6.2) and the blocks.</returns>
    /// <exception cref="CheckpointException">Missing, not a program, or damaged.</exception>
    public static (long Version, IReadOnlyList<ProgramBlock> Blocks) Read(string path)
    {
        ProgramDesc program = Parse(path);
        if (program.Blocks.Count == 0 || program.Blocks[0].Ops.Count == 0)
        {
            throw Damaged("expected a block with operators, found none", path);
        }

        return (program.Version?.Version ?? 0, [.. program.Blocks.Select((block, index) => ReadBlock(block, index, path))]);
    }

    private static ProgramDesc Parse(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            return stream.Length <= MaximumBytes
                ? ProgramDesc.Parser.ParseFrom(stream)
                : throw Damaged($"expected at most {MaximumBytes >> 20} MB, found {stream.Length >> 20} MB; weights belong into the .pdiparams file", path);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw Damaged($"expected a PaddlePaddle program (.pdmodel), found something else or a part of one ({e.Message.TrimEnd('.')}); copy or export it again", path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"reading program: {e.Message}", path, e);
        }
    }

    private static ProgramBlock ReadBlock(BlockDesc block, int index, string path)
    {
        if (block.Idx != index)
        {
            throw Damaged($"expected block {index}, found one numbered {block.Idx}", path);
        }

        var variables = new Dictionary<string, ProgramVariable>(StringComparer.Ordinal);
        foreach (VarDesc variable in block.Vars)
        {
            if (!IsName(variable.Name) || !variables.TryAdd(variable.Name, ReadVariable(variable, path)))
            {
                throw Damaged($"block {index} declares a variable twice or without a proper name, the one numbered {variables.Count}", path);
            }
        }

        return new ProgramBlock(index, variables, [.. block.Ops.Select((op, i) => ReadOperator(op, index, i, path))]);
    }

    private static ProgramVariable ReadVariable(VarDesc variable, string path)
    {
        TensorDesc? tensor = variable.Type?.Type == TensorVariable ? variable.Type.LodTensor?.Tensor : null;
        if (tensor is null)
        {
            return new ProgramVariable(variable.Name, null, [], IsParameter: false);
        }

        return tensor.Dims.Count <= MaximumRank && tensor.Dims.All(size => size is >= -1 and <= int.MaxValue)
            ? new ProgramVariable(variable.Name, (ElementType)tensor.DataType, [.. tensor.Dims], variable.Persistable)
            : throw Damaged($"variable '{variable.Name}' has the impossible shape [{string.Join(", ", tensor.Dims.Take(MaximumRank))}]", path);
    }

    private static ProgramOperator ReadOperator(OpDesc op, int block, int index, string path)
    {
        var attributes = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (AttrDesc attribute in op.Attrs)
        {
            if (IsName(attribute.Name) && ValueOf(attribute) is { } value)
            {
                attributes[attribute.Name] = value;
            }
        }

        return new ProgramOperator
        {
            Type = IsName(op.Type) ? op.Type : throw Damaged($"operator {index} of block {block} has no type", path),
            Block = block,
            Index = index,
            Inputs = Arguments(op.Inputs, path),
            Outputs = Arguments(op.Outputs, path),
            Attributes = attributes,
        };
    }

    // Texts in lists (source lines of the exporting machine, mostly) and variables as attributes are left out.
    private static object? ValueOf(AttrDesc attribute) => (AttributeType)attribute.Type switch
    {
        AttributeType.Int => (long)attribute.I,
        AttributeType.Float => (double)attribute.F,
        AttributeType.String => attribute.S.Any(char.IsControl) ? null : attribute.S,
        AttributeType.Ints => attribute.Ints.Select(i => (long)i).ToArray(),
        AttributeType.Floats => attribute.Floats.Select(f => (double)f).ToArray(),
        AttributeType.Boolean => attribute.B,
        AttributeType.Booleans => attribute.Bools.Select(b => b ? 1L : 0L).ToArray(),
        AttributeType.Block => (long)attribute.BlockIdx,
        AttributeType.Long => attribute.L,
        AttributeType.Longs => attribute.Longs.ToArray(),
        AttributeType.Float64s => attribute.Float64S.ToArray(),
        AttributeType.Float64 => attribute.Float64,
        _ => null,
    };

    // Names end up in messages of one line.
    private static bool IsName(string text) => text.Length is > 0 and <= MaximumName && !text.Any(char.IsControl);

    private static Dictionary<string, IReadOnlyList<string>> Arguments(RepeatedField<OpVarDesc> variables, string path)
    {
        var arguments = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (OpVarDesc variable in variables.Where(v => v.Arguments.Count > 0))
        {
            arguments[variable.Parameter] = variable.Arguments.All(IsName)
                ? [.. variable.Arguments]
                : throw Damaged("an operator reads or writes a variable without a proper name", path);
        }

        return arguments;
    }

    private static CheckpointException Damaged(string what, string path, Exception? inner = null) => new($"reading program: {what}", path, inner);
}
