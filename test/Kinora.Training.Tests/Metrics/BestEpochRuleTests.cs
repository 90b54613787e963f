namespace Kinora.Training.Tests;

public sealed class BestEpochRuleTests
{
    [Theory]
    [InlineData(24, 4)] // 0.875 can't be told from 0.917 with 24 clips: the lower loss wins
    [InlineData(10_000, 2)] // with ten thousand it can
    public void Replaces_OneLuckyEpoch_OnlyManyClipsBelieveIt(int clips, int expected)
    {
        (double Top1, double Loss)[] epochs = [(0.708, 0.88), (0.750, 0.70), (0.917, 0.63), (0.750, 0.60), (0.875, 0.49), (0.833, 0.48)];
        Assert.Equal(expected, Best(epochs, clips));
    }

    [Fact]
    public void Replaces_FirstEpoch_IsTheBest() => Assert.True(BestEpochRule.Replaces(0, double.NaN, 8, double.NegativeInfinity, double.NegativeInfinity, double.PositiveInfinity));

    [Fact]
    public void Replaces_NaNLoss_NeverBeatsOneThatIsEquallyRight() => Assert.False(BestEpochRule.Replaces(0.5, double.NaN, 8, 0.5, 0.5, 1));

    private static int Best((double Top1, double Loss)[] epochs, int clips)
    {
        int best = -1;
        double highest = double.NegativeInfinity;
        for (int i = 0; i < epochs.Length; i++)
        {
            (double heldTop1, double heldLoss) = best < 0 ? (double.NegativeInfinity, double.PositiveInfinity) : epochs[best];
            best = BestEpochRule.Replaces(epochs[i].Top1, epochs[i].Loss, clips, highest, heldTop1, heldLoss) ? i : best;
            highest = Math.Max(highest, epochs[i].Top1);
        }

        return best;
    }
}
