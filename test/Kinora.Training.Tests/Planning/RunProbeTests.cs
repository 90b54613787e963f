namespace Kinora.Training.Tests.Planning;

public sealed class RunProbeTests
{
    [Theory]
    [InlineData(0, 300)]
    [InlineData(0, 300, 346)]
    [InlineData(0, 300, 290)]
    [InlineData(1, 614, 510)]
    [InlineData(2, 614, 510, 400)]
    [InlineData(1, 614, 510, 500)]
    public void Choose_FewerBits_HaveToBeWorthIt(int expected, params int[] milliseconds) =>
        Assert.Equal(expected, RunProbe.Choose([.. milliseconds.Select(m => TimeSpan.FromMilliseconds(m))]));
}
