using System.Text.Json;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Models.Tests;

public sealed class TsmEfficientNetLite0Tests
{
    public static IEnumerable<TheoryDataRow<string>> GoldenFiles()
    {
        foreach (string path in SharedData.Files("golden/models", "*.json"))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            if (document.RootElement.TryGetProperty("weights", out JsonElement weights) && weights.GetString()!.Contains("efficientnet_lite0", StringComparison.Ordinal))
            {
                yield return new TheoryDataRow<string>(Path.GetFileName(path));
            }
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(GoldenFiles))]
    public void Forward_ImageNetWeightsWithoutShift_GivesTheRecordedLayersAndScores(string file)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(SharedData.Require($"golden/models/{file}")));
        JsonElement golden = document.RootElement;
        string weights = SharedData.Require(golden.GetProperty("weights").GetString()!);
        int[] input = [.. golden.GetProperty("input").EnumerateArray().Select(v => v.GetInt32())];
        double[][] scores = [.. golden.GetProperty("scores").EnumerateArray().Select(Doubles)];
        using var scope = new TensorScope();
        using var network = new TsmEfficientNetLite0(new ModelOptions(scores[0].Length, Frames: 1, Size: input[3], TemporalShift: false));
        network.To(DType.Float64);
        network.LoadImageNet(weights, classifier: true);
        network.Eval();
        using IDisposable noGrad = Grad.Disable();
        using var watch = new LayerWatch(network);

        // The frames of one formula clip are the batch.
        Tensor logits = network.Forward(Tensor.From<double>(
            GoldenFormula.Clip(1, input[0], input[1], input[2], input[3]), [input[0], 1, input[1], input[2], input[3]]));

        Tolerance.Close([.. scores.SelectMany(row => row)], logits.ToArray<double>(), Tolerance.Double, "scores");
        var outputs = watch.Outputs.ToDictionary(o => LayerName(o.Key), o => o.Value);
        foreach (JsonProperty layer in golden.GetProperty("layers").EnumerateObject())
        {
            Assert.True(outputs.TryGetValue(layer.Name, out Tensor? output), $"no layer {layer.Name}");
            Tolerance.Layer(layer.Name, output, Tolerance.Double,
                [.. layer.Value.GetProperty("shape").EnumerateArray().Select(v => v.GetInt64())],
                layer.Value.GetProperty("mean").GetDouble(), layer.Value.GetProperty("std").GetDouble(), null, Doubles(layer.Value.GetProperty("samples")));
        }
    }

    [Fact]
    public void Create_Pretrained_TakesTheBundledBackboneAndANewClassifier()
    {
        using var scope = new TensorScope();
        using VideoNetwork network = ModelCatalog.Create("tsm_efficientnet_lite0", new ModelOptions(7, Seed: 9, Pretrained: true));
        using VideoNetwork scratch = ModelCatalog.Create("tsm_efficientnet_lite0", new ModelOptions(7, Seed: 9));
        using SafetensorsFile file = SafetensorsFile.Open(BundledFiles.Require(TsmEfficientNetLite0.PretrainedFile));

        foreach ((string name, Tensor value) in network.StateDict())
        {
            string original = TsmEfficientNetLite0.ImageNetName(name);
            float[] expected = name.StartsWith("fc.", StringComparison.Ordinal)
                ? scratch.StateDict().Single(t => t.Name == name).Value.ToArray<float>()
                : file.Read(original).To(DType.Float32).ToArray<float>();
            Assert.Equal(expected, value.ToArray<float>());
        }
    }

    /// <summary>Whatever the image features are worth, the attention must not spoil them before it has learned anything.</summary>
    [Fact]
    public void TemporalAttention_Untrained_ChangesNothing()
    {
        using var scope = new TensorScope();
        var options = new ModelOptions(7, 4, 64, Seed: 9, Pretrained: true);
        using VideoNetwork plain = ModelCatalog.Create("tsm_efficientnet_lite0", options);
        using VideoNetwork attending = ModelCatalog.Create("tsm_efficientnet_lite0_lta", options);
        Tensor clip = Tensor.From<float>([.. GoldenFormula.Clip(2, 4, 3, 64, 64).Select(v => (float)v)], [2, 4, 3, 64, 64]);
        plain.Eval();
        attending.Eval();

        Tensor scores = attending.Forward(clip);

        Assert.Equal(plain.Forward(clip).ToArray<float>(), scores.ToArray<float>());
        Assert.Equal(4 + (4 * 4), attending.CountParameters() - plain.CountParameters());
        scores.Sum().Backward();
        Assert.Contains(attending.NamedParameters().Single(p => p.Name == "attention.fc.weight").Value.Grad!.ToArray<float>(), g => g != 0);
    }

    [Fact]
    public void BundledBackbone_AgainstTheOriginal_DiffersByHalfPrecisionOnly()
    {
        using var scope = new TensorScope();
        using SafetensorsFile original = SafetensorsFile.Open(SharedData.Require("data/weights/efficientnet_lite0_imagenet.safetensors"));
        using SafetensorsFile bundled = SafetensorsFile.Open(BundledFiles.Require(TsmEfficientNetLite0.PretrainedFile));

        Assert.Equal(original.Entries.Select(e => e.Name), bundled.Entries.Select(e => e.Name));
        Assert.Equal("Apache-2.0", bundled.Metadata["license"]);
        Assert.All(bundled.Entries, e => Assert.Equal(DType.Float16, e.DType));
        foreach (var entry in original.Entries)
        {
            float[] expected = [.. original.Read(entry.Name).ToArray<float>().Select(v => (float)(Half)v)];
            Assert.Equal(expected, bundled.Read(entry.Name).To(DType.Float32).ToArray<float>());
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Forward_EitherConsensus_ScoresTheSameInEvaluation(bool shift)
    {
        using var scope = new TensorScope();
        var options = new ModelOptions(6, 4, 64, Seed: 2, TemporalShift: shift);
        using var features = new TsmEfficientNetLite0(options);
        using var logits = new TsmEfficientNetLite0(options, Consensus.Logits);
        features.To(DType.Float64);
        logits.To(DType.Float64);
        features.Eval();
        logits.Eval();
        using IDisposable noGrad = Grad.Disable();
        Tensor clip = Tensor.From<double>(GoldenFormula.Clip(2, 4, 3, 64, 64), [2, 4, 3, 64, 64]);

        Tolerance.Close(features.Forward(clip).ToArray<double>(), logits.Forward(clip).ToArray<double>(), 1e-12, "scores");
    }

    [Fact]
    public void LoadImageNet_ForeignFile_NamesTheMissingTensor()
    {
        using var folder = new TemporaryFolder();
        using var scope = new TensorScope();
        SafetensorsFile.Save(folder["x.safetensors"], [("a", Tensor.Zeros([2]))], new Dictionary<string, string>());
        using var network = new TsmEfficientNetLite0(new ModelOptions(2));
        var e = Assert.Throws<CheckpointException>(() => network.LoadImageNet(folder["x.safetensors"], classifier: false));
        Assert.Contains("_conv_stem.weight", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tsm_efficientnet_lite0", "fc.weight", 5.0, null)]
    [InlineData("tsm_efficientnet_lite0", "fc.bias", 5.0, 0.0)]
    [InlineData("tsm_efficientnet_lite0", "blocks.3.expand.bn.bias", 1.0, 0.0)]
    [InlineData("tsm_efficientnet_lite0", "blocks.3.expand.conv.weight", 1.0, null)]
    public void RuleFor_FineTuning_SpeedsUpTheHeadAndSparesTheNorms(string name, string parameter, double factor, double? decay)
    {
        using VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(2));
        Assert.Equal(new ParameterRule(factor, decay), network.RuleFor(parameter));
    }

    // A block's path is its own name; a tensor's path ends with the tensor.
    private static string LayerName(string path)
    {
        try
        {
            return path.Split('.') is ["blocks", var index] ? $"_blocks.{index}" : TsmEfficientNetLite0.ImageNetName(path);
        }
        catch (ArgumentException)
        {
            return path;
        }
    }

    private static double[] Doubles(JsonElement array) => [.. array.EnumerateArray().Select(v => v.GetDouble())];
}
