using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Models.Tests;

public sealed class TimeSformerTests
{
    private static readonly TimeSformerOptions Small = new(Width: 24, Depth: 2, Heads: 3);

    [Fact]
    public void Create_InitialWeights_FollowThePaper()
    {
        using TimeSformer network = new(new ModelOptions(50, Seed: 2), Small with { Width = 96, Depth = 1 });
        var state = network.StateDict().ToDictionary(t => t.Name, t => t.Value.ToArray<float>());
        Assert.All(state["time_embedding"], v => Assert.Equal(0, v));
        Assert.All(state["blocks.0.temporal_fc.weight"], v => Assert.Equal(0, v));
        foreach (string name in (string[])["position_embedding", "blocks.0.temporal_attention.qkv.weight", "blocks.0.mlp.expand.weight", "fc.weight"])
        {
            // A normal distribution cut at two standard deviations has 0.88 of it left.
            Assert.InRange(Math.Sqrt(state[name].Average(v => (double)v * v)) / 0.02, 0.85, 0.91);
            Assert.InRange(state[name].Max(Math.Abs), 0.039, 0.04);
        }

        Assert.InRange(Math.Sqrt(state["patch_embed.weight"].Average(v => (double)v * v)), 0.98 * Math.Sqrt(2.0 / 768), 1.02 * Math.Sqrt(2.0 / 768));
    }

    [Fact]
    public void Forward_InitialWeights_SeesFramesAsAnImageTransformerDoes()
    {
        using var scope = new TensorScope();
        using TimeSformer clips = Create(new ModelOptions(5, 4, 64, Seed: 2), Small);
        using TimeSformer images = Create(new ModelOptions(5, 1, 64, Seed: 2), Small);
        using IDisposable noGrad = Grad.Disable();
        Tensor clip = Clip(1, 1, 64);

        double[] still = clips.Forward(clip.Expand(1, 4, 3, 64, 64)).ToArray<double>();

        Near(images.Forward(clip).ToArray<double>(), still);
    }

    [Theory]
    [InlineData(1, 64)]
    [InlineData(4, 96)]
    [InlineData(16, 75)]
    public void Forward_SeveralClips_AnswersEachByItself(int frames, int size)
    {
        using var scope = new TensorScope();
        using TimeSformer network = Filled(new ModelOptions(101, frames, size), Small);
        using IDisposable noGrad = Grad.Disable();
        Tensor clips = Clip(3, frames, size);

        double[] together = network.Forward(clips).ToArray<double>();

        for (int i = 0; i < 3; i++)
        {
            Near(network.Forward(clips.Slice(0, i, i + 1)).ToArray<double>(), together[(101 * i)..(101 * (i + 1))]);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Forward_SeveralViews_AveragesLogitsOrProbabilities(bool pp)
    {
        using var scope = new TensorScope();
        using TimeSformer network = Filled(new ModelOptions(5, 4, 32), Small, pp);
        using IDisposable noGrad = Grad.Disable();
        Tensor clips = Clip(2, 8, 32);

        double[] together = Read(network.Forward(clips));

        double[] first = Read(network.Forward(clips.Slice(1, 0, 4)));
        double[] second = Read(network.Forward(clips.Slice(1, 4, 8)));
        Near([.. first.Zip(second, (a, b) => (a + b) / 2)], together);

        double[] Read(Tensor logits) => (pp ? logits.Softmax(1) : logits).ToArray<double>();
    }

    [Fact]
    public void Forward_OtherSize_TakesTheNearestPositions()
    {
        using var scope = new TensorScope();
        using TimeSformer small = Filled(new ModelOptions(5, 2, 64), Small);
        using TimeSformer large = Filled(new ModelOptions(5, 2, 96), Small);
        using IDisposable noGrad = Grad.Disable();

        // Six rows and columns from four: 0, 0, 1, 2, 2, 3.
        long[] nearest = [0, 0, 1, 2, 2, 3];
        long[] rows = [0, .. nearest.SelectMany(row => nearest.Select(column => 1 + (4 * row) + column))];
        Position(large).CopyFrom(Position(small).IndexSelect(1, Tensor.From<long>(rows)));
        Tensor clip = Clip(1, 2, 96);

        Near(large.Forward(clip).ToArray<double>(), small.Forward(clip).ToArray<double>());

        static Tensor Position(VideoNetwork network) => network.NamedParameters().Single(p => p.Name == "position_embedding").Value;
    }

    [Fact]
    public void Forward_DropPath_DropsWholeBranchesInTrainingOnly()
    {
        using var scope = new TensorScope();
        using TimeSformer network = Filled(new ModelOptions(5, 2, 32), Small with { DropPath = 0.9 });
        using IDisposable noGrad = Grad.Disable();
        Tensor clip = Clip(1, 2, 32);
        double[] evaluated = network.Forward(clip).ToArray<double>();
        network.Train();
        network.SetRandomKey(1, 0, 0);

        double[] trained = network.Forward(clip).ToArray<double>();

        Assert.NotEqual(evaluated, trained);
        network.SetRandomKey(1, 0, 0);
        Assert.Equal(trained, network.Forward(clip).ToArray<double>());
    }

    [Fact]
    public void RuleFor_Pp_SparesTokensAndTheClassifiersBias()
    {
        using TimeSformer pp = new(new ModelOptions(5, 2, 32), Small, pp: true);
        using TimeSformer plain = new(new ModelOptions(5, 2, 32), Small);
        string[] spared = ["class_token", "position_embedding", "time_embedding", "fc.bias"];
        Assert.Equal(spared, pp.NamedParameters().Select(p => p.Name).Where(n => pp.RuleFor(n) == ParameterRule.NoDecay));
        Assert.All(plain.NamedParameters(), p => Assert.Equal(ParameterRule.Default, plain.RuleFor(p.Name)));
    }

    [Theory]
    [InlineData(25, 2, 3, 16, "width")]
    [InlineData(24, 0, 3, 16, "depth")]
    [InlineData(24, 2, 3, 65, "patch size")]
    public void Create_ShapeOutOfRange_NamesIt(int width, int depth, int heads, int patch, string key)
    {
        var e = Assert.Throws<ConfigException>(() => new TimeSformer(new ModelOptions(5, Size: 64), new TimeSformerOptions(width, depth, heads, patch)));
        Assert.Contains(key, e.Message, StringComparison.Ordinal);
    }

    private static TimeSformer Create(ModelOptions options, TimeSformerOptions shape, bool pp = false)
    {
        var network = new TimeSformer(options, shape, pp);
        network.To(DType.Float64);
        network.Eval();
        return network;
    }

    // Initial weights see no time.
    private static TimeSformer Filled(ModelOptions options, TimeSformerOptions shape, bool pp = false)
    {
        TimeSformer network = Create(options, shape, pp);
        using IDisposable noGrad = Grad.Disable();
        foreach ((string name, Tensor value) in network.NamedParameters())
        {
            value.CopyFrom<double>(GoldenFormula.Weight(name, [.. value.Shape]));
        }

        return network;
    }

    private static Tensor Clip(int count, int frames, int size) =>
        Tensor.From<double>(GoldenFormula.Clip(count, frames, 3, size, size), [count, frames, 3, size, size]);

    private static void Near(double[] expected, double[] found) => Tolerance.Close(expected, found, 1e-12, "scores");
}
