using Kinora.Onnx.Export.Format;
using Kinora.Onnx.Export.Graph;
using Kinora.Onnx.Export.Simplify;
using Kinora.Tensors;

namespace Kinora.Onnx.Export.Tests.Simplify;

public sealed class TemporalShiftsTests
{
    private const int Frames = 4;
    private const int Channels = 8;
    private static readonly long[] Clip = [Frames, Channels, 3, 2];

    private static readonly Dictionary<string, Func<Tensor, Tensor>> Forms = new()
    {
        ["padding that cuts"] = x =>
        {
            Tensor clips = x.Reshape(-1, Frames, Channels, 6);
            Tensor[] parts = clips.Split([2, 3, 3], 2);
            return Tensor.Concat([parts[0].Pad([0, 0, 0, 0, 1, -1]), parts[1].Pad([0, 0, 0, 0, -1, 1]), parts[2]], 2).Reshape(-1, Channels, 3, 2);
        },
        ["slices and zeros in five dimensions"] = x =>
        {
            Tensor clips = x.Reshape(-1, Frames, Channels, 3, 2);
            Tensor past = Tensor.Concat([Tensor.Zeros([clips.Shape[0], 1, 2, 3, 2]), clips.Slice(2, 0, 2).Slice(1, 0, -1)], 1);
            Tensor future = Tensor.Concat([clips.Slice(2, 2, 5).Slice(1, 1), Tensor.Zeros([clips.Shape[0], 1, 3, 3, 2])], 1);
            return Tensor.Concat([past, future, clips.Slice(2, 5)], 2).Flatten(0, 1);
        },
        ["copies into zeros"] = x =>
        {
            Tensor clips = x.Reshape(-1, Frames, Channels, 3, 2);
            Tensor y = Tensor.Zeros(clips.Shape);
            y.Slice(1, 1).Slice(2, 0, 2).CopyFrom(clips.Slice(1, 0, -1).Slice(2, 0, 2));
            y.Slice(1, 0, -1).Slice(2, 2, 5).CopyFrom(clips.Slice(1, 1).Slice(2, 2, 5));
            y.Slice(2, 5).CopyFrom(clips.Slice(2, 5));
            return y.Reshape(-1, Channels, 3, 2);
        },
        ["channels last"] = x =>
        {
            Tensor clips = x.Reshape(-1, Frames, Channels, 6).Permute(0, 2, 1, 3);
            Tensor[] parts = clips.Split([2, 3, 3], 1);
            return Tensor.Concat([parts[0].Pad([0, 0, 1, -1]), parts[1].Pad([0, 0, -1, 1]), parts[2]], 1).Permute(0, 2, 1, 3).Reshape(-1, Channels, 3, 2);
        },
    };

    public static TheoryData<string> Names => [.. Forms.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Run_EachWayToShift_BecomesTheSameGraph(string name)
    {
        ModelProto model = Captured.AssertSame(x => Forms[name](x.Reshape(-1, Channels, 3, 2).Relu()).Sigmoid(), Clip);
        Assert.Equal(
            ["Concat", "Pad", "Pad", "Relu", "Reshape", "Reshape", "Reshape", "Sigmoid", "Slice", "Slice", "Slice"],
            Captured.Operators(model).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Recognise_Shift_GivesItsFolds()
    {
        NetworkGraph graph = Captured.Graph(x => Forms["channels last"](x.Reshape(-1, Channels, 3, 2).Relu()), Clip, simplified: false);
        (Value? source, int frames, TemporalShifts.Fold[]? folds) = TemporalShifts.Recognise(graph.Output);
        Assert.Equal("Relu", source!.Producer!.Operator);
        Assert.Equal(Frames, frames);
        Assert.Equal([new(2, -1), new(3, 1), new(3, 0)], folds!);
    }

    [Theory]
    [InlineData("rolled")]
    [InlineData("two frames")]
    [InlineData("across clips")]
    [InlineData("inside frames")]
    [InlineData("one value instead of zero")]
    public void Run_OtherMovements_KeepTheirValues(string what)
    {
        Captured.AssertSame(
            x =>
            {
                Tensor images = x.Reshape(-1, Channels, 3, 2).Relu();
                Tensor clips = images.Reshape(-1, Frames, Channels, 6);
                return what switch
                {
                    "rolled" => clips.Roll(1, 1).Reshape(-1, Channels, 3, 2),
                    "two frames" => clips.Pad([0, 0, 0, 0, 2, -2]).Reshape(-1, Channels, 3, 2),
                    "across clips" => images.Reshape(-1, 2, Channels, 6).Pad([0, 0, 0, 0, 1, -1]).Reshape(-1, Channels, 3, 2),
                    "inside frames" => images.Pad([0, 0, 1, -1]),
                    _ => clips.Pad([0, 0, 0, 0, 1, -1], 0.5).Reshape(-1, Channels, 3, 2),
                }
                * 2;
            },
            Clip);
    }
}
