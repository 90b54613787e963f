using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>Writes the checkpoints of one run: the last state, the best weights, an epoch every so often. Lives on the compute thread.</summary>
internal sealed class RunCheckpoints
{
    private readonly RunFolder _folder;
    private readonly TrainingPlan _plan;
    private readonly VideoNetwork _network;
    private readonly Learner _learner;
    private readonly RunState _state;
    private readonly StageClock _stages;
    private readonly TimeProvider _clock;
    private readonly long _start;
    private long _lastWritten;
    private int _stepWritten;

    /// <summary>Begins; nothing is written.</summary>
    /// <param name="folder">The run's folder; a process that doesn't write there writes no checkpoints.</param>
    /// <param name="plan">The run.</param>
    /// <param name="network">Its network.</param>
    /// <param name="learner">What learns.</param>
    /// <param name="state">Where the run stands.</param>
    /// <param name="stages">Hears that time goes into checkpoints.</param>
    /// <param name="clock">Measures time.</param>
    public RunCheckpoints(RunFolder folder, TrainingPlan plan, VideoNetwork network, Learner learner, RunState state, StageClock stages, TimeProvider clock)
    {
        (_folder, _plan, _network, _learner, _state, _stages, _clock) = (folder, plan, network, learner, state, stages, clock);
        _start = _lastWritten = clock.GetTimestamp();
        _stepWritten = state.Step;
    }

    /// <summary>What the caller adds to where a file comes from.</summary>
    public IReadOnlyDictionary<string, string> Provenance { get; init; } = new Dictionary<string, string>();

    /// <summary>Hears the name of each file that was written.</summary>
    public Action<string>? Written { get; init; }

    /// <summary>Whether the run has gone on for so long that its state should be written inside an epoch.</summary>
    public bool IsDue => _learner.IsBetweenSteps && _state.Step < _plan.StepsPerEpoch
        && ((Config.EverySteps is int steps && _state.Step - _stepWritten >= steps)
            || _clock.GetElapsedTime(_lastWritten) > TimeSpan.FromMinutes(Config.EveryMinutes));

    private CheckpointConfig Config => _plan.Config.Checkpoints;

    /// <summary>Writes the network's weights as the best.</summary>
    /// <param name="record">The epoch that they come from.</param>
    public void WriteBest(EpochRecord record)
    {
        if (!_folder.Writes)
        {
            return;
        }

        _stages.Enter(TrainingStage.Checkpoints);
        string path = _folder[RunFolder.BestFile];
        Describe(record, state: null).Write(path, _network.StateDict());
        Written?.Invoke(path);
    }

    /// <summary>Writes all that going on needs.</summary>
    public void WriteLast()
    {
        if (!_folder.Writes)
        {
            return;
        }

        _stages.Enter(TrainingStage.Checkpoints);
        using var scope = new TensorScope();
        _state.SchedulePosition = _learner.Schedule.Position;
        double before = _state.EarlierSeconds;
        _state.EarlierSeconds += _clock.GetElapsedTime(_start).TotalSeconds;
        string path = _folder[RunFolder.LastFile];
        Describe(_state.Epochs.LastOrDefault(), _state.ToJson()).Write(path, _network.StateDict(), _learner.StateDict());
        _state.EarlierSeconds = before;
        (_lastWritten, _stepWritten) = (_clock.GetTimestamp(), _state.Step);
        _stages.Enter(TrainingStage.Other);
        Written?.Invoke(path);
    }

    /// <summary>Keeps a copy of the last state under the epoch's number, if it is the turn of this epoch.</summary>
    /// <param name="epoch">Finished epochs.</param>
    public void KeepEpoch(int epoch)
    {
        if (_folder.Writes && Config.EveryEpochs > 0 && (epoch % Config.EveryEpochs == 0 || epoch == _plan.Config.Loop.Epochs))
        {
            _folder.KeepEpoch(epoch, Config.Keep);
        }
    }

    /// <summary>Keeps the copy that a run didn't get to which died just behind the end of an epoch.</summary>
    public void KeepMissingEpoch()
    {
        if (_state is { Epoch: > 0, Step: 0 } && !File.Exists(_folder[RunFolder.EpochFile(_state.Epoch)]))
        {
            KeepEpoch(_state.Epoch);
        }
    }

    private Checkpoint Describe(EpochRecord? record, string? state) => new()
    {
        Model = _network.Name,
        Options = _network.Options,
        ClipSpec = _plan.ClipSpec,
        Labels = _plan.Labels,
        Config = _plan.Config,
        Epoch = record?.Epoch ?? 0,
        Metrics = record is null ? new Dictionary<string, double>() : new Dictionary<string, double>
        {
            ["train_loss"] = record.TrainLoss,
            ["train_top1"] = record.TrainTop1,
            ["validation_loss"] = record.ValidationLoss ?? double.NaN,
            ["validation_top1"] = record.ValidationTop1 ?? double.NaN,
        },
        Provenance = MachineFacts.Provenance(Provenance),
        TrainingState = state,
    };
}
