using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training.Tests.Planning;

[Collection(ComputeTests.Name)]
public sealed class MemoryEstimateTests
{
    [Theory]
    [InlineData("tsm_efficientnet_lite0", Precision.Fp32)]
    [InlineData("tsm_r18", Precision.Fp32)]
    [InlineData("pptsmv2", Precision.Fp32)]
    [InlineData("pptsm_r18", Precision.Fp64)]
    public void OfStep_AgainstARealStep_IsNeitherFarBelowNorFarAbove(string name, Precision precision)
    {
        var config = new TrainingConfig { Model = new ModelConfig { Name = name }, Loop = new LoopConfig { BatchSize = 4, Precision = precision } };
        var options = new ModelOptions(5, 4, 96);
        long estimate = MemoryEstimate.OfStep(config, NetworkCost.Measure(() => ModelCatalog.CreateBlank(name, options)));

        using var scope = new TensorScope();
        Torch.ResetPeakBytes();
        long before = Torch.LiveBytes;
        using VideoNetwork network = ModelCatalog.Create(name, options);
        DType dtype = precision == Precision.Fp64 ? DType.Float64 : DType.Float32;
        network.To(dtype);
        using var optimizer = new Sgd(network.ParameterGroups(0), momentum: 0.9);
        for (int step = 0; step < 2; step++)
        {
            using var inner = new TensorScope();
            Tensor clips = Tensor.Zeros([4, 4, 3, 96, 96], dtype);
            F.CrossEntropy(network.Forward(clips), Tensor.From<long>([0, 1, 2, 3], [4])).Backward();
            optimizer.Step(0.01);
            optimizer.ZeroGrad();
        }

        double ratio = (double)estimate / (Torch.PeakBytes - before);
        Assert.True(ratio is > 0.8 and < 2, $"estimated {estimate / 1e6:0} MB, used {(Torch.PeakBytes - before) / 1e6:0} MB: {ratio:0.00}");
    }

    [Fact]
    public void Warn_TooLarge_SaysHowItFits()
    {
        var config = new TrainingConfig { Model = new ModelConfig { Name = "pptsm_r50" }, Loop = new LoopConfig { BatchSize = 16, Precision = Precision.Fp32 } };
        NetworkCost cost = NetworkCost.Measure("pptsm_r50", new ModelOptions(400));
        long needed = MemoryEstimate.OfStep(config, cost);

        Assert.InRange(needed, 10L << 30, 40L << 30);
        Assert.Null(MemoryEstimate.Warn(config, cost, needed));
        Assert.Null(MemoryEstimate.Warn(config, cost, null));
        Assert.Contains("loop.batchSize=8 with loop.accumulate=2", MemoryEstimate.Warn(config, cost, (long)(0.7 * needed)), StringComparison.Ordinal);
        Assert.Contains("loop.batchSize=1 with loop.accumulate=16", MemoryEstimate.Warn(config, cost, 1L << 30), StringComparison.Ordinal);
    }
}
