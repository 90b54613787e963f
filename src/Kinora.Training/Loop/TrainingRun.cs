using System.Globalization;
using System.Text.Json;
using Kinora.Data;
using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>One run from its first (or first resumed) step to its report. Lives on the compute thread.</summary>
internal sealed class TrainingRun : IDisposable
{
    private readonly PreparedRun _prepared;
    private readonly TrainingPlan _plan;
    private readonly TrainingConfig _config;
    private readonly TrainerOptions _options;
    private readonly DistributedContext _processes;
    private readonly IProgress<TrainingProgress>? _progress;
    private readonly CancellationToken _ct;
    private readonly TimeProvider _clock;
    private readonly StageClock _stages;
    private readonly StepPace _pace = new();
    private readonly RunFolder _folder;
    private readonly RunJournal _journal;
    private readonly RunState _state;
    private readonly VideoNetwork _network;
    private readonly Learner _learner;
    private readonly ClipLoader _trainLoader;
    private readonly ClipLoader? _validationLoader;
    private readonly RunCheckpoints _checkpoints;
    private readonly long _start;
    private double _evaluationSeconds;
    private bool _stopping;

    public TrainingRun(
        PreparedRun prepared, RunState? resumed, string? checkpoint, DistributedContext processes, TrainerOptions options, IProgress<TrainingProgress>? progress, CancellationToken ct)
    {
        (_prepared, _options, _processes, _progress, _ct) = (prepared, options, processes, processes.IsMain ? progress : null, ct);
        (_plan, _network, _clock) = (prepared.Plan, prepared.Network, options.Clock);
        _config = _plan.Config;
        _start = _clock.GetTimestamp();
        _stages = new StageClock(_clock);
        _learner = new Learner(prepared, processes, _stages);
        VideoDataset train = prepared.Splits.Train, validation = prepared.Splits.Validation;
        ClipCache? cache = _plan.Cached ? new ClipCache(Planner.CacheBudget(_config)) : null;
        _trainLoader = new ClipLoader(train, Shared(Planner.TrainingLoader(_config, _plan, prepared.Sides, cache)));
        _validationLoader = validation.Samples.Count == 0 ? null : new ClipLoader(validation, Shared(Planner.EvaluationLoader(_config, _plan.ClipSpec, cache)));
        _state = resumed ?? new RunState { Clips = Planner.Fingerprint(prepared.Splits), CacheBytes = _plan.CacheBytes, Arithmetic = Arithmetic() };
        if (resumed is not null)
        {
            Checkpoint.LoadWeights(_network, checkpoint!);
            using var scope = new TensorScope();
            _learner.LoadStateDict(Checkpoint.ReadState(checkpoint!));
            _learner.Schedule.Restore(_state.SchedulePosition);
        }

        _state.Processes = processes.Size;
        _learner.Synchronize();
        _folder = new RunFolder(_plan.RunFolder, _clock, processes.IsMain);
        _checkpoints = new RunCheckpoints(_folder, _plan, _network, _learner, _state, _stages, _clock)
        {
            Provenance = options.Provenance,
            Written = path => Report(new TrainingProgress.CheckpointWritten(path)),
        };
        if (resumed is not null && Path.GetFileName(checkpoint) != RunFolder.LastFile)
        {
            _checkpoints.WriteLast(); // before anything forgets the steps behind this checkpoint
        }

        _journal = new RunJournal(_folder, _plan, _state, resumed is not null, _clock);
    }

    private EpochRecord? Best => _state.Epochs.FirstOrDefault(e => e.Epoch == _state.BestEpoch);

    private int Epochs => _config.Loop.Epochs!.Value;

    private bool IsExhausted => _config.Loop.Patience is int patience && _state.EvaluationsWithoutBest >= patience;

    public void Dispose()
    {
        _trainLoader.Dispose();
        _validationLoader?.Dispose();
        _learner.Dispose();
        _journal.Dispose();
        _folder.Dispose();
    }

    public TrainingOutcome Run()
    {
        if (_folder.Writes)
        {
            AtomicFile.WriteText(_folder[RunFolder.ConfigFile], ConfigYaml.Write(_config));
        }

        Report(new TrainingProgress.Planned(_plan));
        LogPlan();
        CompleteEpoch();
        AskTeacher();
        _network.Train();
        _stages.Restart();
        while (_state.Epoch < Epochs && !IsExhausted)
        {
            if (!TrainEpoch() || !FinishEpoch())
            {
                _checkpoints.WriteLast();
                _folder.Log("cancelled; continue with --resume");
                return Outcome(TrainingEnd.Cancelled);
            }

            if (_options.StopAfterEpoch is int stop && _state.Epoch >= stop && _state.Epoch < Epochs)
            {
                _folder.Log(Text($"stopped after epoch {_state.Epoch}, as asked; continue with --resume"));
                return Outcome(TrainingEnd.Stopped);
            }
        }

        try
        {
            return Finish();
        }
        catch (OperationCanceledException) when (_stopping || _ct.IsCancellationRequested)
        {
            return Outcome(TrainingEnd.Cancelled); // last.safetensors holds the finished training
        }
    }

    private void AskTeacher()
    {
        if (!_config.Distillation.CacheScores)
        {
            return;
        }

        SecondNetwork second = _prepared.Second!;
        VideoDataset train = _prepared.Splits.Train;
        var relay = new Relay(done => Report(new TrainingProgress.Evaluating("teacher", done, train.Samples.Count)));
        _processes.MainFirst(() => _learner.UseTeacherScores(TeacherScores.Prepare(
            Path.Combine(_config.Output, PartnerNetwork.ScoresFolder), second.Network, second.Identity, second.Spec, train,
            _config.Loop.EvaluationBatchSize ?? _config.Loop.BatchSize!.Value, relay, _ct)));
    }

    // Returns false when cancelled; the state then says where.
    private bool TrainEpoch()
    {
        if (_state.Step >= _plan.StepsPerEpoch)
        {
            return true; // resumed between the last step and the evaluation
        }

        // What batches have accumulated isn't part of a checkpoint, so a run stops between the optimiser's steps only.
        CancellationToken ct = _config.Loop.Accumulate == 1 ? LoaderToken : CancellationToken.None;
        long last = _clock.GetTimestamp();
        _stages.Enter(TrainingStage.LoaderWait);
        try
        {
            foreach (ClipBatch batch in _trainLoader.Epoch(_state.Epoch, _state.Step, ct))
            {
                using (batch)
                {
                    _stages.Enter(TrainingStage.Other);
                    double waited = Lap(ref last);
                    if (_learner.IsBetweenSteps && IsStopping())
                    {
                        return false;
                    }

                    if (batch.Index >= _plan.StepsPerEpoch)
                    {
                        break;
                    }

                    NoteFailures(batch.Failures.Count);
                    _state.Step = batch.Index; // batches without a readable clip don't arrive
                    LearnedBatch learned = Learn(batch);
                    NoteFailures(batch.Failures);
                    double computed = Lap(ref last);
                    _state.TrainSeconds += waited + computed;
                    _state.WaitSeconds += waited;
                    ReportStep(learned, batch.Views, waited, computed);
                }

                if (_checkpoints.IsDue)
                {
                    _checkpoints.WriteLast();
                }

                last = _clock.GetTimestamp(); // a checkpoint isn't waiting for clips
                _stages.Enter(TrainingStage.LoaderWait);
            }
        }
        catch (OperationCanceledException) when (_stopping || _ct.IsCancellationRequested)
        {
            return false;
        }

        _stages.Enter(TrainingStage.Update);
        _learner.EndEpoch();
        _stages.Enter(TrainingStage.Other);
        NoteFailures(Joint(_trainLoader.Failures));
        _state.Step = _plan.StepsPerEpoch;
        return true;
    }

    private LearnedBatch Learn(ClipBatch batch)
    {
        LearnedBatch learned;
        try
        {
            learned = _learner.Learn(batch, _state.Epoch, _state.Step);
        }
        catch (NotFiniteNumberException e)
        {
            throw NotFinite(e.Message, e.OffendingNumber);
        }

        LearningRateSchedule schedule = _learner.Schedule;
        _state.LastRate = schedule.Rate;
        _state.Step++;
        if (schedule.Interval == ScheduleInterval.Step)
        {
            schedule.MoveNext();
        }

        _state.Right += learned.Right;
        _state.RightInFive += learned.RightInFive;
        _state.Seen += learned.Clips; // clips, should a video give several
        _state.LossSum += learned.Loss * learned.Clips;
        return learned;
    }

    // Evaluates, writes best and last. Returns false when cancelled before anything was written.
    private bool FinishEpoch()
    {
        int epoch = _state.Epoch + 1;
        EvaluationResult? validation = null;
        double evaluationSeconds = 0;
        ClipLoader? validationLoader = epoch == Epochs || (_config.Loop.EvaluateEvery > 0 && epoch % _config.Loop.EvaluateEvery == 0) ? _validationLoader : null;

        // Without validation clips the last epoch is the best, and its statistics matter just as much.
        if (validationLoader is not null || (_validationLoader is null && epoch == Epochs))
        {
            long start = _clock.GetTimestamp();
            _stages.Enter(TrainingStage.Evaluation);
            try
            {
                using IDisposable? averaged = _learner.Averaged();
                RefreshBatchNorm(epoch);
                validation = validationLoader is null ? null : Evaluate(validationLoader, _prepared.Splits.Validation, "validation", _plan.BFloat16);
            }
            catch (OperationCanceledException) when (_stopping || _ct.IsCancellationRequested)
            {
                return false;
            }

            evaluationSeconds = _evaluationSeconds = _clock.GetElapsedTime(start).TotalSeconds;
        }

        _stages.Enter(TrainingStage.Other);
        EpochRecord record = _state.Record(validation, evaluationSeconds);
        bool best = IsBest(validation, epoch);
        _journal.Epoch(record, _state.Seen, best);
        _state.Epochs.Add(record);
        if (best)
        {
            (_state.BestEpoch, _state.BestTop1, _state.BestLoss, _state.EvaluationsWithoutBest) = (epoch, validation?.Score ?? double.NaN, validation?.Loss ?? double.NaN, 0);
            using IDisposable? averaged = _learner.Averaged();
            _checkpoints.WriteBest(record);
        }
        else if (validation is not null)
        {
            _state.EvaluationsWithoutBest++;
        }

        if (_learner.Schedule.Interval == ScheduleInterval.Epoch)
        {
            _learner.Schedule.MoveNext();
        }

        _state.Epoch++;
        _state.BeginEpoch();
        _checkpoints.WriteLast();
        _checkpoints.KeepEpoch(epoch);
        _folder.WriteMetrics(_state.Epochs);
        _folder.Log(Text($"epoch {epoch}/{Epochs}: loss {record.TrainLoss:0.0000}, training top-1 {record.TrainTop1:0.000}, ")
            + (validation is null ? "not evaluated" : Text($"validation loss {validation.Loss:0.0000}, top-1 {validation.Top1:0.000}"))
            + Text($", lr {record.LearningRate:0.######}, {record.ClipsPerSecond:0.0} clips/s, waiting {record.LoaderShare:0 %}{(best ? ", best so far" : "")}"));
        Report(new TrainingProgress.EpochEnded(record, best));
        if (IsExhausted && epoch < Epochs)
        {
            Notice(Text($"stops after epoch {epoch}: {_config.Loop.Patience} evaluations without a better one (loop.patience)"));
        }

        return true;
    }

    // What a run that died between the checkpoint behind an epoch and the next line of code didn't get to write.
    private void CompleteEpoch()
    {
        _folder.WriteMetrics(_state.Epochs);
        _checkpoints.KeepMissingEpoch();
    }

    private bool IsBest(EvaluationResult? validation, int epoch)
    {
        if (_validationLoader is null)
        {
            return epoch == Epochs;
        }

        if (validation is null)
        {
            return false;
        }

        bool best = BestEpochRule.Replaces(validation.Score, validation.Loss, validation.Clips, _state.HighestTop1, _state.BestTop1, _state.BestLoss);
        _state.HighestTop1 = Math.Max(_state.HighestTop1, validation.Score);
        return best;
    }

    private void RefreshBatchNorm(int epoch)
    {
        LoopConfig loop = _config.Loop;
        if (loop.PreciseBatchNormBatches == 0 || (epoch % loop.PreciseBatchNormEvery != 0 && epoch != Epochs))
        {
            return;
        }

        // The epoch's first batches once more, as they were: a resumed run finds the same ones.
        using IEnumerator<ClipBatch> batches = _trainLoader.Epoch(_state.Epoch, 0, LoaderToken).GetEnumerator();
        int step = 0;
        PreciseBatchNorm.Run(_network, Forward, loop.PreciseBatchNormBatches);

        bool Forward()
        {
            if (IsStopping())
            {
                throw new OperationCanceledException(_ct);
            }

            if (!batches.MoveNext())
            {
                return false;
            }

            using ClipBatch batch = batches.Current;
            _learner.Observe(batch, _state.Epoch, _plan.StepsPerEpoch + step++);

            return true;
        }
    }

    // The best weights on validation and test in float32, the arithmetic of the exported model, and the report.
    private TrainingOutcome Finish()
    {
        EvaluationResult? validation = null, test = null;
        string best = _folder[RunFolder.BestFile];
        if (_processes.IsMain && File.Exists(best))
        {
            Checkpoint.LoadWeights(_network, best);
        }

        _processes.Synchronize(_network);

        if (_validationLoader is not null)
        {
            validation = Evaluate(_validationLoader, _prepared.Splits.Validation, "validation", bfloat16: false);
            _journal.Evaluation("validation", _state.BestEpoch, validation);
        }

        if (_prepared.Splits.Test is { Samples.Count: > 0 } testSet)
        {
            using var loader = new ClipLoader(testSet, Shared(Planner.TestLoader(_config, _plan)));
            test = Evaluate(loader, testSet, "test", bfloat16: false);
            _folder.Log(Text($"test with the weights of epoch {_state.BestEpoch}: top-1 {test.Top1:0.0000} of {test.Clips} clips ({test.Failures} unreadable)"));
            _journal.Evaluation("test", _state.BestEpoch, test);
            Report(new TrainingProgress.Tested(test));
        }

        string report = _folder[RunFolder.ReportFile];
        if (!_folder.Writes)
        {
            return Outcome(TrainingEnd.Completed) with { Validation = validation, Test = test };
        }

        HtmlReport.Write(report, new RunReport
        {
            Plan = _plan,
            Epochs = _state.Epochs,
            BestEpoch = _state.BestEpoch,
            Validation = validation,
            Test = test,
            Environment = MachineFacts.List(),
            Data = DataFacts(),
            Profile = _options.Profile ? _stages.Profile() : null,
            Unreadable = [.. _state.Unreadable.Select(u => new UnreadableClip(u.Key, u.Value))],
            FinishedAt = _clock.GetUtcNow(),
            Elapsed = TimeSpan.FromSeconds(_state.EarlierSeconds) + _clock.GetElapsedTime(_start),
            Thumbnails = new ClipThumbnails(_plan.ClipSpec).Of,
        });
        _folder.Log(Text($"done in {_clock.GetElapsedTime(_start).TotalSeconds:0} s"));
        return Outcome(TrainingEnd.Completed) with { Validation = validation, Test = test, Report = report };
    }

    private SplitFacts[] DataFacts() =>
    [
        .. new[] { ("training", _prepared.Splits.Train), ("validation", _prepared.Splits.Validation), ("test", _prepared.Splits.Test) }
            .Where(s => s.Item2 is { Samples.Count: > 0 }).Select(s => SplitFacts.Of(s.Item1, s.Item2!, _ct)),
    ];

    private EvaluationResult Evaluate(ClipLoader loader, VideoDataset dataset, string split, bool bfloat16)
    {
        var relay = new Relay(done => Report(new TrainingProgress.Evaluating(split, done, dataset.Samples.Count)));
        _stages.Enter(TrainingStage.Evaluation);
        EvaluationResult result;
        try
        {
            result = Evaluator.Evaluate(_network, loader, dataset, _clock, bfloat16, _plan.MultiLabel, relay, _ct, _processes);
        }
        catch (OperationCanceledException)
        {
            _stopping = true; // perhaps asked of another process
            throw;
        }

        _stages.Enter(TrainingStage.Other);
        foreach (SampleAnswer failed in result.Answers.Where(a => a.Failure is not null))
        {
            if (_state.Unreadable.TryAdd(failed.Path, failed.Failure!) && _config.Data.Unreadable != UnreadableClips.Fail)
            {
                Notice($"{split}: unreadable, counts as wrong: {failed.Failure}");
            }
        }

        if (_config.Data.Unreadable == UnreadableClips.Fail && result.Answers.FirstOrDefault(a => a.Failure is not null) is { } first)
        {
            throw new DatasetException(Text($"{split}: expected {result.Clips} readable clips (data.unreadable: fail), found {result.Failures} unreadable: {first.Failure}"), first.Path);
        }

        return result;
    }

    private void NoteFailures(IEnumerable<FailedSample> failures)
    {
        foreach (FailedSample failed in failures)
        {
            if (_state.Unreadable.TryAdd(failed.Path, failed.Reason))
            {
                Notice($"skipped, unreadable: {failed.Reason}");
            }
        }
    }

    // Unreadable clips of all processes; the loader knows only its own.
    private void NoteFailures(int here)
    {
        int joint = (int)_processes.Sum(here)[0];
        _state.Failures += joint;
        int allowed = (int)Math.Ceiling(_plan.TrainClips * _config.Data.FailureBudget);
        if (_processes.IsDistributed && _state.Failures > allowed)
        {
            throw new DatasetException(Text($"train: expected at most {allowed} unreadable clips an epoch on all processes, found more, such as {Joint(_trainLoader.Failures).FirstOrDefault()?.Reason}; repair or remove them, or raise data.failureBudget"));
        }
    }

    private IReadOnlyList<FailedSample> Joint(IReadOnlyList<FailedSample> failures)
    {
        if (!_processes.IsDistributed)
        {
            return failures;
        }

        string[] all = _processes.Gather(JsonSerializer.Serialize(failures));
        return [.. all.SelectMany(text => JsonSerializer.Deserialize<FailedSample[]>(text)!).OrderBy(f => f.SampleIndex)];
    }

    private ClipLoaderOptions Shared(ClipLoaderOptions options) => options with { Rank = _processes.Rank, Ranks = _processes.Size, Workers = _options.Workers ?? options.Workers };

    // With several processes all stop at the same place or none does: they ask each other instead of the token.
    private CancellationToken LoaderToken => _processes.IsDistributed ? CancellationToken.None : _ct;

    private bool IsStopping() => _stopping |= _processes.Sum(_ct.IsCancellationRequested ? 1 : 0)[0] > 0;

    private TrainingException NotFinite(string what, double value)
    {
        string last = _folder[RunFolder.LastFile];
        string message = Text($"train: epoch {_state.Epoch + 1}, step {_state.Step + 1}: expected a finite {what}, found {value}; ")
            + Text($"try a lower optimizer.learningRate (now {_config.Optimizer.LearningRate:0.######}) or a longer schedule.warmupEpochs (now {_config.Schedule.WarmupEpochs:0.##})");
        _folder.Log(message);
        return new TrainingException(message, File.Exists(last) ? last : null);
    }

    private TrainingOutcome Outcome(TrainingEnd end)
    {
        StepProfile? profile = _options.Profile ? _stages.Profile() : null;
        if (profile is not null)
        {
            _journal.Profile(profile, _state);
        }

        return Outcome(end, profile);
    }

    private TrainingOutcome Outcome(TrainingEnd end, StepProfile? profile) => new()
    {
        End = end,
        Profile = profile,
        Plan = _plan,
        Epochs = [.. _state.Epochs],
        BestEpoch = _state.BestEpoch,
        BestValidationTop1 = Best?.ValidationTop1,
        BestValidationMeanAveragePrecision = Best?.ValidationMeanAveragePrecision,
        BestCheckpoint = File.Exists(_folder[RunFolder.BestFile]) ? _folder[RunFolder.BestFile] : null,
        LastCheckpoint = _folder[RunFolder.LastFile],
        Elapsed = _clock.GetElapsedTime(_start),
    };

    private void ReportStep(LearnedBatch learned, int views, double waited, double computed)
    {
        _pace.Add(waited, computed);
        int steps = ((Epochs - _state.Epoch) * _plan.StepsPerEpoch) - _state.Step;
        double evaluations = Planner.Evaluations(_config.Loop, Epochs - _state.Epoch);
        var step = new TrainingProgress.Step
        {
            Epoch = _state.Epoch + 1,
            Epochs = Epochs,
            StepInEpoch = _state.Step,
            StepsPerEpoch = _plan.StepsPerEpoch,
            Loss = learned.Loss,
            MeanLoss = _state.LossSum / Math.Max(1, _state.Seen),
            Accuracy = (double)_state.Right / Math.Max(1, _state.Seen),
            LearningRate = _state.LastRate,
            GradientNorm = learned.GradientNorm ?? double.NaN,
            ClipsPerSecond = learned.Clips / views / Math.Max(1e-9, _pace.StepSeconds),
            LoaderShare = _pace.WaitShare,
            Remaining = TimeSpan.FromSeconds((steps * _pace.StepSeconds) + (evaluations * _evaluationSeconds)),
        };
        _journal.Step(step, learned, (double)_state.RightInFive / Math.Max(1, _state.Seen), waited, computed);
        Report(step);
    }

    private void LogPlan()
    {
        _journal.Plan(_state);
        if (_state.Arithmetic != Arithmetic())
        {
            Notice($"this machine computes differently ({Arithmetic()}) from where the run began ({_state.Arithmetic}): the result won't be the same to the last bit");
        }
    }

    private void Notice(string message)
    {
        _folder.Log(message);
        Report(new TrainingProgress.Notice(message));
    }

    private void Report(TrainingProgress what) => _progress?.Report(what);

    private double Lap(ref long last)
    {
        long now = _clock.GetTimestamp();
        double seconds = _clock.GetElapsedTime(last, now).TotalSeconds;
        last = now;
        return seconds;
    }

    private string Arithmetic() => Text($"{MachineFacts.Processor()}, {Torch.Threads} threads, {(_plan.BFloat16 ? "bf16" : "fp32")}, libtorch {Torch.Version}{(_processes.IsDistributed ? $", {_processes.Size} processes" : "")}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
