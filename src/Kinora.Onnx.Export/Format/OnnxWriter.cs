using System.Globalization;
using Google.Protobuf;
using Kinora.Onnx.Export.Graph;

namespace Kinora.Onnx.Export.Format;

/// <summary>What the file says about itself beside the graph.</summary>
/// <param name="GraphName">Name of the network.</param>
/// <param name="Description">One sentence for people.</param>
/// <param name="Properties">Metadata by key.</param>
/// <param name="Opset">Version of the operator set.</param>
internal sealed record ModelHeader(string GraphName, string Description, IReadOnlyList<(string Key, string Value)> Properties, int Opset);

/// <summary>Writes a graph in the ONNX file format.</summary>
internal sealed class OnnxWriter
{
    public const string InputName = "clips";
    public const string OutputName = "logits";
    public const int OldestOpset = 17;
    public const int NewestOpset = 21;

    private readonly int _opset;
    private readonly Value _output;
    private readonly GraphProto _graph = new();
    private readonly Dictionary<Value, string> _names = [];
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal) { InputName, OutputName };
    private readonly HashSet<string> _takenByNodes = new(StringComparer.Ordinal);

    private OnnxWriter(int opset, Value output) => (_opset, _output) = (opset, output);

    /// <summary>Builds the model. Constants keep float32 bits as they are; float64 results are rounded to nearest.</summary>
    public static ModelProto Write(NetworkGraph graph, ModelHeader header)
    {
        var writer = new OnnxWriter(header.Opset, graph.Output);
        writer._graph.Name = header.GraphName;
        writer._names[graph.Input] = InputName;
        writer._names[graph.Output] = OutputName;
        writer._graph.Input.Add(Describe(InputName, graph.Input.Shape));
        writer._graph.Output.Add(Describe(OutputName, graph.Output.Shape));
        if (graph.Output == graph.Input || graph.Output.Literal is not null)
        {
            throw new ExportException("export: the network's result doesn't depend on its input");
        }

        foreach (Node node in graph.Nodes)
        {
            writer.Add(node);
        }

        var model = new ModelProto
        {
            IrVersion = header.Opset switch { <= 18 => 8, <= 20 => 9, _ => 10 },
            ProducerName = "Kinora",
            ProducerVersion = typeof(OnnxWriter).Assembly.GetName().Version!.ToString(3),
            DocString = header.Description,
            Graph = writer._graph,
        };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = header.Opset });
        foreach ((string key, string value) in header.Properties)
        {
            model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        }

        return model;
    }

    private static ValueInfoProto Describe(string name, Dimension[] shape)
    {
        var sizes = new TensorShapeProto();
        foreach (Dimension size in shape)
        {
            sizes.Dim.Add(size.PerClip
                ? new TensorShapeProto.Types.Dimension { DimParam = size.ToString() }
                : new TensorShapeProto.Types.Dimension { DimValue = size.Count });
        }

        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Float, Shape = sizes } },
        };
    }

    private void Add(Node node)
    {
        string name = Unique(NameOf(node), _takenByNodes);
        var proto = new NodeProto { Name = name, OpType = node.Operator };
        List<Value?> inputs = [.. node.Inputs];
        Dictionary<string, object> attributes = new(node.Attributes);

        // The axes of reductions moved from the attributes to the inputs, ReduceSum's earlier than the others'.
        if (node.Operator.StartsWith("Reduce", StringComparison.Ordinal) && (_opset >= 18 || node.Operator == "ReduceSum") && attributes.Remove("axes", out object? axes))
        {
            inputs.Add(GraphBuilder.Integers((long[])axes));
        }

        foreach (Value? input in inputs)
        {
            proto.Input.Add(input is null ? "" : Name(input));
        }

        foreach (Value output in node.Outputs)
        {
            if (!_names.TryGetValue(output, out string? known))
            {
                known = _names[output] = Unique(name, _taken);
            }

            proto.Output.Add(known);

            // Runtimes lose sight of N behind a reshape; told that two values have the same batch, they fuse what joins them.
            if (node.Operator == "Reshape" && output != _output && !output.IsInteger && output.Shape.Any(size => size.PerClip))
            {
                _graph.ValueInfo.Add(Describe(known, output.Shape));
            }
        }

        foreach ((string key, object value) in attributes.OrderBy(a => a.Key, StringComparer.Ordinal))
        {
            proto.Attribute.Add(Attribute(key, value));
        }

        _graph.Node.Add(proto);
    }

    // Layers bear the name of their weights, so that a reader finds them in the checkpoint.
    private static string NameOf(Node node)
    {
        string? weight = node.Operator is "Conv" or "Gemm" or "MatMul" or "LayerNormalization" ? node.Inputs[1]?.Name : null;
        return weight is null ? node.Operator
            : weight.EndsWith(".weight", StringComparison.Ordinal) ? weight[..^".weight".Length]
            : weight;
    }

    private string Name(Value value)
    {
        if (_names.TryGetValue(value, out string? name))
        {
            return name;
        }

        if (value.Literal is not { } literal)
        {
            throw new ExportException($"export: {value} is used before it is computed");
        }

        name = _names[value] = Unique(value.Name ?? (literal.IsInteger ? "integers" : "constant"), _taken);
        var tensor = new TensorProto
        {
            Name = name,
            DataType = (int)(literal.IsInteger ? TensorProto.Types.DataType.Int64 : TensorProto.Types.DataType.Float),

            // Without a copy: constants don't change any more, and the weights of a transformer are half a gigabyte.
            RawData = UnsafeByteOperations.UnsafeWrap(literal.IsInteger ? new ArrayBytes<long>(literal.Longs).Memory : new ArrayBytes<float>(literal.Floats).Memory),
        };
        tensor.Dims.AddRange(literal.Shape);
        _graph.Initializer.Add(tensor);
        return name;
    }

    private static AttributeProto Attribute(string name, object value)
    {
        var attribute = new AttributeProto { Name = name };
        switch (value)
        {
            case long number:
                attribute.Type = AttributeProto.Types.AttributeType.Int;
                attribute.I = number;
                break;
            case double number:
                attribute.Type = AttributeProto.Types.AttributeType.Float;
                attribute.F = (float)number;
                break;
            case long[] numbers:
                attribute.Type = AttributeProto.Types.AttributeType.Ints;
                attribute.Ints.AddRange(numbers);
                break;
            case string text:
                attribute.Type = AttributeProto.Types.AttributeType.String;
                attribute.S = ByteString.CopyFromUtf8(text);
                break;
            default:
                throw new InvalidOperationException($"attribute {name}: {value.GetType()} can't be written");
        }

        return attribute;
    }

    private static string Unique(string wanted, HashSet<string> taken)
    {
        string name = wanted;
        for (int i = 1; !taken.Add(name); i++)
        {
            name = string.Create(CultureInfo.InvariantCulture, $"{wanted}_{i}");
        }

        return name;
    }
}
