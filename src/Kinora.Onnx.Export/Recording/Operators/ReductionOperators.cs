using Kinora.Onnx.Export.Graph;
using static Kinora.Onnx.Export.Graph.GraphBuilder;

namespace Kinora.Onnx.Export.Recording;

/// <summary>Means, sums, maxima and softmax along axes.</summary>
internal static class ReductionOperators
{
    public static Dictionary<string, Operator> Table { get; } = new()
    {
        ["mean"] = c => Reduced(c, "ReduceMean", "dim"),
        ["sum"] = c => Reduced(c, "ReduceSum", "dim"),
        ["amax"] = c => Reduced(c, "ReduceMax", "dim"),
        ["amin"] = c => Reduced(c, "ReduceMin", "dim"),
        ["logsumexp"] = c => Reduced(c, "ReduceLogSumExp", "dim"),
        ["softmax"] = c => AlongAxis(c, "Softmax"),
        ["_softmax"] = c => AlongAxis(c, "Softmax"),
        ["log_softmax"] = c => AlongAxis(c, "LogSoftmax"),
        ["_log_softmax"] = c => AlongAxis(c, "LogSoftmax"),
    };

    private static Produced[] Reduced(CallReader c, string op, string axes)
    {
        Value x = c.Tensor("self");
        bool named = c.Call.Arguments.Any(a => a.Name == axes);
        long[] over = named ? c.Axes(axes, x.Rank) : [.. Enumerable.Range(0, x.Rank).Select(i => (long)i)];
        return [Reduce(op, x, over, named && c.Flag("keepdim"))];
    }

    private static Produced[] AlongAxis(CallReader c, string op)
    {
        Value x = c.Tensor("self");
        int axis = c.Axis("dim", x.Rank);
        return x.Shape[axis].PerClip
            ? throw c.Refuse($"axis {axis} of {Shapes.Text(x.Shape)} would mix the clips of a batch")
            : [Unary(op, x, ("axis", (long)axis))];
    }
}
