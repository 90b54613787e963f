namespace Kinora.Training;

/// <summary>The arithmetic of forward and backward passes. Weights and optimiser state are always float32.</summary>
public enum Precision
{
    /// <summary>bfloat16 where the processor computes it natively (AVX512_BF16, AMX), else float32.</summary>
    Auto,

    /// <summary>float32 throughout.</summary>
    Fp32,

    /// <summary>Convolutions and matrix products in bfloat16 (autocast).</summary>
    Bf16,

    /// <summary>Convolutions and matrix products in float16 (autocast) with a scaled loss. Graphics processors only.</summary>
    Fp16,

    /// <summary>float64 throughout, weights and optimiser state too: for comparisons, not for speed.</summary>
    Fp64,
}

/// <summary>How long, in which batches, in which arithmetic.</summary>
public sealed record LoopConfig
{
    /// <summary>Passes over the training clips. Null: chosen from their number, within <see cref="TimeBudgetMinutes"/>.</summary>
    public int? Epochs { get; init; }

    /// <summary>Clips a step, on each process. Null: 8, or fewer where there are fewer clips.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Clips of a batch at evaluation. Null: as <see cref="BatchSize"/>.</summary>
    public int? EvaluationBatchSize { get; init; }

    /// <summary>Clips of a batch at the final test, whose clips may have many views. Null: as <see cref="EvaluationBatchSize"/>.</summary>
    public int? TestBatchSize { get; init; }

    /// <summary>Batches whose gradients are averaged before the optimiser moves.</summary>
    public int Accumulate { get; init; } = 1;

    /// <summary>Most batches of an epoch. Null: all. For trials.</summary>
    [None]
    public int? MaxStepsPerEpoch { get; init; }

    /// <summary>Time that a small set of clips may take when <see cref="Epochs"/> is chosen by the plan, in minutes.</summary>
    public double TimeBudgetMinutes { get; init; } = 8;

    /// <summary>Arithmetic of forward and backward passes.</summary>
    public Precision Precision { get; init; } = Precision.Auto;

    /// <summary>First factor of the loss in <see cref="Precision.Fp16"/>; it moves by itself.</summary>
    public double LossScale { get; init; } = 65536;

    /// <summary>Largest L2 norm of all gradients together; longer ones are scaled down. Null: no limit.</summary>
    [None]
    public double? ClipNorm { get; init; } = 20;

    /// <summary>Largest magnitude of each element of the gradients. Null: no limit.</summary>
    [None]
    public double? ClipValue { get; init; }

    /// <summary>Epochs between evaluations on the validation clips; the last epoch is always evaluated. 0: only the last.</summary>
    public int EvaluateEvery { get; init; } = 1;

    /// <summary>
    /// Training batches whose statistics, averaged, replace the running ones of batch norm before an evaluation.
    /// 0: keep the running statistics.
    /// </summary>
    public int PreciseBatchNormBatches { get; init; }

    /// <summary>Epochs between two such replacements; the last epoch always has one.</summary>
    public int PreciseBatchNormEvery { get; init; } = 1;

    /// <summary>Decay of an average of the weights over steps, which takes their place at evaluation. Null: none.</summary>
    [None]
    public double? WeightAverage { get; init; }

    /// <summary>Evaluated epochs without a better one after which the run ends. Null: it never ends early.</summary>
    [None]
    public int? Patience { get; init; }

    internal void Validate(ConfigCheck check)
    {
        check.Require(Epochs is null or (> 0 and <= 100_000), "epochs", "1 to 100000", Epochs);
        check.Require(BatchSize is null or (> 0 and <= 65_536), "batchSize", "1 to 65536", BatchSize);
        check.Require(EvaluationBatchSize is null or (> 0 and <= 65_536), "evaluationBatchSize", "1 to 65536", EvaluationBatchSize);
        check.Require(TestBatchSize is null or (> 0 and <= 65_536), "testBatchSize", "1 to 65536", TestBatchSize);
        check.Require(Accumulate is > 0 and <= 65_536, "accumulate", "1 to 65536 batches", Accumulate);
        check.Require(MaxStepsPerEpoch is null or > 0, "maxStepsPerEpoch", "1 or more", MaxStepsPerEpoch);
        check.Require(TimeBudgetMinutes > 0, "timeBudgetMinutes", "above 0", TimeBudgetMinutes);
        check.Require(LossScale is > 0 and <= 1e30, "lossScale", "above 0", LossScale);
        check.Require(ClipNorm is null or > 0, "clipNorm", "above 0", ClipNorm);
        check.Require(ClipValue is null or > 0, "clipValue", "above 0", ClipValue);
        check.Require(EvaluateEvery >= 0, "evaluateEvery", "0 or more epochs", EvaluateEvery);
        check.Require(PreciseBatchNormBatches >= 0, "preciseBatchNormBatches", "0 or more", PreciseBatchNormBatches);
        check.Require(PreciseBatchNormEvery > 0, "preciseBatchNormEvery", "1 or more epochs", PreciseBatchNormEvery);
        check.Require(WeightAverage is null or (> 0 and < 1), "weightAverage", "above 0, below 1", WeightAverage);
        check.Require(Patience is null or > 0, "patience", "1 or more evaluations", Patience);
    }
}
