using Kinora.Onnx.Export.Graph;
using static Kinora.Onnx.Export.Graph.GraphBuilder;

namespace Kinora.Onnx.Export.Recording;

/// <summary>Arithmetic and activations: one result element from the operands' elements at the same place.</summary>
internal static class ElementwiseOperators
{
    public static Dictionary<string, Operator> Table { get; } = new()
    {
        ["add"] = c => [Binary("Add", c.Tensor("self"), Scaled(c))],
        ["sub"] = c => [Binary("Sub", c.Tensor("self"), Scaled(c))],
        ["subtract"] = c => [Binary("Sub", c.Tensor("self"), Scaled(c))],
        ["rsub"] = c => [Binary("Sub", c.Tensor("other"), Times(c.Tensor("self"), c.Number("alpha")))],
        ["mul"] = c => [Binary("Mul", c.Tensor("self"), c.Tensor("other"))],
        ["multiply"] = c => [Binary("Mul", c.Tensor("self"), c.Tensor("other"))],
        ["div"] = Divide,
        ["divide"] = Divide,
        ["true_divide"] = Divide,
        ["maximum"] = c => [Binary("Max", c.Tensor("self"), c.Tensor("other"))],
        ["minimum"] = c => [Binary("Min", c.Tensor("self"), c.Tensor("other"))],
        ["pow"] = Power,
        ["square"] = c => [Binary("Mul", c.Tensor("self"), c.Tensor("self"))],

        ["neg"] = Named("Neg"),
        ["abs"] = Named("Abs"),
        ["exp"] = Named("Exp"),
        ["log"] = Named("Log"),
        ["sqrt"] = Named("Sqrt"),
        ["rsqrt"] = c => [Unary("Reciprocal", Unary("Sqrt", c.Tensor("self")))],
        ["reciprocal"] = Named("Reciprocal"),
        ["sin"] = Named("Sin"),
        ["cos"] = Named("Cos"),
        ["erf"] = Named("Erf"),
        ["floor"] = Named("Floor"),
        ["ceil"] = Named("Ceil"),

        ["relu"] = Named("Relu"),
        ["sigmoid"] = Named("Sigmoid"),
        ["tanh"] = Named("Tanh"),
        ["relu6"] = c => [Clip(c.Tensor("self"), 0, 6)],
        ["hardtanh"] = c => [Clip(c.Tensor("self"), c.Number("min_val"), c.Number("max_val"))],
        ["clamp"] = c => [Clip(c.Tensor("self"), c.OptionalNumber("min"), c.OptionalNumber("max"))],
        ["clip"] = c => [Clip(c.Tensor("self"), c.OptionalNumber("min"), c.OptionalNumber("max"))],
        ["clamp_min"] = c => [Clip(c.Tensor("self"), c.Number("min"), null)],
        ["clamp_max"] = c => [Clip(c.Tensor("self"), null, c.Number("max"))],
        ["threshold"] = Threshold,
        ["leaky_relu"] = c => [Unary("LeakyRelu", c.Tensor("self"), ("alpha", c.Number("negative_slope")))],
        ["elu"] = Elu,
        ["hardsigmoid"] = c => [Unary("HardSigmoid", c.Tensor("self"), ("alpha", 1.0 / 6), ("beta", 0.5))],
        ["hardswish"] = Named("HardSwish"),
        ["silu"] = c => [Binary("Mul", c.Tensor("self"), Unary("Sigmoid", c.Tensor("self")))],
        ["gelu"] = Gelu,

        // Evaluation mode: nothing is dropped.
        ["dropout"] = Dropout,
        ["feature_dropout"] = Dropout,
    };

    private static Operator Named(string op) => c => [Unary(op, c.Tensor("self"))];

    private static Value Scaled(CallReader c) => Times(c.Tensor("other"), c.Has("alpha") ? c.Number("alpha") : 1);

    private static Value Times(Value x, double factor) => factor == 1 ? x
        : x.IsScalarConstant ? Number(x.Literal!.Single * factor)
        : Binary("Mul", x, Number(factor));

    private static Produced[] Divide(CallReader c) => c.Call.Overload.EndsWith("_mode", StringComparison.Ordinal) && c.Has("rounding_mode")
        ? throw c.Refuse($"rounding mode '{c.Text("rounding_mode")}' isn't supported")
        : [Binary("Div", c.Tensor("self"), c.Tensor("other"))];

    private static Produced[] Power(CallReader c)
    {
        Value x = c.Tensor("self");
        Value exponent = c.Tensor("exponent");
        return [exponent.IsScalarConstant && exponent.Literal!.Single == 2 ? Binary("Mul", x, x) : Binary("Pow", x, exponent)];
    }

    private static Produced[] Threshold(CallReader c) => c.Number("threshold") == c.Number("value")
        ? [Clip(c.Tensor("self"), c.Number("threshold"), null)]
        : throw c.Refuse($"expected equal threshold and value, found {c.Number("threshold")} and {c.Number("value")}");

    private static Produced[] Elu(CallReader c) => c.Number("scale") == 1 && c.Number("input_scale") == 1
        ? [Unary("Elu", c.Tensor("self"), ("alpha", c.Number("alpha")))]
        : throw c.Refuse("expected scale and input_scale 1");

    // x/2·(1 + erf(x/√2)), in the order of operations that ONNX Runtime fuses into one kernel.
    private static Produced[] Gelu(CallReader c)
    {
        if (c.Has("approximate") && c.Text("approximate") != "none")
        {
            throw c.Refuse($"expected the exact form (approximate: none), found {c.Text("approximate")}");
        }

        Value x = c.Tensor("self");
        Value bell = Binary("Add", Unary("Erf", Binary("Div", x, Number(Math.Sqrt(2)))), Number(1));
        return [Binary("Mul", Binary("Mul", x, bell), Number(0.5))];
    }

    private static Produced[] Dropout(CallReader c) => c.Flag("train") && c.Number("p") != 0
        ? throw c.Refuse("it drops at random; export in evaluation mode")
        : [c.Tensor("input")];
}
