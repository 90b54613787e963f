namespace Kinora.Tensors;

/// <summary>Consecutive samples of a batch.</summary>
/// <param name="First">Samples before them.</param>
/// <param name="Count">How many.</param>
public readonly record struct BatchPart(long First, long Count);

/// <summary>
/// A part of a network: parameters, buffers and child modules, each registered by name. Names joined with dots are
/// the checkpoint format.
/// </summary>
/// <remarks>
/// Registered tensors and children belong to the module: disposing it disposes of them. A registered
/// <see cref="Tensor"/> object stays the same when <see cref="To(DType)"/> or <see cref="ToMemoryFormat"/> replaces its
/// storage, so it may be kept in a field.
/// </remarks>
public abstract class Module : IDisposable
{
    private readonly List<(string Name, Tensor Value)> _parameters = [];
    private readonly List<(string Name, Tensor Value)> _buffers = [];
    private readonly List<(string Name, Module Child)> _children = [];
    private BatchPart? _part;

    /// <summary>Whether the module is in training: batch norms use the batch's statistics, dropouts drop. True at first.</summary>
    public bool IsTraining { get; private set; } = true;

    /// <summary>
    /// Keeps the module and everything below in evaluation, from the next call of <see cref="Train"/> on, whatever it says:
    /// for parts of a network that are frozen.
    /// </summary>
    public bool StaysInEvaluation { get; set; }

    /// <summary>
    /// Gets every output that this module computes, in the scope of the caller: for looking at a network layer by layer
    /// without touching its forward code. Normally null.
    /// </summary>
    public Action<Tensor>? OutputObserver { get; set; }

    /// <summary>Gets every input of a module with one input, as <see cref="OutputObserver"/> gets outputs. Normally null.</summary>
    public Action<Tensor>? InputObserver { get; set; }

    /// <summary>The modules registered here, in order.</summary>
    public IEnumerable<(string Name, Module Child)> Children => _children;

    /// <summary>Sets the training state of the module and everything below, save where <see cref="StaysInEvaluation"/> is set.</summary>
    /// <param name="on">Training, or evaluation.</param>
    public void Train(bool on = true)
    {
        on = on && !StaysInEvaluation;
        IsTraining = on;
        foreach ((_, Module child) in _children)
        {
            child.Train(on);
        }
    }

    /// <summary>Sets the module and everything below to evaluation.</summary>
    public void Eval() => Train(false);

    /// <summary>The module and everything below, with full names; its own is empty.</summary>
    /// <returns>Parents before children, in order of registration.</returns>
    public IEnumerable<(string Name, Module Module)> NamedModules()
    {
        yield return (string.Empty, this);
        foreach ((string name, Module child) in _children)
        {
            foreach ((string inner, Module module) in child.NamedModules())
            {
                yield return (Join(name, inner), module);
            }
        }
    }

    /// <summary>What training changes: full names and tensors, which stay the module's.</summary>
    /// <returns>Own ones before those of children, in order of registration.</returns>
    public IEnumerable<(string Name, Tensor Value)> NamedParameters() =>
        NamedModules().SelectMany(item => item.Module._parameters.Select(p => (Join(item.Name, p.Name), p.Value)));

    /// <summary>What belongs to the network's state without being trained, such as running statistics.</summary>
    /// <returns>Own ones before those of children, in order of registration.</returns>
    public IEnumerable<(string Name, Tensor Value)> NamedBuffers() =>
        NamedModules().SelectMany(item => item.Module._buffers.Select(b => (Join(item.Name, b.Name), b.Value)));

    /// <summary>The whole state: of each module first the parameters, then the buffers.</summary>
    /// <returns>Full names and tensors, which stay the module's.</returns>
    public IEnumerable<(string Name, Tensor Value)> StateDict() =>
        NamedModules().SelectMany(item => item.Module._parameters.Concat(item.Module._buffers).Select(t => (Join(item.Name, t.Name), t.Value)));

    /// <summary>Copies values into the parameters and buffers, converted to their element types.</summary>
    /// <param name="state">Names and values; they stay the caller's.</param>
    /// <param name="strict">Every name must be met exactly once; otherwise missing and unknown names are passed over.</param>
    /// <exception cref="CheckpointException">Names are missing or unknown, or shapes differ; nothing was changed.</exception>
    public void LoadStateDict(IEnumerable<(string Name, Tensor Value)> state, bool strict = true)
    {
        ArgumentNullException.ThrowIfNull(state);
        var own = StateDict().ToDictionary(item => item.Name, item => item.Value, StringComparer.Ordinal);
        var given = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        var unknown = new List<string>();
        var misshapen = new List<string>();
        foreach ((string name, Tensor value) in state)
        {
            if (!own.TryGetValue(name, out Tensor? target))
            {
                unknown.Add(name);
            }
            else if (!given.TryAdd(name, value))
            {
                throw new CheckpointException($"load state: '{name}' is given twice");
            }

            if (target is not null && !target.Shape.SequenceEqual(value.Shape))
            {
                misshapen.Add($"{name} (expected {Torch.Format(target.Shape)}, found {Torch.Format(value.Shape)})");
            }
        }

        List<string> missing = [.. own.Keys.Where(name => !given.ContainsKey(name))];
        if (misshapen.Count > 0 || (strict && (missing.Count > 0 || unknown.Count > 0)))
        {
            throw new CheckpointException($"load state: expected the {own.Count} tensors of {GetType().Name}, found"
                + Listed(" missing", missing) + Listed(" unknown", unknown) + Listed(" misshapen", misshapen));
        }

        using IDisposable mode = Grad.Disable();
        foreach ((string name, Tensor value) in given)
        {
            own[name].CopyFrom(value);
        }
    }

    /// <summary>Converts all floating-point parameters and buffers; gradients are dropped.</summary>
    /// <param name="dtype">The new floating-point type.</param>
    public void To(DType dtype)
    {
        if (!dtype.IsFloatingPoint())
        {
            throw new ArgumentException($"{dtype} is no floating-point type", nameof(dtype));
        }

        ReplaceStorage(tensor => tensor.DType.IsFloatingPoint() && tensor.DType != dtype ? tensor.To(dtype) : null);
    }

    /// <summary>Moves all parameters and buffers to a device; gradients are dropped.</summary>
    /// <param name="device">The device.</param>
    public void To(Device device) => ReplaceStorage(tensor => tensor.Device != device ? tensor.To(device) : null);

    /// <summary>Puts four-dimensional parameters into a memory format; gradients are dropped.</summary>
    /// <param name="format">The format; give the network's input the same.</param>
    public void ToMemoryFormat(MemoryFormat format) =>
        ReplaceStorage(tensor => tensor.Rank == 4 ? tensor.Clone().Contiguous(format) : null);

    /// <summary>Number of trained values.</summary>
    /// <returns>The sum over all parameters.</returns>
    public long CountParameters() => NamedParameters().Sum(p => p.Value.Count);

    /// <summary>Drops all gradients.</summary>
    public void ZeroGrad()
    {
        foreach ((_, Tensor parameter) in NamedParameters())
        {
            parameter.Grad = null;
        }
    }

    /// <summary>
    /// Keys the random choices of everything below (dropout masks) for the coming forward passes. Each layer's masks
    /// depend on the key, its name and how often it ran since, so a run resumed at the same step repeats them.
    /// </summary>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="epoch">Epoch, from 0.</param>
    /// <param name="step">Step inside the epoch.</param>
    /// <param name="part">Which of the batch's samples these passes have, so that parts in several processes take the choices that the whole would; null: all.</param>
    public void SetRandomKey(ulong seed, int epoch, long step, BatchPart? part = null)
    {
        foreach ((string name, Module module) in NamedModules())
        {
            module._part = part;
            module.OnRandomKey(seed, epoch, step, name);
        }
    }

    /// <summary>Disposes of all parameters, buffers and children.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Registers a child.</summary>
    /// <typeparam name="T">The child's type.</typeparam>
    /// <param name="name">Its name here, without dots.</param>
    /// <param name="child">The child; it belongs to this module from now on.</param>
    /// <returns>The child.</returns>
    protected T Add<T>(string name, T child)
        where T : Module
    {
        ArgumentNullException.ThrowIfNull(child);
        CheckName(name);
        child.Train(IsTraining);
        _children.Add((name, child));
        return child;
    }

    /// <summary>Registers a parameter and lets gradients reach it.</summary>
    /// <param name="name">Its name here, without dots.</param>
    /// <param name="value">Its first value; it leaves its scope and belongs to this module.</param>
    /// <returns>The parameter: the same object for the module's whole life.</returns>
    protected Tensor AddParameter(string name, Tensor value)
    {
        ArgumentNullException.ThrowIfNull(value);
        CheckName(name);
        value.EscapeScope().RequiresGrad = true;
        _parameters.Add((name, value));
        return value;
    }

    /// <summary>Registers a tensor that belongs to the state but isn't trained.</summary>
    /// <param name="name">Its name here, without dots.</param>
    /// <param name="value">Its first value; it leaves its scope and belongs to this module.</param>
    /// <returns>The buffer: the same object for the module's whole life.</returns>
    protected Tensor AddBuffer(string name, Tensor value)
    {
        ArgumentNullException.ThrowIfNull(value);
        CheckName(name);
        _buffers.Add((name, value.EscapeScope()));
        return value;
    }

    /// <summary>Unregisters a child or tensor and disposes of it: for networks that change form, as re-parameterisation does.</summary>
    /// <param name="name">Its name here.</param>
    protected void Remove(string name)
    {
        foreach ((_, Module child) in _children.Where(c => c.Name == name))
        {
            child.Dispose();
        }

        foreach ((_, Tensor tensor) in _parameters.Concat(_buffers).Where(t => t.Name == name))
        {
            tensor.Dispose();
        }

        _ = _children.RemoveAll(c => c.Name == name) + _parameters.RemoveAll(p => p.Name == name) + _buffers.RemoveAll(b => b.Name == name);
    }

    /// <summary>Shows an output to the observer; for modules whose forward function isn't <see cref="UnaryModule"/>'s.</summary>
    /// <param name="output">What the module computed.</param>
    /// <returns>The same tensor.</returns>
    protected Tensor Observed(Tensor output)
    {
        OutputObserver?.Invoke(output);
        return output;
    }

    /// <summary>Takes the key of random choices; layers without such choices ignore it.</summary>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="epoch">Epoch.</param>
    /// <param name="step">Step inside the epoch.</param>
    /// <param name="name">Full name of this module.</param>
    protected virtual void OnRandomKey(ulong seed, int epoch, long step, string name)
    {
    }

    /// <summary>Where a tensor's first element lies in the tensor of the whole batch, see <see cref="SetRandomKey"/>.</summary>
    /// <param name="x">A tensor whose first dimension begins with the samples.</param>
    /// <returns>0 where this process has the whole batch.</returns>
    protected long FirstElement(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return _part is { Count: > 0 } part ? part.First * (x.Count / part.Count) : 0;
    }

    /// <summary>Releases what the module holds beside its registered tensors and children.</summary>
    /// <param name="disposing">Always true; for overriders' symmetry.</param>
    protected virtual void Dispose(bool disposing)
    {
        foreach ((_, Module child) in _children)
        {
            child.Dispose();
        }

        foreach ((_, Tensor tensor) in _parameters.Concat(_buffers))
        {
            tensor.Dispose();
        }
    }

    private static string Join(string outer, string inner) =>
        outer.Length == 0 ? inner : inner.Length == 0 ? outer : $"{outer}.{inner}";

    private static string Listed(string what, List<string> names) => names.Count == 0
        ? string.Empty
        : $"{what} {names.Count}: {string.Join(", ", names.Take(8))}{(names.Count > 8 ? ", …" : string.Empty)};";

    private void CheckName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.Contains('.', StringComparison.Ordinal)
            || _children.Any(c => c.Name == name) || _parameters.Any(p => p.Name == name) || _buffers.Any(b => b.Name == name))
        {
            throw new ArgumentException($"{GetType().Name}: the name '{name}' has a dot or is taken", nameof(name));
        }
    }

    private void ReplaceStorage(Func<Tensor, Tensor?> replacement)
    {
        using var scope = new TensorScope();
        using IDisposable mode = Grad.Disable();
        foreach ((_, Module module) in NamedModules())
        {
            foreach ((List<(string Name, Tensor Value)> list, bool trained) in new[] { (module._parameters, true), (module._buffers, false) })
            {
                foreach ((_, Tensor value) in list)
                {
                    if (replacement(value) is Tensor replaced)
                    {
                        bool requiresGrad = trained && value.RequiresGrad;
                        value.Become(replaced.Detach());
                        value.RequiresGrad = requiresGrad;
                    }
                }
            }
        }
    }
}

/// <summary>A module that maps one tensor to one.</summary>
public abstract class UnaryModule : Module
{
    /// <summary>Computes the output; shows input and output to <see cref="Module.InputObserver"/> and <see cref="Module.OutputObserver"/>.</summary>
    /// <param name="x">The input.</param>
    /// <returns>A new tensor in the current scope, or <paramref name="x"/> itself.</returns>
    public Tensor Forward(Tensor x)
    {
        InputObserver?.Invoke(x);
        return Observed(Compute(x));
    }

    /// <summary>Computes the output.</summary>
    /// <param name="x">The input.</param>
    /// <returns>A new tensor in the current scope, or <paramref name="x"/> itself.</returns>
    protected abstract Tensor Compute(Tensor x);
}

/// <summary>Modules applied one after the other; their names are 0, 1, 2 … unless given.</summary>
public sealed class Sequential : UnaryModule
{
    private readonly List<UnaryModule> _steps = [];

    /// <summary>A chain of modules named by their positions.</summary>
    /// <param name="steps">The modules in order; they belong to this one.</param>
    public Sequential(params ReadOnlySpan<UnaryModule> steps)
    {
        foreach (UnaryModule step in steps)
        {
            Append(step);
        }
    }

    /// <summary>Number of modules.</summary>
    public int Count => _steps.Count;

    /// <summary>One of the modules.</summary>
    /// <param name="index">Position, from 0.</param>
    public UnaryModule this[int index] => _steps[index];

    /// <summary>Adds a module at the end.</summary>
    /// <param name="step">The module; it belongs to this one.</param>
    /// <param name="name">Its name; null for its position.</param>
    /// <returns>This module.</returns>
    public Sequential Append(UnaryModule step, string? name = null)
    {
        _steps.Add(Add(name ?? _steps.Count.ToString(System.Globalization.CultureInfo.InvariantCulture), step));
        return this;
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x)
    {
        foreach (UnaryModule step in _steps)
        {
            x = step.Forward(x);
        }

        return x;
    }
}
