namespace Kinora.Tensors.Tests;

/// <summary>What libtorch refuses comes back as one line with the operator, the cause and the operands.</summary>
public sealed class ErrorTests : IDisposable
{
    private readonly TensorScope _scope = new();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Conv2d_WrongChannels_NamesOperatorAndShapes()
    {
        var e = Assert.Throws<ShapeException>(() => F.Conv2d(Tensor.Zeros([2, 3, 8, 8]), Tensor.Zeros([8, 4, 3, 3])));
        OneLine(e, "conv2d: ", "expected", "found input [2, 3, 8, 8], weight [8, 4, 3, 3]");
    }

    [Fact]
    public void MatMul_OtherType_NamesTypes()
    {
        var e = Assert.Throws<ShapeException>(() => Tensor.Zeros([2, 3]).MatMul(Tensor.Zeros([3, 2], DType.Float64)));
        OneLine(e, "matmul: ", "found self [2, 3], other [3, 2] Float64");
    }

    [Fact]
    public void Concat_MisfitInList_NamesEachEntry()
    {
        var e = Assert.Throws<ShapeException>(() => Tensor.Concat([Tensor.Zeros([2, 3]), Tensor.Zeros([2, 4])]));
        OneLine(e, "cat: ", "tensors[0] [2, 3], tensors[1] [2, 4]");
    }

    [Fact]
    public void Call_UnknownOperator_SaysSo()
    {
        var e = Assert.Throws<ShapeException>(() => Torch.Call("no_such_operator", Tensor.Zeros([1])));
        OneLine(e, "no_such_operator");
    }

    [Fact]
    public void Call_TooManyOrMissingArguments_ShowsTheSchema()
    {
        var e = Assert.Throws<ShapeException>(() => Torch.Call("relu", Tensor.Zeros([1]), 1, 2));
        OneLine(e, "relu: ", "aten::relu(Tensor self) -> Tensor");
        e = Assert.Throws<ShapeException>(() => Torch.Call("add.Tensor", Tensor.Zeros([1])));
        OneLine(e, "add: ", "missing argument 'other'");
    }

    [Fact]
    public void Call_ArgumentOfWrongKind_IsRefused()
    {
        // The dispatcher would take the wrong kind for the right one, or abort.
        Assert.Throws<ShapeException>(() => Torch.Call("relu", "text"));
        Assert.Throws<ShapeException>(() => Torch.Call("softmax.int", Tensor.Zeros([2]), new long[] { 1, 2 }));
        Assert.Throws<ShapeException>(() => Torch.Call("cat", Tensor.Zeros([2])));
        Assert.Throws<ShapeException>(() => Torch.Call("cat", new long[] { 1 }));
        Assert.Throws<ShapeException>(() => Torch.Call("conv2d", Tensor.Zeros([1, 1, 4, 4]), Tensor.Zeros([1, 1, 3, 3]), true, "no"));
        Assert.Throws<ShapeException>(() => Torch.Call("relu", Argument.None));
    }

    [Fact]
    public void Empty_EnormousShape_IsNativeException()
    {
        var e = Assert.Throws<NativeException>(() => Tensor.Empty([1L << 45]));
        OneLine(e, "empty");
    }

    [Fact]
    public void Backward_NoGraph_NamesTheRoot()
    {
        var e = Assert.Throws<ShapeException>(() => Tensor.Zeros([1]).Backward());
        OneLine(e, "backward: ", "root [1]");
    }

    [Fact]
    public void RequiresGrad_Integers_AreRefused()
    {
        Tensor labels = Tensor.Arange(3);
        Assert.Throws<ShapeException>(() => labels.RequiresGrad = true);
    }

    private static void OneLine(KinoraException e, params string[] parts)
    {
        Assert.DoesNotContain('\n', e.Message);
        Assert.InRange(e.Message.Length, 1, 600);
        Assert.All(parts, part => Assert.Contains(part, e.Message));
    }
}
