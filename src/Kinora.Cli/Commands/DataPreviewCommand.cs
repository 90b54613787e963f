using System.CommandLine;
using Kinora.Cli.Reports;
using Kinora.Cli.Terminal;
using Kinora.Data;
using Kinora.Paddle;
using Kinora.Training;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora data preview</c>: an HTML page of training clips as training varies them.</summary>
internal static class DataPreviewCommand
{
    private const int MostPictures = 20_000;

    public static Command Create(Output output)
    {
        Argument<string?> data = new("data") { Arity = ArgumentArity.ZeroOrOne, Description = "A folder of class folders, or a list file [default: the configuration's training clips]." };
        Option<int> clips = new("--clips", "-n") { Description = "Clips to show, drawn from the training clips.", DefaultValueFactory = _ => 8 };
        Option<int> views = new("--views") { Description = "Varied versions of each clip.", DefaultValueFactory = _ => 3 };
        Option<ulong?> seed = new("--seed") { Description = "Seed of choice and variation; a run with this seed sees view 1 in its first epoch [default: the configuration's]." };
        Option<string> page = new("--out", "-o") { Description = "The HTML file.", DefaultValueFactory = _ => "preview.html" };
        Option<string?> root = new("--root") { Description = "Folder that the paths of a list file are relative to." };
        Option<FileInfo?> config = new("--config", "-c") { Description = "Training configuration (YAML), or a recipe of PaddleVideo's, whose frames, size and augmentation to use." };
        Command command = new ExampleCommand(
            "preview",
            "Writes a page with contact sheets of training clips: plain, and as training varies them.",
            "data preview my-clips/", "data preview train.list --config run.yaml --clips 20 --out sheet.html", "data preview --config tsm_k400_frames.yaml")
        {
            data, clips, views, seed, page, root, config,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(data) is null && result.GetValue(config) is null)
            {
                result.AddError("expected a folder or a list file (or --config FILE that names one)");
            }
        });
        LimitNumber(clips);
        LimitNumber(views);
        command.SetAction((parsed, ct) => Task.FromResult(Run(parsed, ct)));
        return command;

        int Run(ParseResult parsed, CancellationToken ct)
        {
            string? path = parsed.GetValue(data), file = parsed.GetValue(config)?.FullName;
            TrainingConfig training = Configuration(file);
            training = training with
            {
                Seed = parsed.GetValue(seed) ?? training.Seed,
                Data = training.Data with { Path = path ?? training.Data.Path, TrainList = path is null ? training.Data.TrainList : null, ListRoot = parsed.GetValue(root) ?? (path is null ? training.Data.ListRoot : null) },
            };
            training.Validate(file);
            DatasetSplits splits = Load(training, path);
            VideoDataset dataset = splits.Train.Samples.Count > 0
                ? splits.Train
                : throw new DatasetException("preview: expected at least one training clip, found none", path ?? training.Data.TrainList ?? training.Data.Path);
            ClipLoaderOptions options = TrainingPreview.Options(training, splits) with { RepeatedViews = parsed.GetValue(views) };
            List<PreviewedClip> shown = Read(output, dataset, options, Choose(dataset, options.Seed, parsed.GetValue(clips)), ct);
            PreviewReport.Write(parsed.GetValue(page)!, Path.GetFileName(Path.TrimEndingDirectorySeparator(path ?? training.Data.TrainList ?? training.Data.Path)), dataset.Labels, options, shown, ct);
            foreach (PreviewedClip clip in shown.Where(c => c.Error is not null))
            {
                output.Error(clip.Error!);
            }

            output.Out.WriteLine($"{parsed.GetValue(page)}: {shown.Count(c => c.Error is null)} clips, each plain and in {options.RepeatedViews} views");
            return shown.Any(c => c.Error is not null) ? ExitCode.Failure : ExitCode.Success;
        }
    }

    private static TrainingConfig Configuration(string? file)
    {
        if (file is null)
        {
            return new TrainingConfig();
        }

        return PaddleRecipe.IsRecipe(file) ? PaddleTraining.Read(file).Config : ConfigYaml.Read(file);
    }

    private static DatasetSplits Load(TrainingConfig config, string? path)
    {
        if (path is null || Directory.Exists(path))
        {
            return TrainingPreview.Splits(config);
        }

        // A list by itself, which needs no other for validation.
        VideoDataset train = DatasetList.Load(path, new DatasetListOptions { Prefix = config.Data.ListRoot, LabelFile = config.Data.LabelFile });
        return new DatasetSplits(train, train with { Samples = [], Name = "val" }, null);
    }

    // Some of the clips, in the order of the data set.
    private static int[] Choose(VideoDataset dataset, ulong seed, int count)
    {
        int[] numbers = [.. Enumerable.Range(0, dataset.Samples.Count)];
        new CounterRandom(seed, "preview").Shuffle<int>(numbers);
        return [.. numbers.Take(count).Order()];
    }

    private static List<PreviewedClip> Read(Output output, VideoDataset dataset, ClipLoaderOptions options, int[] numbers, CancellationToken ct)
    {
        long pictures = (long)numbers.Length * (options.RepeatedViews + 1) * options.Spec.Frames;
        if (pictures > MostPictures)
        {
            throw new ConfigException($"preview: expected at most {MostPictures} pictures on a page, found {pictures}; show fewer clips, views or frames");
        }

        var clips = new List<PreviewedClip>();
        CountView.Follow(output, "reading", progress =>
        {
            foreach (int number in numbers)
            {
                VideoSample sample = dataset.Samples[number];
                try
                {
                    clips.Add(new(sample.Path, dataset.Labels[sample.Label], ClipPreview.Read(dataset, options, number, ct: ct), null));
                }
                catch (MediaException e)
                {
                    clips.Add(new(sample.Path, dataset.Labels[sample.Label], null, e.Path is null ? $"{e.Message} [{sample.Path}]" : e.Message));
                }

                progress(clips.Count, numbers.Length);
            }
        });
        return clips;
    }

    private static void LimitNumber(Option<int> option) => option.Validators.Add(result =>
    {
        if (result.GetValue(option) is < 1 or > 1000)
        {
            result.AddError($"{option.Name}: expected 1 to 1000, found {result.GetValue(option)}");
        }
    });
}
