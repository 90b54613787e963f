using System.Diagnostics;
using System.Globalization;
using Kinora.Data;
using Kinora.Training;

namespace Kinora.Bench.Ablation;

/// <summary>
/// What each part of a recipe is worth: the recipe grows from one variant to the next, each is trained with several seeds, and
/// its last epoch answers on clips that nothing was chosen on.
/// </summary>
internal static class AblationBench
{
    // Each variant adds to the one before it.
    private static readonly (string Name, string[] Settings)[] Light =
    [
        ("no shift", ["model.temporalShift=false"]),
        ("shift", ["model.temporalShift=true"]),
        ("+ LTA", ["model.name=tsm_efficientnet_lite0_lta"]),
        ("+ VideoMix", ["augmentation.mix.kind=videoMix"]),
        ("+ DML", ["distillation.kind=mutual", "distillation.teacher=TEACHER"]),
    ];

    private static readonly (string Name, string[] Settings)[] PpTsmV2 =
    [
        ("no shift", ["model.name=pptsmv2", "model.temporalShift=false"]),
        ("shift", ["model.temporalShift=true"]),
        ("+ LTA", ["model.name=pptsmv2_lta"]),
        ("+ VideoMix", ["augmentation.mix.kind=videoMix"]),
        ("+ DML", ["distillation.kind=mutual", "distillation.teacher=TEACHER"]),
    ];

    public static int Run(BenchArguments arguments)
    {
        string folder = arguments.Files is [var only] ? only : throw new ConfigException("ablation: expected one folder of labelled clips");
        int seeds = arguments.Number("seeds", 3), epochs = arguments.Number("epochs", 12);
        string network = arguments.Text("network", "light"), teacher = arguments.Text("teacher", "tsm_efficientnet_lite0"), weights = arguments.Text("teacher-weights", "");
        string output = arguments.Text("output", Path.Combine(BenchFolder.Checkout, "artifacts", "bench", "ablation"));
        (string Name, string[] Settings)[] variants = network switch
        {
            "light" => Light,
            "pptsmv2" => PpTsmV2,
            _ => throw new ConfigException($"--network: expected light or pptsmv2, found '{network}'"),
        };
        string[] without = arguments.Text("without", "").Split(',', StringSplitOptions.RemoveEmptyEntries);
        string[] chosen = arguments.Text("only", "").Split(',', StringSplitOptions.RemoveEmptyEntries);
        string[] further = arguments.Text("set", "").Split(';', StringSplitOptions.RemoveEmptyEntries);
        DatasetSplits splits = Splits(folder);
        Console.WriteLine($"{network}: {splits.Train.Samples.Count} training clips, {splits.Test!.Samples.Count} held out, {splits.Train.Labels.Count} classes, {epochs} epochs, {seeds} seeds");
        Console.WriteLine("| variant | top-1 mean | standard deviation | each | minutes a run |");
        Console.WriteLine("|---|---|---|---|---|");
        var settings = new List<string>(further);
        foreach ((string name, string[] added) in variants.Where(v => !without.Contains(v.Name)))
        {
            settings.AddRange(added.Select(a => a.Replace("TEACHER", teacher, StringComparison.Ordinal)));
            if (weights.Length > 0 && added.Any(a => a.StartsWith("distillation.", StringComparison.Ordinal)))
            {
                settings.Add($"distillation.teacherWeights={weights}");
            }

            if (chosen.Length > 0 && !chosen.Contains(name))
            {
                continue;
            }

            var accuracies = new List<double>();
            var elapsed = Stopwatch.StartNew();
            for (int seed = 1; seed <= seeds; seed++)
            {
                var draft = new ConfigDraft();
                draft.SetText("name", $"{Guid.NewGuid():N}", "bench").SetText("output", output, "bench").SetText("data.path", folder, "bench");
                draft.Set("seed", seed.ToString(CultureInfo.InvariantCulture), "bench").Set("loop.epochs", epochs.ToString(CultureInfo.InvariantCulture), "bench");
                draft.Set("loop.evaluateEvery", "0", "bench");
                foreach (string setting in settings)
                {
                    draft.Set(ConfigSetting.Parse(setting, "--set"));
                }

                TrainingOutcome outcome = Trainer.Run(draft.Build(), new TrainerOptions { Splits = splits, Probe = false });
                accuracies.Add(100 * outcome.Test!.Top1);
            }

            double mean = accuracies.Average();
            double spread = accuracies.Count > 1 ? Math.Sqrt(accuracies.Sum(a => (a - mean) * (a - mean)) / (accuracies.Count - 1)) : 0;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {mean:F1} % | {spread:F1} | {string.Join(", ", accuracies.Select(a => a.ToString("F1", CultureInfo.InvariantCulture)))} | {elapsed.Elapsed.TotalMinutes / seeds:F1} |"));
        }

        return 0;
    }

    // Validation chooses nothing here: its clips are held out with those of the test.
    private static DatasetSplits Splits(string folder)
    {
        DatasetSplits found = DatasetFolder.Load(folder);
        VideoDataset held = found.Validation with { Samples = [.. found.Validation.Samples, .. found.Test?.Samples ?? []], Name = "held out" };
        return new DatasetSplits(found.Train, found.Validation with { Samples = [], Name = "none" }, held);
    }
}
