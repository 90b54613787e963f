using Kinora.Models;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Paddle.Tests;

/// <summary>Files of image transformers as starts for video networks, through the loader that convert and training use.</summary>
public sealed class ImageWeightsTests
{
    [Fact]
    public void Load_SwinOfImages_SpreadsPatchesAndRepeatsBiases()
    {
        using var folder = new TemporaryFolder();
        using var scope = new TensorScope();
        using VideoNetwork network = ModelCatalog.Create("videoswin_t", new ModelOptions(5, 8, 64, Seed: 3));
        (string Name, Tensor Value)[] image = [.. Of(network, "head.").Select(t => (t.Name, Value: Flat(t.Name, t.Value)))];
        SafetensorsFile.Save(folder["swin.safetensors"], [.. image, ("head.weight", Tensor.Ones([4, 3])), ("layers.0.blocks.0.attn.relative_position_index", Tensor.From<long>([1], [1]))], new Dictionary<string, string>());

        LoadReport report = Load(network, folder["swin.safetensors"], "head.*");

        Assert.Equal(("of a transformer for images", 0), (report.Style, report.Misshapen.Count));
        Assert.Equal(image.Count(t => t.Name.EndsWith("bias_table", StringComparison.Ordinal)) + 1, report.Reshaped.Count);
        Dictionary<string, Tensor> state = PaddleNames.For(network).Tensors.Where(t => t.Kinora is not null)
            .ToDictionary(t => t.Paddle, t => network.StateDict().Single(s => s.Name == t.Kinora).Value);
        float[] patch = image.Single(t => t.Name == "patch_embed.proj.weight").Value.ToArray<float>();
        Assert.Equal(patch, state["backbone.patch_embed.proj.weight"].Sum([2]).ToArray<float>());
        float[] table = image.Single(t => t.Name == "layers.0.blocks.0.attn.relative_position_bias_table").Value.ToArray<float>();
        Assert.Equal(table, state["backbone.layers.0.blocks.0.attn.relative_position_bias_table"].Slice(0, 169, 338).ToArray<float>());
    }

    [Fact]
    public void Load_VisionTransformer_CopiesAttentionOverTimeAndFitsPositions()
    {
        using var folder = new TemporaryFolder();
        using var scope = new TensorScope();
        using VideoNetwork network = Small(64);
        using VideoNetwork larger = Small(96);
        (string Name, Tensor Value)[] image =
        [
            .. Of(larger, "head.").Where(t => !t.Name.Contains("temporal_", StringComparison.Ordinal) && t.Name != "time_embed"),
        ];
        SafetensorsFile.Save(folder["vit.safetensors"], image, new Dictionary<string, string>());

        LoadReport report = Load(network, folder["vit.safetensors"], "head.*", "backbone.time_embed", "backbone.blocks.*.temporal_fc.*");

        Assert.Contains(report.Reshaped, t => t.Name == "backbone.pos_embed");
        Assert.Contains(report.Reshaped, t => t.Name == "backbone.blocks.1.temporal_attn.qkv.weight" && t.Note == "copied from backbone.blocks.1.attn.qkv.weight");
        Dictionary<string, Tensor> state = network.StateDict().ToDictionary(t => t.Name, t => t.Value);
        PaddleName[] names = [.. PaddleNames.For(network).Tensors];
        Tensor Of1(string paddle) => state[names.Single(n => n.Paddle == paddle).Kinora!];
        Assert.Equal(Of1("backbone.blocks.1.attn.proj.weight").ToArray<float>(), Of1("backbone.blocks.1.temporal_attn.proj.weight").ToArray<float>());
        Assert.All(Of1("backbone.blocks.0.temporal_fc.weight").ToArray<float>(), v => Assert.Equal(0, v));
    }

    private static VideoNetwork Small(int size) => PaddleArchitectures.Create(new PaddleModel(
        "VisionTransformer",
        new Dictionary<string, object?> { ["img_size"] = (long)size, ["embed_dim"] = 24L, ["depth"] = 2L, ["num_heads"] = 4L, ["num_seg"] = 4L, ["qkv_bias"] = true },
        "TimeSformerHead",
        new Dictionary<string, object?> { ["num_classes"] = 5L }));

    // The backbone's tensors under PaddleVideo's names without their prefix.
    private static IEnumerable<(string Name, Tensor Value)> Of(VideoNetwork network, string without)
    {
        Dictionary<string, Tensor> state = network.StateDict().ToDictionary(t => t.Name, t => t.Value);
        return PaddleNames.For(network).Tensors.Where(t => t.Kinora is not null && !t.Paddle.StartsWith(without, StringComparison.Ordinal))
            .Select(t => (t.Paddle["backbone.".Length..], t.Transposed ? state[t.Kinora!].Transpose(0, 1).Contiguous() : state[t.Kinora!]));
    }

    private static Tensor Flat(string name, Tensor value) => name switch
    {
        "patch_embed.proj.weight" => value.Select(2, 0).Contiguous(),
        _ when name.EndsWith("relative_position_bias_table", StringComparison.Ordinal) => value.Slice(0, 0, 169).Contiguous(),
        _ => value,
    };

    private static LoadReport Load(VideoNetwork network, string path, params string[] allowed)
    {
        using SafetensorsWeights source = SafetensorsWeights.Open(path);
        return WeightLoader.Load(network, source, (net, tensors) => PaddleNaming.For(net, tensors), new LoadRules { AllowMissing = allowed });
    }
}
