using System.Globalization;

namespace Kinora.Paddle;

/// <summary>
/// Names of TSN and TSM, which share them: mmaction2's <c>ResNet</c>/<c>ResNetTSM</c> with <c>TSNHead</c>/<c>TSMHead</c>,
/// torchvision's <c>ResNet</c>, and the original TSM code around the latter.
/// </summary>
/// <remarks>
/// A shifted convolution stands one level deeper, in "net". torchvision's ResNet-18 and 34 have no projection in their
/// first block, and so lack three tensors of Kinora's.
/// </remarks>
internal static class TorchTsnKeys
{
    /// <summary>All ways of naming.</summary>
    public static IReadOnlyList<TorchDialect> Dialects { get; } =
    [
        new(TorchSource.MmAction, name => MmAction(name.Split('.'))),
        new(TorchSource.Torchvision, name => Torchvision(name.Split('.'), "")),
        new(TorchSource.TemporalShiftModule, name => name.StartsWith("fc.", StringComparison.Ordinal)
            ? [$"new_{name}", $"base_model.{name}"]
            : Torchvision(name.Split('.'), "base_model.")),
    ];

    private static IReadOnlyList<string> MmAction(string[] parts) => parts switch
    {
        ["stem", .. var rest] => [$"backbone.conv1.{string.Join('.', rest)}"],
        ["fc", var tensor] => [$"cls_head.fc_cls.{tensor}"],
        ["stages", var stage, var block, "shortcut", .. var rest] => [$"backbone.layer{Next(stage)}.{block}.downsample.{string.Join('.', rest)}"],
        ["stages", var stage, var block, var layer, "conv", var tensor] => Shifted($"backbone.layer{Next(stage)}.{block}.conv{Next(layer[^1..])}.conv", tensor),
        ["stages", var stage, var block, var layer, "bn", var tensor] => [$"backbone.layer{Next(stage)}.{block}.conv{Next(layer[^1..])}.bn.{tensor}"],
        _ => [string.Join('.', parts)],
    };

    private static IReadOnlyList<string> Torchvision(string[] parts, string prefix) => parts switch
    {
        ["stem", var kind, var tensor] => [$"{prefix}{kind}1.{tensor}"],
        ["fc", var tensor] => [$"{prefix}fc.{tensor}"],
        ["stages", var stage, var block, "shortcut", var kind, var tensor] => [$"{prefix}layer{Next(stage)}.{block}.downsample.{(kind == "conv" ? 0 : 1)}.{tensor}"],
        ["stages", var stage, var block, var layer, "conv", var tensor] => Shifted($"{prefix}layer{Next(stage)}.{block}.conv{Next(layer[^1..])}", tensor),
        ["stages", var stage, var block, var layer, "bn", var tensor] => [$"{prefix}layer{Next(stage)}.{block}.bn{Next(layer[^1..])}.{tensor}"],
        _ => [prefix + string.Join('.', parts)],
    };

    private static string[] Shifted(string layer, string tensor) => [$"{layer}.{tensor}", $"{layer}.net.{tensor}"];

    // They count from 1.
    private static int Next(string number) => int.Parse(number, CultureInfo.InvariantCulture) + 1;
}
