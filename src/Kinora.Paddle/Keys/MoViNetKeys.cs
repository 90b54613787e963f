using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>Names of MoViNet: PaddleVideo's <c>MoViNet</c> backbone; its head has no tensors.</summary>
internal static class MoViNetKeys
{
    /// <summary>The translation for one network.</summary>
    /// <param name="network">A <see cref="MoViNet"/>.</param>
    /// <returns>The translation.</returns>
    public static KeyMap For(VideoNetwork network) => new(ToPaddle);

    private static string ToPaddle(string name)
    {
        string[] parts = name.Split('.');
        return parts switch
        {
            ["stem", .. var rest] => Join("conv1", Unit(rest)),
            ["head", .. var rest] => Join("conv7", Unit(rest)),
            ["classifier", var step, .. var rest] => Join($"classifier.{Step(step)}", Bare(rest)),
            ["blocks", var block, "squeeze", "reduce", .. var rest] => Join($"blocks.{block}.se.fc1", Bare(rest)),
            ["blocks", var block, "squeeze", "expand", .. var rest] => Join($"blocks.{block}.se.fc2", Bare(rest)),
            ["blocks", var block, "squeeze"] => Join($"blocks.{block}.se", []),
            ["blocks", var block, "shortcut", "pool"] => Join($"blocks.{block}.res.0", []),
            ["blocks", var block, "shortcut", "project", .. var rest] => Join($"blocks.{block}.res.1", Unit(rest)),
            ["blocks", var block, "shortcut"] => Join($"blocks.{block}.res", []),
            ["blocks", var block, "alpha"] => Join($"blocks.{block}.alpha", []),
            ["blocks", var block, var layer, .. var rest] => Join($"blocks.{block}.{(layer == "depthwise" ? "deep" : layer)}", Unit(rest)),
            _ => Join(name, []),
        };
    }

    // PaddleVideo's unit holds a chain of convolution, batch norm and activation. The chain's output is the activation's.
    private static string[] Unit(string[] rest) => rest switch
    {
        ["conv", .. var tensor] => ["conv_1", "0", .. tensor],
        ["bn", .. var tensor] => ["conv_1", "1", .. tensor],
        ["act"] => ["conv_1"],
        _ => rest,
    };

    // A unit without batch norm and activation is such a chain too.
    private static string[] Bare(string[] rest) => rest.Length == 0 ? rest : ["conv_1", "0", .. rest];

    private static string Step(string step) => step switch
    {
        "hidden" => "0",
        "act" => "1",
        "dropout" => "2",
        "fc" => "3",
        _ => step,
    };

    private static string Join(string head, string[] rest) => string.Join('.', ["backbone", head, .. rest.Select(part => part switch
    {
        "running_mean" => "_mean",
        "running_var" => "_variance",
        _ => part,
    })]);
}
