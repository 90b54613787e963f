using Kinora.Tensors.Native;

namespace Kinora.Tensors.Tests;

public sealed class DeviceTests
{
    public static TheoryData<string> Optimizers() => ["sgd", "nesterov", "rmsprop", "centred rmsprop", "adam", "adamw"];

    [Fact]
    public void Parse_Names_AreThoseOfPyTorch()
    {
        Assert.Equal(Device.Cpu, Device.Parse("cpu", 3));
        Assert.Equal(Device.CudaCount > 0 ? Device.Cuda() : Device.Cpu, Device.Parse("auto"));
        Assert.Equal("cpu", Device.Cpu.ToString());
        Assert.Equal("cuda:2", Device.Cuda(2).ToString());
        foreach (string name in new[] { "gpu", "cuda:", "cuda:-1", "cuda:x", "", "CPU" })
        {
            Assert.Contains($"found '{name}'", Assert.Throws<ConfigException>(() => Device.Parse(name)).Message, StringComparison.Ordinal);
        }

        Assert.Contains("CUDA devices", Assert.Throws<ConfigException>(() => Device.Parse("cuda:99")).Message, StringComparison.Ordinal);
        Assert.Contains("local rank 99", Assert.Throws<ConfigException>(() => Device.Parse("cuda", 99)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Use_MissingGpu_IsRefusedAndNothingChanges()
    {
        ShapeException missing = Assert.Throws<ShapeException>(() => Device.Cuda(99).Use());
        Assert.Contains("cuda:99", missing.Message, StringComparison.Ordinal);
        Assert.Equal(Device.Cpu, Device.Current);
        using Tensor here = Tensor.Ones([2]);
        Assert.Equal(Device.Cpu, here.Device);
        using (Device.Cpu.Use())
        {
            using Tensor same = here.To(Device.Cpu);
            Assert.Equal([1f, 1f], same.ToArray<float>());
        }
    }

    // What takes the kernels' place on a GPU, proved on the CPU.
    [Theory]
    [MemberData(nameof(Optimizers))]
    public void Steps_WithLibtorchsOperators_EqualTheKernels(string name)
    {
        double[] kernels = Train(false), operators = Train(true);
        Assert.All(kernels.Zip(operators), pair => Assert.Equal(pair.First, pair.Second, 1e-12));

        unsafe double[] Train(bool general)
        {
            using var scope = new TensorScope();
            var random = new CounterRandom(5, "parameters");
            Tensor[] parameters = [.. Enumerable.Range(0, 3).Select(i => Tensor.From<double>([.. Enumerable.Range(0, 24).Select(_ => random.NextNormal())], [2, 3, 2, 2]))];
            parameters[1] = parameters[1].Contiguous(MemoryFormat.ChannelsLast);
            Array.ForEach(parameters, p => p.RequiresGrad = true);
            ParameterGroup[] groups =
            [
                new([("a", parameters[0])], 0.5, name == "adamw" ? 0 : 0.1) { DecoupledDecay = name == "adamw" ? 0.2 : 0 },
                new([("b", parameters[1]), ("c", parameters[2])]),
            ];
            using Optimizer optimizer = name switch
            {
                "sgd" => new Sgd(groups, 0.9),
                "nesterov" => new Sgd(groups, 0.9, nesterov: true),
                "rmsprop" => new RmsProp(groups, momentum: 0.9),
                "centred rmsprop" => new RmsProp(groups, momentum: 0.9, centered: true),
                _ => new Adam(groups),
            };
            Status.Check(NativeMethods.kt_general_optimizers(general ? 1 : 0), "test");
            try
            {
                var seen = new List<double>();
                for (int step = 0; step < 5; step++)
                {
                    foreach (Tensor parameter in parameters)
                    {
                        parameter.Grad = Tensor.From<double>([.. Enumerable.Range(0, 24).Select(_ => random.NextNormal())], [2, 3, 2, 2]);
                    }

                    seen.Add(optimizer.ClipGradientNorm(5));
                    optimizer.Step(0.01);
                }

                return [.. seen, .. parameters.SelectMany(p => p.ToArray<double>()), .. optimizer.StateDict().SelectMany(s => s.Value.ToArray<double>())];
            }
            finally
            {
                _ = NativeMethods.kt_general_optimizers(0);
            }
        }
    }

    [Fact]
    public void Cuda_TrainingStep_EqualsTheProcessor()
    {
        Assert.SkipWhen(Device.CudaCount == 0, "no CUDA: libtorch was built without, or there is no GPU");
        double[] processor = Train(Device.Cpu), gpu = Train(Device.Cuda());
        Assert.All(processor.Zip(gpu), pair => Assert.Equal(pair.First, pair.Second, 1e-9));

        static double[] Train(Device device)
        {
            using IDisposable where = device.Use();
            using var scope = new TensorScope();
            using var conv = new Conv2d(3, 8, 3, padding: 1);
            using var norm = new BatchNorm(8);
            Initializers.KaimingNormal(conv.Weight, new CounterRandom(1, "conv"));
            conv.To(DType.Float64);
            norm.To(DType.Float64);
            Assert.Equal(device, norm.Weight.Device);
            using var optimizer = new Sgd([new ParameterGroup([.. conv.NamedParameters(), .. norm.NamedParameters().Select(p => ("norm." + p.Name, p.Value))])]);
            var random = new CounterRandom(2, "pixels");
            Tensor x = Tensor.From<double>([.. Enumerable.Range(0, 2 * 3 * 64).Select(_ => random.NextNormal())], [2, 3, 8, 8]);
            for (int step = 0; step < 3; step++)
            {
                norm.Forward(conv.Forward(x), Rectifier.Relu).Square().Mean().Backward();
                optimizer.ClipGradientNorm(1);
                optimizer.Step(0.1);
                optimizer.ZeroGrad();
            }

            return [.. conv.Weight.ToArray<double>(), .. norm.RunningVariance.ToArray<double>()];
        }
    }

    [Theory]
    [InlineData(DType.BFloat16)]
    [InlineData(DType.Float16)]
    public void Cuda_Autocast_MatrixProductsAreShort(DType dtype)
    {
        Assert.SkipWhen(Device.CudaCount == 0, "no CUDA: libtorch was built without, or there is no GPU");
        using IDisposable where = Device.Cuda().Use();
        using var scope = new TensorScope();
        using IDisposable cast = Autocast.Enable(dtype);
        Assert.Equal(dtype, Tensor.Ones([2, 2]).MatMul(Tensor.Ones([2, 2])).DType);
    }

    [Fact]
    public void Autocast_OtherTypes_AreRefused() => Assert.Throws<ArgumentException>(() => Autocast.Enable(DType.Float64));
}
