namespace Kinora.Training.Tests;

public sealed class MeanAveragePrecisionTests
{
    [Fact]
    public void Compute_KnownRanking_IsTheSumOfPrecisionsAtEachFind()
    {
        // Ranks 1, 3 and 4 of five are right: (1 + 2/3 + 3/4) / 3.
        AveragePrecisions found = Of([(0.9, true), (0.8, false), (0.7, true), (0.6, true), (0.1, false)]);
        Assert.Equal((1 + (2.0 / 3) + (3.0 / 4)) / 3, found.Mean, 1e-15);
        Assert.Equal(5, found.Samples);
    }

    [Fact]
    public void Compute_TiesInAnyOrder_SameResult()
    {
        (double, bool)[] answers = [(0.5, true), (0.5, false), (0.5, false), (0.9, true), (0.1, true), (0.5, true)];

        // Threshold 0.9: 1 of 1; 0.5: 3 of 5, two gained; 0.1: 4 of 6, one gained.
        double expected = (1 + (2 * 3.0 / 5) + (4.0 / 6)) / 4;
        for (int shift = 0; shift < answers.Length; shift++)
        {
            Assert.Equal(expected, Of([.. answers[shift..], .. answers[..shift]]).Mean, 1e-15);
        }

        Assert.Equal(2.0 / 3, Of([(0, true), (0, true), (0, false)]).Mean, 1e-15); // nothing known: the share of positives
    }

    [Fact]
    public void Compute_ClassWithoutPositives_IsLeftOutAndNamed()
    {
        var metric = new MeanAveragePrecision(3);
        metric.Add([1, 5, 0], [0]);
        metric.Add([0, 9, 1], [0, 2, 2]);
        AveragePrecisions found = metric.Compute();
        Assert.Equal([1], found.WithoutPositives);
        Assert.Null(found.OfClass[1]);
        Assert.Equal(1, found.Mean);
        Assert.True(double.IsNaN(new MeanAveragePrecision(2).Compute().Mean));
    }

    [Fact]
    public void Compute_NaNAndUnreadable_NeverFlatter()
    {
        Assert.Equal(0.5, Of([(double.NaN, true), (0.1, false)]).Mean);
        Assert.Equal(0.5, Of([(0.9, true), (double.NaN, false)]).Mean);
        var metric = new MeanAveragePrecision(1);
        metric.Add([0.2], []);
        metric.AddFailure([0]);
        Assert.Equal(0.5, metric.Compute().Mean);
    }

    [Fact]
    public void Add_WrongSizes_Throws()
    {
        var metric = new MeanAveragePrecision(2);
        Assert.Throws<ArgumentException>(() => metric.Add([1], []));
        Assert.Throws<ArgumentException>(() => metric.Add([1, 2], [2]));
        Assert.Equal(0, metric.Compute().Samples);
    }

    private static AveragePrecisions Of((double Score, bool Positive)[] answers)
    {
        var metric = new MeanAveragePrecision(1);
        foreach ((double score, bool positive) in answers)
        {
            metric.Add([score], positive ? [0] : []);
        }

        return metric.Compute();
    }
}
