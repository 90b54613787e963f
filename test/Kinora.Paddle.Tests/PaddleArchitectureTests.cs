using Kinora.Models;

namespace Kinora.Paddle.Tests;

/// <summary>Class names and arguments of PaddleVideo's recipes, good and bad.</summary>
public sealed class PaddleArchitectureTests
{
    private static readonly Dictionary<string, object?> None = [];

    [Fact]
    public void Create_UnknownBackbone_ListsWhatIsKnown()
    {
        var e = Assert.Throws<ConfigException>(() => PaddleArchitectures.Create(new PaddleModel("ResNest", None, "TSNHead", None)));
        Assert.Contains("'ResNest'", e.Message, StringComparison.Ordinal);
        Assert.Contains("PPTSM_v2", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_UnknownArgument_IsNotDroppedSilently()
    {
        var e = Assert.Throws<ConfigException>(() => PaddleArchitectures.Create(
            new PaddleModel("PPTSM_v2", new Dictionary<string, object?> { ["num_segs"] = 8L }, "MoViNetHead", None)));
        Assert.Contains("'num_segs'", e.Message, StringComparison.Ordinal);
        Assert.Contains("num_seg,", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WrongType_NamesTheArgument()
    {
        var e = Assert.Throws<ConfigException>(() => PaddleArchitectures.Create(
            new PaddleModel("ResNet", new Dictionary<string, object?> { ["depth"] = "fifty" }, "TSNHead", None)));
        Assert.Contains("depth: expected a whole number, found 'fifty'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_Arguments_ReachTheNetwork()
    {
        using VideoNetwork network = PaddleArchitectures.Create(new PaddleModel(
            "PPTSM_v2", new Dictionary<string, object?> { ["num_seg"] = 4L, ["class_num"] = 11L, ["use_temporal_att"] = true, ["pretrained"] = "x.pdparams" }, "MoViNetHead", None));
        Assert.Equal(("pptsmv2_lta", 4, 11), (network.Name, network.Frames, network.Classes));
    }

    [Theory]
    [InlineData("PPTSM_MobileNetV2", "pptsm_mobilenet_v2")]
    [InlineData("PPTSM_MobileNetV3", "pptsm_mobilenet_v3")]
    public void Create_MobileNetArguments_ReachTheNetwork(string backbone, string expected)
    {
        using VideoNetwork network = PaddleArchitectures.Create(
            new PaddleModel(backbone, new Dictionary<string, object?> { ["num_seg"] = 16L, ["class_num"] = 101L }, "MoViNetHead", None));
        Assert.Equal((expected, 16, 101), (network.Name, network.Frames, network.Classes));
    }

    [Theory]
    [InlineData("causal", true)]
    [InlineData("conv_type", "2plus1d")]
    [InlineData("model_type", "A1")]
    public void Create_MoViNetOfAnotherForm_SaysWhatThereIs(string argument, object value)
    {
        var arguments = new Dictionary<string, object?> { ["causal"] = false, ["num_classes"] = 5L };
        using (VideoNetwork network = PaddleArchitectures.Create(new PaddleModel("MoViNet", arguments, "MoViNetHead", None)))
        {
            Assert.Equal(5, network.Classes);
        }

        arguments[argument] = value;
        var e = Assert.Throws<ConfigException>(() => PaddleArchitectures.Create(new PaddleModel("MoViNet", arguments, "MoViNetHead", None)));
        Assert.Contains($"{argument}: expected", e.Message, StringComparison.Ordinal);
    }
}
