using Kinora.Onnx.Export.Graph;

namespace Kinora.Onnx.Export.Simplify;

/// <summary>
/// Folds what multiplies or adds a number a channel into the weights of the convolution or linear layer before it:
/// batch norms, scalings, offsets. All in float64; the weights are rounded once, when the file is written.
/// </summary>
internal static class FoldAffine
{
    public static bool Run(NetworkGraph graph)
    {
        bool changed = false;
        foreach (Node node in graph.Nodes)
        {
            if (Affine(node) is not ({ } x, { } scale, { } shift))
            {
                continue;
            }

            if (x.Producer is { } layer && HasKnownWeights(layer) && graph.HasOneUser(x))
            {
                Scale(layer, scale, shift);
                NetworkGraph.Produce(node.Output, layer);
                changed = true;
                graph.Refresh();
            }
            else if (node.Operator == "BatchNormalization")
            {
                Unfold(node, x, scale, shift);
                changed = true;
                graph.Refresh();
            }
        }

        return changed;
    }

    /// <summary>Whether a node is a convolution or linear layer with constant weights.</summary>
    public static bool HasKnownWeights(Node node) =>
        node.Operator is "Conv" or "Gemm" && node.Inputs[1]!.Literal is not null && node.Inputs.ElementAtOrDefault(2) is null or { Literal: not null };

    /// <summary>Replaces y by scale·y + shift, channel by channel, in the weights of a layer.</summary>
    /// <param name="layer">A node for which <see cref="HasKnownWeights"/> holds.</param>
    /// <param name="scale">One factor a channel, or one for all.</param>
    /// <param name="shift">One addend a channel, or one for all.</param>
    public static void Scale(Node layer, double[] scale, double[] shift)
    {
        Value weight = layer.Inputs[1]!;
        Value? bias = layer.Inputs.ElementAtOrDefault(2);
        int axis = layer.Operator == "Gemm" && layer.Int("transB", 0) == 0 ? 1 : 0;
        int channels = checked((int)weight.Shape[axis].Count);
        int inner = checked((int)weight.Shape.Skip(axis + 1).Aggregate(1L, (n, size) => n * size.Count));

        double[] weights = [.. weight.Literal!.Doubles];
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] *= At(scale, i / inner % channels);
        }

        double[]? old = bias?.Literal!.Doubles;
        var offsets = new double[channels];
        for (int i = 0; i < channels; i++)
        {
            offsets[i] = ((old is null ? 0 : At(old, i)) * At(scale, i)) + At(shift, i);
        }

        Value scaled = GraphBuilder.Constant(weight.Literal.WithDoubles(weights, weight.Literal.Shape), weight.Name);
        layer.Inputs = bias is null && Array.TrueForAll(offsets, offset => offset == 0)
            ? [layer.Inputs[0], scaled]
            : [layer.Inputs[0], scaled, GraphBuilder.Constant(new Literal(offsets, channels), bias?.Name ?? BiasName(weight.Name))];
    }

    // y = scale·x + shift with one number a channel (or one for all), if the node is of that form.
    private static (Value? X, double[]? Scale, double[]? Shift) Affine(Node node)
    {
        if (node.Operator == "BatchNormalization")
        {
            double[][] p = [.. node.Inputs.Skip(1).Select(input => input!.Literal?.Doubles ?? [])];
            if (p.Any(values => values.Length == 0))
            {
                return default;
            }

            double epsilon = (double)node.Attributes["epsilon"];
            double[] factor = [.. p[0].Select((gamma, i) => gamma / Math.Sqrt(p[3][i] + epsilon))];
            return (node.Inputs[0], factor, [.. p[1].Select((beta, i) => beta - (p[2][i] * factor[i]))]);
        }

        if (node.Operator is not ("Add" or "Sub" or "Mul" or "Div"))
        {
            return default;
        }

        (Value a, Value b) = (node.Inputs[0]!, node.Inputs[1]!);
        bool constantFirst = a.Literal is not null;
        (Value x, Value constant) = constantFirst ? (b, a) : (a, b);
        if (PerChannel(constant, x) is not { } values || !Shapes.Same(x.Shape, node.Output.Shape))
        {
            return default;
        }

        return (node.Operator, constantFirst) switch
        {
            ("Add", _) => (x, [1], values),
            ("Sub", false) => (x, [1], Array.ConvertAll(values, v => -v)),
            ("Sub", true) => (x, [-1], values),
            ("Mul", _) => (x, values, [0]),
            ("Div", false) => (x, Array.ConvertAll(values, v => 1 / v), [0]),
            _ => default,
        };
    }

    // The constant's elements if it is the same for all places of one channel (axis 1 of x).
    private static double[]? PerChannel(Value constant, Value x)
    {
        if (constant.Literal is not { IsInteger: false } literal)
        {
            return null;
        }

        ReadOnlySpan<Dimension> shape = Shapes.TrimLeadingOnes(constant.Shape);
        bool fits = shape.Length == 0
            || (x.Rank >= 2 && shape.Length == x.Rank - 1 && shape[0] == x.Shape[1] && Shapes.TrimLeadingOnes(shape[1..]).Length == 0);
        return fits ? literal.Doubles : null;
    }

    // A batch norm without a layer to go into: a multiplication and an addition a channel.
    private static void Unfold(Node node, Value x, double[] scale, double[] shift)
    {
        long[] shape = [scale.Length, .. Enumerable.Repeat(1L, x.Rank - 2)];
        string? name = node.Inputs[1]!.Name;
        Value scaled = GraphBuilder.Binary("Mul", x, GraphBuilder.Constant(new Literal(scale, shape), name));
        NetworkGraph.Produce(node.Output, GraphBuilder.Binary("Add", scaled, GraphBuilder.Constant(new Literal(shift, shape), BiasName(name))).Producer!);
    }

    private static double At(double[] values, int channel) => values.Length == 1 ? values[0] : values[channel];

    private static string? BiasName(string? weight) =>
        weight is null ? null : weight.EndsWith(".weight", StringComparison.Ordinal) ? weight[..^"weight".Length] + "bias" : weight + ".bias";
}
