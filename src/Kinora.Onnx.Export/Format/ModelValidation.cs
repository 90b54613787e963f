namespace Kinora.Onnx.Export.Format;

/// <summary>Checks that a model is well formed before a runtime sees it.</summary>
internal static class ModelValidation
{
    /// <summary>Names are defined once, before their use; nothing is stored that nobody reads; attributes have types.</summary>
    /// <exception cref="ExportException">The first rule that is broken.</exception>
    public static void Check(ModelProto model)
    {
        GraphProto graph = model.Graph;
        var defined = new HashSet<string>(StringComparer.Ordinal);
        var nodes = new HashSet<string>(StringComparer.Ordinal);
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in graph.Input.Select(input => input.Name).Concat(graph.Initializer.Select(tensor => tensor.Name)))
        {
            Require(defined.Add(name), $"'{name}' is defined twice");
        }

        foreach (TensorProto tensor in graph.Initializer)
        {
            int size = tensor.DataType == (int)TensorProto.Types.DataType.Int64 ? 8 : 4;
            long count = tensor.Dims.Aggregate(1L, (a, b) => a * b);
            Require(tensor.RawData.Length == count * size, $"initialiser '{tensor.Name}' has {tensor.RawData.Length} bytes for {count} elements");
        }

        foreach (NodeProto node in graph.Node)
        {
            Require(node.OpType.Length > 0 && node.Output.Count > 0, $"node '{node.Name}' has no operator or no output");
            Require(nodes.Add(node.Name), $"two nodes are named '{node.Name}'");
            foreach (string input in node.Input.Where(input => input.Length > 0))
            {
                Require(defined.Contains(input), $"node '{node.Name}' reads '{input}', which nothing before it defines");
                used.Add(input);
            }

            foreach (string output in node.Output)
            {
                Require(defined.Add(output), $"'{output}' is defined twice");
            }

            Require(node.Attribute.All(a => a.Type != AttributeProto.Types.AttributeType.Undefined), $"node '{node.Name}' has an attribute without type");
        }

        foreach (ValueInfoProto output in graph.Output)
        {
            Require(defined.Contains(output.Name), $"the output '{output.Name}' is computed by nothing");
            used.Add(output.Name);
        }

        foreach (string name in defined)
        {
            Require(used.Contains(name), $"'{name}' is never read");
        }
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new ExportException($"export: the graph isn't well formed: {otherwise}");
        }
    }
}
