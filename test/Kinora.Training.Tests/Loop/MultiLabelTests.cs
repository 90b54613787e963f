using Kinora.Data;
using Kinora.Testing;

namespace Kinora.Training.Tests;

/// <summary>Clips with several labels: the colour, and whether it is a warm one.</summary>
[Collection(ComputeTests.Name)]
public sealed class MultiLabelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_SeveralLabels_LearnsThemByYesAndNo()
    {
        TrainingOutcome outcome = Run();
        Assert.Equal(LossKind.Binary, outcome.Plan.Config.Loss.Kind);
        Assert.True(outcome.Plan.MultiLabel);
        Assert.True(outcome.Test!.MeanAveragePrecision > 0.85, $"mAP {outcome.Test.MeanAveragePrecision}");
        Assert.Equal(outcome.Test.MeanAveragePrecision, outcome.Test.Score);
        Assert.All(outcome.Epochs, e => Assert.InRange(e.ValidationMeanAveragePrecision!.Value, 0, 1));
        Assert.Contains("validation_map", File.ReadAllLines(Path.Combine(outcome.Plan.RunFolder, "metrics.csv"))[0], StringComparison.Ordinal);

        // Red and its warmth are both probable: more than one in sum.
        Checkpoint checkpoint = Checkpoint.Read(outcome.Plan.RunFolder);
        Assert.True(checkpoint.Labels.Independent);
        Prediction[] all = checkpoint.Labels.Top([3, -4, -4, 3], 4);
        Assert.Equal([0, 3], all.Where(p => p.Probability > 0.5).Select(p => p.Index).Order());
    }

    [Fact]
    public void Run_MixedClips_BothLabelSetsCount()
    {
        TrainingOutcome outcome = Run(config => config with { Augmentation = config.Augmentation with { Mix = new BatchMix { Kind = MixKind.Mixup, MixupAlpha = 1 } } });
        Assert.True(outcome.Epochs[^1].TrainLoss < outcome.Epochs[0].TrainLoss);
    }

    [Fact]
    public void Run_UnreadableTestClip_RanksBehindAllOthersAndIsNamed()
    {
        TrainingOutcome outcome = Run(damage: true);
        Assert.Equal(1, outcome.Test!.Failures);
        Assert.True(outcome.Test.MeanAveragePrecision < 1);
    }

    [Fact]
    public void Run_CrossEntropyForSeveralLabels_ConfigExceptionSaysBinary()
    {
        ConfigException e = Assert.Throws<ConfigException>(() => Run(config => config with { Loss = new LossConfig { Kind = LossKind.Focal } }));
        Assert.Contains("loss.kind: expected binary", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_EvaluationMustBeComplete_UnreadableTestClipIsAnError()
    {
        DatasetException e = Assert.Throws<DatasetException>(() => Run(config => config with { Data = config.Data with { Unreadable = UnreadableClips.Fail } }, damage: true));
        Assert.Contains("test: expected 6 readable clips", e.Message, StringComparison.Ordinal);
    }

    private TrainingOutcome Run(Func<TrainingConfig, TrainingConfig>? change = null, bool damage = false)
    {
        string clips = ColourClips.Create(_folder["clips"]);
        if (damage)
        {
            File.WriteAllText(Directory.EnumerateFiles(Path.Combine(clips, "test", "red")).Order().First(), "no video");
        }

        File.WriteAllLines(_folder["labels.txt"], ["red", "green", "blue", "warm"]);
        foreach (string split in new[] { "train", "val", "test" })
        {
            File.WriteAllLines(_folder[$"{split}.txt"], new[] { ("red", "0,3"), ("green", "1"), ("blue", "2") }.SelectMany(c =>
                Directory.EnumerateFiles(Path.Combine(clips, split, c.Item1)).Order().Select(f => $"{f} {c.Item2}")));
        }

        var config = new TrainingConfig
        {
            Name = "run",
            Output = _folder["runs"],
            Threads = 1,
            Data = new Training.DataConfig
            {
                TrainList = _folder["train.txt"],
                ValidationList = _folder["val.txt"],
                TestList = _folder["test.txt"],
                LabelFile = _folder["labels.txt"],
            },
            Model = new ModelConfig { Pretrained = false, Frames = 2, Size = 32 },
            Loop = new LoopConfig { Epochs = 8, BatchSize = 4, Precision = Precision.Fp32 },
            Optimizer = new OptimizerConfig { LearningRate = 0.1 },
        };
        return Trainer.Run(change?.Invoke(config) ?? config, new TrainerOptions { Probe = false, NetworkFactory = TinyNetwork.Create });
    }
}
