namespace Kinora.Models;

/// <summary>How the optimiser treats one parameter, relative to the settings of the whole run.</summary>
/// <param name="LearningRateFactor">Multiplies the run's learning rate.</param>
/// <param name="WeightDecay">Replaces the run's weight decay; null keeps it.</param>
public sealed record ParameterRule(double LearningRateFactor = 1, double? WeightDecay = null)
{
    /// <summary>The run's own settings.</summary>
    public static ParameterRule Default { get; } = new();

    /// <summary>The run's learning rate, never decayed: batch-norm scales and offsets, most biases.</summary>
    public static ParameterRule NoDecay { get; } = new(WeightDecay: 0);
}
