namespace Kinora.Tensors.Tests;

/// <summary>A small convolutional network trains, and its memory stays flat.</summary>
public sealed class TrainingStepTests
{
    private sealed class SmallNet : Module
    {
        private readonly Conv2d _stem;
        private readonly BatchNorm _norm;
        private readonly Conv2d _second;
        private readonly Dropout _dropout;
        private readonly Linear _head;

        public SmallNet()
        {
            _stem = Add("stem", new Conv2d(3, 8, 3, stride: 2, padding: 1));
            _norm = Add("norm", new BatchNorm(8));
            _second = Add("second", new Conv2d(8, 16, 3, stride: 2, padding: 1, bias: true));
            _dropout = Add("dropout", new Dropout(0.2));
            _head = Add("head", new Linear(16, 4));
            foreach ((string name, Tensor value) in NamedParameters())
            {
                if (value.Rank > 1)
                {
                    Initializers.KaimingNormal(value, new CounterRandom(7, name));
                }
            }
        }

        public Tensor Forward(Tensor x)
        {
            x = _norm.Forward(_stem.Forward(x), Rectifier.Relu);
            x = _second.Forward(x).Relu();
            x = F.AdaptiveAvgPool2d(x).Flatten(1); // [N, 16]
            return _head.Forward(_dropout.Forward(x));
        }
    }

    [Fact]
    public void Step_ThousandTimes_LearnsAndKeepsMemoryFlat()
    {
        using var net = new SmallNet();
        using var optimizer = new Sgd([new ParameterGroup([.. net.NamedParameters()], 1, 1e-4)], 0.9, nesterov: true);
        var random = new CounterRandom(1, "input");
        float[] pixels = [.. Enumerable.Range(0, 8 * 3 * 24 * 24).Select(_ => (float)random.NextNormal())];
        using Tensor x = Tensor.From<float>(pixels, [8, 3, 24, 24]);
        using Tensor labels = Tensor.From<long>([0, 1, 2, 3, 0, 1, 2, 3]);

        double first = 0, last = 0;
        long live = 0, resident = 0;
        for (int step = 0; step < 1000; step++)
        {
            using var scope = new TensorScope();
            net.SetRandomKey(5, 0, step);
            optimizer.ZeroGrad();
            Tensor loss = F.CrossEntropy(net.Forward(x), labels, 0.1);
            loss.Backward();
            optimizer.ClipGradientNorm(10);
            optimizer.Step(0.02);
            last = loss.ToDouble();
            if (step == 0)
            {
                first = last;
            }

            if (step == 100)
            {
                live = Torch.LiveTensors;
                resident = ResidentBytes();
            }
        }

        Assert.True(last < 0.7 * first, $"loss went from {first} to {last}");
        using (new TensorScope())
        {
            Assert.InRange(Torch.LiveTensors, live - 64, live + 64);
        }

        Assert.InRange(ResidentBytes() - resident, long.MinValue, 48 << 20);
    }

    [Theory]
    [InlineData(MemoryFormat.Contiguous)]
    [InlineData(MemoryFormat.ChannelsLast)]
    public void Step_SameSeedAndThreads_SameBits(MemoryFormat format)
    {
        Assert.Equal(Train(), Train());

        float[] Train()
        {
            using var scope = new TensorScope();
            using var net = new SmallNet();
            net.ToMemoryFormat(format);
            using var optimizer = new Sgd([new ParameterGroup([.. net.NamedParameters()], 1, 1e-4)], 0.9, nesterov: true);
            Tensor x = Tensor.Zeros([8, 3, 24, 24]);
            Initializers.Normal(x, new CounterRandom(1, "x"), 1);
            x = x.Contiguous(format);
            Tensor labels = Tensor.From<long>([0, 1, 2, 3, 0, 1, 2, 3]);
            for (int step = 0; step < 10; step++)
            {
                using var stepScope = new TensorScope();
                net.SetRandomKey(5, 0, step);
                optimizer.ZeroGrad();
                F.CrossEntropy(net.Forward(x), labels, 0.1).Backward();
                optimizer.ClipGradientNorm(1);
                optimizer.Step(0.02);
            }

            return [.. net.StateDict().SelectMany(item => item.Value.ToArray<float>())];
        }
    }

    [Fact]
    public void CacheLimitBytes_Lowered_FreesWhatIsAbove()
    {
        long before = Torch.CacheLimitBytes;
        try
        {
            Torch.CacheLimitBytes = 64 << 20;
            for (int i = 0; i < 3; i++)
            {
                using var scope = new TensorScope();
                Tensor[] blocks = [.. Enumerable.Range(0, 10).Select(_ => Tensor.Ones([3 << 20]))];
                Assert.Equal(3 << 20, blocks[9].Sum().ToDouble());
            }

            Assert.InRange(Torch.CachedBytes, 12 << 20, 64 << 20);
            Torch.CacheLimitBytes = 0;
            Assert.Equal(0, Torch.CachedBytes);
            Tensor.Ones([3 << 20]).Dispose();
            Assert.Equal(0, Torch.CachedBytes);
        }
        finally
        {
            Torch.CacheLimitBytes = before;
        }
    }

    private static long ResidentBytes() => long.Parse(
        File.ReadAllText("/proc/self/statm").Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture) * Environment.SystemPageSize;
}
