using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Models.Tests;

public sealed class PpTsmV2Tests
{
    [Theory]
    [InlineData("pptsmv2", 8)]
    [InlineData("pptsmv2_lta", 4)]
    public void Reparameterize_TrainedStatistics_KeepsTheScores(string name, int frames)
    {
        using var scope = new TensorScope();
        using VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(13, frames, Seed: 1));
        network.To(DType.Float64);
        using IDisposable noGrad = Grad.Disable();
        foreach ((string key, Tensor value) in network.StateDict())
        {
            // Weights as in training, statistics and scales away from their initial ones and zeros.
            if (value.Rank == 1)
            {
                string formula = key.Replace("running_mean", "_mean", StringComparison.Ordinal).Replace("running_var", "_variance", StringComparison.Ordinal);
                value.CopyFrom<double>(GoldenFormula.Weight(formula, [.. value.Shape]));
            }
        }

        network.Eval();
        Tensor clip = Tensor.From<double>(GoldenFormula.Clip(2, frames, 3, 64, 64), [2, frames, 3, 64, 64]);
        double[] branches = network.Forward(clip).ToArray<double>();
        long before = network.NamedParameters().Sum(p => p.Value.Count);
        Assert.True(network.CanReparameterize);

        network.Reparameterize();

        double[] merged = network.Forward(clip).ToArray<double>();
        double scale = branches.Max(Math.Abs);
        Assert.All(branches.Zip(merged), pair => Assert.True(Math.Abs(pair.First - pair.Second) < 1e-10 * scale, $"{pair}"));
        Assert.False(network.CanReparameterize);
        Assert.True(network.NamedParameters().Sum(p => p.Value.Count) < before);
        Assert.DoesNotContain(network.NamedParameters(), p => p.Name.Contains("branches", StringComparison.Ordinal));

        network.Reparameterize();
        Assert.Equal(merged, network.Forward(clip).ToArray<double>());
    }

    [Fact]
    public void RuleFor_Attention_FollowsTheRecipe()
    {
        using PpTsmV2 network = PpTsmV2.Base(5, frames: 4, temporalAttention: true);
        Assert.Equal(new ParameterRule(5, 1e-4), network.RuleFor("attention.fc.weight"));
        Assert.Equal(new ParameterRule(10, 0), network.RuleFor("attention.fc.bias"));
        Assert.Equal(ParameterRule.Default, network.RuleFor("fc.weight"));
        Assert.Equal(ParameterRule.NoDecay, network.RuleFor("stem.0.bn.weight"));
    }
}
