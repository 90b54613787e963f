using Kinora.Data;
using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>What one batch gave.</summary>
/// <param name="Loss">Loss of the batch.</param>
/// <param name="GradientNorm">L2 norm of all gradients before clipping; null where the optimiser didn't move.</param>
/// <param name="Right">Right answers.</param>
/// <param name="RightInFive">Clips whose class is among the best five.</param>
/// <param name="Clips">Clips.</param>
internal readonly record struct LearnedBatch(double Loss, double? GradientNorm, int Right, int RightInFive, int Clips);

/// <summary>Everything that changes while a run learns: network, optimiser, schedule, and what goes with them.</summary>
/// <remarks>Lives on the compute thread.</remarks>
internal sealed class Learner : IDisposable
{
    private const string OptimizerPrefix = "optimizer/";
    private const string ScalerPrefix = "scaler/";
    private const string AveragePrefix = "average/";
    private const string PartnerPrefix = "partner/";
    private readonly TrainingConfig _config;
    private readonly VideoNetwork _network;
    private readonly IReadOnlyList<VideoSample> _samples;
    private readonly bool _multiLabel;
    private readonly DType _dtype;
    private readonly Optimizer _optimizer;
    private readonly GradientAccumulation _accumulation;
    private readonly LossScaler? _scaler;
    private readonly WeightAverage? _average;
    private readonly DistillationPartner? _partner;
    private readonly ClassificationLoss _loss;
    private readonly Tensor? _classWeights;
    private readonly DistributedContext _processes;
    private readonly GradientReducer? _reducer;
    private readonly StageClock _stages;
    private double _share = 1;

    public Learner(PreparedRun prepared, DistributedContext processes, StageClock stages)
    {
        (_processes, _stages) = (processes, stages);
        TrainingPlan plan = prepared.Plan;
        (_config, _network, _samples) = (plan.Config, prepared.Network, prepared.Splits.Train.Samples);
        _multiLabel = plan.MultiLabel;
        _dtype = _config.Loop.Precision == Precision.Fp64 ? DType.Float64 : DType.Float32;
        ParameterPlan parameters = ParameterPlan.For(_network, Rules(_config));
        parameters.Apply();
        _partner = prepared.Second is null ? null : new DistillationPartner(prepared.Second.Network, _network, _config);
        _optimizer = CreateOptimizer(_config.Optimizer, [.. parameters.Groups, .. _partner?.Groups(Rules(_config)) ?? []]);
        _accumulation = new GradientAccumulation(_optimizer, _config.Loop.Accumulate);
        _scaler = _config.Loop.Precision == Precision.Fp16 ? new LossScaler(_config.Loop.LossScale) : null;
        _average = _config.Loop.WeightAverage is double decay ? new WeightAverage(_network, decay) : null;
        (_loss, _classWeights) = CreateLoss(_config.Loss, prepared);
        if (processes.IsDistributed && _classWeights is not null)
        {
            // The mean over the joint batch is divided by the weights of all its clips; this process's loss counts by its share.
            _loss.Denominator = weights => _share * _processes.Sum(_processes.Contributes ? weights : 0)[0];
        }

        Schedule = _config.Schedule.Create(_config.Optimizer.LearningRate!.Value, _config.Loop.Epochs!.Value, plan.StepsPerEpoch);
        _reducer = processes.ReduceGradients(_optimizer.Parameters);
    }

    /// <summary>The learning rate.</summary>
    public LearningRateSchedule Schedule { get; }

    /// <summary>Whether no batch waits for its optimiser step: a checkpoint is complete only then.</summary>
    public bool IsBetweenSteps => _accumulation.Pending == 0;

    /// <summary>Takes a teacher's answers from here on instead of asking it about every batch.</summary>
    public void UseTeacherScores(TeacherScores scores) => _partner!.Scores = scores;

    /// <summary>Learns from one batch.</summary>
    /// <param name="batch">The clips.</param>
    /// <param name="epoch">Epoch, from 0, for random choices.</param>
    /// <param name="step">Batch of the epoch, from 0.</param>
    /// <exception cref="TrainingException">Loss or gradients aren't finite.</exception>
    public LearnedBatch Learn(ClipBatch batch, int epoch, int step)
    {
        using var scope = new TensorScope();
        _stages.Enter(TrainingStage.TensorCopy);
        double share = Share(batch);
        if (double.IsNaN(share))
        {
            return default; // no process could read a clip
        }

        _network.SetRandomKey(_config.Seed, epoch, step, Part(batch));
        Tensor clips = Clips(batch);
        Targets targets = TargetsOf(batch);
        _stages.Enter(TrainingStage.Forward);
        Tensor logits, loss;
        using (Cast(_config.Loop.Precision))
        {
            logits = _network.Forward(clips).To(_dtype);
            loss = _loss.Compute(logits, targets);
            loss = _partner?.Join(loss, logits, clips, batch, targets, _loss, epoch, step, Part(batch)) ?? loss;
        }

        int[] labels = batch.Labels.ToArray();
        (int right, int rightInFive) = CountRight(logits, labels, batch.Views);
        double[] joint = _processes.Sum(share == 0 ? 0 : share * loss.ToDouble(), right, rightInFive, labels.Length * batch.Views);
        RequireFinite(joint[0], "loss");
        Tensor root = _accumulation.Divide(share == 1 ? loss : loss * share);

        // Gradients travel with the last of the batches that make a step.
        if (_accumulation.Pending + 1 == _accumulation.Batches)
        {
            _reducer?.Begin(_processes.Contributes || _accumulation.Batches > 1);
        }

        _stages.Enter(TrainingStage.Backward);
        (_scaler?.Apply(root) ?? root).Backward();
        _stages.Enter(TrainingStage.Update);
        double? norm = null;
        if (_accumulation.Add())
        {
            _reducer?.Finish();
            norm = Move();
        }

        _stages.Enter(TrainingStage.Other);
        _stages.CountStep((int)joint[3]);
        return new LearnedBatch(joint[0], norm, (int)joint[1], (int)joint[2], (int)joint[3]);
    }

    /// <summary>Lets batches that are left over at the end of an epoch make a step of their own.</summary>
    public void EndEpoch()
    {
        if (_accumulation.EndEpoch())
        {
            using var scope = new TensorScope();
            _reducer?.Begin();
            _reducer?.Finish();
            Move();
        }
    }

    /// <summary>Gives all processes the weights of rank 0, and lets them share the statistics of batch norms.</summary>
    public void Synchronize()
    {
        _processes.Synchronize(_network);
        _partner?.Synchronize(_processes);
    }

    /// <summary>Runs a batch forward in training mode, for its statistics alone.</summary>
    public void Observe(ClipBatch batch, int epoch, int step)
    {
        using var scope = new TensorScope();
        if (double.IsNaN(Share(batch)))
        {
            return;
        }

        _network.SetRandomKey(_config.Seed, epoch, step, Part(batch));
        using IDisposable? cast = Cast(_config.Loop.Precision);
        _ = _network.Forward(Clips(batch));
    }

    /// <summary>Puts the averaged weights into the network until the result is disposed of; does nothing without an average.</summary>
    public IDisposable? Averaged() => _average?.Swap();

    /// <summary>All that a checkpoint keeps beside the network's weights.</summary>
    /// <returns>Names with a slash in them, and tensors in the current scope or of this object's.</returns>
    public IEnumerable<(string Name, Tensor Value)> StateDict() =>
    [
        .. _optimizer.StateDict().Select(s => (OptimizerPrefix + s.Name, s.Value)),
        .. (_scaler?.StateDict() ?? []).Select(s => (ScalerPrefix + s.Name, s.Value)),
        .. (_average?.StateDict() ?? []).Select(s => (AveragePrefix + s.Name, s.Value)),
        .. (_partner?.StateDict() ?? []).Select(s => (PartnerPrefix + s.Name, s.Value)),
    ];

    /// <summary>Restores what <see cref="StateDict"/> gave.</summary>
    /// <exception cref="CheckpointException">Something is missing or doesn't fit.</exception>
    public void LoadStateDict(IReadOnlyList<(string Name, Tensor Value)> state)
    {
        _optimizer.LoadStateDict(Part(OptimizerPrefix));
        _scaler?.LoadStateDict(Part(ScalerPrefix));
        _average?.LoadStateDict(Part(AveragePrefix));
        _partner?.LoadStateDict(Part(PartnerPrefix));

        IEnumerable<(string, Tensor)> Part(string prefix) =>
            state.Where(s => s.Name.StartsWith(prefix, StringComparison.Ordinal)).Select(s => (s.Name[prefix.Length..], s.Value));
    }

    public void Dispose()
    {
        _reducer?.Dispose();
        _partner?.Dispose();
        _average?.Dispose();
        _optimizer.Dispose();
        _classWeights?.Dispose();
    }

    /// <summary>The optimiser of a configuration.</summary>
    internal static Optimizer CreateOptimizer(OptimizerConfig config, IReadOnlyList<ParameterGroup> groups) => config.Kind switch
    {
        OptimizerKind.RmsProp => new RmsProp(groups, config.Rho, config.Epsilon ?? 1e-6, config.Momentum),
        OptimizerKind.Adam or OptimizerKind.AdamW => new Adam(groups, config.Beta1, config.Beta2, config.Epsilon ?? 1e-8),
        _ => new Sgd(groups, config.Momentum, config.Nesterov),
    };

    /// <summary>How a run treats parameters.</summary>
    internal static ParameterRules Rules(TrainingConfig config) => new()
    {
        WeightDecay = config.Optimizer.WeightDecay,
        Decay = config.Optimizer.Kind == OptimizerKind.AdamW ? DecayKind.Decoupled : DecayKind.L2,
        WithoutDecay = config.Optimizer.NoDecay,
        Frozen = config.Model.Freeze,
        LayerDecay = config.Optimizer.LayerDecay,
        HeadFactor = config.Optimizer.HeadFactor,
        PartialBatchNorm = config.Model.PartialBatchNorm,
    };

    private static (ClassificationLoss Loss, Tensor? Weights) CreateLoss(LossConfig config, PreparedRun prepared)
    {
        int classes = prepared.Network.Classes;
        double[]? weights = config.ClassWeights.Count > 0 ? [.. config.ClassWeights] : config.BalanceClasses ? Balanced(prepared.Splits.Train) : null;
        if (weights is not null && weights.Length != classes)
        {
            throw new ConfigException($"train: loss.classWeights: expected {classes} numbers, one a class, found {weights.Length}");
        }

        using var scope = new TensorScope();
        Tensor? tensor = weights is null ? null : Tensor.From<double>(weights).EscapeScope();
        return (config.Kind switch
        {
            LossKind.Focal => new FocalLoss(config.FocalGamma, tensor),
            LossKind.Binary => new BinaryCrossEntropyLoss(tensor),
            _ => new CrossEntropyLoss(config.LabelSmoothing, tensor),
        }, tensor);
    }

    // A class of which there are no clips can't be weighed.
    private static double[] Balanced(VideoDataset train)
    {
        int[] counts = train.CountPerClass();
        int present = counts.Count(c => c > 0);
        return [.. counts.Select(c => c == 0 ? 1 : (double)train.Samples.Count / present / c)];
    }

    // Short floats with 5 bits of exponent are there on GPUs only; elsewhere the scaler works on float32.
    internal static IDisposable? Cast(Precision precision) => precision switch
    {
        Precision.Bf16 => Autocast.BFloat16(),
        Precision.Fp16 when Device.Current.Type == DeviceType.Cuda => Autocast.Enable(DType.Float16),
        _ => null,
    };

    // This process's share of the clips of the joint batch; NaN where no process has any. One without clips of its own
    // takes part with a black one that counts for nothing.
    private double Share(ClipBatch batch)
    {
        _processes.Contributes = batch.Count > 0;
        return _share = batch.Count / _processes.Sum(batch.Count)[0];
    }

    private BatchPart? Part(ClipBatch batch) => _processes.IsDistributed ? new BatchPart(batch.FirstInJointBatch, Math.Max(1, batch.Count)) : null;

    private Tensor Clips(ClipBatch batch) =>
        (batch.Count > 0 ? Evaluator.ToTensor(batch) : Tensor.Zeros([batch.Views, .. batch.Shape.Skip(1)])).To(_dtype);

    private Targets TargetsOf(ClipBatch batch)
    {
        int views = batch.Views, rows = batch.Count * views;
        if (rows == 0)
        {
            return _multiLabel ? new Targets.Dense(Tensor.Zeros([views, _network.Classes])) : new Targets.Hard(Tensor.Zeros([views], DType.Int64));
        }

        if (_multiLabel)
        {
            var values = new float[rows * _network.Classes];
            for (int i = 0; i < rows; i++)
            {
                Add(i, i / views, batch.Lambda?[i / views] ?? 1);
                if (batch.Partners is { } partners)
                {
                    Add(i, partners[i / views], 1 - batch.Lambda![i / views]);
                }
            }

            return new Targets.Dense(Tensor.From<float>(values, [rows, _network.Classes]));

            void Add(int row, int clip, float share)
            {
                foreach (int label in _samples[batch.SampleIndices[clip]].Labels)
                {
                    float sum = values[(row * _network.Classes) + label] + share;
                    values[(row * _network.Classes) + label] = Math.Min(1, sum);
                }
            }
        }

        var labels = new long[rows];
        for (int i = 0; i < rows; i++)
        {
            labels[i] = batch.Labels[i / views];
        }

        Tensor own = Tensor.From<long>(labels, [rows]);
        return batch.MixedLabels is { } mixed
            ? new Targets.Mixed(
                own,
                Tensor.From<long>([.. Enumerable.Range(0, rows).Select(i => (long)mixed[i / views])], [rows]),
                Tensor.From<float>([.. Enumerable.Range(0, rows).Select(i => batch.Lambda![i / views])], [rows]))
            : new Targets.Hard(own);
    }

    private (int Right, int RightInFive) CountRight(Tensor logits, int[] labels, int views)
    {
        double[] scores = logits.Detach().ToArray<double>();
        int right = 0, rightInFive = 0;
        for (int i = 0; i < labels.Length * views; i++)
        {
            ReadOnlySpan<double> row = scores.AsSpan(i * _network.Classes, _network.Classes);
            right += Ranking.Best(row) == labels[i / views] ? 1 : 0;
            rightInFive += Ranking.Of(row, labels[i / views]) < Math.Min(5, row.Length) ? 1 : 0;
        }

        return (right, rightInFive);
    }

    private double Move()
    {
        bool finite = _scaler?.Unscale(_optimizer) ?? true;
        _scaler?.Update(finite);
        double norm = 0;
        if (finite)
        {
            if (_config.Loop.ClipValue is double value)
            {
                _optimizer.ClipGradientValue(value);
            }

            norm = _optimizer.ClipGradientNorm(_config.Loop.ClipNorm ?? double.PositiveInfinity);
            RequireFinite(norm, "gradient norm");
            _optimizer.Step(Schedule.Rate);
            _average?.Update();
        }

        _accumulation.Clear();
        return norm;
    }

    private static void RequireFinite(double value, string what)
    {
        if (!double.IsFinite(value))
        {
            throw new NotFiniteNumberException(what, value);
        }
    }
}
