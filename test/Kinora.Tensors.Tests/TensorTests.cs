namespace Kinora.Tensors.Tests;

/// <summary>Creation, conversion and the meaning of the operators.</summary>
public sealed class TensorTests : IDisposable
{
    private readonly TensorScope _scope = new();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void From_EachElementType_KeepsTypeAndBits()
    {
        Check<byte>([0, 1, 255], DType.UInt8);
        Check([int.MinValue, 0, 7], DType.Int32);
        Check([long.MinValue, 0, long.MaxValue], DType.Int64);
        Check([(Half)1.5f, (Half)(-2)], DType.Float16);
        Check([1.5f, float.NaN, float.NegativeInfinity], DType.Float32);
        Check([1e-300, Math.PI], DType.Float64);
        Check([true, false, true], DType.Bool);
        Check<ushort>([0x3F80, 0xBF80], DType.BFloat16);

        static void Check<T>(T[] values, DType dtype)
            where T : unmanaged
        {
            Tensor tensor = Tensor.From<T>(values);
            Assert.Equal(dtype, tensor.DType);
            Assert.Equal([values.Length], tensor.Shape.ToArray());
            Assert.Equal(values, tensor.ToArray<T>());
        }
    }

    [Fact]
    public void ToArray_OtherType_Converts()
    {
        Assert.Equal([1f, -1f], Tensor.From<ushort>([0x3F80, 0xBF80]).ToArray<float>());
        Assert.Equal([2L, 3L], Tensor.From<float>([2.7f, 3.1f]).ToArray<long>());
        Assert.Equal([0x3F80, 0x4000], Tensor.From<float>([1, 2]).To(DType.BFloat16).ToArray<ushort>());
    }

    [Fact]
    public void ToArray_Transposed_IsInLogicalOrder() =>
        Assert.Equal([0f, 3f, 1f, 4f, 2f, 5f], Numbers(2, 3).Transpose(0, 1).ToArray<float>());

    [Fact]
    public void From_WrongCount_NamesBoth()
    {
        var e = Assert.Throws<ShapeException>(() => Tensor.From<float>([1, 2, 3], [2, 2]));
        Assert.Equal("tensor from values: expected [2, 2], found 3 values", e.Message);
    }

    [Fact]
    public void From_UnknownType_Throws() => Assert.Throws<ArgumentException>(() => Tensor.From<decimal>([1m]));

    [Fact]
    public void CopyFrom_ParameterInChannelsLast_KeepsFormatAndGradientFlag()
    {
        Tensor tensor = Tensor.Zeros([1, 2, 2, 2]).Contiguous(MemoryFormat.ChannelsLast);
        tensor.RequiresGrad = true;
        tensor.CopyFrom<double>([0, 1, 2, 3, 4, 5, 6, 7]);

        Assert.True(tensor.IsChannelsLast);
        Assert.True(tensor.RequiresGrad);
        Assert.Equal([0f, 1, 2, 3, 4, 5, 6, 7], tensor.ToArray<float>());
    }

    [Fact]
    public void CopyTo_WrongLength_Throws() => Assert.Throws<ShapeException>(() => Numbers(2, 3).CopyTo<float>(new float[5]));

    [Fact]
    public void Empty_ZeroElements_RoundTrips()
    {
        Tensor tensor = Tensor.Zeros([0, 3]);
        Assert.Equal(0, tensor.Count);
        Assert.Empty(tensor.ToArray<float>());
    }

    [Fact]
    public void ToDouble_ManyElements_Throws() => Assert.Throws<ShapeException>(() => Numbers(2).ToDouble());

    [Fact]
    public void Creation_Constants_HoldThem()
    {
        Assert.Equal([1f, 1f], Tensor.Ones([2]).ToArray<float>());
        Assert.Equal([2.5, 2.5], Tensor.Full([2], 2.5, DType.Float64).ToArray<double>());
        Assert.Equal([0L, 1L, 2L], Tensor.Arange(3).ToArray<long>());
        Assert.Equal(7, Tensor.Scalar(7).ToDouble());
        Assert.Equal(0, Tensor.Scalar(7).Rank);
    }

    [Fact]
    public void Operators_Broadcast_MatchArithmetic()
    {
        Tensor a = Numbers(2, 3);
        Tensor b = Tensor.From<float>([1, 2, 4]);
        Assert.Equal([1f, 3, 6, 4, 6, 9], (a + b).ToArray<float>());
        Assert.Equal([-1f, -1, -2, 2, 2, 1], (a - b).ToArray<float>());
        Assert.Equal([0f, 2, 8, 3, 8, 20], (a * b).ToArray<float>());
        Assert.Equal([0f, .5f, .5f, 3, 2, 1.25f], (a / b).ToArray<float>());
        Assert.Equal([1f, 2, 3, 4, 5, 6], (a + 1).ToArray<float>());
        Assert.Equal([1f, 0, -1, -2, -3, -4], (1 - a).ToArray<float>());
        Assert.Equal([0f, 2, 4, 6, 8, 10], (2 * a).ToArray<float>());
        Assert.Equal([4f, 2, 1], (4 / b).ToArray<float>());
        Assert.Equal([-1f, -2, -4], (-b).ToArray<float>());
        Assert.Equal([2f, 5, 10, 5, 8, 13], a.Add(b, 2).ToArray<float>());
    }

    [Fact]
    public void Reductions_KnownValues_Match()
    {
        Tensor a = Numbers(2, 3);
        Assert.Equal(15, a.Sum().ToDouble());
        Assert.Equal(2.5, a.Mean().ToDouble());
        Assert.Equal([3f, 5, 7], a.Sum([0]).ToArray<float>());
        Assert.Equal([2, 1], a.Mean([1], keepDim: true).Shape.ToArray());
        Assert.Equal([1f, 4], a.Mean([1]).ToArray<float>());
        Assert.Equal([2f / 3, 2f / 3], a.Var([1]).ToArray<float>());
        Assert.Equal([1f, 1f], a.Var([1], unbiased: true).ToArray<float>());
        Assert.Equal(5, a.Max().ToDouble());
        Assert.Equal(0, a.Min().ToDouble());
        Assert.Equal([3f, 4, 5], a.Max([0]).ToArray<float>());
        Assert.Equal([2L, 2L], a.ArgMax(1).ToArray<long>());
        (Tensor values, Tensor indices) = a.MaxAlong(0);
        Assert.Equal([3f, 4, 5], values.ToArray<float>());
        Assert.Equal([1L, 1, 1], indices.ToArray<long>());
        (values, indices) = a.TopK(2, 1);
        Assert.Equal([2f, 1, 5, 4], values.ToArray<float>());
        Assert.Equal([2L, 1, 2, 1], indices.ToArray<long>());
        Assert.Equal(Math.Sqrt(55), a.Norm().ToDouble(), 1e-5);
    }

    [Fact]
    public void Shapes_ViewsAndJoins_Match()
    {
        Tensor a = Numbers(2, 3);
        Assert.Equal([3, 2], a.Reshape(3, -1).Shape.ToArray());
        Assert.Equal([6], a.Flatten().Shape.ToArray());
        Assert.Equal([2, 1, 3], a.Unsqueeze(1).Shape.ToArray());
        Assert.Equal([2, 3], a.Unsqueeze(1).Squeeze(1).Shape.ToArray());
        Assert.Equal([4, 2, 3], a.Expand(4, -1, -1).Shape.ToArray());
        Assert.Equal([3, 2], a.Permute(1, 0).Shape.ToArray());
        Assert.Equal([1f, 4], a.Select(1, 1).ToArray<float>());
        Assert.Equal([0f, 2, 3, 5], a.Slice(1, 0, step: 2).ToArray<float>());
        Assert.Equal([2f, 5], a.Slice(1, -1).ToArray<float>());
        Assert.Equal([5f, 4, 3, 2, 1, 0], a.Flip(0, 1).ToArray<float>());
        Assert.Equal([2f, 0, 1, 5, 3, 4], a.Roll(1, 1).ToArray<float>());
        Assert.Equal([3f, 4, 5, 0, 1, 2], a.IndexSelect(0, Tensor.From<long>([1, 0])).ToArray<float>());
        Assert.Equal([2f, 3], a.Gather(1, Tensor.From<long>([2, 0], [2, 1])).ToArray<float>());
        Assert.Equal([9f, 0, 1, 2, 9, 3, 4, 5], a.Pad([1, 0], 9).ToArray<float>());
        Assert.Equal([4, 3], Tensor.Concat([a, a]).Shape.ToArray());
        Assert.Equal([2, 2, 3], Tensor.Stack([a, a]).Shape.ToArray());
        Tensor[] parts = a.Split([1, 2], 1);
        Assert.Equal([1f, 2, 4, 5], parts[1].ToArray<float>());
        Assert.Equal([0f, 1, 2, 30, 40, 50], Tensor.Where(a.GreaterThan(2), a * 10, a).ToArray<float>());
    }

    [Fact]
    public void InPlace_Operators_ReturnTheSameTensor()
    {
        Tensor a = Numbers(3);
        Assert.Same(a, a.AddInPlace(a, 2).MulInPlace(2).FillInPlace(3).SubInPlace(Tensor.Ones([3])).MulInPlace(Tensor.From<float>([1, 2, 3])));
        Assert.Equal([2f, 4, 6], a.ToArray<float>());
        Assert.Equal([0f, 4, 6], a.SubInPlace(Tensor.From<float>([3, 0, 0])).ReluInPlace().ToArray<float>());
    }

    [Fact]
    public void Detach_SharesMemory_CloneDoesNot()
    {
        Tensor a = Numbers(3);
        Tensor same = a.Detach(), copy = a.Clone();
        a.FillInPlace(9);
        Assert.Equal([9f, 9, 9], same.ToArray<float>());
        Assert.Equal([0f, 1, 2], copy.ToArray<float>());
    }

    [Fact]
    public void AllFinite_NaNOrInfinity_IsFalse()
    {
        Assert.True(Numbers(3).AllFinite());
        Assert.False(Tensor.From<float>([1, float.NaN]).AllFinite());
        Assert.False(Tensor.From<float>([1, float.PositiveInfinity]).AllFinite());
    }

    [Fact]
    public void Contiguous_ChannelsLast_KeepsValues()
    {
        Tensor a = Numbers(2, 3, 2, 2);
        Tensor b = a.Contiguous(MemoryFormat.ChannelsLast);
        Assert.True(b.IsChannelsLast);
        Assert.False(b.IsContiguous);
        Assert.Equal(a.ToArray<float>(), b.ToArray<float>());
    }

    [Fact]
    public void Use_AfterDispose_Throws()
    {
        Tensor a = Numbers(3);
        a.Dispose();
        Assert.Throws<ObjectDisposedException>(() => a + 1);
        Assert.Throws<ObjectDisposedException>(() => Tensor.Concat([Numbers(1), a]));
        a.Dispose();
    }

    [Fact]
    public void Concat_DisposedAmongMany_ReleasesTheOthers()
    {
        // A failed call must give back the holds on its other arguments, or they would never be freed.
        using var scope = new TensorScope();
        long before = Torch.LiveTensors;
        using (new TensorScope())
        {
            Tensor dead = Numbers(3);
            dead.Dispose();
            for (int i = 0; i < 10; i++)
            {
                Tensor live = Numbers(3);
                Assert.Throws<ObjectDisposedException>(() => Tensor.Concat([live, dead, live]));
                Assert.Throws<ObjectDisposedException>(() => live + dead);
            }
        }

        Assert.Equal(before, Torch.LiveTensors);
    }

    [Fact]
    public void Threads_BelowOne_Throws()
    {
        Assert.InRange(Torch.Threads, 1, Environment.ProcessorCount);
        Assert.Throws<ArgumentOutOfRangeException>(() => Torch.Threads = 0);
    }

    [Fact]
    public void Call_AnyOperator_WorksByName()
    {
        Assert.Equal([3f, 3f], Torch.Call("aten::full", new long[] { 2 }, 3, DType.Float32).ToArray<float>());
        Assert.Equal([1f, 2f], Torch.Call("add.Tensor", Numbers(2), 1).ToArray<float>());
        Assert.Equal(3, Torch.CallAll("unbind.int", Numbers(3, 2)).Length);
        Tensor a = Numbers(2);
        Torch.Run("zero_", a);
        Assert.Equal([0f, 0f], a.ToArray<float>());
        Assert.Equal("aten::relu(Tensor self) -> Tensor", Torch.Schema("relu"));
        Assert.Equal(13, Torch.CallAll("split.Tensor", Numbers(13), 1).Length);
    }

    private static Tensor Numbers(params long[] shape) => Tensor.Arange(shape.Aggregate(1L, (a, b) => a * b), DType.Float32).Reshape(shape);
}
