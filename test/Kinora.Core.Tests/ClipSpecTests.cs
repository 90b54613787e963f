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

    [Fact]
    public void ToJson_Spec_IsThisText() => Assert.Equal(
        """{"sampling":{"method":"Uniform","segments":8,"framesPerSegment":1,"interval":1}"""
        + ""","resize":{"rule":"FixedRatio","shortSide":256,"engine":"Pillow"}"""
        + ""","crop":{"method":"Center","size":224,"rounding":"HalfEven"}"""
        + ""","normalization":{"mean":{"r":0.485,"g":0.456,"b":0.406},"std":{"r":0.229,"g":0.224,"b":0.225},"scale":255,"arithmetic":"Single"}"""
        + ""","color":"FromStream","layout":"Ntchw"}""",
        Spec.ToJson());

    [Fact]
    public void FromJson_EveryValueChanged_SameSpec()
    {
        var spec = new ClipSpec(
            new SamplingSpec(SamplingMethod.FrameInterval, 3, 5, 7),
            new ResizeSpec(ResizeRule.Square, 112, ResizeEngine.OpenCv),
            new CropSpec(CropMethod.Ten, 96, CropRounding.Floor),
            new Normalization(new Rgb(1.5f, 2.25f, 1e-3f), new Rgb(0.1f, 128, 3), 1, NormalizationArithmetic.InPlace),
            ColorMatrix.Bt601,
            ClipLayout.Nthwc,
            ClipInput.Difference);

        Assert.Equal(spec, ClipSpec.FromJson(spec.ToJson()));
        Assert.EndsWith(",\"layout\":\"Nthwc\",\"input\":\"Difference\"}", spec.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void FromJson_TimedClips_KeepTheirRate()
    {
        ClipSpec spec = Spec with
        {
            Sampling = new SamplingSpec(SamplingMethod.Timed, 10, 32, 2, 25),
            Resize = new ResizeSpec(ResizeRule.KeepAspectFloor, 256, ResizeEngine.Interpolate),
            Crop = new CropSpec(CropMethod.Spread, 256),
        };
        Assert.Equal(spec, ClipSpec.FromJson(spec.ToJson()));
        Assert.Contains("\"rate\":25", spec.ToJson(), StringComparison.Ordinal);
        Assert.Equal(32, spec.Frames);
        Assert.Equal(30, ClipSpec.FromJson(spec.ToJson().Replace(",\"rate\":25", "", StringComparison.Ordinal)).Sampling.Rate);
        Assert.Contains("sampling.rate", Assert.Throws<ConfigException>(() => (spec with { Sampling = spec.Sampling with { Rate = 0 } }).Validate()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromJson_DefaultsLeftOut_AreFilledIn()
    {
        string json = Spec.ToJson();
        foreach (string optional in new[] { ",\"framesPerSegment\":1,\"interval\":1", ",\"engine\":\"Pillow\"", ",\"rounding\":\"HalfEven\"", ",\"scale\":255,\"arithmetic\":\"Single\"", ",\"color\":\"FromStream\",\"layout\":\"Ntchw\"" })
        {
            Assert.Contains(optional, json, StringComparison.Ordinal);
            json = json.Replace(optional, "", StringComparison.Ordinal);
        }

        Assert.Equal(Spec, ClipSpec.FromJson(json));
    }

    [Theory]
    [InlineData("\"Uniform\"", "\"Unifrom\"", "sampling.method: expected one of Uniform")]
    [InlineData("\"Uniform\"", "0", "sampling.method: expected one of Uniform")]
    [InlineData("\"segments\":8,", "", "sampling.segments: missing")]
    [InlineData("\"segments\":8", "\"segments\":8.5", "sampling.segments: expected an integer, found 8.5")]
    [InlineData("\"r\":0.485", "\"r\":\"x\"", "normalization.mean.r: expected a number, found \"x\"")]
    [InlineData("\"r\":0.485", "\"R\":0.485", "normalization.mean.r: missing")]
    [InlineData("\"scale\":255", "\"scale\":null", "normalization.scale: expected a number, found null")]
    [InlineData("\"layout\"", "\"order\"", "order: unknown member")]
    [InlineData("{\"method\":\"Center\",\"size\":224,\"rounding\":\"HalfEven\"}", "null", "crop: expected an object, found null")]
    [InlineData("\"Ntchw\"}", "\"Ntchw\"", "clip specification: ")]
    public void FromJson_WrongText_MessageNamesMemberAndExpectation(string from, string to, string expected)
    {
        string json = Spec.ToJson();
        Assert.Contains(from, json, StringComparison.Ordinal);

        ConfigException e = Assert.Throws<ConfigException>(() => ClipSpec.FromJson(json.Replace(from, to, StringComparison.Ordinal)));

        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

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
