using Kinora.Media;

namespace Kinora.Data.Tests.Loading;

/// <summary>Mirroring a clip of "turn left" makes one of "turn right": the label must follow the pixels.</summary>
public sealed class MirroredLabelsTests(Clips clips)
{
    private const int Size = 32;
    private static readonly int[] Swapped = [0, 2, 1];
    private static readonly int[] Forbidden = [0, -1, 1];

    private static readonly ClipLoaderOptions _options = new()
    {
        Spec = new ClipSpec(new SamplingSpec(SamplingMethod.Uniform, 4), new ResizeSpec(ResizeRule.KeepAspectTruncate, 40), new CropSpec(CropMethod.Center, Size), Normalization.ImageNet),
        Augmentation = new TrainingAugmentation { MultiScaleCrop = new() { Size = Size } },
        BatchSize = 4,
        Seed = 3,
    };

    [Fact]
    public void Epoch_SwappedClasses_LabelFollowsThePixels()
    {
        var outcomes = new HashSet<(bool Mirrored, int Class)>();
        for (int epoch = 0; epoch < 4; epoch++)
        {
            Dictionary<int, (float[] Pixels, int Label)> plain = Read(_options with { Augmentation = _options.Augmentation! with { FlipProbability = 0 } }, epoch);
            foreach ((int index, (float[] pixels, int label)) in Read(_options with { MirroredLabels = Swapped }, epoch))
            {
                int original = clips.Set.Samples[index].Label;
                bool same = pixels.AsSpan().SequenceEqual(plain[index].Pixels);
                bool mirrored = pixels.AsSpan().SequenceEqual(Mirror(plain[index].Pixels));
                Assert.True(same ^ mirrored);
                Assert.Equal(mirrored ? Swapped[original] : original, label);
                outcomes.Add((mirrored, original));
            }
        }

        Assert.Equal(6, outcomes.Count);
    }

    [Fact]
    public void Epoch_ClassThatMayNotBeMirrored_NeverIs()
    {
        ClipLoaderOptions always = _options with { Augmentation = _options.Augmentation! with { FlipProbability = 1 }, MirroredLabels = Forbidden };
        Dictionary<int, (float[] Pixels, int Label)> plain = Read(_options with { Augmentation = _options.Augmentation! with { FlipProbability = 0 } }, 0);
        foreach ((int index, (float[] pixels, int label)) in Read(always, 0))
        {
            int original = clips.Set.Samples[index].Label;
            Assert.Equal(original == 1 ? plain[index].Pixels : Mirror(plain[index].Pixels), pixels);
            Assert.Equal(original == 2 ? 1 : original, label);
        }
    }

    [Fact]
    public void Epoch_ClassesThatMirroringLeavesAlone_AreTheSameBitsAsWithoutTheRule()
    {
        Dictionary<int, (float[] Pixels, int Label)> without = Read(_options, 1);
        foreach ((int index, (float[] pixels, int label)) in Read(_options with { MirroredLabels = Swapped }, 1).Where(s => clips.Set.Samples[s.Key].Label == 0))
        {
            Assert.Equal(without[index].Pixels, pixels);
            Assert.Equal(0, label);
        }
    }

    [Fact]
    public void Constructor_AnotherNumberOfClasses_ConfigException() =>
        Assert.Throws<ConfigException>(() => new ClipLoader(clips.Set, _options with { MirroredLabels = [0, 1] }));

    private Dictionary<int, (float[] Pixels, int Label)> Read(ClipLoaderOptions options, int epoch)
    {
        using var loader = new ClipLoader(clips.Set, options);
        var read = new Dictionary<int, (float[], int)>();
        foreach (ClipBatch batch in loader.Epoch(epoch, ct: TestContext.Current.CancellationToken))
        {
            using (batch)
            {
                for (int i = 0; i < batch.Count; i++)
                {
                    read.Add(batch.SampleIndices[i], (batch.Pixels.Span.Slice(i * batch.FloatsPerView, batch.FloatsPerView).ToArray(), batch.Labels[i]));
                }
            }
        }

        return read;
    }

    private static float[] Mirror(float[] pixels)
    {
        var mirrored = (float[])pixels.Clone();
        for (int row = 0; row < mirrored.Length; row += Size)
        {
            mirrored.AsSpan(row, Size).Reverse();
        }

        return mirrored;
    }
}
