using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>Backbone <c>PPTSM_MobileNetV3</c>, which is the large one; its head is the identity.</summary>
internal static class PpTsmMobileNetV3Architecture
{
    /// <summary>Builds the network.</summary>
    /// <param name="backbone">Arguments of the backbone.</param>
    /// <param name="head">Arguments of the head.</param>
    /// <param name="seed">Keys the initial weights.</param>
    public static VideoNetwork Create(PaddleArguments backbone, PaddleArguments head, ulong seed) => new PpTsmMobileNetV3(
        new ModelOptions(backbone.Int("class_num", 400), backbone.Int("num_seg", 8), Seed: seed, Dropout: backbone.Number("dropout_prob", 0.2)));
}
