using Kinora.Data;
using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>The second network of a distillation: a partner that learns too, or a teacher that stays as it is.</summary>
internal sealed class DistillationPartner : IDisposable
{
    // The partner's dropout masks are its own.
    private const ulong PartnerSeed = 0x5EED_0F_7EAC_4E80;
    private readonly DistillationConfig _config;
    private readonly ulong _seed;
    private readonly VideoNetwork _network;
    private readonly FeatureMatch? _features;

    /// <summary>Wraps a network.</summary>
    /// <param name="network">Stays the caller's; it is set to evaluation mode and frozen if it is a teacher.</param>
    /// <param name="student">The network that it helps; stays the caller's.</param>
    /// <param name="config">The run.</param>
    public DistillationPartner(VideoNetwork network, VideoNetwork student, TrainingConfig config)
    {
        (_network, _config, _seed) = (network, config.Distillation, config.Seed ^ PartnerSeed);
        _network.Train(Learns);
        foreach ((_, Tensor value) in _network.NamedParameters().Where(_ => !Learns))
        {
            value.RequiresGrad = false;
        }

        _features = _config.FeatureWeight > 0 ? new FeatureMatch(student, network, _seed) : null;
    }

    /// <summary>What a teacher said about each clip; null asks it about every batch.</summary>
    public TeacherScores? Scores { get; set; }

    private bool Learns => _config.Kind == DistillationKind.Mutual;

    /// <summary>The parameters that learn, under names that no network has.</summary>
    /// <param name="rules">The run's rules; what is frozen in the student isn't frozen here.</param>
    public IEnumerable<ParameterGroup> Groups(ParameterRules rules) => !Learns ? Projection() :
        ParameterPlan.For(_network, rules with { Frozen = [], PartialBatchNorm = false }).Groups
            .Select(g => g with { Parameters = [.. g.Parameters.Select(p => ("partner." + p.Name, p.Value))] });

    private IEnumerable<ParameterGroup> Projection() =>
        _features is null ? [] : [new ParameterGroup([.. _features.Projection.NamedParameters().Select(p => ("features." + p.Name, p.Value))])];

    /// <summary>Adds what the second network has to say to the student's loss.</summary>
    /// <param name="loss">The student's loss against the labels.</param>
    /// <param name="student">The student's logits, [N, classes].</param>
    /// <param name="clips">What it has seen.</param>
    /// <param name="batch">The same as a batch.</param>
    /// <param name="targets">The labels.</param>
    /// <param name="labelled">The loss against labels.</param>
    /// <param name="epoch">Epoch, for random choices.</param>
    /// <param name="step">Batch of the epoch.</param>
    /// <param name="part">Which of a joint batch's clips these are; null for all.</param>
    /// <returns>The whole loss, in the current scope.</returns>
    public Tensor Join(Tensor loss, Tensor student, Tensor clips, ClipBatch batch, Targets targets, ClassificationLoss labelled, int epoch, int step, BatchPart? part = null)
    {
        if (Learns)
        {
            _network.SetRandomKey(_seed, epoch, step, part);
            Tensor partner = _network.Forward(clips).To(student.DType);
            double temperature = _config.Temperature ?? 1; // the paper has none
            Tensor both = loss + labelled.Compute(partner, targets);
            return (both * _config.LabelWeight) + (DistillationLosses.Mutual(student / temperature, partner / temperature) * _config.Weight);
        }

        if (batch.Count == 0)
        {
            return loss; // a stand-in for clips that couldn't be read; nothing of it counts
        }

        Tensor whole = (loss * _config.LabelWeight) + (FromTeacher(student, clips, batch) * _config.Weight);
        return _features is null ? whole : whole + (_features.Loss(student.Shape[0], student.DType) * _config.FeatureWeight);
    }

    /// <summary>Gives all processes rank 0's partner.</summary>
    public void Synchronize(DistributedContext processes)
    {
        processes.Synchronize(_network);
        if (_features is not null)
        {
            processes.Synchronize(_features.Projection);
        }
    }

    /// <summary>Lets go of what is learned beside the networks; they stay their owner's.</summary>
    public void Dispose() => _features?.Dispose();

    /// <summary>What a checkpoint keeps: the weights of a partner that learns.</summary>
    public IEnumerable<(string Name, Tensor Value)> StateDict() => Learns ? _network.StateDict() : _features?.Projection.StateDict() ?? [];

    /// <summary>Restores them.</summary>
    public void LoadStateDict(IEnumerable<(string Name, Tensor Value)> state)
    {
        if (Learns)
        {
            _network.LoadStateDict(state);
        }
        else
        {
            _features?.Projection.LoadStateDict(state);
        }
    }

    private Tensor FromTeacher(Tensor student, Tensor clips, ClipBatch batch)
    {
        if (Scores is null)
        {
            Tensor teacher;
            using (Grad.Disable())
            {
                teacher = _network.Forward(clips).To(student.DType);
            }

            return Knowledge(student, teacher);
        }

        // Of mixed clips each part has its own answer.
        Tensor own = Knowledge(student, ScoresOf(batch, i => i).To(student.DType));
        if (batch.Partners is not { } partners)
        {
            return own;
        }

        double share = batch.Lambda![0];
        return (own * share) + (Knowledge(student, ScoresOf(batch, i => partners[i]).To(student.DType)) * (1 - share));
    }

    private Tensor Knowledge(Tensor student, Tensor teacher) => DistillationLosses.Knowledge(student, teacher, _config.Temperature ?? 4);

    private Tensor ScoresOf(ClipBatch batch, Func<int, int> clip)
    {
        int classes = _network.Classes, views = batch.Views;
        var values = new float[batch.Count * views * classes];
        for (int row = 0; row < batch.Count * views; row++)
        {
            Scores!.Of(batch.SampleIndices[clip(row / views)]).CopyTo(values.AsSpan(row * classes, classes));
        }

        return Tensor.From<float>(values, [batch.Count * views, classes]);
    }
}
