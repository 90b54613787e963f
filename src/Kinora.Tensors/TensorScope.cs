namespace Kinora.Tensors;

/// <summary>
/// Owns the tensors that its thread creates while it is the innermost open scope: disposing it disposes of them, save
/// those that left by <see cref="Tensor.EscapeScope"/> (now the caller's) or <see cref="Tensor.MoveToOuterScope"/>.
/// Every forward pass and training step belongs in one; the garbage collector alone comes far too late.
/// </summary>
/// <remarks>Bound to its thread: never <c>await</c> inside. Scopes close in the reverse order of opening; closing one
/// closes those opened inside it.</remarks>
public sealed class TensorScope : IDisposable
{
    [ThreadStatic]
    private static TensorScope? _current;

    private readonly TensorScope? _outer;
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly List<Tensor?> _tensors = [];
    private bool _closed;

    /// <summary>Opens a scope on the calling thread.</summary>
    public TensorScope()
    {
        _outer = _current;
        _current = this;
    }

    /// <summary>The innermost open scope of the calling thread, or null.</summary>
    public static TensorScope? Current => _current;

    /// <summary>Disposes of the scope's tensors and makes the outer scope current.</summary>
    /// <exception cref="InvalidOperationException">Another thread opened the scope.</exception>
    public void Dispose()
    {
        if (_closed)
        {
            return;
        }

        if (_thread != Environment.CurrentManagedThreadId)
        {
            throw new InvalidOperationException("a tensor scope must be closed by the thread that opened it; don't await inside one");
        }

        while (_current is TensorScope inner && inner != this)
        {
            inner.Close();
        }

        Close();
    }

    internal void Add(Tensor tensor)
    {
        tensor.Scope = this;
        tensor.ScopeSlot = _tensors.Count;
        _tensors.Add(tensor);
    }

    internal void Remove(Tensor tensor)
    {
        if (!_closed)
        {
            _tensors[tensor.ScopeSlot] = null;

            // A long-lived scope whose tensors are disposed of one by one stays small.
            while (_tensors.Count > 0 && _tensors[^1] is null)
            {
                _tensors.RemoveAt(_tensors.Count - 1);
            }
        }

        tensor.Scope = null;
    }

    internal void MoveOut(Tensor tensor)
    {
        Remove(tensor);
        _outer?.Add(tensor);
    }

    private void Close()
    {
        _closed = true;
        _current = _outer;
        foreach (Tensor? tensor in _tensors)
        {
            if (tensor is not null)
            {
                tensor.Scope = null;
                tensor.Dispose();
            }
        }

        _tensors.Clear();
    }
}
