namespace Kinora.Tensors.Tests;

/// <summary>Who owns a tensor, and when it goes.</summary>
public sealed class TensorScopeTests
{
    [Fact]
    public void Dispose_TensorsInside_AreDisposed()
    {
        Tensor inner;
        using (new TensorScope())
        {
            inner = Tensor.Zeros([3]) + 1;
        }

        Assert.True(inner.IsDisposed);
        Assert.Null(TensorScope.Current);
    }

    [Fact]
    public void EscapeScope_Tensor_BelongsToTheCaller()
    {
        Tensor kept;
        using (new TensorScope())
        {
            using (new TensorScope())
            {
                kept = Tensor.Ones([3]).EscapeScope();
            }
        }

        Assert.Equal([1f, 1, 1], kept.ToArray<float>());
        kept.Dispose();
    }

    [Fact]
    public void MoveToOuterScope_Tensor_LivesAsLongAsTheOuterScope()
    {
        Tensor moved;
        using (new TensorScope())
        {
            using (new TensorScope())
            {
                moved = Tensor.Ones([3]).MoveToOuterScope();
            }

            Assert.False(moved.IsDisposed);
        }

        Assert.True(moved.IsDisposed);
    }

    [Fact]
    public void MoveToOuterScope_OutermostScope_BelongsToTheCaller()
    {
        Tensor moved;
        using (new TensorScope())
        {
            moved = Tensor.Ones([3]).MoveToOuterScope();
        }

        Assert.False(moved.IsDisposed);
        moved.Dispose();
    }

    [Fact]
    public void Dispose_OuterFirst_ClosesTheInnerOnes()
    {
        var outer = new TensorScope();
        var inner = new TensorScope();
        Tensor tensor = Tensor.Zeros([1]);
        outer.Dispose();
        Assert.True(tensor.IsDisposed);
        Assert.Null(TensorScope.Current);
        inner.Dispose();
    }

    [Fact]
    public void Dispose_OtherThread_Throws()
    {
        using var scope = new TensorScope();
        Exception? thrown = null;
        var thread = new Thread(() => thrown = Record.Exception(scope.Dispose));
        thread.Start();
        thread.Join();
        Assert.IsType<InvalidOperationException>(thrown);
    }

    [Fact]
    public void Scope_OtherThread_DoesNotTakeItsTensors()
    {
        using var scope = new TensorScope();
        Tensor? other = null;
        var thread = new Thread(() => other = Tensor.Zeros([1]));
        thread.Start();
        thread.Join();
        Assert.Null(other!.Scope);
        other.Dispose();
    }

    [Fact]
    public void Dispose_SomeDisposedAndEscapedBefore_FreesTheRest()
    {
        long before = Torch.LiveTensors;
        Tensor kept;
        using (new TensorScope())
        {
            var tensors = Enumerable.Range(0, 100).Select(_ => Tensor.Zeros([2])).ToList();
            for (int i = 0; i < 100; i += 3)
            {
                tensors[i].Dispose();
            }

            kept = tensors[1].EscapeScope();
            tensors[99].Dispose();
        }

        kept.Dispose();
        Assert.Equal(before, Torch.LiveTensors);
    }

    [Fact]
    public void Forward_FiftyTimesInScopes_HoldsNothing()
    {
        using var net = new Conv2d(3, 8, 3);
        using Tensor x = Tensor.Ones([1, 3, 16, 16]);
        using (new TensorScope())
        {
            net.Forward(x).Relu();
        }

        long before = Torch.LiveTensors;
        for (int i = 0; i < 50; i++)
        {
            using var scope = new TensorScope();
            net.Forward(x).Relu().Mean();
        }

        Assert.Equal(before, Torch.LiveTensors);
    }
}
