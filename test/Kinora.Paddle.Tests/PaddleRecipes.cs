using System.Text.Json;
using Kinora.Models;

namespace Kinora.Paddle.Tests;

/// <summary>The networks that PaddleVideo's recipes describe, as far as Kinora has them.</summary>
internal static class PaddleRecipes
{
    private const string Root = "configs/recognition/";

    /// <summary>Builds the network of a recipe; skips the running test where Kinora hasn't got it.</summary>
    /// <param name="config">Path of the YAML file, with or without folder and extension.</param>
    /// <param name="overrides">Changed values of MODEL.backbone.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="dropout">Replaces the recipe's dropout probability.</param>
    public static VideoNetwork Build(string config, IReadOnlyDictionary<string, JsonElement> overrides, int classes, double? dropout = null)
    {
        string recipe = config.Replace(Root, "", StringComparison.Ordinal).Replace(".yaml", "", StringComparison.Ordinal);
        var left = overrides.Where(o => o.Key is not ("pretrained" or "name")).ToDictionary();
        VideoNetwork? network = recipe switch
        {
            "tsn/tsn_k400_frames" or "tsn/tsn_k400_videos" =>
                new Tsn(new ModelOptions(classes, 3, Dropout: dropout ?? 0.4), Int("depth", 50)),
            "pptsm/v2/pptsm_lcnet_k400_8frames_uniform" => PpTsmV2(8),
            "pptsm/v2/pptsm_lcnet_k400_16frames_uniform" => PpTsmV2(16),
            _ => null,
        };
        Assert.SkipWhen(network is null, $"not supported yet: {recipe}");
        if (left.Count > 0)
        {
            network!.Dispose();
            Assert.Skip($"not supported yet: {recipe} with {string.Join(", ", left.Select(o => $"{o.Key} = {o.Value}"))}");
        }

        return network!;

        PpTsmV2 PpTsmV2(int frames)
        {
            bool attention = left.Remove("use_temporal_att", out JsonElement value) && value.GetBoolean();
            classes = Int("class_num", classes);
            return new PpTsmV2(new ModelOptions(classes, Int("num_seg", frames), Dropout: dropout ?? 0.2), attention);
        }

        int Int(string key, int recipeValue) => left.Remove(key, out JsonElement value) ? value.GetInt32() : recipeValue;
    }
}
