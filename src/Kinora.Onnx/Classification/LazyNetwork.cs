namespace Kinora.Onnx;

/// <summary>A network that is loaded once, beside other work: begun on the first wish, awaited where it is needed.</summary>
internal sealed class LazyNetwork : IDisposable
{
    private readonly Lazy<Task<PreparedNetwork>> _network;

    /// <summary>Remembers how to load it.</summary>
    /// <param name="load">Loads and checks the network.</param>
    public LazyNetwork(Func<PreparedNetwork> load) =>
        _network = new(() => Task.Factory.StartNew(load, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));

    /// <summary>Whether the network is there.</summary>
    public bool IsLoaded => _network.IsValueCreated && _network.Value.IsCompletedSuccessfully;

    /// <summary>Begins to load, if nobody has.</summary>
    public void Begin() => _ = _network.Value;

    /// <summary>Waits for the network.</summary>
    /// <param name="cancellation">Stops the waiting, not the loading.</param>
    /// <returns>The network, owned by this object.</returns>
    public PreparedNetwork Get(CancellationToken cancellation = default)
    {
        Task<PreparedNetwork> task = _network.Value;
        if (!task.IsCompleted)
        {
            // Only the end of the loading is awaited here; a failure is thrown below, unwrapped.
            Task.WaitAny([task], cancellation);
        }

        return task.GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_network.IsValueCreated)
        {
            _ = _network.Value.ContinueWith(
                task => task.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }
}
