namespace Kinora.Models.Tests;

/// <summary>Spread of the initial weights against the rules of the references.</summary>
public sealed class InitializationTests
{
    private static readonly Dictionary<string, Dictionary<string, float[]>> States = [];

    [Theory]
    [InlineData("tsn_r18", "stem.conv.weight", 147)]
    [InlineData("tsn_r18", "stages.3.1.conv1.conv.weight", 4608)]
    [InlineData("tsm_r18", "stages.2.0.shortcut.conv.weight", 128)]
    [InlineData("pptsm_r18", "stem.1.conv.weight", 288)]
    [InlineData("pptsm_r18", "stages.3.0.conv0.conv.weight", 2304)]
    [InlineData("pptsn_r50", "stages.1.0.shortcut.conv.weight", 256)]
    [InlineData("pptsmv2", "stages.2.1.depthwise.branches.0.conv.weight", 25)]
    [InlineData("pptsmv2", "stages.2.1.squeeze.reduce.weight", 512)]
    [InlineData("tsm_efficientnet_lite0", "blocks.14.expand.conv.weight", 192)]
    [InlineData("pptsm_mobilenet_v2", "stages.6.0.depthwise.conv.weight", 9)]
    [InlineData("pptsm_mobilenet_v2", "head.conv.weight", 320)]
    [InlineData("pptsm_mobilenet_v3", "blocks.12.depthwise.conv.weight", 25)]
    [InlineData("pptsm_mobilenet_v3", "blocks.13.squeeze.expand.weight", 240)]
    [InlineData("pptsm_mobilenet_v3_small", "last_conv.weight", 576)]
    [InlineData("movinet_a0", "blocks.4.depthwise.conv.weight", 45)]
    [InlineData("movinet_a0", "head.conv.weight", 104)]
    [InlineData("movinet_a0", "classifier.fc.weight", 2048)]
    [InlineData("videoswin_t", "patch_embed.conv.weight", 96)]

    // These count the connections out of an input: outputs · kernel.
    [InlineData("slowfast_4x16_r50", "stages.0.fast.0.conv0.conv.weight", 8 * 245)]
    [InlineData("slowfast_4x16_r50", "stages.0.fusion.conv.weight", 16 * 5)]
    [InlineData("slowfast_4x16_r50", "stages.3.slow.1.conv0.conv.weight", 256 * 3)]
    [InlineData("ircsn_r152", "stages.2.7.conv1.conv.weight", 256 * 27)]
    [InlineData("ircsn_r152", "stages.3.0.conv2.conv.weight", 2048)]
    public void Convolutions_FromScratch_AreKaimingNormal(string network, string parameter, int fanIn)
    {
        float[] values = Values(network, parameter);
        double expected = Math.Sqrt(2.0 / fanIn);
        double std = Math.Sqrt(values.Average(v => (double)v * v));
        Assert.InRange(std, expected * (1 - (4 / Math.Sqrt(2.0 * values.Length))), expected * (1 + (4 / Math.Sqrt(2.0 * values.Length))));
        Assert.InRange(values.Average(), -4 * expected / Math.Sqrt(values.Length), 4 * expected / Math.Sqrt(values.Length));
        Assert.True(values.Max() > 2 * expected, "looks uniform");
    }

    [Theory]
    [InlineData("tsm_r18", "fc", 0.001)]
    [InlineData("pptsm_r18", "fc", 0.01)]
    [InlineData("pptsn_r50", "fc", 0.01)]
    [InlineData("videoswin_t", "fc", 0.01)]
    [InlineData("tsn_r18", "fc", 0.01)]
    [InlineData("tsm_efficientnet_lite0", "fc", 0.01)]
    [InlineData("slowfast_4x16_r50", "projection", 0.01)]
    [InlineData("ircsn_r152", "fc", 0.01)]
    public void Classifier_Normal_HasItsStd(string network, string layer, double expected)
    {
        float[] values = Values(network, $"{layer}.weight");
        Assert.InRange(Math.Sqrt(values.Average(v => (double)v * v)), 0.95 * expected, 1.05 * expected);
        Assert.All(Values(network, $"{layer}.bias"), v => Assert.Equal(0, v));
    }

    [Theory]
    [InlineData("pptsmv2", "fc.weight", 1280, 20)]
    [InlineData("pptsmv2_lta", "attention.fc.weight", 16, 16)]
    [InlineData("pptsm_mobilenet_v2", "fc.weight", 1280, 20)]
    [InlineData("pptsm_mobilenet_v3", "fc.weight", 1280, 20)]
    public void Classifier_XavierUniform_FillsItsRange(string network, string parameter, int fanIn, int fanOut)
    {
        float[] values = Values(network, parameter);
        double limit = Math.Sqrt(6.0 / (fanIn + fanOut));
        Assert.All(values, v => Assert.InRange(v, -limit, limit));
        Assert.InRange(Math.Sqrt(values.Average(v => (double)v * v)), 0.85 * limit / Math.Sqrt(3), 1.15 * limit / Math.Sqrt(3));
    }

    [Theory]
    [InlineData("videoswin_t", "stages.2.blocks.3.attention.heads.qkv.weight")]
    [InlineData("videoswin_t", "stages.0.merging.reduce.weight")]
    [InlineData("videoswin_t", "stages.1.blocks.0.attention.position_bias")]
    public void Transformers_Linears_AreTruncatedNormal(string network, string parameter)
    {
        float[] values = Values(network, parameter);
        double expected = 0.02 * 0.87962;
        Assert.Equal(expected, Math.Sqrt(values.Average(v => (double)v * v)), 4 * expected / Math.Sqrt(2.0 * values.Length));
        Assert.InRange(values.Max(Math.Abs), 0.0395, 0.04);
    }

    [Fact]
    public void Norms_FromScratch_AreIdentities()
    {
        Assert.All(Values("pptsmv2", "stem.0.bn.weight"), v => Assert.Equal(1, v));
        Assert.All(Values("pptsmv2", "stem.0.bn.bias"), v => Assert.Equal(0, v));
        Assert.All(Values("pptsmv2", "stem.0.bn.running_mean"), v => Assert.Equal(0, v));
        Assert.All(Values("pptsmv2", "stem.0.bn.running_var"), v => Assert.Equal(1, v));
    }

    [Fact]
    public void LastNorms_OfSlowFastsBlocks_AreZeroAndNoOthers()
    {
        Assert.All(Values("slowfast_4x16_r50", "stages.2.fast.1.conv2.bn.weight"), v => Assert.Equal(0, v));
        Assert.All(Values("slowfast_4x16_r50", "stages.2.fast.1.conv1.bn.weight"), v => Assert.Equal(1, v));
        Assert.All(Values("slowfast_4x16_r50", "stages.2.slow.0.shortcut.bn.weight"), v => Assert.Equal(1, v));
        Assert.All(Values("slowfast_4x16_r50", "stages.2.fusion.bn.weight"), v => Assert.Equal(1, v));
        Assert.All(Values("ircsn_r152", "stages.2.1.conv2.bn.weight"), v => Assert.Equal(1, v));
    }

    private static float[] Values(string network, string name)
    {
        if (!States.TryGetValue(network, out Dictionary<string, float[]>? state))
        {
            using VideoNetwork built = ModelCatalog.Create(network, new ModelOptions(20, Seed: 11));
            States[network] = state = built.StateDict().ToDictionary(t => t.Name, t => t.Value.ToArray<float>());
        }

        return state[name];
    }
}
