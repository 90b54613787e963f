using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>Backbone <c>MoViNet</c>; its head is the identity.</summary>
internal static class MoViNetArchitecture
{
    // PaddleVideo writes the momentum 0.1 of other frameworks, which Paddle reads as the share of the old statistics.
    private const double NormMomentum = 0.9;

    /// <summary>Builds the network.</summary>
    /// <param name="backbone">Arguments of the backbone.</param>
    /// <param name="head">Arguments of the head.</param>
    /// <param name="seed">Keys the initial weights.</param>
    public static VideoNetwork Create(PaddleArguments backbone, PaddleArguments head, ulong seed)
    {
        Only("model_type", "A0", backbone.Text("model_type", "A0"));
        Only("conv_type", "3d", backbone.Text("conv_type", "3d"));
        Only("hidden_dim", 2048, backbone.Int("hidden_dim", 2048));

        // The causal form, which keeps the frames of a stream, is PaddleVideo's default, though no recipe uses it.
        Only("causal", false, backbone.Flag("causal", true));
        return new MoViNet(new ModelOptions(backbone.Int("num_classes", 400), Seed: seed), NormMomentum);

        static void Only<T>(string argument, T expected, T found)
            where T : notnull
        {
            if (!found.Equals(expected))
            {
                throw new ConfigException($"PaddleVideo model: MoViNet: {argument}: expected {expected}, found {found}; Kinora has the base network A0 with 3-D convolutions");
            }
        }
    }
}
