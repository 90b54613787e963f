using System.CommandLine;
using System.Text.Json;
using Kinora.Cli.Terminal;
using Kinora.Data;
using Kinora.Media;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora data pack</c>: decodes a data set once.</summary>
internal static class DataPackCommand
{
    public static Command Create(Output output)
    {
        PackOptions defaults = new();
        DataInput input = new();
        Argument<DirectoryInfo> folder = new("out") { Description = "The pack's folder." };
        Option<string> pixels = new("--pixels") { Description = "rgb: the very bits of the videos, 3 bytes a pixel; jpeg: about a tenth of that.", DefaultValueFactory = _ => "rgb" };
        pixels.AcceptOnlyFromAmong("rgb", "jpeg");
        Option<int> quality = new("--quality") { Description = "JPEG quality, 1 to 100.", DefaultValueFactory = _ => defaults.Quality };
        Option<int> shortSide = new("--short-side") { Description = "Resize larger frames to this short side, in pixels; 0 keeps them.", DefaultValueFactory = _ => defaults.ShortSide };
        Option<ResizeEngine> engine = new("--engine") { Description = "Whose filter resizes: pillow or opencv.", DefaultValueFactory = _ => defaults.Engine };
        Option<int> stride = new("--stride") { Description = "Keep every n-th frame.", DefaultValueFactory = _ => defaults.Stride };
        Option<double> rate = new("--fps") { Description = "Thin faster videos to this many frames a second; 0 keeps them.", DefaultValueFactory = _ => defaults.Rate };
        Option<ColorMatrix> color = new("--color") { Description = "YUV matrix: fromStream, or bt601 as OpenCV has it.", DefaultValueFactory = _ => defaults.Color };
        Option<int> shard = new("--shard-mb") { Description = "Size of a shard in MiB.", DefaultValueFactory = _ => (int)(defaults.ShardBytes >> 20) };
        Option<int> workers = new("--workers") { Description = "Videos decoded at a time; 0: one a core.", DefaultValueFactory = _ => defaults.Workers };
        Option<bool> overwrite = new("--overwrite") { Description = "Replace another pack in the folder." };
        Option<bool> json = new("--json") { Description = "Print the outcome as JSON." };
        Command command = new ExampleCommand(
            "pack",
            "Decodes videos once and keeps the frames in a pack, which 'train' and 'eval' take in place of the videos.\n"
            + "Stopped at any moment, it goes on where it was when run again.",
            "data pack my-clips/ my-clips.pack/", "data pack my-clips/ small.pack/ --pixels jpeg --short-side 256", "data pack train.csv --val-list val.csv all.pack/")
        {
            pixels, quality, shortSide, engine, stride, rate, color, shard, workers, overwrite, json,
        };
        input.AddTo(command);
        command.Add(folder);
        command.SetAction((parsed, ct) =>
        {
            PackOptions options = new()
            {
                Pixels = parsed.GetValue(pixels) == "jpeg" ? PackedPixels.Jpeg : PackedPixels.Rgb24,
                Quality = parsed.GetValue(quality),
                ShortSide = parsed.GetValue(shortSide),
                Engine = parsed.GetValue(engine),
                Stride = parsed.GetValue(stride),
                Rate = parsed.GetValue(rate),
                Color = parsed.GetValue(color),
                ShardBytes = (long)parsed.GetValue(shard) << 20,
                Workers = parsed.GetValue(workers),
                Overwrite = parsed.GetValue(overwrite),
            };
            (DatasetSplits splits, string root) = input.Load(parsed);
            string target = parsed.GetValue(folder)!.ToString();
            PackReport report = null!;
            CountView.Follow(output, "packing", progress => report = DatasetPacker.Pack(splits, root, target, options, progress, ct));
            foreach (FailedSample failure in report.Failures)
            {
                output.Error($"pack: {failure.Reason}");
            }

            if (parsed.GetValue(json))
            {
                output.Out.WriteLine(JsonSerializer.Serialize(
                    new PackSummary(target, report.Clips, report.Found, report.Shards, report.Bytes, [.. report.Failures.Select(f => new UnreadableClip(f.Path, f.Reason))]), DataJson.Default.PackSummary));
            }
            else
            {
                string found = report.Found > 0 ? $", {report.Found} of them from an earlier run" : "";
                output.Out.WriteLine(FormattableString.Invariant($"{target}: {report.Clips} clips{found}, {report.Shards} shards, {report.Bytes / 1e6:0.0} MB"));
                output.Out.WriteLine(report.Failures.Count > 0
                    ? $"{report.Failures.Count} clips could not be read: their places are kept, and count as unreadable in training and evaluation"
                    : $"next: kinora train {Shell.Quote(target)}");
            }

            return Task.FromResult(report.Failures.Count > 0 ? ExitCode.Failure : ExitCode.Success);
        });
        return command;
    }
}
