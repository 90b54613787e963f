using Kinora.Tensors;

namespace Kinora.Models.Tests;

/// <summary>PP-TSM on MobileNets, beyond what the golden files and the catalogue's tests cover.</summary>
public sealed class MobileNetTests
{
    [Theory]
    [InlineData("pptsm_mobilenet_v2", 400, 2_737_360, 0)]
    [InlineData("pptsm_mobilenet_v3", 400, 4_711_606, 0)]
    [InlineData("pptsm_mobilenet_v3_small", 1000, 2_940_000, 5_000)] // as PaddleClas counts for ImageNet: 2.94 M
    public void CountParameters_PublishedClasses_GivesThePublishedNumber(string name, int classes, long expected, long rounding)
    {
        using VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(classes));
        Assert.InRange(network.CountParameters(), expected - rounding, expected + rounding);
    }

    [Theory]
    [InlineData("pptsm_mobilenet_v2", false)]
    [InlineData("pptsm_mobilenet_v3", true)]
    [InlineData("pptsm_mobilenet_v3_small", true)]
    public void RuleFor_BatchNorms_FollowsTheRecipe(string name, bool spared)
    {
        using VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(2));
        Assert.All(network.NamedParameters(), p => Assert.Equal(
            spared && p.Name.Contains(".bn.", StringComparison.Ordinal) ? ParameterRule.NoDecay : ParameterRule.Default,
            network.RuleFor(p.Name)));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public void Forward_MovedFrame_ReachesItsNeighboursThroughTheShift(int frames)
    {
        // Frames meet in the shift and in the average alone: features before the average show how far one frame is seen.
        using var scope = new TensorScope();
        using VideoNetwork network = PpTsmMobileNetV2.Base(3, frames);
        network.To(DType.Float64);
        network.Eval();
        using IDisposable noGrad = Grad.Disable();
        using var watch = new LayerWatch(network);
        double[] clip = new double[frames * 3 * 32 * 32];
        double[] before = Features();
        Array.Fill(clip, 1, 4 * 3 * 32 * 32, 3 * 32 * 32);

        double[] after = Features();

        // Ten shifted units, the last of them in the stage before the last one: a step each.
        bool[] moved = [.. before.Zip(after, (a, b) => a != b).Chunk(before.Length / frames).Select(frame => frame.Any(m => m))];
        Assert.Equal(Enumerable.Range(0, frames).Select(t => Math.Abs(t - 4) <= 10), moved);

        double[] Features()
        {
            network.Forward(Tensor.From<double>(clip, [1, frames, 3, 32, 32]));
            return watch.Outputs["pool"].ToArray<double>();
        }
    }
}
