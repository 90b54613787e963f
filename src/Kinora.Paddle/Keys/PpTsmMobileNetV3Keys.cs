using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>Names of PP-TSM MobileNetV3: PaddleVideo's <c>PPTSM_MobileNetV3</c> backbone; its head has no tensors.</summary>
internal static class PpTsmMobileNetV3Keys
{
    /// <summary>The translation for one network.</summary>
    /// <param name="network">A <see cref="PpTsmMobileNetV3"/>, large or small.</param>
    /// <returns>The translation.</returns>
    public static KeyMap For(VideoNetwork network) => new(ToPaddle);

    private static string ToPaddle(string name)
    {
        string[] parts = name.Split('.');
        return parts switch
        {
            ["stem", .. var rest] => Join("conv", rest),
            ["head", .. var rest] => Join("last_second_conv", rest),
            ["pool"] => Join("avg_pool", []),
            ["act"] => Join("hardswish", []),
            ["blocks", var block, "squeeze", .. var rest] => Join($"blocks.{block}.mid_se", [.. rest.Select(part => part switch
            {
                "pool" => "avg_pool",
                "reduce" => "conv1",
                "expand" => "conv2",
                _ => part,
            })]),
            _ => Join(parts[0], parts[1..]),
        };
    }

    private static string Join(string head, string[] rest) => string.Join('.', ["backbone", head, .. rest.Select(part => part switch
    {
        "expand" => "expand_conv",
        "depthwise" => "bottleneck_conv",
        "project" => "linear_conv",
        "squeeze" => "mid_se",
        "running_mean" => "_mean",
        "running_var" => "_variance",
        _ => part,
    })]);
}
