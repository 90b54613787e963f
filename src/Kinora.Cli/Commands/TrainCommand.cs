using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Kinora.Cli.Terminal;
using Kinora.Models;
using Kinora.Onnx.Export;
using Kinora.Tensors;
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
        Option<string> device = new("--device") { Description = "auto, cpu, cuda or cuda:N.", DefaultValueFactory = _ => "auto" };
        Option<bool> noShift = new("--no-temporal-shift") { Description = "Switch the temporal shift off, so that the network can't see time order." };
        Option<bool> planOnly = new("--plan") { Description = "Print the plan and stop." };
        Option<string[]> set = new("--set") { Description = "Set a value of the configuration, such as optimizer.momentum=0.95; may be given often.", HelpName = "key=value" };
        Option<bool> explain = new("--explain") { Description = "Print the configuration as it would run and where each value comes from, and stop." };
        Option<bool> json = new("--json") { Description = "Print the outcome as JSON; progress goes to standard error." };

        Command command = new ExampleCommand(
            "train",
            "Trains a model from a folder of class folders and leaves everything in runs/NAME.\nNo option is needed.",
            "train my-clips/", "train my-clips/ --epochs 20 --name second-try", "train my-clips/ --set optimizer.kind=adamW --explain", "train --resume runs/my-clips")
        {
            data, config, resume, name, outputFolder, model, scratch, frames, size, epochs, minutes, batch, rate, seed, threads, device, noShift, set, explain, planOnly, json,
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
            Rendezvous? rendezvous = Rendezvous.FromEnvironment();
            TrainerOptions options = new() { Provenance = Provenance.Current(), Rendezvous = rendezvous, Device = parsed.GetValue(device)! };
            bool speaks = rendezvous is null or { Rank: 0 };
            TrainingOutcome outcome;
            if (parsed.GetValue(resume) is { } run)
            {
                outcome = Follow(progress => Trainer.Resume(run.FullName, options, progress, ct));
            }
            else
            {
                ConfigDraft draft = Configure(parsed);
                TrainingConfig effective = draft.Build();
                if (parsed.GetValue(explain))
                {
                    TrainingPlan plan = Trainer.Plan(effective, options with { Probe = effective.Loop.Epochs is null }, ct);
                    output.Out.Write(ConfigYaml.Explain(plan.Config, draft));
                    return ExitCode.Success;
                }

                if (parsed.GetValue(planOnly))
                {
                    PlanText.Write(asJson ? output.Err : output.Out, Trainer.Plan(effective, options, ct));
                    return ExitCode.Success;
                }

                outcome = Follow(progress => Trainer.Run(effective, options, progress, ct));
            }

            return speaks ? Finish(outcome, asJson, ct) : outcome.End == TrainingEnd.Completed ? ExitCode.Success : ExitCode.Failure;

            // Of several processes one speaks, and exports what came of it.
            TrainingOutcome Follow(Func<IProgress<TrainingProgress>?, TrainingOutcome> train) =>
                speaks ? TrainingView.Follow(output, asJson, train) : train(null);
        }

        ConfigDraft Configure(ParseResult parsed)
        {
            ConfigDraft draft = parsed.GetValue(config) is { } file ? ConfigDraft.Load(file.FullName) : new ConfigDraft();
            Text("data.path", parsed.GetValue(data)?.ToString(), "argument");
            Text("name", parsed.GetValue(name), name.Name);
            Text("output", parsed.GetValue(outputFolder), outputFolder.Name);
            Text("model.name", parsed.GetValue(model), model.Name);
            Value("seed", parsed.GetValue(seed), seed.Name);
            Value("threads", parsed.GetValue(threads), threads.Name);
            Value("model.frames", parsed.GetValue(frames), frames.Name);
            Value("model.size", parsed.GetValue(size), size.Name);
            Value("loop.epochs", parsed.GetValue(epochs), epochs.Name);
            Value("loop.batchSize", parsed.GetValue(batch), batch.Name);
            Value("loop.timeBudgetMinutes", parsed.GetValue(minutes), minutes.Name);
            Value("optimizer.learningRate", parsed.GetValue(rate), rate.Name);
            Value("model.pretrained", parsed.GetValue(scratch) ? "false" : null, scratch.Name);
            Value("model.temporalShift", parsed.GetValue(noShift) ? "false" : null, noShift.Name);
            foreach (string one in parsed.GetValue(set) ?? [])
            {
                int equals = one.IndexOf('=', StringComparison.Ordinal);
                draft.Set(
                    equals > 0 ? one[..equals].Trim() : throw new ConfigException($"{set.Name}: expected key=value, found '{one}'"), one[(equals + 1)..].Trim(), set.Name);
            }

            return draft;

            void Text(string key, string? value, string origin)
            {
                if (value is not null)
                {
                    draft.SetText(key, value, origin);
                }
            }

            void Value(string key, object? value, string origin)
            {
                if (value is not null)
                {
                    draft.Set(key, Convert.ToString(value, CultureInfo.InvariantCulture)!, origin);
                }
            }
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
