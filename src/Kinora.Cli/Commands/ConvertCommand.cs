using System.CommandLine;
using System.Text.Json;
using Kinora.Cli.Conversion;
using Kinora.Cli.Terminal;
using Kinora.Models;
using Kinora.Paddle.Programs;
using Kinora.Training;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora convert</c>: weights from one kind of file to another, with an account of every tensor.</summary>
internal static class ConvertCommand
{
    public static Command Create(Output output)
    {
        Argument<string> input = new("in") { Description = $"A file of weights ({string.Join(", ", ModelReading.Extensions)}), an inference program ({ProgramConversion.Extension}), a run folder or a recipe of PaddleVideo's (.yaml)." };
        Argument<string> target = new("out") { Description = $"The file to write ({string.Join(", ", ModelWriting.Extensions)}; of a recipe .yaml)." };
        Option<string?> model = new("--model", "-m") { Description = "Network, see 'kinora models list' [default: found out from names and shapes]." };
        Option<string?> recipe = new("--config", "-c") { Description = "PaddleVideo's recipe of the model: which network, which frames, how they are scaled; programs need it.", HelpName = "file.yaml" };
        Option<int?> frames = new("--frames") { Description = "Frames of a clip [default: read off the weights, or the network's own]." };
        Option<int?> classes = new("--classes") { Description = "Number of classes [default: read off the classifier]." };
        Option<string?> labels = new("--labels") { Description = "Class names, one a line in class order [default: numbers].", HelpName = "file.txt" };
        Option<string[]> allowMissing = new("--allow-missing") { Description = "Tensors that may keep their initial values, such as 'head.*': a new classifier, for fine-tuning.", HelpName = "pattern" };
        Option<string[]> allowUnused = new("--allow-unused") { Description = "Tensors of the file that may be passed over.", HelpName = "pattern" };
        Option<bool> all = new("--all") { Description = "List every tensor, not only counts and examples." };
        Option<bool> json = new("--json") { Description = "Print the outcome as JSON, every tensor listed." };
        Command command = new ExampleCommand(
            "convert",
            "Converts weights between PaddleVideo's files, safetensors and ONNX, and PaddleVideo's recipes to training configurations.\n"
            + "Every tensor of the file and of the network is accounted for; what doesn't fit fails, unless a pattern allows it.",
            "convert ppTSMv2_k400.pdparams ppTSMv2.safetensors --labels k400.txt",
            "convert PPLCNetV2_base_ssld_pretrained.pdparams start.safetensors --model pptsmv2 --classes 10 --allow-missing 'backbone.fc.*'",
            "convert inference/ppTSMv2.pdmodel ppTSMv2.onnx --config pptsm_lcnet_k400_16frames_uniform.yaml",
            "convert runs/my-clips my-clips.pdparams",
            "convert tsm_k400_frames.yaml tsm.yaml")
        {
            input, target, model, recipe, frames, classes, labels, allowMissing, allowUnused, all, json,
        };
        command.SetAction((parsed, ct) => Task.FromResult(Run(parsed, ct)));
        return command;

        int Run(ParseResult parsed, CancellationToken ct)
        {
            ConversionRequest request = new()
            {
                Input = parsed.GetValue(input)!,
                Output = parsed.GetValue(target)!,
                Model = parsed.GetValue(model),
                Recipe = parsed.GetValue(recipe),
                Frames = parsed.GetValue(frames),
                Classes = parsed.GetValue(classes),
                Labels = parsed.GetValue(labels),
                Rules = new LoadRules { AllowMissing = parsed.GetValue(allowMissing) ?? [], AllowUnused = parsed.GetValue(allowUnused) ?? [] },
            };
            if (Path.GetFullPath(request.Input) == Path.GetFullPath(request.Output))
            {
                throw new ConfigException("convert: expected another file to write than the one that is read; name a new one", request.Output);
            }

            if (RecipeConversion.IsYaml(request.Input))
            {
                return RunRecipe(request, parsed.GetValue(json));
            }

            ModelWriting.Writer write = ModelWriting.For(request.Output);
            if (ProgramConversion.IsProgram(request.Input))
            {
                return RunProgram(request, parsed.GetValue(json), ct);
            }

            using ConvertedModel converted = ModelReading.Read(request, output.Note);
            ct.ThrowIfCancellationRequested();
            double? difference = write(converted, request.Output, new Relay<string>(output.Note), ct);
            Checkpoint description = converted.Description;
            var summary = new ConversionSummary(
                request.Input, request.Output, description.Model, description.Labels.Count, description.ClipSpec.Frames, description.ClipSpec.Size,
                new FileInfo(request.Output).Length, difference, description.LoadReport);
            if (parsed.GetValue(json))
            {
                output.Out.WriteLine(JsonSerializer.Serialize(summary, CliJson.Default.ConversionSummary));
                return ExitCode.Success;
            }

            if (description.LoadReport is { } report)
            {
                output.Out.Write(report.ToText(parsed.GetValue(all)));
            }

            foreach (string note in converted.Notes)
            {
                output.Note(note);
            }

            output.Out.WriteLine(
                $"{output.Paint(summary.Output, "1")}  {summary.Bytes / 1e6:0.00} MB, {summary.Model}, {summary.Classes} classes, {summary.Frames} × {summary.Size}²"
                + (difference is { } relative ? $", differs from the network by {relative:0.0e+0} of its largest score" : ""));
            return ExitCode.Success;
        }

        int RunRecipe(ConversionRequest request, bool asJson)
        {
            RecipeSummary summary = RecipeConversion.Run(request.Input, request.Output);
            if (summary.OtherPurpose is { } purpose)
            {
                output.Note($"{Path.GetFileName(summary.Input)} is {purpose}");
            }

            output.Out.WriteLine(asJson
                ? JsonSerializer.Serialize(summary, CliJson.Default.RecipeSummary)
                : $"{output.Paint(summary.Output, "1")}  {summary.Model}; {summary.Ignored.Count} keys without effect, listed in its head; try it with: kinora train --config {Shell.Quote(summary.Output)} --plan");
            return ExitCode.Success;
        }

        int RunProgram(ConversionRequest request, bool asJson, CancellationToken ct)
        {
            if (!Path.GetExtension(request.Output).Equals(".onnx", StringComparison.OrdinalIgnoreCase))
            {
                throw new ConfigException("convert: expected an .onnx file to write, as programs hold no names of layers that weights could be taken by", request.Output);
            }

            ProgramReport report = ProgramConversion.Run(request.Input, request.Recipe, request.Labels, request.Output, new Relay<string>(output.Note), ct);
            if (asJson)
            {
                output.Out.WriteLine(JsonSerializer.Serialize(report, CliJson.Default.ProgramReport));
                return ExitCode.Success;
            }

            ProgramConversion.Describe(report, output);
            output.Out.WriteLine(
                $"{output.Paint(report.Path, "1")}  {report.FileBytes / 1e6:0.00} MB, {report.Classes} classes, "
                + $"{report.ProgramOperators.Values.Sum()} operators became {report.Operators.Values.Sum()}");
            return ExitCode.Success;
        }
    }
}
