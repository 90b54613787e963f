using System.Runtime.InteropServices;

namespace Kinora.Tensors.Native;

/// <summary>One counted reference to a native tensor.</summary>
internal sealed class TensorHandle : SafeHandle
{
    public TensorHandle(nint native)
        : base(0, ownsHandle: true) => SetHandle(native);

    public override bool IsInvalid => handle == 0;

    /// <summary>The address of the native tensor: valid between a DangerousAddRef and its release.</summary>
    public nint Address => handle;

    protected override bool ReleaseHandle() => NativeMethods.kt_tensor_release(handle) == 0;
}
