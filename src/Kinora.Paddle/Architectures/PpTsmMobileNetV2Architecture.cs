using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>Backbone <c>PPTSM_MobileNetV2</c>; its head is the identity.</summary>
internal static class PpTsmMobileNetV2Architecture
{
    /// <summary>Builds the network.</summary>
    /// <param name="backbone">Arguments of the backbone.</param>
    /// <param name="head">Arguments of the head.</param>
    /// <param name="seed">Keys the initial weights.</param>
    public static VideoNetwork Create(PaddleArguments backbone, PaddleArguments head, ulong seed)
    {
        backbone.Ignore("PaddleVideo takes it and doesn't look at it", "use_ssld");
        return new PpTsmMobileNetV2(new ModelOptions(backbone.Int("class_num", 400), backbone.Int("num_seg", 8), Seed: seed));
    }
}
