using Kinora.Tensors;

namespace Kinora.Models.Tests;

/// <summary>Keeps what every layer of a network put out in its last forward pass, by path.</summary>
internal sealed class LayerWatch : IDisposable
{
    private readonly Dictionary<string, Tensor> _outputs = new(StringComparer.Ordinal);
    private readonly Module _network;

    public LayerWatch(Module network)
    {
        _network = network;
        foreach ((string name, Module module) in network.NamedModules())
        {
            module.OutputObserver = output => _outputs[name] = output;
        }
    }

    /// <summary>Outputs by path; they live as long as the scope of the forward pass.</summary>
    public IReadOnlyDictionary<string, Tensor> Outputs => _outputs;

    public void Dispose()
    {
        foreach ((_, Module module) in _network.NamedModules())
        {
            module.OutputObserver = null;
        }
    }
}
