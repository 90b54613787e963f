using Kinora.Onnx.Export.Graph;

namespace Kinora.Onnx.Export.Simplify;

/// <summary>The five operators of x/2·(1 + erf(x/√2)) become the one that operator set 20 has for it.</summary>
internal static class RaiseGelu
{
    /// <summary>The first operator set with Gelu.</summary>
    public const int FirstOpset = 20;

    public static void Run(NetworkGraph graph)
    {
        foreach (Node node in graph.Nodes)
        {
            if (Operand(graph, node) is { } x)
            {
                NetworkGraph.Produce(node.Output, GraphBuilder.Unary("Gelu", x).Producer!);
            }
        }

        graph.Refresh();
    }

    private static Value? Operand(NetworkGraph graph, Node node) =>
        Times(node, 0.5)?.Producer is { Operator: "Mul" } product && graph.HasOneUser(product.Output)
        && product.Inputs[1]?.Producer is { Operator: "Add" } bell && IsNumber(bell.Inputs[1], 1) && graph.HasOneUser(bell.Output)
        && bell.Inputs[0]?.Producer is { Operator: "Erf" } erf && graph.HasOneUser(erf.Output)
        && erf.Inputs[0]?.Producer is { Operator: "Div" } scaled && IsNumber(scaled.Inputs[1], Math.Sqrt(2)) && graph.HasOneUser(scaled.Output)
        && scaled.Inputs[0] == product.Inputs[0]
            ? product.Inputs[0]
            : null;

    private static Value? Times(Node node, double factor) => node.Operator == "Mul" && IsNumber(node.Inputs[1], factor) ? node.Inputs[0] : null;

    private static bool IsNumber(Value? value, double number) => value is { IsScalarConstant: true } && value.Literal!.Single == number;
}
