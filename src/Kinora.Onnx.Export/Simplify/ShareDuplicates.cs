using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Kinora.Onnx.Export.Graph;

namespace Kinora.Onnx.Export.Simplify;

/// <summary>Equal constants are stored once, equal computations are done once.</summary>
internal static class ShareDuplicates
{
    public static void Run(NetworkGraph graph)
    {
        ShareConstants(graph);
        graph.Refresh();
        ShareComputations(graph);
        graph.Refresh();
    }

    private static void ShareConstants(NetworkGraph graph)
    {
        // Few constants agree in shape and in some of their elements; only those are compared as a whole.
        var constants = new Dictionary<string, List<Value>>(StringComparer.Ordinal);
        var known = new HashSet<Value>();
        foreach (Node node in graph.Nodes)
        {
            foreach (Value input in node.Inputs.OfType<Value>().Where(input => input.Literal is not null && known.Add(input)).ToArray())
            {
                string key = Sketch(input.Literal!);
                List<Value> alike = constants.TryGetValue(key, out List<Value>? list) ? list : constants[key] = [];
                if (alike.Find(other => Equal(other.Literal!, input.Literal!)) is { } first)
                {
                    graph.Replace(input, first);
                }
                else
                {
                    alike.Add(input);
                }
            }
        }
    }

    // Producers come before users, so that operands are shared already when a computation is looked at.
    private static void ShareComputations(NetworkGraph graph)
    {
        var numbers = new Dictionary<Value, int>();
        var computed = new Dictionary<string, Node>(StringComparer.Ordinal);
        foreach (Node node in graph.Nodes)
        {
            string key = Key(node, value => numbers.TryGetValue(value, out int number) ? number : numbers[value] = numbers.Count);
            if (node.Outputs.Length == 1 && !computed.TryAdd(key, node))
            {
                graph.Replace(node.Output, computed[key].Output);
            }
        }
    }

    // As the file stores them: float64 constants are equal where they round to the same float32.
    private static bool Equal(Literal a, Literal b) => Bytes(a).SequenceEqual(Bytes(b));

    private static ReadOnlySpan<byte> Bytes(Literal literal) =>
        literal.IsInteger ? MemoryMarshal.AsBytes<long>(literal.Longs) : MemoryMarshal.AsBytes<float>(literal.Floats);

    private static string Sketch(Literal literal)
    {
        const int Samples = 16;
        var sketch = new StringBuilder(literal.IsInteger ? "integers " : "").AppendJoin(',', literal.Shape);
        for (long i = 0; i < Math.Min(Samples, literal.Count); i++)
        {
            sketch.Append(' ').Append(literal.At(i * literal.Count / Math.Min(Samples, literal.Count)).ToString("R", CultureInfo.InvariantCulture));
        }

        return sketch.ToString();
    }

    private static string Key(Node node, Func<Value, int> number)
    {
        var key = new StringBuilder(node.Operator);
        foreach (Value? input in node.Inputs)
        {
            key.Append(' ').Append(input is null ? "-" : number(input).ToString(CultureInfo.InvariantCulture));
        }

        foreach ((string name, object value) in node.Attributes.OrderBy(a => a.Key, StringComparer.Ordinal))
        {
            key.Append(' ').Append(name).Append('=').Append(value is long[] list ? string.Join(',', list) : Convert.ToString(value, CultureInfo.InvariantCulture));
        }

        return key.ToString();
    }
}
