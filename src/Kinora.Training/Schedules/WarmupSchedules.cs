namespace Kinora.Training;

/// <summary>
/// Linear warm-up into a half cosine that is <em>not</em> shifted by the warm-up:
/// c(t) = b·(cos(π·t/M) + 1)/2; before w epochs the rate runs in a line from s to c(w). The peak is therefore c(w) &lt; b.
/// </summary>
/// <remarks>PaddleVideo's CustomWarmupCosineDecay; beyond M epochs the cosine rises again.</remarks>
public sealed class WarmupCosineSchedule : FractionalEpochSchedule
{
    private readonly double _start;
    private readonly double _warmupEpochs;
    private readonly double _base;
    private readonly double _epochs;

    /// <summary>Creates the schedule.</summary>
    /// <param name="startRate">s: rate of the first step.</param>
    /// <param name="warmupEpochs">w: length of the warm-up, in epochs; 0 for none.</param>
    /// <param name="baseRate">b: top of the cosine.</param>
    /// <param name="epochs">M: epochs until the rate is 0.</param>
    /// <param name="stepsPerEpoch">Optimiser steps of an epoch.</param>
    public WarmupCosineSchedule(double startRate, double warmupEpochs, double baseRate, double epochs, int stepsPerEpoch)
        : base(stepsPerEpoch)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(epochs);
        (_start, _warmupEpochs, _base, _epochs) = (startRate, warmupEpochs, baseRate, epochs);
        Restart();
    }

    /// <inheritdoc/>
    protected override double Current(double previous)
    {
        if (Time >= _warmupEpochs)
        {
            return Cosine(Time);
        }

        double slope = (Cosine(_warmupEpochs) - _start) / _warmupEpochs;
        return (Time * slope) + _start;
    }

    private double Cosine(double time) => _base * (Math.Cos(Math.PI * time / _epochs) + 1.0) * 0.5;
}

/// <summary>Linear warm-up into steps: the value is factors[i−1]·base, i being the first boundary above t.</summary>
/// <remarks>PaddleVideo's CustomWarmupPiecewiseDecay (multigrid training).</remarks>
public sealed class WarmupPiecewiseSchedule : FractionalEpochSchedule
{
    private readonly double _start;
    private readonly double _warmupEpochs;
    private readonly double _base;
    private readonly double[] _factors;
    private readonly double[] _boundaries;

    /// <summary>Creates the schedule.</summary>
    /// <param name="startRate">Rate of the first step.</param>
    /// <param name="warmupEpochs">Length of the warm-up, in epochs.</param>
    /// <param name="baseRate">What the factors multiply.</param>
    /// <param name="factors">One factor an interval.</param>
    /// <param name="boundaries">Epochs at which intervals start; the first is 0.</param>
    /// <param name="epochs">End of the last interval.</param>
    /// <param name="stepsPerEpoch">Optimiser steps of an epoch.</param>
    public WarmupPiecewiseSchedule(double startRate, double warmupEpochs, double baseRate, IEnumerable<double> factors, IEnumerable<double> boundaries, double epochs, int stepsPerEpoch)
        : base(stepsPerEpoch)
    {
        (_start, _warmupEpochs, _base) = (startRate, warmupEpochs, baseRate);
        _factors = [.. factors];
        _boundaries = [.. boundaries, epochs];
        if (_factors.Length < _boundaries.Length - 1)
        {
            throw new ArgumentException($"expected {_boundaries.Length - 1} factors, one an interval, found {_factors.Length}", nameof(factors));
        }

        Restart();
    }

    /// <inheritdoc/>
    protected override double Current(double previous)
    {
        if (Time >= _warmupEpochs)
        {
            return Value(Time);
        }

        double slope = (Value(_warmupEpochs) - _start) / _warmupEpochs;
        return (Time * slope) + _start;
    }

    private double Value(double time)
    {
        int index = Array.FindIndex(_boundaries, b => time < b);
        index = index < 0 ? _boundaries.Length - 1 : index;
        return _factors[index == 0 ? ^1 : index - 1] * _base;
    }
}

/// <summary>Warm-up base·(t + 1)/w, then base·rate^(number of boundaries reached).</summary>
/// <remarks>PaddleVideo's CustomWarmupAdjustDecay, stepped each iteration; the (t + 1) overshoots in the last warm-up epoch.</remarks>
public sealed class WarmupStepSchedule : FractionalEpochSchedule
{
    private readonly double _base;
    private readonly double _warmupEpochs;
    private readonly double _decay;
    private readonly double[] _boundaries;

    /// <summary>Creates the schedule.</summary>
    /// <param name="baseRate">Rate after the warm-up.</param>
    /// <param name="warmupEpochs">w, in epochs.</param>
    /// <param name="decay">Factor at each boundary.</param>
    /// <param name="boundaries">Epochs.</param>
    /// <param name="stepsPerEpoch">Optimiser steps of an epoch.</param>
    public WarmupStepSchedule(double baseRate, double warmupEpochs, double decay, IEnumerable<double> boundaries, int stepsPerEpoch)
        : base(stepsPerEpoch)
    {
        (_base, _warmupEpochs, _decay, _boundaries) = (baseRate, warmupEpochs, decay, [.. boundaries]);
        Restart();
    }

    /// <inheritdoc/>
    protected override double Current(double previous) => Time < _warmupEpochs
        ? _base * (Time + 1) / _warmupEpochs
        : _base * Math.Pow(_decay, _boundaries.Count(b => Time >= b));
}

/// <summary>A cosine over whole epochs, r(e) = min + (b − min)(cos(π·e/M) + 1)/2, times a linear warm-up over iterations.</summary>
/// <remarks>PaddleVideo's CustomWarmupCosineStepDecay (VideoSwin). Its counters aren't saved there; here a resumed run goes on.</remarks>
public sealed class WarmupCosineStepSchedule : LearningRateSchedule
{
    private readonly double _warmupSteps;
    private readonly double _startRatio;
    private readonly double _min;
    private readonly double _base;
    private readonly double _epochs;
    private readonly int _stepsPerEpoch;

    /// <summary>Creates the schedule.</summary>
    /// <param name="warmupEpochs">Length of the warm-up, in epochs, fractions allowed.</param>
    /// <param name="startRatio">First rate as a share of the full one.</param>
    /// <param name="minRate">Lowest rate.</param>
    /// <param name="baseRate">b: top of the cosine.</param>
    /// <param name="epochs">M.</param>
    /// <param name="stepsPerEpoch">Optimiser steps of an epoch.</param>
    public WarmupCosineStepSchedule(double warmupEpochs, double startRatio, double minRate, double baseRate, double epochs, int stepsPerEpoch)
        : base(ScheduleInterval.Step)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stepsPerEpoch, 1);
        (_warmupSteps, _startRatio, _min, _base, _epochs, _stepsPerEpoch) = (warmupEpochs * stepsPerEpoch, startRatio, minRate, baseRate, epochs, stepsPerEpoch);
        Restart();
    }

    /// <inheritdoc/>
    protected override double Current(double previous)
    {
        long epoch = Position / _stepsPerEpoch;
        double share = epoch / _epochs; // before π: near the end the cosine's last bits are the rate
        double regular = _min + (0.5 * (_base - _min) * (Math.Cos(Math.PI * share) + 1.0));
        if (Position >= _warmupSteps)
        {
            return regular;
        }

        double missing = (1 - (Position / _warmupSteps)) * (1 - _startRatio);
        return regular * (1 - missing);
    }
}

/// <summary>A line from one rate to another, then another schedule from its beginning.</summary>
/// <remarks>Paddle's LinearWarmup.</remarks>
public sealed class LinearWarmupSchedule : LearningRateSchedule
{
    private readonly LearningRateSchedule _then;
    private readonly int _warmup;
    private readonly double _start;
    private readonly double _end;

    /// <summary>Creates the schedule.</summary>
    /// <param name="then">What follows; moved by this schedule alone.</param>
    /// <param name="warmup">Intervals of the warm-up.</param>
    /// <param name="startRate">First rate.</param>
    /// <param name="endRate">Rate that the line reaches at its end.</param>
    public LinearWarmupSchedule(LearningRateSchedule then, int warmup, double startRate, double endRate)
        : base((then ?? throw new ArgumentNullException(nameof(then))).Interval)
    {
        (_then, _warmup, _start, _end) = (then, warmup, startRate, endRate);
        Restart();
    }

    /// <inheritdoc/>
    protected override void Reset() => _then.Restore(0);

    /// <inheritdoc/>
    protected override void Advance()
    {
        if (Position > _warmup)
        {
            _then.MoveNext();
        }
    }

    /// <inheritdoc/>
    protected override double Current(double previous) => Position < _warmup
        ? ((_end - _start) * Position / _warmup) + _start
        : _then.Rate;
}
