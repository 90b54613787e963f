namespace Kinora.Tensors.Tests.Optimizers;

/// <summary>What all optimisers have in common; their rules are proved against recordings in Kinora.Training.Tests.</summary>
public sealed class OptimizerTests : IDisposable
{
    private readonly TensorScope _scope = new();

    public static TheoryData<string> Kinds() => ["sgd", "nesterov", "rmsprop", "rmsprop centred", "adam", "adamw"];

    public void Dispose() => _scope.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Step_AnyNumberOfThreads_SameBits(string kind)
    {
        int threads = Torch.Threads;
        try
        {
            Torch.Threads = 1;
            float[] one = Train(kind, 4);
            Torch.Threads = 2;
            Assert.Equal(one, Train(kind, 4));
        }
        finally
        {
            Torch.Threads = threads;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void LoadStateDict_SavedState_ContinuesBitForBit(string kind)
    {
        float[] straight = Train(kind, 6);
        Tensor p = Start();
        using Optimizer first = Create(kind, p);
        Continue(first, p, 0, 3);
        using Optimizer second = Create(kind, p);
        second.LoadStateDict(first.StateDict());
        Continue(second, p, 3, 6);
        Assert.Equal(straight, p.ToArray<float>());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Step_Float32_FollowsFloat64(string kind)
    {
        float[] single = Train(kind, 5);
        double[] twice = [.. TrainDouble(kind, 5)];
        Assert.All(single.Zip(twice), pair => Assert.Equal(pair.Second, pair.First, 1e-5));
        Assert.NotEqual(Start().ToArray<float>(), single);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Step_GradientAndStateInAnotherMemoryFormat_SameResult(string kind)
    {
        float[] plain = Train(kind, 3);
        Tensor p = Start().Detach().Contiguous(MemoryFormat.ChannelsLast).Clone();
        p.RequiresGrad = true;
        using Optimizer optimizer = Create(kind, p);
        Continue(optimizer, p, 0, 1);
        Assert.All(optimizer.StateDict().Where(s => s.Value.Rank == 4), s => Assert.True(s.Value.IsChannelsLast));
        Continue(optimizer, p, 1, 3); // the gradients are row by row
        Assert.Equal(plain, p.ToArray<float>());
    }

    [Fact]
    public void LoadStateDict_PartOfAState_ThrowsAndChangesNothing()
    {
        Tensor p = Start();
        using Optimizer adam = Create("adam", p);
        Continue(adam, p, 0, 1);
        float[] moments = adam.StateDict().First().Value.ToArray<float>();
        CheckpointException e = Assert.Throws<CheckpointException>(() => adam.LoadStateDict(adam.StateDict().Take(2)));
        Assert.Contains("'p'", e.Message, StringComparison.Ordinal);
        Assert.Throws<CheckpointException>(() => adam.LoadStateDict(adam.StateDict().Concat(adam.StateDict().Take(1))));
        Assert.Throws<CheckpointException>(() => adam.LoadStateDict([("velocity.p", Tensor.Zeros(p.Shape))]));
        Assert.Equal(["moment1.p", "moment2.p", "steps.p"], adam.StateDict().Select(s => s.Name));
        Assert.Equal(moments, adam.StateDict().First().Value.ToArray<float>());
        adam.LoadStateDict([]);
        Assert.Empty(adam.StateDict());
    }

    [Fact]
    public void Step_ParameterThatMissedSteps_HasItsOwnCount()
    {
        Tensor p = Tensor.Zeros([1], DType.Float64), q = Tensor.Zeros([1], DType.Float64);
        (p.RequiresGrad, q.RequiresGrad) = (true, true);
        using var adam = new Adam([new ParameterGroup([("p", p), ("q", q)])]);
        p.Grad = Tensor.From<double>([1]);
        adam.Step(0.1);
        q.Grad = Tensor.From<double>([1]);
        double before = q.ToDouble();
        adam.Step(0.1);

        // The first step of a parameter goes by the whole rate.
        Assert.Equal(-0.1, q.ToDouble() - before, 1e-8);
        Assert.Equal([2, 1], adam.StateDict().Where(s => s.Name.StartsWith("steps", StringComparison.Ordinal)).Select(s => s.Value.ToDouble()));
    }

    [Fact]
    public void ClipGradientValueAndScale_EveryGradient_ElementByElement()
    {
        Tensor p = Tensor.Zeros([3], DType.Float64), q = Tensor.Zeros([1], DType.Float64);
        (p.RequiresGrad, q.RequiresGrad) = (true, true);
        using var sgd = new Sgd([new ParameterGroup([("p", p), ("q", q)])]);
        p.Grad = Tensor.From<double>([-3, 0.5, 4]);
        sgd.ScaleGradients(0.5);
        Assert.Equal([-1.5, 0.25, 2], p.Grad!.ToArray<double>());
        sgd.ClipGradientValue(1);
        Assert.Equal([-1, 0.25, 1], p.Grad!.ToArray<double>());
        Assert.Null(q.Grad);
    }

    [Fact]
    public void ClipGradientNorm_Overflow_SaysSoAndLeavesTheGradients()
    {
        Tensor p = Tensor.Zeros([2]);
        p.RequiresGrad = true;
        using var sgd = new Sgd([new ParameterGroup([("p", p)])]);
        p.Grad = Tensor.From<float>([1, float.PositiveInfinity]);
        Assert.Equal(double.PositiveInfinity, sgd.ClipGradientNorm(1));
        Assert.Equal(1, p.Grad!.ToArray<float>()[0]);
    }

    [Fact]
    public void Step_L1Decay_LeavesTheGradientAsItWas()
    {
        Tensor p = Tensor.From<double>([2, -1, 0]);
        p.RequiresGrad = true;
        using var sgd = new Sgd([new ParameterGroup([("p", p)], L1Decay: 0.5)], momentum: 0);
        p.Grad = Tensor.From<double>([1, 1, 1]);
        sgd.Step(0.1);
        Assert.Equal([1.85, -1.05, -0.1], p.ToArray<double>().Select(v => Math.Round(v, 12)));
        Assert.Equal([1, 1, 1], p.Grad!.ToArray<double>());
    }

    [Fact]
    public void Constructor_UnfitNumbers_Throws()
    {
        Tensor p = Start();
        Assert.Throws<ArgumentException>(() => new Sgd([new ParameterGroup([("p", p)], DecoupledDecay: 0.1)]));
        Assert.Throws<ArgumentException>(() => new RmsProp([new ParameterGroup([("p", p)], WeightDecay: -1)]));
        Assert.Throws<ArgumentException>(() => new Adam([new ParameterGroup([("p", p)], double.NaN)]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam([], beta1: 1));
    }

    private static Optimizer Create(string kind, Tensor p)
    {
        ParameterGroup[] groups = [new([("p", p)], 2, kind == "adamw" ? 0 : 1e-3, DecoupledDecay: kind == "adamw" ? 0.1 : 0)];
        return kind switch
        {
            "sgd" => new Sgd(groups),
            "nesterov" => new Sgd(groups, nesterov: true),
            "rmsprop" => new RmsProp(groups, 0.9, 0.01, 0.9),
            "rmsprop centred" => new RmsProp(groups, 0.9, 0.01, 0.9, centered: true),
            _ => new Adam(groups),
        };
    }

    private static Tensor Start()
    {
        Tensor p = Tensor.Zeros([3, 40, 20, 20]);
        Initializers.Normal(p, new CounterRandom(5, "start"), 1);
        p.RequiresGrad = true;
        return p;
    }

    private static float[] Train(string kind, int steps)
    {
        Tensor p = Start();
        using Optimizer optimizer = Create(kind, p);
        Continue(optimizer, p, 0, steps);
        return p.ToArray<float>();
    }

    private static double[] TrainDouble(string kind, int steps)
    {
        Tensor p = Start().Detach().To(DType.Float64);
        p.RequiresGrad = true;
        using Optimizer optimizer = Create(kind, p);
        Continue(optimizer, p, 0, steps);
        return p.ToArray<double>();
    }

    private static void Continue(Optimizer optimizer, Tensor p, int first, int stop)
    {
        for (int step = first; step < stop; step++)
        {
            Tensor gradient = Tensor.Zeros(p.Shape);
            Initializers.Normal(gradient, new CounterRandom(6, 0, step, "gradient"), 0.5);
            p.Grad = gradient.To(p.DType);
            optimizer.Step(0.01);
        }
    }
}
