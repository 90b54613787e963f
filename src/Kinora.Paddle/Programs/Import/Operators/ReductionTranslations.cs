using Kinora.Onnx.Export.Graph;
using static Kinora.Onnx.Export.Graph.GraphBuilder;

namespace Kinora.Paddle.Programs;

/// <summary>Means, sums, maxima and softmax along axes.</summary>
internal static class ReductionTranslations
{
    public static Dictionary<string, Translation> Table { get; } = new()
    {
        ["reduce_mean"] = c => Reduced(c, "ReduceMean"),
        ["reduce_sum"] = c => Reduced(c, "ReduceSum"),
        ["reduce_max"] = c => Reduced(c, "ReduceMax"),
        ["reduce_min"] = c => Reduced(c, "ReduceMin"),
        ["softmax"] = c => AlongAxis(c, "Softmax"),
        ["log_softmax"] = c => AlongAxis(c, "LogSoftmax"),
    };

    private static Symbol[] Reduced(OperatorCall c, string op)
    {
        Value x = c.Tensor("X");
        long[] all = [.. Enumerable.Range(0, x.Rank).Select(i => (long)i)];
        long[] axes = c.Flag("reduce_all", false) ? all : [.. c.Ints("dim", [0]).Select(axis => (long)c.Axis(axis, x.Rank)).Distinct().Order()];
        return [new TensorSymbol(Reduce(op, x, axes.Length == 0 ? all : axes, c.Flag("keep_dim", false)))];
    }

    private static Symbol[] AlongAxis(OperatorCall c, string op)
    {
        Value x = c.Tensor("X");
        int axis = c.Axis(c.Int("axis", -1), x.Rank);
        return x.Shape[axis].PerClip
            ? throw c.Refuse($"axis {axis} of {Shapes.Text(x.Shape)} would mix the clips of a batch")
            : [new TensorSymbol(Unary(op, x, ("axis", (long)axis)))];
    }
}
