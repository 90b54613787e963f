namespace Kinora.Tests;

public sealed class CounterRandomTests
{
    [Fact]
    public void NextUInt32_SameKey_SameStream()
    {
        CounterRandom a = new(7, 3, 11, "flip"), b = new(7, 3, 11, "flip");
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(a.NextUInt32(), b.NextUInt32());
        }
    }

    [Theory]
    [InlineData(8, 3, 11, "flip")]
    [InlineData(7, 4, 11, "flip")]
    [InlineData(7, 3, 12, "flip")]
    [InlineData(7, 3, 11, "crop")]
    public void NextUInt32_OtherKey_OtherStream(int seed, int epoch, long sample, string operation)
    {
        CounterRandom a = new(7, 3, 11, "flip"), b = new((ulong)seed, epoch, sample, operation);
        int equal = Enumerable.Range(0, 100).Count(_ => a.NextUInt32() == b.NextUInt32());
        Assert.True(equal < 3, $"{equal} of 100 words are equal");
    }

    [Fact]
    public void NextInt32_ManyDraws_UniformWithinFiveSigma()
    {
        CounterRandom random = new(1, "uniformity");
        const int Bins = 7, Draws = 70_000;
        var counts = new int[Bins];
        for (int i = 0; i < Draws; i++)
        {
            counts[random.NextInt32(Bins)]++;
        }

        double sigma = Math.Sqrt(Draws / (double)Bins * (1 - (1.0 / Bins)));
        Assert.All(counts, c => Assert.InRange(c, (Draws / Bins) - (5 * sigma), (Draws / Bins) + (5 * sigma)));
    }

    [Fact]
    public void NextNormal_ManyDraws_MomentsOfStandardNormal()
    {
        CounterRandom random = new(1, "normal");
        double[] x = [.. Enumerable.Range(0, 100_000).Select(_ => random.NextNormal())];
        Assert.InRange(x.Average(), -0.02, 0.02);
        Assert.InRange(x.Select(v => v * v).Average(), 0.97, 1.03);
        Assert.InRange(x.Select(v => v * v * v * v).Average(), 2.8, 3.2);
    }

    [Fact]
    public void Shuffle_AnyLength_IsPermutation()
    {
        for (int n = 0; n < 50; n++)
        {
            int[] values = [.. Enumerable.Range(0, n)];
            new CounterRandom(5, 0, n, "shuffle").Shuffle<int>(values);
            Assert.Equal(Enumerable.Range(0, n), values.Order());
        }
    }
}
