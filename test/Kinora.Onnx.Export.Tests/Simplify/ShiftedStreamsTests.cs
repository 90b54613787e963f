using Kinora.Onnx.Export.Format;
using Kinora.Tensors;

namespace Kinora.Onnx.Export.Tests.Simplify;

/// <summary>Shifted channels in streams of their own: the same values, and only they leave the features.</summary>
public sealed class ShiftedStreamsTests
{
    private const int Frames = 4;
    private static readonly long[] Clip = [Frames, 16, 5, 6];

    [Fact]
    public void Run_ResidualBlocks_SplitThroughTheStage()
    {
        ModelProto model = Captured.AssertSame(x => Stage(Images(x), 64, 16).Mean([2, 3]), Clip);

        Assert.Equal(4, Count(model, "Pad"));
        Assert.DoesNotContain(model.Graph.Node, node => node.OpType is "Slice" or "Split");

        // Three outputs of the first convolution; three inputs of the first of each branch, three outputs of the last.
        Assert.Equal(3 + (2 * (3 + 3)), Count(model, "Conv"));
        Assert.Single(model.Graph.Node, node => node.OpType == "Concat");
    }

    [Fact]
    public void Run_StageAfterStage_SplitsShortcutsBothWays() => Captured.AssertSame(
        x =>
        {
            Tensor y = Stage(Images(x), 64, 16);
            Tensor branch = Conv(Conv(Shift(y, 64, 16), 16, "d0", stride: 2).LeakyRelu(), 128, "d1");
            Tensor shortcut = Conv(F.AvgPool2d(y, [2, 2], [2, 2], ceilMode: true), 128, "d2");
            y = (branch + shortcut).LeakyRelu();
            y = (y + Conv(Shift(y, 128, 32), 128, "e0").Relu()).Relu6();
            return F.Linear(y.Mean([2, 3]), Captured.Weight("fc", 5, 128));
        },
        Clip,
        tolerance: 2e-5);

    [Theory]
    [InlineData("narrow folds")]
    [InlineData("read by something else")]
    [InlineData("is the result")]
    [InlineData("depthwise behind the shift")]
    [InlineData("pictures")]
    public void Run_WhatCannotBeSplit_StaysWhole(string what)
    {
        ModelProto model = Captured.AssertSame(
            x =>
            {
                Tensor y = Conv(what == "pictures" ? Images(x).Slice(1, 0, 3) : Images(x), 64, "a").Relu();
                return what switch
                {
                    "narrow folds" => y + Conv(Shift(y, 64, 8), 64, "b"),
                    "read by something else" => y.Sigmoid() + Conv(Shift(y, 64, 16), 64, "b"),
                    "is the result" => Conv(Shift(y, 64, 16), 64, "b") * 0 + y + Shift(y, 64, 16),
                    "depthwise behind the shift" => y + F.Conv2d(Shift(y, 64, 16), Captured.Weight("b", 64, 1, 3, 3), padding: [1, 1], groups: 64),
                    _ => y + Conv(Shift(y, 64, 16), 64, "b"),
                };
            },
            Clip);
        Assert.Contains("Concat", Captured.Operators(model));
        Assert.DoesNotContain("Transpose", Captured.Operators(model));
    }

    [Fact]
    public void Write_ReshapesThatDependOnTheBatch_SayHow()
    {
        ModelProto model = Captured.AssertSame(x => Stage(Images(x), 64, 16).Mean([2, 3]), Clip);
        Assert.Contains(model.Graph.ValueInfo, value => value.Type.TensorType.Shape.Dim[0].DimParam == "4*N");
        Assert.All(model.Graph.ValueInfo, value => Assert.Contains(model.Graph.Node, node => node.OpType == "Reshape" && node.Output[0] == value.Name));
    }

    private static Tensor Stage(Tensor x, long channels, long fold)
    {
        Tensor y = Conv(x, channels, "s").Relu();
        for (int i = 0; i < 2; i++)
        {
            y = (y + Conv(Conv(Shift(y, channels, fold), 16, $"s{i}a").Relu(), channels, $"s{i}b")).Relu();
        }

        return y;
    }

    private static Tensor Images(Tensor x) => x.Reshape(-1, 16, 5, 6);

    private static Tensor Conv(Tensor x, long outputs, string name, long stride = 1) =>
        F.Conv2d(x, Captured.Weight(name, outputs, x.Shape[1], 1, 1) * 0.2, Captured.Weight(name + ".b", outputs), [stride, stride]);

    private static Tensor Shift(Tensor x, long channels, long fold)
    {
        (long height, long width) = (x.Shape[2], x.Shape[3]);
        Tensor[] parts = x.Reshape(-1, Frames, channels, height * width).Split([fold, fold, channels - (2 * fold)], 2);
        return Tensor.Concat([parts[0].Pad([0, 0, 0, 0, 1, -1]), parts[1].Pad([0, 0, 0, 0, -1, 1]), parts[2]], 2).Reshape(-1, channels, height, width);
    }

    private static int Count(ModelProto model, string op) => model.Graph.Node.Count(node => node.OpType == op);
}
