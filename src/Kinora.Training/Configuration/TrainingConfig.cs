namespace Kinora.Training;

/// <summary>Where decoded frames are kept between epochs.</summary>
public enum CacheMode
{
    /// <summary>In memory when all training frames fit into <see cref="DataConfig.CacheMegabytes"/>, else nowhere.</summary>
    Auto,

    /// <summary>In memory, as far as <see cref="DataConfig.CacheMegabytes"/> reaches.</summary>
    Memory,

    /// <summary>Nowhere: every epoch decodes.</summary>
    Off,
}

/// <summary>The arithmetic of forward and backward passes. Weights and optimiser state are always float32.</summary>
public enum Precision
{
    /// <summary>bfloat16 where the processor computes it natively (AVX512_BF16, AMX), else float32.</summary>
    Auto,

    /// <summary>float32 throughout.</summary>
    Fp32,

    /// <summary>Convolutions and matrix products in bfloat16 (autocast).</summary>
    Bf16,
}

/// <summary>How the learning rate moves over the run.</summary>
public enum ScheduleKind
{
    /// <summary>Linear warm-up, then a half cosine to zero (<see cref="WarmupCosineSchedule"/>).</summary>
    WarmupCosine,

    /// <summary>The rate is multiplied by <see cref="ScheduleConfig.Gamma"/> at each milestone.</summary>
    MultiStep,

    /// <summary>The rate never changes.</summary>
    Constant,
}

/// <summary>What happens to class names such as "turn left" when a clip is mirrored.</summary>
public enum FlipLabels
{
    /// <summary>
    /// Names that differ only by left/right are found; mirroring such a clip swaps its label, and clips of a class
    /// that names a side but has no partner are never mirrored.
    /// </summary>
    Auto,

    /// <summary>Mirrored clips keep their label whatever the class is called.</summary>
    Keep,

    /// <summary>Clips of classes that name a side are never mirrored.</summary>
    Never,
}

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

    /// <summary>How long, in which batches, in which arithmetic.</summary>
    public LoopConfig Loop { get; init; } = new();

    /// <summary>How gradients change weights.</summary>
    public OptimizerConfig Optimizer { get; init; } = new();

    /// <summary>How the learning rate moves.</summary>
    public ScheduleConfig Schedule { get; init; } = new();

    /// <summary>Random variation of training clips.</summary>
    public AugmentationConfig Augmentation { get; init; } = new();

    /// <summary>Checks the ranges of all values.</summary>
    /// <param name="path">The file it comes from, for messages.</param>
    /// <exception cref="ConfigException">A value is out of range; the message names its key.</exception>
    public void Validate(string? path = null)
    {
        Require(Threads is null or (> 0 and <= 1024), "threads", "1 to 1024", Threads);
        Require(Name is null || (Name.Length > 0 && Name.IndexOfAny(Path.GetInvalidFileNameChars()) < 0 && Name is not ("." or "..")),
            "name", "a plain folder name", Name);
        Require(!string.IsNullOrWhiteSpace(Output), "output", "a folder", Output);

        Require(!string.IsNullOrWhiteSpace(Data.Path) || !string.IsNullOrWhiteSpace(Data.TrainList),
            "data.path", "a folder of class folders (or data.trainList)", Data.Path);
        Require(Data.Workers is null or (> 0 and <= 256), "data.workers", "1 to 256", Data.Workers);
        Require(Data.CacheMegabytes >= 0, "data.cacheMegabytes", "0 or more", Data.CacheMegabytes);
        Require(Data.FailureBudget is >= 0 and <= 1, "data.failureBudget", "a share, 0 to 1", Data.FailureBudget);

        Require(!string.IsNullOrWhiteSpace(Model.Name), "model.name", "a model of `kinora models list`", Model.Name);
        Require(Model.Frames is null or (> 0 and <= 512), "model.frames", "1 to 512", Model.Frames);
        Require(Model.Size is null or (>= 32 and <= 2048), "model.size", "32 to 2048 pixels", Model.Size);
        Require(Model.Dropout is null or (>= 0 and < 1), "model.dropout", "0 to below 1", Model.Dropout);

        Require(Loop.Epochs is null or (> 0 and <= 100_000), "loop.epochs", "1 to 100000", Loop.Epochs);
        Require(Loop.BatchSize is null or (> 0 and <= 65_536), "loop.batchSize", "1 to 65536", Loop.BatchSize);
        Require(Loop.TimeBudgetMinutes > 0, "loop.timeBudgetMinutes", "above 0", Loop.TimeBudgetMinutes);
        Require(Loop.EvaluateEvery > 0, "loop.evaluateEvery", "1 or more epochs", Loop.EvaluateEvery);
        Require(Loop.PreciseBatchNormBatches >= 0, "loop.preciseBatchNormBatches", "0 or more", Loop.PreciseBatchNormBatches);
        Require(Loop.LabelSmoothing is >= 0 and < 1, "loop.labelSmoothing", "0 to below 1", Loop.LabelSmoothing);
        Require(Loop.ClipNorm is null or > 0, "loop.clipNorm", "above 0", Loop.ClipNorm);
        Require(Loop.CheckpointMinutes > 0, "loop.checkpointMinutes", "above 0", Loop.CheckpointMinutes);

        Require(Optimizer.LearningRate is null or (> 0 and <= 100), "optimizer.learningRate", "above 0", Optimizer.LearningRate);
        Require(Optimizer.Momentum is >= 0 and < 1, "optimizer.momentum", "0 to below 1", Optimizer.Momentum);
        Require(!Optimizer.Nesterov || Optimizer.Momentum > 0, "optimizer.nesterov", "false where the momentum is 0", Optimizer.Nesterov);
        Require(Optimizer.WeightDecay is >= 0 and < 1, "optimizer.weightDecay", "0 to below 1", Optimizer.WeightDecay);

        Require(Schedule.WarmupEpochs is null or >= 0, "schedule.warmupEpochs", "0 or more", Schedule.WarmupEpochs);
        Require(Schedule.StartFactor is >= 0 and <= 1, "schedule.startFactor", "0 to 1", Schedule.StartFactor);
        Require(Schedule.Gamma is > 0 and <= 1, "schedule.gamma", "above 0, at most 1", Schedule.Gamma);
        Require(Schedule.Kind != ScheduleKind.MultiStep || Schedule.Milestones.Count > 0, "schedule.milestones", "at least one epoch", "none");
        Require(Schedule.Milestones.Zip(Schedule.Milestones.Skip(1)).All(p => p.First < p.Second), "schedule.milestones", "rising epochs",
            string.Join(", ", Schedule.Milestones));

        Require(Augmentation.Scales.Count > 0 && Augmentation.Scales.All(s => s is > 0 and <= 1), "augmentation.scales", "values above 0, at most 1",
            string.Join(", ", Augmentation.Scales));
        Require(Augmentation.FlipProbability is >= 0 and <= 1, "augmentation.flipProbability", "0 to 1", Augmentation.FlipProbability);

        void Require(bool holds, string key, string expected, object? found)
        {
            if (!holds)
            {
                throw new ConfigException($"training configuration: {key}: expected {expected}, found {found ?? "nothing"}", path);
            }
        }
    }
}

/// <summary>Which clips are learned from, and how they are read.</summary>
public sealed record DataConfig
{
    /// <summary>A folder of class folders, or of train/, val/ and test/ with class folders in each.</summary>
    public string Path { get; init; } = "";

    /// <summary>List file of training clips, in place of <see cref="Path"/>.</summary>
    public string? TrainList { get; init; }

    /// <summary>List file of validation clips.</summary>
    public string? ValidationList { get; init; }

    /// <summary>List file of test clips.</summary>
    public string? TestList { get; init; }

    /// <summary>Folder that the paths in list files are relative to. Null: the list file's folder.</summary>
    public string? ListRoot { get; init; }

    /// <summary>Whether decoded frames are kept between epochs.</summary>
    public CacheMode Cache { get; init; } = CacheMode.Auto;

    /// <summary>Memory that decoded frames may take, in mebibytes.</summary>
    public int CacheMegabytes { get; init; } = 2048;

    /// <summary>Decoding threads. Null: one a processor core.</summary>
    public int? Workers { get; init; }

    /// <summary>
    /// Share of the training clips that may prove unreadable before the run stops; each one is logged.
    /// Validation and test never replace a clip: an unreadable one counts as wrong.
    /// </summary>
    public double FailureBudget { get; init; } = 0.05;
}

/// <summary>Which network, and its input.</summary>
public sealed record ModelConfig
{
    /// <summary>A name of the model catalogue.</summary>
    public string Name { get; init; } = "tsm_efficientnet_lite0";

    /// <summary>Start from the ImageNet weights that come with the network, where there are any.</summary>
    public bool Pretrained { get; init; } = true;

    /// <summary>A checkpoint to start from in place of the ImageNet weights; its classifier is dropped if the classes differ.</summary>
    public string? Weights { get; init; }

    /// <summary>Frames of a clip: T. Null: the network's default.</summary>
    public int? Frames { get; init; }

    /// <summary>Side of the square input, in pixels. Null: 112 for networks that fine-tune well there, else their default.</summary>
    public int? Size { get; init; }

    /// <summary>Dropout before the classifier. Null: the network's default.</summary>
    public double? Dropout { get; init; }

    /// <summary>Exchange of channels between neighbouring frames, where the network has it.</summary>
    public bool TemporalShift { get; init; } = true;
}

/// <summary>How long, in which batches, in which arithmetic.</summary>
public sealed record LoopConfig
{
    /// <summary>Passes over the training clips. Null: chosen from their number, within <see cref="TimeBudgetMinutes"/>.</summary>
    public int? Epochs { get; init; }

    /// <summary>Clips a step. Null: 8, or fewer where there are fewer clips.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Time that a small set of clips may take when <see cref="Epochs"/> is chosen by the plan, in minutes.</summary>
    public double TimeBudgetMinutes { get; init; } = 8;

    /// <summary>Arithmetic of forward and backward passes.</summary>
    public Precision Precision { get; init; } = Precision.Auto;

    /// <summary>Share of each target that is spread over all classes.</summary>
    public double LabelSmoothing { get; init; } = 0.1;

    /// <summary>Largest L2 norm of all gradients together; longer ones are scaled down. Null: no limit.</summary>
    public double? ClipNorm { get; init; } = 20;

    /// <summary>Epochs between evaluations on the validation clips; the last epoch is always evaluated.</summary>
    public int EvaluateEvery { get; init; } = 1;

    /// <summary>
    /// Training batches whose statistics, averaged, replace the running ones of batch norm before each evaluation.
    /// 0: keep the running statistics.
    /// </summary>
    public int PreciseBatchNormBatches { get; init; }

    /// <summary>Longest time between two writings of the last checkpoint inside an epoch, in minutes.</summary>
    public double CheckpointMinutes { get; init; } = 10;
}

/// <summary>Stochastic gradient descent with momentum.</summary>
public sealed record OptimizerConfig
{
    /// <summary>The rate at its peak. Null: 0.01 for a batch of 8, in proportion for others.</summary>
    public double? LearningRate { get; init; }

    /// <summary>Momentum μ.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Nesterov's form of the momentum.</summary>
    public bool Nesterov { get; init; } = true;

    /// <summary>L2 coefficient of weights; the network's rules exempt batch norms and biases.</summary>
    public double WeightDecay { get; init; } = 1e-4;
}

/// <summary>How the learning rate moves over the run.</summary>
public sealed record ScheduleConfig
{
    /// <summary>The rule.</summary>
    public ScheduleKind Kind { get; init; } = ScheduleKind.WarmupCosine;

    /// <summary>Length of the linear warm-up, in epochs. Null: a tenth of the run, at most five epochs.</summary>
    public double? WarmupEpochs { get; init; }

    /// <summary>First rate of the warm-up as a share of the peak.</summary>
    public double StartFactor { get; init; } = 0.1;

    /// <summary>Epochs at which <see cref="ScheduleKind.MultiStep"/> lowers the rate.</summary>
    public IReadOnlyList<int> Milestones { get; init; } = [];

    /// <summary>Factor at each milestone.</summary>
    public double Gamma { get; init; } = 0.1;
}

/// <summary>Random variation of training clips.</summary>
public sealed record AugmentationConfig
{
    /// <summary>Sides of the random crop as shares of the short side of the frame.</summary>
    public IReadOnlyList<double> Scales { get; init; } = [1, 0.875, 0.75, 0.66];

    /// <summary>Probability that a clip is mirrored.</summary>
    public double FlipProbability { get; init; } = 0.5;

    /// <summary>What mirroring does to labels that name a side.</summary>
    public FlipLabels FlipLabels { get; init; } = FlipLabels.Auto;
}
