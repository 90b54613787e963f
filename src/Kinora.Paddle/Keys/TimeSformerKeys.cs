using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>Names of TimeSformer: PaddleVideo's <c>VisionTransformer</c> and <c>VisionTransformer_tweaks</c> with their heads.</summary>
internal static class TimeSformerKeys
{
    /// <summary>The translation for one network.</summary>
    /// <param name="network">A <see cref="TimeSformer"/> of any shape.</param>
    /// <returns>The translation.</returns>
    public static KeyMap For(VideoNetwork network) => new(ToPaddle);

    private static string ToPaddle(string name) => name.Split('.') switch
    {
        ["fc", .. var rest] => Join("head.fc", rest),
        ["dropout"] => "head.dropout",
        ["class_token"] => "backbone.cls_token",
        ["position_embedding"] => "backbone.pos_embed",
        ["time_embedding"] => "backbone.time_embed",
        ["position_dropout"] => "backbone.pos_drop",
        ["time_dropout"] => "backbone.time_drop",
        ["patch_embed", .. var rest] => Join("backbone.patch_embed.proj", rest),
        ["blocks", var index, .. var rest] => Join($"backbone.blocks.{index}", [.. rest.Select((part, i) => (part, i) switch
        {
            ("temporal_norm", 0) => "temporal_norm1",
            ("temporal_attention", 0) => "temporal_attn",
            ("spatial_norm", 0) => "norm1",
            ("spatial_attention", 0) => "attn",
            ("mlp_norm", 0) => "norm2",
            ("project", 1) when rest[0] == "mlp" => "fc2",
            ("project", 1) => "proj",
            ("expand", 1) => "fc1",
            _ => part,
        })]),
        _ => $"backbone.{name}",
    };

    private static string Join(string head, string[] rest) => string.Join('.', [head, .. rest]);
}
