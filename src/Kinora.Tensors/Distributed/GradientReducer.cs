using Kinora.Tensors.Native;

namespace Kinora.Tensors;

/// <summary>
/// Sums the gradients of parameters over all processes. They travel in buckets, the last layers' first, each as soon
/// as the backward pass has completed it, so that most of the exchange hides behind the rest of that pass.
/// </summary>
/// <remarks>
/// <para>Sums, not means: each process multiplies its mean loss by its share of the samples of the whole batch before
/// the backward pass. So batches of uneven parts give exactly the gradient of the joined batch.</para>
/// <para>Element types keep their precision; float64 works. Between two steps the gradients must be dropped
/// (<see cref="Module.ZeroGrad"/>), because their memory is that of the buckets. Make it once the parameters have
/// their final element type and memory format.</para>
/// </remarks>
public sealed unsafe class GradientReducer : IDisposable
{
    /// <summary>Usual size of a bucket, as in PyTorch.</summary>
    public const long DefaultBucketBytes = 25 << 20;

    private nint _reducer;

    /// <summary>Plans the buckets and watches the parameters.</summary>
    /// <param name="group">The processes; used for nothing else, because the order of exchanges differs from that of others. It must live longer.</param>
    /// <param name="parameters">Names and tensors, the same in all processes; those without gradients are passed over.</param>
    /// <param name="bucketBytes">A bucket is closed before it grows beyond; a larger parameter has one for itself.</param>
    public GradientReducer(ProcessGroup group, IEnumerable<(string Name, Tensor Value)> parameters, long bucketBytes = DefaultBucketBytes)
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentOutOfRangeException.ThrowIfLessThan(bucketBytes, 1);
        Tensor[] trained = [.. parameters.Select(p => p.Value).Where(p => p.RequiresGrad)];
        using var held = new HandleList(trained);
        nint reducer;
        int buckets;
        fixed (nint* addresses = held.Addresses)
        {
            Status.Check(NativeMethods.kt_reducer_create(group.Address, addresses, trained.Length, bucketBytes, &reducer), "plan gradient buckets");
        }

        _reducer = reducer;
        Status.Check(NativeMethods.kt_reducer_buckets(reducer, &buckets), "plan gradient buckets");
        Buckets = buckets;
    }

    /// <summary>Number of buckets.</summary>
    public int Buckets { get; }

    /// <summary>Buckets of the last step that were on their way before its backward pass ended.</summary>
    public int SentDuringBackward { get; private set; }

    /// <summary>To be called before the last backward pass of a step. Gradients of earlier passes are sent with it.</summary>
    /// <param name="contributes">False where this process has no samples in the step: it takes part, with zeros.</param>
    public void Begin(bool contributes = true)
    {
        ObjectDisposedException.ThrowIf(_reducer == 0, this);
        Status.Check(NativeMethods.kt_reducer_begin(_reducer, contributes ? 1 : 0), "gradient exchange");
    }

    /// <summary>
    /// To be called after that backward pass: waits for the sums, which are then the parameters' gradients. Parameters
    /// that no process has a gradient for stay without one; one that another process has a gradient for gets it here too.
    /// </summary>
    /// <exception cref="DistributedException">A process failed or took too long.</exception>
    public void Finish()
    {
        ObjectDisposedException.ThrowIf(_reducer == 0, this);
        int during;
        Status.Check(NativeMethods.kt_reducer_finish(_reducer, &during), "gradient exchange");
        SentDuringBackward = during;
    }

    /// <summary>Stops watching the parameters.</summary>
    public void Dispose()
    {
        nint reducer = Interlocked.Exchange(ref _reducer, 0);
        if (reducer != 0)
        {
            _ = NativeMethods.kt_reducer_release(reducer);
        }
    }
}
