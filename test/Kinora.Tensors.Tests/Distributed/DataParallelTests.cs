namespace Kinora.Tensors.Tests;

/// <summary>Processes that share a batch compute what one process computes on the whole of it.</summary>
public sealed class DataParallelTests
{
    private const int Steps = 6, Classes = 4, Batch = 8;

    [Theory]
    [InlineData(2, DType.Float64, 1 << 20, 1e-12)]
    [InlineData(3, DType.Float64, 1, 1e-12)]
    [InlineData(2, DType.Float32, 1 << 10, 2e-5)]
    [InlineData(3, DType.Float32, 1 << 10, 2e-5)]
    public void Steps_SharedBatch_LossesWeightsAndStatisticsOfTheWhole(int size, DType dtype, long bucketBytes, double tolerance)
    {
        // Float32 channels-last images take the quick kernels, float64 the general ones.
        Outcome whole = Train(DistributedContext.Single, dtype, bucketBytes);
        foreach (Outcome shared in Ranks.Run(size, context => Train(context, dtype, bucketBytes)))
        {
            Assert.Equal(Steps, shared.Losses.Length);
            AssertClose(whole.Losses, shared.Losses, tolerance);
            AssertClose(whole.State, shared.State, tolerance);
            Assert.True(bucketBytes != 1 || shared.SentDuringBackward > 0, "no bucket was sent before the backward pass ended");
        }
    }

    [Fact]
    public void Steps_TwoGpus_LossesAndWeightsOfTheProcessor()
    {
        Assert.SkipUnless(ProcessGroup.IsSupported(CommunicationBackend.Nccl) && Device.CudaCount >= 2, "no NCCL: libtorch was built without CUDA, or there are fewer than two GPUs");
        Outcome whole = Train(DistributedContext.Single, DType.Float64, 1 << 10);
        foreach (Outcome shared in Ranks.Run(2, context => Train(context, DType.Float64, 1 << 10), backend: CommunicationBackend.Nccl))
        {
            AssertClose(whole.Losses, shared.Losses, 1e-9);
            AssertClose(whole.State, shared.State, 1e-9);
        }
    }

    [Fact]
    public void Steps_Twice_SameBitsInEveryRank()
    {
        Outcome[] first = Ranks.Run(3, context => Train(context, DType.Float32, 1 << 10)), second = Ranks.Run(3, context => Train(context, DType.Float32, 1 << 10));
        Assert.All(first.Concat(second), o => Assert.Equal(first[0].State, o.State));
    }

    [Fact]
    public void Steps_ARankWithoutSamples_CountsForNothing()
    {
        Outcome whole = Train(DistributedContext.Single, DType.Float64, 1 << 20);
        foreach (Outcome shared in Ranks.Run(3, context => Train(context, DType.Float64, 1 << 20, idle: 1)))
        {
            AssertClose(whole.Losses, shared.Losses, 1e-12);
            AssertClose(whole.State, shared.State, 1e-12);
        }
    }

    [Fact]
    public void Finish_BranchesUsedHereAndThere_SumsOfThoseThatHaveOneAndNoneForNobody()
    {
        Ranks.Run(2, context =>
        {
            using var net = new Branches();
            using GradientReducer reducer = context.ReduceGradients(net.NamedParameters())!;
            Assert.Equal(1, reducer.Buckets);
            for (int step = 0; step < 3; step++)
            {
                // Both use "shared"; each a branch of its own; nobody "unused".
                reducer.Begin();
                ((net.Shared * 2.0).Sum() + ((context.Rank == 0 ? net.Left : net.Right) * 3.0).Sum()).Backward();
                reducer.Finish();
                Assert.Equal([4.0, 4.0], net.Shared.Grad!.ToArray<double>());
                Assert.Equal([3.0], net.Left.Grad!.ToArray<double>());
                Assert.Equal([3.0, 3.0, 3.0], net.Right.Grad!.ToArray<double>());
                Assert.Null(net.Unused.Grad);
                net.ZeroGrad();
            }

            // Earlier passes add up here and travel with the last.
            (net.Shared * 1.0).Sum().Backward();
            reducer.Begin();
            (net.Shared * 2.0).Sum().Backward();
            reducer.Finish();
            Assert.Equal([6.0, 6.0], net.Shared.Grad!.ToArray<double>());

            ShapeException kept = Assert.Throws<ShapeException>(() => reducer.Begin());
            Assert.Contains("drop it first", kept.Message, StringComparison.Ordinal);
            net.ZeroGrad();
            reducer.Begin();
            (net.Shared * 2.0).Sum().Backward();
            ShapeException twice = Assert.Throws<ShapeException>(() => (net.Shared * 2.0).Sum().Backward());
            Assert.Contains("second gradient", twice.Message, StringComparison.Ordinal);
            reducer.Finish();
            return true;
        });
    }

    [Theory]
    [InlineData(DType.Float64, 5, true, 1e-13)]
    [InlineData(DType.Float64, 2, false, 1e-13)]
    [InlineData(DType.Float32, 4, true, 1e-5)]
    public void BatchNorm_UnevenParts_ForwardBackwardAndStatisticsOfTheJoinedBatch(DType dtype, int rank, bool biased, double tolerance)
    {
        long[] shape = [5, 3, .. Enumerable.Repeat(4L, rank - 2)];
        double[] input = Numbers(shape, 1), toward = Numbers(shape, 2);
        Dictionary<string, double[]> whole = Pass(DistributedContext.Single, 0, 5);
        Dictionary<string, double[]>[] parts = Ranks.Run(2, context => Pass(context, context.Rank == 0 ? 0 : 1, context.Rank == 0 ? 1 : 5));
        AssertClose(whole["y"], [.. parts[0]["y"], .. parts[1]["y"]], tolerance);
        AssertClose(whole["dx"], [.. parts[0]["dx"], .. parts[1]["dx"]], tolerance);
        AssertClose(whole["dw"], [.. parts[0]["dw"].Zip(parts[1]["dw"], (a, b) => a + b)], tolerance);
        AssertClose(whole["db"], [.. parts[0]["db"].Zip(parts[1]["db"], (a, b) => a + b)], tolerance);
        foreach (string statistic in new[] { "mean", "variance" })
        {
            AssertClose(whole[statistic], parts[0][statistic], tolerance);
            Assert.Equal(parts[0][statistic], parts[1][statistic]);
        }

        Dictionary<string, double[]> Pass(DistributedContext context, int start, int stop)
        {
            using var norm = new BatchNorm(3, biasedVariance: biased);
            norm.To(dtype);
            norm.Weight.CopyFrom<double>([0.5, 1.5, -1]);
            context.Synchronize(norm);
            using var scope = new TensorScope();
            int each = input.Length / 5;
            Tensor x = Part(input);
            x.RequiresGrad = true;
            Tensor y = norm.Forward(x);
            y.Backward(Part(toward));
            return new()
            {
                ["y"] = y.Detach().ToArray<double>(),
                ["dx"] = x.Grad!.ToArray<double>(),
                ["dw"] = norm.Weight.Grad!.ToArray<double>(),
                ["db"] = norm.Bias.Grad!.ToArray<double>(),
                ["mean"] = norm.RunningMean.ToArray<double>(),
                ["variance"] = norm.RunningVariance.ToArray<double>(),
            };

            Tensor Part(double[] values)
            {
                Tensor part = Tensor.From<double>(values.AsSpan(start * each, (stop - start) * each), [stop - start, .. shape[1..]]).To(dtype);
                return rank == 4 ? part.Contiguous(MemoryFormat.ChannelsLast) : part;
            }
        }
    }

    [Fact]
    public void Synchronize_DifferentWeights_AllGetThoseOfRankZeroAndOtherNetworksAreRefused()
    {
        float[][] weights = Ranks.Run(2, context =>
        {
            using var net = new Net(seed: context.Rank);
            net.ToMemoryFormat(MemoryFormat.ChannelsLast);
            context.Synchronize(net);
            return (float[])[.. net.StateDict().SelectMany(t => t.Value.ToArray<float>())];
        });
        Assert.Equal(weights[0], weights[1]);

        (int[] _, Exception?[] failures) = Ranks.Try(2, context =>
        {
            using Module net = context.Rank == 0 ? new Net(1) : new Branches();
            context.Synchronize(net);
            return 0;
        });
        Assert.All(failures, f => Assert.Contains("expected the same network everywhere", Assert.IsType<DistributedException>(f).Message, StringComparison.Ordinal));
    }

    private static Outcome Train(DistributedContext context, DType dtype, long bucketBytes, int idle = -1)
    {
        using var net = new Net(seed: context.Rank);
        if (!context.IsMain)
        {
            net.NamedParameters().First().Value.Detach().FillInPlace(9);
        }

        net.To(dtype);
        net.ToMemoryFormat(MemoryFormat.ChannelsLast);
        context.Synchronize(net);
        using GradientReducer? reducer = context.ReduceGradients(net.NamedParameters(), bucketBytes);
        using var optimizer = new Sgd([new ParameterGroup([.. net.NamedParameters()], 1, 1e-3)], 0.9, nesterov: true);
        var losses = new List<double>();
        int sent = 0;
        for (int step = 0; step < Steps; step++)
        {
            using var scope = new TensorScope();

            // Uneven parts: rank 0 has one sample of each batch.
            (int first, int count) = context.Size == 1 ? (0, Batch) : Share(context.Rank, context.Size, idle);
            context.Contributes = count > 0;
            (int from, int taken) = count == 0 ? (0, 1) : (first, count);
            double[] pixels = Numbers([Batch, 3, 8, 8], step + 10);
            Tensor x = Tensor.From<double>(pixels.AsSpan(from * 192, taken * 192), [taken, 3, 8, 8]).To(dtype).Contiguous(MemoryFormat.ChannelsLast);
            Tensor labels = Tensor.From<long>([.. Enumerable.Range(from, taken).Select(i => (long)((i * 7) + step) % Classes)]);
            net.SetRandomKey(5, 0, step, context.IsDistributed ? new BatchPart(from, taken) : null);
            Tensor loss = F.CrossEntropy(net.Forward(x), labels) * (count / (double)Batch);
            losses.Add(context.Sum(loss.ToDouble())[0]);
            reducer?.Begin(context.Contributes);
            loss.Backward();
            reducer?.Finish();
            sent += reducer?.SentDuringBackward ?? 0;
            optimizer.ClipGradientNorm(0.5);
            optimizer.Step(0.1);
            optimizer.ZeroGrad();
        }

        return new([.. losses], [.. net.StateDict().SelectMany(t => t.Value.ToArray<double>())], sent);
    }

    private static (int First, int Count) Share(int rank, int size, int idle)
    {
        int[] ranks = [.. Enumerable.Range(0, size).Where(r => r != idle)];
        int place = Array.IndexOf(ranks, rank);
        return place < 0 ? (0, 0) : place == 0 ? (0, 1) : (1 + ((place - 1) * 4), place == ranks.Length - 1 ? Batch - 1 - ((place - 1) * 4) : 4);
    }

    private static double[] Numbers(long[] shape, int seed)
    {
        var random = new CounterRandom(3, 0, seed, "numbers");
        var values = new double[shape.Aggregate(1L, (a, b) => a * b)];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = random.NextNormal() + 0.3;
        }

        return values;
    }

    private static void AssertClose(double[] expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], tolerance * Math.Max(1, Math.Abs(expected[i])));
        }
    }

    private sealed record Outcome(double[] Losses, double[] State, int SentDuringBackward);

    private sealed class Net : Module
    {
        private readonly Conv2d _stem;
        private readonly BatchNorm _norm;
        private readonly Conv2d _second;
        private readonly BatchNorm _secondNorm;
        private readonly Dropout _dropout;
        private readonly Linear _head;

        public Net(int seed)
        {
            _stem = Add("stem", new Conv2d(3, 8, 3, stride: 2, padding: 1));
            _norm = Add("norm", new BatchNorm(8));
            _second = Add("second", new Conv2d(8, 16, 3, stride: 2, padding: 1));
            _secondNorm = Add("second_norm", new BatchNorm(16));
            _dropout = Add("dropout", new Dropout(0.2));
            _head = Add("head", new Linear(16, Classes));
            foreach ((string name, Tensor value) in NamedParameters())
            {
                if (value.Rank > 1)
                {
                    Initializers.KaimingNormal(value, new CounterRandom(7 + (ulong)seed, name));
                }
            }
        }

        public Tensor Forward(Tensor x)
        {
            x = _norm.Forward(_stem.Forward(x), Rectifier.Relu);
            x = _secondNorm.Forward(_second.Forward(x)).Relu();
            return _head.Forward(_dropout.Forward(x.Mean([2, 3])));
        }
    }

    private sealed class Branches : Module
    {
        public Branches()
        {
            Shared = AddParameter("shared", Tensor.Ones([2], DType.Float64));
            Left = AddParameter("left", Tensor.Ones([1], DType.Float64));
            Right = AddParameter("right", Tensor.Ones([3], DType.Float64));
            Unused = AddParameter("unused", Tensor.Ones([2], DType.Float64));
        }

        public Tensor Shared { get; }

        public Tensor Left { get; }

        public Tensor Right { get; }

        public Tensor Unused { get; }
    }
}
