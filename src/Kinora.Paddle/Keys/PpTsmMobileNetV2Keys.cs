using System.Globalization;
using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>Names of PP-TSM MobileNetV2: PaddleVideo's <c>PPTSM_MobileNetV2</c> backbone; its head has no tensors.</summary>
internal static class PpTsmMobileNetV2Keys
{
    /// <summary>The translation for one network.</summary>
    /// <param name="network">A <see cref="PpTsmMobileNetV2"/>.</param>
    /// <returns>The translation.</returns>
    public static KeyMap For(VideoNetwork network) => new(ToPaddle);

    private static string ToPaddle(string name)
    {
        string[] parts = name.Split('.');
        return parts switch
        {
            ["stem", .. var rest] => Join("conv1", rest),
            ["stages", var stage] => Join(Group(stage), []),
            ["stages", var stage, "0", .. var rest] => Join($"{Group(stage)}._first_block", rest),
            ["stages", var stage, var unit, .. var rest] => Join($"{Group(stage)}.{Group(stage)}_{OneBased(unit)}", rest),
            ["head", .. var rest] => Join("conv9", rest),
            ["pool"] => Join("pool2d_avg", []),
            ["fc", .. var rest] => Join("out", rest),
            _ => name,
        };
    }

    // The stem is conv1, the first stage conv2.
    private static string Group(string stage) =>
        string.Create(CultureInfo.InvariantCulture, $"conv{int.Parse(stage, CultureInfo.InvariantCulture) + 2}");

    private static int OneBased(string unit) => int.Parse(unit, CultureInfo.InvariantCulture) + 1;

    private static string Join(string head, string[] rest) => string.Join('.', ["backbone", head, .. rest.Select(part => part switch
    {
        "conv" => "_conv",
        "bn" => "_batch_norm",
        "expand" => "_expand_conv",
        "depthwise" => "_bottleneck_conv",
        "project" => "_linear_conv",
        "running_mean" => "_mean",
        "running_var" => "_variance",
        _ => part,
    })]);
}
