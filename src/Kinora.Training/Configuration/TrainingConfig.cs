namespace Kinora.Training;

/// <summary>
/// Everything that decides how a run goes. The defaults suit a stranger's folder of clips: only
/// <see cref="DataConfig.Path"/> must be given. Values that are null are chosen by the plan from the data and the
/// machine; the configuration stored with a run has them filled in.
/// </summary>
/// <remarks>YAML form: the same names in camelCase; <c>auto</c> stands for null. See <see cref="ConfigYaml"/>.</remarks>
public sealed record TrainingConfig
{
    /// <summary>
    /// Name of the run: the folder below <see cref="Output"/>, which must not hold a run yet. Null: the data folder's
    /// name, with a number behind it from the second run on.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>Folder that holds the runs.</summary>
    public string Output { get; init; } = "runs";

    /// <summary>Seed of every random choice.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Threads of the compute library. Null: one a processor core.</summary>
    public int? Threads { get; init; }

    /// <summary>Which clips.</summary>
    public DataConfig Data { get; init; } = new();

    /// <summary>Which network.</summary>
    public ModelConfig Model { get; init; } = new();

    /// <summary>The way from a video to the network's input, where it isn't the network's own; validation and every model made from the run follow it.</summary>
    public InputConfig Input { get; init; } = new();

    /// <summary>What the final test does otherwise than <see cref="Input"/>, such as several views of each video.</summary>
    public InputConfig Test { get; init; } = new();

    /// <summary>How long, in which batches, in which arithmetic.</summary>
    public LoopConfig Loop { get; init; } = new();

    /// <summary>What is minimised.</summary>
    public LossConfig Loss { get; init; } = new();

    /// <summary>How gradients change weights.</summary>
    public OptimizerConfig Optimizer { get; init; } = new();

    /// <summary>How the learning rate moves.</summary>
    public ScheduleConfig Schedule { get; init; } = new();

    /// <summary>Random variation of training clips.</summary>
    public AugmentationConfig Augmentation { get; init; } = new();

    /// <summary>Learning from a second network.</summary>
    public DistillationConfig Distillation { get; init; } = new();

    /// <summary>What is written while the run goes on.</summary>
    public CheckpointConfig Checkpoints { get; init; } = new();

    /// <summary>Checks the ranges of all values.</summary>
    /// <param name="path">The file it comes from, for messages.</param>
    /// <exception cref="ConfigException">A value is out of range; the message names its key.</exception>
    public void Validate(string? path = null)
    {
        var check = new ConfigCheck("training configuration", path);
        check.Require(Threads is null or (> 0 and <= 1024), "threads", "1 to 1024", Threads);
        check.Require(
            Name is null || (Name.Length > 0 && Name.IndexOfAny(Path.GetInvalidFileNameChars()) < 0 && Name is not ("." or "..")),
            "name", "a plain folder name", Name);
        check.Require(!string.IsNullOrWhiteSpace(Output), "output", "a folder", Output);
        Data.Validate(check.In("data"));
        Model.Validate(check.In("model"));
        Input.Validate(check.In("input"));
        Test.Validate(check.In("test"));
        Loop.Validate(check.In("loop"));
        Loss.Validate(check.In("loss"));
        Optimizer.Validate(check.In("optimizer"));
        Schedule.Validate(check.In("schedule"));
        Augmentation.Validate(check.In("augmentation"));
        Distillation.Validate(check.In("distillation"));
        Checkpoints.Validate(check.In("checkpoints"));
    }
}
