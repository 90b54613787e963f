using Kinora.Models;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Training.Tests;

[Collection(ComputeTests.Name)]
public sealed class CheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void LoadNetwork_WhatWriteWrote_SameScoresAndMetadata()
    {
        using var scope = new TensorScope();
        using VideoNetwork network = Network(classes: 3);
        Checkpoint written = Describe(network);
        written.Write(_folder["a.safetensors"], network.StateDict());

        Checkpoint read = Checkpoint.Read(_folder["a.safetensors"]);
        Assert.Equal((written.Model, written.Options, written.ClipSpec, written.Epoch), (read.Model, read.Options, read.ClipSpec, read.Epoch));
        Assert.Equal(written.Labels.Names, read.Labels.Names);
        Assert.Equal(ConfigYaml.Write(written.Config), ConfigYaml.Write(read.Config));
        Assert.Equal(written.Metrics, read.Metrics);
        Assert.Equal("abc", read.Provenance["revision"]);

        using VideoNetwork loaded = read.LoadNetwork();
        Assert.False(loaded.IsTraining);
        network.Eval();
        Tensor clips = Tensor.From<float>(Noise(2 * 2 * 3 * 32 * 32), [2, 2, 3, 32, 32]);
        using (Grad.Disable())
        {
            Assert.Equal(network.Forward(clips).ToArray<float>(), loaded.Forward(clips).ToArray<float>());
        }
    }

    [Fact]
    public void ExportMetadata_HasTheKeysOfModelFiles()
    {
        using VideoNetwork network = Network(3);
        IReadOnlyDictionary<string, string> metadata = Describe(network).ExportMetadata();
        Assert.Equal(["kinora.clip_spec", "kinora.config", "kinora.labels", "kinora.provenance"], metadata.Keys.Order());
        Assert.Equal(network.EvaluationSpec, ClipSpec.FromJson(metadata["kinora.clip_spec"]));
        Assert.Equal("[\"a \\u0026 b\",\"c\",\"d\"]", metadata["kinora.labels"]);
    }

    [Fact]
    public void LoadMatching_OtherNumberOfClasses_TakesAllButTheClassifier()
    {
        using var scope = new TensorScope();
        using VideoNetwork three = Network(3), five = Network(5);
        Describe(three).Write(_folder["three.safetensors"], three.StateDict());
        LoadReport report = Checkpoint.LoadMatching(five, _folder["three.safetensors"]);
        Assert.Equal(["fc.weight", "fc.bias"], report.Misshapen.Select(t => t.Name));
        Assert.Empty(report.Missing.Concat(report.Unused));
        Dictionary<string, Tensor> expected = three.StateDict().ToDictionary(p => p.Name, p => p.Value);
        foreach ((string name, Tensor value) in five.StateDict().Where(p => !p.Name.StartsWith("fc.", StringComparison.Ordinal)))
        {
            Assert.Equal(expected[name].ToArray<float>(), value.ToArray<float>());
        }
    }

    [Fact]
    public void LoadNetwork_OtherShiftConvention_IsRebuiltAndNotTakenForTheNetworksOwn()
    {
        using var scope = new TensorScope();
        using VideoNetwork original = ModelCatalog.Create(
            ModelCatalog.DefaultName, new ModelOptions(3, Frames: 2, Size: 32, Seed: 3, Shift: ShiftConvention.Original));
        Describe(original).Write(_folder["a.safetensors"], original.StateDict());

        using VideoNetwork loaded = Checkpoint.Read(_folder["a.safetensors"]).LoadNetwork();
        using VideoNetwork own = Network(3);

        Assert.Equal(ShiftConvention.Original, loaded.Options.Shift);
        CheckpointException e = Assert.Throws<CheckpointException>(() => Checkpoint.LoadMatching(own, _folder["a.safetensors"]));
        Assert.Contains("'past first, 1/8', found 'future first, 1/8", e.Message, StringComparison.Ordinal);
        Assert.Empty(Checkpoint.LoadMatching(loaded, _folder["a.safetensors"]).Missing);
    }

    [Fact]
    public void LoadMatching_AnotherNetwork_CheckpointException()
    {
        using VideoNetwork network = Network(3);
        using var tiny = new TinyNetwork(new ModelOptions(3));
        SafetensorsFile.Save(_folder["tiny.safetensors"], tiny.StateDict());
        CheckpointException e = Assert.Throws<CheckpointException>(() => Checkpoint.LoadMatching(network, _folder["tiny.safetensors"]));
        Assert.Equal(_folder["tiny.safetensors"], e.Path);
    }

    [Fact]
    public void Save_ConvertedWeights_CarriesTheLoadReport()
    {
        using VideoNetwork network = Network(3);
        var report = new LoadReport
        {
            File = "a.pdparams",
            Network = network.Name,
            Family = "PaddleVideo",
            Style = "as they are",
            Matched = [new ReportedTensor("backbone.fc.weight", "fc.weight", [8, 3], [8, 3])],
            Reshaped = [],
            Missing = [new ReportedTensor("backbone.fc.bias", "fc.bias", [3], Note: "allowed by 'fc.*'")],
            Misshapen = [],
            Unused = [new ReportedTensor("x", Found: [2])],
        };
        (Describe(network) with { LoadReport = report }).Save(_folder["a.safetensors"], network);

        LoadReport read = Checkpoint.Read(_folder["a.safetensors"]).LoadReport!;
        Assert.Equal(report.ToText(full: true), read.ToText(full: true));
        Assert.Equal("fc.weight", read.Matched[0].Kinora);
        Assert.False(read.Fits);
    }

    [Fact]
    public void Read_SafetensorsWithoutMetadata_CheckpointExceptionNamesTheKey()
    {
        using var tiny = new TinyNetwork(new ModelOptions(3));
        SafetensorsFile.Save(_folder["plain.safetensors"], tiny.StateDict());
        CheckpointException e = Assert.Throws<CheckpointException>(() => Checkpoint.Read(_folder["plain.safetensors"]));
        Assert.Contains("kinora.format", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_TruncatedFile_CheckpointException()
    {
        using VideoNetwork network = Network(3);
        Describe(network).Write(_folder["a.safetensors"], network.StateDict());
        byte[] bytes = File.ReadAllBytes(_folder["a.safetensors"]);
        foreach (int length in new[] { 0, 7, 200, bytes.Length / 2, bytes.Length - 1 })
        {
            File.WriteAllBytes(_folder["cut.safetensors"], bytes[..length]);
            Assert.Throws<CheckpointException>(() => Checkpoint.Read(_folder["cut.safetensors"]));
        }
    }

    [Fact]
    public void LoadNetwork_WeightMissing_CheckpointExceptionNamesItAndTheFile()
    {
        using VideoNetwork network = Network(3);
        Describe(network).Write(_folder["a.safetensors"], network.StateDict().Where(p => p.Name != "fc.bias"));
        Checkpoint read = Checkpoint.Read(_folder["a.safetensors"]);
        CheckpointException e = Assert.Throws<CheckpointException>(() => read.LoadNetwork());
        Assert.Contains("fc.bias", e.Message, StringComparison.Ordinal);
        Assert.Equal(_folder["a.safetensors"], e.Path);
    }

    [Fact]
    public void Read_Folder_PrefersTheBestCheckpoint()
    {
        using VideoNetwork network = Network(3);
        (Describe(network) with { Epoch = 9 }).Write(_folder["last.safetensors"], network.StateDict());
        Assert.Equal(9, Checkpoint.Read(_folder.Path).Epoch);
        (Describe(network) with { Epoch = 7 }).Write(_folder["best.safetensors"], network.StateDict());
        Assert.Equal(7, Checkpoint.Read(_folder.Path).Epoch);
    }

    private static VideoNetwork Network(int classes) => ModelCatalog.Create(ModelCatalog.DefaultName, new ModelOptions(classes, Frames: 2, Size: 32, Seed: 3));

    private static Checkpoint Describe(VideoNetwork network) => new()
    {
        Model = network.Name,
        Options = network.Options,
        ClipSpec = network.EvaluationSpec,
        Labels = new LabelMap(["a & b", "c", "d"]),
        Config = new TrainingConfig { Data = new DataConfig { Path = "clips" } },
        Epoch = 4,
        Metrics = new Dictionary<string, double> { ["validation_top1"] = 1.0 / 3 },
        Provenance = new Dictionary<string, string> { ["revision"] = "abc" },
    };

    private static float[] Noise(int count)
    {
        var random = new CounterRandom(5, "noise");
        return [.. Enumerable.Range(0, count).Select(_ => (float)random.NextDouble(-1, 1))];
    }
}
