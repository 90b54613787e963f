using System.Runtime.InteropServices;

namespace Kinora.Media.Native;

/// <summary>km_reader.</summary>
internal sealed class ReaderHandle : SafeHandle
{
    public ReaderHandle()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => MediaMethods.ReaderClose(handle) == MediaStatus.Ok;
}

/// <summary>km_writer.</summary>
internal sealed class WriterHandle : SafeHandle
{
    public WriterHandle()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => MediaMethods.WriterClose(handle) == MediaStatus.Ok;
}

/// <summary>An int32 outside the managed heap that a token raises and native code polls.</summary>
internal sealed unsafe class CancellationFlag : IDisposable
{
    private readonly int* _flag;
    private readonly CancellationTokenRegistration _registration;

    public CancellationFlag(CancellationToken token)
    {
        if (token.CanBeCanceled)
        {
            _flag = (int*)NativeMemory.AllocZeroed(sizeof(int));
            _registration = token.Register(static flag => ((CancellationFlag)flag!).Raise(), this);
        }
    }

    /// <summary>The address, or null where the token can't be cancelled.</summary>
    public int* Address => _flag;

    public void Dispose()
    {
        _registration.Dispose(); // waits for a callback that is running
        NativeMemory.Free(_flag);
    }

    private void Raise() => Volatile.Write(ref *_flag, 1);
}
