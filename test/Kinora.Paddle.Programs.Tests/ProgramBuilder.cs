using Google.Protobuf;
using Kinora.Paddle.Programs.Format;

namespace Kinora.Paddle.Programs.Tests;

/// <summary>Writes small programs with parameters, as PaddlePaddle's exporter would.</summary>
internal sealed class ProgramBuilder
{
    private const int TensorVariable = 7;

    private readonly ProgramDesc _program = new() { Version = new VersionDesc { Version = 2006002 } };
    private readonly SortedDictionary<string, (float[] Values, long[] Shape)> _parameters = new(StringComparer.Ordinal);

    public ProgramBuilder() => Block();

    /// <summary>The program as the file has it; tests change it to their liking.</summary>
    public ProgramDesc Program => _program;

    /// <summary>A program from clips [N, T, 3, side, side] on.</summary>
    public static ProgramBuilder WithClips(int frames, int side)
    {
        var builder = new ProgramBuilder();
        builder.Variable("clips", -1, frames, 3, side, side);
        builder.Add("feed", [("X", "feed")], "clips", ("col", 0));
        return builder;
    }

    public int Block(int parent = -1)
    {
        int index = _program.Blocks.Count;
        _program.Blocks.Add(new BlockDesc { Idx = index, ParentIdx = parent });
        return index;
    }

    public ProgramBuilder Variable(string name, params long[] shape) => Variable(name, ElementType.Float32, shape);

    public ProgramBuilder Variable(string name, ElementType type, long[] shape, bool isParameter = false)
    {
        var tensor = new TensorDesc { DataType = (int)type };
        tensor.Dims.AddRange(shape);
        _program.Blocks[0].Vars.Add(new VarDesc
        {
            Name = name,
            Persistable = isParameter,
            Type = new VarType { Type = TensorVariable, LodTensor = new LodTensorDesc { Tensor = tensor } },
        });
        return this;
    }

    public ProgramBuilder Parameter(string name, float[] values, params long[] shape)
    {
        _parameters.Add(name, (values, shape));
        return Variable(name, ElementType.Float32, shape, isParameter: true);
    }

    public ProgramBuilder Add(string type, (string Parameter, string Variables)[] inputs, string outputs, params (string Name, object Value)[] attributes) =>
        AddTo(0, type, inputs, outputs, attributes);

    /// <summary>Adds an operator; several variables are separated by blanks.</summary>
    public ProgramBuilder AddTo(int block, string type, (string Parameter, string Variables)[] inputs, string outputs, params (string Name, object Value)[] attributes)
    {
        var op = new OpDesc { Type = type };
        foreach ((string parameter, string variables) in inputs)
        {
            op.Inputs.Add(Arguments(parameter, variables));
        }

        op.Outputs.Add(Arguments(type.StartsWith("conv", StringComparison.Ordinal) || type == "depthwise_conv2d" ? "Output" : type is "batch_norm" or "layer_norm" or "unstack" ? "Y" : "Out", outputs));
        foreach ((string name, object value) in attributes)
        {
            op.Attrs.Add(Attribute(name, value));
        }

        _program.Blocks[block].Ops.Add(op);
        return this;
    }

    public ProgramBuilder Fetch(string variable) => Add("fetch", [("X", variable)], "fetch", ("col", 0));

    /// <summary>Writes both files and reads them back.</summary>
    public PaddleProgram Read(string folder)
    {
        string model = Path.Combine(folder, "model.pdmodel");
        File.WriteAllBytes(model, _program.ToByteArray());
        using (FileStream stream = File.Create(Path.ChangeExtension(model, ".pdiparams")))
        {
            foreach ((float[] values, long[] shape) in _parameters.Values)
            {
                ParameterRecord.Write(stream, values, shape);
            }
        }

        return PaddleProgram.Read(model);
    }

    private static OpVarDesc Arguments(string parameter, string variables)
    {
        var arguments = new OpVarDesc { Parameter = parameter };
        arguments.Arguments.AddRange(variables.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return arguments;
    }

    private static AttrDesc Attribute(string name, object value)
    {
        var attribute = new AttrDesc { Name = name };
        switch (value)
        {
            case int number:
                (attribute.Type, attribute.I) = (0, number);
                break;
            case double number:
                (attribute.Type, attribute.F) = (1, (float)number);
                break;
            case string text:
                (attribute.Type, attribute.S) = (2, text);
                break;
            case int[] numbers:
                attribute.Type = 3;
                attribute.Ints.AddRange(numbers);
                break;
            case bool flag:
                (attribute.Type, attribute.B) = (6, flag);
                break;
            case long[] numbers:
                attribute.Type = 11;
                attribute.Longs.AddRange(numbers);
                break;
            default:
                throw new ArgumentException($"{value.GetType()} isn't an attribute", nameof(value));
        }

        return attribute;
    }
}
