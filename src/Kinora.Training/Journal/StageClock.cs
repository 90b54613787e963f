using System.Diagnostics;
using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>
/// Books time to stages: it is always in exactly one, so their times add up. Reading the clock is all it costs. Work that
/// a device does later than it is asked for is booked where it is waited for.
/// </summary>
/// <param name="clock">The clock.</param>
internal sealed class StageClock(TimeProvider clock)
{
    private readonly long[] _ticks = new long[Enum.GetValues<TrainingStage>().Length];
    private long _last = clock.GetTimestamp();
    private TrainingStage _stage = TrainingStage.Other;
    private int _steps;
    private long _clips;

    /// <summary>Begins anew.</summary>
    public void Restart()
    {
        Array.Clear(_ticks);
        (_last, _stage, _steps, _clips) = (clock.GetTimestamp(), TrainingStage.Other, 0, 0);
        Torch.ResetPeakBytes();
    }

    /// <summary>Ends the stage that is on and starts another.</summary>
    public void Enter(TrainingStage stage)
    {
        long now = clock.GetTimestamp();
        _ticks[(int)_stage] += now - _last;
        (_last, _stage) = (now, stage);
    }

    /// <summary>Counts a batch that was learned from.</summary>
    /// <param name="clips">Its clips.</param>
    public void CountStep(int clips)
    {
        _steps++;
        _clips += clips;
    }

    /// <summary>What was booked so far.</summary>
    public StepProfile Profile()
    {
        Enter(_stage);
        double all = Math.Max(1, _ticks.Sum());
        using var process = Process.GetCurrentProcess();
        return new StepProfile
        {
            Stages = [.. Enum.GetValues<TrainingStage>().Select(s => new StageTime(s, (double)_ticks[(int)s] / clock.TimestampFrequency, _ticks[(int)s] / all))],
            Seconds = all / clock.TimestampFrequency,
            Steps = _steps,
            Clips = _clips,
            PeakProcessBytes = process.PeakWorkingSet64,
            PeakTensorBytes = Torch.PeakBytes,
            LiveTensorBytes = Torch.LiveBytes,
        };
    }
}
