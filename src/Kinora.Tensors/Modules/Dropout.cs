namespace Kinora.Tensors;

/// <summary>Where a dropout layer makes up for what it drops.</summary>
public enum DropoutMode
{
    /// <summary>What is kept is divided by 1-p in training; evaluation changes nothing.</summary>
    UpscaleInTraining,

    /// <summary>Training keeps values as they are; evaluation multiplies by 1-p, rounded to float32 as Paddle does.</summary>
    DownscaleInInference,
}

/// <summary>
/// Sets elements to zero at random in training. The masks come from a counter-based generator keyed by
/// <see cref="Module.SetRandomKey"/>, the layer's name and how often it ran since, so a resumed run repeats them.
/// </summary>
public sealed class Dropout : RandomModule
{
    /// <summary>A dropout layer.</summary>
    /// <param name="probability">Of a zero, in [0, 1].</param>
    /// <param name="mode">Where the scale goes.</param>
    public Dropout(double probability, DropoutMode mode = DropoutMode.UpscaleInTraining)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(probability);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(probability, 1);
        (Probability, Mode) = (probability, mode);
    }

    /// <summary>Probability of a zero.</summary>
    public double Probability { get; set; }

    /// <summary>Where the scale goes.</summary>
    public DropoutMode Mode { get; }

    /// <summary>Drops in training.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>New tensor, or <paramref name="x"/> itself where nothing changes.</returns>
    protected override Tensor Compute(Tensor x)
    {
        if (Probability == 0)
        {
            return x;
        }

        if (!IsTraining)
        {
            return Mode == DropoutMode.DownscaleInInference ? x * (float)(1 - Probability) : x;
        }

        CounterRandom random = NextDraw("dropout");
        return F.Dropout(x, Probability, random, Mode == DropoutMode.UpscaleInTraining, FirstElement(x));
    }
}
