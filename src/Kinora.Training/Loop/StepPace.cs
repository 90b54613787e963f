namespace Kinora.Training;

/// <summary>How fast steps follow each other, smoothed so that a person can read it.</summary>
internal sealed class StepPace
{
    private const double Memory = 0.8; // share of the past

    /// <summary>Time of a step, in seconds.</summary>
    public double StepSeconds { get; private set; }

    /// <summary>Share of it spent waiting for clips, in [0, 1].</summary>
    public double WaitShare { get; private set; }

    /// <summary>Takes a step in.</summary>
    /// <param name="waited">Time spent waiting for clips, in seconds.</param>
    /// <param name="computed">The rest.</param>
    public void Add(double waited, double computed)
    {
        double seconds = waited + computed, share = waited / Math.Max(1e-9, seconds), past = StepSeconds == 0 ? 0 : Memory;
        StepSeconds = (past * StepSeconds) + ((1 - past) * seconds);
        WaitShare = (past * WaitShare) + ((1 - past) * share);
    }
}
