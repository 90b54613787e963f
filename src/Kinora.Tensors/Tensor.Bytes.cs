using Kinora.Tensors.Native;

namespace Kinora.Tensors;

/// <summary>Fills part of a tensor's memory.</summary>
/// <param name="part">Whole elements in C order, little endian; to be filled completely.</param>
public delegate void ByteFiller(Span<byte> part);

/// <summary>Takes part of a tensor's memory.</summary>
/// <param name="part">Whole elements in C order, little endian; valid during the call.</param>
public delegate void ByteConsumer(ReadOnlySpan<byte> part);

public sealed unsafe partial class Tensor
{
    // A power of two, so that parts end between elements; small enough for whatever a caller buffers.
    private const int PartBytes = 1 << 20;

    /// <summary>A tensor whose memory is filled part by part, so that a file is read straight to where it is needed.</summary>
    /// <param name="shape">Sizes of all dimensions.</param>
    /// <param name="dtype">Element type.</param>
    /// <param name="fill">Called for one part after the other; whatever it throws is passed on.</param>
    /// <returns>New tensor.</returns>
    public static Tensor FromBytes(ReadOnlySpan<long> shape, DType dtype, ByteFiller fill)
    {
        Tensor tensor = OnCpu(shape, dtype);
        try
        {
            tensor.CopyBytesFrom(fill);
            return tensor.Moved();
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <summary>Overwrites all elements part by part; only a tensor with gaps or in another order takes a copy first.</summary>
    /// <param name="fill">Called for one part after the other; what it throws is passed on, and leaves the rest as it was.</param>
    public void CopyBytesFrom(ByteFiller fill)
    {
        ArgumentNullException.ThrowIfNull(fill);
        NativeTensorInfo info = Describe();
        if (info.IsContiguous == 0 || info.DeviceType == (int)DeviceType.Cuda)
        {
            using var scope = new TensorScope();
            using IDisposable mode = Tensors.Grad.Disable();
            CopyFrom(FromBytes(ShapeArray, DType, fill));
            return;
        }

        using var held = new Held(this);
        byte* data = (byte*)info.Data;
        for (long left = Count * DType.Size(); left > 0;)
        {
            var part = new Span<byte>(data, (int)Math.Min(left, PartBytes));
            fill(part);
            if (DType == DType.Bool)
            {
                // Any other byte than 0 and 1 would be undefined behaviour in libtorch.
                foreach (ref byte value in part)
                {
                    value = value == 0 ? (byte)0 : (byte)1;
                }
            }

            data += part.Length;
            left -= part.Length;
        }

        Recording.Current?.AddWrite(held.Address);
    }

    /// <summary>Shows all elements as bytes, part by part; only a tensor with gaps or in another order is copied first.</summary>
    /// <param name="consume">Called for one part after the other.</param>
    public void CopyBytesTo(ByteConsumer consume)
    {
        ArgumentNullException.ThrowIfNull(consume);
        using var scope = new TensorScope();
        using IDisposable mode = Tensors.Grad.Disable();
        Tensor plain = (Device == Device.Cpu ? this : To(Device.Cpu)).Contiguous();
        using var held = new Held(plain);
        byte* data = (byte*)plain.Describe().Data;
        for (long left = plain.Count * plain.DType.Size(); left > 0;)
        {
            int part = (int)Math.Min(left, PartBytes);
            consume(new ReadOnlySpan<byte>(data, part));
            data += part;
            left -= part;
        }
    }
}
