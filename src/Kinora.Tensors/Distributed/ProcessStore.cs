using System.Runtime.InteropServices;
using System.Text;
using Kinora.Tensors.Native;

namespace Kinora.Tensors;

/// <summary>
/// Where the processes of a run find each other: a small table of names and values that the first process keeps and
/// the others reach over TCP.
/// </summary>
internal sealed unsafe class ProcessStore : SafeHandle
{
    private const int LongestValue = 2048;

    private ProcessStore(nint store, Rendezvous rendezvous)
        : base(0, ownsHandle: true)
    {
        SetHandle(store);
        Rendezvous = rendezvous;
    }

    public Rendezvous Rendezvous { get; }

    public override bool IsInvalid => handle == 0;

    /// <summary>Waits until all processes are there.</summary>
    /// <exception cref="DistributedException">They aren't in time, or the port is taken.</exception>
    public static ProcessStore Open(Rendezvous rendezvous, TimeSpan timeout)
    {
        NativeLoader.EnsureReady();
        nint store;
        int status = NativeMethods.kt_store_open(rendezvous.Host, rendezvous.Port, rendezvous.Rank, rendezvous.Size, (long)timeout.TotalMilliseconds, &store);
        if (status == 0)
        {
            return new ProcessStore(store, rendezvous);
        }

        string reason = Status.Text();
        throw new DistributedException(
            $"rank {rendezvous.Rank} of {rendezvous.Size}: meet the other processes at {rendezvous.Host}:{rendezvous.Port}: {reason} (waited up to {timeout.TotalSeconds:0} s); "
            + (rendezvous.Rank == 0 ? "is the port free, and did all processes start?" : "did rank 0 start, and can this machine reach it there?"),
            rendezvous.Rank,
            "meet");
    }

    /// <summary>Writes a value; false where the first process is gone.</summary>
    public bool TrySet(string key, string value)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        fixed (byte* start = bytes)
        {
            return NativeMethods.kt_store_set(handle, key, start, bytes.Length) == 0;
        }
    }

    /// <summary>A value, or null where nobody has written it; false where the first process is gone. Doesn't wait.</summary>
    public bool TryGet(string key, out string? value)
    {
        byte* bytes = stackalloc byte[LongestValue];
        long count;
        bool reached = NativeMethods.kt_store_try_get(handle, key, bytes, LongestValue, &count) == 0;
        value = reached && count >= 0 ? Encoding.UTF8.GetString(bytes, (int)Math.Min(count, LongestValue)) : null;
        return reached;
    }

    protected override bool ReleaseHandle() => NativeMethods.kt_store_close(handle) == 0;

    internal nint Address => handle;
}
