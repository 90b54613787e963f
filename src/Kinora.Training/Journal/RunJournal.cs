using System.Globalization;

namespace Kinora.Training;

/// <summary>
/// What a run says of itself while it goes on: lines of log.txt in the words of PaddleVideo, metrics.jsonl for programs, and
/// event files for TensorBoard. What is written depends on the step alone, not on when the run was interrupted; only times
/// differ. docs/run-files.md describes the files.
/// </summary>
internal sealed class RunJournal : IDisposable
{
    private readonly RunFolder _folder;
    private readonly TrainingPlan _plan;
    private readonly TimeProvider _clock;
    private readonly int _every;
    private readonly MetricsFile? _metrics;
    private readonly EventFile? _events;
    private int _batches;
    private int _clips;
    private double _seconds;
    private double _waited;

    /// <summary>Opens the files where the run begins or goes on; lines about later steps are cut off.</summary>
    /// <param name="folder">The run's folder; where it doesn't write, this object does nothing.</param>
    /// <param name="plan">The run.</param>
    /// <param name="state">Where it stands.</param>
    /// <param name="resumed">Whether it goes on.</param>
    /// <param name="clock">For times.</param>
    public RunJournal(RunFolder folder, TrainingPlan plan, RunState state, bool resumed, TimeProvider clock)
    {
        (_folder, _plan, _clock, _every) = (folder, plan, clock, plan.Config.Checkpoints.LogEverySteps);
        if (!folder.Writes)
        {
            return;
        }

        long steps = GlobalStep(state.Epoch, state.Step);
        _metrics = MetricsFile.Open(folder[RunFolder.JournalFile], resumed ? steps : -1, state.Epoch);
        _events = plan.Config.Checkpoints.TensorBoard ? EventFile.Create(folder[RunFolder.EventFolder], resumed ? steps + 1 : 0, clock) : null;
        TrainingConfig c = plan.Config;
        _metrics.Add(
            "run",
            ("time", clock.GetUtcNow()), ("global_step", steps), ("resumed", resumed), ("model", c.Model.Name), ("classes", plan.Labels.Count),
            ("train_clips", plan.TrainClips), ("validation_clips", plan.ValidationClips), ("test_clips", plan.TestClips), ("epochs", c.Loop.Epochs),
            ("steps_per_epoch", plan.StepsPerEpoch), ("batch_size", c.Loop.BatchSize), ("processes", plan.Processes), ("seed", c.Seed.ToString(CultureInfo.InvariantCulture)),
            ("arithmetic", state.Arithmetic));
    }

    private int Epochs => _plan.Config.Loop.Epochs!.Value;

    /// <summary>Tells what will be done from here on.</summary>
    /// <param name="state">Where the run stands.</param>
    public void Plan(RunState state)
    {
        TrainingConfig c = _plan.Config;
        if (state.Epoch + state.Step > 0)
        {
            _folder.Log(Text($"resumed at epoch {state.Epoch + 1}, step {state.Step + 1}; what stands above about later steps was lost and is done again"));
        }

        _folder.Log(Text($"{_plan.TrainClips} training, {_plan.ValidationClips} validation, {_plan.TestClips} test clips of {_plan.Labels.Count} classes; ")
            + Text($"{c.Model.Name}, {_plan.ClipSpec.Frames} frames of {_plan.ClipSpec.Size}; {c.Loop.Epochs} epochs of {_plan.StepsPerEpoch} steps of {c.Loop.BatchSize}; {(_plan.BFloat16 ? "bfloat16" : "float32")}, {c.Threads} threads, seed {c.Seed}"));
        foreach (string note in _plan.Notes)
        {
            _folder.Log(note);
        }
    }

    /// <summary>A batch was learned from.</summary>
    /// <param name="step">Its figures.</param>
    /// <param name="learned">What it gave.</param>
    /// <param name="top5">Share of the epoch's clips so far whose class was among the best five.</param>
    /// <param name="waited">Time spent waiting for it, in seconds.</param>
    /// <param name="computed">Time spent computing, in seconds.</param>
    public void Step(TrainingProgress.Step step, LearnedBatch learned, double top5, double waited, double computed)
    {
        _batches++;
        _clips += learned.Clips;
        _seconds += waited + computed;
        _waited += waited;
        if ((step.StepInEpoch - 1) % _every != 0 && step.StepInEpoch != step.StepsPerEpoch)
        {
            return;
        }

        double clips = Math.Max(1, learned.Clips), top1 = learned.Right / clips, speed = _clips / Math.Max(1e-9, _seconds);
        long at = GlobalStep(step.Epoch - 1, step.StepInEpoch);
        _folder.Log(Text($"epoch:[{step.Epoch,3}/{step.Epochs,-3}] train step:{step.StepInEpoch - 1,-4} loss: {step.Loss:0.00000} lr: {step.LearningRate:0.000000} ")
            + Text($"top1: {top1:0.00000} top5: {learned.RightInFive / clips:0.00000} batch_cost: {_seconds / _batches:0.00000} sec, reader_cost: {_waited / _batches:0.00000} sec, ")
            + Text($"ips: {speed:0.00000} instance/sec, eta: {Clock(step.Remaining)}"));
        _metrics?.Add(
            "step",
            ("time", _clock.GetUtcNow()), ("epoch", step.Epoch), ("step", step.StepInEpoch), ("global_step", at), ("loss", step.Loss), ("top1", top1), ("top5", learned.RightInFive / clips),
            ("mean_loss", step.MeanLoss), ("mean_top1", step.Accuracy), ("mean_top5", top5), ("learning_rate", step.LearningRate), ("gradient_norm", step.GradientNorm), ("clips", learned.Clips),
            ("step_seconds", _seconds / _batches), ("wait_seconds", _waited / _batches), ("clips_per_second", speed), ("remaining_seconds", step.Remaining.TotalSeconds));
        _events?.Add(
            at,
            ("train/loss", step.Loss), ("train/top1", top1), ("train/top5", learned.RightInFive / clips), ("train/gradient_norm", step.GradientNorm), ("train/learning_rate", step.LearningRate),
            ("speed/clips_per_second", speed), ("speed/loader_share", _waited / Math.Max(1e-9, _seconds)));
        (_batches, _clips, _seconds, _waited) = (0, 0, 0, 0);
    }

    /// <summary>An epoch is over. To be told before the checkpoint that says so: then a run that dies in between tells it again.</summary>
    /// <param name="e">Its figures.</param>
    /// <param name="clips">Clips that were learned from.</param>
    /// <param name="best">Whether it is the best so far.</param>
    public void Epoch(EpochRecord e, int clips, bool best)
    {
        long at = GlobalStep(e.Epoch, 0);
        double batch = e.TrainSeconds / _plan.StepsPerEpoch;
        _folder.Log(Text($"END epoch:{e.Epoch,-3} train loss_avg: {e.TrainLoss:0.00000} top1_avg: {e.TrainTop1:0.00000} top5_avg: {e.TrainTop5:0.00000} ")
            + Text($"avg_batch_cost: {batch:0.00000} sec, avg_reader_cost: {batch * e.LoaderShare:0.00000} sec, batch_cost_sum: {e.TrainSeconds:0.00000} sec, avg_ips: {e.ClipsPerSecond:0.00000} instance/sec."));
        if (e.ValidationLoss is double loss)
        {
            string map = e.ValidationMeanAveragePrecision is double value ? Text($" mAP: {value:0.00000}") : "";
            _folder.Log(Text($"END epoch:{e.Epoch,-3} val loss_avg: {loss:0.00000} top1_avg: {e.ValidationTop1:0.00000} top5_avg: {e.ValidationTop5:0.00000}{map} ")
                + Text($"batch_cost_sum: {e.EvaluationSeconds:0.00000} sec, avg_ips: {_plan.ValidationClips / Math.Max(1e-9, e.EvaluationSeconds):0.00000} instance/sec."));
        }

        _metrics?.Add(
            "epoch",
            ("time", _clock.GetUtcNow()), ("epoch", e.Epoch), ("global_step", at), ("train_loss", e.TrainLoss), ("train_top1", e.TrainTop1), ("train_top5", e.TrainTop5),
            ("learning_rate", e.LearningRate), ("validation_loss", e.ValidationLoss), ("validation_top1", e.ValidationTop1), ("validation_top5", e.ValidationTop5),
            ("validation_map", e.ValidationMeanAveragePrecision), ("clips", clips), ("failures", e.Failures), ("best", best),
            ("clips_per_second", e.ClipsPerSecond), ("loader_share", e.LoaderShare), ("train_seconds", e.TrainSeconds), ("evaluation_seconds", e.EvaluationSeconds));
        _events?.Add(
            at,
            ("epoch/loss", e.TrainLoss), ("epoch/top1", e.TrainTop1), ("epoch/top5", e.TrainTop5), ("validation/loss", e.ValidationLoss), ("validation/top1", e.ValidationTop1),
            ("validation/top5", e.ValidationTop5), ("validation/map", e.ValidationMeanAveragePrecision));
    }

    /// <summary>The best weights were evaluated at the end.</summary>
    /// <param name="split">"validation" or "test".</param>
    /// <param name="epoch">Epoch of the weights.</param>
    /// <param name="result">The figures.</param>
    public void Evaluation(string split, int epoch, EvaluationResult result)
    {
        _metrics?.Add(
            "evaluation",
            ("time", _clock.GetUtcNow()), ("split", split), ("epoch", epoch), ("global_step", GlobalStep(Epochs, 0)), ("clips", result.Clips), ("failures", result.Failures), ("loss", result.Loss),
            ("top1", result.Top1), ("top5", result.Top5), ("mean_class_accuracy", result.MeanClassAccuracy), ("map", result.MeanAveragePrecision), ("evaluation_seconds", result.Elapsed.TotalSeconds));
        if (split == "test")
        {
            _events?.Add(GlobalStep(Epochs, 0), ("test/loss", result.Loss), ("test/top1", result.Top1), ("test/top5", result.Top5), ("test/map", result.MeanAveragePrecision));
        }
    }

    /// <summary>Where the time went.</summary>
    /// <param name="profile">The figures.</param>
    /// <param name="state">Where the run stands.</param>
    public void Profile(StepProfile profile, RunState state)
    {
        foreach (string line in profile.ToText().TrimEnd().Split('\n'))
        {
            _folder.Log(line);
        }

        _metrics?.Add(
            "profile",
            [
                ("time", _clock.GetUtcNow()), ("global_step", GlobalStep(state.Epoch, state.Step)), ("steps", profile.Steps), ("clips", profile.Clips), ("seconds", profile.Seconds),
                .. profile.Stages.Select(s => (Snake(s.Stage) + "_seconds", (object?)s.Seconds)),
                ("compute_share", profile.ComputeShare), ("peak_process_bytes", profile.PeakProcessBytes), ("peak_tensor_bytes", profile.PeakTensorBytes), ("live_tensor_bytes", profile.LiveTensorBytes),
            ]);
    }

    public void Dispose()
    {
        _metrics?.Dispose();
        _events?.Dispose();
    }

    private long GlobalStep(int epoch, int step) => ((long)epoch * _plan.StepsPerEpoch) + step;

    private static string Snake(TrainingStage stage) =>
        string.Concat(stage.ToString().Select((c, i) => char.IsUpper(c) ? (i > 0 ? "_" : "") + char.ToLowerInvariant(c) : c.ToString()));

    private static string Clock(TimeSpan time) => Text($"{(long)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
