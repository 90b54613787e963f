using System.Globalization;
using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>Names of channel-separated networks: mmaction2's <c>ResNet3dCSN</c> with <c>I3DHead</c>.</summary>
internal static class TorchCsnKeys
{
    /// <summary>The ways of naming the tensors of a network.</summary>
    /// <param name="network">The network.</param>
    /// <returns>The ways.</returns>
    public static IReadOnlyList<TorchDialect> Dialects(VideoNetwork network)
    {
        // The depthwise convolution is the last of a chain, behind the pointwise one of an interaction-preserved block.
        bool preserved = network.NamedParameters().Any(p => p.Name.Contains(".interaction.", StringComparison.Ordinal));
        return [new(TorchSource.MmAction, name => [ToFile(name.Split('.'), depthwise: preserved ? 1 : 0)])];
    }

    private static string ToFile(string[] parts, int depthwise) => parts switch
    {
        ["stem", .. var rest] => $"backbone.conv1.{string.Join('.', rest)}",
        ["fc", var tensor] => $"cls_head.fc_cls.{tensor}",
        ["stages", var stage, var block, var layer, .. var rest] =>
            $"backbone.layer{int.Parse(stage, CultureInfo.InvariantCulture) + 1}.{block}.{Layer(layer, depthwise)}.{string.Join('.', rest)}",
        _ => string.Join('.', parts),
    };

    private static string Layer(string layer, int depthwise) => layer switch
    {
        "shortcut" => "downsample",
        "conv0" => "conv1",
        "interaction" => "conv2.0",
        "conv1" => string.Create(CultureInfo.InvariantCulture, $"conv2.{depthwise}"),
        _ => "conv3",
    };
}
