using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Paddle;

/// <summary>
/// How files of image transformers start networks for videos: ViT a TimeSformer, Swin a VideoSwin. What images can't
/// teach (the layers behind attention over time, the classifier) has to be allowed to keep its initial values.
/// </summary>
internal static class ImageWeights
{
    private const string Backbone = "backbone.";

    /// <summary>The way of reading such a file.</summary>
    /// <param name="network">The network for videos; it isn't kept.</param>
    /// <param name="classifier">Why a tensor of the file may be passed over as the classifier of another data set, or null.</param>
    /// <returns>The style; null where no image transformer starts the network.</returns>
    public static NameStyle? Style(VideoNetwork network, Func<string, string?> classifier)
    {
        switch (network)
        {
            case TimeSformer:
                return Read(classifier) with { Substitute = Spatial, Adapt = Embedding };
            case VideoSwin swin:
                (int Time, int Height, int Width) window = swin.Window;
                return Read(name => classifier(name) ?? Computed(name)) with { Adapt = (name, found, expected) => Inflated(name, found, expected, window) };
            default:
                return null;
        }
    }

    private static NameStyle Read(Func<string, string?> excuse) => new("of a transformer for images", name => Backbone + name) { Excuse = excuse };

    // Attention over time starts as a copy of attention over space.
    private static string? Spatial(string name) => name.Split('.') is [_, "blocks", _, "temporal_attn" or "temporal_norm1", ..]
        ? name.Replace(".temporal_", ".", StringComparison.Ordinal)
        : null;

    private static string? Computed(string name) =>
        name.EndsWith("relative_position_index", StringComparison.Ordinal) || name.EndsWith("attn_mask", StringComparison.Ordinal) ? "follows from the sizes" : null;

    private static Func<Tensor, Tensor>? Embedding(string name, IReadOnlyList<long> found, IReadOnlyList<long> expected)
    {
        if (found is not [1, > 1, var width] || expected is not [1, > 1, var wanted] || width != wanted)
        {
            return null;
        }

        int tokens = checked((int)expected[1]);
        return name switch
        {
            Backbone + "pos_embed" => Through(name, array => VisionTransformerInflation.Positions(array, tokens - 1)),
            Backbone + "time_embed" => Through(name, array => VisionTransformerInflation.Times(array, tokens)),
            _ => null,
        };
    }

    private static Func<Tensor, Tensor>? Inflated(string name, IReadOnlyList<long> found, IReadOnlyList<long> expected, (int Time, int Height, int Width) window) =>
        name == Backbone + SwinInflation.PatchWeight && found is [var outputs, var inputs, var height, var width]
        && expected.SequenceEqual([outputs, inputs, expected[2], height, width])
            ? Through(name, array => SwinInflation.Spread(array, checked((int)expected[2])))

        // A table of a window with another depth isn't one for images.
        : name.EndsWith(".relative_position_bias_table", StringComparison.Ordinal) && found.Count == 2 && found[1] == expected[1] && found[0] * window.Time < expected[0]
            ? Through(name, array => SwinInflation.Biases(array, window))
        : null;

    private static Func<Tensor, Tensor> Through(string name, Func<NamedArray, NamedArray> inflate) => tensor =>
    {
        NamedArray made = inflate(new NamedArray(name, tensor.Shape.ToArray(), tensor.To(DType.Float32).ToArray<float>()));
        return Tensor.From<float>(made.Values, [.. made.Shape]);
    };
}
