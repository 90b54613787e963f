using System.Buffers;
using System.Numerics;

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

    /// <summary>Normal numbers with mean 0, none beyond two standard deviations.</summary>
    /// <param name="tensor">Any shape.</param>
    /// <param name="random">The generator; each value takes one 32-bit number from it.</param>
    /// <param name="standardDeviation">Standard deviation before cutting; the numbers' own is 0.88 of it.</param>
    /// <remarks>By inverting the distribution function: half the time of drawing again until a number fits.</remarks>
    public static void TruncatedNormal(Tensor tensor, CounterRandom random, double standardDeviation)
    {
        ArgumentNullException.ThrowIfNull(random);
        Fill(tensor, () => standardDeviation * CentralQuantile((random.NextUInt32() + 0.5) * (1.0 / (1UL << 32))));
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

    // The number below which a share of the standard normal numbers within two standard deviations lies. Wichura, "The
    // Percentage Points of the Normal Distribution", Applied Statistics 37 (1988), algorithm AS 241, without its far tails.
    private static double CentralQuantile(double share)
    {
        const double WithinTwoDeviations = 0.9544997361036416;
        double q = WithinTwoDeviations * (share - 0.5);
        if (Math.Abs(q) <= 0.425)
        {
            double s = 0.180625 - (q * q);
            return q * Polynomial(CentreAbove, s) / Polynomial(CentreBelow, s);
        }

        double r = Math.Sqrt(-Math.Log(0.5 - Math.Abs(q))) - 1.6;
        return Math.CopySign(Polynomial(FlankAbove, r) / Polynomial(FlankBelow, r), q);
    }

    // Coefficients of AS 241's rational functions, highest power first.
    private static ReadOnlySpan<double> CentreAbove =>
    [
        2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
        13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608,
    ];

    private static ReadOnlySpan<double> CentreBelow =>
    [
        5226.495278852854561, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
        5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1,
    ];

    private static ReadOnlySpan<double> FlankAbove =>
    [
        7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
        3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734,
    ];

    private static ReadOnlySpan<double> FlankBelow =>
    [
        1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
        0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1,
    ];

    private static double Polynomial(ReadOnlySpan<double> coefficients, double x)
    {
        double sum = 0;
        foreach (double coefficient in coefficients)
        {
            sum = (sum * x) + coefficient;
        }

        return sum;
    }

    private static void Fill(Tensor tensor, Func<double> next)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (ShapesOnly.IsEnabled)
        {
            return;
        }

        if (tensor.DType == DType.Float32)
        {
            Fill<float>(tensor, next);
        }
        else
        {
            Fill<double>(tensor, next);
        }
    }

    private static void Fill<T>(Tensor tensor, Func<double> next)
        where T : unmanaged, INumber<T>
    {
        int count = checked((int)tensor.Count);
        T[] values = ArrayPool<T>.Shared.Rent(count);
        for (int i = 0; i < count; i++)
        {
            values[i] = T.CreateTruncating(next());
        }

        tensor.CopyFrom<T>(values.AsSpan(0, count));
        ArrayPool<T>.Shared.Return(values);
    }
}
