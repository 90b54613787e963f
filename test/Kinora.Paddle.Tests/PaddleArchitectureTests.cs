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

    [Theory]
    [InlineData(8L, 5L, "slowfast_4x16_r50")]
    [InlineData(4L, 7L, "slowfast_8x8_r50")]
    public void Create_SlowFast_HasTheCataloguesName(long alpha, long kernel, string name)
    {
        using VideoNetwork network = PaddleArchitectures.Create(SlowFast(
            [("alpha", alpha), ("beta", 8L), ("fusion_kernel_sz", kernel), ("bn_norm_type", "sub_batchnorm"), ("bn_num_splits", 2L),
                ("spatial_strides", new object?[] { new object?[] { 1L, 1L }, new object?[] { 2L, 2L }, new object?[] { 2L, 2L }, new object?[] { 2L, 2L } })],
            [("alpha", alpha), ("num_frames", 16L), ("crop_size", 64L), ("num_classes", 11L), ("dropout_rate", 0.25), ("multigrid_short", true)]));
        Assert.Equal((name, 16, 64, 11, 0.25), (network.Name, network.Frames, network.Size, network.Classes, network.Options.Dropout));
    }

    [Theory]
    [InlineData("depth", 101L, "depth: expected 50, found '101'")]
    [InlineData("num_groups", 32L, "num_groups: expected 1, found '32'")]
    [InlineData("fuse_bn_relu", 0L, "fuse_bn_relu: expected 1, found '0'")]
    [InlineData("beta", 4L, "beta: expected 4, found '8'")]
    public void Create_SlowFastThatKinoraHasNot_IsRefused(string argument, long value, string message)
    {
        var e = Assert.Throws<ConfigException>(() => PaddleArchitectures.Create(SlowFast([(argument, value)], [("beta", 8L)])));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_SlowFastWithOtherStrides_NamesThem()
    {
        var e = Assert.Throws<ConfigException>(() => PaddleArchitectures.Create(SlowFast(
            [("spatial_strides", new object?[] { new object?[] { 1L, 1L }, new object?[] { 2L, 2L }, new object?[] { 2L, 2L }, new object?[] { 1L, 1L } })], [])));
        Assert.Contains("spatial_strides: expected 1, 1, 2, 2, 2, 2, 2, 2, found '1, 1, 2, 2, 2, 2, 1, 1'", e.Message, StringComparison.Ordinal);
    }

    private static PaddleModel SlowFast((string Name, object? Value)[] backbone, (string Name, object? Value)[] head) => new(
        "ResNetSlowFast",
        backbone.ToDictionary(a => a.Name, a => a.Value),
        "SlowFastHead",
        head.ToDictionary(a => a.Name, a => a.Value));
}
