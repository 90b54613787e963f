using System.CommandLine;
using System.Text.Json;
using Kinora.Cli.Terminal;
using Kinora.Models;
using Kinora.Onnx.Export;
using Kinora.Training;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora train</c>: from a folder of labelled clips to a model that <c>kinora classify</c> takes.</summary>
internal static class TrainCommand
{
    public static Command Create(Output output)
    {
        Argument<DirectoryInfo?> data = new("folder") { Arity = ArgumentArity.ZeroOrOne, Description = "A folder of class folders, optionally below train/, val/ and test/." };
        Option<FileInfo?> config = new("--config", "-c") { Description = "Training configuration (YAML); options given beside it win." };
        Option<DirectoryInfo?> resume = new("--resume") { Description = "Go on with an interrupted run, bit for bit as if it had not stopped.", HelpName = "run folder" };
        Option<string?> name = new("--name") { Description = "Name of the run [default: the folder's name]." };
        Option<string?> outputFolder = new("--output") { Description = "Folder that holds the runs [default: runs]." };
        Option<string?> model = new("--model", "-m") { Description = $"Network, see 'kinora models list' [default: {ModelCatalog.DefaultName}]." };
        Option<bool> scratch = new("--from-scratch") { Description = "Random initial weights instead of ImageNet's." };
        Option<int?> frames = new("--frames") { Description = "Frames of a clip." };
        Option<int?> size = new("--size") { Description = "Side of the network's input, in pixels." };
        Option<int?> epochs = new("--epochs") { Description = "Epochs [default: from the amount of data and --minutes]." };
        Option<double?> minutes = new("--minutes") { Description = "How long training may take when --epochs isn't given." };
        Option<int?> batch = new("--batch-size") { Description = "Clips of a batch." };
        Option<double?> rate = new("--learning-rate", "--lr") { Description = "Peak learning rate." };
        Option<ulong?> seed = new("--seed") { Description = "Seed of every random choice [default: 1]." };
        Option<int?> threads = new("--threads") { Description = "Threads of the compute library [default: one a core]." };
        Option<bool> noShift = new("--no-temporal-shift") { Description = "Switch the temporal shift off, so that the network can't see time order." };
        Option<bool> planOnly = new("--plan") { Description = "Print the plan and stop." };
        Option<bool> json = new("--json") { Description = "Print the outcome as JSON; progress goes to standard error." };

        Command command = new ExampleCommand(
            "train",
            "Trains a model from a folder of class folders and leaves everything in runs/NAME.\nNo option is needed.",
            "train my-clips/", "train my-clips/ --epochs 20 --name second-try", "train --resume runs/my-clips")
        {
            data, config, resume, name, outputFolder, model, scratch, frames, size, epochs, minutes, batch, rate, seed, threads, noShift, planOnly, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(data) is null && result.GetValue(resume) is null && result.GetValue(config) is null)
            {
                result.AddError("expected a folder of class folders (or --config FILE, or --resume RUN)");
            }
        });
        command.SetAction((parsed, ct) => Task.FromResult(Run(parsed, ct)));
        return command;

        int Run(ParseResult parsed, CancellationToken ct)
        {
            bool asJson = parsed.GetValue(json);
            TrainerOptions options = new() { Provenance = Provenance.Current() };
            TrainingOutcome outcome;
            if (parsed.GetValue(resume) is { } run)
            {
                outcome = TrainingView.Follow(output, asJson, progress => Trainer.Resume(run.FullName, options, progress, ct));
            }
            else
            {
                TrainingConfig effective = Configure(parsed);
                if (parsed.GetValue(planOnly))
                {
                    PlanText.Write(asJson ? output.Err : output.Out, Trainer.Plan(effective, options, ct));
                    return ExitCode.Success;
                }

                outcome = TrainingView.Follow(output, asJson, progress => Trainer.Run(effective, options, progress, ct));
            }

            return Finish(outcome, asJson, ct);
        }

        TrainingConfig Configure(ParseResult parsed)
        {
            TrainingConfig given = parsed.GetValue(config) is { } file ? ConfigYaml.Read(file.FullName) : new TrainingConfig();
            return given with
            {
                Name = parsed.GetValue(name) ?? given.Name,
                Output = parsed.GetValue(outputFolder) ?? given.Output,
                Seed = parsed.GetValue(seed) ?? given.Seed,
                Threads = parsed.GetValue(threads) ?? given.Threads,
                Data = given.Data with { Path = parsed.GetValue(data)?.ToString() ?? given.Data.Path },
                Model = given.Model with
                {
                    Name = parsed.GetValue(model) ?? given.Model.Name,
                    Pretrained = !parsed.GetValue(scratch) && given.Model.Pretrained,
                    Frames = parsed.GetValue(frames) ?? given.Model.Frames,
                    Size = parsed.GetValue(size) ?? given.Model.Size,
                    TemporalShift = !parsed.GetValue(noShift) && given.Model.TemporalShift,
                },
                Loop = given.Loop with
                {
                    Epochs = parsed.GetValue(epochs) ?? given.Loop.Epochs,
                    BatchSize = parsed.GetValue(batch) ?? given.Loop.BatchSize,
                    TimeBudgetMinutes = parsed.GetValue(minutes) ?? given.Loop.TimeBudgetMinutes,
                },
                Optimizer = given.Optimizer with { LearningRate = parsed.GetValue(rate) ?? given.Optimizer.LearningRate },
            };
        }

        int Finish(TrainingOutcome outcome, bool asJson, CancellationToken ct)
        {
            string folder = outcome.Plan.RunFolder;
            if (outcome.End != TrainingEnd.Completed)
            {
                output.Note($"stopped after epoch {outcome.Epochs.Count}; go on with: kinora train --resume {folder}");
                return ExitCode.Failure;
            }

            ExportReport exported = ModelExport.Run(folder, Path.Combine(folder, ModelExport.FileName), null, null, null, ct);
            if (asJson)
            {
                output.Out.WriteLine(JsonSerializer.Serialize(
                    new TrainSummary(
                        folder, outcome.Epochs.Count, outcome.BestEpoch, outcome.BestValidationTop1, outcome.Test?.Top1, outcome.Test?.Clips,
                        outcome.Elapsed.TotalSeconds, exported.Path, exported.Difference),
                    CliJson.Default.TrainSummary));
                return ExitCode.Success;
            }

            output.Out.WriteLine();
            if (outcome.Test is { } test)
            {
                output.Out.WriteLine($"test accuracy   {output.Paint($"{100 * test.Top1:0.0} %", "1")}  ({test.Clips} clips{(test.Failures > 0 ? $", {test.Failures} unreadable and counted as wrong" : "")})");
            }
            else if (outcome.Validation is { } validation)
            {
                output.Out.WriteLine($"validation accuracy   {output.Paint($"{100 * validation.Top1:0.0} %", "1")}  ({validation.Clips} clips; there is no test split)");
            }

            output.Out.WriteLine($"model           {exported.Path}  (differs from the network by {exported.Difference:0.0e+0} of its largest score)");
            output.Out.WriteLine($"report          {outcome.Report}");
            output.Out.WriteLine($"use it          kinora classify --model {folder} clip.mp4");
            return ExitCode.Success;
        }
    }
}
