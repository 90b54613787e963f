using Kinora.Onnx.Export.Graph;

namespace Kinora.Paddle.Programs;

/// <summary>Constants all of whose elements are one number: programs fill large tensors with zeros and go on computing.</summary>
internal static class Uniform
{
    /// <summary>A tensor of one number, stored as that number.</summary>
    public static Value Of(GraphBuilder build, double value, params Dimension[] shape)
    {
        long[] ones = [.. shape.Select(_ => 1L)];
        Value number = GraphBuilder.Constant(new Literal([value], ones));
        return build.Expand(number, shape);
    }

    /// <summary>The number, if a value is such a tensor.</summary>
    public static double? Read(Value value) =>
        (value.Literal ?? (value.Producer is { Operator: "Expand" } node ? node.Inputs[0]!.Literal : null)) is { Count: 1, IsInteger: false } literal
            ? literal.Single
            : null;
}
