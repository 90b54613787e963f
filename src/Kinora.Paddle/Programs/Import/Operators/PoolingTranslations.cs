using Kinora.Onnx.Export.Graph;
using static Kinora.Onnx.Export.Graph.GraphBuilder;

namespace Kinora.Paddle.Programs;

/// <summary>Means and maxima over windows.</summary>
internal static class PoolingTranslations
{
    public static Dictionary<string, Translation> Table { get; } = new()
    {
        ["pool2d"] = c => Pool(c, 2),
        ["pool3d"] = c => Pool(c, 3),
    };

    private static Symbol[] Pool(OperatorCall c, int axes)
    {
        Value input = c.Tensor("X");
        bool maximum = c.Text("pooling_type") switch
        {
            "max" => true,
            "avg" => false,
            var other => throw c.Refuse($"attribute 'pooling_type': expected max or avg, found '{other}'"),
        };
        if (input.Rank != axes + 2)
        {
            throw c.Refuse($"expected {axes + 2} axes, found {Shapes.Text(input.Shape)}");
        }

        return [new TensorSymbol(ConvolutionTranslations.ChannelsFirst(input, c.Text("data_format", "NCHW"), x =>
        {
            long[] size = Windows.Positive(c, "ksize", c.Ints("ksize"), axes);
            return c.Flag("global_pooling", false) ? Global(x, maximum)
                : c.Flag("adaptive", false) ? Adaptive(c, x, size, maximum)
                : Windowed(c, x, size, maximum);
        }))];
    }

    private static Value Global(Value x, bool maximum) =>
        Apply(maximum ? "GlobalMaxPool" : "GlobalAveragePool", [x.Shape[0], x.Shape[1], .. x.Shape.Skip(2).Select(_ => new Dimension(1))], [x]);

    // The size is that of the result here.
    private static Value Adaptive(OperatorCall c, Value x, long[] target, bool maximum)
    {
        if (target.All(size => size == 1))
        {
            return Global(x, maximum);
        }

        Dimension[] sizes = [.. x.Shape.Skip(2)];
        if (sizes.Zip(target).Any(pair => pair.First.PerClip || pair.First.Count % pair.Second != 0))
        {
            throw c.Refuse($"expected target sizes that divide {Shapes.Text(x.Shape)}, found [{string.Join(", ", target)}]");
        }

        long[] kernel = [.. sizes.Zip(target, (size, to) => size.Count / to)];
        long[] none = new long[target.Length];
        return Write(x, new Windows(kernel, kernel, none, none, none), [.. target.Select(size => new Dimension(size))], maximum, countsPadding: false);
    }

    private static Value Windowed(OperatorCall c, Value x, long[] kernel, bool maximum)
    {
        Windows windows = Windows.Read(c, x, kernel, dilated: false);
        Dimension[] counts = windows.Count(c, x, c.Flag("ceil_mode", false));
        return kernel.All(size => size == 1) && windows.Stride.All(step => step == 1) && windows.Pads.All(n => n == 0)
            ? x
            : Write(x, windows.Padded(x, counts), counts, maximum, !c.Flag("exclusive", true));
    }

    private static Value Write(Value x, Windows windows, Dimension[] counts, bool maximum, bool countsPadding)
    {
        Dimension[] shape = [x.Shape[0], x.Shape[1], .. counts];
        (string, object)[] attributes = [("kernel_shape", windows.Kernel), ("strides", windows.Stride), ("pads", windows.Pads)];
        return maximum ? Apply("MaxPool", shape, [x], attributes)
            : countsPadding && windows.Pads.Any(n => n > 0) ? Apply("AveragePool", shape, [x], [.. attributes, ("count_include_pad", 1L)])
            : Apply("AveragePool", shape, [x], attributes);
    }
}
