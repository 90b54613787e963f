using Kinora.Tensors.Native;

namespace Kinora.Tensors;

/// <summary>
/// Moves parameters along their gradients. An optimiser keeps some tensors a parameter, its state, which a checkpoint
/// must keep too.
/// </summary>
/// <remarks>
/// Clip before the step. Parameters without a gradient are left alone, decay included. State starts at zero, at the first
/// step that moves its parameter. Not thread-safe.
/// </remarks>
public abstract unsafe class Optimizer : IDisposable
{
    private readonly string[] _kinds;
    private readonly Slot[] _slots;

    /// <summary>An optimiser over groups of parameters.</summary>
    /// <param name="groups">The groups; no parameter may occur twice.</param>
    /// <param name="kinds">What is kept for each parameter: the words before its name in checkpoints.</param>
    private protected Optimizer(IReadOnlyList<ParameterGroup> groups, params string[] kinds)
    {
        ArgumentNullException.ThrowIfNull(groups);
        var names = new HashSet<string>(StringComparer.Ordinal);
        var slots = new List<Slot>();
        foreach (ParameterGroup group in groups)
        {
            RequireFinite(group.LearningRateFactor, "learning-rate factor");
            RequireFinite(group.WeightDecay, "weight decay");
            RequireFinite(group.L1Decay, "L1 decay");
            RequireFinite(group.DecoupledDecay, "decoupled decay");
            foreach ((string name, Tensor value) in group.Parameters)
            {
                if (!names.Add(name))
                {
                    throw new ArgumentException($"parameter '{name}' occurs twice", nameof(groups));
                }

                slots.Add(new Slot(name, value, group, new Tensor?[kinds.Length]));
            }
        }

        _slots = [.. slots];
        _kinds = kinds;

        static void RequireFinite(double value, string what)
        {
            if (!double.IsFinite(value) || value < 0)
            {
                throw new ArgumentException($"{what}: expected a finite number from 0 on, found {value}", nameof(groups));
            }
        }
    }

    /// <summary>The parameters in the order of their groups; they stay their module's.</summary>
    public IEnumerable<(string Name, Tensor Value)> Parameters => _slots.Select(slot => (slot.Name, slot.Value));

    /// <summary>Moves every parameter that has a gradient.</summary>
    /// <param name="learningRate">Rate of this step; group factors multiply it.</param>
    public void Step(double learningRate)
    {
        using var scope = new TensorScope();
        using IDisposable mode = Grad.Disable();
        var moving = new List<Slot>(_slots.Length);
        var gradients = new List<Tensor>(_slots.Length);
        foreach (Slot slot in _slots)
        {
            if (slot.Value.Grad is not Tensor gradient)
            {
                continue;
            }

            for (int kind = 0; kind < _kinds.Length; kind++)
            {
                slot.State[kind] ??= NewState(kind, slot.Value).EscapeScope();
            }

            // The gradient itself stays as the backward pass left it.
            double l1 = slot.Group.L1Decay;
            moving.Add(slot);
            gradients.Add(l1 == 0 ? gradient : gradient + (Torch.Call(Ops.Sign, slot.Value) * l1));
        }

        using var operands = new Operands(moving, gradients, _kinds.Length);
        Move(operands, learningRate);
    }

    /// <summary>Drops all gradients.</summary>
    public void ZeroGrad()
    {
        foreach (Slot slot in _slots)
        {
            slot.Value.Grad = null;
        }
    }

    /// <summary>Scales all gradients down together so that their common L2 norm doesn't exceed a limit.</summary>
    /// <param name="maxNorm">The limit; infinity only measures.</param>
    /// <returns>The norm before; infinite or NaN if a gradient has such an element, and nothing is scaled then.</returns>
    public double ClipGradientNorm(double maxNorm)
    {
        using var scope = new TensorScope();
        using IDisposable mode = Grad.Disable();
        List<Tensor> gradients = Gradients();
        double sum;
        using (var g = new HandleList(gradients))
        {
            fixed (nint* gs = g.Addresses)
            {
                Status.Check(NativeMethods.kt_squared_norm(gradients.Count, gs, &sum), "gradient norm");
            }
        }

        double norm = Math.Sqrt(sum);
        if (norm > maxNorm && double.IsFinite(norm))
        {
            gradients.ForEach(gradient => gradient.MulInPlace(maxNorm / norm));
        }

        return norm;
    }

    /// <summary>Limits every element of every gradient.</summary>
    /// <param name="maxValue">The greatest magnitude, above 0; NaN elements stay NaN.</param>
    public void ClipGradientValue(double maxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxValue);
        using var scope = new TensorScope();
        using IDisposable mode = Grad.Disable();
        Gradients().ForEach(gradient => Torch.CallInPlace(Ops.ClampInPlace, gradient, -maxValue, maxValue));
    }

    /// <summary>Multiplies all gradients by a number.</summary>
    /// <param name="factor">The number.</param>
    public void ScaleGradients(double factor)
    {
        using var scope = new TensorScope();
        using IDisposable mode = Grad.Disable();
        Gradients().ForEach(gradient => gradient.MulInPlace(factor));
    }

    /// <summary>The state, each tensor named by its kind, a dot and its parameter's name; what isn't used yet is left out.</summary>
    /// <returns>Names and tensors, which stay the optimiser's.</returns>
    public IEnumerable<(string Name, Tensor Value)> StateDict()
    {
        foreach (Slot slot in _slots)
        {
            for (int kind = 0; kind < _kinds.Length; kind++)
            {
                if (slot.State[kind] is Tensor value)
                {
                    yield return ($"{_kinds[kind]}.{slot.Name}", value);
                }
            }
        }
    }

    /// <summary>Restores the state; what isn't given starts at zero.</summary>
    /// <param name="state">What <see cref="StateDict"/> gave; the tensors stay the caller's.</param>
    /// <exception cref="CheckpointException">
    /// A name is unknown or given twice, a shape differs, or a parameter has only part of its state. Nothing was changed.
    /// </exception>
    public void LoadStateDict(IEnumerable<(string Name, Tensor Value)> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        using var scope = new TensorScope();
        using IDisposable mode = Grad.Disable();
        var places = new Dictionary<string, (int Slot, int Kind)>(StringComparer.Ordinal);
        for (int i = 0; i < _slots.Length; i++)
        {
            for (int kind = 0; kind < _kinds.Length; kind++)
            {
                places.Add($"{_kinds[kind]}.{_slots[i].Name}", (i, kind));
            }
        }

        var loaded = new Tensor?[_slots.Length, _kinds.Length];
        foreach ((string name, Tensor value) in state)
        {
            if (!places.TryGetValue(name, out (int Slot, int Kind) place))
            {
                throw new CheckpointException($"load optimiser state: '{name}' belongs to no parameter of this {GetType().Name}");
            }

            Tensor expected = NewState(place.Kind, _slots[place.Slot].Value);
            if (!expected.Shape.SequenceEqual(value.Shape))
            {
                throw new CheckpointException($"load optimiser state: '{name}' expected {expected}, found {value}");
            }

            ref Tensor? target = ref loaded[place.Slot, place.Kind];
            target = target is null ? expected.CopyFrom(value) : throw new CheckpointException($"load optimiser state: '{name}' is given twice");
        }

        for (int i = 0; i < _slots.Length; i++)
        {
            int given = Enumerable.Range(0, _kinds.Length).Count(kind => loaded[i, kind] is not null);
            if (given != 0 && given != _kinds.Length)
            {
                throw new CheckpointException(
                    $"load optimiser state: parameter '{_slots[i].Name}' expected {string.Join(", ", _kinds)}, found {given} of the {_kinds.Length}");
            }
        }

        for (int i = 0; i < _slots.Length; i++)
        {
            for (int kind = 0; kind < _kinds.Length; kind++)
            {
                _slots[i].State[kind]?.Dispose();
                _slots[i].State[kind] = loaded[i, kind]?.EscapeScope();
            }
        }
    }

    /// <summary>Disposes of the state; the parameters stay.</summary>
    public void Dispose()
    {
        foreach (Slot slot in _slots)
        {
            foreach (Tensor? value in slot.State)
            {
                value?.Dispose();
            }
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Refuses groups that want a decay which an optimiser hasn't got.</summary>
    private protected static void RequireCoupledDecay(IReadOnlyList<ParameterGroup> groups, string optimizer)
    {
        ArgumentNullException.ThrowIfNull(groups);
        if (groups.FirstOrDefault(g => g.DecoupledDecay != 0) is { } group)
        {
            throw new ArgumentException($"{optimizer}: expected no decoupled decay, found {group.DecoupledDecay}; use weight decay, or Adam", nameof(groups));
        }
    }

    /// <summary>Makes a parameter's state of one kind, in the current scope: by default zeros of the parameter's shape.</summary>
    private protected virtual Tensor NewState(int kind, Tensor parameter) => Torch.Call(Ops.ZerosLike, parameter);

    /// <summary>Changes parameters and state.</summary>
    private protected abstract void Move(Operands operands, double learningRate);

    private List<Tensor> Gradients() => [.. _slots.Select(slot => slot.Value.Grad).OfType<Tensor>()];

    /// <summary>A parameter, its group and its state.</summary>
    private protected sealed record Slot(string Name, Tensor Value, ParameterGroup Group, Tensor?[] State);

    /// <summary>The tensors of one step, held for the duration of native calls.</summary>
    private protected sealed class Operands : IDisposable
    {
        private readonly HandleList _parameters;
        private readonly HandleList _gradients;
        private readonly HandleList[] _states;

        public Operands(List<Slot> slots, List<Tensor> gradients, int kinds)
        {
            Slots = slots;
            _parameters = new HandleList(slots.Select(slot => slot.Value));
            _gradients = new HandleList(gradients);
            _states = [.. Enumerable.Range(0, kinds).Select(kind => new HandleList(slots.Select(slot => slot.State[kind]!)))];
        }

        public IReadOnlyList<Slot> Slots { get; }

        public int Count => Slots.Count;

        public nint[] Parameters => _parameters.Addresses;

        public nint[] Gradients => _gradients.Addresses;

        public nint[] State(int kind) => _states[kind].Addresses;

        /// <summary>A number for each parameter.</summary>
        public double[] Each(Func<Slot, double> number) => [.. Slots.Select(number)];

        public void Dispose()
        {
            foreach (HandleList list in (IEnumerable<HandleList>)[_parameters, _gradients, .. _states])
            {
                list.Dispose();
            }
        }
    }
}
