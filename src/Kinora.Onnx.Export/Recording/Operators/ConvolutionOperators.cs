using Kinora.Onnx.Export.Graph;
using static Kinora.Onnx.Export.Graph.GraphBuilder;

namespace Kinora.Onnx.Export.Recording;

/// <summary>Convolutions and the normalisation that follows them.</summary>
internal static class ConvolutionOperators
{
    public static Dictionary<string, Operator> Table { get; } = new()
    {
        ["conv1d"] = Convolve,
        ["conv2d"] = Convolve,
        ["conv3d"] = Convolve,
        ["convolution"] = Convolve,
        ["_convolution"] = Convolve,
        ["mkldnn_convolution"] = Convolve,
        ["batch_norm"] = Normalize,
        ["native_batch_norm"] = Normalize,
        ["_batch_norm_impl_index"] = Normalize,
        ["layer_norm"] = NormalizeLayer,
        ["native_layer_norm"] = NormalizeLayer,
    };

    private static Produced[] Convolve(CallReader c)
    {
        if (c.Call.Arguments.Any(a => a is { Name: "transposed", Value: true }))
        {
            throw c.Refuse("transposed convolutions aren't supported");
        }

        Value x = c.Tensor(c.Call.Arguments[0].Name);
        Value weight = c.Tensor("weight");
        Value? bias = c.OptionalTensor("bias");
        int axes = weight.Rank - 2;
        long[] kernel = [.. weight.Shape.Skip(2).Select(size => size.Count)];
        long[] dilation = c.Ints("dilation", axes);
        long[] padding = c.Text("padding") switch
        {
            null => c.Ints("padding", axes),
            "valid" => new long[axes],
            string text => throw c.Refuse($"padding '{text}' isn't supported; give numbers"),
        };
        return
        [
            Apply("Conv", c.OutputShape(), bias is null ? [x, weight] : [x, weight, bias],
                ("kernel_shape", kernel), ("strides", c.Ints("stride", axes)), ("pads", (long[])[.. padding, .. padding]),
                ("dilations", dilation), ("group", c.Int("groups"))),
        ];
    }

    private static Produced[] Normalize(CallReader c)
    {
        if (c.Flag("training"))
        {
            throw c.Refuse("it normalises by the batch's own statistics; export in evaluation mode");
        }

        Value x = c.Tensor("input");
        Value mean = c.Tensor("running_mean");
        Value One(double value) => Constant(new Literal([.. Enumerable.Repeat(value, (int)mean.Shape[0].Count)], mean.Shape[0].Count));
        Value weight = c.OptionalTensor("weight") ?? One(1);
        Value bias = c.OptionalTensor("bias") ?? One(0);
        return [Apply("BatchNormalization", x.Shape, [x, weight, bias, mean, c.Tensor("running_var")], ("epsilon", c.Number("eps")))];
    }

    private static Produced[] NormalizeLayer(CallReader c)
    {
        Value x = c.Tensor("input");
        long[] sizes = c.Ints("normalized_shape");
        Value weight = c.OptionalTensor("weight")
            ?? Constant(new Literal([.. Enumerable.Repeat(1.0, (int)sizes.Aggregate(1L, (a, b) => a * b))], sizes));
        Value? bias = c.OptionalTensor("bias");
        return
        [
            Apply("LayerNormalization", x.Shape, bias is null ? [x, weight] : [x, weight, bias],
                ("axis", (long)-sizes.Length), ("epsilon", c.Number("eps"))),
        ];
    }
}
