using System.CommandLine;
using System.Text.Json;
using Kinora.Cli.Conversion;
using Kinora.Cli.Reports;
using Kinora.Cli.Terminal;
using Kinora.Onnx;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora classify</c>: labels videos.</summary>
internal static class ClassifyCommand
{
    private const int BarWidth = 28;

    public static Command Create(Output output)
    {
        Argument<string[]> videos = new("videos")
        {
            Arity = ArgumentArity.OneOrMore,
            Description = "Video files, folders of videos, folders of frames (img_00001.jpg …), or patterns such as 'clips/**/*.mp4'.",
        };
        Option<string?> model = new("--model", "-m") { Description = "A run folder, an .onnx file, or a PaddlePaddle program (.pdmodel, with --config) [default: the bundled demonstration model]." };
        Option<string?> recipe = new("--config", "-c") { Description = "PaddleVideo's recipe of a .pdmodel: which frames it takes and how they are scaled.", HelpName = "file.yaml" };
        Option<string?> labels = new("--labels") { Description = "Class names of a .pdmodel, one a line in class order [default: numbers].", HelpName = "file.txt" };
        Option<int> top = new("--top-k", "-k") { Description = "How many classes to name.", DefaultValueFactory = _ => 5 };
        Option<int> threads = new("--threads", "-t") { Description = "Threads in all; with several clips, as many clips at a time.", DefaultValueFactory = _ => Environment.ProcessorCount };
        Option<FileInfo?> report = new("--report") { Description = "Write one self-contained HTML page with frames, probabilities and timings.", HelpName = "out.html" };
        Option<bool> json = new("--json") { Description = "Print one JSON object a line for each clip." };
        RequireAtLeastOne(top);
        RequireAtLeastOne(threads);

        Command command = new ExampleCommand(
            "classify",
            "Labels videos: the most probable classes, and the milliseconds of decoding, pixel work and network.",
            "classify clip.mp4", "classify --model runs/my-clips --report out.html clips/", "classify --model ppTSMv2.pdmodel --config pptsm_lcnet_k400_16frames_uniform.yaml clip.mp4", "classify --json 'clips/**/*.mp4'")
        {
            videos, model, recipe, labels, top, threads, report, json,
        };
        command.SetAction((parsed, ct) => Task.FromResult(Run(parsed, ct)));
        return command;

        int Run(ParseResult parsed, CancellationToken ct)
        {
            IReadOnlyList<string> clips = VideoInputs.Expand(parsed.GetValue(videos)!);
            string path = parsed.GetValue(model) ?? BundledFiles.Model
                ?? throw new CheckpointException("classify: the bundled model isn't there; name a model with --model");
            (string? yaml, string? names) = (parsed.GetValue(recipe), parsed.GetValue(labels));
            if (ProgramConversion.IsProgram(path))
            {
                path = ProgramConversion.Cached(path, yaml, names, output, ct);
            }
            else if (yaml is not null || names is not null)
            {
                throw new ConfigException("classify: --config and --labels: expected a .pdmodel to go with them; other models say themselves what they take and how their classes are called", path);
            }

            FileInfo? page = parsed.GetValue(report);
            ClassifierOptions options = new()
            {
                Threads = parsed.GetValue(threads),
                Thumbnails = page is not null,

                // The first clip is decoded while the network loads.
                WaitForNetwork = false,
            };
            using VideoClassifier classifier = VideoClassifier.Load(path, options);
            List<ClipOutcome> outcomes = [];
            int failures = 0;
            foreach (ClipOutcome outcome in classifier.ClassifyMany(clips, parsed.GetValue(top), ct))
            {
                if (page is not null)
                {
                    outcomes.Add(outcome);
                }

                failures += outcome.Succeeded ? 0 : 1;
                if (parsed.GetValue(json))
                {
                    output.Out.WriteLine(JsonSerializer.Serialize(ToJson(outcome), CliJson.Default.ClassifiedClip));
                }
                else
                {
                    Print(output, outcome);
                }
            }

            if (page is not null)
            {
                ClassificationReport.Write(page.FullName, classifier, outcomes);
                output.Note($"report: {page.FullName}");
            }

            if (failures > 0)
            {
                output.Error($"classify: {failures} of {clips.Count} clips could not be read, see above");
            }

            return failures > 0 ? ExitCode.Failure : ExitCode.Success;
        }
    }

    private static void RequireAtLeastOne(Option<int> option) => option.Validators.Add(result =>
    {
        if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out int value) && value < 1)
        {
            result.AddError($"{option.Name}: expected 1 or more, found {value}");
        }
    });

    private static ClassifiedClip ToJson(ClipOutcome outcome) => outcome.Succeeded
        ? new ClassifiedClip(
            outcome.Path,
            outcome.Result.Predictions,
            new ClipMilliseconds(
                Math.Round(outcome.Result.Timings.DecodeMilliseconds, 3),
                Math.Round(outcome.Result.Timings.PixelsMilliseconds, 3),
                Math.Round(outcome.Result.Timings.NetworkMilliseconds, 3)),
            null)
        : new ClassifiedClip(outcome.Path, null, null, outcome.Failure.Message);

    private static void Print(Output output, ClipOutcome outcome)
    {
        if (!outcome.Succeeded)
        {
            output.Error(outcome.Failure.Message);
            return;
        }

        ClassificationTimings timings = outcome.Result.Timings;
        output.Out.WriteLine($"{output.Paint(outcome.Path, "1")}  "
            + output.Paint($"decode {timings.DecodeMilliseconds:0.0} · pixels {timings.PixelsMilliseconds:0.0} · network {timings.NetworkMilliseconds:0.0} ms", "2"));
        int width = Math.Clamp(outcome.Result.Predictions.Max(p => p.Label.Length), 8, 40);
        bool first = true;
        foreach (Prediction prediction in outcome.Result.Predictions)
        {
            string label = prediction.Label.PadRight(width);
            string bar = ProbabilityBar.Draw(prediction.Probability, BarWidth);
            output.Out.WriteLine($"  {(first ? output.Paint(label, "1") : label)}  {output.Paint(bar, first ? "32" : "34")} {100 * prediction.Probability,6:0.00} %");
            first = false;
        }
    }
}
