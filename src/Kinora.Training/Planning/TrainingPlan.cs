namespace Kinora.Training;

/// <summary>How many clips a class has.</summary>
/// <param name="Name">Class name.</param>
/// <param name="Train">Training clips.</param>
/// <param name="Validation">Validation clips.</param>
/// <param name="Test">Test clips.</param>
public sealed record ClassClips(string Name, int Train, int Validation, int Test);

/// <summary>What a run will do, settled before it starts.</summary>
public sealed record TrainingPlan
{
    // Clips of several classes count once here, and for each of them in the classes.
    private readonly int? _trainClips;
    private readonly int? _validationClips;
    private readonly int? _testClips;

    /// <summary>The configuration with every open choice filled in; it is stored with the run.</summary>
    public required TrainingConfig Config { get; init; }

    /// <summary>Folder that receives the run's files.</summary>
    public required string RunFolder { get; init; }

    /// <summary>Class names.</summary>
    public required LabelMap Labels { get; init; }

    /// <summary>Clips of each class and split.</summary>
    public required IReadOnlyList<ClassClips> Classes { get; init; }

    /// <summary>Training clips.</summary>
    public int TrainClips
    {
        get => _trainClips ?? Classes.Sum(c => c.Train);
        init => _trainClips = value;
    }

    /// <summary>Validation clips.</summary>
    public int ValidationClips
    {
        get => _validationClips ?? Classes.Sum(c => c.Validation);
        init => _validationClips = value;
    }

    /// <summary>Test clips; 0 if there is no test split.</summary>
    public int TestClips
    {
        get => _testClips ?? Classes.Sum(c => c.Test);
        init => _testClips = value;
    }

    /// <summary>How clips are read at evaluation, and by every model made from this run.</summary>
    public required ClipSpec ClipSpec { get; init; }

    /// <summary>How clips are read at the final test.</summary>
    public required ClipSpec TestSpec { get; init; }

    /// <summary>Trainable values of the network.</summary>
    public required long Parameters { get; init; }

    /// <summary>Processes that share the run: each takes <see cref="LoopConfig.BatchSize"/> clips of a joint batch.</summary>
    public int Processes { get; init; } = 1;

    /// <summary>Optimiser steps in one pass over the training clips.</summary>
    public required int StepsPerEpoch { get; init; }

    /// <summary>Optimiser steps of the whole run.</summary>
    public int Steps => StepsPerEpoch * Config.Loop.Epochs.GetValueOrDefault();

    /// <summary>Whether forward and backward passes use bfloat16.</summary>
    public required bool BFloat16 { get; init; }

    /// <summary>Whether clips may have several labels, each a yes or no of its own.</summary>
    public required bool MultiLabel { get; init; }

    /// <summary>Whether decoded frames stay in memory between epochs.</summary>
    public required bool Cached { get; init; }

    /// <summary>Memory that the decoded training frames take, in bytes; an estimate from the clips probed.</summary>
    public required long CacheBytes { get; init; }

    /// <summary>Time of one optimiser step, measured; null if nothing was measured.</summary>
    public TimeSpan? StepTime { get; init; }

    /// <summary>Time to decode one clip on one thread, measured; null if nothing was measured.</summary>
    public TimeSpan? DecodeTime { get; init; }

    /// <summary>Estimated time of the whole run, from the measured step and decode times; null if nothing was measured.</summary>
    public TimeSpan? EstimatedTime { get; init; }

    /// <summary>Decisions worth telling, one sentence each: splits that were made, labels that swap when mirrored, weights that were loaded.</summary>
    public required IReadOnlyList<string> Notes { get; init; }
}
