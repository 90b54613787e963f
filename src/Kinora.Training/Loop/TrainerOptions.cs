namespace Kinora.Training;

/// <summary>What surrounds a run without deciding its result.</summary>
public sealed record TrainerOptions
{
    /// <summary>The clock. Times are for people only; nothing learned depends on them.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Stop, resumable, after this epoch (from 1). Null: run to the end.</summary>
    public int? StopAfterEpoch { get; init; }

    /// <summary>Measure a few steps for the plan's time estimate.</summary>
    public bool Probe { get; init; } = true;

    /// <summary>Facts to store in checkpoints beside Kinora's own, such as a source revision.</summary>
    public IReadOnlyDictionary<string, string> Provenance { get; init; } = new Dictionary<string, string>();
}
