namespace Kinora.Data;

/// <summary>The random draws of batch mixing, in a fixed order, so that a test can answer them with recorded values.</summary>
internal interface IMixDraws
{
    /// <summary>A uniform real number in [0, 1).</summary>
    double Unit();

    /// <summary>A permutation of 0 … count − 1.</summary>
    int[] Permutation(int count);

    /// <summary>A number of Beta(alpha, alpha), in [0, 1].</summary>
    double Beta(double alpha);

    /// <summary>A uniform integer in [0, exclusiveHigh).</summary>
    int Integer(int exclusiveHigh);
}

/// <summary>Draws from a counter-based stream.</summary>
internal sealed class CounterMixDraws(CounterRandom random) : IMixDraws
{
    public double Unit() => random.NextDouble();

    public int[] Permutation(int count)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        random.Shuffle<int>(order);
        return order;
    }

    public int Integer(int exclusiveHigh) => random.NextInt32(exclusiveHigh);

    // X / (X + Y) of two gamma numbers; with their logarithms, because those of a small α underflow.
    public double Beta(double alpha) => 1 / (1 + Math.Exp(LogGamma(alpha) - LogGamma(alpha)));

    // Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables", 2000; α below 1 through Gamma(α + 1) · U^(1/α).
    private double LogGamma(double alpha)
    {
        if (alpha < 1)
        {
            double share = Math.Log(1 - random.NextDouble()) / alpha;
            return LogGamma(alpha + 1) + share;
        }

        double d = alpha - (1.0 / 3), c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            double x = random.NextNormal(), v = 1 + (c * x);
            if (v <= 0)
            {
                continue;
            }

            v = v * v * v;
            if (Math.Log(1 - random.NextDouble()) < (0.5 * x * x) + (d * (1 - v + Math.Log(v))))
            {
                return Math.Log(d * v);
            }
        }
    }
}
