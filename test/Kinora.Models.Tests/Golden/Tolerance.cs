using Kinora.Tensors;

namespace Kinora.Models.Tests;

/// <summary>The tolerances of golden/README.md, and the comparisons that use them.</summary>
internal static class Tolerance
{
    /// <summary>Scores, loss, layers and running statistics in float64: the recorded numbers carry twelve digits.</summary>
    public const double Double = 1e-9;

    /// <summary>Gradients in float64, relative to the norm of the tensor's gradient.</summary>
    public const double Gradient = 1e-7;

    /// <summary>Gradients that are 0 but for rounding, relative to the largest norm of any gradient of the network.</summary>
    public const double Zero = 1e-10;

    /// <summary>Scores in float32, relative to the greatest; or three times the reference's own float32 error where that is more.</summary>
    public const double Single = 1e-4;

    /// <summary>Asserts that two vectors agree relative to the greatest magnitude of the expected one.</summary>
    public static void Close(ReadOnlySpan<double> expected, ReadOnlySpan<double> found, double relative, string what)
    {
        double scale = 0;
        foreach (double value in expected)
        {
            scale = Math.Max(scale, Math.Abs(value));
        }

        Within(expected, found, relative * scale, what);
    }

    /// <summary>Asserts that two vectors agree up to an absolute difference.</summary>
    public static void Within(ReadOnlySpan<double> expected, ReadOnlySpan<double> found, double absolute, string what)
    {
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Math.Abs(expected[i] - found[i]);
            Assert.True(difference <= absolute, $"{what}[{i}]: expected {expected[i]:R}, found {found[i]:R}, off by {difference:E2}, allowed {absolute:E2}");
        }
    }

    /// <summary>Asserts that a layer put out what was recorded: shape, mean, standard deviation, greatest magnitude, samples.</summary>
    public static void Layer(string name, Tensor output, double relative, long[] shape, double mean, double std, double? absMax, double[] samples)
    {
        Assert.True(shape.AsSpan().SequenceEqual(output.Shape), $"{name}: expected [{string.Join(", ", shape)}], found [{string.Join(", ", output.Shape.ToArray())}]");
        double[] values = output.ToArray<double>();
        double foundMean = values.Average();
        double foundStd = Math.Sqrt(values.Average(v => (v - foundMean) * (v - foundMean)));
        double foundMax = values.Max(Math.Abs);
        double allowed = relative * foundMax;
        Within([mean], [foundMean], allowed, $"{name} mean");
        Within([std], [foundStd], allowed, $"{name} std");
        Within([absMax ?? foundMax], [foundMax], allowed, $"{name} absmax");
        Within(samples, Samples(values, samples.Length), allowed, $"{name} sample");
    }

    /// <summary>The recorded samples of a tensor: element ((2j + 1)·m) div (2k) for each j below k.</summary>
    public static double[] Samples(double[] values, int count) =>
        [.. Enumerable.Range(0, count).Select(j => values[((2L * j) + 1) * values.LongLength / (2L * count)])];

    /// <summary>Euclidean norm.</summary>
    public static double Norm(double[] values) => Math.Sqrt(values.Sum(v => v * v));
}
