using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>Gathers what one module of a network costs while a recording of it is read.</summary>
internal sealed class LayerMeter
{
    private readonly string _name;
    private readonly Module _module;
    private readonly LayerMeter? _parent;
    private readonly LayerMeter[] _children;
    private long _multiplyAdds;
    private int _firstCall = int.MaxValue;
    private int _lastCall = -1;

    /// <summary>Meters for a module and everything below; from now on they see its outputs.</summary>
    /// <param name="name">Full name.</param>
    /// <param name="module">The module.</param>
    /// <param name="parent">Meter of the module that it is registered with.</param>
    public LayerMeter(string name, Module module, LayerMeter? parent)
    {
        (_name, _module, _parent) = (name, module, parent);
        _children = [.. module.Children.Select(c => new LayerMeter(name.Length == 0 ? c.Name : $"{name}.{c.Name}", c.Child, this))];
        module.OutputObserver = output => Output = output.Shape.ToArray();
    }

    /// <summary>Shape of the last output.</summary>
    public long[]? Output { get; set; }

    /// <summary>Makes the parameters and buffers known to a recording.</summary>
    /// <param name="recording">The recording.</param>
    /// <returns>The module of each, by tensor id.</returns>
    public Dictionary<int, LayerMeter> Bind(Recording recording)
    {
        Dictionary<string, LayerMeter> meters = Flatten().ToDictionary(m => m._name);
        var owners = new Dictionary<int, LayerMeter>();
        foreach ((string name, Tensor value) in _module.StateDict())
        {
            _ = owners.TryAdd(recording.Bind(value), meters[name[..Math.Max(0, name.LastIndexOf('.'))]]);
        }

        return owners;
    }

    /// <summary>Notes that a call took a parameter of this module.</summary>
    /// <param name="time">Number of the call.</param>
    public void Called(int time)
    {
        for (LayerMeter? layer = this; layer is not null; layer = layer._parent)
        {
            layer._firstCall = Math.Min(layer._firstCall, time);
            layer._lastCall = Math.Max(layer._lastCall, time);
        }
    }

    /// <summary>Adds to the count of this module and of those around it.</summary>
    /// <param name="multiplyAdds">Multiply-adds of a call.</param>
    public void Add(long multiplyAdds)
    {
        for (LayerMeter? layer = this; layer is not null; layer = layer._parent)
        {
            layer._multiplyAdds += multiplyAdds;
        }
    }

    /// <summary>The innermost module with calls before and after a moment; the network itself if there is none.</summary>
    /// <param name="time">Number of a call.</param>
    public LayerMeter Innermost(int time) =>
        _children.FirstOrDefault(child => child._firstCall < time && time < child._lastCall)?.Innermost(time) ?? this;

    /// <summary>What was gathered.</summary>
    public LayerCost ToCost() =>
        new(_name, TypeName(_module.GetType()), Output, _module.CountParameters(), _multiplyAdds, [.. _children.Select(c => c.ToCost())]);

    private static string TypeName(Type type) => type.IsGenericType ? type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)] : type.Name;

    private IEnumerable<LayerMeter> Flatten() => _children.SelectMany(c => c.Flatten()).Prepend(this);
}
