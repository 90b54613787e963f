using System.CommandLine;
using System.Text.Json;
using Kinora.Cli.Terminal;
using Kinora.Data;
using Kinora.Onnx;

namespace Kinora.Cli.Commands;

/// <summary>
/// <c>kinora eval</c>: how often a model is right on labelled videos. It runs the exported model through the very code
/// that classifies, so the figure is the one that users get; unreadable clips are listed and count as wrong.
/// </summary>
internal static class EvaluateCommand
{
    public static Command Create(Output output)
    {
        Argument<DirectoryInfo> data = new("folder") { Description = "A folder of class folders, optionally below train/, val/ and test/." };
        Option<string> model = new("--model", "-m") { Description = "A run folder or an .onnx file.", Required = true };
        Option<string> split = new("--split") { Description = "Which part of the folder: train, val, test or all.", DefaultValueFactory = _ => "test" };
        split.AcceptOnlyFromAmong("train", "val", "test", "all");
        Option<int> threads = new("--threads", "-t") { Description = "Clips at a time.", DefaultValueFactory = _ => Environment.ProcessorCount };
        Option<bool> json = new("--json") { Description = "Print the result as JSON, with every mistake." };
        Command command = new ExampleCommand(
            "eval",
            "Measures how often a model is right on labelled videos, each counted exactly once.",
            "eval --model runs/my-clips my-clips/", "eval --model model.onnx --split all more-clips/ --json")
        {
            data, model, split, threads, json,
        };
        command.SetAction((parsed, ct) => Task.FromResult(Run(parsed, ct)));
        return command;

        int Run(ParseResult parsed, CancellationToken ct)
        {
            string folder = parsed.GetValue(data)!.ToString();
            string part = parsed.GetValue(split)!;
            VideoDataset dataset = Choose(folder, part);
            using VideoClassifier classifier = VideoClassifier.Load(parsed.GetValue(model)!, new ClassifierOptions { Threads = Math.Max(1, parsed.GetValue(threads)) });
            LabelMap labels = classifier.Model.Labels;
            foreach (string name in dataset.Labels.Names)
            {
                if (!labels.TryGetIndex(name, out _))
                {
                    throw new DatasetException(
                        $"eval: class '{name}' of the folder is none of the model's {labels.Count} classes{NearestName.Suggestion(name, labels.Names)}; rename the folder or choose another model", folder);
                }
            }

            EvaluationSummary summary = Evaluate(classifier, dataset, parsed.GetValue(model)!, folder, part, ct);
            if (parsed.GetValue(json))
            {
                output.Out.WriteLine(JsonSerializer.Serialize(summary, CliJson.Default.EvaluationSummary));
            }
            else
            {
                Print(output, summary);
            }

            return summary.Failures > 0 ? ExitCode.Failure : ExitCode.Success;
        }
    }

    private static VideoDataset Choose(string folder, string split)
    {
        if (split == "all")
        {
            DatasetSplits whole = DatasetFolder.Load(folder, new DatasetFolderOptions { ValidationShare = 0, TestShare = 0 });
            return new VideoDataset([.. whole.Train.Samples, .. whole.Validation.Samples, .. whole.Test?.Samples ?? []], whole.Train.Labels, "all");
        }

        DatasetSplits splits = DatasetFolder.Load(folder);
        VideoDataset? chosen = split switch { "train" => splits.Train, "val" => splits.Validation, _ => splits.Test };
        return chosen is { Samples.Count: > 0 }
            ? chosen
            : throw new DatasetException($"eval: expected a {split} part, found none; use --split all for a folder that wasn't trained on", folder);
    }

    private static EvaluationSummary Evaluate(
        VideoClassifier classifier, VideoDataset dataset, string model, string folder, string split, CancellationToken ct)
    {
        LabelMap labels = classifier.Model.Labels;
        int[] clips = new int[labels.Count], right = new int[labels.Count];
        int failures = 0, inFive = 0, index = 0;
        List<ClassifiedMistake> mistakes = [];
        foreach (ClipOutcome outcome in classifier.ClassifyMany(dataset.Samples.Select(s => s.Path), topK: 5, ct))
        {
            string name = dataset.Labels[dataset.Samples[index++].Label];
            _ = labels.TryGetIndex(name, out int label);
            clips[label]++;
            if (!outcome.Succeeded)
            {
                failures++;
                mistakes.Add(new ClassifiedMistake(outcome.Path, name, null, null, outcome.Failure.Message));
                continue;
            }

            IReadOnlyList<Prediction> best = outcome.Result.Predictions;
            right[label] += best[0].Index == label ? 1 : 0;
            inFive += best.Any(p => p.Index == label) ? 1 : 0;
            if (best[0].Index != label)
            {
                mistakes.Add(new ClassifiedMistake(outcome.Path, name, best[0].Label, best[0].Probability, null));
            }
        }

        int total = dataset.Samples.Count;
        return new EvaluationSummary(
            model, folder, split, total, failures, (double)right.Sum() / total, (double)inFive / total,
            [.. labels.Names.Select((name, i) => new ClassAccuracy(name, clips[i], right[i])).Where(c => c.Clips > 0)], mistakes);
    }

    private static void Print(Output output, EvaluationSummary summary)
    {
        int width = summary.Classes.Max(c => c.Label.Length);
        foreach (ClassAccuracy row in summary.Classes)
        {
            double share = (double)row.Right / row.Clips;
            output.Out.WriteLine($"  {row.Label.PadRight(width)}  {ProbabilityBar.Draw(share, 20)} {100 * share,5:0.0} %  {row.Right}/{row.Clips}");
        }

        foreach (ClassifiedMistake mistake in summary.Mistakes.Where(m => m.Error is not null))
        {
            output.Error(mistake.Error!);
        }

        output.Out.WriteLine();
        output.Out.WriteLine($"top-1 {output.Paint($"{100 * summary.Top1:0.0} %", "1")}  top-5 {100 * summary.Top5:0.0} %  over all {summary.Clips} clips of '{summary.Split}'"
            + (summary.Failures > 0 ? $"; {summary.Failures} could not be read and count as wrong" : ""));
    }
}
