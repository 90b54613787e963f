namespace Kinora.Tensors.Tests;

/// <summary>Gradients of operators and layers against central differences in float64.</summary>
public sealed class GradientTests
{
    private static readonly Dictionary<string, (long[][] Shapes, Func<Tensor[], Tensor> Function)> Functions = new()
    {
        ["add"] = ([[2, 3], [3]], x => x[0] + x[1]),
        ["add alpha"] = ([[2, 3], [3]], x => x[0].Add(x[1], -2.5)),
        ["sub"] = ([[2, 3], [2, 1]], x => x[0] - x[1]),
        ["number sub"] = ([[2, 3]], x => 2 - x[0]),
        ["mul"] = ([[2, 3], [3]], x => x[0] * x[1]),
        ["div"] = ([[2, 3], [3]], x => x[0] / (x[1] + 3)),
        ["number div"] = ([[2, 3]], x => 2 / (x[0] + 3)),
        ["maximum"] = ([[2, 3], [2, 3]], x => x[0].Maximum(x[1])),
        ["minimum"] = ([[2, 3], [2, 3]], x => x[0].Minimum(x[1])),
        ["pow"] = ([[2, 3]], x => (x[0] + 3).Pow(1.7)),
        ["abs"] = ([[2, 3]], x => x[0].Abs()),
        ["exp"] = ([[2, 3]], x => x[0].Exp()),
        ["log"] = ([[2, 3]], x => (x[0] + 3).Log()),
        ["sqrt"] = ([[2, 3]], x => (x[0] + 3).Sqrt()),
        ["square"] = ([[2, 3]], x => x[0].Square()),
        ["sin cos"] = ([[2, 3]], x => x[0].Sin() * x[0].Cos()),
        ["relu"] = ([[4, 5]], x => x[0].Relu()),
        ["relu6"] = ([[4, 5]], x => (x[0] * 8).Relu6()),
        ["leaky relu"] = ([[4, 5]], x => x[0].LeakyRelu(0.1)),
        ["sigmoid"] = ([[4, 5]], x => x[0].Sigmoid()),
        ["tanh"] = ([[4, 5]], x => x[0].Tanh()),
        ["hardswish"] = ([[4, 5]], x => (x[0] * 4).Hardswish()),
        ["hardsigmoid"] = ([[4, 5]], x => (x[0] * 4).Hardsigmoid()),
        ["hard sigmoid 0.2"] = ([[4, 5]], x => F.HardSigmoid(x[0] * 4, 0.2)),
        ["silu"] = ([[4, 5]], x => x[0].Silu()),
        ["gelu"] = ([[4, 5]], x => x[0].Gelu()),
        ["clamp"] = ([[4, 5]], x => x[0].Clamp(-0.3, 0.4)),
        ["softmax"] = ([[3, 4]], x => x[0].Softmax(1)),
        ["log softmax"] = ([[3, 4]], x => x[0].LogSoftmax(1)),
        ["log sum exp"] = ([[3, 4]], x => x[0].LogSumExp(0)),
        ["matmul"] = ([[2, 3, 4], [4, 5]], x => x[0].MatMul(x[1])),
        ["sum"] = ([[2, 3]], x => x[0].Square().Sum()),
        ["sum dims"] = ([[2, 3, 4]], x => x[0].Sum([0, 2])),
        ["mean dims"] = ([[2, 3, 4]], x => x[0].Mean([1], true)),
        ["var"] = ([[2, 3, 4]], x => x[0].Var([0, 2])),
        ["max dims"] = ([[2, 3, 4]], x => x[0].Max([1])),
        ["max along"] = ([[2, 3, 4]], x => x[0].MaxAlong(2).Values),
        ["norm"] = ([[2, 3]], x => x[0].Norm()),
        ["reshape permute"] = ([[2, 3, 4]], x => x[0].Permute(2, 0, 1).Reshape(4, -1).Transpose(0, 1)),
        ["slice"] = ([[2, 5, 3]], x => x[0].Slice(1, 1, 5, 2)),
        ["select"] = ([[2, 5, 3]], x => x[0].Select(1, -1)),
        ["index select"] = ([[4, 3]], x => x[0].IndexSelect(0, Tensor.From<long>([3, 0, 3]))),
        ["pad cut"] = ([[2, 4, 3]], x => x[0].Pad([0, 0, 1, -2], 5)),
        ["flip roll"] = ([[3, 4]], x => x[0].Flip(1).Roll(2, 0)),
        ["concat stack"] = ([[2, 3], [2, 3]], x => Tensor.Concat([x[0], Tensor.Stack([x[0], x[1]]).Sum([0])], 1)),
        ["split"] = ([[2, 5]], x => { Tensor[] p = x[0].Split([2, 3], 1); return p[0].Sum() * p[1]; }),
        ["expand"] = ([[1, 3]], x => x[0].Expand(4, 3) * x[0]),
        ["where"] = ([[3, 4], [3, 4]], x => Tensor.Where(x[0].GreaterThan(0), x[0] * 2, x[1] * 3)),
        ["in place"] = ([[3, 4], [3, 4]], x => (x[0] * 1).AddInPlace(x[1], 3).ReluInPlace()),
        ["conv2d"] = ([[2, 3, 6, 5], [4, 3, 3, 3], [4]], x => F.Conv2d(x[0], x[1], x[2], [2, 1], [1, 0])),
        ["conv2d dilated"] = ([[1, 2, 7, 7], [2, 2, 3, 3]], x => F.Conv2d(x[0], x[1], null, null, [2, 2], 1, [2, 2])),
        ["conv2d depthwise"] = ([[2, 4, 6, 6], [4, 1, 3, 3]], x => F.Conv2d(x[0], x[1], null, [2, 2], [1, 1], 4)),
        ["conv2d channels last"] = ([[2, 4, 5, 5], [4, 1, 3, 3]], x => F.Conv2d(x[0].Contiguous(MemoryFormat.ChannelsLast), x[1].Contiguous(MemoryFormat.ChannelsLast), null, null, [1, 1], 4)),
        ["conv1d"] = ([[2, 4, 6], [4, 2, 3], [4]], x => F.Conv1d(x[0], x[1], x[2], 1, 1, 2)),
        ["linear"] = ([[2, 3, 4], [5, 4], [5]], x => F.Linear(x[0], x[1], x[2])),
        ["max pool"] = ([[2, 2, 6, 6]], x => F.MaxPool2d(x[0], [3, 3], [2, 2], [1, 1])),
        ["avg pool exclusive"] = ([[2, 2, 5, 5]], x => F.AvgPool2d(x[0], [3, 3], [2, 2], [1, 1], ceilMode: true)),
        ["avg pool inclusive"] = ([[2, 2, 5, 5]], x => F.AvgPool2d(x[0], [3, 3], [2, 2], [1, 1], exclusive: false)),
        ["adaptive pool"] = ([[2, 2, 5, 5]], x => F.AdaptiveAvgPool2d(x[0], 2, 3)),
        ["batch norm"] = ([[4, 3, 2, 2], [3], [3]], x => F.BatchNorm(x[0], x[1], x[2], null, null, true, 0, 1e-5)),
        ["batch norm eval"] = ([[4, 3, 2, 2], [3], [3]], x => F.BatchNorm(x[0], x[1], x[2], Tensor.Ones([3], DType.Float64), Tensor.Full([3], 2, DType.Float64), false, 0, 1e-5)),
        ["layer norm"] = ([[2, 3, 4], [4], [4]], x => F.LayerNorm(x[0], [4], x[1], x[2])),
        ["dropout"] = ([[6, 7]], x => F.Dropout(x[0], 0.4, new CounterRandom(1, "mask"))),
        ["cross entropy"] = ([[4, 5]], x => F.CrossEntropy(x[0], Tensor.From<long>([0, 4, 2, 2]))),
        ["cross entropy smooth"] = ([[4, 5]], x => F.CrossEntropy(x[0], Tensor.From<long>([0, 4, 2, 2]), 0.25)),
    };

    public static TheoryData<string> Names() => [.. Functions.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Backward_Function_MatchesFiniteDifferences(string name)
    {
        (long[][] shapes, Func<Tensor[], Tensor> function) = Functions[name];
        using var scope = new TensorScope();
        double[][] values = [.. shapes.Select((shape, i) => Values(name, i, shape))];
        Tensor[] inputs = Make(values);
        foreach (Tensor input in inputs)
        {
            input.RequiresGrad = true;
        }

        Tensor output = function(inputs);
        double[] weights = Values(name, 99, [output.Count]);
        (output * Tensor.From<double>(weights, output.Shape)).Sum().Backward();

        const double Step = 1e-6;
        for (int i = 0; i < shapes.Length; i++)
        {
            double[] gradient = inputs[i].Grad!.ToArray<double>();
            for (int k = 0; k < gradient.Length; k++)
            {
                double expected = (Value(i, k, Step) - Value(i, k, -Step)) / (2 * Step);
                Assert.True(Math.Abs(expected - gradient[k]) <= 2e-8 * Math.Max(1, Math.Abs(expected)) * 10, $"{name}: input {i} element {k}: expected {expected:R}, found {gradient[k]:R}");
            }
        }

        double Value(int index, int element, double change)
        {
            using var inner = new TensorScope();
            using IDisposable mode = Grad.Disable();
            double[][] moved = [.. values.Select(v => (double[])v.Clone())];
            moved[index][element] += change;
            double[] result = function(Make(moved)).ToArray<double>();
            return result.Zip(weights, (a, b) => a * b).Sum();
        }

        Tensor[] Make(double[][] data) => [.. data.Select((v, i) => Tensor.From<double>(v, shapes[i]))];
    }

    [Fact]
    public void Backward_TwoRoots_AddsUp()
    {
        using var scope = new TensorScope();
        Tensor w = Tensor.From<double>([2]);
        w.RequiresGrad = true;
        (w * 3).Backward();
        (w * w).Backward();
        Assert.Equal(7, w.Grad!.ToDouble());
        w.Grad = null;
        Assert.Null(w.Grad);
    }

    [Fact]
    public void Backward_RetainedGraph_CanRunAgain()
    {
        using var scope = new TensorScope();
        Tensor w = Tensor.From<double>([2]);
        w.RequiresGrad = true;
        Tensor y = w * w;
        y.Backward(retainGraph: true);
        y.Backward();
        Assert.Equal(8, w.Grad!.ToDouble());
        Assert.Throws<ShapeException>(() => y.Backward());
    }

    [Fact]
    public void Backward_DisposedIntermediates_StillWorks()
    {
        using var scope = new TensorScope();
        Tensor w = Tensor.From<double>([2, 3]);
        w.RequiresGrad = true;
        Tensor y;
        using (new TensorScope())
        {
            y = (w.Square() * w).Sum().MoveToOuterScope();
        }

        y.Backward();
        Assert.Equal([12.0, 27.0], w.Grad!.ToArray<double>());
    }

    private static double[] Values(string name, int index, long[] shape)
    {
        var random = new CounterRandom(11, index, shape.Length, name);
        return [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(_ => random.NextDouble(-1, 1))];
    }
}
