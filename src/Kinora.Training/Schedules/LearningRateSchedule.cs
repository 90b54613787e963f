namespace Kinora.Training;

/// <summary>When a schedule moves on.</summary>
public enum ScheduleInterval
{
    /// <summary>After every optimiser step.</summary>
    Step,

    /// <summary>After every epoch.</summary>
    Epoch,
}

/// <summary>
/// The learning rate over a run. A schedule is a machine that moves forward one interval at a time, because the
/// reference sums fractions of an epoch in floating point and its step boundaries depend on that sum.
/// Its whole state is <see cref="Position"/>.
/// </summary>
/// <remarks>Not thread-safe. Formulas: PaddlePaddle 2.6 <c>paddle.optimizer.lr</c> and PaddleVideo's <c>custom_lr.py</c>.</remarks>
public abstract class LearningRateSchedule
{
    /// <summary>Creates a schedule at its first interval.</summary>
    /// <param name="interval">When it moves on.</param>
    protected LearningRateSchedule(ScheduleInterval interval) => Interval = interval;

    /// <summary>When the schedule moves on.</summary>
    public ScheduleInterval Interval { get; }

    /// <summary>How often <see cref="MoveNext"/> was called since the start.</summary>
    public long Position { get; private set; }

    /// <summary>The learning rate of the current interval.</summary>
    public double Rate { get; private set; }

    /// <summary>Moves on by one interval.</summary>
    public void MoveNext()
    {
        Position++;
        Advance();
        Rate = Current(Rate);
    }

    /// <summary>Goes to where the schedule stood after a number of intervals, by replaying them.</summary>
    /// <param name="position">A former <see cref="Position"/>.</param>
    public void Restore(long position)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        Restart();
        while (Position < position)
        {
            MoveNext();
        }
    }

    /// <summary>Goes back to the first interval; derived constructors call it last.</summary>
    protected void Restart()
    {
        Position = 0;
        Reset();
        Rate = Current(double.NaN);
    }

    /// <summary>Resets what derived classes keep beside <see cref="Position"/>.</summary>
    protected virtual void Reset()
    {
    }

    /// <summary>Moves what derived classes keep beside <see cref="Position"/>, which has moved already.</summary>
    protected virtual void Advance()
    {
    }

    /// <summary>The rate of the current interval.</summary>
    /// <param name="previous">Rate of the interval before; NaN at the first.</param>
    /// <returns>The learning rate.</returns>
    protected abstract double Current(double previous);
}

/// <summary>A schedule of time in epochs that grows by 1/n with each of the n steps of an epoch.</summary>
public abstract class FractionalEpochSchedule : LearningRateSchedule
{
    private readonly double _increment;

    /// <summary>Creates the schedule.</summary>
    /// <param name="stepsPerEpoch">n: optimiser steps of an epoch.</param>
    protected FractionalEpochSchedule(int stepsPerEpoch)
        : base(ScheduleInterval.Step)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stepsPerEpoch, 1);
        _increment = 1.0 / stepsPerEpoch;
    }

    /// <summary>t: time in epochs, summed step by step.</summary>
    public double Time { get; private set; }

    /// <inheritdoc/>
    protected sealed override void Reset() => Time = 0;

    /// <inheritdoc/>
    protected sealed override void Advance() => Time += _increment;
}
