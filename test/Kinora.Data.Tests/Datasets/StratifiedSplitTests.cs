namespace Kinora.Data.Tests.Datasets;

public sealed class StratifiedSplitTests
{
    private static readonly VideoDataset _set = new(
        [.. Enumerable.Range(0, 103).Select(i => new VideoSample($"{i}.mp4", i * i % 7))],
        LabelMap.Numbered(7), "all");

    [Fact]
    public void Fold_AllFolds_HoldOutEverySampleOnce()
    {
        var seen = new List<VideoSample>();
        for (int fold = 0; fold < 5; fold++)
        {
            (VideoDataset train, VideoDataset heldOut) = StratifiedSplit.Fold(_set, 5, fold, seed: 3);
            Assert.Equal(_set.Samples.Count, train.Samples.Count + heldOut.Samples.Count);
            Assert.Empty(train.Samples.Intersect(heldOut.Samples));
            Assert.InRange(heldOut.Samples.Count, 20, 21);
            foreach ((int part, int whole) in heldOut.CountPerClass().Zip(_set.CountPerClass()))
            {
                Assert.InRange(part, whole / 5, (whole + 4) / 5);
            }

            seen.AddRange(heldOut.Samples);
        }

        Assert.Equal(_set.Samples, seen.OrderBy(s => int.Parse(s.Path[..^4], System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void Fold_SameSeed_SameDivision_OtherSeedOther()
    {
        Assert.Equal(StratifiedSplit.Fold(_set, 5, 1, 3).HeldOut.Samples, StratifiedSplit.Fold(_set, 5, 1, 3).HeldOut.Samples);
        Assert.NotEqual(StratifiedSplit.Fold(_set, 5, 1, 3).HeldOut.Samples, StratifiedSplit.Fold(_set, 5, 1, 4).HeldOut.Samples);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(3, 1)]
    [InlineData(10, 2)]
    [InlineData(100, 15)]
    public void HoldOut_ClassOfN_TakesTheRoundedShare(int n, int taken)
    {
        var set = new VideoDataset([.. Enumerable.Range(0, n).Select(i => new VideoSample($"{i}", 0))], LabelMap.Numbered(1), "x");

        (VideoDataset kept, VideoDataset heldOut) = StratifiedSplit.HoldOut(set, 0.15, 0, "test");

        Assert.Equal(taken, heldOut.Samples.Count);
        Assert.Equal(n - taken, kept.Samples.Count);
    }
}
