namespace Kinora.Training;

/// <summary>What a network answered for one clip.</summary>
/// <param name="Index">Index of the clip in its data set.</param>
/// <param name="Path">The video or frame folder.</param>
/// <param name="Label">True class; of several the answered one if it is among them, else the first.</param>
/// <param name="Predicted">Answered class, −1 for none (unreadable clip, or NaN scores).</param>
/// <param name="Probability">Probability of the answer, in [0, 1].</param>
/// <param name="LabelProbability">Probability of the true class, in [0, 1].</param>
/// <param name="Failure">Why the clip couldn't be read, or null.</param>
public sealed record SampleAnswer(int Index, string Path, int Label, int Predicted, double Probability, double LabelProbability, string? Failure)
{
    /// <summary>Whether the answer is right.</summary>
    public bool IsRight => Predicted == Label;
}

/// <summary>How a network does on a whole data set: every clip counted exactly once, unreadable ones as wrong.</summary>
public sealed record EvaluationResult
{
    /// <summary>Clips of the data set.</summary>
    public required int Clips { get; init; }

    /// <summary>Clips that couldn't be read; they count as wrong.</summary>
    public required int Failures { get; init; }

    /// <summary>Share of right answers, in [0, 1]; of clips with several labels any of them is right.</summary>
    public required double Top1 { get; init; }

    /// <summary>Share of clips whose class is among the best five (or among all, where there are fewer), in [0, 1].</summary>
    public required double Top5 { get; init; }

    /// <summary>Mean average precision, in [0, 1]; null unless clips may have several labels.</summary>
    public double? MeanAveragePrecision { get; init; }

    /// <summary>Average precision of each class, in [0, 1], null for one that no clip has; null unless clips may have several labels.</summary>
    public IReadOnlyList<double?>? ClassPrecisions { get; init; }

    /// <summary>What chooses the best epoch: mean average precision where there is one, else top-1.</summary>
    public double Score => MeanAveragePrecision ?? Top1;

    /// <summary>Mean of the classes' accuracies, in [0, 1].</summary>
    public required double MeanClassAccuracy { get; init; }

    /// <summary>Mean cross-entropy of the readable clips, without label smoothing, in nats; binary where clips may have several labels.</summary>
    public required double Loss { get; init; }

    /// <summary>Who was taken for whom.</summary>
    public required ConfusionMatrix Confusion { get; init; }

    /// <summary>The answer for each clip, in data set order.</summary>
    public required IReadOnlyList<SampleAnswer> Answers { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Elapsed { get; init; }
}
