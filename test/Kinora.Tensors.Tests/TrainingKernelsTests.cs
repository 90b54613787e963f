namespace Kinora.Tensors.Tests;

/// <summary>The training kernels against libtorch's own operators in float64.</summary>
public sealed class TrainingKernelsTests : IDisposable
{
    private readonly TensorScope _scope = new();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(16, 9, 8, 3, 3, 1, 1, 1, 1)]
    [InlineData(16, 9, 8, 3, 3, 2, 2, 1, 1)]
    [InlineData(96, 7, 7, 5, 5, 1, 1, 2, 2)]
    [InlineData(80, 8, 10, 5, 5, 2, 2, 2, 2)]
    [InlineData(32, 5, 6, 7, 7, 1, 1, 3, 3)]
    [InlineData(32, 5, 8, 7, 7, 3, 2, 3, 0)]
    [InlineData(48, 6, 6, 1, 1, 1, 1, 0, 0)]
    [InlineData(16, 6, 6, 1, 1, 2, 2, 0, 0)]
    [InlineData(16, 6, 9, 2, 4, 1, 2, 0, 3)]
    [InlineData(16, 6, 9, 6, 3, 2, 1, 4, 0)]
    [InlineData(64, 1, 1, 3, 3, 1, 1, 1, 1)]
    [InlineData(16, 2, 2, 5, 5, 1, 1, 2, 2)]
    [InlineData(16, 3, 3, 3, 3, 1, 1, 0, 0)]
    [InlineData(16, 4, 4, 3, 3, 1, 1, 4, 5)]
    [InlineData(16, 9, 9, 3, 3, 4, 5, 0, 0)]
    public void DepthwiseConv2d_AnyGeometry_MatchesFloat64(long channels, long height, long width, long kernelHeight, long kernelWidth, long down, long across, long top, long left)
    {
        foreach (bool biased in new[] { false, true })
        {
            Tensor x = Image(3, channels, height, width, "x"), w = Random([channels, 1, kernelHeight, kernelWidth], "w").Contiguous(MemoryFormat.ChannelsLast), b = Random([channels], "b");
            Compare(
                [x, w, b],
                t => F.Conv2d(t[0], t[1], biased ? t[2] : null, [down, across], [top, left], channels),
                t => TrainingKernels.DepthwiseConv2d(t[0], t[1], biased ? t[2] : null, [down, across], [top, left]),
                1e-5);
        }
    }

    [Theory]
    [InlineData(1, 2, 2, 2)]
    [InlineData(3, 2, 5, 7)]
    [InlineData(16, 4, 6, 6)]
    [InlineData(24, 8, 20, 20)]
    [InlineData(1280, 2, 3, 3)]
    [InlineData(5, 2, 1, 1)]
    public void BatchNorm_EachRectifier_MatchesFloat64(long channels, long images, long height, long width)
    {
        foreach (Rectifier then in Enum.GetValues<Rectifier>())
        {
            // Values around 3 with deviation 2: both corners of relu6 occur.
            Tensor x = ((Image(images, channels, height, width, "x") * 2) + 30).Contiguous(MemoryFormat.ChannelsLast);
            Tensor w = (Random([channels], "w") * 0.3) + 2, b = Random([channels], "b") + 3;
            Compare(
                [x, w, b],
                t => Rectified(F.BatchNorm(t[0], t[1], t[2], null, null, true, 0, 1e-3), then),
                t => TrainingKernels.BatchNorm(t[0], t[1], t[2], null, null, 0, 1e-3, true, then),
                2e-4);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void BatchNorm_ChannelsLastAndNot_UpdateTheSameStatistics(bool biased)
    {
        using var fused = new BatchNorm(20, momentum: 0.3, biasedVariance: biased);
        using var plain = new BatchNorm(20, momentum: 0.3, biasedVariance: biased);
        for (int i = 0; i < 3; i++)
        {
            Tensor x = Image(4, 20, 30, 30, "x" + i) + 5;
            Assert.NotNull(TrainingKernels.BatchNorm(x, fused.Weight, fused.Bias, null, null, 0, 1e-3, true, Rectifier.None));
            fused.Forward(x, Rectifier.Relu);
            plain.Forward(x.Contiguous());
        }

        Near(plain.RunningMean.ToArray<double>(), fused.RunningMean, 1e-6);
        Near(plain.RunningVariance.ToArray<double>(), fused.RunningVariance, 1e-6);
    }

    [Fact]
    public void BatchNorm_BFloat16_IsAsCloseAsItsInput()
    {
        Tensor x = Image(4, 24, 10, 10, "x").To(DType.BFloat16), w = Random([24], "w") + 2, b = Random([24], "b");
        Tensor? fused = TrainingKernels.BatchNorm(x, w, b, null, null, 0, 1e-5, true, Rectifier.Relu6);
        Assert.Equal(DType.BFloat16, fused!.DType);
        Assert.True(fused.IsChannelsLast);
        Tensor exact = Rectified(F.BatchNorm(x.To(DType.Float64), w.To(DType.Float64), b.To(DType.Float64), null, null, true, 0, 1e-5), Rectifier.Relu6);
        Near(exact.ToArray<double>(), fused, 1.0 / 256);
    }

    [Fact]
    public void BatchNorm_BFloat16Gradient_IsClose()
    {
        Tensor[] inputs = [Image(4, 16, 12, 12, "x"), Random([16], "w") + 2, Random([16], "b") + 2];
        double[][] exact = Gradients(inputs, DType.Float64, t => Rectified(F.BatchNorm(t[0], t[1], t[2], null, null, true, 0, 1e-5), Rectifier.None));
        double[][] brief = Gradients(inputs, DType.Float32, t => TrainingKernels.BatchNorm(t[0].To(DType.BFloat16), t[1], t[2], null, null, 0, 1e-5, true, Rectifier.None)!);
        for (int i = 0; i < 3; i++)
        {
            double scale = exact[i].Max(Math.Abs);
            Assert.All(exact[i].Zip(brief[i]), pair => Assert.Equal(pair.First, pair.Second, 0.02 * scale));
        }
    }

    [Fact]
    public void BatchNorm_Nan_StaysVisible()
    {
        Tensor x = Image(2, 16, 3, 3, "x");
        x.Select(0, 0).Select(0, 3).FillInPlace(double.NaN);
        foreach (Rectifier then in Enum.GetValues<Rectifier>())
        {
            Assert.False(TrainingKernels.BatchNorm(x, Tensor.Ones([16]), Tensor.Zeros([16]), null, null, 0, 1e-5, true, then)!.AllFinite());
        }
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.BFloat16)]
    public void Relu6_Gradient_IsOneInsideAndZeroOutside(DType dtype)
    {
        foreach (MemoryFormat format in new[] { MemoryFormat.Contiguous, MemoryFormat.ChannelsLast })
        {
            Tensor x = (Image(2, 5, 7, 9, "x") * 6).To(dtype).Contiguous(format);
            double[] values = x.ToArray<double>();
            x.RequiresGrad = true;
            Tensor? y = TrainingKernels.Relu6(x);
            Assert.Equal(values.Select(v => Math.Clamp(v, 0, 6)), y!.ToArray<double>());
            y.Backward(Tensor.Arange(630, DType.Float32).Reshape(2, 5, 7, 9).To(dtype));
            double[] expected = [.. Tensor.Arange(630, DType.Float32).To(dtype).ToArray<double>().Select((g, i) => values[i] is > 0 and < 6 ? g : 0)];
            Assert.Equal(expected, x.Grad!.ToArray<double>());
        }
    }

    [Fact]
    public void Kernels_WhereTheyDoNotApply_GiveNull()
    {
        Tensor x = Image(2, 16, 5, 5, "x"), w = Tensor.Ones([16, 1, 3, 3]);
        Assert.Null(TrainingKernels.DepthwiseConv2d(x, w, null, [1, 1], [1, 1]));
        w.RequiresGrad = true;
        Assert.NotNull(TrainingKernels.DepthwiseConv2d(x, w, null, [1, 1], [1, 1]));
        Assert.Null(TrainingKernels.DepthwiseConv2d(x.Contiguous(), w, null, [1, 1], [1, 1]));
        Assert.Null(TrainingKernels.Relu6(x));
        Assert.Null(TrainingKernels.BatchNorm(x.Contiguous(), Tensor.Ones([16]), Tensor.Zeros([16]), null, null, 0, 1e-5, true, Rectifier.None));
        Assert.Null(TrainingKernels.BatchNorm(x.To(DType.Float64), Tensor.Ones([16]), Tensor.Zeros([16]), null, null, 0, 1e-5, true, Rectifier.None));
        Assert.Null(TrainingKernels.BatchNorm(x, Tensor.Ones([15]), Tensor.Zeros([16]), null, null, 0, 1e-5, true, Rectifier.None));
        using (Autocast.BFloat16())
        {
            Assert.Null(TrainingKernels.DepthwiseConv2d(x, w, null, [1, 1], [1, 1]));
        }

        using (Grad.Disable())
        {
            Assert.Null(TrainingKernels.DepthwiseConv2d(x, w, null, [1, 1], [1, 1]));
        }

        using var recording = Recording.Start();
        Assert.Null(TrainingKernels.DepthwiseConv2d(x, w, null, [1, 1], [1, 1]));
        Assert.Null(TrainingKernels.BatchNorm(x, Tensor.Ones([16]), Tensor.Zeros([16]), null, null, 0, 1e-5, true, Rectifier.None));
    }

    [Fact]
    public void Kernels_OneAndTwoThreads_SameBits()
    {
        int threads = Torch.Threads;
        try
        {
            Torch.Threads = 1;
            double[][] one = Step();
            Torch.Threads = 2;
            Assert.Equal(one, Step());
        }
        finally
        {
            Torch.Threads = threads;
        }

        static double[][] Step()
        {
            Tensor[] inputs = [Image(4, 32, 14, 14, "x"), Random([32, 1, 3, 3], "w"), Random([32], "s"), Random([32], "b")];
            return Gradients(inputs, DType.Float32, t => TrainingKernels.BatchNorm(TrainingKernels.DepthwiseConv2d(t[0], t[1], null, [1, 1], [1, 1])!, t[2], t[3], null, null, 0, 1e-5, true, Rectifier.Relu)!);
        }
    }

    [Fact]
    public void Saved_InputChangedInPlace_IsNoticed()
    {
        Tensor x = Image(2, 16, 4, 4, "x"), w = Random([16, 1, 3, 3], "w");
        w.RequiresGrad = true;
        Tensor y = TrainingKernels.DepthwiseConv2d(x, w, null, [1, 1], [1, 1])!.Sum();
        x.FillInPlace(1);
        Assert.Throws<ShapeException>(() => y.Backward());
    }

    private static void Compare(Tensor[] inputs, Func<Tensor[], Tensor> reference, Func<Tensor[], Tensor?> kernel, double tolerance)
    {
        double[] exact = reference([.. inputs.Select(t => t.To(DType.Float64))]).ToArray<double>();
        foreach (Tensor input in inputs)
        {
            input.RequiresGrad = true;
        }

        Near(exact, kernel(inputs)!, tolerance);
        double[][] expected = Gradients(inputs, DType.Float64, reference), found = Gradients(inputs, DType.Float32, t => kernel(t)!);
        for (int i = 0; i < inputs.Length; i++)
        {
            double scale = Math.Max(1, expected[i].Select(Math.Abs).DefaultIfEmpty(0).Max());
            Assert.Equal(expected[i].Length, found[i].Length);
            Assert.All(expected[i].Zip(found[i]), pair => Assert.Equal(pair.First, pair.Second, tolerance * scale));
        }
    }

    // Gradients of a weighted sum of the output; an empty list for an input that gets none.
    private static double[][] Gradients(Tensor[] inputs, DType dtype, Func<Tensor[], Tensor> function)
    {
        Tensor[] leaves = [.. inputs.Select(t => t.Detach().Clone().To(dtype))];
        foreach (Tensor leaf in leaves)
        {
            leaf.RequiresGrad = true;
        }

        Tensor y = function(leaves);
        y.Backward(Random(y.Shape.ToArray(), "gradient").To(y.DType));
        return [.. leaves.Select(leaf => leaf.Grad?.ToArray<double>() ?? [])];
    }

    private static Tensor Rectified(Tensor x, Rectifier then) => then switch { Rectifier.Relu => x.Relu(), Rectifier.Relu6 => x.Relu6(), _ => x };

    private static Tensor Image(long images, long channels, long height, long width, string name) =>
        Random([images, channels, height, width], name).Contiguous(MemoryFormat.ChannelsLast);

    private static Tensor Random(long[] shape, string name)
    {
        Tensor tensor = Tensor.Zeros(shape);
        Initializers.Normal(tensor, new CounterRandom(4, name), 1);
        return tensor;
    }

    private static void Near(double[] expected, Tensor actual, double tolerance)
    {
        double scale = Math.Max(1, expected.Max(Math.Abs));
        double[] values = actual.ToArray<double>();
        Assert.Equal(expected.Length, values.Length);
        Assert.All(expected.Zip(values), pair => Assert.Equal(pair.First, pair.Second, tolerance * scale));
    }
}
