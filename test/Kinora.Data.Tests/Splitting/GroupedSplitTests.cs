namespace Kinora.Data.Tests.Splitting;

public sealed class GroupedSplitTests
{
    [Fact]
    public void HoldOut_AnyGroups_NoneOnTwoSidesAndSharesNear()
    {
        for (int round = 0; round < 30; round++)
        {
            (VideoDataset set, string?[] groups) = Random(round);

            (VideoDataset kept, IReadOnlyList<VideoDataset> parts) = GroupedSplit.HoldOut(set, groups, [(0.2, "val"), (0.1, "test")], 5);

            VideoDataset[] all = [kept, .. parts];
            Assert.Equal(set.Samples, all.SelectMany(p => p.Samples).OrderBy(s => s.Path, StringComparer.Ordinal));
            AssertApart(set, groups, all);

            // A group of up to 8 clips is the smallest that can move.
            Assert.InRange(parts[0].Samples.Count, (0.2 * set.Samples.Count) - 16, (0.2 * set.Samples.Count) + 16);
            Assert.InRange(parts[1].Samples.Count, (0.1 * set.Samples.Count) - 16, (0.1 * set.Samples.Count) + 16);
            int[] total = set.CountPerClass(), val = parts[0].CountPerClass();
            for (int c = 0; c < total.Length; c++)
            {
                Assert.InRange(val[c], (0.2 * total[c]) - 12, (0.2 * total[c]) + 12);
            }

            (VideoDataset again, _) = GroupedSplit.HoldOut(set, groups, [(0.2, "val"), (0.1, "test")], 5);
            Assert.Equal(kept.Samples, again.Samples);
            Assert.NotEqual(kept.Samples, GroupedSplit.HoldOut(set, groups, [(0.2, "val"), (0.1, "test")], 6).Kept.Samples);
        }
    }

    [Fact]
    public void Folds_AnyGroups_EachSampleHeldOutOnce()
    {
        (VideoDataset set, string?[] groups) = Random(3);
        IReadOnlyList<(VideoDataset Train, VideoDataset HeldOut)> folds = GroupedSplit.Folds(set, groups, 5, 1);

        Assert.Equal(set.Samples, folds.SelectMany(f => f.HeldOut.Samples).OrderBy(s => s.Path, StringComparer.Ordinal));
        foreach ((VideoDataset train, VideoDataset heldOut) in folds)
        {
            AssertApart(set, groups, [train, heldOut]);
            Assert.Equal(set.Samples.Count, train.Samples.Count + heldOut.Samples.Count);
            Assert.InRange(heldOut.Samples.Count, (set.Samples.Count / 5) - 8, (set.Samples.Count / 5) + 8);
        }

        Assert.Throws<DatasetException>(() => GroupedSplit.Folds(set, [.. groups.Select(_ => "one")], 2, 1));
    }

    [Fact]
    public void HoldOut_NoGroups_IsTheStratifiedSplit()
    {
        (VideoDataset set, string?[] groups) = Random(4);
        (VideoDataset kept, IReadOnlyList<VideoDataset> parts) = GroupedSplit.HoldOut(set, new string?[groups.Length], [(0.25, "val")], 8);
        (VideoDataset expected, VideoDataset heldOut) = StratifiedSplit.HoldOut(set, 0.25, 8, "val");
        Assert.Equal(expected.Samples, kept.Samples);
        Assert.Equal(heldOut.Samples, parts[0].Samples);
    }

    [Theory]
    [InlineData("v_YoYo_g01_c02.avi v_YoYo_g01_c03.avi v_Archery_g01_c02.avi", "YoYo/01 YoYo/01 Archery/01")]
    [InlineData("S001C001P007R001A003.avi S001C002P007R001A004.avi S001C001P008R001A003.avi", "007 007 008")]
    [InlineData("3caPS4FHFF8_000036_000046.mp4 3caPS4FHFF8_000100_000110.mp4 QcVuxQAgrzU_000007_000017.mp4", "3caPS4FHFF8 3caPS4FHFF8 QcVuxQAgrzU")]
    [InlineData("wave_person07_a.mp4 clap_person07_b.mp4 wave_person08_a.mp4", "07 07 08")]
    [InlineData("a.mp4 b.mp4 v_YoYo_g01_c02.avi", "")]
    [InlineData("wave_p1.mp4 wave_p2.mp4 wave_p3.mp4", "")]
    public void Guess_FileNames_OnlyRulesThatFitAll(string names, string expected)
    {
        IReadOnlyList<string?> groups = SourceGroups.Guess([.. names.Split(' ').Select(n => $"/data/p1/{n}")]).Groups;
        Assert.Equal(expected.Length == 0 ? new string?[3] : expected.Split(" "), groups);
    }

    [Fact]
    public void ByPattern_CapturesAndMistakes()
    {
        Assert.Equal(["3/x", "3/y"], SourceGroups.ByPattern(["a/p3_x.mp4", "b/p3_y.mp4"], @"p(\d)_(.)"));
        Assert.Equal(["p3", "p3"], SourceGroups.ByPattern(["a/p3_x.mp4", "b/p3_y.mp4"], @"p\d"));
        Assert.Contains("b/q.mp4", Assert.Throws<DatasetException>(() => SourceGroups.ByPattern(["a/p3.mp4", "b/q.mp4"], @"/p\d")).Message, StringComparison.Ordinal);
        Assert.Throws<ConfigException>(() => SourceGroups.ByPattern(["a"], "("));
    }

    private static void AssertApart(VideoDataset set, string?[] groups, VideoDataset[] parts)
    {
        Dictionary<string, string?> groupOf = set.Samples.Select((s, i) => (s.Path, groups[i])).ToDictionary();
        string[][] present = [.. parts.Select(p => p.Samples.Select(s => groupOf[s.Path]).OfType<string>().Distinct().ToArray())];
        Assert.Equal(present.Sum(p => p.Length), present.SelectMany(p => p).Distinct().Count());
    }

    private static (VideoDataset Set, string?[] Groups) Random(int round)
    {
        var random = new CounterRandom(2, 0, round, "split");
        int groups = random.NextInt32(30, 60);
        var samples = new List<VideoSample>();
        var names = new List<string?>();
        for (int g = 0; g < groups; g++)
        {
            for (int i = random.NextInt32(1, 9); i > 0; i--)
            {
                samples.Add(new VideoSample($"{samples.Count:0000}.mp4", random.NextInt32(4)));
                names.Add(g % 7 == 0 ? null : $"g{g}");
            }
        }

        return (new VideoDataset(samples, LabelMap.Numbered(4), "set"), [.. names]);
    }
}
