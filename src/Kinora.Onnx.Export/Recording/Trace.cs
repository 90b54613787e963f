using Kinora.Onnx.Export.Graph;

namespace Kinora.Onnx.Export.Recording;

/// <summary>A reference to a recorded tensor.</summary>
internal readonly record struct TensorId(int Number);

/// <summary>One argument of a recorded call.</summary>
/// <param name="Name">The operator schema's name.</param>
/// <param name="Value">
/// <see cref="TensorId"/>, TensorId?[], <see cref="Dimension"/> (integers), Dimension[], double, double[], bool,
/// string, or null for None.
/// </param>
internal readonly record struct TracedArgument(string Name, object? Value);

/// <summary>One recorded call, with integers that follow the batch expressed by N.</summary>
/// <param name="Index">Position in the recording, from 0.</param>
/// <param name="Operator">Name without "aten::", such as "conv2d" or "relu_"; others with their namespace.</param>
/// <param name="Overload">Such as "Tensor"; empty for the plain one.</param>
/// <param name="Arguments">All arguments in the schema's order, defaults filled in.</param>
/// <param name="Outputs">The tensors it returned.</param>
internal sealed record TracedCall(int Index, string Operator, string Overload, IReadOnlyList<TracedArgument> Arguments, IReadOnlyList<TensorId> Outputs)
{
    public override string ToString() =>
        $"call {Index}, {(Operator.Contains(':', StringComparison.Ordinal) ? "" : "aten::")}{Operator}{(Overload.Length == 0 ? "" : "." + Overload)}";
}

/// <summary>One forward pass, valid for every batch size.</summary>
internal sealed record Trace
{
    public required IReadOnlyList<TracedCall> Calls { get; init; }

    public required TensorId Input { get; init; }

    public required TensorId Output { get; init; }

    /// <summary>The shape of a tensor right after the call that made it.</summary>
    public required Func<TensorId, Dimension[]> ShapeOf { get; init; }

    /// <summary>The elements and the name of a tensor that no call made: parameters, buffers, constants.</summary>
    public required Func<TensorId, (Literal Literal, string? Name)> Constant { get; init; }
}
