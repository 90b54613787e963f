using Kinora.Tensors;

namespace Kinora.Training.Tests;

[Collection(ComputeTests.Name)]
public sealed class WeightAverageTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Update_SeveralSteps_IsTheRecurrenceForWeightsAndStatistics(bool warmUp)
    {
        using var scope = new TensorScope();
        using var net = new GoldenNet();
        using var average = new WeightAverage(net, 0.75, warmUp);
        Dictionary<string, double[]> expected = Values(net.StateDict());
        for (int step = 0; step < 6; step++)
        {
            double decay = warmUp ? Math.Min(0.75, (1.0 + step) / (10 + step)) : 0.75;
            Assert.Equal(decay, average.Decay);
            Disturb(net, step);
            average.Update();
            foreach ((string name, double[] now) in Values(net.StateDict()))
            {
                expected[name] = [.. expected[name].Zip(now, (a, w) => (decay * a) + ((1 - decay) * w))];
            }
        }

        Dictionary<string, double[]> found = Values(average.StateDict());
        Assert.Equal(6, found["steps"][0]);
        foreach ((string name, double[] values) in expected)
        {
            Assert.Equal(values, found["average." + name], (a, b) => Math.Abs(a - b) <= 1e-12 * Math.Max(1, Math.Abs(a)));
        }
    }

    [Fact]
    public void Swap_ThereAndBack_ExchangesWithoutAllocatingAndTrainingGoesOn()
    {
        using var scope = new TensorScope();
        using var net = new GoldenNet();
        using var average = new WeightAverage(net, 0.5, warmUp: false);
        Disturb(net, 1);
        average.Update();
        Dictionary<string, double[]> weights = Values(net.StateDict()), averages = Values(average.StateDict());
        long live = Torch.LiveTensors;
        for (int i = 0; i < 100; i++)
        {
            using (average.Swap())
            {
                Assert.All(Values(net.StateDict()), w => Assert.Equal(averages["average." + w.Key], w.Value));
                Assert.Throws<InvalidOperationException>(() => average.Update());
                Assert.Throws<InvalidOperationException>(() => average.Swap());
            }

            Assert.All(Values(net.StateDict()), w => Assert.Equal(weights[w.Key], w.Value));
        }

        Assert.InRange(Torch.LiveTensors, 0, live + 64); // other tests may hold some
        new CrossEntropyLoss().Compute(net.Forward(GoldenNet.Batch(0, 8).Images), Targets.Classes([0, 1, 2, 0])).Backward();
        Assert.All(net.NamedParameters(), p => Assert.NotNull(p.Value.Grad));
    }

    [Fact]
    public void LoadStateDict_SavedState_ContinuesBitForBit()
    {
        using var scope = new TensorScope();
        using var net = new GoldenNet(DType.Float32);
        using var straight = new WeightAverage(net);
        WeightAverage? resumed = null;
        for (int step = 0; step < 6; step++)
        {
            Disturb(net, step);
            straight.Update();
            resumed?.Update();
            if (step == 2)
            {
                resumed = new WeightAverage(net);
                resumed.LoadStateDict(straight.StateDict());
            }
        }

        using (resumed)
        {
            Assert.Equal(Values(straight.StateDict()), Values(resumed!.StateDict()));
            Assert.Throws<CheckpointException>(() => resumed.LoadStateDict(straight.StateDict().Skip(1)));
            Assert.Throws<CheckpointException>(() => resumed.LoadStateDict(straight.StateDict().Append(("average.more", Tensor.Zeros([1])))));
        }
    }

    private static Dictionary<string, double[]> Values(IEnumerable<(string Name, Tensor Value)> tensors) =>
        tensors.ToDictionary(t => t.Name, t => t.Value.ToArray<double>());

    private static void Disturb(Module net, int step)
    {
        using IDisposable mode = Grad.Disable();
        foreach ((string name, Tensor value) in net.StateDict())
        {
            Tensor noise = Tensor.Zeros(value.Shape);
            Initializers.Normal(noise, new CounterRandom(3, 0, step, name), 0.1);
            value.AddInPlace(noise.To(value.DType));
        }
    }
}
