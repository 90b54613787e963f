using Kinora.Onnx.Export.Graph;
using static Kinora.Onnx.Export.Graph.GraphBuilder;

namespace Kinora.Paddle.Programs;

/// <summary>Convolutions, normalisations and the temporal shift.</summary>
internal static class ConvolutionTranslations
{
    public static Dictionary<string, Translation> Table { get; } = new()
    {
        ["conv2d"] = c => Convolve(c, 2),
        ["depthwise_conv2d"] = c => Convolve(c, 2),
        ["conv3d"] = c => Convolve(c, 3),
        ["batch_norm"] = Normalize,
        ["sync_batch_norm"] = Normalize,
        ["layer_norm"] = NormalizeLayer,
        ["temporal_shift"] = Shift,
    };

    /// <summary>Runs a translation on channels-first data, whatever order the operator has.</summary>
    public static Value ChannelsFirst(Value x, string format, Func<Value, Value> translate)
    {
        if (!format.EndsWith('C'))
        {
            return translate(x);
        }

        long last = x.Rank - 1;
        Value result = translate(Transpose(x, [0, last, .. Enumerable.Range(1, x.Rank - 2).Select(i => (long)i)]));
        return Transpose(result, [0, .. Enumerable.Range(2, result.Rank - 2).Select(i => (long)i), 1]);
    }

    private static Symbol[] Convolve(OperatorCall c, int axes)
    {
        Value weight = c.Tensor("Filter");
        if (weight.Rank != axes + 2)
        {
            throw c.Refuse($"expected a kernel with {axes + 2} axes, found {Shapes.Text(weight.Shape)}");
        }

        Value result = ChannelsFirst(Image(c, "Input", axes), c.Text("data_format", "NCHW"), x =>
        {
            Windows windows = Windows.Read(c, x, [.. weight.Shape.Skip(2).Select(size => size.Count)], dilated: true);
            long groups = c.Int("groups", 1);
            if (groups < 1 || x.Shape[1] != weight.Shape[1].Count * groups || weight.Shape[0].Count % groups != 0)
            {
                throw c.Refuse($"expected {weight.Shape[1]} channels in each of {groups} groups as the kernel {Shapes.Text(weight.Shape)} has, found {Shapes.Text(x.Shape)}");
            }

            Value? bias = c.OptionalTensor("Bias");
            return Apply("Conv", [x.Shape[0], weight.Shape[0], .. windows.Count(c, x)], bias is null ? [x, weight] : [x, weight, bias],
                ("kernel_shape", windows.Kernel), ("strides", windows.Stride), ("pads", windows.Pads), ("dilations", windows.Dilation), ("group", groups));
        });
        return [new TensorSymbol(result)];
    }

    private static Symbol[] Normalize(OperatorCall c)
    {
        if (!c.Flag("is_test", false) && !c.Flag("use_global_stats", false))
        {
            throw c.Refuse("it normalises by the batch's own statistics; export the network in evaluation mode");
        }

        Value x = c.Tensor("X");
        Value[] statistics = [c.Tensor("Scale"), c.Tensor("Bias"), c.Tensor("Mean"), c.Tensor("Variance")];
        if (x.Rank < 2)
        {
            throw c.Refuse($"expected channels, found {Shapes.Text(x.Shape)}");
        }

        Value result = ChannelsFirst(x, c.Text("data_layout", "NCHW"), image => statistics.All(s => Shapes.Same(s.Shape, [image.Shape[1]]))
            ? Apply("BatchNormalization", image.Shape, [image, .. statistics], ("epsilon", c.Number("epsilon", 1e-5)))
            : throw c.Refuse($"expected statistics of {image.Shape[1]} channels, found {string.Join(", ", statistics.Select(s => Shapes.Text(s.Shape)))}"));
        return [new TensorSymbol(result)];
    }

    private static Symbol[] NormalizeLayer(OperatorCall c)
    {
        Value x = c.Tensor("X");
        int axis = (int)c.Int("begin_norm_axis", 1);
        if (axis < 1 || axis >= x.Rank || x.Shape.Skip(axis).Any(size => size.PerClip))
        {
            throw c.Refuse($"attribute 'begin_norm_axis': expected an axis behind the batch of {Shapes.Text(x.Shape)}, found {axis}");
        }

        // The parameters are stored flat, over all normalised axes.
        Dimension[] normalized = [.. x.Shape.Skip(axis)];
        Value Parameter(string name, double missing) => c.OptionalTensor(name) is { } value
            ? c.Build.Reshape(value, normalized)
            : Uniform.Of(c.Build, missing, normalized);
        return
        [
            new TensorSymbol(Apply("LayerNormalization", x.Shape, [x, Parameter("Scale", 1), Parameter("Bias", 0)],
                ("axis", (long)(axis - x.Rank)), ("epsilon", c.Number("epsilon", 1e-5)))),
        ];
    }

    // The first fold of the channels comes from the frame before, the second from the frame after. Written plainly: the
    // simplifier knows shifts by what they do and writes them all alike.
    private static Symbol[] Shift(OperatorCall c)
    {
        Value result = ChannelsFirst(Image(c, "X", 2), c.Text("data_format", "NCHW"), x =>
        {
            long frames = c.Int("seg_num");
            float ratio = (float)c.Number("shift_ratio", 0.25);
            Dimension images = x.Shape[0];
            long channels = x.Shape[1].Count;
            if (frames < 1 || !images.PerClip || images.Count % frames != 0)
            {
                throw c.Refuse($"expected a multiple of {frames} images a clip, found {Shapes.Text(x.Shape)}");
            }

            if (!(ratio > 0 && ratio <= 0.5f) || x.Shape.Skip(1).Any(size => size.PerClip))
            {
                throw c.Refuse($"attribute 'shift_ratio': expected a part of the channels above 0 and up to a half, found {ratio}");
            }

            // In single precision, as the operator itself computes where the folds end.
            long first = (long)(channels * ratio);
            long second = (long)(channels * 2 * ratio);
            Value clips = c.Build.Reshape(x, images with { Count = images.Count / frames }, frames, channels, x.Shape[2], x.Shape[3]);
            Value fromBefore = Pad(Slice(Slice(clips, 2, 0, first), 1, 0, frames - 1), [0, 1, 0, 0, 0], [0, 0, 0, 0, 0]);
            Value fromAfter = Pad(Slice(Slice(clips, 2, first, second), 1, 1, frames), [0, 0, 0, 0, 0], [0, 1, 0, 0, 0]);
            Value[] folds = [fromBefore, fromAfter, Slice(clips, 2, second, channels)];
            return c.Build.Reshape(Concat(2, [.. folds.Where(fold => fold.Shape[2].Count > 0)]), x.Shape);
        });
        return [new TensorSymbol(result)];
    }

    private static Value Image(OperatorCall c, string parameter, int axes)
    {
        Value x = c.Tensor(parameter);
        return x.Rank == axes + 2 ? x : throw c.Refuse($"expected {axes + 2} axes, found {Shapes.Text(x.Shape)}");
    }
}
