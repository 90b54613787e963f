using Kinora.Models.Layers;
using Kinora.Tensors;

namespace Kinora.Models.Tests.Layers;

public sealed class TemporalShiftTests
{
    public static TheoryData<int, int, int, int, int, int, bool, bool> Cases()
    {
        var cases = new TheoryData<int, int, int, int, int, int, bool, bool>();
        foreach ((int n, int t, int c, int side) in ((int, int, int, int)[])[(2, 4, 8, 3), (1, 1, 8, 2), (3, 2, 5, 1), (2, 16, 24, 2)])
        {
            foreach ((int first, int second) in ((int, int)[])[(1, 1), (2, 1), (0, 3), (2, 3), (0, 0)])
            {
                cases.Add(n, t, c, side, first, second, true, false);
                cases.Add(n, t, c, side, first, second, false, false);
                cases.Add(n, t, c, side, first, second, true, true);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Apply_AnyFold_MovesFoldsByOneStep(int n, int t, int c, int side, int first, int second, bool pastFirst, bool channelsLast)
    {
        using var scope = new TensorScope();
        double[] values = [.. Enumerable.Range(1, n * t * c * side * side).Select(i => (double)i)];
        double[] weights = [.. values.Select(v => Math.Sin(v))];
        Tensor x = Tensor.From<double>(values, [n * t, c, side, side]);
        Tensor input = channelsLast ? x.Contiguous(MemoryFormat.ChannelsLast) : x;
        input.RequiresGrad = true;
        var fold = new ShiftFold(first, second, pastFirst ? ShiftOrder.PastFirst : ShiftOrder.FutureFirst);

        Tensor y = TemporalShift.Apply(input, t, fold);
        (y * Tensor.From<double>(weights, [n * t, c, side, side])).Sum().Backward();

        int plane = side * side;
        var expected = new double[values.Length];
        var gradient = new double[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            int channel = i / plane % c;
            int frame = i / plane / c % t;
            int step = channel < first ? -1 : channel < first + second ? 1 : 0;
            step = pastFirst ? step : -step;
            if (frame + step >= 0 && frame + step < t)
            {
                int source = i + (step * c * plane);
                expected[i] = values[source];
                gradient[source] = weights[i];
            }
        }

        Assert.Equal(expected, y.ToArray<double>());
        Assert.Equal(gradient, input.Grad!.ToArray<double>());
    }

    [Fact]
    public void Apply_ChannelsLast_StaysChannelsLast()
    {
        using var scope = new TensorScope();
        Tensor x = Tensor.Ones([8, 16, 5, 5]).Contiguous(MemoryFormat.ChannelsLast);
        Assert.True(TemporalShift.Apply(x, 4, new ShiftFold(2, 2, ShiftOrder.PastFirst)).IsChannelsLast);
    }

    [Fact]
    public void Apply_FramesDoNotDivide_SaysWhatIsExpected()
    {
        using var scope = new TensorScope();
        Assert.Throws<ShapeException>(() => TemporalShift.Apply(Tensor.Ones([7, 8, 2, 2]), 4, new ShiftFold(1, 1, ShiftOrder.PastFirst)));
    }

    [Theory]
    [InlineData(256, 8, 32, 32)]
    [InlineData(256, 16, 16, 16)]
    [InlineData(256, 3, 85, 85)]
    [InlineData(256, 5, 51, 51)]
    [InlineData(256, 6, 42, 43)]
    [InlineData(24, 8, 3, 3)]
    [InlineData(8, 16, 0, 1)]
    public void OfRatio_OneOverT_CutsAsPaddleDoes(int channels, int frames, int first, int second)
    {
        ShiftFold fold = ShiftFold.OfRatio(channels, 1f / frames, ShiftOrder.PastFirst);
        Assert.Equal((first, second), (fold.First, fold.Second));
    }
}
