namespace Kinora.Tensors.Native;

/// <summary>Holds tensors for the duration of a native call.</summary>
internal sealed class HandleList : IDisposable
{
    private readonly List<TensorHandle> _held = [];

    public HandleList(IEnumerable<Tensor> tensors)
    {
        foreach (Tensor tensor in tensors)
        {
            bool added = false;
            TensorHandle handle = tensor.Handle;
            handle.DangerousAddRef(ref added);
            _held.Add(handle);
        }

        Addresses = [.. _held.Select(handle => handle.Address)];
    }

    public nint[] Addresses { get; }

    public void Dispose() => _held.ForEach(handle => handle.DangerousRelease());
}
