namespace Kinora.Tests;

public sealed class ClipSpecTests
{
    private static readonly ClipSpec Spec = new(
        new SamplingSpec(SamplingMethod.Uniform, 8),
        new ResizeSpec(ResizeRule.FixedRatio, 256),
        new CropSpec(CropMethod.Center, 224),
        Normalization.ImageNet);

    [Fact]
    public void FromJson_WhatToJsonWrote_SameSpec() => Assert.Equal(Spec, ClipSpec.FromJson(Spec.ToJson()));

    [Fact]
    public void FromJson_UnknownMember_ConfigException() =>
        Assert.Throws<ConfigException>(() => ClipSpec.FromJson(Spec.ToJson().Replace("\"crop\"", "\"corp\"", StringComparison.Ordinal)));

    [Theory]
    [InlineData("\"segments\":8", "\"segments\":0", "sampling.segments")]
    [InlineData("\"size\":224", "\"size\":-1", "crop.size")]
    public void FromJson_ValueOutOfRange_MessageNamesKey(string from, string to, string key)
    {
        string json = Spec.ToJson().Replace(from, to, StringComparison.Ordinal);
        ConfigException e = Assert.Throws<ConfigException>(() => ClipSpec.FromJson(json, "x.json"));
        Assert.Contains(key, e.Message, StringComparison.Ordinal);
        Assert.Equal("x.json", e.Path);
    }
}
