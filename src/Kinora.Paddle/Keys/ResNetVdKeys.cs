using System.Globalization;
using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>Names of PP-TSN and PP-TSM: PaddleVideo's <c>ResNetTweaksTSN</c> and <c>ResNetTweaksTSM</c> backbones with their heads.</summary>
internal static class ResNetVdKeys
{
    /// <summary>The translation for one network.</summary>
    /// <param name="network">A <see cref="PpTsn"/> or <see cref="PpTsm"/> of any depth.</param>
    /// <returns>The translation.</returns>
    public static KeyMap For(VideoNetwork network)
    {
        // Two blocks of PP-TSM are called as TSN's are; its pool alone has a large D.
        bool shifted = network is PpTsm;
        bool lettered = shifted && !network.NamedParameters().Any(p => p.Name == "stages.0.0.conv2.conv.weight");
        return new KeyMap(name => ToPaddle(name, shifted, lettered));
    }

    private static string ToPaddle(string name, bool shifted, bool lettered) => name.Split('.') switch
    {
        ["stem", var layer, .. var rest] => Join($"backbone.conv1_{Number(layer) + 1}", rest),
        ["stem_pool"] => shifted ? "backbone.pool2D_max" : "backbone.pool2d_max",
        ["pool"] => "head.avgpool2d",
        ["dropout"] => "head.dropout",
        ["fc", .. var rest] => Join("head.fc", rest),
        ["stages", var stage, var block, .. var rest] => Join(
            lettered ? $"backbone.res{Number(stage) + 2}{(char)('a' + Number(block))}" : $"backbone.bb_{stage}_{block}", rest),
        _ => name,
    };

    private static int Number(string part) => int.Parse(part, CultureInfo.InvariantCulture);

    private static string Join(string head, string[] rest) => string.Join('.', [head, .. rest.Select(part => part switch
    {
        "conv" => "_conv",
        "bn" => "_batch_norm",
        "pool" => "_pool2d_avg",
        "shortcut" => "short",
        "running_mean" => "_mean",
        "running_var" => "_variance",
        _ => part,
    })]);
}
