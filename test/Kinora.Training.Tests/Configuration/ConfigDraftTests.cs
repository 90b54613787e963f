using Kinora.Media;
using Kinora.Models;

namespace Kinora.Training.Tests;

public sealed class ConfigDraftTests
{
    [Fact]
    public void Set_OverAFile_LastOneWinsAndTheRestStays()
    {
        TrainingConfig config = ConfigDraft.Parse("seed: 4\nloop:\n  epochs: 3\n  batchSize: 2\n", "my.yaml")
            .Set("loop.epochs", "7", "--set").Set("loop.epochs", "9", "--epochs").Set("optimizer.noDecay", "[norm, bias]", "--set").Build();
        Assert.Equal((4UL, 9, 2), (config.Seed, config.Loop.Epochs, config.Loop.BatchSize));
        Assert.Equal(["norm", "bias"], config.Optimizer.NoDecay);
    }

    [Fact]
    public void Origins_FileAndOptions_NameLineAndOption()
    {
        IReadOnlyDictionary<string, string> origins = ConfigDraft.Parse("seed: 4\nloop:\n  epochs: 3\n", "dir/my.yaml").Set("data.path", "clips", "argument").Origins();
        Assert.Equal("my.yaml:1", origins["seed"]);
        Assert.Equal("my.yaml:3", origins["loop.epochs"]);
        Assert.Equal("argument", origins["data.path"]);
        Assert.Equal(3, origins.Count);
    }

    [Theory]
    [InlineData("loop.epoch", "did you mean 'epochs'")]
    [InlineData("lop.epochs", "did you mean 'loop'")]
    [InlineData("loop.epochs.x", "there is nothing below it")]
    [InlineData("zzzzzzz", "expected one of name, output, seed")]
    public void Set_UnknownKey_MessageNamesOptionAndNearestKey(string key, string hint)
    {
        ConfigException e = Assert.Throws<ConfigException>(() => new ConfigDraft().Set(key, "1", "--set"));
        Assert.Contains($"--set: unknown key '{key}'", e.Message, StringComparison.Ordinal);
        Assert.Contains(hint, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_WrongValueOfAnOption_MessageNamesTheOptionNotALine()
    {
        ConfigException e = Assert.Throws<ConfigException>(() => new ConfigDraft().Set("loop.epochs", "many", "--epochs").Build());
        Assert.Equal("training configuration: --epochs: loop.epochs: expected a whole number, found 'many'", e.Message);
    }

    [Theory]
    [InlineData("a: b # c")]
    [InlineData("yes")]
    [InlineData("übung \"1\"\\n")]
    [InlineData("[x]")]
    public void SetText_AnyText_StaysAsItIs(string text) =>
        Assert.Equal(text, new ConfigDraft().SetText("data.path", text, "argument").Build().Data.Path);

    [Fact]
    public void Build_PositionalRecords_TakeDefaultsOfTheirConstructors()
    {
        TrainingConfig config = ConfigYaml.Parse(
            """
            model:
              shift: {order: futureFirst, divisor: 8}
            input:
              sampling: {method: dense, segments: 8}
              normalization:
                mean: {r: 0.45, g: 0.45, b: 0.45}
                std: {r: 0.225, g: 0.225, b: 0.225}
            augmentation:
              chain:
                resize: {rule: fixedRatio, shortSide: 256}
                multiScaleCrop: {size: 256, scales: [1, 0.5]}
                randomCrop: true
            """);
        Assert.Equal(new ShiftConvention(ShiftOrder.FutureFirst, 8), config.Model.Shift);
        Assert.Equal(new SamplingSpec(SamplingMethod.Dense, 8), config.Input.Sampling);
        Assert.Equal(new Normalization(new(0.45f, 0.45f, 0.45f), new(0.225f, 0.225f, 0.225f)), config.Input.Normalization);
        Assert.Null(config.Input.Crop);
        TrainingAugmentation chain = config.Augmentation.Chain!;
        Assert.Equal(new ResizeSpec(ResizeRule.FixedRatio, 256), chain.Resize);
        Assert.Equal([1, 0.5], chain.MultiScaleCrop!.Scales);
        Assert.True(chain.RandomCrop);
        Assert.Equal(ConfigYaml.Write(config), ConfigYaml.Write(ConfigYaml.Parse(ConfigYaml.Write(config))));
        Assert.Equal(ConfigYaml.Write(config), ConfigYaml.Write(ConfigDraft.From(config, "elsewhere").Build()));
    }

    [Fact]
    public void Build_PositionalRecordWithoutARequiredKey_MessageNamesIt()
    {
        ConfigException e = Assert.Throws<ConfigException>(() => ConfigYaml.Parse("input:\n  sampling:\n    segments: 3\n"));
        Assert.Contains("line 3: input.sampling: expected a key 'method', found none", e.Message, StringComparison.Ordinal);
    }
}
