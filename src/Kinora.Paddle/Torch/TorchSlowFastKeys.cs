using System.Globalization;
using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>
/// Names of SlowFast: PySlowFast's and pytorchvideo's for the original form, <c>ResNet3dSlowFast</c> with
/// <c>SlowFastHead</c> for mmaction2's.
/// </summary>
/// <remarks>
/// pytorchvideo averages the logits of a larger picture's positions where PySlowFast and Kinora average probabilities.
/// mmaction2's variants whose lateral convolutions are normalised ("lateral_norm") are neither form and aren't read.
/// </remarks>
internal static class TorchSlowFastKeys
{
    private static readonly TorchDialect[] Original =
    [
        new(TorchSource.PySlowFast, name => [PySlowFast(name.Split('.'))]),
        new(TorchSource.PyTorchVideo, name => [PyTorchVideo(name.Split('.'))]),
    ];

    private static readonly TorchDialect[] MmAction = [new(TorchSource.MmAction, name => [OfMmAction(name.Split('.'))])];

    /// <summary>The ways of naming the tensors of a network.</summary>
    /// <param name="network">The network.</param>
    /// <returns>The ways.</returns>
    public static IReadOnlyList<TorchDialect> Dialects(SlowFast network) => network.Form == SlowFastForm.Original ? Original : MmAction;

    private static string PySlowFast(string[] parts) => parts switch
    {
        ["projection", var tensor] => $"head.projection.{tensor}",
        ["stages", var stage, "fusion", var kind, var tensor] => $"s{Next(stage)}_fuse.{(kind == "conv" ? "conv_f2s" : "bn")}.{tensor}",
        ["stages", "0", var path, _, _, var kind, var tensor] => $"s1.pathway{Path(path)}_stem.{kind}.{tensor}",
        ["stages", var stage, var path, var block, "shortcut", var kind, var tensor] => $"s{Next(stage)}.pathway{Path(path)}_res{block}.branch1{(kind == "bn" ? "_bn" : "")}.{tensor}",
        ["stages", var stage, var path, var block, var layer, var kind, var tensor] => $"s{Next(stage)}.pathway{Path(path)}_res{block}.branch2.{Letter(layer)}{(kind == "bn" ? "_bn" : "")}.{tensor}",
        _ => string.Join('.', parts),
    };

    private static string PyTorchVideo(string[] parts) => parts switch
    {
        // Five stages, then pooling, then the head.
        ["projection", var tensor] => $"blocks.6.proj.{tensor}",
        ["stages", var stage, "fusion", var kind, var tensor] => $"blocks.{stage}.multipathway_fusion.{(kind == "conv" ? "conv_fast_to_slow" : "norm")}.{tensor}",
        ["stages", "0", var path, _, _, var kind, var tensor] => $"blocks.0.multipathway_blocks.{Path(path)}.{Kind(kind)}.{tensor}",
        ["stages", var stage, var path, var block, "shortcut", var kind, var tensor] => $"blocks.{stage}.multipathway_blocks.{Path(path)}.res_blocks.{block}.branch1_{Kind(kind)}.{tensor}",
        ["stages", var stage, var path, var block, var layer, var kind, var tensor] => $"blocks.{stage}.multipathway_blocks.{Path(path)}.res_blocks.{block}.branch2.{Kind(kind)}_{Letter(layer)}.{tensor}",
        _ => string.Join('.', parts),
    };

    private static string OfMmAction(string[] parts) => parts switch
    {
        ["projection", var tensor] => $"cls_head.fc_cls.{tensor}",
        ["stages", "0", "fusion", .. var rest] => $"backbone.slow_path.conv1_lateral.{string.Join('.', rest)}",
        ["stages", var stage, "fusion", .. var rest] => $"backbone.slow_path.layer{stage}_lateral.{string.Join('.', rest)}",
        ["stages", "0", var path, _, _, .. var rest] => $"backbone.{path}_path.conv1.{string.Join('.', rest)}",
        ["stages", var stage, var path, var block, var layer, .. var rest] => $"backbone.{path}_path.layer{stage}.{block}.{MmLayer(layer)}.{string.Join('.', rest)}",
        _ => string.Join('.', parts),
    };

    private static string Path(string path) => path == "slow" ? "0" : "1";

    private static string Kind(string kind) => kind == "bn" ? "norm" : kind;

    private static string Letter(string layer) => layer switch { "conv0" => "a", "conv1" => "b", _ => "c" };

    private static string MmLayer(string layer) => layer == "shortcut" ? "downsample" : $"conv{Next(layer[^1..])}";

    private static int Next(string number) => int.Parse(number, CultureInfo.InvariantCulture) + 1;
}
