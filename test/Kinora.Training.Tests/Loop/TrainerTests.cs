using Kinora.Data;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Training.Tests;

[Collection(ComputeTests.Name)]
public sealed class TrainerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_ColourClips_LearnsThemAndLeavesEveryFile()
    {
        var seen = new Recorder();
        TrainingOutcome outcome = Trainer.Run(Config(epochs: 6), Options(), seen);

        Assert.Equal(TrainingEnd.Completed, outcome.End);
        Assert.True(outcome.Epochs[^1].TrainLoss < 0.8 * outcome.Epochs[0].TrainLoss, $"loss {outcome.Epochs[0].TrainLoss} → {outcome.Epochs[^1].TrainLoss}");
        Assert.True(outcome.Test!.Top1 > 0.8, $"test accuracy {outcome.Test.Top1}, chance is 0.33");
        Assert.Equal((6, 0), (outcome.Test.Clips, outcome.Test.Failures));
        Assert.Equal(6, outcome.Epochs.Count);
        Assert.InRange(outcome.BestEpoch, 1, 6);
        foreach (string file in new[] { "config.yaml", "log.txt", "metrics.csv", "best.safetensors", "last.safetensors", "report.html" })
        {
            Assert.True(new FileInfo(Path.Combine(outcome.Plan.RunFolder, file)).Length > 0, file);
        }

        Assert.Equal(7, File.ReadAllLines(Path.Combine(outcome.Plan.RunFolder, "metrics.csv")).Length);
        TrainingConfig stored = ConfigYaml.Load(Path.Combine(outcome.Plan.RunFolder, "config.yaml"));
        Assert.Equal(ConfigYaml.Write(outcome.Plan.Config), ConfigYaml.Write(stored));
        Assert.IsType<TrainingProgress.Planned>(seen.All[0]);
        TrainingProgress.Step[] steps = [.. seen.All.OfType<TrainingProgress.Step>()];
        Assert.Equal(6 * outcome.Plan.StepsPerEpoch, steps.Length);
        Assert.All(steps, s => Assert.True(double.IsFinite(s.Loss) && s.GradientNorm > 0 && s.ClipsPerSecond > 0 && s.LoaderShare is >= 0 and <= 1));
        Assert.Equal(6, seen.All.OfType<TrainingProgress.EpochEnded>().Count());
    }

    [Fact]
    public void Resume_AfterTheFirstEpoch_EqualsTheUninterruptedRunBitForBit()
    {
        TrainingConfig config = Config(epochs: 2) with { Name = "whole", Loop = new LoopConfig { Epochs = 2, BatchSize = 4, PreciseBatchNormBatches = 2 } };
        TrainingOutcome whole = Trainer.Run(config, Options());
        TrainingOutcome first = Trainer.Run(config with { Name = "parts" }, Options() with { StopAfterEpoch = 1 });
        Assert.Equal((TrainingEnd.Stopped, 1), (first.End, first.Epochs.Count));
        TrainingOutcome second = Trainer.Resume(first.Plan.RunFolder, Options());

        Assert.Equal(TrainingEnd.Completed, second.End);
        AssertSameTensors(whole.LastCheckpoint, second.LastCheckpoint);
        AssertSameTensors(whole.BestCheckpoint!, second.BestCheckpoint!);
        Assert.Equal(Learned(whole), Learned(second));
        Assert.Equal(whole.Test!.Loss, second.Test!.Loss);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public void Resume_CancelledInTheMiddleOfAnEpoch_EqualsTheUninterruptedRunBitForBit(int afterStep)
    {
        TrainingConfig config = Config(epochs: 2) with { Loop = new LoopConfig { Epochs = 2, BatchSize = 4 } };
        TrainingOutcome whole = Trainer.Run(config with { Name = "whole" }, Options());
        using var source = new CancellationTokenSource();
        int steps = 0;
        var canceller = new Recorder(p =>
        {
            if (p is TrainingProgress.Step && ++steps == afterStep)
            {
                source.Cancel();
            }
        });
        TrainingOutcome cancelled = Trainer.Run(config with { Name = "cut" }, Options(), canceller, source.Token);
        Assert.Equal(TrainingEnd.Cancelled, cancelled.End);
        Assert.True(File.Exists(cancelled.LastCheckpoint));
        TrainingOutcome resumed = Trainer.Resume(cancelled.Plan.RunFolder, Options());

        Assert.Equal(TrainingEnd.Completed, resumed.End);
        AssertSameTensors(whole.LastCheckpoint, resumed.LastCheckpoint);
        Assert.Equal(Learned(whole), Learned(resumed));
    }

    [Fact]
    public void Resume_RealNetworkInItsOwnPrecision_EqualsTheUninterruptedRunBitForBit()
    {
        string data = ColourClips.Create(_folder["few"], train: 2, validation: 1, test: 1);
        var config = new TrainingConfig
        {
            Output = _folder["runs"],
            Threads = 2,
            Data = new DataConfig { Path = data },
            Model = new ModelConfig { Pretrained = false, Frames = 4, Size = 32 },
            Loop = new LoopConfig { Epochs = 2, BatchSize = 3 },
        };
        TrainerOptions options = new() { Probe = false };
        TrainingOutcome whole = Trainer.Run(config with { Name = "whole" }, options);
        TrainingOutcome first = Trainer.Run(config with { Name = "parts" }, options with { StopAfterEpoch = 1 });
        TrainingOutcome second = Trainer.Resume(first.Plan.RunFolder, options);
        AssertSameTensors(whole.LastCheckpoint, second.LastCheckpoint);
        Assert.Equal(Autocast.IsSupported, whole.Plan.BFloat16);

        Checkpoint checkpoint = Checkpoint.Read(second.Plan.RunFolder);
        Assert.Equal(whole.Plan.Labels.Names, checkpoint.Labels.Names);
        Assert.Equal(whole.Plan.ClipSpec, checkpoint.ClipSpec);
        EvaluationResult again = Evaluator.Evaluate(checkpoint, Data.DatasetFolder.Load(data).Test!, batchSize: 3, threads: 2);
        Assert.Equal((3, second.Test!.Loss), (again.Clips, again.Loss));
    }

    [Theory]
    [InlineData("tsm_efficientnet_lite0")]
    [InlineData("pptsmv2")]
    public void Run_BFloat16_TrainsWhateverTheProcessor(string model)
    {
        TrainingConfig config = Config(epochs: 1); // few clips: without native bfloat16 it takes seconds a step
        config = config with
        {
            Data = new DataConfig { Path = ColourClips.Create(_folder["few"], train: 1, validation: 1, test: 1) },
            Model = config.Model with { Name = model },
            Loop = new LoopConfig { Epochs = 1, BatchSize = 3, Precision = Precision.Bf16 },
        };
        TrainingOutcome outcome = Trainer.Run(config, new TrainerOptions { Probe = false });
        Assert.True(outcome.Plan.BFloat16);
        Assert.InRange(outcome.Epochs[0].TrainLoss, 0.3, 3);
        using var scope = new TensorScope();
        using SafetensorsFile last = SafetensorsFile.Open(outcome.LastCheckpoint);
        Assert.All(last.Entries, e => Assert.Equal(DType.Float32, e.DType));
    }

    [Fact]
    public void Run_NameOfAnEarlierRun_IsNeverOverwritten()
    {
        TrainingConfig config = Config(epochs: 1);
        TrainingOutcome first = Trainer.Run(config, Options());
        byte[] weights = File.ReadAllBytes(first.BestCheckpoint!);
        TrainingOutcome second = Trainer.Run(config, Options());
        Assert.Equal(("clips", "clips-2"), (Path.GetFileName(first.Plan.RunFolder), Path.GetFileName(second.Plan.RunFolder)));
        Assert.Contains("resume it", Assert.Throws<ConfigException>(() => Trainer.Run(config with { Name = "clips" }, Options())).Message, StringComparison.Ordinal);
        Assert.Equal(weights, File.ReadAllBytes(first.BestCheckpoint!));
    }

    [Fact]
    public void Run_NoValidationClips_LastEpochIsBestWithRefreshedStatistics()
    {
        VideoDataset train = DatasetFolder.Load(ColourClips.Create(_folder["all"], train: 4, validation: 1, test: 1)).Train;
        TrainerOptions options = Options() with { Splits = new DatasetSplits(train, train with { Samples = [] }, null) };
        TrainingConfig config = Config(epochs: 2) with { Name = "stale" };
        TrainingOutcome stale = Trainer.Run(config with { Loop = config.Loop with { PreciseBatchNormBatches = 0 } }, options);
        TrainingOutcome refreshed = Trainer.Run(config with { Name = "refreshed", Loop = config.Loop with { PreciseBatchNormBatches = 2 } }, options);

        Assert.Equal(2, refreshed.BestEpoch);
        using SafetensorsFile before = SafetensorsFile.Open(stale.BestCheckpoint!), after = SafetensorsFile.Open(refreshed.BestCheckpoint!);
        Assert.Equal(before.Read("bn.weight").ToArray<float>(), after.Read("bn.weight").ToArray<float>());
        Assert.NotEqual(before.Read("bn.running_mean").ToArray<float>(), after.Read("bn.running_mean").ToArray<float>());
    }

    [Fact]
    public void ClipThumbnails_Clip_ThreePicturesOfTheNetworksInput()
    {
        string data = ColourClips.Create(_folder["clips"], train: 1, validation: 0, test: 0);
        ClipSpec spec = new TinyNetwork(new Models.ModelOptions(3)).EvaluationSpec;
        spec = spec with { Sampling = new SamplingSpec(SamplingMethod.Uniform, 4) };
        string path = Path.Combine(data, "train", "red", "clip_00.mp4");
        IReadOnlyList<byte[]> pictures = new ClipThumbnails(spec).Of(new SampleAnswer(0, path, 0, 1, 0.9, 0.1, null));
        Assert.Equal(3, pictures.Count);
        foreach (byte[] jpeg in pictures)
        {
            (int width, int height, byte[] rgb) = Media.JpegImage.Decode(jpeg);
            Assert.Equal((32, 32), (width, height));
            Assert.True(rgb[0] > rgb[2] + 50, "red clips are red");
        }
    }

    [Fact]
    public void Resume_OtherClips_CheckpointException()
    {
        TrainingOutcome first = Trainer.Run(Config(epochs: 2), Options() with { StopAfterEpoch = 1 });
        File.Delete(Path.Combine(_folder["clips"], "train", "red", "clip_00.mp4"));
        Assert.Contains("found others", Assert.Throws<CheckpointException>(() => Trainer.Resume(first.Plan.RunFolder, Options())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resume_NoRun_CheckpointException() =>
        Assert.Throws<CheckpointException>(() => Trainer.Resume(_folder.Path, Options()));

    [Fact]
    public void Run_ScoresBecomeNaN_StopsAtOnceAndSaysWhereAndWhatToDo()
    {
        TrainingConfig config = Config(epochs: 3);
        TrainerOptions options = Options() with { NetworkFactory = (_, o) => new ExplodingNetwork(o, fromStep: 6) };
        TrainingException e = Assert.Throws<TrainingException>(() => Trainer.Run(config, options));
        Assert.Contains("epoch 2", e.Message, StringComparison.Ordinal);
        Assert.Contains("optimizer.learningRate (now 0.05)", e.Message, StringComparison.Ordinal);
        Assert.Equal("last.safetensors", Path.GetFileName(e.Path));
        Assert.Equal(1, Checkpoint.Read(e.Path!).Epoch);
    }

    [Fact]
    public void Run_UnreadableClipsWithinTheBudget_AreSkippedAndNamed()
    {
        TrainingConfig config = Config(epochs: 1, damaged: 2);
        config = config with { Data = config.Data with { FailureBudget = 0.2 } };
        var seen = new Recorder();
        TrainingOutcome outcome = Trainer.Run(config, Options(), seen);
        Assert.Equal(2, outcome.Epochs[0].Failures);
        Assert.Equal(2, seen.All.OfType<TrainingProgress.Notice>().Count(n => n.Message.Contains("damaged_", StringComparison.Ordinal)));
        Assert.Contains("damaged_0.mp4", File.ReadAllText(Path.Combine(outcome.Plan.RunFolder, "log.txt")), StringComparison.Ordinal);
        Assert.Contains("damaged_1.mp4", File.ReadAllText(outcome.Report!), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_MoreUnreadableClipsThanTheBudget_DatasetExceptionNamesOne()
    {
        DatasetException e = Assert.Throws<DatasetException>(() => Trainer.Run(Config(epochs: 1, damaged: 2), Options()));
        Assert.Contains("damaged_", e.Message, StringComparison.Ordinal);
        Assert.Contains("at most 1 unreadable videos of 20", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_UnreadableTestClip_CountsAsWrong()
    {
        TrainingConfig config = Config(epochs: 4);
        File.WriteAllText(Path.Combine(_folder["clips"], "test", "blue", "clip_99.mp4"), "");
        TrainingOutcome outcome = Trainer.Run(config, Options());
        Assert.Equal((7, 1), (outcome.Test!.Clips, outcome.Test.Failures));
        Assert.True(outcome.Test.Top1 <= 6.0 / 7);
        Assert.Equal(7, outcome.Test.Answers.Count);
    }

    [Fact]
    public void Plan_NoOptions_EverythingIsFilledIn()
    {
        var config = new TrainingConfig { Output = _folder["runs"], Data = new DataConfig { Path = ColourClips.Create(_folder["clips"]) } };
        TrainingPlan plan = Trainer.Plan(config, Options() with { Probe = true });
        config = plan.Config;
        Assert.Equal(("clips", 8, 8), (config.Name, config.Loop.BatchSize, config.Model.Frames));
        Assert.Equal(0.01, config.Optimizer.LearningRate!.Value, 1e-12);
        Assert.InRange(config.Loop.Epochs!.Value, 8, 60);
        Assert.NotNull(config.Threads);
        Assert.NotNull(config.Schedule.WarmupEpochs);
        Assert.NotEqual(Precision.Auto, config.Loop.Precision);
        Assert.DoesNotContain(plan.Notes, n => n.Contains("some of their frames are shown more than once", StringComparison.Ordinal));
        TrainingPlan longer = Trainer.Plan(config with { Model = config.Model with { Frames = 64 } }, Options() with { Probe = true });
        Assert.Contains(longer.Notes, n => n.StartsWith("18 of 18 training clips with a known length have fewer than 64 frames", StringComparison.Ordinal));
        Assert.Equal(Autocast.IsSupported ? 1 : 0, plan.Notes.Count(n => n.StartsWith("computes in ", StringComparison.Ordinal)));
        Assert.Equal(plan.BFloat16, config.Loop.Precision == Precision.Bf16);
        Assert.True(plan.EstimatedTime > TimeSpan.Zero && plan.StepTime > TimeSpan.Zero && plan.DecodeTime > TimeSpan.Zero);
        Assert.Equal((18, 6, 6), (plan.TrainClips, plan.ValidationClips, plan.TestClips));
        Assert.Equal(new ClassClips("blue", 6, 2, 2), plan.Classes[0]);
        Assert.False(Directory.Exists(plan.RunFolder));
    }

    private TrainingConfig Config(int epochs, int damaged = 0) => new()
    {
        Output = _folder["runs"],
        Threads = 1,
        Data = new DataConfig { Path = ColourClips.Create(_folder["clips"], damaged: damaged) },
        Model = new ModelConfig { Pretrained = false, Frames = 2, Size = 32 },
        Loop = new LoopConfig { Epochs = epochs, BatchSize = 4 },
        Optimizer = new OptimizerConfig { LearningRate = 0.05 },
    };

    private static TrainerOptions Options() => new() { Probe = false, NetworkFactory = TinyNetwork.Create };

    // What was learned and measured, without times.
    private static (double, double, double, double?, double?)[] Learned(TrainingOutcome outcome) =>
        [.. outcome.Epochs.Select(e => (e.TrainLoss, e.TrainTop1, e.LearningRate, e.ValidationLoss, e.ValidationTop1))];

    private static void AssertSameTensors(string expectedPath, string actualPath)
    {
        using var scope = new TensorScope();
        using SafetensorsFile expected = SafetensorsFile.Open(expectedPath), actual = SafetensorsFile.Open(actualPath);
        Assert.Equal(expected.Entries.Select(e => e.Name).Order(), actual.Entries.Select(e => e.Name).Order());
        Assert.NotEmpty(expected.Entries);
        foreach (SafetensorsEntry entry in expected.Entries)
        {
            Assert.True(
                expected.Read(entry.Name).ToArray<float>().AsSpan().SequenceEqual(actual.Read(entry.Name).ToArray<float>()), $"{entry.Name} differs");
        }
    }

    private sealed class Recorder(Action<TrainingProgress>? more = null) : IProgress<TrainingProgress>
    {
        public List<TrainingProgress> All { get; } = [];

        public void Report(TrainingProgress value)
        {
            All.Add(value);
            more?.Invoke(value);
        }
    }
}
