using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>
/// The exponential moving average of a network's weights and running statistics: average += (1 − decay)·(weight −
/// average) after each step. It often scores better than the weights themselves.
/// </summary>
/// <remarks>
/// Polyak and Juditsky 1992. The decay warms up, min(decay, (1 + t)/(10 + t)) at step t from 0, so that the first weights
/// are soon forgotten. Not thread-safe.
/// </remarks>
public sealed class WeightAverage : IDisposable
{
    private const string Prefix = "average.";
    private const string Steps = "steps";
    private readonly (string Name, Tensor Value)[] _weights;
    private readonly Tensor[] _averages;
    private readonly double _decay;
    private readonly bool _warmUp;
    private readonly Tensor _steps;

    /// <summary>Starts the average at the network's present state.</summary>
    /// <param name="network">Its tensors are read and, while swapped, exchanged; it stays the caller's.</param>
    /// <param name="decay">Share of the old average, in [0, 1).</param>
    /// <param name="warmUp">Whether the decay starts low.</param>
    public WeightAverage(Module network, double decay = 0.999, bool warmUp = true)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentOutOfRangeException.ThrowIfNegative(decay);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(decay, 1);
        (_decay, _warmUp) = (decay, warmUp);
        _weights = [.. network.StateDict()];
        using IDisposable mode = Grad.Disable();
        _averages = [.. _weights.Select(w => w.Value.Clone().EscapeScope())];
        _steps = Tensor.Zeros([], DType.Int64).EscapeScope();
    }

    /// <summary>Whether the network holds the average now, and this object the weights.</summary>
    public bool IsSwapped { get; private set; }

    /// <summary>The decay of the coming update.</summary>
    public double Decay
    {
        get
        {
            double steps = _steps.ToDouble();
            return _warmUp ? Math.Min(_decay, (1 + steps) / (10 + steps)) : _decay;
        }
    }

    /// <summary>Takes the network's state in, after a step.</summary>
    /// <exception cref="InvalidOperationException">The network holds the average.</exception>
    public void Update()
    {
        RequireNotSwapped();
        using IDisposable mode = Grad.Disable();
        double share = 1 - Decay;
        for (int i = 0; i < _averages.Length; i++)
        {
            Tensor weight = _weights[i].Value;
            _ = weight.DType.IsFloatingPoint() ? _averages[i].LerpInPlace(weight, share) : _averages[i].CopyFrom(weight);
        }

        _steps.CopyFrom<long>([(long)_steps.ToDouble() + 1]);
    }

    /// <summary>
    /// Lets the network hold the average, for evaluation or export, until the result is disposed of. Nothing is copied and
    /// no memory allocated; the network mustn't be trained or converted meanwhile.
    /// </summary>
    /// <returns>Gives the network its weights back.</returns>
    /// <exception cref="InvalidOperationException">The network holds the average already.</exception>
    public IDisposable Swap()
    {
        RequireNotSwapped();
        Exchange();
        return new SwapBack(this);
    }

    /// <summary>The state, for a checkpoint: each average under "average." and its name, and "steps".</summary>
    /// <returns>Names and tensors, which stay this object's.</returns>
    /// <exception cref="InvalidOperationException">The network holds the average.</exception>
    public IEnumerable<(string Name, Tensor Value)> StateDict()
    {
        RequireNotSwapped();
        return [.. _weights.Select((w, i) => (Prefix + w.Name, _averages[i])), (Steps, _steps)];
    }

    /// <summary>Restores the state.</summary>
    /// <param name="state">What <see cref="StateDict"/> gave; the tensors stay the caller's.</param>
    /// <exception cref="CheckpointException">Names are missing or unknown, or shapes differ; nothing was changed.</exception>
    public void LoadStateDict(IEnumerable<(string Name, Tensor Value)> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        RequireNotSwapped();
        var given = state.ToDictionary(s => s.Name, s => s.Value, StringComparer.Ordinal);
        (string Name, Tensor Value)[] own = [.. StateDict()];
        foreach ((string name, Tensor value) in own)
        {
            if (!given.TryGetValue(name, out Tensor? found) || !found.Shape.SequenceEqual(value.Shape))
            {
                throw new CheckpointException($"load weight average: '{name}' expected {value}, found {found?.ToString() ?? "nothing"}");
            }
        }

        if (given.Count != own.Length)
        {
            throw new CheckpointException($"load weight average: expected {own.Length} tensors, found {given.Count}, such as '{given.Keys.Except(own.Select(o => o.Name)).First()}'");
        }

        using IDisposable mode = Grad.Disable();
        foreach ((string name, Tensor value) in own)
        {
            value.CopyFrom(given[name]);
        }
    }

    /// <summary>Disposes of the averages; the network stays, with its weights.</summary>
    public void Dispose()
    {
        if (IsSwapped)
        {
            Exchange();
        }

        foreach (Tensor average in _averages)
        {
            average.Dispose();
        }

        _steps.Dispose();
    }

    private void Exchange()
    {
        for (int i = 0; i < _averages.Length; i++)
        {
            _weights[i].Value.ExchangeWith(_averages[i]);
        }

        IsSwapped = !IsSwapped;
    }

    private void RequireNotSwapped()
    {
        if (IsSwapped)
        {
            throw new InvalidOperationException("weight average: the network holds the average; give it its weights back first");
        }
    }

    private sealed class SwapBack(WeightAverage average) : IDisposable
    {
        public void Dispose()
        {
            if (average.IsSwapped)
            {
                average.Exchange();
            }
        }
    }
}
