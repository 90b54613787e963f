using Kinora.Data;

namespace Kinora.Training;

/// <summary>Trains a network on labelled clips.</summary>
public static class Trainer
{
    /// <summary>
    /// Plans, trains, evaluates and writes a run folder: config.yaml, log.txt, metrics.csv, metrics.jsonl, tensorboard/,
    /// best.safetensors, last.safetensors and report.html.
    /// </summary>
    /// <param name="config">What to do; open choices are filled in by the plan.</param>
    /// <param name="progress">Receives the plan first, then what happens, from the compute thread.</param>
    /// <param name="ct">
    /// Ends the run: once training has begun the last checkpoint is written and an outcome with
    /// <see cref="TrainingEnd.Cancelled"/> returned.
    /// </param>
    /// <returns>What came of it.</returns>
    /// <exception cref="OperationCanceledException">Cancelled before there was anything to save.</exception>
    /// <exception cref="ConfigException">The configuration is invalid.</exception>
    /// <exception cref="DatasetException">No usable clips, or more unreadable ones than the budget allows.</exception>
    /// <exception cref="TrainingException">Loss or gradients stopped being finite.</exception>
    public static TrainingOutcome Run(TrainingConfig config, IProgress<TrainingProgress>? progress = null, CancellationToken ct = default) =>
        Run(config, new TrainerOptions(), progress, ct);

    /// <summary>As <see cref="Run(TrainingConfig, IProgress{TrainingProgress}?, CancellationToken)"/>, with surroundings.</summary>
    /// <param name="config">What to do.</param>
    /// <param name="options">Clock, early stop, provenance.</param>
    /// <param name="progress">Receives what happens.</param>
    /// <param name="ct">Ends the run.</param>
    /// <returns>What came of it.</returns>
    public static TrainingOutcome Run(TrainingConfig config, TrainerOptions options, IProgress<TrainingProgress>? progress = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(options);
        return ComputeThread.Run(() => SharedRun.With(options, processes =>
        {
            using PreparedRun prepared = SharedRun.Prepare(processes, config, options, resumed: null, ct);
            using var run = new TrainingRun(prepared, resumed: null, checkpoint: null, processes, options, progress, ct);
            return run.Run();
        }));
    }

    /// <summary>
    /// Continues a run from its last checkpoint, or from its beginning where it ended before the first one. The result
    /// equals, bit for bit, what it would have been without the interruption, on the same machine with the same number of
    /// threads.
    /// </summary>
    /// <param name="runFolder">Folder of the run, or a checkpoint in it that was kept for continuing, such as epoch_00012.safetensors.</param>
    /// <param name="options">Clock, early stop, provenance; null for the defaults.</param>
    /// <param name="progress">Receives what happens.</param>
    /// <param name="ct">Ends the run.</param>
    /// <returns>What came of it.</returns>
    /// <exception cref="CheckpointException">
    /// There is no run, its last checkpoint is damaged (the message names others that may do), or the clips aren't those it
    /// was trained on.
    /// </exception>
    /// <exception cref="TrainingException">Another process writes the run at this moment.</exception>
    public static TrainingOutcome Resume(string runFolder, TrainerOptions? options = null, IProgress<TrainingProgress>? progress = null, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(runFolder);
        options ??= new TrainerOptions();
        if (File.Exists(runFolder) && Path.GetExtension(runFolder) != ".safetensors")
        {
            throw new CheckpointException("resume: expected the folder of a run, or a .safetensors checkpoint in it, found another file", runFolder);
        }

        string last = CheckpointOf(runFolder);
        runFolder = File.Exists(runFolder) ? Path.GetDirectoryName(Path.GetFullPath(runFolder))! : runFolder;
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(runFolder));
        string settled = Path.Combine(full, RunFolder.ConfigFile);
        if (!File.Exists(last))
        {
            // A run that was killed before its first checkpoint has its configuration only, with every choice made.
            return File.Exists(settled) && RunFolder.KeptEpochs(full).Count == 0
                ? Run(Changed(ConfigYaml.Load(settled), options) with { Name = Path.GetFileName(full), Output = Path.GetDirectoryName(full)! }, options with { Probe = false }, progress, ct)
                : throw new CheckpointException($"resume: expected {RunFolder.LastFile} in the run folder, found none; {Alternatives(full, last) ?? "start the run anew"}", runFolder);
        }

        return ComputeThread.Run(() => SharedRun.With(options, processes =>
        {
            (Checkpoint checkpoint, RunState state) = ReadState(full, last);
            TrainingConfig changed = Changed(checkpoint.Config, options);
            string[] changes = [.. ResumedSettings.Describe(checkpoint.Config, changed, state.Epoch)];
            RequireClips(changed.Data, options, last);
            TrainingConfig config = changed with { Name = Path.GetFileName(full), Output = Path.GetDirectoryName(full)! };
            config = SharedRun.Divide(config, state.Processes, processes.Size, last);
            using PreparedRun prepared = SharedRun.Prepare(processes, config, options, state, ct);
            if (Planner.Fingerprint(prepared.Splits) != state.Clips)
            {
                throw new CheckpointException("resume: expected the clips that the run began with, found others; start a new run", last);
            }

            PreparedRun same = prepared with
            {
                Plan = prepared.Plan with { Config = SharedRun.Divide(changed, state.Processes, processes.Size, last), RunFolder = full, Notes = [.. prepared.Plan.Notes, .. changes] },
            };
            using var run = new TrainingRun(same, state, last, processes, options, progress, ct);
            return run.Run();
        }));
    }

    /// <summary>The configuration of a run, with every choice made.</summary>
    /// <param name="runFolder">Folder of the run, or a checkpoint in it.</param>
    /// <returns>That of the checkpoint with which it would go on; config.yaml where there is none.</returns>
    /// <exception cref="CheckpointException">There is no run, or its checkpoint is damaged.</exception>
    public static TrainingConfig ConfigurationOf(string runFolder)
    {
        ArgumentException.ThrowIfNullOrEmpty(runFolder);
        string last = CheckpointOf(runFolder), settled = Path.Combine(runFolder, RunFolder.ConfigFile);
        return File.Exists(last) || !File.Exists(settled) ? Checkpoint.Read(last).Config : ConfigYaml.Load(settled);
    }

    /// <summary>Measures the weights of <see cref="ModelConfig.Weights"/> on the test clips, by the configuration's test specification.</summary>
    /// <param name="config">What would be trained; its weights must be there.</param>
    /// <param name="options">Surroundings; null for the defaults.</param>
    /// <param name="progress">Receives how far it is.</param>
    /// <param name="ct">Ends the measurement.</param>
    /// <returns>The figures: every clip counts exactly once.</returns>
    /// <exception cref="ConfigException">No weights, or weights that lack a part of the network.</exception>
    /// <exception cref="DatasetException">There is no test part.</exception>
    public static EvaluationResult Test(TrainingConfig config, TrainerOptions? options = null, IProgress<TrainingProgress>? progress = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        options = (options ?? new TrainerOptions()) with { Probe = false, Rendezvous = null };
        if (config.Model.Weights is null)
        {
            throw new ConfigException("test: expected weights to measure (model.weights, -w), found none");
        }

        return ComputeThread.Run(() =>
        {
            using PreparedRun prepared = Planner.Prepare(
                config with { Name = null, Distillation = new DistillationConfig(), Loop = config.Loop with { Epochs = config.Loop.Epochs ?? 1 } }, options, resumed: null, ct);
            if (prepared.StartReport is { } report && report.Missing.Count + report.Misshapen.Count > 0)
            {
                throw new ConfigException($"test: expected weights for the whole network, found {report.Missing.Count + report.Misshapen.Count} tensors missing or of another shape, such as {report.Missing.Concat(report.Misshapen).First().Name}", config.Model.Weights);
            }

            TrainingPlan plan = prepared.Plan;
            VideoDataset clips = prepared.Splits.Test is { Samples.Count: > 0 } test
                ? test
                : throw new DatasetException("test: expected a test part, found none (data.testList, or a folder test/)", plan.Config.Data.Path);
            using var loader = new ClipLoader(clips, Planner.TestLoader(plan.Config, plan));
            var relay = new Relay(done => progress?.Report(new TrainingProgress.Evaluating("test", done, clips.Samples.Count)));
            return Evaluator.Evaluate(prepared.Network, loader, clips, options.Clock, plan.BFloat16, plan.MultiLabel, relay, ct);
        });
    }

    private static string CheckpointOf(string runFolder) => File.Exists(runFolder) ? runFolder : Path.Combine(runFolder, RunFolder.LastFile);

    private static TrainingConfig Changed(TrainingConfig began, TrainerOptions options) =>
        options.Changes.Count == 0 ? began : ResumedSettings.Apply(began, options.Changes).Build();

    private static void RequireClips(DataConfig data, TrainerOptions options, string checkpoint)
    {
        string path = data.TrainList ?? data.Path;
        if (options.Splits is null && !Path.IsPathRooted(path) && !Path.Exists(path))
        {
            throw new DatasetException($"resume: expected the clips of the run in {path}, found nothing; the path is relative to where the run began: go there, or give the folder beside --resume", checkpoint);
        }
    }

    private static (Checkpoint Checkpoint, RunState State) ReadState(string folder, string path)
    {
        try
        {
            Checkpoint checkpoint = Checkpoint.Read(path);
            return checkpoint.TrainingState is string json
                ? (checkpoint, RunState.FromJson(json, path))
                : throw new CheckpointException("resume: expected the state of a run, found a checkpoint for use only", path);
        }
        catch (CheckpointException e) when (Alternatives(folder, path) is string others)
        {
            throw new CheckpointException($"{e.Message}; {others}", null, e);
        }
    }

    // Null: there are no others.
    private static string? Alternatives(string folder, string path)
    {
        string[] others = [.. RunFolder.KeptEpochs(folder).Append(Path.Combine(folder, RunFolder.LastFile)).Where(f => File.Exists(f) && Path.GetFullPath(f) != Path.GetFullPath(path))];
        return others.Length == 0 ? null : $"resume from another checkpoint by its path instead: {string.Join(", ", others.Take(3))}";
    }

    /// <summary>Works out what <see cref="Run(TrainingConfig, IProgress{TrainingProgress}?, CancellationToken)"/> would do, without doing it.</summary>
    /// <param name="config">What to do.</param>
    /// <param name="options">Whether to measure; null for the defaults.</param>
    /// <param name="ct">Ends the planning.</param>
    /// <returns>The plan.</returns>
    public static TrainingPlan Plan(TrainingConfig config, TrainerOptions? options = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        return ComputeThread.Run(() =>
        {
            // A run of this name may be there: planning doesn't touch it.
            using PreparedRun prepared = Planner.Prepare(config, (options ?? new TrainerOptions()) with { KeepName = config.Name is not null }, resumed: null, ct);
            return prepared.Plan;
        });
    }
}
