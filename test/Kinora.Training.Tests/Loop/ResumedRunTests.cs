using Kinora.Testing;

namespace Kinora.Training.Tests;

/// <summary>What a run's state hangs on, each across several interruptions, and what an interruption leaves behind.</summary>
[Collection(ComputeTests.Name)]
public sealed class ResumedRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("plain")]
    [InlineData("accumulation")]
    [InlineData("adamW")]
    [InlineData("rmsProp")]
    [InlineData("weight average")]
    [InlineData("precise batch norm")]
    [InlineData("mutual distillation")]
    [InlineData("teacher with features")]
    [InlineData("teacher asked once")]
    [InlineData("mixed clips")]
    [InlineData("early stop")]
    [InlineData("step schedule")]
    [InlineData("float64")]
    public void Resume_CancelledInSteps_EvaluationAndAgain_EqualsTheUninterruptedRunBitForBit(string what)
    {
        TrainingConfig config = Config(what);
        TrainingOutcome whole = Trainer.Run(config with { Name = "whole" }, Options());
        Assert.Equal(what == "early stop", whole.Epochs.Count < config.Loop.Epochs);

        // Within the first epoch, in its evaluation, in the second epoch; then to the end.
        TrainingOutcome? outcome = null;
        foreach ((Type word, int count) in new[] { (typeof(TrainingProgress.Step), 2), (typeof(TrainingProgress.Evaluating), 1), (typeof(TrainingProgress.Step), 1), (typeof(TrainingProgress.Step), 2) })
        {
            using var source = new CancellationTokenSource();
            int seen = 0;
            var canceller = new Receiver(p =>
            {
                if (p.GetType() == word && ++seen == count)
                {
                    source.Cancel();
                }
            });
            outcome = outcome is null
                ? Trainer.Run(config with { Name = "cut" }, Options(), canceller, source.Token)
                : Trainer.Resume(outcome.Plan.RunFolder, Options(), canceller, source.Token);
            Assert.Equal(TrainingEnd.Cancelled, outcome.End);
        }

        outcome = Trainer.Resume(outcome!.Plan.RunFolder, Options());
        Assert.Equal(TrainingEnd.Completed, outcome.End);
        SameRuns.AssertEqual(whole.Plan.RunFolder, outcome.Plan.RunFolder);
    }

    [Fact]
    public void Resume_DiedAtAnyReport_EqualsTheUninterruptedRunBitForBit()
    {
        TrainingConfig config = Config("weight average");
        config = config with { Loop = config.Loop with { Epochs = 2, PreciseBatchNormBatches = 2 }, Checkpoints = new CheckpointConfig { EverySteps = 2, EveryEpochs = 1, Keep = 1, LogEverySteps = 1 } };
        var words = new List<TrainingProgress>();
        string whole = Trainer.Run(config with { Name = "whole" }, Options(), new Receiver(words.Add)).Plan.RunFolder;
        Assert.InRange(words.OfType<TrainingProgress.CheckpointWritten>().Count(), 7, 8); // two inside each epoch, the last after it, the best once or twice
        for (int fatal = 1; fatal <= words.Count; fatal++)
        {
            int said = 0;
            var receiver = new Receiver(_ =>
            {
                if (++said == fatal)
                {
                    throw new DeathException();
                }
            });
            string name = $"died-{fatal}", run = Path.Combine(config.Output, name);
            Assert.Throws<DeathException>(() => Trainer.Run(config with { Name = name }, Options(), receiver));
            Assert.Equal(TrainingEnd.Completed, Trainer.Resume(run, Options()).End);
            SameRuns.AssertEqual(whole, run);
            Directory.Delete(run, recursive: true);
        }
    }

    [Fact]
    public void Resume_FromAKeptCheckpoint_GoesOnFromThereAndForgetsWhatCameAfter()
    {
        TrainingConfig config = Config("plain");
        config = config with { Loop = config.Loop with { Epochs = 4 }, Checkpoints = config.Checkpoints with { EveryEpochs = 1, Keep = 3 } };
        string run = Trainer.Run(config with { Name = "whole" }, Options()).Plan.RunFolder;
        string parts = Trainer.Run(config with { Name = "parts" }, Options() with { StopAfterEpoch = 3 }).Plan.RunFolder;
        Assert.Equal(["epoch_00002.safetensors", "epoch_00003.safetensors", "epoch_00004.safetensors"], Directory.EnumerateFiles(run, "epoch_*").Select(f => Path.GetFileName(f)).Order());

        TrainingOutcome second = Trainer.Resume(Path.Combine(parts, "epoch_00001.safetensors"), Options() with { StopAfterEpoch = 2 });
        Assert.Equal(2, second.Epochs.Count);
        Assert.Equal(SameRuns.Figures(run)[..(2 * 6)], SameRuns.Figures(parts));
        Trainer.Resume(parts, Options());
        SameRuns.AssertEqual(run, parts);
    }

    [Fact]
    public void Resume_KilledWhileWriting_LeftoversGoAndTornLinesAreCutOff()
    {
        TrainingConfig config = Config("plain");
        string whole = Trainer.Run(config with { Name = "whole" }, Options()).Plan.RunFolder;
        string parts = Trainer.Run(config with { Name = "parts" }, Options() with { StopAfterEpoch = 1 }).Plan.RunFolder;
        byte[] last = File.ReadAllBytes(Path.Combine(parts, "last.safetensors"));
        File.WriteAllBytes(Path.Combine(parts, ".last.1f3a-2.tmp.safetensors"), last[..(last.Length / 2)]);
        File.WriteAllText(Path.Combine(parts, ".metrics.1f3a-3.tmp.csv"), "epo");
        File.WriteAllText(Path.Combine(parts, "notes.tmp"), "somebody's own");
        File.AppendAllText(Path.Combine(parts, "metrics.jsonl"), """{"type":"step","epoch":2,"global_step":6,"loss":99}""" + "\n" + """{"type":"st""");
        File.AppendAllText(Path.Combine(parts, "log.txt"), "2025-01-01 00:00:00Z epo");

        // The process died behind the checkpoint of an epoch, before metrics.csv.
        File.Delete(Path.Combine(parts, "metrics.csv"));
        Trainer.Resume(parts, Options());
        Assert.True(File.Exists(Path.Combine(parts, "notes.tmp")));
        File.Delete(Path.Combine(parts, "notes.tmp"));
        SameRuns.AssertEqual(whole, parts);
        Assert.Contains("2025-01-01 00:00:00Z epo\n", File.ReadAllText(Path.Combine(parts, "log.txt")), StringComparison.Ordinal);
    }

    [Fact]
    public void Resume_KilledBeforeTheFirstCheckpoint_BeginsAgain()
    {
        TrainingConfig config = Config("plain");
        string whole = Trainer.Run(config with { Name = "whole" }, Options()).Plan.RunFolder;
        string started = Path.Combine(config.Output, "started");
        Directory.CreateDirectory(started);
        File.Copy(Path.Combine(whole, "config.yaml"), Path.Combine(started, "config.yaml"));
        File.WriteAllText(Path.Combine(started, "metrics.jsonl"), """{"type":"run","global_step":0}""" + "\n" + """{"type":"step","epoch":1,"global_step":1,"loss":99}""" + "\n");
        Assert.Equal(TrainingEnd.Completed, Trainer.Resume(started, Options()).End);
        SameRuns.AssertEqual(whole, started);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.4)]
    [InlineData(0.999)]
    public void Resume_DamagedLastCheckpoint_NamesTheKeptOnes(double share)
    {
        TrainingConfig config = Config("plain");
        config = config with { Checkpoints = config.Checkpoints with { EveryEpochs = 1 } };
        string run = Trainer.Run(config, Options() with { StopAfterEpoch = 2 }).Plan.RunFolder;
        string last = Path.Combine(run, "last.safetensors");
        byte[] bytes = File.ReadAllBytes(last);
        File.WriteAllBytes(last, bytes[..(int)(share * bytes.Length)]);
        string message = Assert.Throws<CheckpointException>(() => Trainer.Resume(run, Options())).Message;
        Assert.Contains("last.safetensors", message, StringComparison.Ordinal);
        Assert.Contains($"resume from another checkpoint by its path instead: {Path.Combine(run, "epoch_00002.safetensors")}, {Path.Combine(run, "epoch_00001.safetensors")}", message, StringComparison.Ordinal);
        Assert.Single(message.Split('\n'));

        File.Delete(last);
        Assert.Contains("epoch_00002.safetensors", Assert.Throws<CheckpointException>(() => Trainer.Resume(run, Options())).Message, StringComparison.Ordinal);
        Assert.Equal(TrainingEnd.Completed, Trainer.Resume(Path.Combine(run, "epoch_00002.safetensors"), Options()).End);
    }

    [Fact]
    public void Resume_AnotherProcessWritesTheRun_TrainingException()
    {
        string run = Trainer.Run(Config("plain"), Options() with { StopAfterEpoch = 1 }).Plan.RunFolder;
        byte[] journal = File.ReadAllBytes(Path.Combine(run, "metrics.jsonl"));
        using (new RunFolder(run, TimeProvider.System))
        {
            Assert.Contains("another process", Assert.Throws<TrainingException>(() => Trainer.Resume(run, Options())).Message, StringComparison.Ordinal);
        }

        Assert.Equal(journal, File.ReadAllBytes(Path.Combine(run, "metrics.jsonl")));
        Assert.Equal(TrainingEnd.Completed, Trainer.Resume(run, Options()).End);
    }

    private TrainingConfig Config(string what)
    {
        TrainingConfig config = TinyRun.Config(_folder) with { Checkpoints = new CheckpointConfig { LogEverySteps = 1 } };
        return what switch
        {
            "accumulation" => config with { Loop = config.Loop with { Accumulate = 2 } },
            "adamW" => config with { Optimizer = new OptimizerConfig { Kind = OptimizerKind.AdamW, LearningRate = 0.01 } },
            "rmsProp" => config with { Optimizer = new OptimizerConfig { Kind = OptimizerKind.RmsProp, LearningRate = 0.01 } },
            "weight average" => config with { Loop = config.Loop with { WeightAverage = 0.9 } },
            "precise batch norm" => config with { Loop = config.Loop with { PreciseBatchNormBatches = 3 } },
            "mutual distillation" => config with { Distillation = new DistillationConfig { Kind = DistillationKind.Mutual, Teacher = "tiny", TeacherPretrained = false } },
            "teacher with features" => config with { Distillation = Taught() with { FeatureWeight = 1 } },
            "teacher asked once" => config with { Distillation = Taught() with { CacheScores = true } },
            "mixed clips" => config with { Augmentation = config.Augmentation with { Mix = new() { Kind = Data.MixKind.Mixup, MixupAlpha = 5 } } },
            "early stop" => config with { Loop = config.Loop with { Epochs = 40, Patience = 2 }, Optimizer = new OptimizerConfig { LearningRate = 1 } },
            "step schedule" => config with { Schedule = config.Schedule with { WarmupEpochs = 1.5 } },
            "float64" => config with { Loop = config.Loop with { Precision = Precision.Fp64 } },
            _ => config,
        };
    }

    private DistillationConfig Taught() => new()
    {
        Kind = DistillationKind.Teacher,
        Teacher = "tiny",
        TeacherWeights = Trainer.Run(Config("plain") with { Name = "teacher", Seed = 5 }, Options()).BestCheckpoint,
    };

    private static TrainerOptions Options() => new() { Probe = false, NetworkFactory = TinyNetwork.Create };

    private sealed class DeathException : Exception;

    private sealed class Receiver(Action<TrainingProgress> receive) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => receive(value);
    }
}
