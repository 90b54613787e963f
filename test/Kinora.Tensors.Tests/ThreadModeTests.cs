namespace Kinora.Tensors.Tests;

/// <summary>Gradient modes and mixed precision.</summary>
public sealed class ThreadModeTests : IDisposable
{
    private readonly TensorScope _scope = new();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Disable_Inside_BuildsNoGraph()
    {
        Tensor w = Tensor.Ones([2]);
        w.RequiresGrad = true;
        using (Grad.Disable())
        {
            Assert.False((w * 2).RequiresGrad);
            using (Grad.Enable())
            {
                Assert.True((w * 2).RequiresGrad);
            }

            Assert.False((w * 2).RequiresGrad);
        }

        Assert.True((w * 2).RequiresGrad);
    }

    [Fact]
    public void Inference_TensorMadeInside_CannotJoinAGraph()
    {
        Tensor w = Tensor.Ones([2]);
        w.RequiresGrad = true;
        Tensor inside;
        using (Grad.Inference())
        {
            inside = w * 2;
            Assert.False(inside.RequiresGrad);
        }

        Assert.Throws<ShapeException>(() => w * inside);
        Assert.True((w * 2).RequiresGrad);
    }

    [Fact]
    public void Dispose_OtherThread_Throws()
    {
        using IDisposable mode = Grad.Disable();
        Exception? thrown = null;
        var thread = new Thread(() => thrown = Record.Exception(mode.Dispose));
        thread.Start();
        thread.Join();
        Assert.IsType<InvalidOperationException>(thrown);
    }

    [Fact]
    public void BFloat16_Inside_ConvolutionsAreShortAndSumsLong()
    {
        using var conv = new Conv2d(3, 4, 3, padding: 1);
        using var norm = new BatchNorm(4);
        using var head = new Linear(4, 2);
        Tensor x = Tensor.Ones([2, 3, 8, 8]);
        using (Autocast.BFloat16())
        {
            Tensor y = conv.Forward(x);
            Assert.Equal(DType.BFloat16, y.DType);
            Assert.Equal(DType.BFloat16, norm.Forward(y).Relu6().DType);
            Assert.Equal(DType.BFloat16, head.Forward(Tensor.Ones([2, 4])).DType);
            using (Autocast.Disable())
            {
                Assert.Equal(DType.Float32, conv.Forward(x).DType);
            }

            Assert.Equal(DType.BFloat16, conv.Forward(x).DType);
        }

        Assert.Equal(DType.Float32, conv.Forward(x).DType);
        Assert.Equal(DType.Float32, norm.RunningVariance.DType);
    }

    [Fact]
    public void BFloat16_TrainingStep_IsCloseToFloat32AndSeesNewParameters()
    {
        using var conv = new Conv2d(3, 8, 3, padding: 1);
        using var norm = new BatchNorm(8);
        using var depth = new Conv2d(8, 8, 3, padding: 1, groups: 8);
        using var head = new Linear(8, 3);
        Module[] all = [conv, norm, depth, head];
        foreach ((string name, Tensor value) in all.SelectMany((m, i) => m.NamedParameters().Select(p => ($"{i}.{p.Name}", p.Value))))
        {
            if (value.Rank > 1)
            {
                Initializers.KaimingNormal(value, new CounterRandom(3, name));
            }
        }

        foreach (Module module in all)
        {
            module.ToMemoryFormat(MemoryFormat.ChannelsLast);
        }

        Tensor x = Tensor.Zeros([4, 3, 12, 12]);
        Initializers.Normal(x, new CounterRandom(1, "x"), 1);
        x = x.Contiguous(MemoryFormat.ChannelsLast);
        Tensor labels = Tensor.From<long>([0, 1, 2, 0]);

        (double exact, double[] exactGradient) = Run(false);
        (double brief, double[] briefGradient) = Run(true);
        Assert.InRange(Math.Abs(exact - brief) / exact, 1e-9, 0.02);
        double scale = exactGradient.Max(Math.Abs);
        Assert.All(exactGradient.Zip(briefGradient), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 0.06 * scale));

        using (Grad.Disable())
        {
            head.Weight.MulInPlace(0);
        }

        Assert.Equal(Math.Log(3), Run(true).Loss, 1e-6);

        (double Loss, double[] Gradient) Run(bool shortened)
        {
            using var scope = new TensorScope();
            foreach (Module module in all)
            {
                module.ZeroGrad();
            }

            Tensor loss;
            using (shortened ? Autocast.BFloat16() : Autocast.Disable())
            {
                Tensor y = depth.Forward(norm.Forward(conv.Forward(x)).Relu6()).Hardswish();
                loss = F.CrossEntropy(head.Forward(F.AdaptiveAvgPool2d(y).Flatten(1)), labels, 0.1);
            }

            Assert.Equal(DType.Float32, loss.DType);
            loss.Backward();
            return (loss.ToDouble(), conv.Weight.Grad!.ToArray<double>());
        }
    }
}
