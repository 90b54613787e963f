namespace Kinora.Training.Tests;

public sealed class LearningRateScheduleTests
{
    [Fact]
    public void WarmupCosine_EndOfWarmup_PeakIsBelowTheBaseRate()
    {
        var schedule = new WarmupCosineSchedule(startRate: 0.005, warmupEpochs: 10, baseRate: 0.01, epochs: 80, stepsPerEpoch: 1);
        Assert.Equal(0.005, schedule.Rate);
        schedule.Restore(10);
        Assert.Equal(0.00962, schedule.Rate, 1e-5);
    }

    [Fact]
    public void WarmupCosine_SevenSteps_TimeIsSummedNotComputed()
    {
        var schedule = new WarmupCosineSchedule(0.005, 10, 0.05, 100, stepsPerEpoch: 7);
        schedule.Restore(33 * 7);
        Assert.Equal(32.99999999999994, schedule.Time);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(23)]
    public void Restore_AnyPosition_SameAsMovingThere(int position)
    {
        LearningRateSchedule moved = new LinearWarmupSchedule(new PiecewiseSchedule([5, 7], [0.1, 0.01, 0.001]), 3, 0, 0.1);
        LearningRateSchedule restored = new LinearWarmupSchedule(new PiecewiseSchedule([5, 7], [0.1, 0.01, 0.001]), 3, 0, 0.1);
        restored.Restore(31);
        for (int i = 0; i < position; i++)
        {
            moved.MoveNext();
        }

        restored.Restore(position);
        Assert.Equal((moved.Rate, moved.Position), (restored.Rate, restored.Position));
    }
}
