using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>Backbone <c>SwinTransformer3D</c> with <c>I3DHead</c>.</summary>
internal static class VideoSwinArchitecture
{
    /// <summary>Builds the network.</summary>
    /// <param name="backbone">Arguments of the backbone.</param>
    /// <param name="head">Arguments of the head.</param>
    /// <param name="seed">Keys the initial weights.</param>
    public static VideoNetwork Create(PaddleArguments backbone, PaddleArguments head, ulong seed)
    {
        backbone.Expect("in_chans", 3L);
        backbone.Expect("qk_scale", null);
        backbone.Expect("frozen_stages", -1L);
        head.Expect("spatial_type", "avg");

        backbone.Ignore("told by the file's names", "pretrained2d");
        backbone.Ignore("memory against time: model.checkpointGradients says it", "use_checkpoint");
        int width = backbone.Int("embed_dim", 96);
        int[] depths = backbone.Ints("depths", 2, 2, 6, 2);
        return new VideoSwin(
            (width, depths) switch
            {
                (128, _) => "videoswin_b",
                (_, [_, _, <= 6, ..]) => "videoswin_t",
                _ => "videoswin_s",
            },
            new ModelOptions(head.Int("num_classes", 400), backbone.Int("num_seg", 32), Seed: seed, Dropout: head.Number("drop_ratio", 0.5)),
            new VideoSwinOptions(
                width,
                depths,
                backbone.Ints("num_heads", 3, 6, 12, 24),
                Box("patch_size", backbone.Ints("patch_size", 4, 4, 4)),
                Box("window_size", backbone.Ints("window_size", 2, 7, 7)),
                backbone.Number("mlp_ratio", 4),
                backbone.Flag("qkv_bias", true),
                backbone.Flag("patch_norm", false),
                backbone.Catalogued("drop_path_rate", backbone.Number("drop_path_rate", 0.2), width == 128 ? 0.2 : 0.1),
                backbone.Catalogued("drop_rate", backbone.Number("drop_rate", 0), 0),
                backbone.Catalogued("attn_drop_rate", backbone.Number("attn_drop_rate", 0), 0)));
    }

    private static (int Time, int Height, int Width) Box(string name, int[] sizes) => sizes is [var time, var height, var width]
        ? (time, height, width)
        : throw new ConfigException($"PaddleVideo model: SwinTransformer3D: {name}: expected three numbers, found {sizes.Length}");
}
