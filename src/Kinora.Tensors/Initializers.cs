using System.Buffers;

namespace Kinora.Tensors;

/// <summary>Which count of connections an initialiser scales by.</summary>
public enum Fan
{
    /// <summary>Connections into one output.</summary>
    In,

    /// <summary>Connections out of one input.</summary>
    Out,
}

/// <summary>First values of parameters, from a counter-based generator: the same key gives the same values everywhere.</summary>
/// <remarks>All of them overwrite the tensor; the convolution layout [outputs, inputs / groups, height, width] and the
/// linear layout [outputs, inputs] are assumed.</remarks>
public static class Initializers
{
    /// <summary>Normal numbers with standard deviation sqrt(2 / fan).</summary>
    /// <param name="tensor">At least two dimensions.</param>
    /// <param name="random">The generator.</param>
    /// <param name="fan">Which count to use.</param>
    /// <remarks>He et al., arXiv:1502.01852.</remarks>
    public static void KaimingNormal(Tensor tensor, CounterRandom random, Fan fan = Fan.In)
    {
        (long fanIn, long fanOut) = Fans(tensor);
        Normal(tensor, random, Math.Sqrt(2.0 / (fan == Fan.In ? fanIn : fanOut)));
    }

    /// <summary>Uniform numbers in ±sqrt(6 / fan).</summary>
    /// <param name="tensor">At least two dimensions.</param>
    /// <param name="random">The generator.</param>
    /// <param name="fan">Which count to use.</param>
    public static void KaimingUniform(Tensor tensor, CounterRandom random, Fan fan = Fan.In)
    {
        (long fanIn, long fanOut) = Fans(tensor);
        double bound = Math.Sqrt(6.0 / (fan == Fan.In ? fanIn : fanOut));
        Uniform(tensor, random, -bound, bound);
    }

    /// <summary>Uniform numbers in ±sqrt(6 / (fan in + fan out)).</summary>
    /// <param name="tensor">At least two dimensions.</param>
    /// <param name="random">The generator.</param>
    /// <remarks>Glorot and Bengio, AISTATS 2010.</remarks>
    public static void XavierUniform(Tensor tensor, CounterRandom random)
    {
        (long fanIn, long fanOut) = Fans(tensor);
        double bound = Math.Sqrt(6.0 / (fanIn + fanOut));
        Uniform(tensor, random, -bound, bound);
    }

    /// <summary>Uniform numbers in [low, high).</summary>
    /// <param name="tensor">Any shape.</param>
    /// <param name="random">The generator.</param>
    /// <param name="low">Inclusive lower end.</param>
    /// <param name="high">Exclusive upper end.</param>
    public static void Uniform(Tensor tensor, CounterRandom random, double low, double high)
    {
        ArgumentNullException.ThrowIfNull(random);
        Fill(tensor, () => random.NextDouble(low, high));
    }

    /// <summary>Normal numbers with mean 0.</summary>
    /// <param name="tensor">Any shape.</param>
    /// <param name="random">The generator.</param>
    /// <param name="standardDeviation">Their standard deviation.</param>
    public static void Normal(Tensor tensor, CounterRandom random, double standardDeviation)
    {
        ArgumentNullException.ThrowIfNull(random);
        Fill(tensor, () => standardDeviation * random.NextNormal());
    }

    /// <summary>Normal numbers with mean 0, drawn again beyond two standard deviations.</summary>
    /// <param name="tensor">Any shape.</param>
    /// <param name="random">The generator.</param>
    /// <param name="standardDeviation">Standard deviation before cutting.</param>
    public static void TruncatedNormal(Tensor tensor, CounterRandom random, double standardDeviation)
    {
        ArgumentNullException.ThrowIfNull(random);
        Fill(tensor, () =>
        {
            double value;
            do
            {
                value = random.NextNormal();
            }
            while (Math.Abs(value) > 2);
            return standardDeviation * value;
        });
    }

    /// <summary>The same number everywhere.</summary>
    /// <param name="tensor">Any shape.</param>
    /// <param name="value">The number.</param>
    public static void Constant(Tensor tensor, double value)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using IDisposable mode = Grad.Disable();
        tensor.FillInPlace(value);
    }

    private static (long In, long Out) Fans(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.Rank < 2)
        {
            throw new ShapeException($"initialise: expected at least two dimensions to count connections, found {tensor}");
        }

        long window = 1;
        foreach (long size in tensor.Shape[2..])
        {
            window *= size;
        }

        return (tensor.Shape[1] * window, tensor.Shape[0] * window);
    }

    private static void Fill(Tensor tensor, Func<double> next)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (ShapesOnly.IsEnabled)
        {
            return;
        }

        int count = checked((int)tensor.Count);
        double[] values = ArrayPool<double>.Shared.Rent(count);
        for (int i = 0; i < count; i++)
        {
            values[i] = next();
        }

        tensor.CopyFrom<double>(values.AsSpan(0, count));
        ArrayPool<double>.Shared.Return(values);
    }
}
