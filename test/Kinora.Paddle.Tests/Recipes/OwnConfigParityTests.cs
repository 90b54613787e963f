using System.Text.Json;
using System.Text.RegularExpressions;
using Kinora.Data;
using Kinora.Models;
using Kinora.Tensors;
using Kinora.Testing;
using Kinora.Training;

namespace Kinora.Paddle.Tests;

/// <summary>Files of configs/ that name a recipe of PaddleVideo's train as it does; and every recipe survives being written as a configuration.</summary>
public sealed partial class OwnConfigParityTests
{
    private static string Recipes => Path.Combine(SharedData.Checkout, "test/recipes");

    public static TheoryData<string> Named
    {
        get
        {
            string folder = Path.Combine(SharedData.Checkout, "configs");
            return [.. Directory.EnumerateFiles(folder, "*.yaml", SearchOption.AllDirectories).Where(f => Source().IsMatch(File.ReadAllText(f))).Select(f => Path.GetRelativePath(folder, f)).Order(StringComparer.Ordinal)];
        }
    }

    [Fact]
    public void Named_EveryFileForPublicDataButOne() => Assert.Equal(
        Directory.EnumerateFiles(Path.Combine(SharedData.Checkout, "configs", "k400"), "*.yaml").Count() + 1, Named.Count);

    [Theory]
    [MemberData(nameof(Named))]
    public void Config_ThatNamesARecipe_TrainsAsIt(string file)
    {
        string path = Path.Combine(SharedData.Checkout, "configs", file);
        string recipe = Directory.EnumerateFiles(Recipes, Source().Match(File.ReadAllText(path)).Groups[1].Value + ".yaml", SearchOption.AllDirectories).Single();
        TrainingConfig own = ConfigYaml.Load(path), theirs = PaddleTraining.Read(recipe).Config;

        // The command line scales the rates; the recipe is for the batch that it names.
        own = own with { Optimizer = own.Optimizer with { ScaleToBatch = false } };
        Assert.Equal(Text(new TrainingConfig { Optimizer = theirs.Optimizer }), Text(new TrainingConfig { Optimizer = own.Optimizer }));
        Assert.Equal(Text(new TrainingConfig { Loss = theirs.Loss, Distillation = theirs.Distillation }), Text(new TrainingConfig { Loss = own.Loss, Distillation = own.Distillation }));
        Assert.Equal(Loop(theirs), Loop(own));
        Assert.Equal((theirs.Model.Name, theirs.Model.Weights, theirs.Model.Dropout, theirs.Data.Classes), (own.Model.Name, own.Model.Weights, own.Model.Dropout, own.Data.Classes));
        Assert.Equal(Rates(theirs), Rates(own));

        var labels = new LabelMap([.. Enumerable.Range(0, own.Data.Classes!.Value).Select(i => $"turn left {i}")]);
        VideoDataset clips = new([.. Enumerable.Range(0, 999).Select(i => new VideoSample($"{i}.mp4", i % labels.Count))], labels, "train");
        (string Loader, ClipSpec Test) expected = Reading(theirs, clips), found = Reading(own, clips);
        Assert.Equal(expected.Loader, found.Loader);
        Assert.Equal(expected.Test, found.Test);
    }

    [Theory]
    [MemberData(nameof(PaddleTrainingTests.Files), MemberType = typeof(PaddleTrainingTests))]
    public void WriteDifferences_EveryRecipe_ReadsBackTheSame(string file)
    {
        TrainingConfig config = PaddleTraining.Read(Path.Combine(Recipes, file)).Config;
        string text = ConfigYaml.WriteDifferences(config);
        Assert.Equal(Text(config), Text(ConfigYaml.Parse(text)));
        Assert.Equal(text, ConfigYaml.WriteDifferences(ConfigYaml.Parse(text)));

        // Nothing is in the file that could be left out.
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].Length == 0 || lines[i].EndsWith(':'))
            {
                continue;
            }

            string without = string.Join('\n', lines.Where((_, j) => j != i));
            Assert.NotEqual(Text(config), Reread(without));
        }

        static string Reread(string yaml)
        {
            try
            {
                return Text(ConfigYaml.Parse(yaml));
            }
            catch (ConfigException)
            {
                return ""; // it was needed
            }
        }
    }

    [Fact]
    public void Read_Recipes_ReferenceIsThatOfEightProcesses()
    {
        Assert.Equal(128, PaddleTraining.Read(Path.Combine(Recipes, "tsm/tsm_k400_frames.yaml")).Config.Optimizer.ReferenceBatch);
        Assert.Equal(64, PaddleTraining.Read(Path.Combine(Recipes, "videoswin/videoswin_small_k400_videos.yaml")).Config.Optimizer.ReferenceBatch);
        Assert.False(PaddleTraining.Read(Path.Combine(Recipes, "tsm/tsm_k400_frames.yaml")).Config.Optimizer.ScaleToBatch);
    }

    private static object Loop(TrainingConfig config)
    {
        LoopConfig l = config.Loop;
        return (l.Epochs, l.BatchSize, l.EvaluationBatchSize ?? l.BatchSize, l.TestBatchSize ?? l.EvaluationBatchSize ?? l.BatchSize, l.Accumulate,
            (l.ClipNorm, l.ClipValue, l.EvaluateEvery, l.PreciseBatchNormBatches, l.PreciseBatchNormEvery, l.WeightAverage, l.Patience));
    }

    private static double[] Rates(TrainingConfig config)
    {
        const int steps = 7;
        LearningRateSchedule schedule = config.Schedule.Create(config.Optimizer.LearningRate!.Value, config.Loop.Epochs!.Value, steps);
        var rates = new double[config.Loop.Epochs.Value * (schedule.Interval == ScheduleInterval.Step ? steps : 1)];
        for (int i = 0; i < rates.Length; i++)
        {
            rates[i] = schedule.Rate;
            schedule.MoveNext();
        }

        return rates;
    }

    private static (string Loader, ClipSpec Test) Reading(TrainingConfig config, VideoDataset clips)
    {
        ClipLoaderOptions options = TrainingPreview.Options(config, new DatasetSplits(clips, clips, null));
        using IDisposable shapes = ShapesOnly.Enable();
        using VideoNetwork network = ModelCatalog.CreateBlank(
            config.Model.Name, new ModelOptions(clips.Labels.Count, config.Model.Frames, config.Model.Size));
        return (JsonSerializer.Serialize(options with { Seed = 0, Workers = 0 }), config.Test.ApplyTo(config.Input.ApplyTo(network.EvaluationSpec)));
    }

    private static string Text(TrainingConfig config) => ConfigYaml.Write(config);

    [GeneratedRegex(@"as PaddleVideo's (\w+)\.")]
    private static partial Regex Source();
}
