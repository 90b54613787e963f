using System.Globalization;
using Kinora.Data;
using Kinora.Models;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Training.Tests;

/// <summary>The files of configs/ are what they say: each of them would train, as far as that can be known without its clips.</summary>
[Collection(ComputeTests.Name)]
public sealed class OwnConfigsTests
{
    private const int Clips = 4000;

    private static string Folder => Path.Combine(SharedData.Checkout, "configs");

    public static TheoryData<string> Files =>
        [.. Directory.EnumerateFiles(Folder, "*.yaml", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Folder, f).Replace('\\', '/')).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Load_EveryFile_NetworkInputScheduleAndParametersFit(string file)
    {
        TrainingConfig config = Planner.FillIn(ConfigYaml.Load(Path.Combine(Folder, file)), Clips, processes: 1);
        int classes = config.Data.Classes ?? 10;
        using IDisposable shapes = ShapesOnly.Enable();
        using VideoNetwork network = ModelCatalog.CreateBlank(config.Model.Name, Planner.NetworkOptions(config, classes));

        var labels = new LabelMap([.. Enumerable.Range(0, classes).Select(i => $"class {i}")]);
        VideoDataset some = new([.. Enumerable.Range(0, Clips).Select(i => new VideoSample($"{i}.mp4", i % classes))], labels, "train");
        ClipLoaderOptions loader = Planner.TrainingLoader(config, new DatasetSplits(some, some, null), network); // demands that input and network fit
        loader.Spec.Validate();
        Assert.Equal((network.Frames, network.Size), (loader.Spec.Frames, loader.Spec.Size));
        ClipSpec test = config.Test.ApplyTo(config.Input.ApplyTo(network.EvaluationSpec));
        test.Validate();
        Assert.True(test.Frames == network.Frames || network is Tsn or PpTsn, "only networks without a sense of time take any number of frames");

        ParameterPlan parameters = ParameterPlan.For(network, Learner.Rules(config));
        Assert.Equal(config.Model.Freeze.Count > 0, parameters.Frozen.Count > 0);
        Assert.Equal(network.NamedParameters().Count(), parameters.Groups.Sum(g => g.Parameters.Count) + parameters.Frozen.Count);

        int epochs = config.Loop.Epochs ?? 10, steps = Clips / config.Loop.BatchSize!.Value;
        double peak = 0, last = 0;
        LearningRateSchedule schedule = config.Schedule.Create(config.Optimizer.LearningRate!.Value, epochs, steps);
        for (int epoch = 0; epoch < epochs; epoch++)
        {
            for (int step = 0; step < steps; step++)
            {
                last = schedule.Rate;
                Assert.True(double.IsFinite(last) && last >= 0, $"epoch {epoch}: {last}");
                peak = Math.Max(peak, last);
                if (schedule.Interval == ScheduleInterval.Step)
                {
                    schedule.MoveNext();
                }
            }

            if (schedule.Interval == ScheduleInterval.Epoch)
            {
                schedule.MoveNext();
            }
        }

        // PaddleVideo's cosine has already fallen a little when its warm-up ends.
        Assert.InRange(peak / config.Optimizer.LearningRate.Value, 0.92, 1.0000001);
        Assert.True(last < 0.2 * peak, $"ends at {last} of {peak}");
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Load_EveryFile_NothingToAdviseOnAFullDataSet(string file)
    {
        TrainingConfig config = ConfigYaml.Load(Path.Combine(Folder, file));
        config = Planner.FillIn(config with { Loop = config.Loop with { Epochs = config.Loop.Epochs ?? 10 } }, Clips, processes: 1);
        int classes = config.Data.Classes ?? 10;
        int steps = Clips / config.Loop.BatchSize!.Value / config.Loop.Accumulate * config.Loop.Accumulate;
        var run = new AdvisedRun { TrainPerClass = [.. Enumerable.Repeat(Clips / classes, classes)], TrainClips = Clips, ValidationClips = 1000, StepsPerEpoch = steps };
        Assert.Empty(RecipeAdvisor.Advise(config, run));
    }

    [Fact]
    public void Readme_Table_SaysWhatTheFilesSay()
    {
        string[] rows = [.. File.ReadLines(Path.Combine(Folder, "README.md")).Where(l => l.StartsWith("| [", StringComparison.Ordinal))];
        string[] expected = [.. Files.Select(f => Row(f.Data))];
        Assert.Equal(expected.Order(StringComparer.Ordinal), rows.Select(r => string.Join(" | ", r.Trim('|', ' ').Split(" | ")[..^1])).Order(StringComparer.Ordinal));
    }

    private static string Row(string file)
    {
        TrainingConfig config = ConfigYaml.Load(Path.Combine(Folder, file));
        TrainingConfig filled = Planner.FillIn(config, Clips, processes: 1);
        string data = file.Split('/')[0] switch { "k400" => "Kinetics-400", "ucf101" => "UCF-101", _ => "your clips" };
        string epochs = config.Loop.Epochs?.ToString(CultureInfo.InvariantCulture) ?? "auto";
        return $"[{file}]({file}) | {config.Model.Name} | {data} | {filled.Model.Frames} | {filled.Model.Size}² | {epochs}";
    }
}
