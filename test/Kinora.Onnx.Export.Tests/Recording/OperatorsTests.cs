using Kinora.Onnx.Export.Recording;
using Kinora.Tensors;

namespace Kinora.Onnx.Export.Tests.Recording;

/// <summary>Each operator, recorded, written and run, against libtorch's own values.</summary>
public sealed class OperatorsTests
{
    private static readonly long[] Image = [4, 6, 5];

    // Name, shape of one clip, function. The names start with the ATen operator, so that coverage can be counted.
    private static readonly Dictionary<string, (long[] Clip, Func<Tensor, Tensor> Function)> Cases = new()
    {
        ["add tensor"] = (Image, x => x + Captured.Weight("w", 4, 6, 5)),
        ["add alpha"] = (Image, x => x.Add(Captured.Weight("w", 4, 1, 1), 0.3)),
        ["add scalar"] = (Image, x => x + 1.5),
        ["sub tensor"] = (Image, x => x - Captured.Weight("w", 5)),
        ["sub scalar"] = (Image, x => x - 0.25),
        ["rsub"] = (Image, x => 2.5 - x),
        ["mul tensor"] = (Image, x => x * x),
        ["mul scalar"] = (Image, x => x * 0.8),
        ["div tensor"] = (Image, x => x / (Captured.Weight("w", 4, 6, 5) + 3)),
        ["div scalar"] = (Image, x => x / 3),
        ["maximum"] = (Image, x => x.Maximum(Captured.Weight("w", 4, 6, 5))),
        ["minimum"] = (Image, x => x.Minimum(Captured.Weight("w", 4, 6, 5))),
        ["pow 2"] = (Image, x => x.Pow(2)),
        ["pow 3"] = (Image, x => x.Pow(3)),
        ["square"] = (Image, x => x.Square()),
        ["neg"] = (Image, x => -x),
        ["abs"] = (Image, x => x.Abs()),
        ["exp"] = (Image, x => x.Exp()),
        ["log"] = (Image, x => (x + 2).Log()),
        ["sqrt"] = (Image, x => (x + 2).Sqrt()),
        ["rsqrt"] = (Image, x => Torch.Call("rsqrt", x + 2)),
        ["reciprocal"] = (Image, x => (x + 2).Reciprocal()),
        ["sin"] = (Image, x => x.Sin()),
        ["cos"] = (Image, x => x.Cos()),
        ["erf"] = (Image, x => Torch.Call("erf", x)),
        ["floor"] = (Image, x => Torch.Call("floor", x * 3)),
        ["ceil"] = (Image, x => Torch.Call("ceil", x * 3)),
        ["relu"] = (Image, x => x.Relu()),
        ["sigmoid"] = (Image, x => x.Sigmoid()),
        ["tanh"] = (Image, x => x.Tanh()),
        ["relu6"] = (Image, x => Torch.Call("relu6", x * 9)),
        ["hardtanh"] = (Image, x => (x * 9).Relu6()),
        ["clamp"] = (Image, x => x.Clamp(-0.5, 0.25)),
        ["clamp min"] = (Image, x => x.Clamp(min: 0.1)),
        ["clamp max"] = (Image, x => x.Clamp(max: 0.1)),
        ["clamp_min"] = (Image, x => Torch.Call("clamp_min", x, 0.0)),
        ["clamp_max"] = (Image, x => Torch.Call("clamp_max", x, 0.5)),
        ["threshold"] = (Image, x => Torch.Call("threshold", x, 0.0, 0.0)),
        ["leaky_relu"] = (Image, x => x.LeakyRelu(0.1)),
        ["elu"] = (Image, x => Torch.Call("elu", x)),
        ["hardsigmoid"] = (Image, x => (x * 5).Hardsigmoid()),
        ["hardswish"] = (Image, x => (x * 5).Hardswish()),
        ["silu"] = (Image, x => x.Silu()),
        ["gelu"] = (Image, x => (x * 3).Gelu()),

        ["conv2d"] = (Image, x => F.Conv2d(x, Captured.Weight("w", 8, 4, 3, 3), Captured.Weight("b", 8), [2, 1], [1, 2])),
        ["conv2d groups"] = (Image, x => F.Conv2d(x, Captured.Weight("w", 8, 1, 3, 2), groups: 4, dilation: [2, 1])),
        ["conv1d"] = ([4, 9], x => F.Conv1d(x, Captured.Weight("w", 6, 4, 3), Captured.Weight("b", 6), padding: 1)),
        ["conv3d"] = ([2, 5, 6, 7], x => Torch.Call("conv3d", x, Captured.Weight("w", 4, 2, 3, 3, 3), Captured.Weight("b", 4), new long[] { 1, 2, 2 }, new long[] { 1, 1, 1 })),
        ["conv3d depthwise"] = ([4, 5, 6, 7], x => F.Conv3d(x, Captured.Weight("w", 4, 1, 5, 3, 3), null, [1, 2, 2], [2, 0, 0], 4)),
        ["batch_norm after conv3d"] = ([4, 5, 6, 7], x => Normalized(F.Conv3d(x, Captured.Weight("w", 4, 4, 1, 3, 3), null, [1, 2, 2], [0, 1, 1]))),
        ["convolution"] = (Image, x => Torch.Call("convolution", x, Captured.Weight("w", 8, 4, 3, 3), Argument.None, new long[] { 1, 1 }, new long[] { 0, 0 }, new long[] { 1, 1 }, false, new long[] { 0, 0 }, 1)),
        ["batch_norm"] = (Image, x => Normalized(x)),
        ["batch_norm after conv2d"] = (Image, x => Normalized(F.Conv2d(x, Captured.Weight("w", 4, 4, 3, 3)))),
        ["batch_norm without weights"] = (Image, x => F.BatchNorm(x, null, null, Captured.Weight("m", 4), Captured.Weight("v", 4) + 2, false, 0.1, 1e-3)),
        ["native_batch_norm"] = (Image, x => Torch.CallAll("native_batch_norm", x, Captured.Weight("g", 4), Captured.Weight("b", 4), Captured.Weight("m", 4), Captured.Weight("v", 4) + 2, false, 0.1, 1e-5)[0]),
        ["layer_norm"] = (Image, x => F.LayerNorm(x, [5], Captured.Weight("g", 5), Captured.Weight("b", 5), 1e-5)),
        ["layer_norm two axes"] = (Image, x => F.LayerNorm(x, [6, 5], null, null)),
        ["dropout"] = (Image, x => Torch.Call("dropout", x, 0.4, false)),

        ["max_pool2d"] = (Image, x => F.MaxPool2d(x, [3, 3], [2, 2], [1, 1])),
        ["max_pool2d ceil"] = (Image, x => F.MaxPool2d(x, [3, 2], [2, 2], ceilMode: true)),
        ["max_pool2d_with_indices"] = (Image, x => Torch.CallAll("max_pool2d_with_indices", x, new long[] { 2, 2 })[0]),
        ["max_pool3d"] = ([2, 4, 6, 5], x => Torch.Call("max_pool3d", x, new long[] { 1, 3, 3 }, new long[] { 1, 2, 2 }, new long[] { 0, 1, 1 })),
        ["avg_pool2d"] = (Image, x => F.AvgPool2d(x, [2, 2], [2, 2])),
        ["avg_pool2d ceil"] = (Image, x => F.AvgPool2d(x, [2, 2], [2, 2], ceilMode: true)),
        ["avg_pool2d counted padding"] = (Image, x => F.AvgPool2d(x, [3, 3], [2, 2], [1, 1], exclusive: false)),
        ["avg_pool2d exclusive padding"] = (Image, x => F.AvgPool2d(x, [3, 3], [2, 2], [1, 1])),
        ["avg_pool3d"] = ([2, 4, 6, 5], x => Torch.Call("avg_pool3d", x, new long[] { 4, 3, 2 }, new long[] { 1, 1, 1 })),
        ["avg_pool3d exclusive padding"] = ([2, 4, 6, 5], x => F.AvgPool3d(x, [1, 3, 3], [1, 2, 2], [0, 1, 1])),
        ["avg_pool3d counted padding"] = ([2, 4, 6, 5], x => F.AvgPool3d(x, [3, 3, 3], [1, 2, 2], [1, 1, 1], exclusive: false)),
        ["adaptive_avg_pool2d"] = (Image, x => F.AdaptiveAvgPool2d(x)),
        ["adaptive_avg_pool2d 3x5"] = (Image, x => F.AdaptiveAvgPool2d(x, 3, 5)),
        ["adaptive_avg_pool3d"] = ([2, 4, 6, 5], x => Torch.Call("adaptive_avg_pool3d", x, new long[] { 1, 1, 1 })),

        ["mean of all but the batch"] = (Image, x => x.Mean([1, 2, 3])),
        ["mean height and width"] = (Image, x => x.Mean([2, 3])),
        ["mean keep"] = (Image, x => x.Mean([2, 3], keepDim: true)),
        ["mean channels"] = (Image, x => x.Mean([1])),
        ["sum"] = (Image, x => x.Sum([-1])),
        ["amax"] = (Image, x => x.Max([2], keepDim: true)),
        ["softmax"] = (Image, x => x.Softmax(1)),
        ["log_softmax"] = (Image, x => x.LogSoftmax(-1)),
        ["logsumexp"] = (Image, x => (x * 60).LogSumExp(2)),

        ["linear"] = ([7], x => F.Linear(x, Captured.Weight("w", 5, 7), Captured.Weight("b", 5))),
        ["linear without bias"] = ([7], x => F.Linear(x, Captured.Weight("w", 5, 7))),
        ["linear three axes"] = ([3, 7], x => F.Linear(x, Captured.Weight("w", 5, 7), Captured.Weight("b", 5))),
        ["addmm"] = ([7], x => Torch.Call("addmm", Captured.Weight("b", 5), x, Captured.Weight("w", 7, 5))),
        ["mm"] = ([7], x => Torch.Call("mm", x, Captured.Weight("w", 7, 5))),
        ["matmul"] = ([3, 4, 6], x => x.MatMul(x.Transpose(-1, -2))),
        ["bmm"] = ([4, 6], x => Torch.Call("bmm", x, x.Transpose(1, 2))),
        ["baddbmm"] = ([4, 6], x => Torch.Call("baddbmm", Captured.Weight("b", 1, 4, 4), x, x.Transpose(1, 2))),

        ["view"] = (Image, x => Torch.Call("view", x, new long[] { -1, 24, 5 })),
        ["view of a size"] = (Image, x => Torch.Call("view", x, new[] { x.Shape[0] * 4, 30L })),
        ["reshape"] = (Image, x => x.Reshape(x.Shape[0], 2, 2, 30)),
        ["reshape batch in the middle"] = ([6], x => x.Reshape(2, -1, 3)),
        ["flatten"] = (Image, x => x.Flatten(1)),
        ["flatten batch"] = (Image, x => x.Flatten(0, 1)),
        ["unsqueeze"] = (Image, x => x.Unsqueeze(-1)),
        ["squeeze"] = ([4, 1, 5], x => x.Squeeze(2)),
        ["permute"] = (Image, x => x.Permute(0, 2, 3, 1)),
        ["permute batch"] = (Image, x => x.Permute(1, 0, 3, 2).Permute(1, 2, 3, 0)),
        ["transpose"] = (Image, x => x.Transpose(1, -1)),
        ["t"] = ([7], x => Torch.Call("t", Torch.Call("t", x * 2))),
        ["slice"] = (Image, x => x.Slice(1, 1, 3)),
        ["slice step"] = (Image, x => x.Slice(2, 1, 6, 2)),
        ["slice negative"] = (Image, x => x.Slice(2, -3, -1)),
        ["slice one frame of each clip"] = ([8, 3], x => x.Reshape(-1, 3).Slice(0, 0, long.MaxValue, 8)),
        ["narrow"] = (Image, x => Torch.Call("narrow", x, 1, 1, 2)),
        ["select"] = (Image, x => x.Select(2, -2)),
        ["select last"] = (Image, x => x.Select(3, -1)),
        ["split_with_sizes"] = (Image, x => Tensor.Concat(x.Split([1, 2, 1], 1).Reverse(), 1)),
        ["split"] = (Image, x => Torch.CallAll("split.Tensor", x, 2, 2)[2]),
        ["chunk"] = (Image, x => Torch.CallAll("chunk", x, 3, 3)[1]),
        ["unbind"] = (Image, x => Torch.CallAll("unbind.int", x, 1)[2]),
        ["expand"] = ([4, 1, 5], x => x.Expand(x.Shape[0], 4, 3, 5)),
        ["expand batch"] = (Image, x => Captured.Weight("w", 1, 4, 1, 1).Expand(x.Shape[0], 4, 6, 5) + x),
        ["cat"] = (Image, x => Tensor.Concat([x, x * 2], 1)),
        ["cat batch"] = (Image, x => Tensor.Concat([x, x * 2], 0)),
        ["stack"] = (Image, x => Tensor.Stack([x, -x], 2)),
        ["constant_pad_nd"] = (Image, x => x.Pad([1, 2, 0, 3])),
        ["constant_pad_nd cutting"] = (Image, x => x.Pad([-1, 1])),
        ["constant_pad_nd value"] = (Image, x => x.Pad([1, 1], 3.5)),
        ["roll"] = (Image, x => x.Roll(2, 2)),
        ["roll back"] = (Image, x => x.Roll(-1, 3)),
        ["flip"] = (Image, x => x.Flip(1, 3)),
        ["index_select"] = (Image, x => x.IndexSelect(1, Tensor.From<long>([3, 0, 0]))),
        ["repeat"] = (Image, x => Torch.Call("repeat", x, new long[] { 1, 2, 1, 3 })),
        ["contiguous"] = (Image, x => x.Permute(0, 2, 3, 1).Contiguous() * 2),
        ["clone"] = (Image, x => x.Clone()),
        ["detach"] = (Image, x => x.Detach()),
        ["to"] = (Image, x => x.To(DType.Float32)),
        ["zeros"] = (Image, x => Tensor.Concat([x, Tensor.Zeros([x.Shape[0], 2, 6, 5])], 1)),
        ["ones"] = (Image, x => Tensor.Concat([x, Tensor.Ones([x.Shape[0], 2, 6, 5])], 1)),
        ["full"] = (Image, x => x + Tensor.Full([6, 5], 0.25)),
        ["new_zeros"] = (Image, x => Tensor.Concat([Torch.Call("new_zeros", x, new[] { x.Shape[0], 1L, 6L, 5L }), x], 1)),
        ["zeros_like"] = (Image, x => Tensor.Concat([Torch.Call("zeros_like", x), x], 1)),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Import_EachOperator_GivesLibtorchsValues(string name)
    {
        (long[] clip, Func<Tensor, Tensor> function) = Cases[name];
        Captured.AssertSame(x => function(x) * 1.25, clip);
    }

    [Theory]
    [InlineData(17)]
    [InlineData(18)]
    [InlineData(19)]
    [InlineData(20)]
    [InlineData(21)]
    public void Import_EveryOpset_GivesLibtorchsValues(int opset)
    {
        Captured.AssertSame(
            x => F.LayerNorm(F.AvgPool2d(x.Pad([1, 1]).Mean([1], keepDim: true), [2, 2], [2, 2], ceilMode: true).Sum([1]).Gelu(), [4], null, null).Hardswish().Max([1]),
            Image,
            opset);
    }

    [Fact]
    public void Names_Table_IsCoveredByCases()
    {
        // Aliases of operators that have a case of their own, and forms that only other libtorch versions deliver.
        string[] aliases =
        [
            "_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "_batch_norm_impl_index", "_convolution", "_log_softmax", "_reshape_alias", "_softmax",
            "_to_copy", "_unsafe_view", "adaptive_avg_pool1d", "alias", "amin", "avg_pool1d", "clip", "concat", "copy", "divide", "empty", "empty_like",
            "expand_as", "feature_dropout", "fill", "full_like", "max_pool1d", "max_pool3d_with_indices", "mkldnn_convolution", "mkldnn_max_pool2d", "multiply",
            "native_layer_norm", "new_empty", "new_full", "new_ones", "ones_like", "pad", "reshape_as", "subtract", "swapaxes", "true_divide",
            "unflatten", "view_as", "zero",
        ];
        string[] covered = [.. Cases.Keys.Select(name => name.Split(' ')[0]).Distinct()];
        Assert.Empty(Operators.Names.Except(covered).Except(aliases));
    }

    private static Tensor Normalized(Tensor x) =>
        F.BatchNorm(x, Captured.Weight("g", 4), Captured.Weight("b", 4), Captured.Weight("m", 4), Captured.Weight("v", 4) + 2, false, 0.1, 1e-5);
}
