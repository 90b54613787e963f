namespace Kinora.Training;

/// <summary>Why a run ended.</summary>
public enum TrainingEnd
{
    /// <summary>All epochs are done.</summary>
    Completed,

    /// <summary>It was cancelled; the last checkpoint continues it exactly where it stopped.</summary>
    Cancelled,

    /// <summary>It stopped at <see cref="TrainerOptions.StopAfterEpoch"/>; the last checkpoint continues it.</summary>
    Stopped,
}

/// <summary>What a run produced.</summary>
public sealed record TrainingOutcome
{
    /// <summary>Why the run ended.</summary>
    public required TrainingEnd End { get; init; }

    /// <summary>What was planned.</summary>
    public required TrainingPlan Plan { get; init; }

    /// <summary>Figures of every epoch, those before a resume included.</summary>
    public required IReadOnlyList<EpochRecord> Epochs { get; init; }

    /// <summary>The epoch of the best checkpoint, from 1; 0 if none was evaluated.</summary>
    public required int BestEpoch { get; init; }

    /// <summary>Validation accuracy of the best checkpoint, in [0, 1]; null if none was evaluated.</summary>
    public double? BestValidationTop1 { get; init; }

    /// <summary>Its mean average precision, in [0, 1]; null unless clips may have several labels.</summary>
    public double? BestValidationMeanAveragePrecision { get; init; }

    /// <summary>The best checkpoint on the test split; null if the run isn't completed or there is no test split.</summary>
    public EvaluationResult? Test { get; init; }

    /// <summary>The best checkpoint on the validation split; null if the run isn't completed or there is no such split.</summary>
    public EvaluationResult? Validation { get; init; }

    /// <summary>The best checkpoint; null if none was written.</summary>
    public string? BestCheckpoint { get; init; }

    /// <summary>The last checkpoint, from which the run can go on.</summary>
    public required string LastCheckpoint { get; init; }

    /// <summary>The report; null if the run isn't completed.</summary>
    public string? Report { get; init; }

    /// <summary>Where the time of this call went; null unless <see cref="TrainerOptions.Profile"/> asks for it.</summary>
    public StepProfile? Profile { get; init; }

    /// <summary>Time of this call, planning included.</summary>
    public required TimeSpan Elapsed { get; init; }
}
