using System.Runtime.InteropServices;

namespace Kinora.Tensors.Tests;

/// <summary>Elements as bytes, part by part.</summary>
public sealed class TensorBytesTests : IDisposable
{
    private readonly TensorScope _scope = new();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void FromBytes_MoreThanOnePart_FillsAllInOrder()
    {
        const int Count = 700_000;
        int next = 0, parts = 0;
        Tensor tensor = Tensor.FromBytes([Count], DType.Float32, part =>
        {
            parts++;
            Assert.Equal(0, part.Length % sizeof(float));
            foreach (ref float value in MemoryMarshal.Cast<byte, float>(part))
            {
                value = next++;
            }
        });
        Assert.Equal(3, parts);
        Assert.Equal(Enumerable.Range(0, Count).Select(i => (float)i), tensor.ToArray<float>());
    }

    [Fact]
    public void FromBytes_OtherBytesThanZeroAndOne_AreTrue() =>
        Assert.Equal([true, false, true], Tensor.FromBytes([3], DType.Bool, part => ((ReadOnlySpan<byte>)[7, 0, 1]).CopyTo(part)).ToArray<bool>());

    [Fact]
    public void FromBytes_NoElements_AsksForNone() =>
        Assert.Equal(0, Tensor.FromBytes([0, 4], DType.Float64, _ => throw new InvalidOperationException()).Count);

    [Fact]
    public void FromBytes_FillerThrows_NothingIsLeft()
    {
        long live = Torch.LiveTensors;
        Assert.Throws<InvalidDataException>(() => Tensor.FromBytes([4], DType.Float32, _ => throw new InvalidDataException()));
        Assert.Equal(live, Torch.LiveTensors);
    }

    [Fact]
    public void CopyBytesFrom_AnyOrderInMemory_OverwritesInCOrder()
    {
        Tensor tensor = Tensor.Zeros([1, 2, 3, 4], DType.Int32).Contiguous(MemoryFormat.ChannelsLast);
        tensor.CopyBytesFrom(part => MemoryMarshal.Cast<int, byte>(Enumerable.Range(0, 24).ToArray()).CopyTo(part));
        Assert.False(tensor.IsContiguous);
        Assert.Equal(Enumerable.Range(0, 24), tensor.ToArray<int>());
    }

    [Fact]
    public void CopyBytesTo_AnyOrderInMemory_GivesCOrder()
    {
        Tensor tensor = Tensor.Arange(24, DType.Int32).Reshape(1, 2, 3, 4).Contiguous(MemoryFormat.ChannelsLast);
        var bytes = new MemoryStream();
        tensor.CopyBytesTo(bytes.Write);
        Assert.Equal(Enumerable.Range(0, 24), MemoryMarshal.Cast<byte, int>(bytes.ToArray()).ToArray());
    }
}
