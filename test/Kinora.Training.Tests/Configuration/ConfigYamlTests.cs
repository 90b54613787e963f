using Kinora.Testing;

namespace Kinora.Training.Tests;

public sealed class ConfigYamlTests
{
    [Fact]
    public void Parse_WhatWriteWrote_SameValues()
    {
        var config = new TrainingConfig
        {
            Name = "run 1: \"x\"",
            Seed = ulong.MaxValue,
            Data = new DataConfig { Path = "/clips/übung # 1", Cache = CacheMode.Off },
            Model = new ModelConfig { Frames = 16, TemporalShift = false },
            Optimizer = new OptimizerConfig { LearningRate = 0.1 + 0.2, WeightDecay = 1e-7 },
            Schedule = new ScheduleConfig { Kind = ScheduleKind.MultiStep, Milestones = [3, 9] },
            Augmentation = new AugmentationConfig { Scales = [1, 2.0 / 3], FlipLabels = FlipLabels.Never },
        };
        string yaml = ConfigYaml.Write(config);
        TrainingConfig back = ConfigYaml.Parse(yaml);
        Assert.Equal(yaml, ConfigYaml.Write(back));
        Assert.Equal((config.Name, config.Seed, config.Data), (back.Name, back.Seed, back.Data));
        Assert.Equal(16, back.Model.Frames);
        Assert.Equal(0.1 + 0.2, back.Optimizer.LearningRate);
        Assert.Equal(config.Augmentation.Scales, back.Augmentation.Scales);
        Assert.Equal(config.Schedule.Milestones, back.Schedule.Milestones);
        back.Validate();
    }

    [Fact]
    public void Parse_UnknownKey_MessageHasPathLineAndNearestName()
    {
        ConfigException e = Assert.Throws<ConfigException>(() => ConfigYaml.Parse("seed: 3\noptimizer:\n  momentum: 0.8\n  lerningRate: 0.1\n", "my.yaml"));
        Assert.Contains("line 4", e.Message, StringComparison.Ordinal);
        Assert.Contains("'optimizer.lerningRate'", e.Message, StringComparison.Ordinal);
        Assert.Contains("did you mean 'learningRate'", e.Message, StringComparison.Ordinal);
        Assert.Equal("my.yaml", e.Path);
    }

    [Theory]
    [InlineData("seed: many", "seed: expected a whole number, 0 or more, found 'many'")]
    [InlineData("loop:\n  precision: half", "loop.precision: expected one of auto, fp32, bf16, fp16, fp64, found 'half'")]
    [InlineData("loop:\n  epochs: [1]", "loop.epochs: expected a single value, found a list")]
    [InlineData("augmentation:\n  scales: 1", "augmentation.scales: expected a list")]
    [InlineData("- 1", "the top level: expected keys with values")]
    [InlineData("seed: 1\nseed: 2", "line 2")]
    [InlineData("a: [", "line")]
    public void Parse_WrongValue_MessageSaysWhatWasExpected(string yaml, string message) =>
        Assert.Contains(message, Assert.Throws<ConfigException>(() => ConfigYaml.Parse(yaml)).Message, StringComparison.Ordinal);

    [Fact]
    public void Parse_AutoAndEmptySections_AreDefaults()
    {
        TrainingConfig config = ConfigYaml.Parse("loop:\n  epochs: auto\n  batchSize:\nmodel:\nname: auto\n");
        Assert.Null(config.Loop.Epochs);
        Assert.Null(config.Name);
        Assert.Equal(ConfigYaml.Write(new TrainingConfig()), ConfigYaml.Write(ConfigYaml.Parse("")));
    }

    [Theory]
    [InlineData("data:\n  path: \"\"", "data.path")]
    [InlineData("data:\n  path: x\nloop:\n  epochs: 0", "loop.epochs")]
    [InlineData("data:\n  path: x\noptimizer:\n  momentum: 1", "optimizer.momentum")]
    [InlineData("data:\n  path: x\nschedule:\n  kind: multiStep", "schedule.milestones")]
    [InlineData("data:\n  path: x\nname: a/b", "name")]
    public void Load_ValueOutOfRange_MessageNamesKeyAndFile(string yaml, string key)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["c.yaml"], yaml);
        ConfigException e = Assert.Throws<ConfigException>(() => ConfigYaml.Load(folder["c.yaml"]));
        Assert.Contains(key, e.Message, StringComparison.Ordinal);
        Assert.Equal(folder["c.yaml"], e.Path);
    }
}
