using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>What single recorded operators cost.</summary>
internal static class OperatorCost
{
    /// <summary>Operators that only move or make values: they compute nothing that could be counted.</summary>
    private static readonly HashSet<string> Movements =
    [
        "arange", "cat", "clone", "constant_pad_nd", "contiguous", "copy_", "detach", "empty", "expand", "fill_", "flatten", "flip", "full",
        "gather", "index_select", "movedim", "ones", "permute", "repeat", "repeat_interleave", "reshape", "roll", "select", "slice", "split_with_sizes",
        "squeeze", "stack", "swapaxes", "to", "transpose", "unbind", "unsqueeze", "view", "where", "zeros", "empty_like", "zeros_like",
    ];

    /// <summary>The multiply-adds of a call: one for each product that goes into a sum, zeros of paddings included.</summary>
    /// <param name="call">The call.</param>
    /// <param name="recording">Knows the shapes of its tensors.</param>
    /// <returns>Multiply-adds; null for operators that don't count: elementwise ones, normalisations, poolings, sums.</returns>
    public static long? MultiplyAdds(RecordedCall call, Recording recording)
    {
        return ShortName(call) switch
        {
            "conv1d" or "conv2d" or "conv3d" or "convolution" => Result().Count * PerOutput(Operand("weight")),
            "linear" => Result().Count * Operand("weight").Shape[^1],
            "matmul" or "mm" or "bmm" or "mv" or "dot" => Result().Count * Operand("self").Shape[^1],
            "addmm" => Result().Count * Operand("mat1").Shape[^1],
            "addmv" => Result().Count * Operand("mat").Shape[^1],
            "baddbmm" => Result().Count * Operand("batch1").Shape[^1],
            "einsum" => Einsum(),
            _ => null,
        };

        Tensor Result() => recording.Tensor(call.Outputs[0]);

        Tensor Operand(string name) => recording.Tensor(call[name].TensorId);

        // [outputs, inputs / groups, kernel…]
        static long PerOutput(Tensor weight) => weight.Count / weight.Shape[0];

        long? Einsum()
        {
            Tensor[] operands = [.. call["tensors"].TensorIds.Select(recording.Tensor)];
            return operands.Length == 2 ? Result().Count * Contracted(call["equation"].String, operands) : null;
        }
    }

    /// <summary>Whether a call computes something, so that not counting it is worth mentioning.</summary>
    /// <param name="call">A call that <see cref="MultiplyAdds"/> doesn't count.</param>
    public static bool IsArithmetic(RecordedCall call) => !Movements.Contains(ShortName(call));

    /// <summary>The operator without its namespace, such as "conv2d".</summary>
    /// <param name="call">The call.</param>
    public static string ShortName(RecordedCall call) => call.Operator[(call.Operator.LastIndexOf(':') + 1)..];

    // Product of the sizes that the sum runs over, as for "bqhd,bkhd->bhqk": that of d.
    private static long Contracted(string equation, Tensor[] operands)
    {
        const string Ellipsis = "...";
        string[] sides = equation.Replace(" ", "", StringComparison.Ordinal).Split("->");
        string[] terms = sides[0].Split(',');
        var sizes = new Dictionary<char, long>();
        var repeated = new HashSet<char>();
        foreach ((string term, Tensor operand) in terms.Zip(operands))
        {
            int gap = term.IndexOf(Ellipsis, StringComparison.Ordinal);
            string labels = gap < 0 ? term : term.Remove(gap, Ellipsis.Length);
            for (int i = 0; i < labels.Length; i++)
            {
                int axis = gap < 0 || i < gap ? i : operand.Rank - labels.Length + i;
                if (sizes.TryGetValue(labels[i], out long known))
                {
                    _ = repeated.Add(labels[i]);
                }

                sizes[labels[i]] = Math.Max(known, operand.Shape[axis]);    // a size of 1 stretches to its partner's
            }
        }

        // Without an arrow the labels that stand twice are summed over.
        return sizes.Where(label => sides.Length > 1 ? !sides[1].Contains(label.Key) : repeated.Contains(label.Key))
            .Aggregate(1L, (product, label) => product * label.Value);
    }
}
