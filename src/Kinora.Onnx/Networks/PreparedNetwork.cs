namespace Kinora.Onnx;

/// <summary>
/// A network made ready by some engine: one float batch in, logits out. This is the whole seam between an engine and
/// everything that classifies, so that a second engine can stand beside ONNX Runtime.
/// </summary>
/// <remarks>
/// Thread-safe: several threads may rent and run batches at once. Batches are pooled with their memory, so that a
/// steady stream of clips allocates nothing.
/// </remarks>
public abstract class PreparedNetwork : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, Stack<NetworkBatch>> _idle = [];
    private readonly int _maxIdle;
    private bool _disposed;

    /// <summary>Describes the network.</summary>
    /// <param name="viewShape">Axes of one view, without N: [T, C, H, W] or another <see cref="ClipLayout"/>.</param>
    /// <param name="classes">Number of logits a view.</param>
    /// <param name="threads">Threads that one run uses.</param>
    protected PreparedNetwork(IEnumerable<int> viewShape, int classes, int threads)
    {
        ViewShape = [.. viewShape];
        FloatsPerView = checked((int)ViewShape.Aggregate(1L, (a, b) => a * b));
        Classes = classes;
        Threads = threads;
        _maxIdle = Math.Max(2, Environment.ProcessorCount);
    }

    /// <summary>Axes of one view, without N.</summary>
    public IReadOnlyList<int> ViewShape { get; }

    /// <summary>Floats of one view.</summary>
    public int FloatsPerView { get; }

    /// <summary>Number of logits a view.</summary>
    public int Classes { get; }

    /// <summary>Threads that one run uses.</summary>
    public int Threads { get; }

    /// <summary>Borrows input and output memory, ready to run.</summary>
    /// <param name="views">N, at least 1.</param>
    /// <returns>A batch with undefined content; dispose it to give it back.</returns>
    /// <exception cref="ObjectDisposedException">The network is disposed.</exception>
    public NetworkBatch Rent(int views)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(views, 1);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_idle.TryGetValue(views, out Stack<NetworkBatch>? stack) && stack.TryPop(out NetworkBatch? batch))
            {
                return batch;
            }
        }

        return CreateBatch(views);
    }

    /// <summary>Frees the engine's memory. Batches still out are freed when they come back.</summary>
    public void Dispose()
    {
        List<NetworkBatch> idle;
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            idle = [.. _idle.Values.SelectMany(stack => stack)];
            _idle.Clear();
        }

        foreach (NetworkBatch batch in idle)
        {
            batch.Release();
        }

        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Makes a new batch; called when none is idle.</summary>
    /// <param name="views">N, at least 1.</param>
    /// <returns>A batch whose memory is its own.</returns>
    protected abstract NetworkBatch CreateBatch(int views);

    /// <summary>Frees what the engine holds; batches may still be out and must not break.</summary>
    /// <param name="disposing">Always true: there is no finaliser.</param>
    protected abstract void Dispose(bool disposing);

    internal void Return(NetworkBatch batch)
    {
        lock (_gate)
        {
            if (!_disposed)
            {
                if (!_idle.TryGetValue(batch.Views, out Stack<NetworkBatch>? stack))
                {
                    _idle[batch.Views] = stack = new Stack<NetworkBatch>(_maxIdle);
                }

                if (stack.Count < _maxIdle)
                {
                    stack.Push(batch);
                    return;
                }
            }
        }

        batch.Release();
    }
}
