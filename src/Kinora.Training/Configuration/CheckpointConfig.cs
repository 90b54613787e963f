namespace Kinora.Training;

/// <summary>What is written while a run goes on.</summary>
public sealed record CheckpointConfig
{
    /// <summary>Longest time between two writings of the last checkpoint inside an epoch, in minutes.</summary>
    public double EveryMinutes { get; init; } = 10;

    /// <summary>Steps between two writings of the last checkpoint inside an epoch. Null: only time counts.</summary>
    [None]
    public int? EverySteps { get; init; }

    /// <summary>Epochs between checkpoints that are kept beside the best and the last one, as epoch_00012.safetensors. 0: none.</summary>
    public int EveryEpochs { get; init; }

    /// <summary>How many of those stay; older ones are removed. Null: all.</summary>
    public int? Keep { get; init; } = 3;

    /// <summary>Steps between two lines of log.txt and metrics.jsonl inside an epoch.</summary>
    public int LogEverySteps { get; init; } = 10;

    /// <summary>Whether event files for TensorBoard are written.</summary>
    public bool TensorBoard { get; init; } = true;

    internal void Validate(ConfigCheck check)
    {
        check.Require(EveryMinutes > 0, "everyMinutes", "above 0", EveryMinutes);
        check.Require(EverySteps is null or > 0, "everySteps", "1 or more", EverySteps);
        check.Require(EveryEpochs >= 0, "everyEpochs", "0 or more", EveryEpochs);
        check.Require(Keep is null or > 0, "keep", "1 or more", Keep);
        check.Require(LogEverySteps > 0, "logEverySteps", "1 or more", LogEverySteps);
    }
}
