using Kinora.Onnx.Export.Graph;

namespace Kinora.Onnx.Export.Simplify;

/// <summary>
/// Chains of reshapes and transpositions become one or none, operations that change nothing vanish, and means over
/// height and width become the pooling operator that runtimes have a fast kernel for.
/// </summary>
internal static class CollapseShapes
{
    public static bool Run(NetworkGraph graph)
    {
        var build = new GraphBuilder(graph.Input);
        bool changed = false;
        foreach (Node node in graph.Nodes)
        {
            if (Simpler(build, node) is { } value)
            {
                // A new node takes over the old one's result; a value that exists already takes over its users.
                bool isNew = value.Producer is not null && value != graph.Output && graph.Users(value).Count == 0;
                if (isNew)
                {
                    NetworkGraph.Produce(node.Output, value.Producer!);
                }
                else
                {
                    graph.Replace(node.Output, value);
                }

                graph.Refresh();
                changed = true;
            }
        }

        return changed;
    }

    // An equal value that takes less work: a new node's, or one that exists already.
    private static Value? Simpler(GraphBuilder build, Node node)
    {
        Value? x = node.Inputs.Length > 0 ? node.Inputs[0] : null;
        if (x is null)
        {
            return null;
        }

        Node? before = x.Producer;
        switch (node.Operator)
        {
            case "Reshape" or "Expand" or "Slice" or "Identity" when Shapes.Same(x.Shape, node.Output.Shape):
            case "Transpose" when node.Ints("perm")!.Select((axis, i) => axis == i).All(same => same):
            case "Pad" when node.Inputs[1]!.Literal is { } amounts && Array.TrueForAll(amounts.Longs, n => n == 0):
            case "Relu" when before?.Operator is "Relu" or "Sigmoid" || (before?.Operator == "Clip" && Bound(before, 1) >= 0):
            case "Add" or "Sub" when IsNumber(node.Inputs[1], 0) && Shapes.Same(x.Shape, node.Output.Shape):
            case "Mul" or "Div" or "Pow" when IsNumber(node.Inputs[1], 1) && Shapes.Same(x.Shape, node.Output.Shape):
                return x;
            case "Add" when IsNumber(x, 0) && Shapes.Same(node.Inputs[1]!.Shape, node.Output.Shape):
            case "Mul" when IsNumber(x, 1) && Shapes.Same(node.Inputs[1]!.Shape, node.Output.Shape):
                return node.Inputs[1];
            case "Concat" when node.Inputs.Length == 1:
                return x;
            case "Reshape" when before?.Operator == "Reshape":
                return build.Reshape(before.Inputs[0]!, node.Output.Shape);
            case "Transpose" when before?.Operator == "Transpose":
                return GraphBuilder.Transpose(before.Inputs[0]!, [.. node.Ints("perm")!.Select(axis => before.Ints("perm")![axis])]);
            case "Slice" when before?.Operator == "Slice" && JoinedSlices(before, node) is { } both:
                return both;
            case "Transpose" when MovesOnlyOnes(node):
                return build.Reshape(x, node.Output.Shape);
            case "Clip" when Bound(node, 1) == 0 && double.IsPositiveInfinity(Bound(node, 2)):
                return GraphBuilder.Unary("Relu", x);
            case "ReduceMean" when x.Rank >= 4:
                return PooledMean(build, node, x);
            default:
                return null;
        }
    }

    // Mean over all spatial axes, and perhaps the channels as well.
    private static Value? PooledMean(GraphBuilder build, Node node, Value x)
    {
        long[] axes = node.Ints("axes")!;
        long[] spatial = [.. Enumerable.Range(2, x.Rank - 2).Select(i => (long)i)];
        bool channels = axes.Contains(1);
        if (axes.Contains(0) || !spatial.All(axes.Contains) || x.Shape.Skip(1).Any(size => size.PerClip))
        {
            return null;
        }

        Dimension[] pooledShape = [x.Shape[0], x.Shape[1], .. spatial.Select(_ => new Dimension(1))];
        Value pooled = GraphBuilder.Apply("GlobalAveragePool", pooledShape, [x]);
        if (channels)
        {
            pooled = GraphBuilder.Reduce("ReduceMean", build.Reshape(pooled, x.Shape[0], x.Shape[1]), [1], keep: true);
        }

        return build.Reshape(pooled, node.Output.Shape);
    }

    // Two slices along different axes as one.
    private static Value? JoinedSlices(Node first, Node second)
    {
        Literal?[][] bounds = [.. new[] { first, second }.Select(node => node.Inputs[1..].Select(input => input!.Literal).ToArray())];
        if (bounds.Any(list => list.Contains(null)) || bounds[0][2]!.Longs.Intersect(bounds[1][2]!.Longs).Any())
        {
            return null;
        }

        Value[] joined = [.. Enumerable.Range(0, 4).Select(i => GraphBuilder.Integers([.. bounds[0][i]!.Longs, .. bounds[1][i]!.Longs]))];
        return GraphBuilder.Apply("Slice", second.Output.Shape, [first.Inputs[0], .. joined]);
    }

    private static bool MovesOnlyOnes(Node node)
    {
        Dimension[] shape = node.Inputs[0]!.Shape;
        long[] moved = [.. node.Ints("perm")!.Where(axis => !shape[axis].IsOne)];
        return moved.SequenceEqual(moved.Order());
    }

    private static double Bound(Node clip, int input) =>
        clip.Inputs.ElementAtOrDefault(input)?.Literal?.Single ?? (input == 1 ? double.NegativeInfinity : double.PositiveInfinity);

    private static bool IsNumber(Value? value, double number) => value is { IsScalarConstant: true } && value.Literal!.Single == number;
}
