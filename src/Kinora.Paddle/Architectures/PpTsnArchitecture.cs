using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>Backbone <c>ResNetTweaksTSN</c> with <c>ppTSNHead</c>.</summary>
internal static class PpTsnArchitecture
{
    /// <summary>Builds the network.</summary>
    /// <param name="backbone">Arguments of the backbone.</param>
    /// <param name="head">Arguments of the head.</param>
    /// <param name="seed">Keys the initial weights.</param>
    public static VideoNetwork Create(PaddleArguments backbone, PaddleArguments head, ulong seed)
    {
        backbone.Layout();

        double[] factors = backbone.Numbers("lr_mult_list", 1, 1, 1, 1, 1);
        _ = backbone.Catalogued("lr_mult_list", string.Join(", ", factors), "1, 1, 1, 1, 1");

        // Recipes of different age call the depth differently.
        return new PpTsn(
            new ModelOptions(head.Int("num_classes", 400), Seed: seed, Dropout: head.Number("drop_ratio", 0.4)),
            backbone.Int("depth", backbone.Int("layers", 50)),
            factors,
            head.Catalogued("fclr5", head.Flag("fclr5", true), true));
    }
}
