using Kinora.Media;

namespace Kinora.Data.Tests.Loading;

/// <summary>Loaders of several processes together make the batches that one would.</summary>
public sealed class SharedEpochTests(Clips clips)
{
    private static readonly ClipSpec _spec = new(
        new SamplingSpec(SamplingMethod.Uniform, 2), new ResizeSpec(ResizeRule.KeepAspectTruncate, 20), new CropSpec(CropMethod.Center, 16), Normalization.ImageNet);

    private static readonly ClipLoaderOptions _training = new()
    {
        Spec = _spec,
        Augmentation = new TrainingAugmentation { Resize = new(ResizeRule.FixedRatio, 20), RandomCrop = true },
        Seed = 4,
    };

    private static readonly ClipLoaderOptions _evaluation = new() { Spec = _spec };

    [Theory]
    [InlineData(2, 2, true, false)] // 13 videos: three batches of 4, one of 1
    [InlineData(2, 2, true, true)]
    [InlineData(3, 2, true, false)]
    [InlineData(3, 2, false, false)]
    [InlineData(4, 1, false, false)]
    [InlineData(5, 3, false, false)] // one short batch, uneven parts
    public void Epoch_PartsJoinedInOrderOfRank_AreTheBatchesOfOne(int ranks, int batchSize, bool training, bool dropLast)
    {
        ClipLoaderOptions options = (training ? _training : _evaluation) with { DropLast = dropLast };
        Seen[] whole = Run(options with { BatchSize = ranks * batchSize });
        Seen[][] parts = [.. Enumerable.Range(0, ranks).Select(rank => Run(options with { BatchSize = batchSize, Ranks = ranks, Rank = rank }))];
        Assert.All(parts, p => Assert.Equal(whole.Length, p.Length));
        for (int b = 0; b < whole.Length; b++)
        {
            Assert.Equal(whole[b].Indices, parts.SelectMany(p => p[b].Indices));
            Assert.Equal(whole[b].Labels, parts.SelectMany(p => p[b].Labels));
            Assert.Equal(whole[b].Pixels, parts.SelectMany(p => p[b].Pixels));
            int[] counts = [.. parts.Select(p => p[b].Indices.Length)];
            Assert.True(counts.Max() - counts.Min() <= 1, "shares differ by more than one video");
            Assert.Equal(counts.Select((_, rank) => counts.Take(rank).Sum()), parts.Select(p => p[b].First));
        }
    }

    [Fact]
    public void Epoch_ResumedAnywhere_GoesOnAlike()
    {
        ClipLoaderOptions options = _training with { BatchSize = 2, Ranks = 3, Rank = 2 };
        Seen[] all = Run(options);
        Assert.Equal(3, all.Length);
        Assert.Empty(all[2].Indices); // the last video goes to rank 0
        for (int skip = 0; skip <= 3; skip++)
        {
            Assert.Equal(all[skip..].SelectMany(b => b.Pixels), Run(options, skip).SelectMany(b => b.Pixels));
            Assert.Equal(3 - skip, Run(options, skip).Length);
        }
    }

    [Fact]
    public void Epoch_AllOfAPartUnreadable_TheBatchStillComes()
    {
        // Without shuffling, places 2 and 3 are rank 1's first part.
        ClipLoaderOptions options = _training with { BatchSize = 2, Ranks = 2, Rank = 1, Shuffle = false, FailureBudget = 0.2 };
        Seen[] seen = Run(options, set: clips.WithBroken(2, 3));
        Assert.Equal(4, seen.Length);
        Assert.Empty(seen[0].Indices);
        Assert.Equal(2, seen[0].Failures);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(2, 2)]
    [InlineData(2, -1)]
    public void Constructor_NoSuchRank_IsRefused(int ranks, int rank) =>
        Assert.Throws<ConfigException>(() => new ClipLoader(clips.Set, _training with { Ranks = ranks, Rank = rank }));

    private Seen[] Run(ClipLoaderOptions options, int skip = 0, VideoDataset? set = null)
    {
        using var loader = new ClipLoader(set ?? clips.Set, options);
        var seen = new List<Seen>();
        foreach (ClipBatch batch in loader.Epoch(1, skip, TestContext.Current.CancellationToken))
        {
            using (batch)
            {
                seen.Add(new(batch.SampleIndices.ToArray(), batch.Labels.ToArray(), batch.Pixels.ToArray(), batch.FirstInJointBatch, batch.Failures.Count));
            }
        }

        Assert.Equal(Math.Max(0, loader.BatchCount - skip), seen.Count);
        return [.. seen];
    }

    private sealed record Seen(int[] Indices, int[] Labels, float[] Pixels, int First, int Failures);
}
