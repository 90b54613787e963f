using System.Text.Json;
using Kinora.Cli.Terminal;
using Kinora.Models;

namespace Kinora.Cli.Tests;

public sealed class ModelsCommandTests
{
    [Fact]
    public async Task List_Plain_HasALineForEveryNetwork()
    {
        (int code, string text, string err) = await RunAsync("models list");

        Assert.Equal(ExitCode.Success, code);
        string[] lines = text.TrimEnd().Split('\n');
        Assert.Matches("^network +parameters +GFLOP +clip +weights +top-1 +measured on$", lines[0]);
        Assert.Equal(ModelCatalog.Entries.Select(e => e.Name), lines[1..].Select(l => l.Split(' ')[0]));
        Assert.All(lines, l => Assert.Equal(l.TrimEnd(), l));
        Assert.Matches(@"^tsm_efficientnet_lite0 \* +3\.88 M +3\.07 +8 × 224² +Apache-2\.0 +–$", lines.Single(l => l.StartsWith("tsm_efficientnet_lite0 ", StringComparison.Ordinal)));
        Assert.Matches(@"^tsn_r50 +24\.33 M +12\.26 +3 × 224² +Apache-2\.0 +69\.81 % +25 frames, ten crops$", lines.Single(l => l.StartsWith("tsn_r50", StringComparison.Ordinal)));
        Assert.Contains("as published: PaddleVideo, docs/zh-CN/model_zoo/recognition", err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_Json_HoldsTheComputedFigures()
    {
        (int code, string text, string err) = await RunAsync("models list --json");

        Assert.Equal(ExitCode.Success, code);
        Assert.Empty(err);
        using JsonDocument models = JsonDocument.Parse(text);
        Assert.Equal(ModelCatalog.Entries.Select(e => e.Name), models.RootElement.EnumerateArray().Select(m => m.GetProperty("name").GetString()));
        JsonElement tsn = models.RootElement.EnumerateArray().Single(m => m.GetProperty("name").GetString() == "tsn_r50");
        Assert.Equal(24_327_632, tsn.GetProperty("parameters").GetInt64());
        Assert.Equal(12_262_227_968, tsn.GetProperty("multiplyAdds").GetInt64());
        Assert.Equal(12.262, tsn.GetProperty("gflop").GetDouble());
        Assert.Equal("Apache-2.0", tsn.GetProperty("weights").GetString());
        Assert.Equal(69.81, tsn.GetProperty("published")[0].GetProperty("top1").GetDouble());
        Assert.EndsWith("tsn.md", tsn.GetProperty("published")[0].GetProperty("source").GetString(), StringComparison.Ordinal);
        Assert.Equal(ModelCatalog.DefaultName, models.RootElement.EnumerateArray().Single(m => m.GetProperty("default").GetBoolean()).GetProperty("name").GetString());
    }

    [Fact]
    public async Task Info_Plain_TellsInputLayersAndShares()
    {
        (int code, string text, string err) = await RunAsync("models info pptsmv2 --frames 8 --size 128 --classes 12");

        Assert.Equal(ExitCode.Success, code);
        string[] lines = text.TrimEnd().Split('\n');
        Assert.Equal("pptsmv2  PP-TSMv2", lines[0]);
        Assert.Contains("input       8 frames of 128 × 128 pixels, [N, 8, 3, 128, 128]", lines);
        Assert.Contains("frames      the middle one of each of 8 equal segments of whole frames", lines);
        Assert.Contains("crop        128 × 128 in the middle", lines);
        Assert.Contains("output      logits of 12 classes", lines);
        Assert.Contains(lines, l => l.StartsWith("cost", StringComparison.Ordinal) && l.EndsWith("as exported, training-time branches merged", StringComparison.Ordinal));
        Assert.Contains("published   73.10 %  pptsmv2_k400_16f: 16 frames, 1 clip, centre crop", lines);
        Assert.Matches(@"^  2 +8 × 512 × 8 × 8 +2,322,880 +\d\.\d{3} +\d\d\.\d % +█+", lines.Single(l => l.StartsWith("  2 ", StringComparison.Ordinal)));
        Assert.Matches("^fc +1 × 12 +15,372 +0.000 ", lines[^1]);
        Assert.Contains("batch_norm", err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 6)]
    [InlineData(9, 150)]
    public async Task Info_Depth_ShowsThatManyLevels(int depth, int atLeast)
    {
        (_, string text, _) = await RunAsync($"models info tsn_r50 --depth {depth}");
        string[] layers = [.. text.TrimEnd().Split('\n').SkipWhile(l => !l.StartsWith("layer", StringComparison.Ordinal)).Skip(1)];
        Assert.True(layers.Length >= atLeast, $"{layers.Length} layers");
        Assert.Equal(depth > 1, layers.Any(l => l.StartsWith(' ')));
    }

    [Fact]
    public async Task Info_Json_HasEveryLayer()
    {
        (int code, string text, _) = await RunAsync("models info tsn_r18 --json");

        Assert.Equal(ExitCode.Success, code);
        using JsonDocument document = JsonDocument.Parse(text);
        JsonElement root = document.RootElement;
        Assert.Equal([1, 3, 3, 224, 224], root.GetProperty("input").EnumerateArray().Select(v => v.GetInt32()));
        Assert.Equal("SelectLeft", root.GetProperty("clipSpec").GetProperty("sampling").GetProperty("method").GetString());
        JsonElement stem = root.GetProperty("layers").EnumerateArray().Single(l => l.GetProperty("name").GetString() == "stem.conv");
        Assert.Equal("Conv2d", stem.GetProperty("kind").GetString());
        Assert.Equal([3, 64, 112, 112], stem.GetProperty("output").EnumerateArray().Select(v => v.GetInt32()));
        Assert.Equal(3L * 64 * 112 * 112 * 3 * 49, stem.GetProperty("multiplyAdds").GetInt64());
        Assert.Equal(root.GetProperty("multiplyAdds").GetInt64(), root.GetProperty("exportedMultiplyAdds").GetInt64());
    }

    [Theory]
    [InlineData("models info tsn_r5", "did you mean 'tsn_r50'?")]
    [InlineData("models info tsn_r50 --size 8", "size")]
    [InlineData("bench models tsn_r5", "did you mean 'tsn_r50'?")]
    public async Task Run_UnknownNetworkOrBadOption_OneLineAndExitCodeOne(string line, string expected)
    {
        (int code, string text, string err) = await RunAsync(line);
        Assert.Equal(ExitCode.Failure, code);
        Assert.Empty(text);
        Assert.Contains(expected, Assert.Single(err.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    /// <summary>Every network describes its input in words, whatever its specification.</summary>
    [Fact]
    public void Describe_EveryNetwork_IsPlainWords() => Assert.All(ModelCatalog.Entries, entry =>
    {
        using IDisposable shapes = Tensors.ShapesOnly.Enable();
        using VideoNetwork network = ModelCatalog.Create(entry.Name, new ModelOptions(3));
        Assert.All(ClipSpecText.Describe(network.EvaluationSpec), step => Assert.False(string.IsNullOrWhiteSpace(step.Text)));
    });

    private static async Task<(int Code, string Out, string Err)> RunAsync(string line)
    {
        StringWriter standard = new(), error = new();
        int code = await Program.RunAsync(line.Split(' '), new Output(standard, error, isInteractive: false));
        return (code, standard.ToString(), error.ToString());
    }
}
