using Kinora.Onnx.Export.Graph;

namespace Kinora.Paddle.Programs;

/// <summary>Kinora's files answer logits. Some programs end in probabilities instead; these are turned back.</summary>
internal static class Logits
{
    // float32's smallest normal number: a probability of 0 has no logarithm.
    private const double Smallest = 1.17549435e-38;

    // Far more than the ends of programs have, and few enough to follow one after the other.
    private const int MaximumDepth = 32;

    /// <summary>A value as a sum of softmaxes.</summary>
    /// <param name="Weight">What its rows add up to.</param>
    /// <param name="Softmax">The only softmax in it, row by row; null where rows or softmaxes are mixed.</param>
    private readonly record struct Share(double Weight, Value? Softmax);

    /// <summary>The logits of what a program answers.</summary>
    /// <param name="build">Makes nodes.</param>
    /// <param name="output">The program's output, [N, classes].</param>
    /// <returns>Logits of the same shape, and what was done in words; null where it was nothing.</returns>
    public static (Value Logits, string? Note) Of(GraphBuilder build, Value output)
    {
        if (Read(output, 0, []) is not { } share || Math.Abs(share.Weight - 1) > 1e-5)
        {
            return (output, null);
        }

        return share.Softmax is { } softmax
            ? (build.Reshape(softmax.Producer!.Inputs[0]!, output.Shape), "the program ends in a softmax, which the file leaves out: it answers logits")
            : (GraphBuilder.Unary("Log", GraphBuilder.Clip(output, Smallest, null)), "the program ends in averaged probabilities; the file answers their logarithms, whose softmax they are");
    }

    private static Share? Read(Value value, int depth, Dictionary<Value, Share?> known)
    {
        if (known.TryGetValue(value, out Share? share) || depth > MaximumDepth)
        {
            return share;
        }

        Node? node = value.Producer;
        Share? Inner(int input = 0) => Read(node.Inputs[input]!, depth + 1, known);
        switch (node?.Operator)
        {
            case "Softmax" when node.Int("axis", -1) == value.Rank - 1:
                share = new Share(1, value);
                break;
            case "Reshape" when node.Inputs[0]!.Rank > 0 && value.Rank > 0 && node.Inputs[0]!.Shape[^1] == value.Shape[^1]:
                share = Inner();
                break;
            case "ReduceMean" when !node.Ints("axes")!.Contains(node.Inputs[0]!.Rank - 1L):
                share = Inner() is { } mean ? new Share(mean.Weight, null) : null;
                break;
            case "Add" when Inner(0) is { } a && Inner(1) is { } b:
                share = new Share(a.Weight + b.Weight, a.Softmax == b.Softmax ? a.Softmax : null);
                break;
            case "Mul" or "Div" when Uniform.Read(node.Inputs[1]!) is { } factor && factor > 0 && Inner() is { } scaled:
                share = scaled with { Weight = node.Operator == "Mul" ? scaled.Weight * factor : scaled.Weight / factor };
                break;
        }

        return known[value] = share;
    }
}
