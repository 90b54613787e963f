using Kinora.Onnx.Export.Graph;

namespace Kinora.Onnx.Export.Simplify;

/// <summary>
/// Sums of parallel convolutions of one input become one convolution: the smaller kernel is laid into the larger one.
/// This is what re-parameterisation does to training-time branches; here the network itself stays as it is.
/// </summary>
internal static class MergeConvolutions
{
    public static bool Run(NetworkGraph graph)
    {
        bool changed = false;
        foreach (Node node in graph.Nodes)
        {
            if (node.Operator == "Add"
                && Branch(graph, node.Inputs[0]!) is { } a && Branch(graph, node.Inputs[1]!) is { } b && a != b
                && (Merge(a, b) ?? Merge(b, a)) is { } merged)
            {
                NetworkGraph.Produce(node.Output, merged);
                graph.Refresh();
                changed = true;
            }
        }

        return changed;
    }

    private static Node? Branch(NetworkGraph graph, Value value) =>
        value.Producer is { Operator: "Conv" } node && FoldAffine.HasKnownWeights(node) && graph.HasOneUser(value) ? node : null;

    // The sum, if the small kernel lies inside the large one.
    private static Node? Merge(Node large, Node small)
    {
        Value weight = large.Inputs[1]!;
        Value added = small.Inputs[1]!;
        int axes = weight.Rank - 2;
        (long[] pads, long[] smallPads) = (large.Ints("pads")!, small.Ints("pads")!);
        long[] offset = [.. Enumerable.Range(0, axes).Select(i => pads[i] - smallPads[i])];
        bool fits = large.Inputs[0] == small.Inputs[0]
            && Shapes.Same(large.Output.Shape, small.Output.Shape)
            && large.Int("group", 1) == small.Int("group", 1)
            && large.Ints("strides")!.SequenceEqual(small.Ints("strides")!)
            && large.Ints("dilations")!.Concat(small.Ints("dilations")!).All(d => d == 1)
            && weight.Shape[0] == added.Shape[0] && weight.Shape[1] == added.Shape[1]
            && Enumerable.Range(0, axes).All(i => offset[i] >= 0 && offset[i] + added.Shape[i + 2].Count <= weight.Shape[i + 2].Count);
        if (!fits)
        {
            return null;
        }

        long[] before = [0, 0, .. offset];
        long[] after = [0, 0, .. Enumerable.Range(0, axes).Select(i => weight.Shape[i + 2].Count - added.Shape[i + 2].Count - offset[i])];
        Literal widened = GraphBuilder.Pad(added, before, after).Producer is { } pad
            ? added.Literal!.Pick(ElementMap.Of(pad, 1), weight.Literal!.Shape)
            : added.Literal!;
        Literal kernel = FoldConstants.Combine(weight.Literal!, widened, weight.Literal!.Shape, (x, y) => x + y);
        Value? bias = (large.Inputs.ElementAtOrDefault(2), small.Inputs.ElementAtOrDefault(2)) switch
        {
            ({ } x, { } y) => GraphBuilder.Constant(FoldConstants.Combine(x.Literal!, y.Literal!, x.Literal!.Shape, (p, q) => p + q), x.Name),
            (var x, var y) => x ?? y,
        };
        Value sum = GraphBuilder.Constant(kernel, weight.Name);
        return new Node
        {
            Operator = "Conv",
            Inputs = bias is null ? [large.Inputs[0], sum] : [large.Inputs[0], sum, bias],
            Outputs = large.Outputs,
            Attributes = new(large.Attributes),
        };
    }
}
