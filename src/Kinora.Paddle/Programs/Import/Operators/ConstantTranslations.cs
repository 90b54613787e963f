using System.Globalization;
using Kinora.Onnx.Export.Graph;
using static Kinora.Onnx.Export.Graph.GraphBuilder;

namespace Kinora.Paddle.Programs;

/// <summary>Constants that stand in the program itself.</summary>
internal static class ConstantTranslations
{
    private const int MaximumKnown = 1 << 10;

    public static Dictionary<string, Translation> Table { get; } = new()
    {
        ["fill_constant"] = Filled,
        ["fill_any_like"] = FilledLike,
        ["assign_value"] = Assigned,
        ["assign"] = c => [c.Symbol("X")],
    };

    private static Symbol[] Filled(OperatorCall c)
    {
        // The text has the number in full; older programs lack it.
        string text = c.Text("str_value", "");
        double number = text.Length == 0 ? c.Number("value", 0)
            : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double parsed) && double.IsFinite(parsed) ? parsed
            : throw c.Refuse($"attribute 'str_value': expected a number, found '{text[..Math.Min(text.Length, 32)]}'");
        Dimension[] shape = c.Has("ShapeTensor") ? c.Sizes("ShapeTensor")
            : c.Has("ShapeTensorList") ? c.Sizes("ShapeTensorList")
            : Array.ConvertAll(c.Ints("shape", []), size => new Dimension(size));
        ElementKind kind = ElementwiseTranslations.KindOf(c, c.Int("dtype"));
        if (c.Has("ValueTensor") || shape.Any(size => size.Count < 1))
        {
            throw c.Refuse($"expected a known number in a shape of at least one element, found {Shapes.Text(shape)}");
        }

        if (kind == ElementKind.Real)
        {
            return [new TensorSymbol(Uniform.Of(c.Build, number, shape))];
        }

        return shape is [] or [{ PerClip: false, Count: <= MaximumKnown }] && number == Math.Floor(number) && Math.Abs(number) <= long.MaxValue / 2
            ? [new KnownSymbol([.. Enumerable.Repeat(new Dimension((long)number), shape.Length == 0 ? 1 : (int)shape[0].Count)], shape.Length == 0, kind)]
            : throw c.Refuse($"expected a few integers, found {number} in {Shapes.Text(shape)}");
    }

    private static Symbol[] FilledLike(OperatorCall c)
    {
        Value like = c.Tensor("X");
        double number = c.Number("value", 0);
        return c.Int("dtype", -1) is var type && (type < 0 || ElementwiseTranslations.KindOf(c, type) == ElementKind.Real)
            ? [new TensorSymbol(Uniform.Of(c.Build, number, like.Shape))]
            : throw c.Refuse($"expected real numbers, found element type {type}");
    }

    private static Symbol[] Assigned(OperatorCall c)
    {
        long[] shape = c.Ints("shape");
        ElementKind kind = ElementwiseTranslations.KindOf(c, c.Int("dtype"));
        string[] names = kind switch
        {
            ElementKind.Real => ["fp32_values", "fp64_values"],
            ElementKind.Integer => ["int64_values", "int32_values"],
            _ => ["bool_values"],
        };
        double[] values = [.. names.Where(c.Operator.Attributes.ContainsKey).Select(c.Numbers).FirstOrDefault(list => list.Length > 0) ?? []];
        if (shape.Any(size => size < 1) || shape.Aggregate(1L, (a, b) => checked(a * b)) != values.Length)
        {
            throw c.Refuse($"expected as many numbers as [{string.Join(", ", shape)}] has elements, found {values.Length}");
        }

        return kind == ElementKind.Real ? [new TensorSymbol(Constant(new Literal(values, shape)))]
            : shape.Length > 1 || values.Length > MaximumKnown ? [new TensorSymbol(Constant(new Literal(Array.ConvertAll(values, x => (long)x), shape)), kind)]
            : [new KnownSymbol(Array.ConvertAll(values, x => new Dimension((long)x)), shape.Length == 0, kind)];
    }
}
