using Kinora.Onnx.Export.Tests;
using Kinora.Testing;

namespace Kinora.Paddle.Programs.Tests;

/// <summary>Each operator against its definition, written as loops over clips of two frames, three channels, 4 × 4.</summary>
public sealed class OperatorTests
{
    private const int Frames = 2;
    private const int Channels = 3;
    private const int Side = 4;

    // Element [t, c, h, w] of one clip.
    private delegate double Clip(int t, int c, int h, int w);

    // Variables clips [N, 2, 3, 4, 4], images [N·2, 3, 4, 4] and volumes [N, 3, 2, 4, 4] lead to y, with this shape a
    // clip and these elements.
    private sealed record Case(Action<ProgramBuilder> Build, int[] Shape, Func<Clip, int[], double> Expected);

    private static readonly float[] Weights = [.. Enumerable.Range(0, 200).Select(i => (float)Math.Sin((i * 1.7) + 0.5))];

    private static readonly Dictionary<string, Case> Cases = new()
    {
        ["elementwise_add at an axis"] = new(
            b => Constant(b, 3).Add("elementwise_add", [("X", "images"), ("Y", "p")], "y", ("axis", 1)),
            [2, 3, 4, 4], (x, i) => x(i[0], i[1], i[2], i[3]) + Weights[i[1]]),
        ["elementwise_sub broadcast"] = new(
            b => Constant(b, 4, 1).Add("elementwise_sub", [("X", "p"), ("Y", "images")], "y", ("axis", -1)),
            [2, 3, 4, 4], (x, i) => Weights[i[2]] - x(i[0], i[1], i[2], i[3])),
        ["elementwise_mul"] = Pointwise("elementwise_mul", [("X", "images"), ("Y", "images")], v => v * v, ("axis", -1)),
        ["elementwise_div"] = new(
            b => Constant(b, 3, 1, 1).Add("elementwise_div", [("X", "images"), ("Y", "p")], "y", ("axis", -1)),
            [2, 3, 4, 4], (x, i) => x(i[0], i[1], i[2], i[3]) / Weights[i[1]]),
        ["elementwise_max"] = new(
            b => Constant(b, 4).Add("elementwise_max", [("X", "images"), ("Y", "p")], "y", ("axis", -1)),
            [2, 3, 4, 4], (x, i) => Math.Max(x(i[0], i[1], i[2], i[3]), Weights[i[3]])),
        ["elementwise_min"] = new(
            b => Constant(b, 4).Add("elementwise_min", [("X", "images"), ("Y", "p")], "y", ("axis", -1)),
            [2, 3, 4, 4], (x, i) => Math.Min(x(i[0], i[1], i[2], i[3]), Weights[i[3]])),
        ["elementwise_pow"] = new(
            b => b.Parameter("p", [3], 1).Add("elementwise_pow", [("X", "images"), ("Y", "p")], "y", ("axis", -1)),
            [2, 3, 4, 4], (x, i) => Math.Pow(x(i[0], i[1], i[2], i[3]), 3)),
        ["sum of three"] = Pointwise("sum", [("X", "images images images")], v => 3 * v),
        ["scale then bias"] = Pointwise("scale", [("X", "images")], v => (2.5 * v) - 1, ("scale", 2.5), ("bias", -1.0), ("bias_after_scale", true)),
        ["bias then scale"] = Pointwise("scale", [("X", "images")], v => 2.5 * (v - 1), ("scale", 2.5), ("bias", -1.0), ("bias_after_scale", false)),
        ["relu"] = Pointwise("relu", [("X", "images")], v => Math.Max(v, 0)),
        ["relu6"] = Pointwise("relu6", [("X", "images")], v => Math.Clamp(v, 0, 1.5), ("threshold", 1.5)),
        ["clip"] = Pointwise("clip", [("X", "images")], v => Math.Clamp(v, -0.5, 0.75), ("min", -0.5), ("max", 0.75)),
        ["leaky_relu"] = Pointwise("leaky_relu", [("X", "images")], v => v < 0 ? 0.1 * v : v, ("alpha", 0.1)),
        ["sigmoid"] = Pointwise("sigmoid", [("X", "images")], Sigmoid),
        ["tanh"] = Pointwise("tanh", [("X", "images")], Math.Tanh),
        ["exp"] = Pointwise("exp", [("X", "images")], Math.Exp),
        ["square"] = Pointwise("square", [("X", "images")], v => v * v),
        ["pow"] = Pointwise("pow", [("X", "images")], v => Math.Pow(v, 3), ("factor", 3.0)),
        ["abs, sqrt"] = new(
            b => b.Add("abs", [("X", "images")], "a").Add("sqrt", [("X", "a")], "y"),
            [2, 3, 4, 4], (x, i) => Math.Sqrt(Math.Abs(x(i[0], i[1], i[2], i[3])))),
        ["exp, log"] = new(
            b => b.Add("exp", [("X", "images")], "a").Add("log", [("X", "a")], "y"),
            [2, 3, 4, 4], (x, i) => x(i[0], i[1], i[2], i[3])),
        ["silu"] = Pointwise("silu", [("X", "images")], v => v * Sigmoid(v)),
        ["swish with beta"] = Pointwise("swish", [("X", "images")], v => v * Sigmoid(1.5 * v), ("beta", 1.5)),
        ["hard_sigmoid"] = Pointwise("hard_sigmoid", [("X", "images")], v => Math.Clamp((0.2 * v) + 0.5, 0, 1), ("slope", 0.2), ("offset", 0.5)),
        ["hard_swish"] = Pointwise("hard_swish", [("X", "images")], v => v * Math.Clamp(v + 3, 0, 6) / 6, ("threshold", 6.0), ("scale", 6.0), ("offset", 3.0)),
        ["hard_swish of another shape"] = Pointwise("hard_swish", [("X", "images")], v => v * Math.Clamp(v + 1, 0, 2) / 4, ("threshold", 2.0), ("scale", 4.0), ("offset", 1.0)),
        ["gelu"] = Pointwise("gelu", [("X", "images")], v => v / 2 * (1 + Erf(v / Math.Sqrt(2))), ("approximate", false)),
        ["gelu approximated"] = Pointwise("gelu", [("X", "images")], v => v / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (v + (0.044715 * v * v * v)))), ("approximate", true)),
        ["dropout that scales"] = Pointwise("dropout", [("X", "images")], v => v * 0.8, ("is_test", true), ("dropout_prob", 0.2), ("dropout_implementation", "downgrade_in_infer")),
        ["dropout that doesn't"] = Pointwise("dropout", [("X", "images")], v => v, ("is_test", true), ("dropout_prob", 0.2), ("dropout_implementation", "upscale_in_train")),
        ["greater_than, logical_not, cast"] = new(
            b => Constant(b, 4).Add("greater_than", [("X", "images"), ("Y", "p")], "a", ("axis", -1)).Add("logical_not", [("X", "a")], "n").Add("cast", [("X", "n")], "y", ("in_dtype", 0), ("out_dtype", 5)),
            [2, 3, 4, 4], (x, i) => x(i[0], i[1], i[2], i[3]) > Weights[i[3]] ? 0 : 1),
        ["less_equal, cast"] = new(
            b => Constant(b, 4).Add("less_equal", [("X", "images"), ("Y", "p")], "a", ("axis", -1)).Add("cast", [("X", "a")], "y", ("in_dtype", 0), ("out_dtype", 5)),
            [2, 3, 4, 4], (x, i) => x(i[0], i[1], i[2], i[3]) <= Weights[i[3]] ? 1 : 0),

        ["softmax"] = new(
            b => b.Add("softmax", [("X", "images")], "a", ("axis", 1)).Add("scale", [("X", "a")], "y", ("scale", 2.0)),
            [2, 3, 4, 4], (x, i) => 2 * Math.Exp(x(i[0], i[1], i[2], i[3])) / Sum(Channels, c => Math.Exp(x(i[0], c, i[2], i[3])))),
        ["log_softmax"] = new(
            b => b.Add("log_softmax", [("X", "images")], "y", ("axis", -1)),
            [2, 3, 4, 4], (x, i) => x(i[0], i[1], i[2], i[3]) - Math.Log(Sum(Side, w => Math.Exp(x(i[0], i[1], i[2], w))))),
        ["reduce_mean of two axes"] = new(
            b => b.Add("reduce_mean", [("X", "clips")], "y", ("dim", (int[])[-1, 1]), ("keep_dim", false), ("reduce_all", false)),
            [3, 4], (x, i) => Sum(Frames, t => Sum(Side, w => x(t, i[0], i[1], w))) / (Frames * Side)),
        ["reduce_sum kept"] = new(
            b => b.Add("reduce_sum", [("X", "images")], "y", ("dim", (int[])[2]), ("keep_dim", true), ("reduce_all", false)),
            [2, 3, 1, 4], (x, i) => Sum(Side, h => x(i[0], i[1], h, i[3]))),
        ["reduce_max"] = new(
            b => b.Add("reduce_max", [("X", "images")], "y", ("dim", (int[])[1]), ("keep_dim", false), ("reduce_all", false)),
            [2, 4, 4], (x, i) => Enumerable.Range(0, Channels).Max(c => x(i[0], c, i[1], i[2]))),

        ["pool2d max, rounded up"] = Pool("max", [3, 3], [2, 2], [0, 0], 2, (x, i) => Window(x, i, 3, 2, 0).Max(), ("ceil_mode", true)),
        ["pool2d mean of real cells"] = Pool("avg", [3, 3], [2, 2], [1, 1], 2, (x, i) => Window(x, i, 3, 2, 1).Average(), ("exclusive", true)),
        ["pool2d mean of all cells"] = Pool("avg", [3, 3], [2, 2], [1, 1], 2, (x, i) => Window(x, i, 3, 2, 1).Sum() / 9, ("exclusive", false)),
        ["pool2d mean, rounded up"] = Pool("avg", [3, 3], [2, 2], [0, 0], 2, (x, i) => Window(x, i, 3, 2, 0).Average(), ("ceil_mode", true), ("exclusive", true)),
        ["pool2d SAME"] = Pool("avg", [3, 3], [1, 1], [0, 0], 4, (x, i) => Window(x, i, 3, 1, 1).Average(), ("padding_algorithm", "SAME")),
        ["pool2d VALID"] = Pool("max", [2, 2], [1, 1], [1, 1], 3, (x, i) => Window(x, i, 2, 1, 0).Max(), ("padding_algorithm", "VALID")),
        ["pool2d adaptive"] = Pool("avg", [2, 2], [1, 1], [0, 0], 2, (x, i) => Window(x, i, 2, 2, 0).Average(), ("adaptive", true)),
        ["pool2d over everything"] = Pool("max", [9, 9], [1, 1], [0, 0], 1, (x, i) => Window(x, i, 4, 4, 0).Max(), ("global_pooling", true)),
        ["pool2d channels last"] = new(
            b => b.Add("transpose2", [("X", "images")], "last", ("axis", (int[])[0, 2, 3, 1]))
                .Add("pool2d", [("X", "last")], "y", ("pooling_type", "max"), ("ksize", (int[])[2, 2]), ("strides", (int[])[2, 2]), ("paddings", (int[])[0, 0]), ("data_format", "NHWC")),
            [2, 2, 2, 3], (x, i) => Window(x, [i[0], i[3], i[1], i[2]], 2, 2, 0).Max()),
        ["pool3d"] = new(
            b => b.Add("pool3d", [("X", "volumes")], "y", ("pooling_type", "avg"), ("ksize", (int[])[2, 2, 2]), ("strides", (int[])[2, 2, 2]), ("paddings", (int[])[0, 0, 0]), ("data_format", "NCDHW")),
            [3, 1, 2, 2], (x, i) => Sum(2, t => Sum(2, h => Sum(2, w => x(t, i[0], (2 * i[2]) + h, (2 * i[3]) + w)))) / 8),

        ["conv2d with four paddings and dilation"] = new(
            b => b.Parameter("w", Weights[..54], 2, 3, 3, 3).Add("conv2d", [("Input", "images"), ("Filter", "w")], "y",
                ("strides", (int[])[1, 1]), ("paddings", (int[])[2, 0, 1, 2]), ("dilations", (int[])[2, 1]), ("groups", 1), ("data_format", "NCHW"), ("padding_algorithm", "EXPLICIT")),
            [2, 2, 2, 5], (x, i) => Sum(3, c => Sum(3, h => Sum(3, w => At(x, i[0], c, i[2] + (2 * h) - 2, i[3] + w - 1) * Weights[(((((i[1] * 3) + c) * 3) + h) * 3) + w])))),
        ["conv2d channels last, in groups"] = new(
            b => b.Parameter("w", Weights[..12], 3, 1, 2, 2).Add("transpose2", [("X", "images")], "last", ("axis", (int[])[0, 2, 3, 1]))
                .Add("conv2d", [("Input", "last"), ("Filter", "w")], "y", ("strides", (int[])[2, 2]), ("paddings", (int[])[0, 0]), ("dilations", (int[])[1, 1]), ("groups", 3), ("data_format", "NHWC")),
            [2, 2, 2, 3], (x, i) => Sum(2, h => Sum(2, w => x(i[0], i[3], (2 * i[1]) + h, (2 * i[2]) + w) * Weights[(((i[3] * 2) + h) * 2) + w]))),
        ["conv3d"] = new(
            b => b.Parameter("w", Weights[..24], 1, 3, 2, 2, 2).Add("conv3d", [("Input", "volumes"), ("Filter", "w")], "y",
                ("strides", (int[])[1, 2, 2]), ("paddings", (int[])[0, 0, 0]), ("dilations", (int[])[1, 1, 1]), ("groups", 1), ("data_format", "NCDHW")),
            [1, 1, 2, 2], (x, i) => Sum(3, c => Sum(2, t => Sum(2, h => Sum(2, w => x(t, c, (2 * i[2]) + h, (2 * i[3]) + w) * Weights[(((((c * 2) + t) * 2) + h) * 2) + w]))))),
        ["batch_norm"] = new(
            b => Statistics(b).Add("batch_norm", [("X", "images"), ("Scale", "s"), ("Bias", "o"), ("Mean", "m"), ("Variance", "v")], "y", ("epsilon", 1e-3), ("is_test", true), ("data_layout", "NCHW")),
            [2, 3, 4, 4], (x, i) => Normalized(x(i[0], i[1], i[2], i[3]), i[1])),
        ["batch_norm channels last"] = new(
            b => Statistics(b).Add("transpose2", [("X", "images")], "last", ("axis", (int[])[0, 2, 3, 1]))
                .Add("batch_norm", [("X", "last"), ("Scale", "s"), ("Bias", "o"), ("Mean", "m"), ("Variance", "v")], "y", ("epsilon", 1e-3), ("use_global_stats", true), ("data_layout", "NHWC")),
            [2, 4, 4, 3], (x, i) => Normalized(x(i[0], i[3], i[1], i[2]), i[3])),
        ["layer_norm over two axes"] = new(
            b => b.Parameter("s", Weights[..16], 16).Parameter("o", Weights[16..32], 16)
                .Add("layer_norm", [("X", "images"), ("Scale", "s"), ("Bias", "o")], "y", ("begin_norm_axis", 2), ("epsilon", 1e-3)),
            [2, 3, 4, 4], (x, i) => (Standardized(x, i) * Weights[(i[2] * 4) + i[3]]) + Weights[16 + (i[2] * 4) + i[3]]),
        ["layer_norm without parameters"] = new(
            b => b.Add("layer_norm", [("X", "images")], "y", ("begin_norm_axis", 2), ("epsilon", 1e-3)),
            [2, 3, 4, 4], (x, i) => Standardized(x, i)),
        ["temporal_shift"] = new(
            b => b.Add("temporal_shift", [("X", "images")], "y", ("seg_num", 2), ("shift_ratio", 0.34), ("data_format", "NCHW")),
            [2, 3, 4, 4], Shifted),
        ["temporal_shift channels last"] = new(
            b => b.Add("transpose2", [("X", "images")], "last", ("axis", (int[])[0, 2, 3, 1]))
                .Add("temporal_shift", [("X", "last")], "s", ("seg_num", 2), ("shift_ratio", 0.34), ("data_format", "NHWC")).Add("transpose2", [("X", "s")], "y", ("axis", (int[])[0, 3, 1, 2])),
            [2, 3, 4, 4], Shifted),

        ["matmul_v2 turned"] = new(
            b => b.Parameter("w", Weights[..20], 5, 4).Add("matmul_v2", [("X", "images"), ("Y", "w")], "y", ("trans_x", true), ("trans_y", true)),
            [2, 3, 4, 5], (x, i) => Sum(4, k => x(i[0], i[1], k, i[2]) * Weights[(i[3] * 4) + k])),
        ["matmul with factor"] = new(
            b => b.Add("matmul", [("X", "images"), ("Y", "images")], "y", ("transpose_X", false), ("transpose_Y", true), ("alpha", 0.5)),
            [2, 3, 4, 4], (x, i) => 0.5 * Sum(4, k => x(i[0], i[1], i[2], k) * x(i[0], i[1], i[3], k))),
        ["mul"] = new(
            b => b.Parameter("w", Weights[..80], 16, 5).Add("mul", [("X", "images"), ("Y", "w")], "y", ("x_num_col_dims", 2), ("y_num_col_dims", 1)),
            [2, 3, 5], (x, i) => Sum(16, k => x(i[0], i[1], k / 4, k % 4) * Weights[(k * 5) + i[2]])),

        ["reshape2 with kept and open sizes"] = new(b => b.Add("reshape2", [("X", "clips")], "y", ("shape", (int[])[0, -1, 8])), [12, 8], (x, i) => Flat(x, (i[0] * 8) + i[1])),
        ["flatten_contiguous_range"] = new(b => b.Add("flatten_contiguous_range", [("X", "clips")], "y", ("start_axis", 2), ("stop_axis", -2)), [2, 12, 4], (x, i) => x(i[0], i[1] / 4, i[1] % 4, i[2])),
        ["flatten2"] = new(b => b.Add("flatten2", [("X", "clips")], "y", ("axis", 2)), [2, 48], (x, i) => x(i[0], i[1] / 16, i[1] / 4 % 4, i[1] % 4)),
        ["unsqueeze2, squeeze2"] = new(
            b => b.Add("unsqueeze2", [("X", "images")], "a", ("axes", (int[])[1, -1])).Add("squeeze2", [("X", "a")], "y", ("axes", (int[])[1])),
            [2, 3, 4, 4, 1], (x, i) => x(i[0], i[1], i[2], i[3])),
        ["transpose2"] = new(b => b.Add("transpose2", [("X", "clips")], "y", ("axis", (int[])[0, 4, 2, 1, 3])), [4, 3, 2, 4], (x, i) => x(i[2], i[1], i[3], i[0])),
        ["slice with dropped axis"] = new(
            b => b.Add("slice", [("Input", "clips")], "y", ("axes", (int[])[1, 3]), ("starts", (int[])[1, -3]), ("ends", (int[])[2, 100]), ("decrease_axis", (int[])[1])),
            [3, 3, 4], (x, i) => x(1, i[0], 1 + i[1], i[2])),
        ["strided_slice"] = new(
            b => b.Add("strided_slice", [("Input", "clips")], "y", ("axes", (int[])[3, 4]), ("starts", (int[])[1, 0]), ("ends", (int[])[2147483647, 3]), ("strides", (int[])[2, 2])),
            [2, 3, 2, 2], (x, i) => x(i[0], i[1], 1 + (2 * i[2]), 2 * i[3])),
        ["split, concat"] = new(
            b => b.Add("split", [("X", "images")], "a b", ("axis", -1), ("sections", (int[])[1, -1]), ("num", 0)).Add("concat", [("X", "b a")], "y", ("axis", -1)),
            [2, 3, 4, 4], (x, i) => x(i[0], i[1], i[2], (i[3] + 1) % 4)),
        ["split equally"] = new(
            b => b.Add("split", [("X", "images")], "a b", ("axis", 2), ("num", 2)).Add("elementwise_sub", [("X", "a"), ("Y", "b")], "y", ("axis", -1)),
            [2, 3, 2, 4], (x, i) => x(i[0], i[1], i[2], i[3]) - x(i[0], i[1], i[2] + 2, i[3])),
        ["unstack, stack"] = new(
            b => b.Add("unstack", [("X", "clips")], "a b", ("axis", 1), ("num", 2)).Add("stack", [("X", "b a")], "y", ("axis", -1)),
            [3, 4, 4, 2], (x, i) => x(1 - i[3], i[0], i[1], i[2])),
        ["expand_v2"] = new(
            b => b.Add("reduce_max", [("X", "clips")], "m", ("dim", (int[])[1]), ("keep_dim", true)).Add("expand_v2", [("X", "m")], "y", ("shape", (int[])[-1, 3, -1, 4, 4])),
            [3, 3, 4, 4], (x, i) => Math.Max(x(0, i[1], i[2], i[3]), x(1, i[1], i[2], i[3]))),
        ["expand_as_v2"] = new(
            b => b.Add("reduce_max", [("X", "clips")], "m", ("dim", (int[])[1]), ("keep_dim", true)).Add("expand_as_v2", [("X", "m"), ("Y", "clips")], "y"),
            [2, 3, 4, 4], (x, i) => Math.Max(x(0, i[1], i[2], i[3]), x(1, i[1], i[2], i[3]))),
        ["tile"] = new(b => b.Add("tile", [("X", "images")], "y", ("repeat_times", (int[])[1, 2, 1, 1])), [2, 6, 4, 4], (x, i) => x(i[0], i[1] % 3, i[2], i[3])),
        ["pad"] = new(
            b => b.Add("pad", [("X", "images")], "y", ("paddings", (int[])[0, 0, 1, 0, 0, 2, 0, 0]), ("pad_value", 0.5)),
            [2, 4, 6, 4], (x, i) => i[1] < 1 || i[2] > 3 ? 0.5 : x(i[0], i[1] - 1, i[2], i[3])),
        ["pad3d"] = new(
            b => b.Add("pad3d", [("X", "volumes")], "y", ("paddings", (int[])[1, 0, 0, 2, 0, 1]), ("mode", "constant"), ("value", 0.5), ("data_format", "NCDHW")),
            [3, 3, 6, 5], (x, i) => i[1] > 1 || i[2] > 3 || i[3] < 1 ? 0.5 : x(i[1], i[0], i[2], i[3] - 1)),
        ["pad3d channels last"] = new(
            b => b.Add("transpose2", [("X", "clips")], "last", ("axis", (int[])[0, 1, 3, 4, 2]))
                .Add("pad3d", [("X", "last")], "y", ("paddings", (int[])[1, 0, 0, 2, 0, 1]), ("mode", "constant"), ("value", 0.0), ("data_format", "NDHWC")),
            [3, 6, 5, 3], (x, i) => i[0] > 1 || i[1] > 3 || i[2] < 1 ? 0 : x(i[0], i[3], i[1], i[2] - 1)),
        ["roll"] = new(
            b => b.Add("roll", [("X", "images")], "y", ("axis", (long[])[2, 3]), ("shifts", (long[])[-3, 1])),
            [2, 3, 4, 4], (x, i) => x(i[0], i[1], (i[2] + 3) % 4, (i[3] + 3) % 4)),
        ["gather"] = new(b => Indices(b, 2, 0).Add("gather", [("X", "images"), ("Index", "i")], "y", ("axis", 1)), [2, 2, 4, 4], (x, i) => x(i[0], i[1] == 0 ? 2 : 0, i[2], i[3])),
        ["index_select"] = new(b => Indices(b, 2, 0).Add("index_select", [("X", "images"), ("Index", "i")], "y", ("dim", 3)), [2, 3, 4, 2], (x, i) => x(i[0], i[1], i[2], i[3] == 0 ? 2 : 0)),
        ["gather_nd with reshaped indices"] = new(
            b => Indices(b, 2, 0).Parameter("p", Weights[..20], 5, 4).Add("reshape2", [("X", "i")], "column", ("shape", (int[])[2, 1]))
                .Add("gather_nd", [("X", "p"), ("Index", "column")], "rows").Add("slice", [("Input", "images")], "part", ("axes", (int[])[2]), ("starts", (int[])[0]), ("ends", (int[])[2]))
                .Add("elementwise_add", [("X", "part"), ("Y", "rows")], "y", ("axis", -1)),
            [2, 3, 2, 4], (x, i) => x(i[0], i[1], i[2], i[3]) + Weights[((i[2] == 0 ? 2 : 0) * 4) + i[3]]),
        ["sizes of the batch"] = new(
            b => b.Add("shape", [("Input", "images")], "n").Add("slice", [("Input", "n")], "r", ("axes", (int[])[0]), ("starts", (int[])[0]), ("ends", (int[])[1]), ("decrease_axis", (int[])[0]))
                .Add("fill_constant", [], "two", ("dtype", 2), ("value", 2.0), ("shape", (long[])[])).Add("elementwise_floordiv", [("X", "r"), ("Y", "two")], "k", ("axis", -1))
                .Add("fill_constant", [], "c", ("dtype", 2), ("value", 96.0), ("str_value", "96"), ("shape", (long[])[1])).Add("reshape2", [("X", "images"), ("ShapeTensor", "k c")], "y", ("shape", (int[])[-1, 96])),
            [96], (x, i) => Flat(x, i[0])),
        ["first rows of each clip"] = new(
            b => b.Add("shape", [("Input", "clips")], "n").Add("slice", [("Input", "n")], "k", ("axes", (int[])[0]), ("starts", (int[])[0]), ("ends", (int[])[1]), ("decrease_axis", (int[])[0]))
                .Add("scale", [("X", "images")], "zero", ("scale", 0.0), ("bias", 3.0)).Add("slice", [("Input", "zero"), ("EndsTensorList", "k")], "a", ("axes", (int[])[0]), ("starts", (int[])[0]), ("ends", (int[])[-1]))
                .Add("reduce_max", [("X", "clips")], "m", ("dim", (int[])[1]), ("keep_dim", false)).Add("elementwise_add", [("X", "m"), ("Y", "a")], "y", ("axis", -1)),
            [3, 4, 4], (x, i) => Math.Max(x(0, i[0], i[1], i[2]), x(1, i[0], i[1], i[2])) + 3),
        ["a branch that is taken and one that isn't"] = new(
            b =>
            {
                b.Add("shape", [("Input", "clips")], "n").Add("slice", [("Input", "n")], "k", ("axes", (int[])[0]), ("starts", (int[])[0]), ("ends", (int[])[1]), ("decrease_axis", (int[])[0]))
                    .Add("fill_constant", [], "none", ("dtype", 2), ("value", 0.0), ("shape", (long[])[])).Add("greater_than", [("X", "k"), ("Y", "none")], "some", ("axis", -1));
                b.AddTo(b.Block(0), "relu", [("X", "images")], "taken");
                b.AddTo(b.Block(0), "exp", [("X", "images")], "other");
                b.Add("conditional_block", [("Cond", "some")], "taken", ("sub_block", 1)).Add("logical_not", [("X", "some")], "empty")
                    .Add("conditional_block", [("Cond", "empty")], "other", ("sub_block", 2)).Add("cast", [("X", "some")], "choice", ("in_dtype", 0), ("out_dtype", 2))
                    .Add("select_input", [("X", "other taken"), ("Mask", "choice")], "y");
            },
            [2, 3, 4, 4], (x, i) => Math.Max(x(i[0], i[1], i[2], i[3]), 0)),
        ["zeros of millions of elements"] = new(
            b => b.Add("fill_constant", [], "z", ("dtype", 5), ("value", 0.0), ("shape", (long[])[4000, 4000])).Add("reshape2", [("X", "z")], "r", ("shape", (int[])[1, 4000, 4000, 1]))
                .Add("transpose2", [("X", "r")], "t", ("axis", (int[])[0, 2, 1, 3])).Add("fill_any_like", [("X", "t")], "o", ("value", 2.0), ("dtype", 5)).Add("elementwise_mul", [("X", "o"), ("Y", "t")], "p", ("axis", -1))
                .Add("slice", [("Input", "p")], "s", ("axes", (int[])[1, 2]), ("starts", (int[])[0, 0]), ("ends", (int[])[4, 4])).Add("squeeze2", [("X", "s")], "q", ("axes", (int[])[-1]))
                .Add("elementwise_add", [("X", "images"), ("Y", "q")], "y", ("axis", -1)),
            [2, 3, 4, 4], (x, i) => x(i[0], i[1], i[2], i[3])),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Convert_OneOperator_ComputesItsDefinition(string name)
    {
        Case test = Cases[name];
        int count = test.Shape.Aggregate(1, (a, b) => a * b);
        ProgramBuilder builder = ProgramBuilder.WithClips(Frames, Side)
            .Add("reshape2", [("X", "clips")], "images", ("shape", (int[])[-1, Channels, Side, Side]))
            .Add("transpose2", [("X", "clips")], "volumes", ("axis", (int[])[0, 2, 1, 3, 4]));
        test.Build(builder);
        builder.Add("reshape2", [("X", "y")], "logits", ("shape", (int[])[-1, count])).Fetch("logits");
        using var folder = new TemporaryFolder();

        ProgramReport report = ProgramConverter.Convert(builder.Read(folder.Path), new ProgramOptions { Spec = Specs.Of(Frames, Side) }, folder["model.onnx"]);

        const int Clips = 2;
        const int ClipSize = Frames * Channels * Side * Side;
        float[] input = [.. Enumerable.Range(0, Clips * ClipSize).Select(i => (float)(2 * Math.Sin((i * 0.7) + (i * i * 0.01))))];
        float[] found = OnnxFile.Run(report.Path, input, [Clips, Frames, Channels, Side, Side]);
        Assert.Equal(Clips * count, found.Length);
        for (int i = 0; i < found.Length; i++)
        {
            int clip = i / count * ClipSize;
            double X(int t, int c, int h, int w) => input[clip + (((((t * Channels) + c) * Side) + h) * Side) + w];
            double expected = test.Expected(X, Index(i % count, test.Shape));
            Assert.True(Math.Abs(expected - found[i]) <= 2e-5 * (1 + Math.Abs(expected)), $"[{string.Join(", ", Index(i % count, test.Shape))}]: expected {expected}, found {found[i]}");
        }
    }

    private static Case Pointwise(string type, (string, string)[] inputs, Func<double, double> function, params (string, object)[] attributes) =>
        new(b => b.Add(type, inputs, "y", attributes), [2, 3, 4, 4], (x, i) => function(x(i[0], i[1], i[2], i[3])));

    private static Case Pool(string kind, int[] size, int[] strides, int[] paddings, int side, Func<Clip, int[], double> expected, params (string, object)[] more) => new(
        b => b.Add("pool2d", [("X", "images")], "y", [("pooling_type", kind), ("ksize", size), ("strides", strides), ("paddings", paddings), ("data_format", "NCHW"), .. more]),
        [2, 3, side, side], expected);

    private static ProgramBuilder Constant(ProgramBuilder builder, params long[] shape) =>
        builder.Parameter("p", Weights[..(int)shape.Aggregate(1L, (a, b) => a * b)], shape);

    private static ProgramBuilder Indices(ProgramBuilder builder, params double[] values)
    {
        foreach ((double value, int i) in values.Select((value, i) => (value, i)))
        {
            builder.Add("fill_constant", [], $"i{i}", ("dtype", 3), ("value", value), ("shape", (long[])[1]));
        }

        return builder.Add("concat", [("X", string.Join(' ', values.Select((_, i) => $"i{i}")))], "i", ("axis", 0));
    }

    private static ProgramBuilder Statistics(ProgramBuilder builder) => builder
        .Parameter("s", Weights[..3], 3).Parameter("o", Weights[3..6], 3).Parameter("m", Weights[6..9], 3).Parameter("v", [0.5f, 1.5f, 2.5f], 3);

    private static double Normalized(double value, int c) => ((value - Weights[6 + c]) / Math.Sqrt(c + 0.5 + 1e-3) * Weights[c]) + Weights[3 + c];

    private static double Standardized(Clip x, int[] i)
    {
        double mean = Sum(16, k => x(i[0], i[1], k / 4, k % 4)) / 16;
        double variance = Sum(16, k => Math.Pow(x(i[0], i[1], k / 4, k % 4) - mean, 2)) / 16;
        return (x(i[0], i[1], i[2], i[3]) - mean) / Math.Sqrt(variance + 1e-3);
    }

    // Of three channels the first comes from the frame before, the second from the frame after, the third stays.
    private static double Shifted(Clip x, int[] i)
    {
        int from = i[0] + (i[1] == 0 ? -1 : i[1] == 1 ? 1 : 0);
        return from is < 0 or >= Frames ? 0 : x(from, i[1], i[2], i[3]);
    }

    // The cells of a window that lie inside the image.
    private static IEnumerable<double> Window(Clip x, int[] i, int size, int stride, int padding)
    {
        for (int h = (i[2] * stride) - padding; h < (i[2] * stride) - padding + size; h++)
        {
            for (int w = (i[3] * stride) - padding; w < (i[3] * stride) - padding + size; w++)
            {
                if (h is >= 0 and < Side && w is >= 0 and < Side)
                {
                    yield return x(i[0], i[1], h, w);
                }
            }
        }
    }

    private static double At(Clip x, int t, int c, int h, int w) => h is >= 0 and < Side && w is >= 0 and < Side ? x(t, c, h, w) : 0;

    private static double Flat(Clip x, int i) => x(i / 48, i / 16 % 3, i / 4 % 4, i % 4);

    private static double Sum(int count, Func<int, double> term) => Enumerable.Range(0, count).Sum(term);

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    // The series of the error function; exact enough up to 2.
    private static double Erf(double x)
    {
        double term = x;
        double sum = x;
        for (int n = 1; n < 60; n++)
        {
            term *= -x * x / n;
            sum += term / ((2 * n) + 1);
        }

        return 2 / Math.Sqrt(Math.PI) * sum;
    }

    private static int[] Index(int flat, int[] shape)
    {
        var index = new int[shape.Length];
        for (int axis = shape.Length - 1; axis >= 0; axis--)
        {
            index[axis] = flat % shape[axis];
            flat /= shape[axis];
        }

        return index;
    }
}
