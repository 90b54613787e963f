using Kinora.Tensors;

namespace Kinora.Training.Tests;

/// <summary>The original's way is proved by <see cref="OptimizerGoldenTests"/>; this is what happens to leftover batches.</summary>
[Collection(ComputeTests.Name)]
public sealed class GradientAccumulationTests
{
    [Theory]
    [InlineData(LeftoverBatches.Step)]
    [InlineData(LeftoverBatches.Drop)]
    public void Epoch_FiveBatchesOfTwo_StepsAlongMeansAndTreatsTheLastAsAsked(LeftoverBatches leftover)
    {
        using var scope = new TensorScope();
        Tensor p = Tensor.Zeros([1], DType.Float64);
        p.RequiresGrad = true;
        using var sgd = new Sgd([new ParameterGroup([("p", p)])], momentum: 0);
        var accumulation = new GradientAccumulation(sgd, 2, leftover);
        var steps = new List<double>();
        for (int batch = 1; batch <= 5; batch++)
        {
            accumulation.Divide((p * batch).Sum()).Backward();
            if (accumulation.Add())
            {
                Step();
            }
        }

        Assert.Equal(1, accumulation.Pending);
        if (accumulation.EndEpoch())
        {
            Step();
        }

        Assert.Equal(0, accumulation.Pending);
        Assert.Null(p.Grad);
        Assert.Equal(leftover == LeftoverBatches.Step ? [1.5, 3.5, 5] : [1.5, 3.5], steps);

        void Step()
        {
            double before = p.ToDouble();
            sgd.Step(1);
            accumulation.Clear();
            steps.Add(before - p.ToDouble());
        }
    }
}
