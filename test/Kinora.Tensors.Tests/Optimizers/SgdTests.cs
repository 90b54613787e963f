namespace Kinora.Tensors.Tests.Optimizers;

/// <summary>Steps by hand, groups, state, and independence of memory formats and threads.</summary>
public sealed class SgdTests : IDisposable
{
    private readonly TensorScope _scope = new();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Step_TwoSteps_MatchesTheRule(bool nesterov)
    {
        Tensor p = Parameter([1, -2]);
        using var sgd = new Sgd([new ParameterGroup([("p", p)], 2, 0.1)], 0.5, nesterov);
        double[] expected = [1, -2], velocity = [0, 0];
        double decay = (float)0.1;
        for (int step = 0; step < 2; step++)
        {
            double[] gradient = [0.3, 0.7 * step];
            p.Grad = Tensor.From<double>(gradient);
            sgd.Step(0.01);
            for (int i = 0; i < 2; i++)
            {
                double g = gradient[i] + (decay * expected[i]);
                velocity[i] = (0.5 * velocity[i]) + g;
                expected[i] -= 0.02 * (nesterov ? g + (0.5 * velocity[i]) : velocity[i]);
            }
        }

        Assert.Equal(expected, p.ToArray<double>());
    }

    [Fact]
    public void Step_NoGradient_LeavesTheParameterAlone()
    {
        Tensor p = Parameter([1]), q = Parameter([1]);
        using var sgd = new Sgd([new ParameterGroup([("p", p), ("q", q)], 1, 0.1)]);
        q.Grad = Tensor.From<double>([1]);
        sgd.Step(0.1);
        Assert.Equal(1, p.ToDouble());
        Assert.NotEqual(1, q.ToDouble());
        Assert.Equal(["velocity.q"], sgd.StateDict().Select(item => item.Name));
        sgd.ZeroGrad();
        Assert.Null(q.Grad);
    }

    [Fact]
    public void ClipGradientNorm_AboveLimit_ScalesAll()
    {
        Tensor p = Parameter([0]), q = Parameter([0, 0]);
        using var sgd = new Sgd([new ParameterGroup([("p", p), ("q", q)])]);
        p.Grad = Tensor.From<double>([3]);
        q.Grad = Tensor.From<double>([0, 4]);
        Assert.Equal(5, sgd.ClipGradientNorm(double.PositiveInfinity));
        Assert.Equal(5, sgd.ClipGradientNorm(10));
        Assert.Equal([3.0], p.Grad!.ToArray<double>());
        Assert.Equal(5, sgd.ClipGradientNorm(1));
        Assert.Equal([0, 0.8], q.Grad!.ToArray<double>().Select(v => Math.Round(v, 12)));
        Assert.Equal(1, sgd.ClipGradientNorm(1), 1e-12);
    }

    [Fact]
    public void Norm_AnyNumberOfThreads_SameBits()
    {
        Tensor p = Tensor.Zeros([300, 1000]);
        p.RequiresGrad = true;
        using var sgd = new Sgd([new ParameterGroup([("p", p)])]);
        Tensor gradient = Tensor.Zeros([300, 1000]);
        Initializers.Normal(gradient, new CounterRandom(1, "g"), 1);
        p.Grad = gradient;
        int threads = Torch.Threads;
        try
        {
            Torch.Threads = 1;
            double one = sgd.ClipGradientNorm(double.PositiveInfinity);
            Torch.Threads = 2;
            Assert.Equal(one, sgd.ClipGradientNorm(double.PositiveInfinity));
        }
        finally
        {
            Torch.Threads = threads;
        }
    }

    [Fact]
    public void Step_GradientInAnotherMemoryFormat_MovesTheRightElements()
    {
        Tensor p = Tensor.Zeros([2, 3, 2, 2]).Contiguous(MemoryFormat.ChannelsLast);
        p.RequiresGrad = true;
        using var sgd = new Sgd([new ParameterGroup([("p", p)])], 0.9);
        Tensor gradient = Tensor.Arange(24, DType.Float32).Reshape(2, 3, 2, 2);
        sgd.LoadStateDict([("velocity.p", Tensor.Arange(24, DType.Float32).Reshape(2, 3, 2, 2) * 10)]);
        p.Grad = gradient;
        sgd.Step(1);
        float[] expected = [.. Enumerable.Range(0, 24).Select(i => -((0.9f * (10f * i)) + i))];
        Assert.Equal(expected, p.ToArray<float>());
        Assert.Equal(expected, sgd.StateDict().Single().Value.ToArray<float>().Select(v => -v));
    }

    [Fact]
    public void LoadStateDict_SavedState_ContinuesBitForBit()
    {
        float[] straight = Train(null, 6).Values;
        (float[] half, Sgd? state) = Train(null, 3, keep: true);
        (float[] resumed, _) = Train((half, state!), 3);
        state!.Dispose();
        Assert.Equal(straight, resumed);

        static (float[] Values, Sgd? State) Train((float[] Values, Sgd State)? start, int steps, bool keep = false)
        {
            Tensor p = Tensor.From<float>(start?.Values ?? [1, 2, 3]);
            p.RequiresGrad = true;
            var sgd = new Sgd([new ParameterGroup([("p", p)], 1, 1e-3)], 0.9, nesterov: true);
            if (start is not null)
            {
                sgd.LoadStateDict(start.Value.State.StateDict());
            }

            for (int i = 0; i < steps; i++)
            {
                sgd.ZeroGrad();
                (p.Square() * p).Sum().Backward();
                sgd.Step(0.01);
            }

            float[] values = p.ToArray<float>();
            if (!keep)
            {
                sgd.Dispose();
            }

            return (values, keep ? sgd : null);
        }
    }

    [Fact]
    public void LoadStateDict_UnknownOrMisshapen_Throws()
    {
        Tensor p = Parameter([1]);
        using var sgd = new Sgd([new ParameterGroup([("p", p)])]);
        Assert.Throws<CheckpointException>(() => sgd.LoadStateDict([("velocity.q", Tensor.Zeros([1]))]));
        Assert.Throws<CheckpointException>(() => sgd.LoadStateDict([("velocity.p", Tensor.Zeros([2]))]));
    }

    [Fact]
    public void Constructor_NameTwice_Throws()
    {
        Tensor p = Parameter([1]);
        Assert.Throws<ArgumentException>(() => new Sgd([new ParameterGroup([("p", p)]), new ParameterGroup([("p", p)])]));
    }

    private static Tensor Parameter(double[] values)
    {
        Tensor p = Tensor.From<double>(values);
        p.RequiresGrad = true;
        return p;
    }
}
