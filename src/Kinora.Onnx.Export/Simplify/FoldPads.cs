using Kinora.Onnx.Export.Graph;

namespace Kinora.Onnx.Export.Simplify;

/// <summary>
/// Zero padding before a convolution (TensorFlow's SAME pads more at the end) becomes the convolution's own padding,
/// which costs nothing and keeps the runtime's blocked layouts.
/// </summary>
internal static class FoldPads
{
    public static bool Run(NetworkGraph graph)
    {
        bool changed = false;
        foreach (Node node in graph.Nodes)
        {
            if (node.Operator == "Conv" && node.Inputs[0]!.Producer is { Operator: "Pad" } pad && ElementMap.Moves(pad)
                && Outer(pad.Inputs[1]!.Literal?.Longs, node.Inputs[0]!.Rank) is { } outer)
            {
                node.Inputs = [pad.Inputs[0], .. node.Inputs.Skip(1)];
                node.Attributes["pads"] = node.Ints("pads")!.Zip(outer, (own, more) => own + more).ToArray();
                graph.Refresh();
                changed = true;
            }
        }

        return changed;
    }

    // The amounts for the spatial axes, if nothing else is padded and nothing is cut.
    private static long[]? Outer(long[]? amounts, int rank)
    {
        if (amounts is null || amounts.Any(n => n < 0))
        {
            return null;
        }

        long[] before = amounts[..rank];
        long[] after = amounts[rank..];
        return before[0] == 0 && before[1] == 0 && after[0] == 0 && after[1] == 0 ? [.. before[2..], .. after[2..]] : null;
    }
}
