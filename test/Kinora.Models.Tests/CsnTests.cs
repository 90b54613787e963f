using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Models.Tests;

public sealed class CsnTests
{
    // The paper's networks with 400 classes, in millions as the paper and mmaction2 publish them.
    [Theory]
    [InlineData(152, CsnBlock.InteractionReduced, 29.70)]
    [InlineData(50, CsnBlock.InteractionReduced, 13.13)]
    [InlineData(152, CsnBlock.InteractionPreserved, 33.02)]
    public void Create_KineticsClasses_HasThePublishedNumberOfParameters(int depth, CsnBlock block, double millions)
    {
        using var network = new Csn(new ModelOptions(400), depth, block);
        Assert.InRange(network.CountParameters() / 1e6, millions - 0.005, millions + 0.005);
    }

    [Fact]
    public void Create_UnknownDepth_ListsWhatThereIs() =>
        Assert.Contains("50, 101 or 152, found 18", Assert.Throws<ConfigException>(() => new Csn(new ModelOptions(3), 18)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(CsnBlock.InteractionReduced)]
    [InlineData(CsnBlock.InteractionPreserved)]
    public void Forward_EachStage_HalvesThePictureAndTime(CsnBlock block)
    {
        using var scope = new TensorScope();
        using Csn network = Small(block, frames: 9);
        using IDisposable noGrad = Grad.Disable();
        using var watch = new LayerWatch(network);

        double[] logits = network.Forward(Clips(2, 9, 72)).ToArray<double>();

        Assert.Equal([2, 4, 9, 18, 18], watch.Outputs["stem_pool"].Shape.ToArray());
        Assert.Equal([2, 16, 9, 18, 18], watch.Outputs["stages.0"].Shape.ToArray());
        Assert.Equal([2, 32, 5, 9, 9], watch.Outputs["stages.1"].Shape.ToArray());
        Assert.Equal([2, 64, 3, 5, 5], watch.Outputs["stages.2"].Shape.ToArray());
        Assert.Equal(2 * 3, logits.Length);
        Assert.Equal(block == CsnBlock.InteractionPreserved, network.StateDict().Any(t => t.Name == "stages.0.0.interaction.conv.weight"));

        // Depthwise: each channel sees itself.
        Assert.Equal([4, 1, 3, 3, 3], network.StateDict().Single(t => t.Name == "stages.0.0.conv1.conv.weight").Value.Shape.ToArray());
    }

    [Theory]
    [InlineData(CsnBlock.InteractionReduced)]
    [InlineData(CsnBlock.InteractionPreserved)]
    public void Backward_EveryParameter_AgreesWithFiniteDifferences(CsnBlock block)
    {
        using var scope = new TensorScope();
        using Csn network = Small(block, frames: 4);
        Tensor clips = Clips(2, 4, 32);
        Tensor labels = Tensor.From<long>([0, 2], [2]);
        Loss().Backward();

        foreach ((string name, Tensor value) in network.NamedParameters())
        {
            // Along a random direction, so that one difference sees every element.
            var random = new CounterRandom(7, name);
            double[] direction = [.. Enumerable.Range(0, (int)value.Count).Select(_ => random.NextNormal())];
            double expected = value.Grad!.ToArray<double>().Zip(direction, (g, d) => g * d).Sum();
            double[] values = value.ToArray<double>();
            const double Step = 1e-6;
            double Moved(double step)
            {
                using IDisposable noGrad = Grad.Disable();
                value.CopyFrom<double>([.. values.Zip(direction, (v, d) => v + (step * d))]);
                double loss = Loss().ToDouble();
                value.CopyFrom<double>(values);
                return loss;
            }

            double found = (Moved(Step) - Moved(-Step)) / (2 * Step);
            Assert.True(Math.Abs(found - expected) <= 1e-5 * Math.Max(1e-2, Math.Abs(expected)), $"{name}: gradient {expected}, finite difference {found}");
        }

        Tensor Loss() => F.CrossEntropy(network.Forward(clips), labels);
    }

    [Fact]
    public void Norms_EvaluationMode_UseTheReferencesEpsilon()
    {
        using Csn network = Small(CsnBlock.InteractionReduced, frames: 4);
        Assert.All(network.NamedModules().Select(m => m.Module).OfType<BatchNorm>(), norm => Assert.Equal(1e-3, norm.Epsilon));
    }

    [Fact]
    public void Forward_SeveralViews_AveragesTheirProbabilities()
    {
        using var scope = new TensorScope();
        using Csn network = Small(CsnBlock.InteractionReduced, frames: 4);
        network.Eval();
        using IDisposable noGrad = Grad.Disable();
        Tensor clips = Clips(2, 8, 32);

        double[] together = network.Forward(clips).Softmax(1).ToArray<double>();

        double[][] views = [.. Enumerable.Range(0, 2).Select(v => network.Forward(clips.Slice(1, 4 * v, 4 * (v + 1))).Softmax(1).ToArray<double>())];
        Assert.All(together.Index(), p => Assert.Equal(views.Average(view => view[p.Index]), p.Item, 1e-9));
    }

    private static Csn Small(CsnBlock block, int frames)
    {
        var network = new Csn(new ModelOptions(3, frames, 32, Dropout: 0), new Csn.Shape("csn_small", [1, 2, 1], block, Width: 4));
        network.To(DType.Float64);
        using IDisposable noGrad = Grad.Disable();
        foreach ((string name, Tensor value) in network.StateDict().Where(t => t.Value.Rank == 1))
        {
            value.CopyFrom<double>(GoldenFormula.Weight(
                name.Replace("running_mean", "_mean", StringComparison.Ordinal).Replace("running_var", "_variance", StringComparison.Ordinal), value.Shape.ToArray()));
        }

        return network;
    }

    private static Tensor Clips(int videos, int frames, int size) =>
        Tensor.From<double>(GoldenFormula.Clip(videos, frames, 3, size, size), [videos, frames, 3, size, size]);
}
