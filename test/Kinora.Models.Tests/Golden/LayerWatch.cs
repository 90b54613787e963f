using Kinora.Tensors;

namespace Kinora.Models.Tests;

/// <summary>Keeps what layers of a network put out in its last forward pass, by path.</summary>
internal sealed class LayerWatch : IDisposable
{
    private readonly Dictionary<string, Tensor> _outputs = new(StringComparer.Ordinal);
    private readonly Module _network;

    /// <summary>Starts watching.</summary>
    /// <param name="network">The network.</param>
    /// <param name="wanted">Which layers, by path; none for all.</param>
    public LayerWatch(Module network, Func<string, bool>? wanted = null)
    {
        _network = network;
        foreach ((string name, Module module) in network.NamedModules())
        {
            if (wanted?.Invoke(name) != false)
            {
                module.OutputObserver = output => _outputs[name] = output.EscapeScope();
            }
        }
    }

    /// <summary>Outputs by path; they live until the watch ends.</summary>
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
