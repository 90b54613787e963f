using System.CommandLine;
using Kinora.Cli.Terminal;
using Kinora.Onnx.Export;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora export</c>: a checkpoint as an ONNX file.</summary>
internal static class ExportCommand
{
    public static Command Create(Output output)
    {
        Argument<string> checkpoint = new("checkpoint") { Description = "A run folder or a .safetensors checkpoint." };
        Option<string?> target = new("--output", "-o") { Description = "The file to write [default: model.onnx beside the checkpoint].", HelpName = "file.onnx" };
        Option<string[]> clips = new("--clip") { Description = "A video to compare file and network on [default: clips of the run's data]." };
        Option<int?> opset = new("--opset") { Description = "ONNX operator set, 17 to 21 [default: 17]." };
        Command command = new ExampleCommand(
            "export",
            "Writes a checkpoint as ONNX: batch norms folded, branches merged, dynamic batch, with labels and ClipSpec inside.\nThe file appears only after it has given the network's scores on real frames.",
            "export runs/my-clips", "export runs/my-clips/last.safetensors -o last.onnx")
        {
            checkpoint, target, clips, opset,
        };
        command.SetAction((parsed, ct) =>
        {
            string from = parsed.GetValue(checkpoint)!;
            string folder = Directory.Exists(from) ? from : Path.GetDirectoryName(Path.GetFullPath(from))!;
            ExportReport report = ModelExport.Run(
                from,
                parsed.GetValue(target) ?? Path.Combine(folder, ModelExport.FileName),
                parsed.GetValue(clips) is { Length: > 0 } named ? named : null,
                parsed.GetValue(opset),
                new Relay<string>(output.Note),
                ct);
            output.Out.WriteLine($"{report.Path}  {report.FileBytes / 1e6:0.00} MB, {report.Operators.Values.Sum()} nodes, "
                + $"differs from the network by {report.Difference:0.0e+0} of its largest score");
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }
}
