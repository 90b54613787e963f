using Kinora.Models.Layers;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Models.Tests;

public sealed class ShiftConverterTests
{
    private static readonly ShiftConvention FutureEighth = new(ShiftOrder.FutureFirst, 8);

    /// <summary>Networks, T, and two conventions that move equally many channels each way.</summary>
    public static TheoryData<string, int, ShiftConvention, ShiftConvention> Pairs => new()
    {
        { "tsm_r18", 8, ShiftConvention.PaddleVideo, ShiftConvention.Original },
        { "tsm_r18", 8, ShiftConvention.Original, ShiftConvention.PaddleVideo },
        { "tsm_r50", 8, ShiftConvention.PaddleVideo, ShiftConvention.Original },
        { "tsm_r18", 3, new ShiftConvention(ShiftOrder.PastFirst, 5), new ShiftConvention(ShiftOrder.FutureFirst, 5) },
        { "pptsm_r18", 8, ShiftConvention.PaddleVideo, ShiftConvention.Original },
        { "tsm_efficientnet_lite0", 4, new ShiftConvention(ShiftOrder.PastFirst, 8), ShiftConvention.Original },
        { "tsm_efficientnet_lite0", 4, ShiftConvention.Original, new ShiftConvention(ShiftOrder.PastFirst, 8) },
        { "tsm_efficientnet_lite0", 8, ShiftConvention.Original, ShiftConvention.PaddleVideo },
        { "tsm_efficientnet_lite0_lta", 4, new ShiftConvention(ShiftOrder.PastFirst, 8), ShiftConvention.Original },
        { "pptsmv2_lta", 8, ShiftConvention.PaddleVideo, FutureEighth },
        { "pptsmv2", 8, FutureEighth, ShiftConvention.PaddleVideo },
    };

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Convert_EqualFolds_KeepsTheScores(string name, int frames, ShiftConvention from, ShiftConvention to)
    {
        using var scope = new TensorScope();
        using VideoNetwork source = Create(name, frames, from, seed: 1);
        using VideoNetwork target = Create(name, frames, to, seed: 2);
        using IDisposable noGrad = Grad.Disable();
        Tensor clip = Tensor.From<double>(GoldenFormula.Clip(1, frames, 3, 48, 48), [1, frames, 3, 48, 48]);
        double[] expected = source.Forward(clip).ToArray<double>();

        // The weights as they are mean something else to the other convention.
        target.LoadStateDict(source.StateDict());
        double[] unconverted = target.Forward(clip).ToArray<double>();
        Assert.Contains(expected.Zip(unconverted), pair => Math.Abs(pair.First - pair.Second) > 1e-6 * expected.Max(Math.Abs));

        ShiftConverter.Convert(source, target);
        Tolerance.Close(expected, target.Forward(clip).ToArray<double>(), 1e-12, "scores");

        // There and back again.
        using VideoNetwork back = Create(name, frames, from, seed: 3);
        ShiftConverter.Convert(target, back);
        Assert.All(source.StateDict().Zip(back.StateDict()), pair => Assert.Equal(pair.First.Value.ToArray<double>(), pair.Second.Value.ToArray<double>()));
    }

    [Fact]
    public void Convert_Reparameterized_KeepsTheScores()
    {
        using var scope = new TensorScope();
        using VideoNetwork source = Create("pptsmv2", 8, ShiftConvention.PaddleVideo, seed: 1);
        using VideoNetwork target = Create("pptsmv2", 8, FutureEighth, seed: 2);
        using IDisposable noGrad = Grad.Disable();
        Tensor clip = Tensor.From<double>(GoldenFormula.Clip(1, 8, 3, 48, 48), [1, 8, 3, 48, 48]);
        double[] expected = source.Forward(clip).ToArray<double>();
        source.Reparameterize();
        target.Reparameterize();

        ShiftConverter.Convert(source, target);

        Tolerance.Close(expected, target.Forward(clip).ToArray<double>(), 1e-10, "scores");
    }

    [Theory]
    [InlineData("tsm_r18", 16, "4 from the past and 4 from the future at stages.0.0")]
    [InlineData("tsm_r18", 4, "16 from the past and 16 from the future at stages.0.0")]
    [InlineData("tsm_r18", 1, "0 from the past and 0 from the future at stages.0.0")]
    public void Convert_OtherFolds_IsRefusedAndChangesNothing(string name, int frames, string found)
    {
        using VideoNetwork source = Create(name, frames, ShiftConvention.PaddleVideo, seed: 1);
        using VideoNetwork target = Create(name, frames, ShiftConvention.Original, seed: 2);
        double[][] before = Weights(target);

        var e = Assert.Throws<ConfigException>(() => ShiftConverter.Convert(source, target));

        Assert.Contains(found, e.Message, StringComparison.Ordinal);
        Assert.Contains("'past first, 1/T' to 'future first, 1/8, every second block if deep'", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, Weights(target));
    }

    [Fact]
    public void Convert_UnequalFoldsInTheOtherOrder_IsRefused()
    {
        // A sixth of 64 channels is 10 for the first fold and 11 for the second, whichever side they come from.
        using VideoNetwork source = Create("tsm_r18", 6, ShiftConvention.PaddleVideo, seed: 1);
        using VideoNetwork target = Create("tsm_r18", 6, new ShiftConvention(ShiftOrder.FutureFirst), seed: 2);

        var e = Assert.Throws<ConfigException>(() => ShiftConverter.Convert(source, target));

        Assert.Contains("10 from the past and 11 from the future", e.Message, StringComparison.Ordinal);
        Assert.Contains("11 and 10 in the other", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Convert_OtherNetworks_AreRefused()
    {
        using VideoNetwork tsm = Create("tsm_r18", 8, null, seed: 1);
        using VideoNetwork longer = Create("tsm_r18", 16, null, seed: 1);
        using VideoNetwork deeper = Create("tsm_r34", 8, null, seed: 1);
        using VideoNetwork tsn = Create("tsn_r18", 8, null, seed: 1);
        using VideoNetwork still = ModelCatalog.Create("tsm_r18", new ModelOptions(5, 8, TemporalShift: false));
        using VideoNetwork other = ModelCatalog.Create("tsm_r18", new ModelOptions(6, 8));

        Assert.Contains("tsm_r34", Assert.Throws<ConfigException>(() => ShiftConverter.Convert(tsm, deeper)).Message, StringComparison.Ordinal);
        Assert.Contains("T = 16", Assert.Throws<ConfigException>(() => ShiftConverter.Convert(tsm, longer)).Message, StringComparison.Ordinal);
        Assert.Contains("temporal shifts, found tsn_r18", Assert.Throws<ConfigException>(() => ShiftConverter.Convert(tsn, tsn)).Message, StringComparison.Ordinal);
        Assert.Contains("0 and 0 in the other", Assert.Throws<ConfigException>(() => ShiftConverter.Convert(tsm, still)).Message, StringComparison.Ordinal);
        Assert.Contains("fc.weight", Assert.Throws<CheckpointException>(() => ShiftConverter.Convert(tsm, other)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tsm_r101", true, "0 2|0 2|0 2 4 6 8 10 12 14 16 18 20 22|0 2")]
    [InlineData("tsm_r101", false, "0 1 2|0 1 2 3|0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22|0 1 2")]
    [InlineData("pptsm_r50", true, "0 1 2|0 1 2 3|0 1 2 3 4 5|0 1 2")]
    public void Shifts_DeepNetwork_FollowTheConvention(string name, bool original, string blocks)
    {
        using VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(2, Shift: original ? ShiftConvention.Original : ShiftConvention.PaddleVideo));

        Dictionary<string, ShiftFold> shifts = ((IShiftedNetwork)network).ShiftedMaps.SelectMany(map => map.Shifts)
            .Where(shift => !shift.Value.IsEmpty).ToDictionary();

        Assert.Equal(
            blocks.Split('|').SelectMany((stage, i) => stage.Split(' ').Select(block => $"stages.{i}.{block}")).Order(),
            shifts.Keys.Order());
        Assert.All(shifts.Values, fold => Assert.Equal(original ? ShiftOrder.FutureFirst : ShiftOrder.PastFirst, fold.Order));

        // The first block reads 64 channels, the last one 2048; one eighth moves each way at T = 8 in both conventions.
        Assert.Equal((8, 8), (shifts["stages.0.0"].First, shifts["stages.0.0"].Second));
        Assert.Equal((256, 256), (shifts["stages.3.2"].First, shifts["stages.3.2"].Second));
    }

    // Norms away from identities, so that every channel counts differently.
    private static VideoNetwork Create(string name, int frames, ShiftConvention? shift, ulong seed)
    {
        VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(5, frames, Seed: seed, Shift: shift));
        network.To(DType.Float64);
        using IDisposable noGrad = Grad.Disable();
        foreach ((string key, Tensor value) in network.StateDict().Where(t => t.Value.Rank == 1))
        {
            string formula = key.Replace("running_mean", "_mean", StringComparison.Ordinal).Replace("running_var", "_variance", StringComparison.Ordinal);
            value.CopyFrom<double>(GoldenFormula.Weight(formula, [.. value.Shape]));
        }

        network.Eval();
        return network;
    }

    private static double[][] Weights(VideoNetwork network) => [.. network.StateDict().Select(t => t.Value.ToArray<double>())];
}
