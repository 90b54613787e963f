using Kinora.Tensors.Native;

namespace Kinora.Tensors;

/// <summary>Parameters that share a learning rate factor and a weight decay.</summary>
/// <param name="Parameters">Full names and tensors, which stay their module's.</param>
/// <param name="LearningRateFactor">Multiplies the learning rate.</param>
/// <param name="WeightDecay">λ of the L2 penalty: λ·p is added to the gradient.</param>
public sealed record ParameterGroup(IReadOnlyList<(string Name, Tensor Value)> Parameters, double LearningRateFactor = 1, double WeightDecay = 0);

/// <summary>
/// Stochastic gradient descent with momentum, as Paddle's Momentum does it:
/// g' = g + λ·p; v = μ·v + g'; p -= rate·(Nesterov ? g' + μ·v : v).
/// </summary>
/// <remarks>
/// Clip before the step. μ and λ are rounded to float32 even for float64 parameters; without momentum λ isn't, as in
/// Paddle's SGD. Parameters without a gradient
/// are left alone, weight decay included. Velocities start at zero.
/// </remarks>
public sealed unsafe class Sgd : IDisposable
{
    private readonly List<(string Name, Tensor Value, double Factor, double Decay)> _parameters = [];
    private readonly Tensor?[] _velocities;
    private readonly double _momentum;
    private readonly bool _nesterov;

    /// <summary>An optimiser over groups of parameters.</summary>
    /// <param name="groups">The groups; no parameter may occur twice.</param>
    /// <param name="momentum">μ, in [0, 1).</param>
    /// <param name="nesterov">Steps along g' + μ·v instead of v.</param>
    /// <exception cref="ArgumentException">A name occurs twice.</exception>
    public Sgd(IReadOnlyList<ParameterGroup> groups, double momentum = 0.9, bool nesterov = false)
    {
        ArgumentNullException.ThrowIfNull(groups);
        ArgumentOutOfRangeException.ThrowIfNegative(momentum);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(momentum, 1);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (ParameterGroup group in groups)
        {
            foreach ((string name, Tensor value) in group.Parameters)
            {
                if (!names.Add(name))
                {
                    throw new ArgumentException($"parameter '{name}' occurs twice", nameof(groups));
                }

                _parameters.Add((name, value, group.LearningRateFactor, momentum == 0 ? group.WeightDecay : (float)group.WeightDecay));
            }
        }

        _velocities = new Tensor?[_parameters.Count];
        _momentum = (float)momentum;
        _nesterov = nesterov;
    }

    /// <summary>Moves every parameter that has a gradient.</summary>
    /// <param name="learningRate">Rate of this step; group factors multiply it.</param>
    public void Step(double learningRate)
    {
        using var scope = new TensorScope();
        using IDisposable mode = Grad.Disable();
        var values = new List<Tensor>(_parameters.Count);
        var gradients = new List<Tensor>(_parameters.Count);
        var velocities = new List<Tensor>(_parameters.Count);
        var rates = new List<double>(_parameters.Count);
        var decays = new List<double>(_parameters.Count);
        for (int i = 0; i < _parameters.Count; i++)
        {
            (_, Tensor value, double factor, double decay) = _parameters[i];
            if (value.Grad is not Tensor gradient)
            {
                continue;
            }

            values.Add(value);
            gradients.Add(gradient);
            velocities.Add(_velocities[i] ??= Torch.Call(Ops.ZerosLike, value).EscapeScope());
            rates.Add(learningRate * factor);
            decays.Add(decay);
        }

        using var v = new HandleList(values);
        using var g = new HandleList(gradients);
        using var m = new HandleList(velocities);
        fixed (double* ratesStart = rates.ToArray(), decaysStart = decays.ToArray())
        fixed (nint* vs = v.Addresses, gs = g.Addresses, ms = m.Addresses)
        {
            Status.Check(NativeMethods.kt_sgd(values.Count, vs, gs, ms, ratesStart, decaysStart, _momentum, _nesterov ? 1 : 0), "sgd");
        }
    }

    /// <summary>Drops all gradients.</summary>
    public void ZeroGrad()
    {
        foreach ((_, Tensor value, _, _) in _parameters)
        {
            value.Grad = null;
        }
    }

    /// <summary>Scales all gradients down together so that their common L2 norm doesn't exceed a limit.</summary>
    /// <param name="maxNorm">The limit; infinity only measures.</param>
    /// <returns>The norm before.</returns>
    public double ClipGradientNorm(double maxNorm)
    {
        using var scope = new TensorScope();
        using IDisposable mode = Grad.Disable();
        List<Tensor> gradients = [.. _parameters.Select(p => p.Value.Grad).OfType<Tensor>()];
        double sum;
        using (var g = new HandleList(gradients))
        {
            fixed (nint* gs = g.Addresses)
            {
                Status.Check(NativeMethods.kt_squared_norm(gradients.Count, gs, &sum), "gradient norm");
            }
        }

        double norm = Math.Sqrt(sum);
        if (norm > maxNorm)
        {
            foreach (Tensor gradient in gradients)
            {
                gradient.MulInPlace(maxNorm / norm);
            }
        }

        return norm;
    }

    /// <summary>The velocities, named "velocity." and the parameter's name; those not used yet are left out.</summary>
    /// <returns>Names and tensors, which stay the optimiser's.</returns>
    public IEnumerable<(string Name, Tensor Value)> StateDict()
    {
        for (int i = 0; i < _parameters.Count; i++)
        {
            if (_velocities[i] is Tensor velocity)
            {
                yield return ("velocity." + _parameters[i].Name, velocity);
            }
        }
    }

    /// <summary>Restores the velocities; those that aren't given start at zero.</summary>
    /// <param name="state">What <see cref="StateDict"/> gave; the tensors stay the caller's.</param>
    /// <exception cref="CheckpointException">A name is unknown or a shape differs.</exception>
    public void LoadStateDict(IEnumerable<(string Name, Tensor Value)> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        using IDisposable mode = Grad.Disable();
        var indices = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < _parameters.Count; i++)
        {
            indices.Add("velocity." + _parameters[i].Name, i);
            _velocities[i]?.Dispose();
            _velocities[i] = null;
        }

        foreach ((string name, Tensor value) in state)
        {
            if (!indices.TryGetValue(name, out int i))
            {
                throw new CheckpointException($"load optimiser state: '{name}' belongs to no parameter");
            }

            Tensor parameter = _parameters[i].Value;
            if (!parameter.Shape.SequenceEqual(value.Shape))
            {
                throw new CheckpointException($"load optimiser state: '{name}' expected {parameter}, found {value}");
            }

            _velocities[i] = Torch.Call(Ops.ZerosLike, parameter).EscapeScope().CopyFrom(value);
        }
    }

    /// <summary>Disposes of the velocities; the parameters stay.</summary>
    public void Dispose()
    {
        foreach (Tensor? velocity in _velocities)
        {
            velocity?.Dispose();
        }
    }
}
