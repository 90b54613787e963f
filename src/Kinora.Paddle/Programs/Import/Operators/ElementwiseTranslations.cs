using Kinora.Onnx.Export.Graph;
using static Kinora.Onnx.Export.Graph.GraphBuilder;

namespace Kinora.Paddle.Programs;

/// <summary>Arithmetic, comparisons and activations: one result element from the operands' elements at the same place.</summary>
internal static class ElementwiseTranslations
{
    // The number of ONNX's element type for real numbers.
    private const long OnnxFloat = 1;

    public static Dictionary<string, Translation> Table { get; } = new()
    {
        ["elementwise_add"] = c => Arithmetic(c, "Add", (a, b) => a + b, (a, b) => KnownNumbers.Add(a, b, 1)),
        ["elementwise_sub"] = c => Arithmetic(c, "Sub", (a, b) => a - b, (a, b) => KnownNumbers.Add(a, b, -1)),
        ["elementwise_mul"] = c => Arithmetic(c, "Mul", (a, b) => a * b, KnownNumbers.Multiply),
        ["elementwise_div"] = c => Arithmetic(c, "Div", (a, b) => a / b, null),
        ["elementwise_max"] = c => Arithmetic(c, "Max", Math.Max, null),
        ["elementwise_min"] = c => Arithmetic(c, "Min", Math.Min, null),
        ["elementwise_pow"] = c => Arithmetic(c, "Pow", Math.Pow, null),
        ["elementwise_floordiv"] = c => Arithmetic(c, null, null, KnownNumbers.Divide),
        ["greater_than"] = c => Comparison(c, "Greater", negated: false),
        ["greater_equal"] = c => Comparison(c, "Less", negated: true),
        ["less_than"] = c => Comparison(c, "Less", negated: false),
        ["less_equal"] = c => Comparison(c, "Greater", negated: true),
        ["equal"] = c => Comparison(c, "Equal", negated: false),
        ["not_equal"] = c => Comparison(c, "Equal", negated: true),
        ["logical_not"] = Negated,
        ["cast"] = Cast,
        ["scale"] = Scale,
        ["sum"] = c => [new TensorSymbol(c.Tensors("X").Aggregate((a, b) => Combine("Add", (x, y) => x + y, c.Build, a, b)))],

        ["relu"] = Named("Relu"),
        ["relu6"] = c => [new TensorSymbol(Clip(c.Tensor("X"), 0, c.Number("threshold", 6)))],
        ["clip"] = Limited,
        ["leaky_relu"] = c => [new TensorSymbol(Unary("LeakyRelu", c.Tensor("X"), ("alpha", c.Number("alpha", 0.02))))],
        ["sigmoid"] = Named("Sigmoid"),
        ["tanh"] = Named("Tanh"),
        ["exp"] = Named("Exp"),
        ["log"] = Named("Log"),
        ["sqrt"] = Named("Sqrt"),
        ["abs"] = Named("Abs"),
        ["square"] = c => [new TensorSymbol(Binary("Mul", c.Tensor("X"), c.Tensor("X")))],
        ["pow"] = c => [new TensorSymbol(Binary("Pow", c.Tensor("X"), GraphBuilder.Number(c.Number("factor", 1))))],
        ["silu"] = c => [new TensorSymbol(Swish(c.Tensor("X"), 1))],
        ["swish"] = c => [new TensorSymbol(Swish(c.Tensor("X"), c.Number("beta", 1)))],
        ["hard_sigmoid"] = c => [new TensorSymbol(Unary("HardSigmoid", c.Tensor("X"), ("alpha", c.Number("slope", 0.2)), ("beta", c.Number("offset", 0.5))))],
        ["hard_swish"] = HardSwish,
        ["gelu"] = Gelu,
        ["dropout"] = Dropout,
    };

    /// <summary>x · scale + bias.</summary>
    public static Value Scaled(Value x, double scale, double bias)
    {
        x = scale == 1 ? x : Binary("Mul", x, GraphBuilder.Number(scale));
        return bias == 0 ? x : Binary("Add", x, GraphBuilder.Number(bias));
    }

    private static Translation Named(string op) => c => [new TensorSymbol(Unary(op, c.Tensor("X")))];

    private static Symbol[] Arithmetic(
        OperatorCall c, string? op, Func<double, double, double>? real, Func<Dimension, Dimension, Dimension>? known)
    {
        if (known is not null && OperatorCall.AsKnown(c.Symbol("X")) is { } x && OperatorCall.AsKnown(c.Symbol("Y")) is { } y)
        {
            return [Pairwise(c, x, y, ElementKind.Integer, known)];
        }

        return op is not null && real is not null
            ? [new TensorSymbol(Combine(op, real, c.Build, c.Tensor("X"), Aligned(c, c.Tensor("X"), c.Tensor("Y"))))]
            : throw c.Refuse($"expected known integers, found {OperatorCall.Describe(c.Symbol("X"))} and {OperatorCall.Describe(c.Symbol("Y"))}");
    }

    private static KnownSymbol Pairwise(OperatorCall c, KnownSymbol x, KnownSymbol y, ElementKind kind, Func<Dimension, Dimension, Dimension> function)
    {
        int count = Math.Max(x.Items.Length, y.Items.Length);
        return (x.Items.Length == count || x.Items.Length == 1) && (y.Items.Length == count || y.Items.Length == 1)
            ? new KnownSymbol(
                [.. Enumerable.Range(0, count).Select(i => function(x.Items[x.Items.Length == 1 ? 0 : i], y.Items[y.Items.Length == 1 ? 0 : i]))],
                x.IsScalar && y.IsScalar, kind)
            : throw c.Refuse($"operands {OperatorCall.Describe(x)} and {OperatorCall.Describe(y)} don't broadcast");
    }

    // Numbers that fill a whole tensor are handled as numbers, so that zeros of millions of elements cost nothing.
    private static Value Combine(string op, Func<double, double, double> function, GraphBuilder build, Value a, Value b)
    {
        Dimension[] shape = Shapes.Broadcast(a.Shape, b.Shape);
        return (Uniform.Read(a), Uniform.Read(b)) switch
        {
            ({ } x, { } y) => Uniform.Of(build, function(x, y), shape),
            (null, { } y) when Shapes.Same(shape, a.Shape) => Binary(op, a, GraphBuilder.Number(y)),
            ({ } x, null) when Shapes.Same(shape, b.Shape) => Binary(op, GraphBuilder.Number(x), b),
            _ => Binary(op, a, b),
        };
    }

    // Operands meet at their last axes, or the second one's begin at a given axis of the first.
    private static Value Aligned(OperatorCall c, Value x, Value y)
    {
        long axis = c.Int("axis", -1);
        if (axis < 0 || y.Rank == 0 || y.Rank >= x.Rank)
        {
            return y;
        }

        return axis + y.Rank <= x.Rank
            ? c.Build.Reshape(y, [.. y.Shape, .. Enumerable.Repeat(new Dimension(1), x.Rank - (int)axis - y.Rank)])
            : throw c.Refuse($"attribute 'axis': {Shapes.Text(y.Shape)} doesn't fit into {Shapes.Text(x.Shape)} from axis {axis} on");
    }

    private static Symbol[] Comparison(OperatorCall c, string op, bool negated)
    {
        if (OperatorCall.AsKnown(c.Symbol("X")) is { } x && OperatorCall.AsKnown(c.Symbol("Y")) is { } y)
        {
            return [Pairwise(c, x, y, ElementKind.Truth, (a, b) => KnownNumbers.Compare(c.Operator.Type, a, b))];
        }

        Value left = c.Tensor("X");
        Value right = Aligned(c, left, c.Tensor("Y"));
        if (Uniform.Read(left) is { } p && Uniform.Read(right) is { } q)
        {
            bool holds = op switch { "Greater" => p > q, "Less" => p < q, _ => p == q };
            return [new TensorSymbol(Uniform.Of(c.Build, holds != negated ? 1 : 0, Shapes.Broadcast(left.Shape, right.Shape)), ElementKind.Truth)];
        }

        Value truth = Binary(op, left, right);
        return [new TensorSymbol(negated ? Unary("Not", truth) : truth, ElementKind.Truth)];
    }

    private static Symbol[] Negated(OperatorCall c) => c.Symbol("X") switch
    {
        KnownSymbol { Kind: ElementKind.Truth } known => [known with { Items = Array.ConvertAll(known.Items, item => new Dimension(1 - item.Count)) }],
        TensorSymbol { Kind: ElementKind.Truth } tensor when Uniform.Read(tensor.Value) is { } all => [tensor with { Value = Uniform.Of(c.Build, 1 - all, tensor.Value.Shape) }],
        TensorSymbol { Kind: ElementKind.Truth } tensor => [tensor with { Value = Unary("Not", tensor.Value) }],
        Symbol other => throw c.Refuse($"expected truth values, found {OperatorCall.Describe(other)}"),
    };

    private static Symbol[] Cast(OperatorCall c)
    {
        ElementKind to = KindOf(c, c.Int("out_dtype"));
        Symbol symbol = c.Symbol("X");
        return symbol switch
        {
            KnownSymbol known when to != ElementKind.Truth || known.Kind == to => [known with { Kind = to }],
            _ when symbol.Kind == to => [symbol],
            TensorSymbol { Kind: ElementKind.Integer, Value.Literal: { } literal } when to == ElementKind.Real =>
                [new TensorSymbol(Constant(new Literal(literal.Doubles, literal.Shape)))],
            TensorSymbol { Kind: ElementKind.Truth } tensor when to == ElementKind.Real =>
                [new TensorSymbol(Uniform.Read(tensor.Value) is null ? Unary("Cast", tensor.Value, ("to", OnnxFloat)) : tensor.Value)],
            _ => throw c.Refuse($"{OperatorCall.Describe(symbol)} can't become {to}"),
        };
    }

    /// <summary>The kind of elements behind an element type's number.</summary>
    public static ElementKind KindOf(OperatorCall c, long type) => (ElementType)type switch
    {
        ElementType.Bool => ElementKind.Truth,
        ElementType.Float16 or ElementType.BFloat16 or ElementType.Float32 or ElementType.Float64 => ElementKind.Real,
        ElementType.Int8 or ElementType.UInt8 or ElementType.Int16 or ElementType.Int32 or ElementType.Int64 => ElementKind.Integer,
        _ => throw c.Refuse($"element type {type} isn't known"),
    };

    private static Symbol[] Scale(OperatorCall c)
    {
        if (c.Has("ScaleTensor"))
        {
            throw c.Refuse("a factor from a tensor isn't supported; expected the attribute 'scale'");
        }

        double scale = c.Number("scale", 1);
        double bias = c.Number("bias", 0) * (c.Flag("bias_after_scale", true) ? 1 : scale);
        if (c.Symbol("X") is KnownSymbol known)
        {
            return scale == Math.Floor(scale) && bias == Math.Floor(bias) && Math.Abs(scale) < int.MaxValue && Math.Abs(bias) < int.MaxValue
                ? [known with { Items = Array.ConvertAll(known.Items, item => KnownNumbers.Add(KnownNumbers.Multiply(item, (long)scale), (long)bias, 1)) }]
                : throw c.Refuse($"{scale} · x + {bias} of integers gives no integers");
        }

        Value x = c.Tensor("X");
        return [new TensorSymbol(Uniform.Read(x) is { } number ? Uniform.Of(c.Build, (number * scale) + bias, x.Shape) : Scaled(x, scale, bias))];
    }

    private static Symbol[] Limited(OperatorCall c) => c.Has("Min") || c.Has("Max")
        ? throw c.Refuse("limits from tensors aren't supported; expected the attributes 'min' and 'max'")
        : [new TensorSymbol(Clip(c.Tensor("X"), c.Number("min"), c.Number("max")))];

    private static Value Swish(Value x, double beta) => Binary("Mul", x, Unary("Sigmoid", Scaled(x, beta, 0)));

    private static Symbol[] HardSwish(OperatorCall c)
    {
        Value x = c.Tensor("X");
        (double threshold, double scale, double offset) = (c.Number("threshold", 6), c.Number("scale", 6), c.Number("offset", 3));
        return
        [
            new TensorSymbol((threshold, scale, offset) == (6, 6, 3)
                ? Unary("HardSwish", x)
                : Binary("Mul", x, Scaled(Clip(Scaled(x, 1, offset), 0, threshold), 1 / scale, 0))),
        ];
    }

    // x/2·(1 + erf(x/√2)), in the order of operations that ONNX Runtime fuses into one kernel; or its approximation.
    private static Symbol[] Gelu(OperatorCall c)
    {
        Value x = c.Tensor("X");
        Value bell = c.Flag("approximate", false)
            ? Unary("Tanh", Scaled(Binary("Add", x, Scaled(Binary("Mul", Binary("Mul", x, x), x), 0.044715, 0)), Math.Sqrt(2 / Math.PI), 0))
            : Unary("Erf", Binary("Div", x, GraphBuilder.Number(Math.Sqrt(2))));
        return [new TensorSymbol(Binary("Mul", Binary("Mul", x, Scaled(bell, 1, 1)), GraphBuilder.Number(0.5)))];
    }

    // Nothing is dropped at inference; one of the two implementations scales down then.
    private static Symbol[] Dropout(OperatorCall c)
    {
        if (!c.Flag("is_test", false))
        {
            throw c.Refuse("it drops at random; export the network in evaluation mode");
        }

        float kept = 1 - (float)c.Number("dropout_prob", 0.5);
        return c.Text("dropout_implementation", "downgrade_in_infer") switch
        {
            "upscale_in_train" => [new TensorSymbol(c.Tensor("X"))],
            "downgrade_in_infer" => [new TensorSymbol(Scaled(c.Tensor("X"), kept, 0))],
            var other => throw c.Refuse($"attribute 'dropout_implementation': expected upscale_in_train or downgrade_in_infer, found '{other}'"),
        };
    }
}
