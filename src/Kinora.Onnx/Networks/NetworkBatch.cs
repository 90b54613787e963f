namespace Kinora.Onnx;

/// <summary>Memory for one run of a network, borrowed from its pool: fill <see cref="Clips"/>, run, read <see cref="Logits"/>.</summary>
/// <remarks>One thread at a time. Disposing gives it back; the spans must not be used afterwards.</remarks>
public abstract class NetworkBatch : IDisposable
{
    private readonly PreparedNetwork _owner;

    /// <summary>Creates a batch of a network.</summary>
    /// <param name="owner">The network whose pool it returns to.</param>
    /// <param name="views">N.</param>
    protected NetworkBatch(PreparedNetwork owner, int views)
    {
        ArgumentNullException.ThrowIfNull(owner);
        (_owner, Views) = (owner, views);
    }

    /// <summary>N: views in the batch.</summary>
    public int Views { get; }

    /// <summary>The input, [N, <see cref="PreparedNetwork.ViewShape"/>], normalised pixels.</summary>
    public abstract Span<float> Clips { get; }

    /// <summary>The output of the last run, [N, classes].</summary>
    public abstract ReadOnlySpan<float> Logits { get; }

    /// <summary>Maps <see cref="Clips"/> to <see cref="Logits"/>; allocates nothing.</summary>
    /// <param name="cancellation">Looked at between the parts of a batch with many views.</param>
    /// <exception cref="NativeException">The engine failed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public abstract void Run(CancellationToken cancellation = default);

    /// <summary>Gives the memory back to the network's pool.</summary>
    public void Dispose()
    {
        _owner.Return(this);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the memory for good; called by the pool.</summary>
    protected abstract void Free();

    internal void Release() => Free();
}
