using Kinora.Onnx.Export.Graph;

namespace Kinora.Onnx.Export.Simplify;

/// <summary>
/// A multiplication by one number (dropout that scales at inference, a mean written as sum and factor) moves along
/// what it commutes with, into the weights of the nearest convolution or linear layer above or below.
/// </summary>
internal static class FoldScales
{
    public static bool Run(NetworkGraph graph)
    {
        foreach (Node node in graph.Nodes)
        {
            if (Factor(node) is ({ } x, double factor) && (IntoAbove(graph, x, factor) || IntoBelow(graph, node.Output, factor)))
            {
                x.Origin = node.Output.Origin;
                graph.Replace(node.Output, x);
                graph.Refresh();
                return true;
            }
        }

        return false;
    }

    private static (Value? X, double Factor) Factor(Node node)
    {
        if (node.Operator is not ("Mul" or "Div"))
        {
            return default;
        }

        (Value a, Value b) = (node.Inputs[0]!, node.Inputs[1]!);
        return b.IsScalarConstant && b.Rank == 0 && a.Literal is null ? (a, node.Operator == "Mul" ? b.Literal!.Single : 1 / b.Literal!.Single)
            : node.Operator == "Mul" && a.IsScalarConstant && a.Rank == 0 && b.Literal is null ? (b, a.Literal!.Single)
            : default;
    }

    private static bool IntoAbove(NetworkGraph graph, Value x, double factor)
    {
        List<Value> passed = [];
        for (Value at = x; graph.HasOneUser(at) && at.Producer is { } node; at = node.Inputs[0]!)
        {
            passed.Add(at);
            if (FoldAffine.HasKnownWeights(node))
            {
                FoldAffine.Scale(node, [factor], [0]);
                passed.ForEach(value => value.Origin = null);
                return true;
            }

            if (!Commutes(node, factor))
            {
                return false;
            }
        }

        return false;
    }

    private static bool IntoBelow(NetworkGraph graph, Value product, double factor)
    {
        List<Value> passed = [];
        for (Value at = product; graph.HasOneUser(at); at = passed[^1])
        {
            Node node = graph.Users(at)[0];
            if (FoldAffine.HasKnownWeights(node) && node.Inputs[0] == at)
            {
                // The factor belongs to the input alone, so the bias stays.
                Value weight = node.Inputs[1]!;
                double[] scaled = Array.ConvertAll(weight.Literal!.Doubles, w => w * factor);
                node.Inputs = [at, GraphBuilder.Constant(weight.Literal.WithDoubles(scaled, weight.Literal.Shape), weight.Name), .. node.Inputs.Skip(2)];
                passed.ForEach(value => value.Origin = null);
                return true;
            }

            if (!Commutes(node, factor) || node.Inputs[0] != at)
            {
                return false;
            }

            passed.Add(node.Output);
        }

        return false;
    }

    private static bool Commutes(Node node, double factor) => node.Operator switch
    {
        "Reshape" or "Transpose" or "Slice" or "ReduceMean" or "ReduceSum" or "GlobalAveragePool" or "AveragePool" => true,
        "Relu" or "LeakyRelu" or "MaxPool" => factor > 0,
        _ => false,
    };
}
