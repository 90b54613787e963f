namespace Kinora.Tensors.Tests.Modules;

/// <summary>The mechanism; Kinora.Models.Tests proves it on networks.</summary>
public sealed class GradientCheckpointTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Run_DropoutAndBatchNorm_SameBitsAsWithout(bool inputHasGradient)
    {
        (float[][] Gradients, float[] Statistics) plain = Train(checkpoint: false, inputHasGradient), again = Train(checkpoint: true, inputHasGradient);
        Assert.Equal(plain.Gradients, again.Gradients);
        Assert.Equal(plain.Statistics, again.Statistics);
    }

    [Fact]
    public void Run_InsideAnother_SameBitsAsWithout()
    {
        float[][] gradients = [.. new[] { 0, 2 }.Select(depth =>
        {
            using var scope = new TensorScope();
            using var linear = Linear();
            Tensor x = Tensor.Ones([2, 4]);
            x.RequiresGrad = true;
            Nested(linear, x, depth).Square().Sum().Backward();
            return x.Grad!.ToArray<float>();
        })];
        Assert.Equal(gradients[0], gradients[1]);

        static Tensor Nested(Linear linear, Tensor x, int depth) => depth == 0
            ? linear.Forward(linear.Forward(x).Tanh())
            : GradientCheckpoint.Run(linear, x, input => Nested(linear, input, depth - 1));
    }

    [Fact]
    public void Run_NoGradientsWanted_ComputesOnce()
    {
        using var scope = new TensorScope();
        using var linear = Linear();
        int runs = 0;
        using (Grad.Disable())
        {
            Assert.False(GradientCheckpoint.Run(linear, Tensor.Ones([1, 4]), Forward).RequiresGrad);
        }

        linear.Weight.RequiresGrad = false;
        linear.Bias!.RequiresGrad = false;
        Assert.False(GradientCheckpoint.Run(linear, Tensor.Ones([1, 4]), Forward).RequiresGrad);
        Assert.Equal(2, runs);

        Tensor Forward(Tensor x)
        {
            runs++;
            return linear.Forward(x);
        }
    }

    [Fact]
    public void Run_PartFailsInTheBackwardPass_ThrowsWhatItThrew()
    {
        using var scope = new TensorScope();
        using var linear = Linear();
        int runs = 0;
        Tensor y = GradientCheckpoint.Run(linear, Tensor.Ones([1, 4]), x => runs++ == 0 ? linear.Forward(x) : throw new TimeoutException("second time"));
        Assert.Equal("second time", Assert.Throws<TimeoutException>(() => y.Sum().Backward()).Message);

        // The thread is as good as before.
        GradientCheckpoint.Run(linear, Tensor.Ones([1, 4]), linear.Forward).Sum().Backward();
        Assert.NotNull(linear.Weight.Grad);
        Assert.Throws<ShapeException>(() => GradientCheckpoint.Run(linear, Tensor.Ones([1, 5]), linear.Forward));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Run_GraphGone_NothingStays(bool backward)
    {
        using var linear = Linear();
        Step(); // gradients and lazily made things
        long tensors = Torch.LiveTensors, bytes = Torch.LiveBytes;
        for (int i = 0; i < 100; i++)
        {
            Step();
        }

        // Finalisers of earlier tests may free some meanwhile.
        Assert.InRange(Torch.LiveTensors, 0, tensors + 16);
        Assert.InRange(Torch.LiveBytes, 0, bytes + 1024);

        void Step()
        {
            using var scope = new TensorScope();
            Tensor y = GradientCheckpoint.Run(linear, Tensor.Ones([1, 4]), linear.Forward);
            if (backward)
            {
                y.Sum().Backward();
            }
        }
    }

    private static (float[][] Gradients, float[] Statistics) Train(bool checkpoint, bool inputHasGradient)
    {
        using var scope = new TensorScope();
        var norm = new BatchNorm(6);
        using var part = new Sequential(new Conv2d(3, 6, 3), norm, new Dropout(0.3), new DropPath(0.2));
        foreach ((string name, Tensor value) in part.NamedParameters().Where(p => p.Value.Rank > 1))
        {
            Initializers.Normal(value, new CounterRandom(1, name), 0.2);
        }

        Tensor x = Tensor.Zeros([4, 3, 9, 9]);
        Initializers.Normal(x, new CounterRandom(2, "x"), 1);
        x.RequiresGrad = inputHasGradient;
        part.SetRandomKey(3, 0, 1);

        // Twice in one pass: the second run draws other numbers, and each backward pass its own ones.
        Tensor y = Run(x).Square().Mean() + (Run(x * 2).Tanh() * 3).Sum();
        y.Backward();
        float[][] gradients = [.. part.NamedParameters().Select(p => p.Value.Grad!.ToArray<float>()), x.Grad?.ToArray<float>() ?? []];
        Assert.Equal(inputHasGradient, x.Grad is not null);
        return (gradients, [.. norm.RunningMean.ToArray<float>(), .. norm.RunningVariance.ToArray<float>(), .. Run(x).ToArray<float>()]);

        Tensor Run(Tensor input) => checkpoint ? GradientCheckpoint.Run(part, input, part.Forward) : part.Forward(input);
    }

    private static Linear Linear()
    {
        var linear = new Linear(4, 4);
        Initializers.Normal(linear.Weight, new CounterRandom(1, "w"), 0.5);
        return linear;
    }
}
