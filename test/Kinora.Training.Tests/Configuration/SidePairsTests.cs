namespace Kinora.Training.Tests;

public sealed class SidePairsTests
{
    private static readonly LabelMap Labels = new(["Step_1", "Step_2_Left", "Step_2_Right", "Step_5_Left", "copyright", "turn clockwise", "turn counterclockwise", "KickRight", "KickLeft"]);

    [Fact]
    public void Find_Auto_PairsSwapAndSinglesAreNeverMirrored()
    {
        SidePairs sides = SidePairs.Find(Labels, FlipLabels.Auto);
        Assert.Equal([0, 2, 1, -1, 4, 6, 5, 8, 7], sides.MirroredLabels);
        Assert.Equal([3], sides.Alone);
        Assert.Equal(
            ["mirrored clips swap their label: Step_2_Left and Step_2_Right, turn clockwise and turn counterclockwise, KickRight and KickLeft", "never mirrored, because the name says a side: Step_5_Left"],
            sides.Describe(Labels));
    }

    [Fact]
    public void Find_Keep_EveryLabelStays() => Assert.True(SidePairs.Find(Labels, FlipLabels.Keep).KeepsAll);

    [Fact]
    public void Find_Never_NoClassThatNamesASideIsMirrored() =>
        Assert.Equal([0, -1, -1, -1, 4, -1, -1, -1, -1], SidePairs.Find(Labels, FlipLabels.Never).MirroredLabels);

    [Fact]
    public void MirroredLabels_Twice_IsTheLabelItself()
    {
        IReadOnlyList<int> mirrored = SidePairs.Find(Labels, FlipLabels.Auto).MirroredLabels;
        Assert.All(Enumerable.Range(0, Labels.Count).Where(i => mirrored[i] >= 0), i => Assert.Equal(i, mirrored[mirrored[i]]));
    }
}
