using Kinora.Tensors;

namespace Kinora.Models.Tests;

/// <summary>Keeps what the layers of a network put out in its last forward pass, by path.</summary>
internal sealed class LayerWatch : IDisposable
{
    private readonly Dictionary<string, Tensor> _outputs = new(StringComparer.Ordinal);
    private readonly Module _network;

    /// <summary>Starts watching.</summary>
    /// <param name="network">The network.</param>
    /// <param name="wanted">Which paths to keep; null for all, which may take as much memory as training does.</param>
    public LayerWatch(Module network, Func<string, bool>? wanted = null)
    {
        _network = network;
        foreach ((string name, Module module) in network.NamedModules().Where(m => wanted?.Invoke(m.Name) ?? true))
        {
            module.OutputObserver = output =>
            {
                _outputs.GetValueOrDefault(name)?.Dispose();

                // Layers close scopes of their own; the output must outlive them.
                _outputs[name] = output.Detach().EscapeScope();
            };
        }
    }

    /// <summary>Outputs by path, until disposal.</summary>
    public IReadOnlyDictionary<string, Tensor> Outputs => _outputs;

    public void Dispose()
    {
        foreach ((_, Module module) in _network.NamedModules())
        {
            module.OutputObserver = null;
        }

        foreach (Tensor output in _outputs.Values)
        {
            output.Dispose();
        }
    }
}
