namespace Kinora.Tests;

public sealed class LabelMapTests
{
    [Fact]
    public void Top_Logits_BestFirstWithSoftmax()
    {
        Prediction[] top = new LabelMap(["a", "b", "c", "d"]).Top([1, 3, 2, 0], 2);

        double sum = Math.Exp(-2) + 1 + Math.Exp(-1) + Math.Exp(-3);
        Assert.Equal(["b", "c"], top.Select(p => p.Label));
        Assert.Equal([1, 2], top.Select(p => p.Index));
        Assert.Equal(1 / sum, top[0].Probability, 1e-6);
        Assert.Equal(Math.Exp(-1) / sum, top[1].Probability, 1e-6);
    }

    [Fact]
    public void Top_EqualLogits_LowerIndexFirst() =>
        Assert.Equal([0, 1, 2, 3], LabelMap.Numbered(4).Top([5, 5, 5, 5], 9).Select(p => p.Index));

    [Fact]
    public void Top_NaN_RanksLast()
    {
        Prediction[] top = LabelMap.Numbered(3).Top([float.NaN, -80, 80], 3);

        Assert.Equal([2, 1, 0], top.Select(p => p.Index));
        Assert.Equal(1, top.Sum(p => p.Probability), 1e-6);
    }

    [Theory]
    [InlineData(400, 1)]
    [InlineData(400, 7)]
    [InlineData(400, 400)]
    [InlineData(3000, 20)]
    public void Top_ManyClasses_EqualsSorting(int classes, int count)
    {
        var random = new CounterRandom(5, "logits");
        float[] logits = [.. Enumerable.Range(0, classes).Select(_ => (float)random.NextInt32(-20, 20))];
        int[] expected = [.. Enumerable.Range(0, classes).OrderByDescending(i => logits[i]).ThenBy(i => i).Take(count)];

        Assert.Equal(expected, LabelMap.Numbered(classes).Top(logits, count).Select(p => p.Index));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(3000)]
    public void Top_SteadyState_AllocatesTheResultAlone(int classes)
    {
        LabelMap labels = LabelMap.Numbered(classes);
        var logits = new float[classes];
        _ = labels.Top(logits, 5);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Prediction[] top = labels.Top(logits, 5);
        long used = GC.GetAllocatedBytesForCurrentThread() - before;
        before = GC.GetAllocatedBytesForCurrentThread();
        var same = new Prediction[5];
        for (int i = 0; i < same.Length; i++)
        {
            same[i] = new Prediction(i, top[i].Label, 0);
        }

        Assert.Equal(GC.GetAllocatedBytesForCurrentThread() - before, used);
    }

    [Fact]
    public void Top_OtherNumberOfLogits_ShapeException() =>
        Assert.Throws<ShapeException>(() => LabelMap.Numbered(3).Top([1, 2], 1));
}
