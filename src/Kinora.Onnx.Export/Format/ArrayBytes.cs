using System.Buffers;
using System.Runtime.InteropServices;

namespace Kinora.Onnx.Export.Format;

/// <summary>The memory of an array, seen as bytes.</summary>
/// <typeparam name="T">Element type.</typeparam>
/// <param name="array">The array; it must not change while the bytes are in use.</param>
internal sealed class ArrayBytes<T>(T[] array) : MemoryManager<byte>
    where T : unmanaged
{
    private GCHandle _pin;

    public override Span<byte> GetSpan() => MemoryMarshal.AsBytes(array.AsSpan());

    public override unsafe MemoryHandle Pin(int elementIndex = 0)
    {
        _pin = _pin.IsAllocated ? _pin : GCHandle.Alloc(array, GCHandleType.Pinned);
        return new MemoryHandle((byte*)_pin.AddrOfPinnedObject() + elementIndex, pinnable: this);
    }

    public override void Unpin()
    {
        if (_pin.IsAllocated)
        {
            _pin.Free();
        }
    }

    protected override void Dispose(bool disposing) => Unpin();
}
