using System.Globalization;
using Kinora.Tensors;

namespace Kinora.Models.Layers;

/// <summary>Modules named 0, 1, 2 … whose owner decides how they are called.</summary>
/// <typeparam name="T">Their type.</typeparam>
internal sealed class ModuleList<T> : Module
    where T : Module
{
    private readonly List<T> _modules = [];

    /// <summary>The modules in order.</summary>
    public IReadOnlyList<T> Items => _modules;

    /// <summary>Adds a module at the end.</summary>
    /// <param name="module">The module; it belongs to this one.</param>
    public void Append(T module) => _modules.Add(Add(_modules.Count.ToString(CultureInfo.InvariantCulture), module));
}
