using Kinora.Onnx.Export.Graph;
using static Kinora.Onnx.Export.Graph.GraphBuilder;

namespace Kinora.Onnx.Export.Recording;

/// <summary>Windows over the last axes. Ceil mode becomes explicit padding at the end, which every runtime reads alike.</summary>
internal static class PoolingOperators
{
    public static Dictionary<string, Operator> Table { get; } = new()
    {
        ["max_pool1d"] = c => MaxPool(c, 1),
        ["max_pool2d"] = c => MaxPool(c, 2),
        ["max_pool2d_with_indices"] = c => MaxPool(c, 2),
        ["mkldnn_max_pool2d"] = c => MaxPool(c, 2),
        ["max_pool3d"] = c => MaxPool(c, 3),
        ["max_pool3d_with_indices"] = c => MaxPool(c, 3),
        ["avg_pool1d"] = c => AveragePool(c, 1),
        ["avg_pool2d"] = c => AveragePool(c, 2),
        ["avg_pool3d"] = c => AveragePool(c, 3),
        ["adaptive_avg_pool1d"] = c => AdaptiveAveragePool(c, 1),
        ["adaptive_avg_pool2d"] = c => AdaptiveAveragePool(c, 2),
        ["_adaptive_avg_pool2d"] = c => AdaptiveAveragePool(c, 2),
        ["adaptive_avg_pool3d"] = c => AdaptiveAveragePool(c, 3),
        ["_adaptive_avg_pool3d"] = c => AdaptiveAveragePool(c, 3),
    };

    private static Produced[] MaxPool(CallReader c, int axes)
    {
        long[] kernel = c.Ints("kernel_size", axes);
        long[] stride = c.Ints("stride", axes, whenEmpty: kernel);
        long[] padding = c.Ints("padding", axes);
        long[] dilation = c.Ints("dilation", axes);
        Value x = Batched(c, axes);
        long[] extra = Extra(x, c.OutputShape(), kernel, stride, padding, dilation);
        return Pool(c, "MaxPool", x, kernel, stride, padding, extra, dilation.Any(d => d != 1) ? [("dilations", dilation)] : []);
    }

    private static Produced[] AveragePool(CallReader c, int axes)
    {
        long[] kernel = c.Ints("kernel_size", axes);
        long[] stride = c.Ints("stride", axes, whenEmpty: kernel);
        long[] padding = c.Ints("padding", axes);
        if (c.Call.Arguments.Any(a => a is { Name: "divisor_override", Value: not null }))
        {
            throw c.Refuse("divisor_override isn't supported");
        }

        Value x = Batched(c, axes);
        long[] extra = Extra(x, c.OutputShape(), kernel, stride, padding, [.. kernel.Select(_ => 1L)]);
        bool countsPadding = c.Flag("count_include_pad") && padding.Any(p => p > 0);
        if (countsPadding && extra.Any(e => e > 0))
        {
            throw c.Refuse("ceil_mode together with counted padding isn't supported; set count_include_pad to false");
        }

        return Pool(c, "AveragePool", x, kernel, stride, padding, extra, countsPadding ? [("count_include_pad", 1L)] : []);
    }

    private static Produced[] AdaptiveAveragePool(CallReader c, int axes)
    {
        Value x = Batched(c, axes);
        long[] target = c.Ints("output_size", axes);
        if (target.All(size => size == 1))
        {
            return [Apply("GlobalAveragePool", c.OutputShape(), [x])];
        }

        long[] sizes = [.. x.Shape.Skip(2).Select(size => size.Count)];
        if (sizes.Zip(target).Any(pair => pair.First % pair.Second != 0))
        {
            throw c.Refuse($"expected target sizes that divide {Shapes.Text(x.Shape)}, found [{string.Join(", ", target)}]");
        }

        long[] kernel = [.. sizes.Zip(target, (size, to) => size / to)];
        return sizes.SequenceEqual(target) ? [x] : Pool(c, "AveragePool", x, kernel, kernel, new long[axes], new long[axes], []);
    }

    private static Produced[] Pool(
        CallReader c, string op, Value x, long[] kernel, long[] stride, long[] padding, long[] extra, ReadOnlySpan<(string Name, object Value)> more)
    {
        return
        [
            Apply(op, c.OutputShape(), [x],
            [
                ("kernel_shape", kernel), ("strides", stride),
                ("pads", (long[])[.. padding, .. padding.Zip(extra, (p, e) => p + e)]), .. more,
            ]),
        ];
    }

    private static Value Batched(CallReader c, int axes)
    {
        Value x = c.Tensor(c.Call.Arguments[0].Name);
        return x.Rank == axes + 2 ? x : throw c.Refuse($"expected {axes + 2} axes, found {Shapes.Text(x.Shape)}");
    }

    // Cells beyond the end that the last window needs: libtorch's result is as large as its ceil mode says.
    private static long[] Extra(Value x, Dimension[] result, long[] kernel, long[] stride, long[] padding, long[] dilation)
    {
        var extra = new long[kernel.Length];
        for (int i = 0; i < kernel.Length; i++)
        {
            long needed = ((result[i + 2].Count - 1) * stride[i]) + (dilation[i] * (kernel[i] - 1)) + 1;
            extra[i] = Math.Max(0, needed - (x.Shape[i + 2].Count + (2 * padding[i])));
        }

        return extra;
    }
}
