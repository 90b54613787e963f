using System.Diagnostics;
using System.Globalization;
using Kinora.Data;
using Kinora.Training;

namespace Kinora.Bench.CrossValidation;

/// <summary>
/// Accuracy of the default recipe on a folder of clips by cross-validation: every clip is held out once, the network is
/// trained on the others exactly as <c>kinora train</c> does it, and its last epoch answers. Nothing is chosen on held-out clips.
/// </summary>
internal static class CrossValidationBench
{
    public static int Run(BenchArguments arguments)
    {
        string folder = arguments.Files is [var only] ? only : throw new ConfigException("cross-validation: expected one folder of labelled clips");
        int folds = arguments.Number("folds", 5), seeds = arguments.Number("seeds", 1);
        double minutes = arguments.Number("minutes", 8);
        string group = arguments.Text("group", "");
        string[] settings = arguments.Text("set", "").Split(';', StringSplitOptions.RemoveEmptyEntries);
        string output = arguments.Text("output", Path.Combine(BenchFolder.Checkout, "artifacts", "bench", "cross-validation"));
        VideoDataset all = Everything(folder);
        Console.WriteLine($"{all.Samples.Count} clips, {all.Labels.Count} classes, {folds} folds, {seeds} seeds, at most about {minutes} minutes a fold");
        var accuracies = new List<double>();
        for (int seed = 1; seed <= seeds; seed++)
        {
            int right = 0, failures = 0;
            var elapsed = Stopwatch.StartNew();
            IReadOnlyList<(VideoDataset Train, VideoDataset HeldOut)> parts = Parts(all, folds, group, (ulong)seed);
            for (int fold = 0; fold < folds; fold++)
            {
                (VideoDataset train, VideoDataset heldOut) = parts[fold];
                ConfigDraft draft = new ConfigDraft().SetText("name", $"seed{seed}-fold{fold + 1}-{Guid.NewGuid():N}", "bench").SetText("output", output, "bench")
                    .SetText("data.path", folder, "bench").Set("seed", seed.ToString(CultureInfo.InvariantCulture), "bench")
                    .Set("loop.timeBudgetMinutes", minutes.ToString(CultureInfo.InvariantCulture), "--minutes");
                foreach (string setting in settings)
                {
                    draft.Set(ConfigSetting.Parse(setting, "--set"));
                }

                TrainingConfig config = draft.Build();
                var options = new TrainerOptions { Splits = new DatasetSplits(train, all with { Samples = [], Name = "none" }, heldOut) };
                TrainingOutcome outcome = Trainer.Run(config, options);
                EvaluationResult test = outcome.Test!;
                int hits = test.Answers.Count(a => a.IsRight);
                (right, failures) = (right + hits, failures + test.Failures);
                Console.WriteLine($"seed {seed} fold {fold + 1}: {hits} of {test.Clips} right, {outcome.Epochs.Count} epochs, {outcome.Elapsed.TotalMinutes:F1} min");
            }

            accuracies.Add(100.0 * right / all.Samples.Count);
            Console.WriteLine($"seed {seed}: {right} of {all.Samples.Count} = {accuracies[^1]:F1} %, {failures} unreadable, {elapsed.Elapsed.TotalMinutes / folds:F1} min a fold");
        }

        double mean = accuracies.Average();
        double spread = accuracies.Count > 1 ? Math.Sqrt(accuracies.Sum(a => (a - mean) * (a - mean)) / (accuracies.Count - 1)) : 0;
        Console.WriteLine($"top-1 {mean:F1} % over {seeds} seeds, standard deviation {spread:F1}");
        return 0;
    }

    // With a pattern, clips whose paths have the same text in its first group are never on both sides.
    private static IReadOnlyList<(VideoDataset Train, VideoDataset HeldOut)> Parts(VideoDataset all, int folds, string group, ulong seed) => group.Length == 0
        ? [.. Enumerable.Range(0, folds).Select(fold => StratifiedSplit.Fold(all, folds, fold, seed))]
        : GroupedSplit.Folds(all, [.. SourceGroups.ByPattern([.. all.Samples.Select(s => s.Path)], group)], folds, seed);

    // The parts of a divided folder are one set here.
    private static VideoDataset Everything(string folder)
    {
        DatasetSplits splits = DatasetFolder.Load(folder);
        VideoSample[] samples =
        [
            .. splits.Train.Samples.Concat(splits.Validation.Samples).Concat(splits.Test?.Samples ?? []).OrderBy(s => s.Path, StringComparer.Ordinal),
        ];
        return splits.Train with { Samples = samples, Name = folder };
    }
}
