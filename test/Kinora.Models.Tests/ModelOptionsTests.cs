using System.Text.Json;

namespace Kinora.Models.Tests;

public sealed class ModelOptionsTests
{
    [Fact]
    public void Json_WrittenAndRead_IsEqual()
    {
        foreach (ShiftConvention? shift in (ShiftConvention?[])[null, ShiftConvention.PaddleVideo, ShiftConvention.Original, new(ShiftOrder.FutureFirst, 16)])
        {
            var options = new ModelOptions(7, 4, 64, ulong.MaxValue, 0.25, false, true, shift);
            Assert.Equal(options, JsonSerializer.Deserialize<ModelOptions>(JsonSerializer.Serialize(options)));
        }

        Assert.Contains("FutureFirst", JsonSerializer.Serialize(new ModelOptions(7, Shift: ShiftConvention.Original)), StringComparison.Ordinal);
    }

    [Fact]
    public void Json_OfACheckpointFromBeforeConventions_LeavesTheNetworksOwn()
    {
        const string Json = """{"Classes":7,"Frames":16,"Size":112,"Seed":3,"Dropout":0.2,"TemporalShift":true,"Pretrained":false}""";
        Assert.Equal(new ModelOptions(7, 16, 112, 3, 0.2), JsonSerializer.Deserialize<ModelOptions>(Json));
    }

    [Theory]
    [InlineData("tsm_r18", null, "past first, 1/T")]
    [InlineData("pptsm_r18", null, "past first, 1/T")]
    [InlineData("pptsmv2", null, "past first, 1/T")]
    [InlineData("tsm_efficientnet_lite0", null, "past first, 1/8")]
    [InlineData("tsm_r18", 16, "future first, 1/16")]
    public void Shift_OfABuiltNetwork_IsFilledIn(string name, int? divisor, string expected)
    {
        ShiftConvention? chosen = divisor is null ? null : new ShiftConvention(ShiftOrder.FutureFirst, divisor);
        using VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(2, Shift: chosen));
        Assert.Equal(expected, network.Options.Shift!.ToString());
        Assert.Equal(network.Options, JsonSerializer.Deserialize<ModelOptions>(JsonSerializer.Serialize(network.Options)));
    }

    [Fact]
    public void Shift_NetworkWithoutTemporalShift_IsRefused()
    {
        var e = Assert.Throws<ConfigException>(() => ModelCatalog.Create("tsn_r18", new ModelOptions(2, Shift: ShiftConvention.Original)));
        Assert.Contains("future first", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 1, "shift divisor")]
    [InlineData(0, -8, "shift divisor")]
    [InlineData(7, 8, "shift order")]
    public void Validate_ShiftOutOfRange_NamesIt(int order, int divisor, string key)
    {
        var options = new ModelOptions(2, Shift: new ShiftConvention((ShiftOrder)order, divisor));
        Assert.Contains(key, Assert.Throws<ConfigException>(options.Validate).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(256, 8, null, 32, 32)]
    [InlineData(256, 16, null, 16, 16)]
    [InlineData(256, 6, null, 42, 43)]
    [InlineData(256, 1, null, 0, 0)]
    [InlineData(256, 16, 8, 32, 32)]
    [InlineData(20, 4, 8, 2, 2)]
    public void Fold_OfEachShare_IsAsWideAsTheReferences(int channels, int frames, int? divisor, int first, int second)
    {
        var fold = new ShiftConvention(ShiftOrder.FutureFirst, divisor).Fold(channels, frames);
        Assert.Equal((first, second), (fold.First, fold.Second));
    }
}
