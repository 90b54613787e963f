namespace Kinora.Tensors.Tests.Modules;

/// <summary>Layers against loops, identities and their own definitions.</summary>
public sealed class LayerTests : IDisposable
{
    private readonly TensorScope _scope = new();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(4, 6, 3, 1, 1, 1)]
    [InlineData(4, 6, 3, 2, 0, 2)]
    [InlineData(4, 4, 5, 2, 2, 4)]
    [InlineData(4, 8, 1, 1, 0, 1)]
    public void Conv2d_AnyGeometry_MatchesLoops(int inputs, int outputs, int kernel, int stride, int padding, int groups)
    {
        using var conv = new Conv2d(inputs, outputs, kernel, stride, padding, groups, bias: true);
        conv.To(DType.Float64);
        Initializers.Normal(conv.Weight, new CounterRandom(1, "w"), 1);
        Initializers.Normal(conv.Bias!, new CounterRandom(1, "b"), 1);
        const int Height = 7, Width = 6;
        Tensor x = Random([2, inputs, Height, Width], "x");
        double[] xs = x.ToArray<double>(), ws = conv.Weight.ToArray<double>(), bs = conv.Bias!.ToArray<double>();
        int rows = ((Height + (2 * padding) - kernel) / stride) + 1, columns = ((Width + (2 * padding) - kernel) / stride) + 1;
        int perGroup = inputs / groups, outPerGroup = outputs / groups;
        var expected = new double[2 * outputs * rows * columns];
        int at = 0;
        for (int n = 0; n < 2; n++)
        {
            for (int o = 0; o < outputs; o++)
            {
                for (int r = 0; r < rows; r++)
                {
                    for (int c = 0; c < columns; c++, at++)
                    {
                        double sum = bs[o];
                        for (int i = 0; i < perGroup; i++)
                        {
                            for (int a = 0; a < kernel; a++)
                            {
                                for (int b = 0; b < kernel; b++)
                                {
                                    int y = (r * stride) + a - padding, z = (c * stride) + b - padding;
                                    if (y >= 0 && y < Height && z >= 0 && z < Width)
                                    {
                                        int channel = (o / outPerGroup * perGroup) + i;
                                        sum += xs[(((((n * inputs) + channel) * Height) + y) * Width) + z] * ws[(((((o * perGroup) + i) * kernel) + a) * kernel) + b];
                                    }
                                }
                            }
                        }

                        expected[at] = sum;
                    }
                }
            }
        }

        Tensor result = conv.Forward(x);
        Assert.Equal([2, outputs, rows, columns], result.Shape.ToArray());
        Near(expected, result);
    }

    [Fact]
    public void Conv2d_GroupsThatDoNotDivide_Throws() => Assert.Throws<ShapeException>(() => new Conv2d(3, 4, 1, groups: 2));

    [Fact]
    public void Linear_KnownValues_MatchesDefinition()
    {
        using var linear = new Linear(2, 3);
        linear.Weight.CopyFrom<float>([1, 2, 3, 4, 5, 6]);
        linear.Bias!.CopyFrom<float>([10, 20, 30]);
        Assert.Equal([12f, 24, 36], linear.Forward(Tensor.From<float>([0, 1], [1, 2])).ToArray<float>());
    }

    [Fact]
    public void BatchNorm_Training_NormalisesAndUpdatesBiasedStatistics()
    {
        using var norm = new BatchNorm(2);
        norm.To(DType.Float64);
        norm.Weight.CopyFrom<double>([2, 1]);
        norm.Bias.CopyFrom<double>([0, 5]);
        double[] values = [1, 2, 3, 4, 10, 20, 30, 40];
        Tensor y = norm.Forward(Tensor.From<double>(values, [1, 2, 2, 2]));

        double epsilon = (float)1e-5, keep = (float)0.9;
        Near([.. values.Take(4).Select(v => 2 * (v - 2.5) / Math.Sqrt(1.25 + epsilon)), .. values.Skip(4).Select(v => 5 + ((v - 25) / Math.Sqrt(125 + epsilon)))], y);
        Near([2.5 * (1 - keep), 25 * (1 - keep)], norm.RunningMean);
        Near([keep + (1.25 * (1 - keep)), keep + (125 * (1 - keep))], norm.RunningVariance);
    }

    [Fact]
    public void BatchNorm_UnbiasedChoice_TakesTheOtherVariance()
    {
        using var norm = new BatchNorm(1, biasedVariance: false);
        norm.To(DType.Float64);
        norm.Forward(Tensor.From<double>([1, 2, 3, 4], [1, 1, 2, 2]));
        double keep = (float)0.9;
        Near([keep + (5.0 / 3 * (1 - keep))], norm.RunningVariance);
    }

    [Fact]
    public void BatchNorm_FrozenStatistics_StayWhileTheBatchIsNormalised()
    {
        using var norm = new BatchNorm(1) { FreezeStatistics = true };
        Tensor y = norm.Forward(Tensor.From<float>([1, 2, 3, 4], [1, 1, 2, 2]));
        Assert.Equal(0, y.Mean().ToDouble(), 1e-6);
        Assert.Equal(0, norm.RunningMean.ToDouble());
        Assert.Equal(1, norm.RunningVariance.ToDouble());
    }

    [Fact]
    public void BatchNorm_TwoForwardsThenBackward_IsAllowed()
    {
        using var norm = new BatchNorm(2);
        Tensor x = Random([2, 2, 3, 3], "x").To(DType.Float32);
        (norm.Forward(x).Square().Sum() + norm.Forward(x * 2).Exp().Sum()).Backward();
        Assert.NotNull(norm.Weight.Grad);
    }

    [Fact]
    public void Dropout_SameKey_RepeatsTheMaskAndAnotherKeyDoesNot()
    {
        using var net = new Sequential(new Dropout(0.3), new Dropout(0.3));
        Tensor x = Tensor.Ones([64, 64]);
        net.SetRandomKey(1, 2, 3);
        float[] first = net.Forward(x).ToArray<float>(), second = net.Forward(x).ToArray<float>();
        Assert.NotEqual(first, second);
        net.SetRandomKey(1, 2, 3);
        Assert.Equal(first, net.Forward(x).ToArray<float>());
        Assert.Equal(second, net.Forward(x).ToArray<float>());
        net.SetRandomKey(1, 2, 4);
        Assert.NotEqual(first, net.Forward(x).ToArray<float>());

        // Two layers, each with probability 0.3: 0.49 of the values survive, scaled by 1 / 0.49.
        Assert.InRange(first.Count(v => v != 0) / 4096.0, 0.44, 0.54);
        Assert.All(first.Where(v => v != 0), v => Assert.Equal(1 / 0.49f, v, 1e-5f));
    }

    [Fact]
    public void Dropout_Modes_ScaleWhereTheySay()
    {
        Tensor x = Tensor.Ones([1000]);
        using var up = new Dropout(0.25);
        using var down = new Dropout(0.25, DropoutMode.DownscaleInInference);
        Assert.Equal([0f, 1 / 0.75f], up.Forward(x).ToArray<float>().Distinct().Order());
        Assert.Equal([0f, 1f], down.Forward(x).ToArray<float>().Distinct().Order());
        up.Eval();
        down.Eval();
        Assert.Same(x, up.Forward(x));
        Assert.Equal([0.75f], down.Forward(x).ToArray<float>().Distinct());
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    [InlineData(DType.BFloat16)]
    public void Dropout_ElementTypes_AreKept(DType dtype)
    {
        Tensor y = F.Dropout(Tensor.Ones([10, 10], dtype), 0.5, new CounterRandom(1, "m"));
        Assert.Equal(dtype, y.DType);
        Assert.Equal([0.0, 2.0], y.ToArray<double>().Distinct().Order());
    }

    [Fact]
    public void Dropout_Extremes_KeepAllOrNothing()
    {
        Tensor x = Tensor.Ones([100]);
        Assert.Equal(100, F.Dropout(x, 0, new CounterRandom(1, "m")).Sum().ToDouble());
        Assert.Equal(0, F.Dropout(x, 1, new CounterRandom(1, "m")).Sum().ToDouble());
        Assert.Throws<ArgumentOutOfRangeException>(() => F.Dropout(x, 1.5, new CounterRandom(1, "m")));
    }

    [Fact]
    public void Pools_KnownImage_Match()
    {
        Tensor x = Tensor.Arange(16, DType.Float32).Reshape(1, 1, 4, 4);
        Assert.Equal([5f, 7, 13, 15], new MaxPool2d(2, 2).Forward(x).ToArray<float>());
        Assert.Equal([2.5f, 4.5f, 10.5f, 12.5f], new AvgPool2d(2, 2).Forward(x).ToArray<float>());
        Assert.Equal([7.5f], new GlobalAvgPool2d().Forward(x).ToArray<float>());

        // 3x3 windows, step 2, padding 1: the corner window holds 0, 1, 4, 5.
        Assert.Equal(2.5f, new AvgPool2d(3, 2, 1).Forward(x).ToArray<float>()[0]);
        Assert.Equal(10 / 9f, new AvgPool2d(3, 2, 1, exclusive: false).Forward(x).ToArray<float>()[0], 1e-6f);
        Assert.Equal([1, 1, 2, 2], new AvgPool2d(3, 2, 1).Forward(x).Shape.ToArray());
        Assert.Equal([1, 1, 3, 3], new AvgPool2d(2, 2, 1).Forward(x).Shape.ToArray());
        Assert.Equal([1, 1, 2, 2], new MaxPool2d(3, 2, ceilMode: true).Forward(x).Shape.ToArray());
    }

    [Fact]
    public void Initializers_LargeTensor_HaveTheirMoments()
    {
        Tensor w = Tensor.Zeros([64, 32, 5, 5]);
        Initializers.KaimingNormal(w, new CounterRandom(1, "a"));
        Check(0, Math.Sqrt(2.0 / (32 * 25)));
        Initializers.KaimingNormal(w, new CounterRandom(1, "a"), Fan.Out);
        Check(0, Math.Sqrt(2.0 / (64 * 25)));
        Initializers.KaimingUniform(w, new CounterRandom(1, "a"));
        Check(0, Math.Sqrt(2.0 / (32 * 25)));
        Initializers.XavierUniform(w, new CounterRandom(1, "a"));
        Check(0, Math.Sqrt(2.0 / (96 * 25)));
        Initializers.Normal(w, new CounterRandom(1, "a"), 3);
        Check(0, 3);
        Initializers.TruncatedNormal(w, new CounterRandom(1, "a"), 2);
        Check(0, 2 * 0.8796);
        Assert.InRange(w.Abs().Max().ToDouble(), 3.9, 4);
        float[] cut = w.ToArray<float>();
        foreach ((double deviations, double share) in ((double, double)[])[(-1.7, 0.022855), (-1, 0.142384), (0, 0.5), (0.5, 0.700589), (1.9, 0.993749)])
        {
            Assert.Equal(share, cut.Count(v => v < 2 * deviations) / (double)cut.Length, 4 * Math.Sqrt(share * (1 - share) / cut.Length));
        }

        Initializers.Uniform(w, new CounterRandom(1, "a"), 1, 2);
        Check(1.5, 1 / Math.Sqrt(12));
        Initializers.Constant(w, 4);
        Assert.Equal([4f], w.ToArray<float>().Distinct());
        Assert.Throws<ShapeException>(() => Initializers.KaimingNormal(Tensor.Zeros([3]), new CounterRandom(1, "a")));

        void Check(double mean, double deviation)
        {
            Assert.InRange(w.Mean().ToDouble(), mean - (0.02 * deviation), mean + (0.02 * deviation));
            Assert.InRange(Math.Sqrt(w.Var([0, 1, 2, 3]).ToDouble()), 0.98 * deviation, 1.02 * deviation);
        }
    }

    [Fact]
    public void Initializers_SameKey_GiveTheSameBits()
    {
        Tensor a = Tensor.Zeros([100]), b = Tensor.Zeros([100], DType.Float64);
        Initializers.Normal(a, new CounterRandom(5, "w"), 1);
        Initializers.Normal(b, new CounterRandom(5, "w"), 1);
        Assert.Equal(a.ToArray<float>(), b.ToArray<float>());
    }

    private static Tensor Random(long[] shape, string name)
    {
        Tensor x = Tensor.Zeros(shape, DType.Float64);
        Initializers.Normal(x, new CounterRandom(2, name), 1);
        return x;
    }

    private static void Near(double[] expected, Tensor actual) =>
        Assert.All(expected.Zip(actual.ToArray<double>()), pair => Assert.Equal(pair.First, pair.Second, 1e-11));
}
