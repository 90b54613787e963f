using System.CommandLine;
using Kinora.Cli.Terminal;
using Kinora.Data;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora data frames</c>: videos as folders of JPEG files.</summary>
internal static class DataFramesCommand
{
    public static Command Create(Output output)
    {
        FrameExtractorOptions defaults = new();
        DataInput input = new();
        Argument<DirectoryInfo> folder = new("out") { Description = "The folder for the frames and their lists." };
        Option<int> quality = new("--quality") { Description = "JPEG quality, 1 to 100.", DefaultValueFactory = _ => defaults.Quality };
        Option<int> shortSide = new("--short-side") { Description = "Resize larger frames to this short side, in pixels; 0 keeps them.", DefaultValueFactory = _ => defaults.ShortSide };
        Option<ResizeEngine> engine = new("--engine") { Description = "Whose filter resizes: pillow or opencv.", DefaultValueFactory = _ => defaults.Engine };
        Option<ColorMatrix> color = new("--color") { Description = "YUV matrix: fromStream, or bt601 as PaddleVideo's extractor has it.", DefaultValueFactory = _ => defaults.Color };
        Option<string?> extension = new("--ext") { Description = "Only videos with this extension, such as avi.", HelpName = "ext" };
        Option<int> workers = new("--workers", "--num_worker") { Description = "Videos decoded at a time; 0: one a core.", DefaultValueFactory = _ => defaults.Workers };
        Command command = new ExampleCommand(
            "frames",
            "Writes videos as folders of img_00001.jpg … with PaddleVideo's lists. Stopped at any moment, it goes on when run again.\n"
            + "Training reads such folders; a pack (data pack) is one file in place of hundreds of thousands.",
            "data frames UCF-101/ rawframes/ --ext avi", "data frames my-clips/ rawframes/ --short-side 256 --workers 8")
        {
            quality, shortSide, engine, color, extension, workers,
        };
        input.AddTo(command);
        command.Add(folder);
        command.SetAction((parsed, ct) =>
        {
            (DatasetSplits splits, string root) = input.Load(parsed);
            if (parsed.GetValue(extension) is { } ext)
            {
                splits = splits with { Train = Only(splits.Train, ext), Validation = Only(splits.Validation, ext), Test = splits.Test is { } test ? Only(test, ext) : null };
                if (splits.Train.Samples.Count + splits.Validation.Samples.Count + (splits.Test?.Samples.Count ?? 0) == 0)
                {
                    throw new DatasetException($"frames: expected videos with the extension '{ext}', found none", root);
                }
            }

            FrameExtractorOptions options = new()
            {
                Quality = parsed.GetValue(quality),
                ShortSide = parsed.GetValue(shortSide),
                Engine = parsed.GetValue(engine),
                Color = parsed.GetValue(color),
                Workers = parsed.GetValue(workers),
            };
            string target = parsed.GetValue(folder)!.ToString();
            FramesReport report = null!;
            CountView.Follow(output, "extracting", progress => report = FrameExtractor.Extract(splits, root, target, options, progress, ct));
            foreach (FailedSample failure in report.Failures)
            {
                output.Error($"frames: {failure.Reason}");
            }

            string found = report.Found > 0 ? $", {report.Found} of them from an earlier run" : "";
            output.Out.WriteLine($"{target}: {report.Videos} videos{found}, {report.Frames} frames" + (report.Failures.Count > 0 ? $"; {report.Failures.Count} videos could not be decoded and are in no list" : ""));
            return Task.FromResult(report.Failures.Count > 0 ? ExitCode.Failure : ExitCode.Success);
        });
        return command;
    }

    private static VideoDataset Only(VideoDataset set, string extension) =>
        set with { Samples = [.. set.Samples.Where(s => s.Path.EndsWith("." + extension.TrimStart('.'), StringComparison.OrdinalIgnoreCase))] };
}
