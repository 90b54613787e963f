using System.Globalization;
using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>Names of TSN and TSM: PaddleVideo's <c>ResNet</c> and <c>ResNetTSM</c> backbones with their heads.</summary>
internal static class ResNetKeys
{
    private const int NumberedStage = 2;

    /// <summary>The translation for one network.</summary>
    /// <param name="network">A <see cref="Tsn"/> or <see cref="Tsm"/> of any depth.</param>
    /// <returns>The translation.</returns>
    public static KeyMap For(VideoNetwork network)
    {
        // From 101 layers on, the blocks of the third stage are a, b1, b2 and so on instead of a, b, c.
        string last = string.Create(CultureInfo.InvariantCulture, $"stages.{NumberedStage}.22.");
        bool numbered = network.NamedParameters().Any(p => p.Name.StartsWith(last, StringComparison.Ordinal));
        return new KeyMap(name => ToPaddle(name, numbered));
    }

    private static string ToPaddle(string name, bool numbered)
    {
        string[] parts = name.Split('.');
        return parts switch
        {
            ["stem", .. var rest] => Join("backbone.conv", rest),
            ["stem_pool"] => "backbone.pool2D_max",
            ["pool"] => "head.avgpool2d",
            ["dropout"] => "head.dropout",
            ["fc", .. var rest] => Join("head.fc", rest),
            ["stages", var stage, var block, .. var rest] => Join(
                "backbone." + Block(int.Parse(stage, CultureInfo.InvariantCulture), int.Parse(block, CultureInfo.InvariantCulture), numbered), rest),
            _ => name,
        };
    }

    private static string Block(int stage, int block, bool numbered) => string.Create(
        CultureInfo.InvariantCulture,
        $"res{stage + 2}{(numbered && stage == NumberedStage && block > 0 ? $"b{block}" : (char)('a' + block))}");

    private static string Join(string head, string[] rest) => string.Join('.', [head, .. rest.Select(part => part switch
    {
        "conv" => "_conv",
        "bn" => "_batch_norm",
        "shortcut" => "short",
        "running_mean" => "_mean",
        "running_var" => "_variance",
        _ => part,
    })]);
}
