namespace Kinora.Tensors.Tests;

/// <summary>Layers over time, height and width, against hand-computed values.</summary>
public sealed class VolumeLayerTests
{
    [Fact]
    public void Conv3d_OnesOverAStep_SumsTheBox()
    {
        using var scope = new TensorScope();
        using var conv = new Conv3d(1, 1, (2, 1, 3), (1, 1, 2), (0, 0, 1), bias: true);
        conv.Weight.CopyFrom<float>([1, 1, 1, 1, 1, 1]);
        conv.Bias!.CopyFrom<float>([0.5f]);
        Tensor x = Tensor.From<float>([1, 2, 3, 10, 20, 30], [1, 1, 2, 1, 3]);

        Tensor y = conv.Forward(x);

        Assert.Equal([1, 1, 1, 1, 2], y.Shape.ToArray());
        Assert.Equal([33.5f, 55.5f], y.ToArray<float>());
    }

    // In float64 the work is done in parts along time, in float32 at once.
    [Theory]
    [InlineData(1, 5, 1, 2)]
    [InlineData(1, 3, 2, 1)]
    [InlineData(3, 3, 2, 0)]
    public void Conv3d_LargeClipInFloat64_EqualsFloat32(int groups, int kernel, int stride, int padding)
    {
        using var scope = new TensorScope();
        using var conv = new Conv3d(3, 6, (kernel, 7, 7), (stride, 2, 2), (padding, 3, 3), groups, bias: true);
        foreach ((_, Tensor value) in conv.NamedParameters())
        {
            Initializers.Normal(value, new CounterRandom(1, "weights"), 0.1);
        }

        Tensor x = Tensor.Zeros([2, 3, 19, 96, 96]);
        Initializers.Normal(x, new CounterRandom(1, "x"), 1);
        (float[] expected, float[][] gradients) = Run(x);
        conv.To(DType.Float64);
        (float[] found, float[][] foundGradients) = Run(x.To(DType.Float64).Detach());

        Assert.Equal(expected.Length, found.Length);
        double Apart(float[] a, float[] b) => a.Zip(b, (p, q) => Math.Abs(p - q)).Max() / a.Max(Math.Abs);
        Assert.InRange(Apart(expected, found), 0, 1e-5);
        Assert.All(gradients.Zip(foundGradients), pair => Assert.InRange(Apart(pair.First, pair.Second), 0, 1e-4));

        (float[] Output, float[][] Gradients) Run(Tensor input)
        {
            input.RequiresGrad = true;
            Tensor y = conv.Forward(input);
            (y * y).Mean().Backward();
            Tensor[] leaves = [input, conv.Weight, conv.Bias!];
            return (y.To(DType.Float32).ToArray<float>(), [.. leaves.Select(leaf => leaf.Grad!.To(DType.Float32).ToArray<float>())]);
        }
    }

    [Fact]
    public void Conv3d_IndivisibleGroups_IsRefused() =>
        Assert.Throws<ShapeException>(() => new Conv3d(6, 4, (1, 1, 1), groups: 3));

    [Fact]
    public void MaxPool3d_Padding_CountsAsNothing()
    {
        using var scope = new TensorScope();
        using var pool = new MaxPool3d((1, 1, 3), (1, 1, 2), (0, 0, 1));
        Assert.Equal([-1f, -2f], pool.Forward(Tensor.From<float>([-1, -5, -2], [1, 1, 1, 1, 3])).ToArray<float>());
    }

    [Theory]
    [InlineData(true, 1.5f, 2.5f)]
    [InlineData(false, 1f, 5f / 3)]
    public void AvgPool3d_Padding_CountsAsTold(bool exclusive, float left, float right)
    {
        using var scope = new TensorScope();
        using var pool = new AvgPool3d((1, 1, 3), (1, 1, 2), (0, 0, 1), exclusive);
        Assert.Equal([left, right], pool.Forward(Tensor.From<float>([1, 2, 3], [1, 1, 1, 1, 3])).ToArray<float>());
    }

    [Fact]
    public void LayerNorm_OneRow_HasMeanBiasAndSpreadWeight()
    {
        using var scope = new TensorScope();
        using var norm = new LayerNorm(2, epsilon: 0);
        norm.Weight.CopyFrom<float>([2, 3]);
        norm.Bias.CopyFrom<float>([10, 20]);
        Assert.Equal([8f, 23f, 12f, 17f], norm.Forward(Tensor.From<float>([1, 3, 7, 5], [2, 2])).ToArray<float>());
    }

    [Fact]
    public void DropPath_Training_DropsWholeSamplesAndRepeatsByKey()
    {
        using var scope = new TensorScope();
        using var path = new DropPath(0.25);
        Tensor x = Tensor.Ones([400, 3]);
        path.SetRandomKey(7, 1, 2);
        float[] first = path.Forward(x).ToArray<float>();
        float[] second = path.Forward(x).ToArray<float>();
        path.SetRandomKey(7, 1, 2);
        float[] again = path.Forward(x).ToArray<float>();
        path.Eval();

        Assert.All(first.Chunk(3), row => Assert.True(row.All(v => v == 0) || row.All(v => v == 1 / 0.75f)));
        Assert.InRange(first.Count(v => v == 0) / 3, 60, 140);
        Assert.NotEqual(first, second);
        Assert.Equal(first, again);
        Assert.Same(x, path.Forward(x));
    }
}
