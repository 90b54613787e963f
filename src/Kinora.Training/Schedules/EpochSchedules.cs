namespace Kinora.Training;

/// <summary>One value between each two boundaries.</summary>
/// <remarks>Paddle's PiecewiseDecay (epochs) and PaddleVideo's CustomPiecewiseDecay (iterations).</remarks>
public sealed class PiecewiseSchedule : LearningRateSchedule
{
    private readonly double[] _boundaries;
    private readonly double[] _values;

    /// <summary>Creates the schedule.</summary>
    /// <param name="boundaries">Rising intervals at which the value changes.</param>
    /// <param name="values">One more than boundaries.</param>
    /// <param name="interval">What boundaries count.</param>
    public PiecewiseSchedule(IEnumerable<double> boundaries, IEnumerable<double> values, ScheduleInterval interval = ScheduleInterval.Epoch)
        : base(interval)
    {
        (_boundaries, _values) = ([.. boundaries], [.. values]);
        if (_values.Length != _boundaries.Length + 1)
        {
            throw new ArgumentException($"expected {_boundaries.Length + 1} values for {_boundaries.Length} boundaries, found {_values.Length}", nameof(values));
        }

        Restart();
    }

    /// <inheritdoc/>
    protected override double Current(double previous)
    {
        int index = Array.FindIndex(_boundaries, b => Position < b);
        return _values[index < 0 ? ^1 : index];
    }
}

/// <summary>The base rate times γ for each milestone reached.</summary>
/// <remarks>Paddle's MultiStepDecay; with no milestone, a constant rate.</remarks>
public sealed class MultiStepSchedule : LearningRateSchedule
{
    private readonly double _base;
    private readonly double _gamma;
    private readonly double[] _milestones;

    /// <summary>Creates the schedule.</summary>
    /// <param name="baseRate">Rate before the first milestone.</param>
    /// <param name="milestones">Rising epochs.</param>
    /// <param name="gamma">Factor.</param>
    public MultiStepSchedule(double baseRate, IEnumerable<double> milestones, double gamma = 0.1)
        : base(ScheduleInterval.Epoch)
    {
        (_base, _gamma, _milestones) = (baseRate, gamma, [.. milestones]);
        Restart();
    }

    /// <inheritdoc/>
    protected override double Current(double previous)
    {
        int index = Array.FindIndex(_milestones, m => Position < m);
        return _base * Math.Pow(_gamma, index < 0 ? _milestones.Length : index);
    }
}

/// <summary>The base rate times a factor that depends on the epoch alone.</summary>
/// <remarks>Paddle's StepDecay, ExponentialDecay, NaturalExpDecay, InverseTimeDecay and PolynomialDecay.</remarks>
public sealed class FormulaSchedule : LearningRateSchedule
{
    private readonly Func<long, double> _rate;

    private FormulaSchedule(Func<long, double> rate)
        : base(ScheduleInterval.Epoch)
    {
        _rate = rate;
        Restart();
    }

    /// <summary>base·γ^floor(epoch/size).</summary>
    /// <param name="baseRate">First rate.</param>
    /// <param name="size">Epochs of equal rate.</param>
    /// <param name="gamma">Factor.</param>
    /// <returns>The schedule.</returns>
    public static FormulaSchedule Step(double baseRate, int size, double gamma = 0.1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        return new(e => baseRate * Math.Pow(gamma, e / size));
    }

    /// <summary>base·γ^epoch.</summary>
    /// <param name="baseRate">First rate.</param>
    /// <param name="gamma">Factor.</param>
    /// <returns>The schedule.</returns>
    public static FormulaSchedule Exponential(double baseRate, double gamma) => new(e => baseRate * Math.Pow(gamma, e));

    /// <summary>base·exp(−γ·epoch).</summary>
    /// <param name="baseRate">First rate.</param>
    /// <param name="gamma">Decay.</param>
    /// <returns>The schedule.</returns>
    public static FormulaSchedule NaturalExponential(double baseRate, double gamma) => new(e => baseRate * Math.Exp(-1 * gamma * e));

    /// <summary>base/(1 + γ·epoch).</summary>
    /// <param name="baseRate">First rate.</param>
    /// <param name="gamma">Decay.</param>
    /// <returns>The schedule.</returns>
    public static FormulaSchedule InverseTime(double baseRate, double gamma) => new(e => baseRate / (1 + (gamma * e)));

    /// <summary>(base − end)·(1 − epoch/steps)^power + end.</summary>
    /// <param name="baseRate">First rate.</param>
    /// <param name="steps">Epochs until the end rate.</param>
    /// <param name="endRate">Last rate.</param>
    /// <param name="power">Exponent.</param>
    /// <param name="cycle">Start a longer period where the first has ended, instead of staying at the end rate.</param>
    /// <returns>The schedule.</returns>
    public static FormulaSchedule Polynomial(double baseRate, int steps, double endRate = 0.0001, double power = 1, bool cycle = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        return new(e =>
        {
            double length = cycle && e > 0 ? steps * Math.Ceiling((double)e / steps) : steps;
            double epoch = cycle ? e : Math.Min(e, steps);
            return ((baseRate - endRate) * Math.Pow(1 - (epoch / length), power)) + endRate;
        });
    }

    /// <inheritdoc/>
    protected override double Current(double previous) => _rate(Position);
}

/// <summary>A cosine between two rates that comes back up after T epochs, in the recursive form of the reference.</summary>
/// <remarks>Paddle's CosineAnnealingDecay (arXiv:1608.03983 without restarts); rounding accumulates from epoch to epoch.</remarks>
public sealed class CosineAnnealingSchedule : LearningRateSchedule
{
    private readonly double _base;
    private readonly int _period;
    private readonly double _min;

    /// <summary>Creates the schedule.</summary>
    /// <param name="baseRate">Highest rate.</param>
    /// <param name="period">T: epochs from the highest to the lowest rate.</param>
    /// <param name="minRate">Lowest rate.</param>
    public CosineAnnealingSchedule(double baseRate, int period, double minRate = 0)
        : base(ScheduleInterval.Epoch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(period, 1);
        (_base, _period, _min) = (baseRate, period, minRate);
        Restart();
    }

    /// <inheritdoc/>
    protected override double Current(double previous)
    {
        if (Position == 0)
        {
            return _base;
        }

        if ((Position - 1 - _period) % (2 * _period) == 0)
        {
            return previous + ((_base - _min) * (1 - Math.Cos(Math.PI / _period)) / 2);
        }

        double now = 1 + Math.Cos(Math.PI * Position / _period);
        double before = 1 + Math.Cos(Math.PI * (Position - 1) / _period);
        return (now / before * (previous - _min)) + _min;
    }
}
