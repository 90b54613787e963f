namespace Kinora.Media;

/// <summary>
/// The random draws of samplers and augmentations, one call a draw and in a fixed order, so that a test can answer
/// them with recorded values.
/// </summary>
internal interface IDraws
{
    /// <summary>A uniform integer in [low, exclusiveHigh).</summary>
    int Integer(int low, int exclusiveHigh);

    /// <summary>A uniform list position in [0, count).</summary>
    int Choice(int count);

    /// <summary>A uniform real number in [low, high).</summary>
    double Real(double low, double high);

    /// <summary>A uniform real number in [0, 1).</summary>
    double Unit();
}

/// <summary>Draws from a counter-based stream.</summary>
internal sealed class CounterDraws(CounterRandom random) : IDraws
{
    public int Integer(int low, int exclusiveHigh) => random.NextInt32(low, exclusiveHigh);

    public int Choice(int count) => random.NextInt32(count);

    public double Real(double low, double high) => random.NextDouble(low, high);

    public double Unit() => random.NextDouble();
}
