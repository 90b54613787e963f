using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace Kinora.Onnx.Export.Recording;

/// <summary>Translates one call.</summary>
/// <param name="call">Its arguments.</param>
/// <returns>One entry a result; missing ones are never read.</returns>
internal delegate Produced[] Operator(CallReader call);

/// <summary>
/// The translation of each ATen operator. Names carry no overload: overloads of one operator differ in their
/// arguments, and those are looked up by name. In-place forms ("relu_") need no entry of their own.
/// </summary>
internal static class Operators
{
    private static readonly FrozenDictionary<string, Operator> Table =
        new[] { ElementwiseOperators.Table, ConvolutionOperators.Table, PoolingOperators.Table, ReductionOperators.Table, ShapeOperators.Table, LinearOperators.Table }
            .SelectMany(table => table)
            .ToFrozenDictionary(StringComparer.Ordinal);

    // Calls that ask about tensors or hint at their treatment, and change none.
    private static readonly FrozenSet<string> Ignored = new[]
    {
        "is_contiguous", "size", "stride", "numel", "dim", "is_nonzero", "requires_grad_", "set_data", "_version", "_has_compatible_shallow_copy_type",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Names of all operators that have a translation, in-place forms not counted.</summary>
    public static IEnumerable<string> Names => Table.Keys.Order(StringComparer.Ordinal);

    public static bool TryFind(string name, [NotNullWhen(true)] out Operator? translate) => Table.TryGetValue(name, out translate);

    public static bool IsIgnored(TracedCall call) => Ignored.Contains(call.Operator);
}
