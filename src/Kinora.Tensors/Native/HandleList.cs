namespace Kinora.Tensors.Native;

/// <summary>Holds tensors for the duration of a native call.</summary>
internal sealed class HandleList : IDisposable
{
    private readonly List<TensorHandle> _held = [];

    public HandleList(IReadOnlyList<Tensor> tensors)
    {
        Addresses = new nint[tensors.Count];
        for (int i = 0; i < Addresses.Length; i++)
        {
            bool added = false;
            TensorHandle handle = tensors[i].Handle;
            handle.DangerousAddRef(ref added);
            _held.Add(handle);
            Addresses[i] = handle.Address;
        }
    }

    public nint[] Addresses { get; }

    public void Dispose() => _held.ForEach(handle => handle.DangerousRelease());
}
