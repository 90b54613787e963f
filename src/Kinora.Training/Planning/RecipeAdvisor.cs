using Kinora.Data;

namespace Kinora.Training;

/// <summary>What of a run isn't in its configuration.</summary>
internal sealed record AdvisedRun
{
    /// <summary>Training clips of each class.</summary>
    public required IReadOnlyList<int> TrainPerClass { get; init; }

    /// <summary>Training clips; a clip of several classes counts once.</summary>
    public required int TrainClips { get; init; }

    /// <summary>Validation clips.</summary>
    public required int ValidationClips { get; init; }

    /// <summary>Frames of the training clips, of those where the source states them or somebody looked.</summary>
    public IReadOnlyList<int> FrameCounts { get; init; } = [];

    /// <summary>Processes that share the run.</summary>
    public int Processes { get; init; } = 1;

    /// <summary>Batches of an epoch.</summary>
    public required int StepsPerEpoch { get; init; }

    /// <summary>Whether clips may have several labels.</summary>
    public bool MultiLabel { get; init; }

    /// <summary>Counts the clips of a data set.</summary>
    /// <param name="splits">The clips.</param>
    /// <param name="stepsPerEpoch">Batches of an epoch.</param>
    /// <param name="processes">Processes that share the run.</param>
    /// <param name="multiLabel">Whether clips may have several labels.</param>
    /// <param name="measuredFrames">Frames of training clips whose source doesn't state them.</param>
    public static AdvisedRun Of(DatasetSplits splits, int stepsPerEpoch, int processes, bool multiLabel, IReadOnlyList<int> measuredFrames) => new()
    {
        TrainPerClass = splits.Train.CountPerClass(),
        TrainClips = splits.Train.Samples.Count,
        ValidationClips = splits.Validation.Samples.Count,
        FrameCounts = [.. splits.Train.Samples.Where(s => s is { FrameCount: not null, StartSeconds: null, EndSeconds: null }).Select(s => s.FrameCount!.Value), .. measuredFrames],
        Processes = processes,
        StepsPerEpoch = stepsPerEpoch,
        MultiLabel = multiLabel,
    };
}

/// <summary>
/// Sees where the values of a configuration don't fit each other or the data: what runs, but hardly as it is meant. Each
/// piece of advice is a sentence with the numbers, what will happen, and the key to change.
/// </summary>
internal static class RecipeAdvisor
{
    // Below this, one clip more or less moves the accuracy by more than 3 %.
    private const int FewValidationClips = 32;
    private const double LargeImbalance = 10;

    /// <summary>Advises.</summary>
    /// <param name="config">The configuration as it will run, with batch size, epochs, frames and warm-up filled in.</param>
    /// <param name="run">The clips and the machine.</param>
    /// <returns>One sentence each, in the order of the configuration's sections; none where all fits.</returns>
    public static IEnumerable<string> Advise(TrainingConfig config, AdvisedRun run) =>
    [
        .. Clips(config, run), .. Batches(config, run), .. Intervals(config, run), .. Loss(config, run), .. Rates(config, run),
    ];

    private static IEnumerable<string> Clips(TrainingConfig config, AdvisedRun run)
    {
        int frames = config.Model.Frames!.Value, known = run.FrameCounts.Count, few = run.FrameCounts.Count(f => f < frames);
        if (few > 0)
        {
            yield return Say($"{few} of {known} training clips with a known length have fewer than {frames} frames: some of their frames are shown more than once; model.frames={Math.Max(1, run.FrameCounts.Min())} fits all");
        }

        if (run.ValidationClips is > 0 and < FewValidationClips)
        {
            yield return Say($"there are only {run.ValidationClips} validation clips: each of them is {100.0 / run.ValidationClips:0.#} % of the accuracy that chooses the best epoch, so small differences mean nothing");
        }
    }

    private static IEnumerable<string> Batches(TrainingConfig config, AdvisedRun run)
    {
        int batch = config.Loop.BatchSize!.Value, processes = run.Processes, accumulate = config.Loop.Accumulate;
        if ((long)batch * processes > run.TrainClips)
        {
            yield return Say($"a step takes {Product(batch, processes)} clips, but there are only {run.TrainClips} for training: every epoch is a single smaller step; loop.batchSize={Math.Max(1, run.TrainClips / processes)} is the largest that is filled");
        }

        if (accumulate > 1 && run.StepsPerEpoch % accumulate != 0)
        {
            yield return accumulate > run.StepsPerEpoch
                ? Say($"loop.accumulate ({accumulate}) is more than the {run.StepsPerEpoch} batches of an epoch: the optimiser steps once an epoch, with those; lower it")
                : Say($"loop.accumulate ({accumulate}) doesn't divide the {run.StepsPerEpoch} batches of an epoch: its last step has the gradients of {run.StepsPerEpoch % accumulate} only");
        }
    }

    private static IEnumerable<string> Intervals(TrainingConfig config, AdvisedRun run)
    {
        int epochs = config.Loop.Epochs!.Value;
        bool lastOnly = config.Loop.EvaluateEvery == 0 || config.Loop.EvaluateEvery >= epochs;
        if (config.Loop.EvaluateEvery > epochs && run.ValidationClips > 0)
        {
            yield return Say($"loop.evaluateEvery ({config.Loop.EvaluateEvery}) is longer than the run ({Epochs(epochs)}): only the last epoch is validated, and counts as the best");
        }

        if (config.Checkpoints.EveryEpochs > epochs)
        {
            yield return Say($"checkpoints.everyEpochs ({config.Checkpoints.EveryEpochs}) is longer than the run ({Epochs(epochs)}): no checkpoint is kept beside the best and the last");
        }

        if (config.Loop is { PreciseBatchNormBatches: > 0 } loop && loop.PreciseBatchNormEvery > epochs)
        {
            yield return Say($"loop.preciseBatchNormEvery ({loop.PreciseBatchNormEvery}) is longer than the run ({Epochs(epochs)}): statistics are replaced after the last epoch only");
        }

        if (config.Loop.Patience is int patience)
        {
            if (run.ValidationClips == 0)
            {
                yield return Say($"loop.patience ({patience}) has no effect without validation clips: the run goes on to its last epoch");
            }
            else if (lastOnly)
            {
                yield return Say($"loop.patience ({patience}) has no effect where only the last epoch is validated (loop.evaluateEvery={config.Loop.EvaluateEvery})");
            }
        }
    }

    private static IEnumerable<string> Loss(TrainingConfig config, AdvisedRun run)
    {
        double smoothing = config.Loss.LabelSmoothing;
        if (run.TrainPerClass.Count == 2 && smoothing > 0 && !run.MultiLabel)
        {
            yield return Say($"loss.labelSmoothing ({smoothing:0.###}) with two classes teaches a score of {100 * (1 - (smoothing / 2)):0.#} % for what is certain; set it to 0 where scores are read as probabilities");
        }

        int[] there = [.. run.TrainPerClass.Where(c => c > 0)];
        if (there.Length > 1 && there.Max() > LargeImbalance * there.Min() && !config.Loss.BalanceClasses && config.Loss.ClassWeights.Count == 0)
        {
            yield return Say($"the largest class has {there.Max()} training clips, the smallest {there.Min()}: the network will prefer the large ones; loss.balanceClasses=true weighs them alike");
        }
    }

    private static IEnumerable<string> Rates(TrainingConfig config, AdvisedRun run)
    {
        int epochs = config.Loop.Epochs!.Value;
        ScheduleConfig schedule = config.Schedule;
        double factor = BatchScaling.Factor(config, run.Processes);
        if (factor != 1 && !config.Optimizer.ScaleToBatch)
        {
            long clips = BatchScaling.ClipsPerStep(config.Loop, run.Processes);
            yield return Say($"the learning rate is meant for {config.Optimizer.ReferenceBatch} clips a step, and this run has {clips}: optimizer.scaleToBatch=true multiplies all rates by {factor:0.####}, to {config.Optimizer.LearningRate * factor:0.######} at the peak");
        }

        double warmup = schedule.WarmupEpochs ?? 0;
        if (warmup >= epochs && warmup > 0)
        {
            yield return Say($"schedule.warmupEpochs ({warmup:0.###}) is as long as the run or longer ({Epochs(epochs)}): the learning rate never reaches its peak");
        }

        double[] late = [.. schedule.Milestones.Where(m => m >= (schedule.MilestonesInSteps ? (double)epochs * run.StepsPerEpoch : epochs))];
        if (late.Length > 0 && UsesMilestones(schedule.Kind))
        {
            yield return Say($"schedule.milestones {string.Join(", ", late.Select(m => Say($"{m:0.###}")))} lie after the end of the run ({Epochs(epochs)}): the learning rate doesn't fall there");
        }

        if (schedule is { SpanEpochs: double span, Kind: ScheduleKind.WarmupCosine or ScheduleKind.WarmupCosineStep } && span != epochs)
        {
            yield return span > epochs
                ? Say($"schedule.spanEpochs ({span:0.###}) is longer than the run ({Epochs(epochs)}): the learning rate doesn't fall all the way; set it to auto to follow loop.epochs")
                : Say($"schedule.spanEpochs ({span:0.###}) is shorter than the run ({Epochs(epochs)}): the learning rate reaches its end before that, and then rises again; set it to auto to follow loop.epochs");
        }
    }

    private static bool UsesMilestones(ScheduleKind kind) =>
        kind is ScheduleKind.MultiStep or ScheduleKind.Piecewise or ScheduleKind.WarmupPiecewise or ScheduleKind.WarmupStep;

    private static string Epochs(int count) => count == 1 ? "1 epoch" : Say($"{count} epochs");

    private static string Product(int batch, int processes) => processes == 1 ? Say($"{batch}") : Say($"{batch} × {processes} processes = {(long)batch * processes}");

    private static string Say(FormattableString text) => FormattableString.Invariant(text);
}
