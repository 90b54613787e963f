using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>Backbone <c>ResNetSlowFast</c> with <c>SlowFastHead</c>.</summary>
internal static class SlowFastArchitecture
{
    /// <summary>Builds the network.</summary>
    /// <param name="backbone">Arguments of the backbone.</param>
    /// <param name="head">Arguments of the head.</param>
    /// <param name="seed">Keys the initial weights.</param>
    public static VideoNetwork Create(PaddleArguments backbone, PaddleArguments head, ulong seed)
    {
        var shape = new SlowFastOptions(
            backbone.Int("alpha", 8),
            backbone.Int("fusion_kernel_sz", 7),
            Beta: backbone.Int("beta", 8),
            Width: backbone.Int("width_per_group", 64),
            FusionRatio: backbone.Int("fusion_conv_channel_ratio", 2));

        // What Kinora builds in one way only must be asked for in that way.
        backbone.ExpectNumbers("depth", 50);
        backbone.ExpectNumbers("num_pathways", 2);
        backbone.ExpectNumbers("num_groups", 1);
        backbone.ExpectNumbers("fuse_bn_relu", 1);
        backbone.ExpectNumbers("input_channel_num", 3, 3);
        backbone.ExpectNumbers("spatial_strides", 1, 1, 2, 2, 2, 2, 2, 2);
        backbone.ExpectNumbers("pool_size_ratio", 1, 1, 1, 1, 1, 1);
        head.ExpectNumbers("pool_size_ratio", 1, 1, 1, 1, 1, 1);
        head.ExpectNumbers("alpha", shape.Alpha);
        head.ExpectNumbers("beta", shape.Beta);
        head.ExpectNumbers("width_per_group", shape.Width);

        // The pooling after the second stage has windows of one element. A sub-batch norm takes its statistics from parts of
        // a batch, as several devices do in multigrid training, and in evaluation is the batch norm that Kinora has.
        // multigrid_short pools the last map as a whole: the same for pictures of crop_size, which its recipe uses throughout.
        backbone.Ignore("its windows have one element", "use_pool_af_s2");
        backbone.Ignore("every batch norm takes its statistics from its whole batch", "bn_norm_type", "bn_num_splits");
        head.Ignore("the last map is pooled as a whole, which is the same at crop_size", "multigrid_short");
        return new SlowFast(
            new ModelOptions(
                head.Int("num_classes", 400), head.Int("num_frames", 32), head.Int("crop_size", 224), seed, head.Number("dropout_rate", 0.5)),
            shape);
    }
}
