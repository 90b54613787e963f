using System.Text.Json;
using Kinora.Data;
using Kinora.Testing;

namespace Kinora.Training.Tests;

/// <summary>What a preview shows is what the run reads.</summary>
[Collection(ComputeTests.Name)]
public sealed class TrainingPreviewTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("seed: 9\nmodel:\n  frames: 5\n  size: 64\naugmentation:\n  scales: [1, 0.5]\n  flipProbability: 0.25\n  repeats: 2\n  mix: {kind: cutMix}\n")]
    [InlineData("model:\n  name: tsm_r18\ninput:\n  sampling: {method: uniform, segments: 4}\n  crop: {method: center, size: 96}\n  resize: {rule: fixedRatio, shortSide: 112}\naugmentation:\n  sampling: {method: dense, segments: 4}\n  chain: {multiScaleCrop: {size: 96}}\n")]
    [InlineData("model:\n  name: tsm_r18\n  size: 64\naugmentation:\n  flipLabels: never\nloop:\n  batchSize: 3\ndata:\n  workers: 2\n")]
    [InlineData("model:\n  name: tsm_r18\n  size: 64\naugmentation:\n  flipProbability: 0\n")]
    public void Options_OfAConfiguration_AreThoseOfItsRunsLoader(string yaml)
    {
        string clips = ColourClips.Create(_folder["clips"], test: 0);
        foreach (string split in new[] { "train", "val" })
        {
            Directory.Move(Path.Combine(clips, split, "red"), Path.Combine(clips, split, "turn left"));
            Directory.Move(Path.Combine(clips, split, "blue"), Path.Combine(clips, split, "turn right"));
        }

        TrainingConfig config = ConfigYaml.Parse(yaml);
        config = config with { Output = _folder["runs"], Data = config.Data with { Path = clips }, Loop = config.Loop with { Epochs = 2 }, Model = config.Model with { Pretrained = false } };
        ClipLoaderOptions previewed = TrainingPreview.Options(config, TrainingPreview.Splits(config));
        using PreparedRun run = Planner.Prepare(config, new TrainerOptions { Probe = false }, null, TestContext.Current.CancellationToken);
        ClipLoaderOptions trained = Planner.TrainingLoader(run.Plan.Config, run.Plan, run.Sides, null);
        Assert.Equal(JsonSerializer.Serialize(trained), JsonSerializer.Serialize(previewed));
        Assert.Equal(config.Seed, previewed.Seed);
        Assert.Equal(yaml.Contains("flipProbability: 0\n", StringComparison.Ordinal) ? null : yaml.Contains("never", StringComparison.Ordinal) ? [0, -1, -1] : [0, 2, 1], previewed.MirroredLabels);
    }

    [Fact]
    public void Options_InputOfAnotherSize_SameMessageAsTheRun()
    {
        var config = new TrainingConfig { Data = new DataConfig { Path = ColourClips.Create(_folder["clips"]) }, Model = new ModelConfig { Size = 64 }, Input = new InputConfig { Crop = new CropSpec(CropMethod.Center, 96) } };
        DatasetSplits splits = TrainingPreview.Splits(config);
        Assert.Contains("input.crop.size: expected 64 pixels", Assert.Throws<ConfigException>(() => TrainingPreview.Options(config, splits)).Message, StringComparison.Ordinal);
    }
}
