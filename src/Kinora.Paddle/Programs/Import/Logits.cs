using Kinora.Onnx.Export.Graph;

namespace Kinora.Paddle.Programs;

/// <summary>Kinora's files answer logits. Some programs end in probabilities instead; these are turned back.</summary>
internal static class Logits
{
    // float32's smallest normal number: a probability of 0 has no logarithm.
    private const double Smallest = 1.17549435e-38;

    /// <summary>The logits of what a program answers.</summary>
    /// <param name="build">Makes nodes.</param>
    /// <param name="output">The program's output, [N, classes].</param>
    /// <returns>Logits of the same shape, and what was done in words; null where it was nothing.</returns>
    public static (Value Logits, string? Note) Of(GraphBuilder build, Value output)
    {
        if (BeforeSoftmax(build, output) is { } logits)
        {
            return (logits, "the program ends in a softmax, which the file leaves out: it answers logits");
        }

        return Weight(output) is { } weight && Math.Abs(weight - 1) < 1e-5
            ? (GraphBuilder.Unary("Log", GraphBuilder.Clip(output, Smallest, null)), "the program ends in averaged probabilities; the file answers their logarithms, whose softmax they are")
            : (output, null);
    }

    private static Value? BeforeSoftmax(GraphBuilder build, Value value) => value.Producer switch
    {
        { Operator: "Softmax" } node when IsOverClasses(node) => node.Inputs[0],
        { Operator: "Reshape" } node when KeepsClasses(node) && BeforeSoftmax(build, node.Inputs[0]!) is { } logits => build.Reshape(logits, value.Shape),
        _ => null,
    };

    // What the last axis sums up to, if it can be seen; 1 for probabilities and their means.
    private static double? Weight(Value value)
    {
        Node? node = value.Producer;
        switch (node?.Operator)
        {
            case "Softmax":
                return IsOverClasses(node) ? 1 : null;
            case "Reshape":
                return KeepsClasses(node) ? Weight(node.Inputs[0]!) : null;
            case "ReduceMean":
                return !node.Ints("axes")!.Contains(node.Inputs[0]!.Rank - 1L) ? Weight(node.Inputs[0]!) : null;
            case "Add":
                return Weight(node.Inputs[0]!) + Weight(node.Inputs[1]!);
            case "Mul" or "Div" when Uniform.Read(node.Inputs[1]!) is { } factor && factor > 0:
                return Weight(node.Inputs[0]!) * (node.Operator == "Mul" ? factor : 1 / factor);
            default:
                return null;
        }
    }

    private static bool IsOverClasses(Node softmax) => softmax.Int("axis", -1) == softmax.Output.Rank - 1;

    private static bool KeepsClasses(Node reshape) => reshape.Inputs[0]!.Rank > 0 && reshape.Inputs[0]!.Shape[^1] == reshape.Output.Shape[^1];
}
