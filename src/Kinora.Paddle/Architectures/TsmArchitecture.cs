using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>Backbone <c>ResNetTSM</c> with <c>TSMHead</c>.</summary>
internal static class TsmArchitecture
{
    /// <summary>Builds the network.</summary>
    /// <param name="backbone">Arguments of the backbone.</param>
    /// <param name="head">Arguments of the head.</param>
    /// <param name="seed">Keys the initial weights.</param>
    public static VideoNetwork Create(PaddleArguments backbone, PaddleArguments head, ulong seed)
    {
        backbone.Layout();
        return new Tsm(
            new ModelOptions(head.Int("num_classes", 400), backbone.Int("num_seg", 8), Seed: seed, Dropout: head.Number("drop_ratio", 0.5)),
            backbone.Int("depth", 50));
    }
}
