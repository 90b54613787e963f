using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Kinora.Onnx.Export.Graph;

namespace Kinora.Onnx.Export.Simplify;

/// <summary>Equal constants are stored once, equal computations are done once.</summary>
internal static class ShareDuplicates
{
    public static bool Run(NetworkGraph graph)
    {
        bool changed = false;
        var constants = new Dictionary<string, Value>(StringComparer.Ordinal);
        var known = new HashSet<Value>();
        foreach (Node node in graph.Nodes)
        {
            foreach (Value input in node.Inputs.OfType<Value>().Where(input => input.Literal is not null && known.Add(input)).ToArray())
            {
                if (!constants.TryAdd(Key(input.Literal!), input) && constants[Key(input.Literal!)] is var first && first != input)
                {
                    graph.Replace(input, first);
                    changed = true;
                }
            }
        }

        graph.Refresh();
        var numbers = new Dictionary<Value, int>();
        var computed = new Dictionary<string, Node>(StringComparer.Ordinal);
        foreach (Node node in graph.Nodes)
        {
            string key = Key(node, value => numbers.TryGetValue(value, out int number) ? number : numbers[value] = numbers.Count);
            if (node.Outputs.Length == 1 && !computed.TryAdd(key, node))
            {
                graph.Replace(node.Output, computed[key].Output);
                changed = true;
            }
        }

        graph.Refresh();
        return changed;
    }

    private static string Key(Literal literal)
    {
        ReadOnlySpan<byte> bytes = literal.IsInteger ? MemoryMarshal.AsBytes<long>(literal.Longs) : MemoryMarshal.AsBytes<float>(literal.Floats);
        return $"{literal.IsInteger} {string.Join(',', literal.Shape)} {Convert.ToHexString(SHA256.HashData(bytes))}";
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
