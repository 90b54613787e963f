namespace Kinora.Models;

/// <summary>An accuracy that somebody else has published for trained weights of a network.</summary>
/// <param name="DataSet">What it was measured on, such as "Kinetics-400".</param>
/// <param name="Top1">Share of clips whose most probable class was right, in percent.</param>
/// <param name="Recipe">How it was trained and evaluated, as far as it differs from the network's own recipe.</param>
/// <param name="Source">Who says so.</param>
public sealed record PublishedAccuracy(string DataSet, double Top1, string Recipe, string Source);

/// <summary>Trained weights that exist for a network.</summary>
/// <param name="TrainedOn">Data set, such as "ImageNet-1k".</param>
/// <param name="Licence">SPDX name of the licence they are published under.</param>
/// <param name="Source">Where they come from.</param>
public sealed record PublishedWeights(string TrainedOn, string Licence, string Source);

/// <summary>
/// What others have published about the networks of the catalogue: weights, and how accurate they are. Typed from the
/// sources named in each row; what can be computed (parameters, cost) isn't here.
/// </summary>
internal static class PublishedResults
{
    private const string Kinetics = "Kinetics-400";
    private const string ModelZoo = "PaddleVideo model zoo";

    // PaddleVideo's model zoo publishes its weights in the repository's name, whose licence is Apache-2.0.
    private static readonly PublishedWeights PaddleVideo = new(Kinetics, "Apache-2.0", ModelZoo);

    // The first accuracy of a row is the network trained plainly with the catalogue's frames, where there is such a figure.
    private static readonly Dictionary<string, (PublishedWeights? Weights, PublishedAccuracy[] Accuracies)> Rows = new(StringComparer.Ordinal)
    {
        ["tsm_efficientnet_lite0"] = (new("ImageNet-1k", "Apache-2.0", "EfficientNet-Lite; travels with Kinora"), []),
        ["tsn_r50"] = (PaddleVideo, [On(69.81, "3 frames, ten crops"), On(71.70, "8 frames, ten crops")]),
        ["pptsn_r50"] = (PaddleVideo, [On(73.68, "3 frames, ten crops"), On(75.06, "3 frames, ten crops, distilled")]),
        ["tsm_r50"] = (PaddleVideo, [On(71.06, "8 frames, uniform"), On(94.42, "8 frames, uniform, from Kinetics-400 weights", "UCF101")]),
        ["pptsm_r50"] = (PaddleVideo,
        [
            On(74.54, "8 frames, uniform"), On(75.11, "8 frames, uniform, distilled"), On(75.69, "8 frames, dense"), On(76.16, "8 frames, dense, distilled"),
        ]),
        ["pptsm_r101"] = (PaddleVideo, [On(76.35, "8 frames, uniform, distilled"), On(77.15, "8 frames, dense")]),
        ["pptsm_mobilenet_v2"] = (PaddleVideo, [On(68.09, "8 frames, uniform")]),
        ["pptsm_mobilenet_v3"] = (PaddleVideo, [On(69.84, "8 frames, uniform")]),
        ["pptsmv2"] = (PaddleVideo, [On(73.1, "16 frames, uniform"), On(72.45, "8 frames, uniform"), On(74.38, "16 frames, uniform, distilled")]),
        ["pptsmv2_lta"] = (null, [On(75.16, "16 frames, uniform, distilled")]),
        ["slowfast_4x16_r50"] = (PaddleVideo, [On(74.35, "10 × 3 views")]),
        ["slowfast_8x8_r50"] = (PaddleVideo, [On(75.84, "multigrid training, 10 × 3 views")]),
        ["movinet_a0"] = (PaddleVideo, [On(66.62, "50 frames")]),
        ["timesformer"] = (PaddleVideo, [On(77.29, "8 frames, three crops")]),
        ["pptimesformer"] = (PaddleVideo, [On(78.87, "8 frames, three crops"), On(79.44, "16 frames, three crops")]),
        ["videoswin_s"] = (PaddleVideo, [On(80.18, "4 × 3 views")]),
        ["videoswin_b"] = (PaddleVideo, [On(82.4, "4 × 3 views")]),
    };

    /// <summary>Trained weights of a network.</summary>
    /// <param name="name">Catalogue name.</param>
    /// <returns>Null when nobody is known to publish any.</returns>
    public static PublishedWeights? Weights(string name) => Rows.TryGetValue(name, out var row) ? row.Weights : null;

    /// <summary>Published accuracies of a network, the plainest recipe first.</summary>
    /// <param name="name">Catalogue name.</param>
    /// <returns>Empty when none is known.</returns>
    public static IReadOnlyList<PublishedAccuracy> Accuracies(string name) => Rows.TryGetValue(name, out var row) ? row.Accuracies : [];

    private static PublishedAccuracy On(double top1, string recipe, string dataSet = Kinetics) => new(dataSet, top1, recipe, ModelZoo);
}
