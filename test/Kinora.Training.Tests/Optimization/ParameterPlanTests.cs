using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training.Tests;

/// <summary>Freezing, decay and depths; the groups of PaddleVideo's recipes are proved in Kinora.Paddle.Tests.</summary>
[Collection(ComputeTests.Name)]
public sealed class ParameterPlanTests
{
    [Fact]
    public void For_NoRules_AreTheNetworksOwnGroups()
    {
        using VideoNetwork network = ModelCatalog.CreateBlank("tsm_r18", new ModelOptions(5));
        IReadOnlyList<ParameterGroup> expected = network.ParameterGroups(1e-4);
        IReadOnlyList<ParameterGroup> found = ParameterPlan.For(network, new ParameterRules { WeightDecay = 1e-4 }).Groups;
        Assert.Equal(
            expected.SelectMany(g => g.Parameters.Select(p => (p.Name, g.LearningRateFactor, g.WeightDecay))).Order(),
            found.SelectMany(g => g.Parameters.Select(p => (p.Name, g.LearningRateFactor, g.WeightDecay))).Order());
        Assert.All(found, g => Assert.Equal(0, g.L1Decay + g.DecoupledDecay));
    }

    [Theory]
    [InlineData(DecayKind.L1)]
    [InlineData(DecayKind.Decoupled)]
    public void For_OtherDecay_NetworksOwnRuleStillHolds(DecayKind kind)
    {
        using var network = new TinyNetwork(new ModelOptions(3));
        var byName = Groups(network, new ParameterRules { WeightDecay = 0.01, Decay = kind, WithoutDecay = ["fc.w"] });
        ParameterGroup conv = byName["conv.weight"];
        Assert.Equal((0, kind == DecayKind.L1 ? 0.01 : 0, kind == DecayKind.Decoupled ? 0.01 : 0), (conv.WeightDecay, conv.L1Decay, conv.DecoupledDecay));
        Assert.All(new[] { "bn.weight", "fc.bias", "fc.weight" }, name => Assert.Equal(0, byName[name].WeightDecay + byName[name].L1Decay + byName[name].DecoupledDecay));
        Assert.Equal(5, byName["fc.weight"].LearningRateFactor);
    }

    [Theory]
    [InlineData("timesformer", 12, "blocks")]
    [InlineData("videoswin_t", 4, "stages")]
    [InlineData("pptsm_r18", 4, "stages")]
    [InlineData("slowfast_4x16_r50", 5, "stages")]
    [InlineData("tsm_efficientnet_lite0", 16, "blocks")]
    public void For_LayerDecay_FactorsFallWithTheDistanceFromTheHead(string model, int stages, string list)
    {
        using VideoNetwork network = ModelCatalog.CreateBlank(model, new ModelOptions(5));
        string[] parts = [.. network.NamedParameters().Select(p => p.Name)];
        string head = parts[^1].Split('.')[0];
        var byName = Groups(network, new ParameterRules { LayerDecay = 0.5, HeadFactor = 3 });
        foreach (string name in parts)
        {
            string[] path = name.Split('.');
            bool behind = Array.IndexOf(parts, name) > Array.FindLastIndex(parts, p => p.StartsWith(list + ".", StringComparison.Ordinal));
            int depth = path[0] == list ? int.Parse(path[1]) + 1 : behind ? stages + 1 : 0;
            double own = path[0] == head ? 3 : network.RuleFor(name).LearningRateFactor;
            Assert.Equal(own * Math.Pow(0.5, stages + 1 - depth), byName[name].LearningRateFactor);
        }

        Assert.Contains(parts, p => p.StartsWith($"{list}.{stages - 1}.", StringComparison.Ordinal));
    }

    [Fact]
    public void Apply_FrozenStage_GetsNoGradientsKeepsStatisticsAndIsFreedByAnotherPlan()
    {
        using var scope = new TensorScope();
        using var network = new TinyNetwork(new ModelOptions(3));
        var plan = ParameterPlan.For(network, new ParameterRules { Frozen = ["bn.*", "c?nv.weight"] });
        Assert.Equal(["conv.weight", "bn.weight", "bn.bias"], plan.Frozen);
        Assert.Equal(["bn"], plan.FrozenBatchNorms);
        plan.Apply();
        network.Train();
        BatchNorm norm = network.NamedModules().Select(m => m.Module).OfType<BatchNorm>().Single();
        double[] statistics = norm.RunningMean.ToArray<double>();
        Backward();
        Assert.False(norm.IsTraining);
        Assert.Equal(statistics, norm.RunningMean.ToArray<double>());
        Assert.Equal(["fc.weight", "fc.bias"], network.NamedParameters().Where(p => p.Value.Grad is not null).Select(p => p.Name));

        ParameterPlan.For(network, new ParameterRules()).Apply();
        Assert.True(norm.IsTraining);
        Backward();
        Assert.All(network.NamedParameters(), p => Assert.NotNull(p.Value.Grad));
        Assert.NotEqual(statistics, norm.RunningMean.ToArray<double>());

        void Backward() => new CrossEntropyLoss().Compute(network.Forward(Tensor.Ones([2, 2, 3, 32, 32])), Targets.Classes([0, 1])).Backward();
    }

    [Fact]
    public void For_PartialBatchNorm_FreezesAllButTheFirst()
    {
        using VideoNetwork network = ModelCatalog.CreateBlank("tsn_r18", new ModelOptions(5));
        string[] norms = [.. network.NamedModules().Where(m => m.Module is BatchNorm).Select(m => m.Name)];
        var plan = ParameterPlan.For(network, new ParameterRules { PartialBatchNorm = true });
        Assert.Equal(norms[1..], plan.FrozenBatchNorms);
        Assert.Equal(2 * (norms.Length - 1), plan.Frozen.Count);
        Assert.Contains(plan.Groups.SelectMany(g => g.Parameters), p => p.Name == norms[0] + ".weight");
        plan.Apply();
        network.Train();
        Assert.Equal([norms[0]], network.NamedModules().Where(m => m.Module is BatchNorm { IsTraining: true }).Select(m => m.Name));
    }

    [Fact]
    public void For_Mistakes_SaysWhatIsExpected()
    {
        using var network = new TinyNetwork(new ModelOptions(3));
        Assert.Contains("'stage.*'", Mistake(new ParameterRules { Frozen = ["stage.*"] }), StringComparison.Ordinal);
        Assert.Contains("all 5 frozen", Mistake(new ParameterRules { Frozen = ["*"] }), StringComparison.Ordinal);
        Assert.Contains("(0, 1]", Mistake(new ParameterRules { LayerDecay = 1.5 }), StringComparison.Ordinal);
        Assert.Contains("from 0 on", Mistake(new ParameterRules { WeightDecay = -1 }), StringComparison.Ordinal);

        string Mistake(ParameterRules rules) => Assert.Throws<ConfigException>(() => ParameterPlan.For(network, rules)).Message;
    }

    private static Dictionary<string, ParameterGroup> Groups(VideoNetwork network, ParameterRules rules) =>
        ParameterPlan.For(network, rules).Groups.SelectMany(g => g.Parameters.Select(p => (p.Name, Group: g))).ToDictionary(p => p.Name, p => p.Group);
}
