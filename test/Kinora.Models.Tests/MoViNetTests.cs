using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Models.Tests;

public sealed class MoViNetTests
{
    [Fact]
    public void CountParameters_PublishedClasses_GivesThePublishedNumber()
    {
        using MoViNet network = MoViNet.Base(400);
        Assert.Equal(2_701_999, network.CountParameters());
    }

    [Fact]
    public void Alpha_FromScratch_IsZeroAndTheFirstStepOpensTheBranches()
    {
        using var scope = new TensorScope();
        using var network = new MoViNet(new ModelOptions(5, Seed: 1));
        using var optimizer = new Sgd(network.ParameterGroups(0));
        (string Name, Tensor Value)[] factors = [.. network.NamedParameters().Where(p => p.Name.EndsWith(".alpha", StringComparison.Ordinal))];
        Tensor branch = network.NamedParameters().Single(p => p.Name == "blocks.6.depthwise.conv.weight").Value;
        Assert.Equal(15, factors.Length);
        Assert.All(factors, p => Assert.Equal([0f], p.Value.ToArray<float>()));

        Backward();
        Assert.All(branch.Grad!.ToArray<float>(), v => Assert.Equal(0, v));
        optimizer.Step(0.1);
        optimizer.ZeroGrad();
        Assert.All(factors, p => Assert.NotEqual(0, p.Value.ToArray<float>()[0]));

        Backward();
        Assert.Contains(branch.Grad!.ToArray<float>(), v => v != 0);

        void Backward() => F.CrossEntropy(network.Forward(Clip(2, 4, 64)), Tensor.From<long>([1, 3], [2])).Backward();
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.9)]
    public void NormMomentum_OneBatch_IsItsShareInTheRunningStatistics(double momentum)
    {
        using var scope = new TensorScope();
        using var network = new MoViNet(new ModelOptions(5, Seed: 1), momentum);
        network.To(DType.Float64);
        using IDisposable noGrad = Grad.Disable();
        using var watch = new LayerWatch(network);

        network.Forward(Clip(2, 3, 64).To(DType.Float64));

        double[] values = watch.Outputs["stem.conv"].Permute(1, 0, 2, 3, 4).Contiguous().ToArray<double>();
        double[] means = [.. values.Chunk(values.Length / 8).Select(channel => channel.Average())];
        double[] running = network.StateDict().Single(t => t.Name == "stem.bn.running_mean").Value.ToArray<double>();
        Tolerance.Close([.. means.Select(m => momentum * m)], running, 1e-6, "running mean");
    }

    [Fact]
    public void Forward_OtherThanTheNamedFrames_IsOneView()
    {
        using var scope = new TensorScope();
        using var named = new MoViNet(new ModelOptions(5, Frames: 4, Seed: 1));
        using var published = MoViNet.Base(5);
        published.LoadStateDict(named.StateDict());
        named.Eval();
        published.Eval();
        using IDisposable noGrad = Grad.Disable();

        float[] expected = named.Forward(Clip(1, 4, 47)).ToArray<float>();

        Assert.Equal(50, published.Frames);
        Assert.Equal(expected, published.Forward(Clip(1, 4, 47)).ToArray<float>());
        Assert.Equal([1, 5], published.Forward(Clip(1, 7, 47)).Shape.ToArray());
    }

    private static Tensor Clip(int views, int frames, int size) =>
        Tensor.From<float>([.. GoldenFormula.Clip(views, frames, 3, size, size).Select(v => (float)v)], [views, frames, 3, size, size]);
}
