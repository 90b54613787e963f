using Kinora.Onnx.Export.Graph;

namespace Kinora.Paddle.Programs;

/// <summary>What kind of elements a variable has; PaddlePaddle's widths don't matter here.</summary>
internal enum ElementKind
{
    /// <summary>Real numbers.</summary>
    Real,

    /// <summary>Integers.</summary>
    Integer,

    /// <summary>True or false.</summary>
    Truth,
}

/// <summary>What a variable of the program holds while it is translated.</summary>
/// <param name="Kind">Kind of its elements.</param>
internal abstract record Symbol(ElementKind Kind);

/// <summary>A tensor: a constant, or something that the graph computes.</summary>
/// <param name="Value">Its place in the graph.</param>
/// <param name="Kind">Kind of its elements.</param>
internal sealed record TensorSymbol(Value Value, ElementKind Kind = ElementKind.Real) : Symbol(Kind);

/// <summary>
/// A few integers or truth values that are known, up to the number of clips: sizes and what is computed from them.
/// Programs spend a third of their operators on these; none of them reaches the graph.
/// </summary>
/// <param name="Items">The numbers; 0 and 1 for truth values.</param>
/// <param name="IsScalar">Whether it has no axis rather than one.</param>
/// <param name="Kind">Kind of its elements.</param>
internal sealed record KnownSymbol(Dimension[] Items, bool IsScalar, ElementKind Kind) : Symbol(Kind);
