using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Models.Tests;

public sealed class SlowFastTests
{
    // A quarter of the channels, which is quick; all rules are the same.
    private static readonly SlowFastOptions Narrow = SlowFastOptions.FourBySixteen with { Beta = 4, Width = 16 };

    [Theory]
    [InlineData(8, 32, new long[] { 0, 10, 20, 31 })]
    [InlineData(4, 32, new long[] { 0, 4, 8, 13, 17, 22, 26, 31 })]
    [InlineData(8, 8, new long[] { 0 })]
    [InlineData(8, 16, new long[] { 0, 15 })]
    [InlineData(4, 16, new long[] { 0, 5, 10, 15 })]
    [InlineData(1, 3, new long[] { 0, 1, 2 })]
    public void SlowFrames_OriginalForm_AreSpreadFromFirstToLast(int alpha, int frames, long[] expected)
    {
        using var network = new SlowFast(new ModelOptions(3, frames, 32), Narrow with { Alpha = alpha });
        Assert.Equal(expected, network.SlowFrames);
    }

    [Fact]
    public void SlowFrames_MmActionForm_AreEveryAlphaTh()
    {
        using var network = new SlowFast(new ModelOptions(3, 32, 32), Narrow with { Form = SlowFastForm.MmAction });
        Assert.Equal([0, 8, 16, 24], network.SlowFrames);
    }

    [Fact]
    public void SlowFrames_ManyFrames_AreNumpysLinspaceCutToIntegers()
    {
        // i·(T − 1)/(n − 1) is a whole number at i = 7 here, and must not be rounded to the one below.
        using var network = new SlowFast(new ModelOptions(3, 400, 32), Narrow);
        Assert.Equal(57, network.SlowFrames[7]);
        Assert.Equal(399, network.SlowFrames[^1]);
        Assert.Equal(50, network.SlowFrames.Distinct().Count());
    }

    [Theory]
    [InlineData(64, 64, 1, 1)]
    [InlineData(64, 96, 2, 2)]
    [InlineData(64, 40, 1, 1)]
    [InlineData(75, 75, 2, 2)]
    [InlineData(32, 65, 3, 3)]
    public void Forward_LargerPicture_AveragesProbabilitiesOfPositions(int builtFor, int size, int rows, int columns)
    {
        using var scope = new TensorScope();
        using SlowFast network = Trained(new ModelOptions(5, 8, builtFor, Seed: 2), Narrow);
        network.Eval();
        using IDisposable noGrad = Grad.Disable();
        Tensor clips = Clips(2, 8, size);
        double[] logits;
        Tensor positions;
        using (var watch = new LayerWatch(network))
        {
            logits = network.Forward(clips).Softmax(1).ToArray<double>();
            positions = watch.Outputs["projection"].Clone();
        }

        Assert.Equal([2, 1, rows, columns, 5], positions.Shape.ToArray());
        Tolerance.Close(positions.Softmax(4).Mean([1, 2, 3]).ToArray<double>(), logits, 1e-12, "probabilities");
    }

    [Fact]
    public void Forward_LargerPictureInTraining_AveragesLogits()
    {
        using var scope = new TensorScope();
        using SlowFast network = Trained(new ModelOptions(5, 8, 32, Dropout: 0), Narrow);
        using var watch = new LayerWatch(network);
        double[] logits = network.Forward(Clips(2, 8, 64)).ToArray<double>();
        Tolerance.Close(watch.Outputs["projection"].Mean([1, 2, 3]).ToArray<double>(), logits, 1e-12, "logits");
    }

    [Fact]
    public void Forward_MmActionForm_PoolsThePictureAndPutsTheFastPathFirst()
    {
        using var scope = new TensorScope();
        using SlowFast network = Trained(new ModelOptions(5, 8, 32), Narrow with { Form = SlowFastForm.MmAction });
        network.Eval();
        using IDisposable noGrad = Grad.Disable();
        using var watch = new LayerWatch(network);

        double[] logits = network.Forward(Clips(2, 8, 64)).ToArray<double>();

        Assert.DoesNotContain(network.StateDict(), t => t.Name.Contains("fusion.bn", StringComparison.Ordinal));
        Tensor features = Tensor.Concat([watch.Outputs["stages.4.fast"].Mean([2, 3, 4]), watch.Outputs["stages.4.slow"].Mean([2, 3, 4])], 1);
        var state = network.StateDict().ToDictionary(t => t.Name, t => t.Value);
        Tolerance.Close(F.Linear(features, state["projection.weight"], state["projection.bias"]).ToArray<double>(), logits, 1e-12, "logits");
    }

    [Fact]
    public void Forward_SeveralViews_AveragesTheirProbabilities()
    {
        using var scope = new TensorScope();
        using SlowFast network = Trained(new ModelOptions(5, 8, 32), Narrow);
        network.Eval();
        using IDisposable noGrad = Grad.Disable();
        Tensor clips = Clips(2, 24, 64);

        double[] together = network.Forward(clips).Softmax(1).ToArray<double>();

        double[][] views = [.. Enumerable.Range(0, 3).Select(v => network.Forward(clips.Slice(1, 8 * v, 8 * (v + 1))).Softmax(1).ToArray<double>())];
        Assert.All(together.Index(), p => Assert.Equal(views.Average(view => view[p.Index]), p.Item, 1e-9));
    }

    [Fact]
    public void Forward_BothPathsGiven_EqualsTheClipTheyComeFrom()
    {
        using var scope = new TensorScope();
        using SlowFast network = Trained(new ModelOptions(5, 16, 32), Narrow);
        network.Eval();
        using IDisposable noGrad = Grad.Disable();
        Tensor clips = Clips(2, 16, 32);
        Tensor slow = clips.IndexSelect(1, Tensor.From<long>([.. network.SlowFrames], [network.SlowFrames.Count]));

        Assert.Equal(network.Forward(clips).ToArray<double>(), network.Forward(slow, clips).ToArray<double>());
        var e = Assert.Throws<ShapeException>(() => network.Forward(clips, slow));
        Assert.Contains("slow frames [N, 2, 3, H, W]", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("slowfast_4x16_r50", 34_480_216)]
    [InlineData("slowfast_8x8_r50", 34_566_488)]
    public void Create_KineticsClasses_HasTheReferencesNumberOfParameters(string name, long expected)
    {
        using VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(400));
        Assert.Equal(expected, network.CountParameters());
        Assert.Equal(name, network.Name);
    }

    [Fact]
    public void Create_FramesThatAreNoMultipleOfAlpha_SaysSo()
    {
        var e = Assert.Throws<ConfigException>(() => ModelCatalog.Create("slowfast_4x16_r50", new ModelOptions(3, Frames: 12)));
        Assert.Contains("frames: expected a multiple of 8", e.Message, StringComparison.Ordinal);
        Assert.Contains("found 12", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 5, 8, 64, 2, "alpha")]
    [InlineData(8, 4, 8, 64, 2, "fusion kernel")]
    [InlineData(8, 5, 0, 64, 2, "beta")]
    [InlineData(8, 5, 8, 60, 2, "width")]
    [InlineData(8, 5, 8, 64, 0, "fusion ratio")]
    public void Create_ShapeOutOfRange_NamesIt(int alpha, int kernel, int beta, int width, int ratio, string key)
    {
        var shape = new SlowFastOptions(alpha, kernel, Beta: beta, Width: width, FusionRatio: ratio);
        Assert.Contains(key, Assert.Throws<ConfigException>(() => new SlowFast(new ModelOptions(3), shape)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Forward_FramesThatAreNoMultipleOfT_SaysWhatIsExpected()
    {
        using var scope = new TensorScope();
        using var network = new SlowFast(new ModelOptions(3, 16, 32), Narrow);
        var e = Assert.Throws<ShapeException>(() => network.Forward(Tensor.Zeros([1, 24, 3, 32, 32])));
        Assert.Contains("views·16", e.Message, StringComparison.Ordinal);
    }

    // Weights away from their initial ones, which make blocks identities and logits all but equal.
    private static SlowFast Trained(ModelOptions options, SlowFastOptions shape)
    {
        var network = new SlowFast(options, shape);
        network.To(DType.Float64);
        foreach ((string name, Tensor value) in network.StateDict())
        {
            double[] values = GoldenFormula.Weight(
                name.Replace("running_mean", "_mean", StringComparison.Ordinal).Replace("running_var", "_variance", StringComparison.Ordinal), value.Shape.ToArray());
            value.CopyFrom<double>(values);
        }

        return network;
    }

    private static Tensor Clips(int videos, int frames, int size) =>
        Tensor.From<double>(GoldenFormula.Clip(videos, frames, 3, size, size), [videos, frames, 3, size, size]);
}
