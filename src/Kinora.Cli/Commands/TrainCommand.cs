using System.CommandLine;
using System.Text.Json;
using Kinora.Cli.Conversion;
using Kinora.Cli.Terminal;
using Kinora.Onnx.Export;
using Kinora.Paddle;
using Kinora.Training;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora train</c>: from a folder of labelled clips to a model that <c>kinora classify</c> takes.</summary>
internal static class TrainCommand
{
    public static Command Create(Output output)
    {
        TrainOptions what = new();
        Option<FileSystemInfo?> resume = new("--resume") { Description = "Go on with an interrupted run, bit for bit as if it had not stopped; or from a checkpoint that was kept.", HelpName = "run folder" };
        Option<bool> explain = new("--explain") { Description = "Print the configuration as it would run and where each value comes from, and stop." };
        Option<bool> planOnly = new("--plan") { Description = "Print the plan and stop." };
        Option<bool> test = new("--test") { Description = "Only measure the weights given with -w on the test clips." };
        Option<string> device = new("--device") { Description = "auto, cpu, cuda or cuda:N.", DefaultValueFactory = _ => "auto" };
        Option<bool> profile = new("--profile") { Description = "Say at the end where time and memory went: loading, forward, backward, optimiser, evaluation." };
        Option<bool> json = new("--json") { Description = "Print the outcome as JSON; progress goes to standard error." };

        Command command = new ExampleCommand(
            "train",
            "Trains a model from a folder of class folders and leaves everything in runs/NAME.\nNo option is needed.",
            "train my-clips/",
            "train my-clips/ --epochs 20 --name second-try",
            "train my-clips/ --set optimizer.kind=adamW --explain",
            "train -c pptsm_k400_frames_uniform.yaml -o DATASET.batch_size=8 --amp",
            "train --resume runs/my-clips");
        foreach (Symbol symbol in (IEnumerable<Symbol>)[.. what.Symbols, resume, device, explain, planOnly, test, profile, json])
        {
            if (symbol is Argument argument)
            {
                command.Add(argument);
            }
            else
            {
                command.Add((Option)symbol);
            }
        }

        command.Validators.Add(result =>
        {
            if (!what.SaysWhat(result) && result.GetValue(resume) is null)
            {
                result.AddError("expected a folder of class folders (or --config FILE, or --resume RUN)");
            }
        });
        command.SetAction((parsed, ct) => Task.FromResult(Run(parsed, ct)));
        return command;

        int Run(ParseResult parsed, CancellationToken ct)
        {
            bool asJson = parsed.GetValue(json);
            Tensors.Rendezvous? rendezvous = Tensors.Rendezvous.FromEnvironment();
            bool speaks = rendezvous is null or { Rank: 0 };
            TrainerOptions options = new() { Provenance = Provenance.Current(), StartWeights = StartWeights.Load, Rendezvous = rendezvous, Device = parsed.GetValue(device)!, Profile = parsed.GetValue(profile) };
            if (parsed.GetValue(resume) is { } run)
            {
                return Finish(Follow(progress => Trainer.Resume(run.FullName, options, progress, ct)), speaks, asJson, ct);
            }

            (ConfigDraft draft, PaddleTraining? recipe) = what.Configure(parsed, speaks ? output.Note : _ => { });
            TrainingConfig config = draft.Build();
            if (parsed.GetValue(explain))
            {
                TrainingPlan plan = Trainer.Plan(config, options with { Probe = config.Loop.Epochs is null }, ct);
                output.Out.Write(ConfigYaml.Explain(plan.Config, draft));
                return ExitCode.Success;
            }

            if (parsed.GetValue(planOnly))
            {
                PlanText.Write(asJson ? output.Err : output.Out, Trainer.Plan(config, options, ct));
                return ExitCode.Success;
            }

            if (parsed.GetValue(test))
            {
                return Test(config, options, asJson, ct);
            }

            if (recipe?.OtherPurpose is { } purpose)
            {
                throw new ConfigException($"train: expected a recipe for training, found {purpose}, and `kinora convert` makes a configuration of what the recipe says", recipe.Recipe.Path);
            }

            TrainingOutcome outcome = Follow(progress => recipe?.ResumeEpoch > 0
                ? Trainer.Resume(RunAfter(config, recipe.ResumeEpoch), options, progress, ct)
                : Trainer.Run(config, options, progress, ct));
            return Finish(outcome, speaks, asJson, ct);

            // Of several processes one speaks, and exports what came of it.
            TrainingOutcome Follow(Func<IProgress<TrainingProgress>?, TrainingOutcome> train) => speaks ? TrainingView.Follow(output, asJson, train) : train(null);
        }

        int Test(TrainingConfig config, TrainerOptions options, bool asJson, CancellationToken ct)
        {
            EvaluationResult? found = null;
            CountView.Follow(output, "testing", progress =>
                found = Trainer.Test(config, options, new Relay<TrainingProgress>(p => Show(p, progress)), ct));
            EvaluationResult result = found!;
            if (asJson)
            {
                output.Out.WriteLine(JsonSerializer.Serialize(
                    new TestSummary(result.Clips, result.Failures, result.Top1, result.Top5, result.MeanAveragePrecision, result.Loss), CliJson.Default.TestSummary));
            }
            else
            {
                string precision = result.MeanAveragePrecision is double map ? $"mAP {100 * map:0.00} %  " : "";
                output.Out.WriteLine($"{precision}top-1 {output.Paint($"{100 * result.Top1:0.00} %", "1")}  top-5 {100 * result.Top5:0.00} %  over all {result.Clips} clips"
                    + (result.Failures > 0 ? $"; {result.Failures} could not be read and count as wrong" : ""));
            }

            return result.Failures > 0 ? ExitCode.Failure : ExitCode.Success;

            static void Show(TrainingProgress happened, Action<int, int> progress)
            {
                if (happened is TrainingProgress.Evaluating evaluating)
                {
                    progress(evaluating.Clips, evaluating.Total);
                }
            }
        }

        int Finish(TrainingOutcome outcome, bool speaks, bool asJson, CancellationToken ct)
        {
            if (!speaks)
            {
                return outcome.End == TrainingEnd.Completed ? ExitCode.Success : ExitCode.Failure;
            }

            if (outcome.Profile is { } where)
            {
                (asJson ? output.Err : output.Out).Write($"\n{where.ToText()}");
            }

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

    // PaddleVideo's resume_epoch: the checkpoint kept after that epoch, or the last one where it is that.
    private static string RunAfter(TrainingConfig config, int epoch)
    {
        string folder = Path.Combine(config.Output, config.Name!), kept = Path.Combine(folder, $"epoch_{epoch:00000}.safetensors");
        return File.Exists(kept) ? kept
            : File.Exists(Path.Combine(folder, "last.safetensors")) && Checkpoint.Read(Path.Combine(folder, "last.safetensors")).Epoch == epoch ? folder
            : throw new CheckpointException($"resume_epoch: expected a checkpoint of epoch {epoch}, found none ({Path.GetFileName(kept)}); see checkpoints.everyEpochs and checkpoints.keep", folder);
    }
}
