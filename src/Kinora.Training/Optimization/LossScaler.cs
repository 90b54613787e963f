using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>
/// Multiplies the loss so that small gradients survive float16, and finds the factor while training: steps whose gradients
/// overflow are skipped and halve it, a run of good ones doubles it. It has no lower or upper bound.
/// </summary>
/// <remarks>
/// Paddle's GradScaler. bfloat16 has the range of float32 and needs none. A factor that is a power of two changes no bits
/// of the gradients that neither overflow nor vanish. The learning-rate schedule goes on over skipped steps, as upstream.
/// </remarks>
public sealed class LossScaler
{
    private readonly double _growth;
    private readonly double _backoff;
    private readonly int _growAfter;
    private readonly int _shrinkAfter;
    private long _good;
    private long _bad;

    /// <summary>A scaler; the defaults are PaddleVideo's.</summary>
    /// <param name="scale">First factor, above 0.</param>
    /// <param name="growAfter">Good steps in a row that let it grow, from 1 on.</param>
    /// <param name="shrinkAfter">Bad steps in a row that make it shrink, from 1 on.</param>
    /// <param name="growth">By how much it grows, from 1 on.</param>
    /// <param name="backoff">By how much it shrinks, in (0, 1).</param>
    public LossScaler(double scale = 65536, int growAfter = 2000, int shrinkAfter = 1, double growth = 2, double backoff = 0.5)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(scale);
        ArgumentOutOfRangeException.ThrowIfLessThan(growAfter, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(shrinkAfter, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(growth, 1);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(backoff);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(backoff, 1);
        (Scale, _growAfter, _shrinkAfter, _growth, _backoff) = (scale, growAfter, shrinkAfter, growth, backoff);
    }

    /// <summary>The factor of the coming step.</summary>
    public double Scale { get; private set; }

    /// <summary>Multiplies a loss.</summary>
    /// <param name="loss">The loss, in float32.</param>
    /// <returns>The tensor to run backward from, in the current scope.</returns>
    public Tensor Apply(Tensor loss)
    {
        ArgumentNullException.ThrowIfNull(loss);
        return loss * Scale;
    }

    /// <summary>Takes the factor out of the gradients again: once a step, before clipping.</summary>
    /// <param name="optimizer">Whose gradients.</param>
    /// <returns>Whether all are finite. If not, skip the step; call <see cref="Update"/> either way.</returns>
    public bool Unscale(Optimizer optimizer)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        if (!double.IsFinite(optimizer.ClipGradientNorm(double.PositiveInfinity)))
        {
            return false;
        }

        optimizer.ScaleGradients(1 / Scale);
        return true;
    }

    /// <summary>Moves on by one step.</summary>
    /// <param name="finite">What <see cref="Unscale"/> said.</param>
    public void Update(bool finite)
    {
        if (finite)
        {
            _bad = 0;
            if (++_good == _growAfter)
            {
                Scale *= _growth;
                _good = 0;
            }
        }
        else
        {
            _good = 0;
            if (++_bad == _shrinkAfter)
            {
                Scale *= _backoff;
                _bad = 0;
            }
        }
    }

    /// <summary>The state, for a checkpoint.</summary>
    /// <returns>Names and new tensors in the current scope.</returns>
    public IEnumerable<(string Name, Tensor Value)> StateDict() =>
    [
        ("scale", Tensor.Scalar(Scale, DType.Float64)),
        ("good_steps", Tensor.Scalar(_good, DType.Int64)),
        ("bad_steps", Tensor.Scalar(_bad, DType.Int64)),
    ];

    /// <summary>Restores the state.</summary>
    /// <param name="state">What <see cref="StateDict"/> gave; the tensors stay the caller's.</param>
    /// <exception cref="CheckpointException">A value is missing, unknown or out of range; nothing was changed.</exception>
    public void LoadStateDict(IEnumerable<(string Name, Tensor Value)> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        Dictionary<string, double> values = state.ToDictionary(s => s.Name, s => s.Value.ToDouble(), StringComparer.Ordinal);
        if (values.Count != 3
            || !values.TryGetValue("scale", out double scale) || !(scale > 0)
            || !values.TryGetValue("good_steps", out double good) || !(good >= 0 && good < _growAfter)
            || !values.TryGetValue("bad_steps", out double bad) || !(bad >= 0 && bad < _shrinkAfter))
        {
            throw new CheckpointException(FormattableString.Invariant(
                $"load loss scaler: expected scale above 0, good_steps in [0, {_growAfter}) and bad_steps in [0, {_shrinkAfter}), found {string.Join(", ", values.Select(v => FormattableString.Invariant($"{v.Key} {v.Value}")))}"));
        }

        (Scale, _good, _bad) = (scale, (long)good, (long)bad);
    }
}
