using System.Text.Json;
using Kinora.Models;
using Kinora.Testing;

namespace Kinora.Paddle.Tests;

/// <summary>Names and shapes of the ResNet family at every depth and at the class count of the published files.</summary>
public sealed class ResNetNamesTests
{
    [Theory(SkipTestWithoutData = true)]
    [InlineData("TSN_r50", "tsn/tsn_k400_frames")]
    [InlineData("TSM_r50", "tsm/tsm_k400_videos")]
    [InlineData("ppTSN_r50vd", "pptsn/pptsn_k400_videos")]
    [InlineData("ppTSM_r50vd", "pptsm/pptsm_k400_videos_uniform")]
    [InlineData("ppTSM_r101vd", "pptsm/pptsm_k400_frames_dense_r101")]
    public void Tensors_OfAPublishedNetwork_AreThoseOfItsList(string list, string recipe)
    {
        string[] expected = [.. File.ReadLines(SharedData.Require($"reference/keys/{list}.tsv")).Where(line => line.Contains('\t', StringComparison.Ordinal)).Select(line => line.Replace('\t', ' '))];
        using VideoNetwork network = PaddleRecipes.Build(recipe, new Dictionary<string, JsonElement>());

        Assert.Equal(
            expected.Order(StringComparer.Ordinal),
            PaddleNames.For(network).Tensors.Select(t => $"{t.Paddle} {string.Join('x', t.Shape)}").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("ResNet", 18)]
    [InlineData("ResNet", 34)]
    [InlineData("ResNet", 101)]
    [InlineData("ResNetTSM", 18)]
    [InlineData("ResNetTSM", 101)]
    [InlineData("ResNetTweaksTSN", 34)]
    [InlineData("ResNetTweaksTSN", 101)]
    [InlineData("ResNetTweaksTSM", 18)]
    [InlineData("ResNetTweaksTSM", 34)]
    [InlineData("ResNetTweaksTSM", 152)]
    public void Tensors_OfAnyDepth_FollowTheRules(string backbone, int depth)
    {
        string argument = backbone == "ResNetTweaksTSN" ? "layers" : "depth";
        using VideoNetwork network = PaddleArchitectures.Create(new PaddleModel(
            backbone, new Dictionary<string, object?> { [argument] = (long)depth }, "", new Dictionary<string, object?> { ["num_classes"] = 9L }));

        Assert.Equal(
            Expected(backbone, depth).Order(StringComparer.Ordinal),
            PaddleNames.For(network).Tensors.Select(t => $"{t.Paddle} {string.Join('x', t.Shape)}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Create_ArgumentsOfTheRecipes_ReachTheNetwork()
    {
        using VideoNetwork tsm = Build("tsm/tsm_ucf101_frames_nhwc", """{"num_seg": 16, "depth": 18}""");
        using VideoNetwork pptsm = Build("pptsm/pptsm_k400_frames_dense", """{"num_seg": 4, "depth": 34}""");
        using VideoNetwork pptsn = Build("pptsn/pptsn_k400_frames", """{"layers": 18, "lr_mult_list": [0.2, 0.4, 1, 1, 1.0]}""");

        Assert.Equal(("tsm_r18", 101, 16, 0.8), (tsm.Name, tsm.Classes, tsm.Frames, tsm.Options.Dropout));
        Assert.Equal(("pptsm_r34", 400, 4, 0.5), (pptsm.Name, pptsm.Classes, pptsm.Frames, pptsm.Options.Dropout));
        Assert.Equal(("pptsn_r18", 400, 0.4), (pptsn.Name, pptsn.Classes, pptsn.Options.Dropout));
        Assert.Equal(ShiftConvention.PaddleVideo, tsm.Options.Shift);
        Assert.Equal(0.2, pptsn.RuleFor("stem.1.conv.weight").LearningRateFactor);
        Assert.Equal(0.4, pptsn.RuleFor("stages.0.0.conv0.conv.weight").LearningRateFactor);

        static VideoNetwork Build(string recipe, string overrides) =>
            PaddleRecipes.Build(recipe, JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(overrides)!);
    }

    // PaddleVideo's constructors, retold: what they register in which order of sizes.
    private static IEnumerable<string> Expected(string backbone, int depth)
    {
        bool averaged = backbone.Contains("Tweaks", StringComparison.Ordinal);
        bool bottleneck = depth >= 50;
        int[] blocks = depth switch { 18 => [2, 2, 2, 2], 34 or 50 => [3, 4, 6, 3], 101 => [3, 4, 23, 3], _ => [3, 8, 36, 3] };
        List<(string Layer, int Outputs, int Inputs, int Kernel)> layers = averaged
            ? [("conv1_1", 32, 3, 3), ("conv1_2", 32, 32, 3), ("conv1_3", 64, 32, 3)]
            : [("conv", 64, 3, 7)];
        int channels = 64;
        for (int stage = 0; stage < 4; stage++)
        {
            for (int i = 0; i < blocks[stage]; i++)
            {
                int width = 64 << stage;
                int outputs = bottleneck ? 4 * width : width;
                string letters = depth >= 101 && stage == 2 && i > 0 ? $"b{i}" : $"{(char)('a' + i)}";
                string block = averaged && (bottleneck || backbone == "ResNetTweaksTSN") ? $"bb_{stage}_{i}" : $"res{stage + 2}{letters}";
                (string, int, int, int)[] branch = bottleneck
                    ? [("conv0", width, channels, 1), ("conv1", width, width, 3), ("conv2", outputs, width, 1)]
                    : [("conv0", width, channels, 3), ("conv1", width, width, 3)];
                layers.AddRange(branch.Select(l => ($"{block}.{l.Item1}", l.Item2, l.Item3, l.Item4)));
                if (i == 0)
                {
                    layers.Add(($"{block}.short", outputs, channels, 1));
                }

                channels = outputs;
            }
        }

        foreach ((string layer, int outputs, int inputs, int kernel) in layers)
        {
            yield return $"backbone.{layer}._conv.weight {outputs}x{inputs}x{kernel}x{kernel}";
            foreach (string name in (string[])["weight", "bias", "_mean", "_variance"])
            {
                yield return $"backbone.{layer}._batch_norm.{name} {outputs}";
            }
        }

        yield return $"head.fc.weight {channels}x9";
        yield return "head.fc.bias 9";
    }
}
