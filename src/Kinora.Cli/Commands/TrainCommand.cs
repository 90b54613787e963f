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
            bool goesOn = result.GetValue(resume) is not null;
            if (!what.SaysWhat(result) && !goesOn)
            {
                result.AddError("expected a folder of class folders (or --config FILE, --set data.trainList=LIST, or --resume RUN)");
            }
            else if (goesOn && (result.GetValue(planOnly) || result.GetValue(test)))
            {
                result.AddError("--plan and --test: expected a run that begins, found --resume; a run's plan is its config.yaml (--explain prints it), and kinora eval measures it");
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
                return Resume(run.FullName);
            }

            (ConfigDraft draft, PaddleTraining? recipe) = Understood(() => what.Configure(parsed, speaks ? output.Note : _ => { }));
            TrainingConfig config = Understood(draft.Build);
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
                ? Trainer.Resume(RunAfter(config, recipe.ResumeEpoch), options with { Changes = ChangesSince(draft, config) }, progress, ct)
                : Trainer.Run(config, options, progress, ct));
            return Finish(outcome, speaks, asJson, ct);

            int Resume(string path)
            {
                options = options with { Changes = Understood(() => what.Changes(parsed)) };
                if (parsed.GetValue(explain))
                {
                    ConfigDraft resumed = ResumedSettings.Apply(Trainer.ConfigurationOf(path), options.Changes);
                    output.Out.Write(ConfigYaml.Explain(resumed.Build(), resumed));
                    return ExitCode.Success;
                }

                if (rendezvous is null && !asJson && options.Changes.Count == 0 && FinishedEpochs(path) is int done)
                {
                    output.Note($"{path} is finished: {done} epochs; nothing to do. For more: kinora train --resume {Shell.Quote(path)} --epochs {2 * done}");
                    return ExitCode.Success;
                }

                return Finish(Follow(progress => Trainer.Resume(path, options, progress, ct)), speaks, asJson, ct);
            }

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
                output.Note($"stopped after epoch {outcome.Epochs.Count}; go on with: kinora train --resume {Shell.Quote(folder)}");
                return ExitCode.Failure;
            }

            ExportReport exported = ModelExport.Run(folder, Path.Combine(folder, ModelExport.FileName), null, null, null, ct);
            if (asJson)
            {
                output.Out.WriteLine(JsonSerializer.Serialize(
                    new TrainSummary(
                        folder, outcome.Epochs.Count, outcome.BestEpoch, outcome.BestValidationTop1, outcome.BestValidationMeanAveragePrecision,
                        outcome.Test?.Top1, outcome.Test?.MeanAveragePrecision, outcome.Test?.Clips,
                        outcome.Elapsed.TotalSeconds, exported.Path, exported.Difference),
                    CliJson.Default.TrainSummary));
                return ExitCode.Success;
            }

            output.Out.WriteLine();
            if ((outcome.Test ?? outcome.Validation) is { } measured)
            {
                bool tested = outcome.Test is not null;
                string what = $"{(tested ? "test" : "validation")} {(measured.MeanAveragePrecision is null ? "accuracy" : "mAP")}";
                string top1 = measured.MeanAveragePrecision is null ? "" : $"top-1 {100 * measured.Top1:0.0} %, ";
                output.Out.WriteLine($"{what.PadRight(13)}   {output.Paint($"{100 * measured.Score:0.0} %", "1")}  ({top1}{measured.Clips} clips{(tested ? "" : "; there is no test split")}{(measured.Failures > 0 ? $", {measured.Failures} unreadable and counted as wrong" : "")})");
            }

            output.Out.WriteLine($"model           {exported.Path}  (differs from the network by {exported.Difference:0.0e+0} of its largest score)");
            output.Out.WriteLine($"report          {outcome.Report}");
            output.Out.WriteLine($"use it          kinora classify --model {Shell.Quote(folder)} clip.mp4");
            return ExitCode.Success;
        }
    }

    // What is wrong in no file is wrong on the command line.
    private static T Understood<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (ConfigException e) when (e.Path is null)
        {
            throw new UsageException(e.Message, e);
        }
    }

    // Null while there is something left to do, be it the report or the exported model.
    private static int? FinishedEpochs(string run)
    {
        string last = Path.Combine(run, "last.safetensors");
        if (!File.Exists(last) || !File.Exists(Path.Combine(run, "report.html")) || !File.Exists(Path.Combine(run, ModelExport.FileName)))
        {
            return null;
        }

        Checkpoint checkpoint = Checkpoint.Read(last);
        return checkpoint.Epoch >= checkpoint.Config.Loop.Epochs ? checkpoint.Epoch : null;
    }

    // What a recipe says now and didn't say when its run began.
    private static ConfigSetting[] ChangesSince(ConfigDraft draft, TrainingConfig config) =>
        [.. draft.DifferencesFrom(Trainer.ConfigurationOf(Path.Combine(config.Output, config.Name!))).Where(s => s.Key is not ("name" or "output"))];

    // PaddleVideo's resume_epoch: the checkpoint kept after that epoch, or the last one where it is that.
    private static string RunAfter(TrainingConfig config, int epoch)
    {
        string folder = Path.Combine(config.Output, config.Name!), kept = Path.Combine(folder, $"epoch_{epoch:00000}.safetensors");
        return File.Exists(kept) ? kept
            : File.Exists(Path.Combine(folder, "last.safetensors")) && Checkpoint.Read(Path.Combine(folder, "last.safetensors")).Epoch == epoch ? folder
            : throw new CheckpointException($"resume_epoch: expected a checkpoint of epoch {epoch}, found none ({Path.GetFileName(kept)}); see checkpoints.everyEpochs and checkpoints.keep", folder);
    }
}
