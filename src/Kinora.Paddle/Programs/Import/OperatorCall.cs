using System.Globalization;
using Kinora.Onnx.Export.Graph;

namespace Kinora.Paddle.Programs;

/// <summary>Translates one operator.</summary>
/// <param name="call">Its operands and attributes.</param>
/// <returns>What its result variables hold, in their order.</returns>
internal delegate Symbol[] Translation(OperatorCall call);

/// <summary>Typed access to the operands and attributes of one operator.</summary>
internal sealed class OperatorCall(ProgramOperator op, ProgramImporter importer)
{
    private const int MaximumKnown = 1 << 10;

    public ProgramOperator Operator => op;

    public GraphBuilder Build => importer.Build;

    public ProgramImporter Importer => importer;

    /// <summary>Whether an operand is given.</summary>
    public bool Has(string parameter) => op.InputsOf(parameter).Count > 0;

    /// <summary>What the only variable of an operand holds.</summary>
    public Symbol Symbol(string parameter) => Symbols(parameter) is [var only]
        ? only
        : throw Refuse($"expected one variable as {parameter}, found {op.InputsOf(parameter).Count}");

    /// <summary>What the variables of an operand hold.</summary>
    public Symbol[] Symbols(string parameter) => [.. op.InputsOf(parameter).Select(name => importer.Read(name, this))];

    /// <summary>A tensor of real numbers.</summary>
    public Value Tensor(string parameter) => AsTensor(Symbol(parameter), parameter);

    /// <summary>A tensor of real numbers, or null where the operand is left out.</summary>
    public Value? OptionalTensor(string parameter) => Has(parameter) ? Tensor(parameter) : null;

    /// <summary>All tensors of an operand.</summary>
    public Value[] Tensors(string parameter) => [.. Symbols(parameter).Select(symbol => AsTensor(symbol, parameter))];

    /// <summary>A tensor of real numbers made of a symbol.</summary>
    public Value AsTensor(Symbol symbol, string parameter) => symbol switch
    {
        TensorSymbol { Kind: ElementKind.Real } tensor => tensor.Value,
        KnownSymbol known when Array.TrueForAll(known.Items, item => !item.PerClip) => GraphBuilder.Constant(
            new Literal(Array.ConvertAll(known.Items, item => (double)item.Count), known.IsScalar ? [] : [known.Items.Length])),
        _ => throw Refuse($"expected real numbers as {parameter}, found {Describe(symbol)}"),
    };

    /// <summary>Constant integers, such as indices.</summary>
    public Literal Integers(string parameter) => Symbol(parameter) switch
    {
        TensorSymbol { Value.Literal: { IsInteger: true } literal } => literal,
        KnownSymbol known when Array.TrueForAll(known.Items, item => !item.PerClip) => new Literal(
            Array.ConvertAll(known.Items, item => item.Count), known.IsScalar ? [] : [known.Items.Length]),
        Symbol symbol => throw Refuse($"expected constant integers as {parameter}, found {Describe(symbol)}"),
    };

    /// <summary>Known integers of all variables of an operand, one after the other.</summary>
    public Dimension[] Sizes(string parameter) => [.. Symbols(parameter).SelectMany(symbol => AsKnown(symbol)?.Items
        ?? throw Refuse($"expected known integers as {parameter}, found {Describe(symbol)}"))];

    /// <summary>A symbol as known integers; null where it isn't.</summary>
    public static KnownSymbol? AsKnown(Symbol symbol) => symbol switch
    {
        KnownSymbol known => known,
        TensorSymbol { Kind: ElementKind.Integer, Value.Literal: { IsInteger: true, Shape.Length: <= 1, Count: <= MaximumKnown } literal } =>
            new KnownSymbol(Array.ConvertAll(literal.Longs, x => new Dimension(x)), literal.Shape.Length == 0, ElementKind.Integer),
        _ => null,
    };

    /// <summary>A whole number.</summary>
    public long Int(string name, long? missing = null) => Attribute(name) switch
    {
        long number => number,
        null when missing is { } value => value,
        var other => throw Wrong(name, "a whole number", other),
    };

    /// <summary>A number.</summary>
    public double Number(string name, double? missing = null) => Attribute(name) switch
    {
        double number when double.IsFinite(number) => number,
        long number => number,
        null when missing is { } value => value,
        var other => throw Wrong(name, "a number", other),
    };

    /// <summary>A truth value.</summary>
    public bool Flag(string name, bool? missing = null) => Attribute(name) switch
    {
        bool flag => flag,
        null when missing is { } value => value,
        var other => throw Wrong(name, "true or false", other),
    };

    /// <summary>A text.</summary>
    public string Text(string name, string? missing = null) => Attribute(name) switch
    {
        string text => text,
        null when missing is { } value => value,
        var other => throw Wrong(name, "a text", other),
    };

    /// <summary>Whole numbers.</summary>
    public long[] Ints(string name, long[]? missing = null) => Attribute(name) switch
    {
        long[] numbers => numbers,
        long number => [number],
        null when missing is { } value => value,
        var other => throw Wrong(name, "whole numbers", other),
    };

    /// <summary>Numbers.</summary>
    public double[] Numbers(string name) => Attribute(name) switch
    {
        double[] numbers => numbers,
        long[] numbers => Array.ConvertAll(numbers, x => (double)x),
        var other => throw Wrong(name, "numbers", other),
    };

    /// <summary>An axis, counted from the end where negative.</summary>
    public int Axis(long axis, int rank) => axis >= -rank && axis < rank
        ? (int)(axis < 0 ? axis + rank : axis)
        : throw Refuse($"axis {axis} of a tensor with {rank} axes");

    /// <summary>An exception that names the operator, its place and its output.</summary>
    public CheckpointException Refuse(string why, Exception? inner = null) => new($"converting program: {op}: {why}", importer.Path, inner);

    /// <summary>A symbol in words.</summary>
    public static string Describe(Symbol symbol) => symbol switch
    {
        KnownSymbol known => Shapes.Text(known.Items),
        TensorSymbol tensor => $"{(tensor.Kind == ElementKind.Real ? "real numbers" : tensor.Kind == ElementKind.Integer ? "integers" : "truth values")} {Shapes.Text(tensor.Value.Shape)}",
        _ => "",
    };

    private object? Attribute(string name) => op.Attributes.GetValueOrDefault(name);

    private CheckpointException Wrong(string name, string expected, object? found) => Refuse(string.Create(
        CultureInfo.InvariantCulture, $"attribute '{name}': expected {expected}, found {(found is Array list ? $"{list.Length} values" : found ?? "none")}"));
}
