using Kinora.Models;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Paddle.Tests.Loading;

/// <summary>Weights on their way through files, and files that don't fit.</summary>
public sealed class PaddleLoadingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TensorScope _scope = new();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Load_WrittenStateDict_SameWeights()
    {
        using var written = new PpTsmV2(new ModelOptions(5, 4, Seed: 8), temporalAttention: true);
        using var read = new PpTsmV2(new ModelOptions(5, 4, Seed: 9), temporalAttention: true);
        PaddleWeightsWriter.Write(_folder["a.pdparams"], PaddleStateDict.Of(written));

        using PaddleWeights weights = PaddleWeights.Open(_folder["a.pdparams"]);
        LoadReport report = WeightLoader.Load(read, weights, PaddleNaming.For, LoadRules.Strict);

        Assert.Equal(written.StateDict().Count(), report.Matched.Count);
        Assert.Equal(16, report.Unused.Count(t => t.Note == "PaddleVideo stores it without using it"));
        AssertSame(written, read);
    }

    [Fact]
    public void Of_Network_NamesAndShapesOfPaddleVideo()
    {
        using var network = new PpTsmV2(new ModelOptions(5));
        PaddleWeightsWriter.Write(_folder["a.pdparams"], PaddleStateDict.Of(network));
        using PaddleWeightsFile file = PaddleWeightsFile.Open(_folder["a.pdparams"]);
        Assert.Equal(
            PaddleNames.For(network).Tensors.Select(t => $"{t.Paddle} {string.Join('x', t.Shape)}"),
            file.Tensors.Select(t => $"{t.Name} {string.Join('x', t.Shape)}"));
        Assert.Equal(file.Tensors.Count, file.Tensors.Select(t => t.ParameterName).Distinct().Count());
        Dictionary<string, string?> names = file.Tensors.ToDictionary(t => t.Name, t => t.ParameterName);
        Assert.Equal("conv2d_0.w_0", names["backbone.stem.0.conv.weight"]);
        Assert.Equal("batch_norm2d_0.w_0", names["backbone.stem.0.bn.weight"]);
        Assert.Equal("batch_norm2d_0.b_0", names["backbone.stem.0.bn.bias"]);
        Assert.Equal("batch_norm2d_0.w_1", names["backbone.stem.0.bn._mean"]);
        Assert.Equal("batch_norm2d_0.w_2", names["backbone.stem.0.bn._variance"]);
        Assert.Equal(("linear_0.w_0", "linear_0.b_0"), (names["backbone.fc.weight"], names["backbone.fc.bias"]));
    }

    [Fact]
    public void Load_LinearWeights_AreTransposed()
    {
        using VideoNetwork network = new Tsn(new ModelOptions(3, Seed: 4), depth: 18);
        PaddleWeightsWriter.Write(_folder["a.pdparams"], PaddleStateDict.Of(network));
        using PaddleWeightsFile file = PaddleWeightsFile.Open(_folder["a.pdparams"]);
        Tensor own = network.StateDict().First(t => t.Name == "fc.weight").Value;
        Assert.Equal([512, 3], file.Read("head.fc.weight").Shape.ToArray());
        Assert.Equal(own.Detach().Transpose(0, 1).ToArray<float>(), file.Read("head.fc.weight").ToArray<float>());
    }

    [Fact]
    public void Load_OtherClasses_FailsUntilAllowedAndThenKeepsTheNewClassifier()
    {
        using var many = new PpTsmV2(new ModelOptions(9, Seed: 8));
        using var few = new PpTsmV2(new ModelOptions(4, Seed: 9));
        using var untouched = new PpTsmV2(new ModelOptions(4, Seed: 9));
        PaddleWeightsWriter.Write(_folder["a.pdparams"], PaddleStateDict.Of(many));
        using PaddleWeights weights = PaddleWeights.Open(_folder["a.pdparams"]);

        var e = Assert.Throws<CheckpointException>(() => WeightLoader.Load(few, weights, PaddleNaming.For, LoadRules.Strict));
        Assert.Contains("2 misshapen (such as backbone.fc.weight expected [1280, 4], found [1280, 9])", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.Equal(weights.Path, e.Path);
        AssertSame(untouched, few);

        LoadReport report = WeightLoader.Load(few, weights, PaddleNaming.For, new LoadRules { AllowMissing = ["backbone.fc.*"] });
        Assert.Equal(["allowed by 'backbone.fc.*'", "allowed by 'backbone.fc.*'"], report.Misshapen.Select(t => t.Note));
        var state = few.StateDict().ToDictionary(t => t.Name, t => t.Value);
        var expected = many.StateDict().Where(t => !t.Name.StartsWith("fc.", StringComparison.Ordinal)).Concat(untouched.StateDict().Where(t => t.Name.StartsWith("fc.", StringComparison.Ordinal)));
        Assert.All(expected, t => Assert.Equal(t.Value.ToArray<float>(), state[t.Name].ToArray<float>()));
    }

    [Fact]
    public void Load_SuperfluousTensor_FailsUntilAllowed()
    {
        using var network = new PpTsmV2(new ModelOptions(4));
        IReadOnlyList<PaddleParameter> state = [.. PaddleStateDict.Of(network), new PaddleParameter("backbone.stray.weight", "x.w_0", () => Tensor.Ones([2]))];
        PaddleWeightsWriter.Write(_folder["a.pdparams"], state);
        using PaddleWeights weights = PaddleWeights.Open(_folder["a.pdparams"]);
        var e = Assert.Throws<CheckpointException>(() => WeightLoader.Load(network, weights, PaddleNaming.For, LoadRules.Strict));
        Assert.Contains("1 without a place (such as backbone.stray.weight [2])", e.Message, StringComparison.Ordinal);
        LoadReport report = WeightLoader.Load(network, weights, PaddleNaming.For, new LoadRules { AllowUnused = ["backbone.stray.*"] });
        Assert.Contains("backbone.stray.weight [2] (allowed by 'backbone.stray.*')", report.ToText(full: true), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WeightsOfAnotherNetwork_NamesIt()
    {
        using var weightsOf = new PpTsmV2(new ModelOptions(4));
        using VideoNetwork other = new Tsn(new ModelOptions(4), depth: 18);
        PaddleWeightsWriter.Write(_folder["a.pdparams"], [.. PaddleStateDict.Of(weightsOf).Where(p => p.Name.Contains("stages", StringComparison.Ordinal))]);
        using PaddleWeights weights = PaddleWeights.Open(_folder["a.pdparams"]);
        var e = Assert.Throws<CheckpointException>(() => WeightLoader.Load(other, weights, PaddleNaming.For, LoadRules.Strict));
        Assert.Contains("found none of them", e.Message, StringComparison.Ordinal);
        Assert.Contains("nearest is pptsmv2", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_PatternThatNothingMatches_IsASlip()
    {
        using var network = new PpTsmV2(new ModelOptions(4));
        PaddleWeightsWriter.Write(_folder["a.pdparams"], PaddleStateDict.Of(network));
        using PaddleWeights weights = PaddleWeights.Open(_folder["a.pdparams"]);
        var e = Assert.Throws<ConfigException>(() => WeightLoader.Load(network, weights, PaddleNaming.For, new LoadRules { AllowMissing = ["haed.*"] }));
        Assert.Contains("'haed.*'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToText_Report_CountsAndExamplesOrEverything()
    {
        using var many = new PpTsmV2(new ModelOptions(9));
        using var few = new PpTsmV2(new ModelOptions(4));
        PaddleWeightsWriter.Write(_folder["a.pdparams"], PaddleStateDict.Of(many));
        using PaddleWeights weights = PaddleWeights.Open(_folder["a.pdparams"]);
        LoadReport report = WeightLoader.Compare(few, weights, PaddleNaming.For, LoadRules.Strict);
        Assert.False(report.Fits);

        string[] lines = report.ToText().TrimEnd().Split(Environment.NewLine);
        Assert.Equal("a.pdparams → pptsmv2, PaddleVideo names as they are", lines[0]);
        Assert.Equal("  matched     260", lines[1]);
        Assert.Contains("    backbone.fc.weight expected [1280, 4], found [1280, 9]", lines);
        Assert.Equal("    and 11 more", lines[^1]);
        Assert.Contains("    backbone.stem.0.conv.weight [32, 3, 3, 3]", report.ToText(full: true), StringComparison.Ordinal);
        Assert.Equal(report.ToText(full: true), LoadReport.FromJson(report.ToJson()).ToText(full: true));
    }

    private static void AssertSame(VideoNetwork expected, VideoNetwork found)
    {
        var state = found.StateDict().ToDictionary(t => t.Name, t => t.Value);
        Assert.All(expected.StateDict(), t => Assert.Equal(t.Value.ToArray<float>(), state[t.Name].ToArray<float>()));
    }
}
