using System.Runtime.InteropServices;
using Kinora.Tensors.Native;

namespace Kinora.Tensors;

/// <summary>What carries the exchanges of a group.</summary>
public enum CommunicationBackend
{
    /// <summary>gloo: tensors in CPU memory, over TCP.</summary>
    Gloo = 0,

    /// <summary>NCCL: tensors in CUDA memory.</summary>
    Nccl = 1,
}

/// <summary>How the values of all processes become one.</summary>
public enum Reduction
{
    /// <summary>Their sum.</summary>
    Sum,

    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>The largest.</summary>
    Max,
}

/// <summary>
/// Processes that exchange tensors. Every exchange is made by all of them in the same order; the results are the same
/// bits in all, and the same from run to run for the same number of processes.
/// </summary>
/// <remarks>
/// One thread at a time. Every exchange ends after <see cref="Timeout"/> at the latest; when a process dies, the others
/// notice at once. After a <see cref="DistributedException"/> the group is of no more use.
/// </remarks>
public sealed unsafe class ProcessGroup : IDisposable
{
    [ThreadStatic]
    private static ProcessGroup? _ofThread;

    private readonly GroupHandle _handle;
    private readonly ProcessStore _store;

    private ProcessGroup(GroupHandle handle, ProcessStore store, CommunicationBackend backend, TimeSpan timeout)
    {
        (_handle, _store, Backend, Timeout) = (handle, store, backend, timeout);
        _ofThread = this;
    }

    /// <summary>This process's number, from 0.</summary>
    public int Rank => _store.Rendezvous.Rank;

    /// <summary>Number of processes.</summary>
    public int Size => _store.Rendezvous.Size;

    /// <summary>What carries the exchanges.</summary>
    public CommunicationBackend Backend { get; }

    /// <summary>Longest time that an exchange may take, waiting for the slowest process included.</summary>
    public TimeSpan Timeout { get; }

    /// <summary>Whether the native library can use a backend here.</summary>
    /// <param name="backend">The backend.</param>
    /// <returns>False where it was built without.</returns>
    public static bool IsSupported(CommunicationBackend backend)
    {
        NativeLoader.EnsureReady();
        int there;
        Status.Check(NativeMethods.kt_backends(&there), "backends");
        return (there & (1 << (int)backend)) != 0;
    }

    /// <summary>Combines a tensor over all processes, in place.</summary>
    /// <param name="tensor">The same shape, layout and element type everywhere; without gaps.</param>
    /// <param name="reduction">How.</param>
    /// <exception cref="DistributedException">A process failed or took too long.</exception>
    public void AllReduce(Tensor tensor, Reduction reduction = Reduction.Sum)
    {
        using Exchange exchange = AllReduceAsync(tensor, reduction);
        exchange.Wait();
    }

    /// <summary>As <see cref="AllReduce"/>, without waiting.</summary>
    /// <param name="tensor">Neither read nor written nor disposed of until the exchange is done.</param>
    /// <param name="reduction">How.</param>
    /// <returns>The exchange; wait for it, then dispose of it.</returns>
    public Exchange AllReduceAsync(Tensor tensor, Reduction reduction = Reduction.Sum)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using var held = new Tensor.Held(tensor);
        nint work;
        Status.Check(NativeMethods.kt_group_all_reduce(Address, held.Address, reduction == Reduction.Max ? 1 : 0, &work), "all-reduce", () => $"tensor {tensor}");
        return new Exchange(work, this, "all-reduce", reduction == Reduction.Mean ? tensor : null);
    }

    /// <summary>Overwrites a tensor with that of one process.</summary>
    /// <param name="tensor">The same shape, layout and element type everywhere; without gaps.</param>
    /// <param name="root">The process whose values count.</param>
    public void Broadcast(Tensor tensor, int root = 0)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        CheckRank(root);
        using var held = new Tensor.Held(tensor);
        nint work;
        Status.Check(NativeMethods.kt_group_broadcast(Address, held.Address, root, &work), "broadcast", () => $"tensor {tensor}");
        using var exchange = new Exchange(work, this, "broadcast", null);
        exchange.Wait();
    }

    /// <summary>Collects the tensors of all processes.</summary>
    /// <param name="tensor">The same shape and element type everywhere; contiguous.</param>
    /// <returns>New tensor, [Size, …], in order of rank.</returns>
    public Tensor AllGather(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using IDisposable mode = Grad.Disable();
        Tensor all = Torch.Call("new_empty", tensor, (long[])[Size, .. tensor.Shape]);
        using var held = new Tensor.Held(tensor);
        using var heldAll = new Tensor.Held(all);
        nint work;
        Status.Check(NativeMethods.kt_group_all_gather(Address, held.Address, heldAll.Address, &work), "all-gather", () => $"tensor {tensor}");
        using var exchange = new Exchange(work, this, "all-gather", null);
        exchange.Wait();
        return all;
    }

    /// <summary>Waits until all processes are here.</summary>
    public void Barrier() => Status.Check(NativeMethods.kt_group_barrier(Address), "barrier");

    /// <summary>Closes the connections; exchanges that the other processes are waiting in fail.</summary>
    public void Dispose()
    {
        if (_ofThread == this)
        {
            _ofThread = null;
        }

        _handle.Dispose();
    }

    /// <summary>Connects all processes of a store under a name; groups work independently of each other.</summary>
    internal static ProcessGroup Connect(ProcessStore store, string name, CommunicationBackend backend, TimeSpan timeout)
    {
        nint group;
        Rendezvous at = store.Rendezvous;
        int status = NativeMethods.kt_group_create((int)backend, store.Address, name, at.Rank, at.Size, (long)timeout.TotalMilliseconds, &group);
        if (status != 0)
        {
            throw new DistributedException(
                $"rank {at.Rank} of {at.Size}: connect the processes through {backend}: {Status.Text()}; on several network interfaces, name the right one in GLOO_SOCKET_IFNAME or NCCL_SOCKET_IFNAME",
                at.Rank,
                "connect");
        }

        return new ProcessGroup(new GroupHandle(group), store, backend, timeout);
    }

    /// <summary>The native group, for calls made while this object lives.</summary>
    internal nint Address
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
            return _handle.Address;
        }
    }

    /// <summary>The exception for an exchange that failed on the calling thread: who noticed, and what the others said before they left.</summary>
    internal static DistributedException Failure(string operation, string text)
    {
        if (_ofThread is not { } group)
        {
            return new DistributedException($"{operation}: {text}", -1, operation);
        }

        string? said = null;
        for (int rank = 0; rank < group.Size && said is null && !group._store.IsClosed; rank++)
        {
            if (rank != group.Rank && group._store.TryGet(DistributedContext.FailureKey(rank), out string? reason) && reason is not null)
            {
                said = $"rank {rank} had stopped: {reason}";
            }
        }

        return new DistributedException(
            $"rank {group.Rank} of {group.Size}: {operation}: {said ?? $"{text}; another process ended or didn't answer within {group.Timeout.TotalSeconds:0} s, see its own output"}",
            group.Rank,
            operation);
    }

    private void CheckRank(int rank)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rank);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rank, Size);
    }

    private sealed class GroupHandle : SafeHandle
    {
        public GroupHandle(nint native)
            : base(0, ownsHandle: true) => SetHandle(native);

        public override bool IsInvalid => handle == 0;

        public nint Address => handle;

        protected override bool ReleaseHandle() => NativeMethods.kt_group_release(handle) == 0;
    }
}

/// <summary>An exchange under way.</summary>
public sealed unsafe class Exchange : IDisposable
{
    private readonly ProcessGroup _group;
    private readonly string _operation;
    private readonly Tensor? _toDivide;
    private nint _work;
    private bool _done;

    internal Exchange(nint work, ProcessGroup group, string operation, Tensor? toDivide) =>
        (_work, _group, _operation, _toDivide) = (work, group, operation, toDivide);

    /// <summary>Whether waiting would return at once, be it with a failure.</summary>
    public bool IsCompleted
    {
        get
        {
            ObjectDisposedException.ThrowIf(_work == 0, this);
            int done;
            Status.Check(NativeMethods.kt_work_test(_work, &done), _operation);
            return done != 0;
        }
    }

    /// <summary>Waits until the result is there. For CUDA tensors: until the thread's later operators wait for it.</summary>
    /// <exception cref="DistributedException">A process failed or took too long.</exception>
    public void Wait()
    {
        ObjectDisposedException.ThrowIf(_work == 0, this);
        Status.Check(NativeMethods.kt_work_wait(_work, _group.Address), _operation);
        if (!_done && _toDivide is not null)
        {
            using IDisposable mode = Grad.Disable();
            _toDivide.MulInPlace(1.0 / _group.Size);
        }

        _done = true;
    }

    /// <summary>Lets go of the exchange; it isn't called off.</summary>
    public void Dispose()
    {
        nint work = Interlocked.Exchange(ref _work, 0);
        if (work != 0)
        {
            _ = NativeMethods.kt_work_release(work);
        }
    }
}
