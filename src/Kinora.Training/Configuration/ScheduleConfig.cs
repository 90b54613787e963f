namespace Kinora.Training;

/// <summary>How the learning rate moves over the run. b is the optimiser's learning rate, t the time in epochs.</summary>
public enum ScheduleKind
{
    /// <summary>Linear warm-up, then a half cosine to zero (<see cref="WarmupCosineSchedule"/>).</summary>
    WarmupCosine,

    /// <summary>b times <see cref="ScheduleConfig.Gamma"/> for each milestone reached.</summary>
    MultiStep,

    /// <summary>b.</summary>
    Constant,

    /// <summary>One of <see cref="ScheduleConfig.Rates"/> between each two milestones.</summary>
    Piecewise,

    /// <summary>Linear warm-up into <see cref="ScheduleConfig.Factors"/> times b, one between each two milestones (<see cref="WarmupPiecewiseSchedule"/>).</summary>
    WarmupPiecewise,

    /// <summary>A cosine over whole epochs, times a warm-up over steps (<see cref="WarmupCosineStepSchedule"/>).</summary>
    WarmupCosineStep,

    /// <summary>Warm-up b·(t + 1)/w, then b·γ for each milestone (<see cref="WarmupStepSchedule"/>).</summary>
    WarmupStep,

    /// <summary>b·γ^floor(epoch/period).</summary>
    Step,

    /// <summary>b·γ^epoch.</summary>
    Exponential,

    /// <summary>b·exp(−γ·epoch).</summary>
    NaturalExponential,

    /// <summary>b/(1 + γ·epoch).</summary>
    InverseTime,

    /// <summary>From b to <see cref="ScheduleConfig.MinRate"/> in <see cref="ScheduleConfig.Period"/> epochs, along a power.</summary>
    Polynomial,

    /// <summary>A cosine from b to <see cref="ScheduleConfig.MinRate"/> in <see cref="ScheduleConfig.Period"/> epochs, and up again.</summary>
    CosineAnnealing,
}

/// <summary>How the learning rate moves over the run.</summary>
public sealed record ScheduleConfig
{
    /// <summary>The rule.</summary>
    public ScheduleKind Kind { get; init; } = ScheduleKind.WarmupCosine;

    /// <summary>
    /// Length of the linear warm-up, in epochs; for rules without one of their own it goes before them, in whole epochs.
    /// Null: a tenth of the run, at most five epochs, for the rules that begin with one; none for the others.
    /// </summary>
    public double? WarmupEpochs { get; init; }

    /// <summary>First rate of the warm-up as a share of b.</summary>
    public double StartFactor { get; init; } = 0.1;

    /// <summary>First rate of the warm-up. Null: <see cref="StartFactor"/> times b.</summary>
    public double? StartRate { get; init; }

    /// <summary>
    /// Rate that a warm-up in whole epochs ends at, before the rule begins as if from its start. Null: b; the rules that begin with
    /// a warm-up of their own need none.
    /// </summary>
    public double? WarmupEndRate { get; init; }

    /// <summary>Epochs at which the rate of the stepwise rules changes.</summary>
    public IReadOnlyList<double> Milestones { get; init; } = [];

    /// <summary>Rates of <see cref="ScheduleKind.Piecewise"/>, one more than milestones; they don't depend on b.</summary>
    public IReadOnlyList<double> Rates { get; init; } = [];

    /// <summary>Factors of <see cref="ScheduleKind.WarmupPiecewise"/>, at least one more than milestones.</summary>
    public IReadOnlyList<double> Factors { get; init; } = [];

    /// <summary>Whether milestones of <see cref="ScheduleKind.Piecewise"/> count steps instead of epochs.</summary>
    public bool MilestonesInSteps { get; init; }

    /// <summary>γ.</summary>
    public double Gamma { get; init; } = 0.1;

    /// <summary>Epochs that the curve of the rules with a warm-up of their own is laid out for. Null: those of the run.</summary>
    public double? SpanEpochs { get; init; }

    /// <summary>Epochs of a period, where the rule has one.</summary>
    public int Period { get; init; } = 1;

    /// <summary>Lowest rate, where the rule has one.</summary>
    public double MinRate { get; init; }

    /// <summary>Exponent of <see cref="ScheduleKind.Polynomial"/>.</summary>
    public double Power { get; init; } = 1;

    /// <summary>Whether <see cref="ScheduleKind.Polynomial"/> begins a longer period at its end.</summary>
    public bool Cycle { get; init; }

    /// <summary>Builds the schedule.</summary>
    /// <param name="learningRate">b.</param>
    /// <param name="epochs">Epochs of the run.</param>
    /// <param name="stepsPerEpoch">Steps of an epoch.</param>
    /// <returns>The schedule at its first interval.</returns>
    public LearningRateSchedule Create(double learningRate, int epochs, int stepsPerEpoch)
    {
        double warmup = Warmup(epochs);
        double start = StartRate ?? (learningRate * StartFactor);
        double span = SpanEpochs ?? epochs;
        return Kind switch
        {
            ScheduleKind.WarmupCosine => new WarmupCosineSchedule(start, warmup, learningRate, span, stepsPerEpoch),
            ScheduleKind.WarmupPiecewise => new WarmupPiecewiseSchedule(start, warmup, learningRate, Factors, [0, .. Milestones], SpanEpochs ?? (Math.Max(epochs, Last(Milestones)) + 1), stepsPerEpoch),
            ScheduleKind.WarmupCosineStep => new WarmupCosineStepSchedule(warmup, StartRate / learningRate ?? StartFactor, MinRate, learningRate, span, stepsPerEpoch),
            ScheduleKind.WarmupStep => new WarmupStepSchedule(learningRate, warmup, Gamma, Milestones, stepsPerEpoch),
            ScheduleKind.MultiStep when warmup > 0 && WarmupEndRate is null => new WarmupPiecewiseSchedule(
                start, warmup, learningRate, Enumerable.Range(0, Milestones.Count + 1).Select(i => Math.Pow(Gamma, i)), [0, .. Milestones], Math.Max(epochs, Last(Milestones)) + 1, stepsPerEpoch),
            ScheduleKind.Constant when warmup > 0 && WarmupEndRate is null => new WarmupPiecewiseSchedule(start, warmup, learningRate, [1], [0], epochs + 1, stepsPerEpoch),
            _ when warmup > 0 => new LinearWarmupSchedule(Plain(learningRate), (int)Math.Ceiling(warmup), start, WarmupEndRate ?? learningRate),
            _ => Plain(learningRate),
        };
    }

    /// <summary>Length of the warm-up of a run, in epochs.</summary>
    /// <param name="epochs">Epochs of the run.</param>
    internal double Warmup(int epochs) => WarmupEpochs ?? (HasWarmup(Kind) ? Math.Min(5, epochs / 10.0) : 0);

    private static double Last(IReadOnlyList<double> values) => values.Count == 0 ? 0 : values[^1];

    private static bool HasWarmup(ScheduleKind kind) => kind is ScheduleKind.WarmupCosine or ScheduleKind.WarmupPiecewise
        or ScheduleKind.WarmupCosineStep or ScheduleKind.WarmupStep or ScheduleKind.MultiStep or ScheduleKind.Constant;

    private LearningRateSchedule Plain(double rate) => Kind switch
    {
        ScheduleKind.MultiStep => new MultiStepSchedule(rate, Milestones, Gamma),
        ScheduleKind.Piecewise => new PiecewiseSchedule(Milestones, Rates, MilestonesInSteps ? ScheduleInterval.Step : ScheduleInterval.Epoch),
        ScheduleKind.Step => FormulaSchedule.Step(rate, Period, Gamma),
        ScheduleKind.Exponential => FormulaSchedule.Exponential(rate, Gamma),
        ScheduleKind.NaturalExponential => FormulaSchedule.NaturalExponential(rate, Gamma),
        ScheduleKind.InverseTime => FormulaSchedule.InverseTime(rate, Gamma),
        ScheduleKind.Polynomial => FormulaSchedule.Polynomial(rate, Period, MinRate, Power, Cycle),
        ScheduleKind.CosineAnnealing => new CosineAnnealingSchedule(rate, Period, MinRate),
        _ => new MultiStepSchedule(rate, []),
    };

    internal void Validate(ConfigCheck check)
    {
        check.Require(WarmupEpochs is null or >= 0, "warmupEpochs", "0 or more", WarmupEpochs);
        check.Require(StartFactor is >= 0 and <= 1, "startFactor", "0 to 1", StartFactor);
        check.Require(StartRate is null or >= 0, "startRate", "0 or more", StartRate);
        check.Require(WarmupEndRate is null or >= 0, "warmupEndRate", "0 or more", WarmupEndRate);
        check.Require(Gamma is > 0 and <= 100, "gamma", "above 0", Gamma);
        check.Require(SpanEpochs is null or > 0, "spanEpochs", "above 0", SpanEpochs);
        check.Require(Period > 0, "period", "1 or more epochs", Period);
        check.Require(MinRate >= 0, "minRate", "0 or more", MinRate);
        check.Require(Power > 0, "power", "above 0", Power);
        bool steps = Kind is ScheduleKind.MultiStep or ScheduleKind.Piecewise or ScheduleKind.WarmupPiecewise or ScheduleKind.WarmupStep;
        check.Require(!steps || Milestones.Count > 0, "milestones", "at least one epoch", "none");
        check.Require(Milestones.Zip(Milestones.Skip(1)).All(p => p.First < p.Second), "milestones", "rising epochs", string.Join(", ", Milestones));
        check.Require(Kind != ScheduleKind.Piecewise || Rates.Count == Milestones.Count + 1, "rates", $"{Milestones.Count + 1} rates for {Milestones.Count} milestones", Rates.Count);
        check.Require(Rates.All(r => r >= 0), "rates", "rates of 0 or more", string.Join(", ", Rates));
        check.Require(Kind != ScheduleKind.WarmupPiecewise || Factors.Count > Milestones.Count, "factors", $"at least {Milestones.Count + 1} factors for {Milestones.Count} milestones", Factors.Count);
    }
}
