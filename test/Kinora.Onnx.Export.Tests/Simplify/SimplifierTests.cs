using Kinora.Onnx.Export.Format;
using Kinora.Tensors;

namespace Kinora.Onnx.Export.Tests.Simplify;

public sealed class SimplifierTests
{
    private static readonly long[] Image = [4, 6, 5];

    [Fact]
    public void Run_BatchNormAfterConvolution_GoesIntoItsWeights()
    {
        ModelProto model = Captured.AssertSame(x => Norm(Conv(x, "w", 8, 3)).Relu(), Image);
        Assert.Equal(["Conv", "Relu"], Captured.Operators(model));
    }

    [Fact]
    public void Run_BatchNormAndFactorAfterVolumeConvolution_GoIntoItsWeights()
    {
        // A factor of one element, as ReZero branches have, between the norm and the sum.
        ModelProto model = Captured.AssertSame(
            x => x + (Norm(F.Conv3d(x, Captured.Weight("w", 4, 1, 3, 3, 3), null, [1, 1, 1], [1, 1, 1], 4), 4) * Captured.Weight("a", 1)), [4, 3, 6, 5]);
        Assert.Equal(["Conv", "Add"], Captured.Operators(model));
    }

    [Fact]
    public void Run_PaddlesHardSigmoid_GoesIntoTheConvolutionAndBounds()
    {
        ModelProto model = Captured.AssertSame(x => F.HardSigmoid(Conv(x, "w", 8, 1), 0.2), Image);
        Assert.Equal(["Conv", "Clip"], Captured.Operators(model));
    }

    [Fact]
    public void Run_DropoutFactorAfterHardSwish_GoesIntoTheLayerBelow()
    {
        ModelProto model = Captured.AssertSame(
            x => F.Linear((Conv(x, "w", 8, 1).Hardswish() * 0.8).Mean([2, 3]), Captured.Weight("v", 5, 8), Captured.Weight("b", 5)), Image);
        Assert.Equal(["Conv", "HardSwish", "GlobalAveragePool", "Reshape", "Gemm"], Captured.Operators(model));
    }

    [Fact]
    public void Run_MeanOverAVolume_BecomesGlobalAveragePool()
    {
        ModelProto model = Captured.AssertSame(
            x => F.Conv3d(x.Relu().Mean([2, 3, 4], keepDim: true), Captured.Weight("w", 5, 4, 1, 1, 1), null, [1, 1, 1], [0, 0, 0]), [4, 3, 6, 5]);
        Assert.Equal(["Relu", "GlobalAveragePool", "Conv"], Captured.Operators(model));
    }

    [Fact]
    public void Run_BatchNormWithSeveralReaders_KeepsBoth()
    {
        // The convolution's own result is read too, so its weights must stay.
        ModelProto model = Captured.AssertSame(
            x =>
            {
                Tensor y = Conv(x, "w", 8, 3);
                return Tensor.Concat([y, Norm(y)], 1);
            },
            Image);
        Assert.DoesNotContain("BatchNormalization", Captured.Operators(model));
        Assert.Single(Captured.Operators(model), "Conv");
    }

    [Fact]
    public void Run_BatchNormAlone_BecomesMultiplyAndAdd()
    {
        ModelProto model = Captured.AssertSame(x => Norm(x, 4), Image);
        Assert.Equal(["Mul", "Add"], Captured.Operators(model));
    }

    [Theory]
    [InlineData(19, new[] { "Div", "Erf", "Add", "Mul", "Gemm" })]
    [InlineData(20, new[] { "Gelu", "Gemm" })]
    public void Run_Gelu_IsOneOperatorWhereTheSetHasIt(int opset, string[] operators)
    {
        ModelProto model = Captured.AssertSame(x => F.Linear((x + 0.25).Gelu(), Captured.Weight("w", 5, 7)), [7], opset);
        Assert.Equal(operators, Captured.Operators(model).Skip(1));
    }

    [Fact]
    public void Run_ErfOfAnotherOperand_IsNoGelu()
    {
        ModelProto model = Captured.AssertSame(x => x * (Torch.Call("erf", x.Relu() / Math.Sqrt(2)) + 1) * 0.5, [7], opset: 20);
        Assert.DoesNotContain("Gelu", Captured.Operators(model));
    }

    [Fact]
    public void Run_TableReadByComputedIndices_StaysATable()
    {
        // Each pair of 100 tokens reads one of 199 rows: the table and 200 numbers travel, not 10,000 values or indices.
        Tensor table = Captured.Weight("table", 199, 2);
        ModelProto model = Captured.AssertSame(
            x =>
            {
                Tensor to = Tensor.From<long>([.. Enumerable.Range(99, 100).Select(i => (long)i)], [100, 1]);
                Tensor from = Tensor.From<long>([.. Enumerable.Range(0, 100).Select(i => (long)i)], [1, 100]);
                return x.Unsqueeze(1) + table.Transpose(0, 1).IndexSelect(1, (to - from).Flatten()).Reshape(2, 100, 100);
            },
            [100, 100],
            parameters: ("table", table));
        Assert.Contains("Gather", Captured.Operators(model));
        Assert.InRange(model.Graph.Initializer.Sum(i => i.RawData.Length), 1, (4 * 398) + (8 * 230));
    }

    [Fact]
    public void Run_TableReadByFewIndices_IsReadAtOnce()
    {
        Tensor table = Captured.Weight("table", 3, 6, 2);
        ModelProto model = Captured.AssertSame(x => x + table.IndexSelect(1, Tensor.From<long>([5, 0, 3, 3])), [3, 4, 2]);
        Assert.Equal(["Add"], Captured.Operators(model));
    }

    [Fact]
    public void Run_ScaleAndOffsetAfterLinear_GoIntoItsWeights()
    {
        ModelProto model = Captured.AssertSame(x => 1 - ((F.Linear(x, Captured.Weight("w", 5, 7)) * Captured.Weight("s", 5)) + Captured.Weight("b", 5)), [7]);
        Assert.Equal(["Gemm"], Captured.Operators(model));
    }

    [Fact]
    public void Run_ParallelConvolutions_BecomeOne()
    {
        ModelProto model = Captured.AssertSame(
            x => (Norm(Conv(x, "a", 4, 5, groups: 4), 4, "a") + Norm(Conv(x, "b", 4, 3, groups: 4), 4, "b") + Norm(Conv(x, "c", 4, 1, groups: 4), 4, "c")).Relu(),
            Image);
        Assert.Equal(["Conv", "Relu"], Captured.Operators(model));
        Assert.Equal([4, 1, 5, 5], model.Graph.Initializer.Single(i => i.Dims.Count == 4).Dims);
    }

    [Theory]
    [InlineData(1, 3, 2)]
    [InlineData(3, 1, 1)]
    public void Run_ParallelConvolutionsInEitherOrder_BecomeOne(int first, int second, int stride)
    {
        ModelProto model = Captured.AssertSame(x => Conv(x, "a", 8, first, stride) + Conv(x, "b", 8, second, stride), Image);
        Assert.Single(Captured.Operators(model));
    }

    [Fact]
    public void Run_ConvolutionsOfDifferentInputs_Stay()
    {
        ModelProto model = Captured.AssertSame(x => Conv(x, "a", 8, 3) + Conv(x.Relu(), "b", 8, 3), Image);
        Assert.Equal(2, Captured.Operators(model).Count(op => op == "Conv"));
    }

    [Fact]
    public void Run_DropoutFactor_GoesIntoTheLayerAbove()
    {
        ModelProto model = Captured.AssertSame(x => (Conv(x, "w", 8, 1).Relu() * 0.8).Reshape(-1, 2, 4, 30).Mean([1]), Image);
        Assert.DoesNotContain("Mul", Captured.Operators(model));
    }

    [Fact]
    public void Run_DropoutFactorAfterSigmoid_GoesIntoTheLayerBelow()
    {
        ModelProto model = Captured.AssertSame(x => F.Linear((x.Sigmoid() * 0.8).Mean([2, 3]), Captured.Weight("w", 5, 4), Captured.Weight("b", 5)), Image);
        Assert.DoesNotContain("Mul", Captured.Operators(model));
    }

    [Fact]
    public void Run_NegativeFactorAfterRelu_StaysBehindIt()
    {
        ModelProto model = Captured.AssertSame(x => Conv(x, "w", 8, 1).Relu() * -0.5, Image);
        Assert.Contains("Mul", Captured.Operators(model));
    }

    [Fact]
    public void Run_AsymmetricPadding_BecomesTheConvolutionsOwn()
    {
        ModelProto model = Captured.AssertSame(x => F.Conv2d(x.Pad([0, 1, 1, 2]), Captured.Weight("w", 8, 4, 3, 3), stride: [2, 2]), Image);
        NodeProto conv = Assert.Single(model.Graph.Node);
        Assert.Equal([1, 0, 2, 1], conv.Attribute.Single(a => a.Name == "pads").Ints);
    }

    [Fact]
    public void Run_PaddingOfOneValue_Stays()
    {
        ModelProto model = Captured.AssertSame(x => F.Conv2d(x.Pad([1, 1], 2), Captured.Weight("w", 8, 4, 3, 3)), Image);
        Assert.Equal(["Pad", "Conv"], Captured.Operators(model));
    }

    [Fact]
    public void Run_MeanOverHeightAndWidth_BecomesGlobalAveragePool()
    {
        ModelProto model = Captured.AssertSame(x => F.Linear(x.Relu().Mean([2, 3]), Captured.Weight("w", 5, 4)), Image);
        Assert.Equal(["Relu", "GlobalAveragePool", "Reshape", "Gemm"], Captured.Operators(model));
    }

    [Fact]
    public void Run_ChainOfReshapesAndTransposes_Vanishes()
    {
        ModelProto model = Captured.AssertSame(
            x => (x * 2).Reshape(-1, 24, 5).Reshape(-1, 4, 6, 5).Permute(0, 2, 3, 1).Permute(0, 3, 1, 2).Contiguous().Clone().Relu(), Image);
        Assert.Equal(["Mul", "Relu"], Captured.Operators(model));
    }

    [Fact]
    public void Run_EqualConstantsAndComputations_AreStoredOnce()
    {
        ModelProto model = Captured.AssertSame(
            x => Tensor.Concat([F.Conv2d(x, Captured.Weight("w", 8, 4, 1, 1)).Relu(), F.Conv2d(x, Captured.Weight("w", 8, 4, 1, 1)).Sigmoid()], 1), Image);
        Assert.Equal(["Concat", "Conv", "Relu", "Sigmoid"], Captured.Operators(model).Order(StringComparer.Ordinal));
        Assert.Single(model.Graph.Initializer, tensor => tensor.Dims.Count == 4);
    }

    [Fact]
    public void Run_Relu6_IsClipWithStoredBounds()
    {
        ModelProto model = Captured.AssertSame(x => (Conv(x, "w", 8, 3) * 4).Relu6(), Image);
        Assert.Equal(["Conv", "Clip"], Captured.Operators(model));
        Assert.Equal(3, model.Graph.Node[1].Input.Count);
    }

    [Fact]
    public void Run_WhatDependsOnParametersAlone_IsComputed()
    {
        ModelProto model = Captured.AssertSame(
            x => x * ((Captured.Weight("w", 4, 1, 1).Exp() + 1).Sqrt() / Captured.Weight("v", 1, 1, 4).Permute(2, 0, 1).Sigmoid()), Image);
        Assert.Equal(["Mul"], Captured.Operators(model));
    }

    private static Tensor Conv(Tensor x, string name, long outputs, long kernel, long stride = 1, long groups = 1) =>
        F.Conv2d(x, Captured.Weight(name, outputs, x.Shape[1] / groups, kernel, kernel), Captured.Weight(name + "b", outputs), [stride, stride], [kernel / 2, kernel / 2], groups);

    private static Tensor Norm(Tensor x, long channels = 8, string name = "") => F.BatchNorm(
        x, Captured.Weight($"{name}g", channels), Captured.Weight($"{name}b", channels), Captured.Weight($"{name}m", channels), Captured.Weight($"{name}v", channels) + 2, false, 0.1, 1e-5);
}
