using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Models.Tests;

/// <summary>Training as <c>kinora train</c> does it on processors with bfloat16: autocast, weights channels-last.</summary>
public sealed class MixedPrecisionTests
{
    private const int Size = 64;
    private const int Frames = 4;

    public static TheoryData<string> Names => ["pptsm_mobilenet_v2", "pptsm_mobilenet_v3", "pptsm_mobilenet_v3_small", "movinet_a0"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Train_BFloat16ChannelsLast_StaysFiniteAndLearns(string name)
    {
        using var scope = new TensorScope();
        using VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(3, Frames, Size, Seed: 5, Dropout: 0));
        network.ToMemoryFormat(MemoryFormat.ChannelsLast);
        using var optimizer = new Sgd(network.ParameterGroups(1e-4));
        Tensor clips = Tensor.From<float>([.. GoldenFormula.Clip(3, Frames, 3, Size, Size).Select(v => (float)v)], [3, Frames, 3, Size, Size]);
        Tensor labels = Tensor.From<long>([0, 1, 2], [3]);

        double[] losses = [.. Enumerable.Range(0, 6).Select(_ => Step())];

        Console.WriteLine(string.Join(' ', losses));
        Assert.All(losses, loss => Assert.True(double.IsFinite(loss), $"{loss}"));
        Assert.True(losses[^1] < 0.9 * losses[0], string.Join(' ', losses));
        Assert.All(network.StateDict(), t => Assert.True(t.Value.ToArray<float>().All(float.IsFinite), t.Name));

        double Step()
        {
            using var inner = new TensorScope();
            Tensor loss;
            using (Autocast.BFloat16())
            {
                loss = F.CrossEntropy(network.Forward(clips).To(DType.Float32), labels);
            }

            loss.Backward();
            Assert.True(double.IsFinite(optimizer.ClipGradientNorm(40)));
            optimizer.Step(0.02);
            optimizer.ZeroGrad();
            return loss.ToDouble();
        }
    }
}
