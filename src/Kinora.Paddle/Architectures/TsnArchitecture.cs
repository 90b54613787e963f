using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>Backbone <c>ResNet</c> with <c>TSNHead</c>.</summary>
internal static class TsnArchitecture
{
    /// <summary>Builds the network.</summary>
    /// <param name="backbone">Arguments of the backbone.</param>
    /// <param name="head">Arguments of the head.</param>
    /// <param name="seed">Keys the initial weights.</param>
    public static VideoNetwork Create(PaddleArguments backbone, PaddleArguments head, ulong seed) => new Tsn(
        new ModelOptions(head.Int("num_classes", 400), Seed: seed, Dropout: head.Number("drop_ratio", 0.4)),
        backbone.Int("depth", 50));
}
