using System.Globalization;
using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>Names of SlowFast: PaddleVideo's <c>ResNetSlowFast</c> backbone and <c>SlowFastHead</c>.</summary>
internal static class SlowFastKeys
{
    /// <summary>The translation for one network.</summary>
    /// <param name="network">A <see cref="SlowFast"/>.</param>
    /// <returns>The translation; null for mmaction2's form, which PaddleVideo hasn't got.</returns>
    public static KeyMap? For(SlowFast network) => network.Form == SlowFastForm.Original ? new KeyMap(ToPaddle) : null;

    private static string ToPaddle(string name) => name.Split('.') switch
    {
        ["projection", .. var rest] => Join(["head.projection", .. rest]),
        ["dropout"] => "head.dropout",
        ["stages", var stage, "fusion", .. var rest] => $"backbone.{Stage(stage)}_fuse" + rest switch
        {
            ["slow"] => "[0]",
            ["fast"] => "[1]",
            ["conv", .. var tail] => Join(["._conv_f2s", .. tail]),
            ["bn", .. var tail] => Join(["._bn", .. tail]),
            _ => Join(["", .. rest]),
        },
        ["stages", var stage, var path] => $"backbone.{Stage(stage)}[{Path(path)}]",
        ["stages", "0", var path, "0", .. var rest] => $"backbone.s1.pathway{Path(path)}_stem" + rest switch
        {
            ["conv0", "conv", .. var tail] => Join(["._conv", .. tail]),
            ["conv0", "bn", .. var tail] => Join(["._bn", .. tail]),
            _ => Join(["", .. rest]),
        },
        ["stages", var stage, var path, var block, .. var rest] => $"backbone.{Stage(stage)}.pathway{Path(path)}_res{block}" + rest switch
        {
            ["shortcut", "conv", .. var tail] => Join([".branch1", .. tail]),
            ["shortcut", "bn", .. var tail] => Join([".branch1_bn", .. tail]),
            [var layer, "conv", .. var tail] => Join([$".branch2.{Layer(layer)}", .. tail]),
            [var layer, "bn", .. var tail] => Join([$".branch2.{Layer(layer)}_bn", .. tail]),
            _ => Join(["", .. rest]),
        },
        _ => name,
    };

    // PaddleVideo counts stages from 1.
    private static string Stage(string stage) => string.Create(CultureInfo.InvariantCulture, $"s{int.Parse(stage, CultureInfo.InvariantCulture) + 1}");

    private static string Path(string path) => path == "slow" ? "0" : "1";

    private static string Layer(string layer) => layer switch { "conv0" => "a", "conv1" => "b", _ => "c" };

    private static string Join(string[] parts) => string.Join('.', parts.Select(part => part switch
    {
        "running_mean" => "_mean",
        "running_var" => "_variance",
        _ => part,
    }));
}
