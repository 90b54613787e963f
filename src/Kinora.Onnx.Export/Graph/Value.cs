namespace Kinora.Onnx.Export.Graph;

/// <summary>An edge of the graph: the input, a constant, or a node's output.</summary>
/// <remarks>
/// A pass that computes the same value in another way keeps the object and replaces its <see cref="Producer"/>;
/// so users need no change, and <see cref="Origin"/> stays true.
/// </remarks>
internal sealed class Value(Dimension[] shape, bool isInteger = false)
{
    /// <summary>Sizes, for every batch.</summary>
    public Dimension[] Shape { get; } = shape;

    /// <summary>Whether the elements are int64 rather than float32.</summary>
    public bool IsInteger { get; } = isInteger;

    /// <summary>The node that computes the value; null for the input and for constants.</summary>
    public Node? Producer { get; set; }

    /// <summary>The elements of a constant; null otherwise.</summary>
    public Literal? Literal { get; init; }

    /// <summary>A constant's name in the network, such as "stem.conv.weight"; null where it has none.</summary>
    public string? Name { get; init; }

    /// <summary>The recorded tensor that has the same elements, where one has: lets a comparison go layer by layer.</summary>
    public int? Origin { get; set; }

    public int Rank => Shape.Length;

    /// <summary>Whether the value is one number, known and real.</summary>
    public bool IsScalarConstant => Literal is { Count: 1, IsInteger: false };

    public override string ToString() => $"{Name ?? Producer?.Operator ?? (Literal is null ? "input" : "constant")} {Shapes.Text(Shape)}";
}

/// <summary>One operator.</summary>
internal sealed class Node
{
    public required string Operator { get; set; }

    /// <summary>Operands by position; null stands for an optional one that is left out.</summary>
    public required Value?[] Inputs { get; set; }

    public required Value[] Outputs { get; set; }

    /// <summary>long, double, string, long[] by attribute name.</summary>
    public Dictionary<string, object> Attributes { get; init; } = new(StringComparer.Ordinal);

    public Value Output => Outputs[0];

    public long Int(string name, long missing) => Attributes.TryGetValue(name, out object? value) ? (long)value : missing;

    public long[]? Ints(string name) => Attributes.TryGetValue(name, out object? value) ? (long[])value : null;

    public override string ToString() => $"{Operator} → {Shapes.Text(Output.Shape)}";
}
