using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Models.Tests;

/// <summary>TSN, TSM, PP-TSN and PP-TSM beyond what the recorded answers cover.</summary>
public sealed class ResNetNetworkTests
{
    [Theory]
    [InlineData("tsm")]
    [InlineData("pptsm")]
    [InlineData("pptsn")]
    public void Forward_ChannelsLast_GivesTheSameScoresAndGradients(string family)
    {
        using var scope = new TensorScope();
        var options = new ModelOptions(5, 4, 32, Seed: 3, Dropout: 0);
        using VideoNetwork network = family switch { "tsm" => new Tsm(options, 18), "pptsm" => new PpTsm(options, 18), _ => new PpTsn(options, 18) };
        network.To(DType.Float64);
        Tensor clip = Tensor.From<double>(GoldenFormula.Clip(2, 4, 3, 32, 32), [2, 4, 3, 32, 32]);
        (double[] expected, double[][] gradients) = Step();

        network.ZeroGrad();
        network.ToMemoryFormat(MemoryFormat.ChannelsLast);
        using var watch = new LayerWatch(network, layer => layer == "stages.1");
        (double[] found, double[][] others) = Step();

        Assert.True(watch.Outputs["stages.1"] is { IsChannelsLast: true, IsContiguous: false }, "the maps aren't channels-last");
        Tolerance.Close(expected, found, 1e-11, "scores");
        Assert.All(gradients.Zip(others), pair => Tolerance.Close(pair.First, pair.Second, 1e-8, "gradient"));

        (double[] Scores, double[][] Gradients) Step()
        {
            Tensor logits = network.Forward(clip);
            F.CrossEntropy(logits, Tensor.From<long>([1, 3], [2])).Backward();
            return (logits.ToArray<double>(), [.. network.NamedParameters().Select(p => p.Value.Grad!.ToArray<double>())]);
        }
    }

    [Theory]
    [InlineData("tsm_r18")]
    [InlineData("pptsm_r18")]
    public void Forward_OneFrame_HasNothingToShift(string name)
    {
        using var scope = new TensorScope();
        using VideoNetwork shifted = ModelCatalog.Create(name, new ModelOptions(5, 1, 64, Seed: 3));
        using VideoNetwork still = ModelCatalog.Create(name, new ModelOptions(5, 1, 64, Seed: 3, TemporalShift: false));
        shifted.Eval();
        still.Eval();
        using IDisposable noGrad = Grad.Disable();
        Tensor clip = Tensor.From<float>([.. GoldenFormula.Clip(1, 1, 3, 64, 64).Select(v => (float)v)], [1, 1, 3, 64, 64]);

        Assert.Equal(still.Forward(clip).ToArray<float>(), shifted.Forward(clip).ToArray<float>());
    }

    [Theory]
    [InlineData(20)]
    [InlineData(0)]
    [InlineData(200)]
    public void Create_UnknownDepth_SaysWhichThereAre(int depth)
    {
        var e = Assert.Throws<ConfigException>(() => new Tsm(new ModelOptions(2), depth));
        Assert.Contains($"18, 34, 50, 101 or 152, found {depth}", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RuleFor_StageFactors_ReachTheirParameters()
    {
        using var network = new PpTsn(new ModelOptions(2), depth: 18, [0.1, 0.2, 0.3, 0.4, 0.5], fastClassifier: false);
        Assert.Equal(new ParameterRule(0.1), network.RuleFor("stem.2.conv.weight"));
        Assert.Equal(new ParameterRule(0.1, 0), network.RuleFor("stem.0.bn.bias"));
        Assert.Equal(new ParameterRule(0.2), network.RuleFor("stages.0.1.conv1.conv.weight"));
        Assert.Equal(new ParameterRule(0.5, 0), network.RuleFor("stages.3.0.shortcut.bn.weight"));
        Assert.Equal(new ParameterRule(1, 1e-4), network.RuleFor("fc.weight"));
        Assert.Equal(new ParameterRule(1, 0), network.RuleFor("fc.bias"));
    }

    [Fact]
    public void Create_WrongStageFactors_AreRefused()
    {
        Assert.Contains("found [1, 2]", Assert.Throws<ConfigException>(() => new PpTsn(new ModelOptions(2), 18, [1, 2])).Message, StringComparison.Ordinal);
        Assert.Throws<ConfigException>(() => new PpTsn(new ModelOptions(2), 18, [1, 1, -1, 1, 1]));
    }

    [Fact]
    public void ThoroughSpecs_OfTheRecipes_AreValid()
    {
        using PpTsm dense = new(new ModelOptions(2, 4, 112), depth: 18);
        using PpTsn ten = new(new ModelOptions(2, 4, 112), depth: 18);
        dense.DenseSpec.Validate();
        ten.TenCropSpec.Validate();
        Assert.Equal((4, 112, CropMethod.FullResolution), (dense.DenseSpec.Frames, dense.DenseSpec.Size, dense.DenseSpec.Crop.Method));
        Assert.Equal((25, 112, CropMethod.Ten), (ten.TenCropSpec.Frames, ten.TenCropSpec.Size, ten.TenCropSpec.Crop.Method));
    }
}
