namespace Kinora.Data.Tests.Mixing;

public sealed class BatchMixerTests
{
    private const int Clips = 5;
    private const int Frames = 6;
    private const int Height = 10;
    private const int Width = 12;

    public static TheoryData<ClipLayout, MixRegion> LayoutsAndRegions
    {
        get
        {
            var rows = new TheoryData<ClipLayout, MixRegion>();
            foreach (ClipLayout layout in Enum.GetValues<ClipLayout>())
            {
                foreach (MixRegion region in Enum.GetValues<MixRegion>())
                {
                    rows.Add(layout, region);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(LayoutsAndRegions))]
    public void CutMix_AnyDraw_OneBoxOfWholePixelsAndLambdaIsTheShareKept(ClipLayout layout, MixRegion region)
    {
        var mixer = new BatchMixer(new() { Kind = MixKind.CutMix, Region = region }, layout);
        int partial = 0;
        for (int batch = 0; batch < 60; batch++)
        {
            float[] pixels = Numbered(views: 2);
            (int[] partners, float lambda) = mixer.Mix(pixels, Clips, 2, Shape(layout), Draws(batch));
            Assert.Equal(Enumerable.Range(0, Clips), partners.Order());
            int length = pixels.Length / Clips, view = length / 2;
            HashSet<(int T, int Y, int X)>? box = null;
            for (int clip = 0; clip < Clips; clip++)
            {
                // Each value still is at its place, and comes from the clip itself or from its partner.
                var replaced = new Dictionary<(int T, int Y, int X), int>();
                for (int i = 0; i < length; i++)
                {
                    int from = (int)pixels[(clip * length) + i] / length;
                    Assert.Equal((from * length) + i, (int)pixels[(clip * length) + i]);
                    Assert.True(from == clip || from == partners[clip]);
                    if (from != clip)
                    {
                        (int t, int y, int x) = Place(layout, i % view);
                        replaced[(t, y, x)] = replaced.GetValueOrDefault((t, y, x)) + 1;
                    }
                }

                if (partners[clip] == clip)
                {
                    continue;
                }

                // All three channels of both views, and the same box in every clip.
                Assert.All(replaced.Values, n => Assert.Equal(6, n));
                box ??= [.. replaced.Keys];
                Assert.True(box.SetEquals(replaced.Keys));
                AssertIsBox(box, region);
                Assert.Equal((float)(1 - (box.Count / (double)(Frames * Height * Width))), lambda);
                partial += lambda is > 0 and < 1 ? 1 : 0;
            }
        }

        Assert.True(partial > 60, $"{partial} clips with a part of another");
    }

    [Theory]
    [MemberData(nameof(LayoutsAndRegions))]
    public void Mix_LambdaOne_ChangesNothing(ClipLayout layout, MixRegion region)
    {
        foreach (MixKind kind in new[] { MixKind.Mixup, MixKind.CutMix })
        {
            float[] pixels = Numbered(1), original = [.. pixels];
            var mixer = new BatchMixer(new() { Kind = kind, Region = region }, layout);
            (_, float lambda) = mixer.Mix(pixels, Clips, 1, Shape(layout), new OneDraws());
            Assert.Equal(1, lambda);
            Assert.Equal(original, pixels);
        }
    }

    [Fact]
    public void Mixup_AnyDraw_WeightedSumOfOriginals()
    {
        var mixer = new BatchMixer(new() { Kind = MixKind.Mixup, MixupAlpha = 1 }, ClipLayout.Ntchw);
        for (int batch = 0; batch < 20; batch++)
        {
            // A length that no vector divides, and several chunks.
            var random = new CounterRandom(3, 0, batch, "pixels");
            float[] original = [.. Enumerable.Range(0, Clips * 5003).Select(_ => (float)random.NextNormal())], pixels = [.. original];
            (int[] partners, float lambda) = mixer.Mix(pixels, Clips, 1, [5003, 1, 1, 1], Draws(batch));
            for (int i = 0; i < pixels.Length; i++)
            {
                double expected = (lambda * original[i]) + ((1 - (double)lambda) * original[(partners[i / 5003] * 5003) + (i % 5003)]);
                Assert.Equal(expected, pixels[i], 1e-5);
            }
        }
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.2)]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(100)]
    public void Beta_ManyDraws_MomentsOfTheDistribution(double alpha)
    {
        const int count = 200_000;
        var draws = new CounterMixDraws(new CounterRandom(7, "beta"));
        double sum = 0, squares = 0, fourths = 0;
        for (int i = 0; i < count; i++)
        {
            double x = draws.Beta(alpha);
            Assert.InRange(x, 0, 1);
            double d = x - 0.5;
            sum += d;
            squares += d * d;
            fourths += d * d * d * d;
        }

        // Symmetric: mean 1/2; variance 1/(4(2α+1)); fourth central moment 3/(16(2α+1)(2α+3)). Bounds of five standard errors.
        double variance = 1 / (4 * ((2 * alpha) + 1)), fourth = 3 / (16 * ((2 * alpha) + 1) * ((2 * alpha) + 3));
        Assert.Equal(0, sum / count, 5 * Math.Sqrt(variance / count));
        Assert.Equal(variance, squares / count, (5 * Math.Sqrt((fourth - (variance * variance)) / count)) + 1e-9);
        Assert.Equal(fourth, fourths / count, 5 * fourth / Math.Sqrt(count) * 3);
    }

    // Recorded from numpy beside the mixed batches: of 0.2, 34.4 % lie below 0.1 (theory: the incomplete beta function).
    [Fact]
    public void Beta_MixupAlpha_ShareNearZeroAsRecorded()
    {
        var draws = new CounterMixDraws(new CounterRandom(8, "beta"));
        Assert.Equal(0.344, Enumerable.Range(0, 100_000).Count(_ => draws.Beta(0.2) < 0.1) / 100_000.0, 0.02);
    }

    [Fact]
    public void Mix_VideoMix_BothKindsInTheGivenShare()
    {
        var mixer = new BatchMixer(new() { Kind = MixKind.VideoMix, CutMixProbability = 0.25, MixupAlpha = 5 }, ClipLayout.Ntchw);
        int cut = 0;
        for (int batch = 0; batch < 400; batch++)
        {
            float[] pixels = Numbered(1);
            mixer.Mix(pixels, Clips, 1, Shape(ClipLayout.Ntchw), Draws(batch));
            cut += pixels.All(p => p == MathF.Round(p)) ? 1 : 0;
        }

        Assert.InRange(cut, 60, 140);
    }

    [Fact]
    public void Validate_ValuesOutOfRange_MessageNamesKey()
    {
        AssertNamed("mixupAlpha", new() { MixupAlpha = 0 });
        AssertNamed("cutMixAlpha", new() { CutMixAlpha = double.NaN });
        AssertNamed("cutMixProbability", new() { CutMixProbability = 1.1 });
        AssertNamed("region", new() { Legacy = true, Region = MixRegion.Temporal });

        static void AssertNamed(string key, BatchMix mix)
        {
            ConfigException e = Assert.Throws<ConfigException>(() => mix.Validate("a.yaml"));
            Assert.Contains(key, e.Message, StringComparison.Ordinal);
            Assert.Equal("a.yaml", e.Path);
        }
    }

    private static void AssertIsBox(HashSet<(int T, int Y, int X)> box, MixRegion region)
    {
        if (box.Count == 0)
        {
            return;
        }

        int frames = Extent(p => p.T), rows = Extent(p => p.Y), columns = Extent(p => p.X);
        Assert.Equal(frames * rows * columns, box.Count);
        Assert.True(region != MixRegion.Spatial || frames == Frames);
        Assert.True(region != MixRegion.Temporal || (rows == Height && columns == Width));

        int Extent(Func<(int T, int Y, int X), int> axis) => box.Max(axis) - box.Min(axis) + 1;
    }

    private static (int T, int Y, int X) Place(ClipLayout layout, int i) => layout switch
    {
        ClipLayout.Ntchw => (i / (3 * Height * Width), i / Width % Height, i % Width),
        ClipLayout.Ncthw => (i / (Height * Width) % Frames, i / Width % Height, i % Width),
        _ => (i / (3 * Height * Width), i / (3 * Width) % Height, i / 3 % Width),
    };

    private static int[] Shape(ClipLayout layout) => layout switch
    {
        ClipLayout.Ntchw => [Frames, 3, Height, Width],
        ClipLayout.Ncthw => [3, Frames, Height, Width],
        _ => [Frames, Height, Width, 3],
    };

    // Each value is its own place in the batch.
    private static float[] Numbered(int views) => [.. Enumerable.Range(0, Clips * views * 3 * Frames * Height * Width).Select(i => (float)i)];

    private static CounterMixDraws Draws(int batch) => new(new CounterRandom(1, 0, batch, "mix"));

    private sealed class OneDraws : IMixDraws
    {
        public double Unit() => 0;

        public int[] Permutation(int count) => [.. Enumerable.Range(1, count - 1), 0];

        public double Beta(double alpha) => 1;

        public int Integer(int exclusiveHigh) => exclusiveHigh / 2;
    }
}
