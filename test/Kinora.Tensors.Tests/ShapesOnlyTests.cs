namespace Kinora.Tensors.Tests;

/// <summary>Operators that work out shapes: the oracle is the same operator with values.</summary>
public sealed class ShapesOnlyTests : IDisposable
{
    private readonly TensorScope _scope = new();

    public void Dispose() => _scope.Dispose();

    /// <summary>Operators that libtorch knows the shapes of, those that Kinora adds, and those that are computed with zeros.</summary>
    public static TheoryData<string, Func<Tensor, IEnumerable<Tensor>>> Calls => new()
    {
        { "conv1d", x => [F.Conv1d(x.Reshape(2, 8, -1), Tensor.Ones([4, 8, 3]), null, 2, 1)] },
        { "conv2d grouped, strided", x => [F.Conv2d(x, Tensor.Ones([16, 2, 3, 5]), Tensor.Ones([16]), [2, 1], [1, 0], 4)] },
        { "conv2d dilated", x => [F.Conv2d(x, Tensor.Ones([4, 8, 3, 3]), dilation: [2, 3])] },
        { "conv2d same", x => [Torch.Call("conv2d.padding", x, Tensor.Ones([4, 8, 3, 3]), Argument.None, new long[] { 1, 1 }, "same")] },
        { "conv3d", x => [F.Conv3d(x.Reshape(2, 2, 4, 9, 10), Tensor.Ones([6, 2, 3, 3, 1]), null, [1, 2, 2], [1, 1, 0])] },
        { "conv transposed", x => [Torch.Call("conv_transpose2d.input", x, Tensor.Ones([8, 3, 3, 3]))] },
        { "batch norm", x => [F.BatchNorm(x, null, null, Tensor.Zeros([8]), Tensor.Ones([8]), false, 0.1, 1e-5)] },
        { "batch norm, training", x => [F.BatchNorm(x, Tensor.Ones([8]), Tensor.Ones([8]), Tensor.Zeros([8]), Tensor.Ones([8]), true, 0.1, 1e-5)] },
        { "layer norm", x => [F.LayerNorm(x, [9, 10], Tensor.Ones([9, 10]), null)] },
        { "linear", x => [F.Linear(x, Tensor.Ones([7, 10]), Tensor.Ones([7]))] },
        { "products", x => [x.MatMul(x.Transpose(2, 3)), Torch.Call("bmm", x.Reshape(16, 9, 10), x.Reshape(16, 10, 9)), Torch.Call("einsum", "nchw,nkhw->nck", new[] { x, x })] },
        { "pools", x => [F.MaxPool2d(x, [3, 3], [2, 2], [1, 1]), F.AvgPool2d(x, [2, 2], [2, 2], ceilMode: true), F.AdaptiveAvgPool2d(x), F.AdaptiveAvgPool2d(x, 2, 3)] },
        { "volume pools", x => [F.MaxPool3d(x.Reshape(1, 8, 2, 9, 10), [1, 3, 3], [1, 2, 2], [0, 1, 1]), F.AvgPool3d(x.Reshape(1, 8, 2, 9, 10), [2, 9, 10], [1, 1, 1], [0, 0, 0])] },
        { "activations", x => [x.Relu(), x.Relu6(), x.Hardswish(), x.Gelu(), x.Sigmoid(), x.Softmax(3), x.LogSoftmax(1), x.Clamp(0, 1), x.Silu()] },
        { "sums", x => [x.Mean([2, 3]), x.Sum([1], keepDim: true), x.Var([1]), x.Max([2]), x.LogSumExp(1), x.ArgMax(1)] },
        { "movements", x => [x.Roll(2, 3), x.Flip(1), x.Pad([1, 2, -1, 0]), x.Slice(1, 2, 6, 2), x.Select(0, 1), x.Permute(0, 2, 3, 1), x.Expand(2, 8, 9, 10), x.Flatten(1), .. x.Split([3, 5], 1)] },
        { "choices", x => [x.IndexSelect(1, Tensor.Arange(3)), Tensor.Where(x.GreaterThan(0), x, x * 2), x.Gather(3, x.ArgMax(3, keepDim: true)), .. Both(x.TopK(2))] },
        { "joins", x => [Tensor.Concat([x, x], 1), Tensor.Stack([x, x], 2), x + Tensor.From<float>([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), x * Tensor.Scalar(2)] },
        { "types", x => [x.To(DType.Float64), x.GreaterThan(0), Tensor.Arange(4), Tensor.Full([2, 3], 1.5, DType.Float64), x.Contiguous(MemoryFormat.ChannelsLast)] },
        { "in place", x => [x.Clone().AddInPlace(x), x.Clone().ReluInPlace(), x.Clone().CopyFrom(x)] },
    };

    [Theory]
    [MemberData(nameof(Calls))]
    public void Call_WithoutValues_GivesTheSameShapesAndTypes(string name, Func<Tensor, IEnumerable<Tensor>> call)
    {
        using IDisposable noGrad = Grad.Disable();
        string[] expected = [.. call(Tensor.Ones([2, 8, 9, 10])).Select(t => t.ToString())];

        using IDisposable shapes = ShapesOnly.Enable();
        Tensor[] actual = [.. call(Tensor.Ones([2, 8, 9, 10]))];

        Assert.NotEmpty(name);
        Assert.Equal(expected, actual.Select(t => t.ToString()));
        Assert.All(actual, t => Assert.False(t.HasValues));
    }

    [Fact]
    public void Call_OnOrdinaryTensors_LeavesTheirValuesAlone()
    {
        Tensor ordinary = Tensor.Full([2, 2], 3);
        using (ShapesOnly.Enable())
        {
            ordinary.FillInPlace(7);
            ordinary.CopyFrom<float>([1, 2, 3, 4]);
            Initializers.Uniform(ordinary, new CounterRandom(1, "x"), 0, 1);
            Assert.False((ordinary * 2).HasValues);
            Assert.True(ordinary.HasValues);
            Assert.Equal([3, 3, 3, 3], ordinary.ToArray<float>());
            Assert.Equal([5, 6], Tensor.From<float>([5, 6]).ToArray<float>());
        }

        Assert.Equal([6, 6, 6, 6], (ordinary * 2).ToArray<float>());
    }

    [Fact]
    public void Call_UnfitShapes_ThrowsAsWithValues()
    {
        using IDisposable shapes = ShapesOnly.Enable();
        Tensor x = Tensor.Ones([2, 8, 9, 10]);
        Assert.Throws<ShapeException>(() => F.Conv2d(x, Tensor.Ones([4, 7, 3, 3])));
        Assert.Throws<ShapeException>(() => F.Conv2d(x, Tensor.Ones([4, 8, 11, 11])));
        Assert.Throws<ShapeException>(() => F.LayerNorm(x, [9], null, null));
        Assert.Throws<ShapeException>(() => x + Tensor.Ones([3]));
    }

    [Fact]
    public void ToArray_WithoutValues_SaysThatThereAreNone()
    {
        Tensor hollow;
        using (ShapesOnly.Enable())
        {
            hollow = Tensor.Ones([1000, 1000, 1000, 1000]);
        }

        Assert.Contains("has no values", Assert.Throws<InvalidOperationException>(() => hollow.Select(0, 0).Select(0, 0).Select(0, 0).ToArray<float>()).Message, StringComparison.Ordinal);
        using var folder = new Testing.TemporaryFolder();
        var e = Assert.Throws<CheckpointException>(() => SafetensorsFile.Save(folder["x.safetensors"], [("hollow", hollow)]));
        Assert.Contains("'hollow'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_FileInsideTheMode_GivesShapes()
    {
        using var folder = new Testing.TemporaryFolder();
        SafetensorsFile.Save(folder["x.safetensors"], [("a", Tensor.Ones([3, 4], DType.Float64))]);
        using SafetensorsFile file = SafetensorsFile.Open(folder["x.safetensors"]);
        using IDisposable shapes = ShapesOnly.Enable();
        Assert.Equal("[3, 4] Float64", file.Read("a").ToString());
    }

    private static Tensor[] Both((Tensor Values, Tensor Indices) pair) => [pair.Values, pair.Indices];
}
