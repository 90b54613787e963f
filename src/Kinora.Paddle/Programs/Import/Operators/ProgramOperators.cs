using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace Kinora.Paddle.Programs;

/// <summary>The translation of each operator. Older programs name some without the 2 at the end.</summary>
internal static class ProgramOperators
{
    private static readonly FrozenDictionary<string, Translation> Table =
        new[] { ConvolutionTranslations.Table, PoolingTranslations.Table, ElementwiseTranslations.Table, LinearTranslations.Table, ReductionTranslations.Table, ShapeTranslations.Table, ConstantTranslations.Table, ControlTranslations.Table }
            .SelectMany(table => table)
            .ToFrozenDictionary(StringComparer.Ordinal);

    public static bool TryFind(string type, [NotNullWhen(true)] out Translation? translate) => Table.TryGetValue(type, out translate);

    /// <summary>Whether an operator does something besides computing its results, so that it can't be left out the second time.</summary>
    public static bool Acts(string type) => ControlTranslations.Table.ContainsKey(type);
}
