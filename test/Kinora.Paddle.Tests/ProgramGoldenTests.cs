using System.Text.Json;
using Kinora.Models;
using Kinora.Models.Tests;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Paddle.Tests;

/// <summary>
/// The networks behind the inference programs of golden/files: other depths, widths and numbers of views than those of
/// golden/models, against what PaddleVideo's network answered in float64.
/// </summary>
public sealed class ProgramGoldenTests
{
    // Above it a pass in float64 takes a minute, and golden/models has the network at that size.
    private const int MostPixels = 1_000_000;

    public static IEnumerable<TheoryDataRow<string>> Folders()
    {
        string? root = SharedData.Root is null ? null : Path.Combine(SharedData.Root, "golden", "files");
        return Directory.Exists(root)
            ? Directory.GetDirectories(root).Select(Path.GetFileName).Order(StringComparer.Ordinal)
                .Where(folder => File.Exists(Path.Combine(root, folder!, "golden.json"))).Select(folder => new TheoryDataRow<string>(folder!))
            : [];
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Folders))]
    public void Forward_InFloat64_GivesTheRecordedScores(string folder)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(SharedData.Require($"golden/files/{folder}/golden.json")));
        JsonElement golden = document.RootElement;
        Assert.SkipUnless(golden.TryGetProperty("logits", out JsonElement logits) && logits.TryGetProperty("dygraph_float64", out _), $"{folder} has no scores");
        double[][] expected = [.. logits.GetProperty("dygraph_float64").EnumerateArray().Select(row => row.EnumerateArray().Select(v => v.GetDouble()).ToArray())];
        int[] clip = [.. golden.GetProperty("clip").EnumerateArray().Select(v => v.GetInt32())];
        Assert.SkipWhen(clip[0] * clip[1] * clip[2] * clip[2] > MostPixels, $"{folder} is compared by golden/models");
        using var scope = new TensorScope();
        using VideoNetwork network = Build(golden);
        network.To(DType.Float64);
        network.Eval();
        using IDisposable noGrad = Grad.Disable();
        PaddleNames names = PaddleNames.For(network);
        names.Load(network, names.Tensors.ToDictionary(t => t.Paddle, t => Tensor.From<double>(GoldenFormula.Weight(t.Paddle, t.Shape), [.. t.Shape])));

        Tensor scores = network.Forward(Tensor.From<double>(GoldenFormula.Clip(clip[0], clip[1], 3, clip[2], clip[2]), [clip[0], clip[1], 3, clip[2], clip[2]]));

        bool probabilities = expected.All(row => row.All(v => v >= 0) && Math.Abs(row.Sum() - 1) < 1e-9);
        double[] flat = [.. expected.SelectMany(row => row)];
        Tolerance.Close(flat, (probabilities ? scores.Softmax(1) : scores).ToArray<double>(), Tolerance.Double, "scores");
    }

    private static VideoNetwork Build(JsonElement golden)
    {
        int classes = 400;
        Dictionary<string, JsonElement> backbone = [], head = [];
        foreach (string text in golden.GetProperty("overrides").EnumerateArray().Select(o => o.GetString()!))
        {
            // Such as MODEL.backbone.depths=[2,2,2,2]; what isn't of the network belongs to the exporter.
            string[] parts = text.Split('=');
            switch (parts[0].Split('.'))
            {
                case ["MODEL", _, "num_classes" or "class_num"]:
                    classes = int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
                    break;
                case ["MODEL", ("backbone" or "head") and var part, var argument]:
                    (part == "head" ? head : backbone)[argument] = JsonDocument.Parse(parts[1].Replace("True", "true", StringComparison.Ordinal).Replace("False", "false", StringComparison.Ordinal).Replace('\'', '"')).RootElement;
                    break;
            }
        }

        return PaddleRecipes.Build(golden.GetProperty("config").GetString()!, backbone, classes, headOverrides: head);
    }
}
