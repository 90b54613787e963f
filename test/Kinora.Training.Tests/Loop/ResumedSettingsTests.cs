using Kinora.Testing;

namespace Kinora.Training.Tests;

/// <summary>What may be said anew to a run that goes on.</summary>
[Collection(ComputeTests.Name)]
public sealed class ResumedSettingsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Resume_MoreEpochs_GoesOnAsIfTheyHadBeenWantedFromTheBeginning()
    {
        TrainingConfig config = Config();
        Trainer.Run(config with { Name = "long" }, Options());
        TrainingConfig shorter = config with { Name = "short", Loop = config.Loop with { Epochs = 2 } };
        string run = Trainer.Run(shorter, Options()).Plan.RunFolder;

        TrainingOutcome outcome = Trainer.Resume(run, Options(("loop.epochs", "4", "--epochs"), ("data.workers", "3", "--set")));

        Assert.Equal((TrainingEnd.Completed, 4, 3), (outcome.End, outcome.Epochs.Count, outcome.Plan.Config.Data.Workers));
        Assert.Contains(outcome.Plan.Notes, n => n.StartsWith("4 epochs instead of 2", StringComparison.Ordinal));
        Assert.Equal(4, ConfigYaml.Read(Path.Combine(run, "config.yaml")).Loop.Epochs);
        Assert.Equal(Weights(Path.Combine(config.Output, "long")), Weights(run));
    }

    [Theory]
    [InlineData("optimizer.momentum", "0.5", "--set", "found optimizer.momentum")]
    [InlineData("loop.batchSize", "2", "--batch-size", "--batch-size")]
    [InlineData("model.frames", "8", "--frames", "found model.frames")]
    [InlineData("name", "other", "--name", "found name")]
    [InlineData("optimizer.momentm", "0.5", "--set", "did you mean")]
    [InlineData("data.workers", "many", "--set", "data.workers")]
    [InlineData("loop.epochs", "1", "--epochs", "at least the 2 epochs that are done")]
    public void Resume_AnotherTraining_IsRefusedAndNothingHappens(string key, string value, string origin, string said)
    {
        string run = Trainer.Run(Config() with { Name = "run", Loop = new LoopConfig { Epochs = 2, BatchSize = 4 } }, Options()).Plan.RunFolder;
        byte[] before = Weights(run);

        ConfigException e = Assert.Throws<ConfigException>(() => Trainer.Resume(run, Options((key, value, origin))));

        Assert.Contains(said, e.Message, StringComparison.Ordinal);
        Assert.Equal(before, Weights(run));
    }

    [Fact]
    public void Plan_RunOfThisName_IsNoObstacle()
    {
        TrainingConfig config = Config() with { Name = "run", Loop = new LoopConfig { Epochs = 1, BatchSize = 4 } };
        Trainer.Run(config, Options());

        Assert.Equal("run", Trainer.Plan(config, Options()).Config.Name);
        Assert.Contains("expected a new run", Assert.Throws<ConfigException>(() => Trainer.Run(config, Options())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DifferencesFrom_SettledConfiguration_AreWhatWasGivenAndIsOther()
    {
        var settled = new TrainingConfig { Loop = new LoopConfig { Epochs = 2, BatchSize = 8 }, Seed = 3 };
        ConfigDraft draft = new ConfigDraft().Set("loop.epochs", "5", "-o epochs").Set("loop.batchSize", "8", "file").Set("loop.clipNorm", "auto", "file").Set("seed", "3", "file");

        Assert.Equal([new ConfigSetting("loop.epochs", "5", "-o epochs")], draft.DifferencesFrom(settled));
    }

    private static byte[] Weights(string run)
    {
        using var scope = new Tensors.TensorScope();
        using Tensors.SafetensorsFile file = Tensors.SafetensorsFile.Open(Path.Combine(run, "last.safetensors"));
        return [.. file.ReadAll().SelectMany(t => System.Runtime.InteropServices.MemoryMarshal.AsBytes<double>(t.Value.ToArray<double>()).ToArray())];
    }

    private TrainingConfig Config() => TinyRun.Config(_folder) with
    {
        Loop = new LoopConfig { Epochs = 4, BatchSize = 4 },
        Schedule = new ScheduleConfig { Kind = ScheduleKind.MultiStep, Milestones = [3], WarmupEpochs = 0 },
    };

    private static TrainerOptions Options(params (string Key, string Value, string Origin)[] changes) =>
        new() { Probe = false, NetworkFactory = TinyNetwork.Create, Changes = [.. changes.Select(c => new ConfigSetting(c.Key, c.Value, c.Origin))] };
}
