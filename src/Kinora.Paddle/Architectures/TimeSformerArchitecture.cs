using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>Backbones <c>VisionTransformer</c> and <c>VisionTransformer_tweaks</c> with <c>TimeSformerHead</c> and <c>ppTimeSformerHead</c>.</summary>
internal static class TimeSformerArchitecture
{
    /// <summary>Builds TimeSformer.</summary>
    /// <param name="backbone">Arguments of the backbone.</param>
    /// <param name="head">Arguments of the head.</param>
    /// <param name="seed">Keys the initial weights.</param>
    public static VideoNetwork Create(PaddleArguments backbone, PaddleArguments head, ulong seed) => Create(backbone, head, seed, pp: false);

    /// <summary>Builds PP-TimeSformer.</summary>
    /// <param name="backbone">Arguments of the backbone.</param>
    /// <param name="head">Arguments of the head.</param>
    /// <param name="seed">Keys the initial weights.</param>
    public static VideoNetwork CreatePp(PaddleArguments backbone, PaddleArguments head, ulong seed) => Create(backbone, head, seed, pp: true);

    private static TimeSformer Create(PaddleArguments backbone, PaddleArguments head, ulong seed, bool pp)
    {
        backbone.Expect("attention_type", "divided_space_time");
        backbone.Expect("in_channels", 3L);
        backbone.Expect("qk_scale", null);
        backbone.Expect("norm_layer", "nn.LayerNorm");
        return new TimeSformer(
            new ModelOptions(head.Int("num_classes", 400), backbone.Int("num_seg", 8), backbone.Int("img_size", 224), seed),
            new TimeSformerOptions(
                backbone.Int("embed_dim", 768),
                backbone.Int("depth", 12),
                backbone.Catalogued("num_heads", backbone.Int("num_heads", 12), 12),
                backbone.Int("patch_size", 16),
                backbone.Number("mlp_ratio", 4),
                backbone.Flag("qkv_bias", false),
                backbone.Catalogued("epsilon", backbone.Number("epsilon", 1e-5), 1e-6),
                backbone.Catalogued("drop_path_rate", backbone.Number("drop_path_rate", 0.1), 0.1),
                backbone.Catalogued("drop_rate", backbone.Number("drop_rate", 0), 0),
                backbone.Catalogued("attn_drop_rate", backbone.Number("attn_drop_rate", 0), 0)),
            pp);
    }
}
