using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Paddle;

/// <summary>Names of PP-TSMv2: PaddleVideo's <c>PPTSM_v2</c> backbone; its head has no tensors.</summary>
internal static class PpTsmV2Keys
{
    private const string FirstBranch = ".depthwise.branches.0.conv.weight";

    /// <summary>The translation for one network.</summary>
    /// <param name="network">A <see cref="PpTsmV2"/>, with branches or merged.</param>
    /// <returns>The translation.</returns>
    public static KeyMap For(VideoNetwork network) => new(ToPaddle, [.. Idle(network)]) { IdleValue = idle => Tensor.Zeros([.. idle.Shape]) };

    private static string ToPaddle(string name)
    {
        var parts = new List<string> { "backbone" };
        foreach (string part in name.Split('.'))
        {
            // Kinora keeps branches and merged convolution together in one layer; PaddleVideo has two.
            if (part is "branches" or "merged" && parts[^1] == "dw_conv")
            {
                parts[^1] = part == "branches" ? "dw_conv_list" : "dw_conv";
                continue;
            }

            // Both squeeze-and-excite and pooling live under names that occur once each in a path.
            parts.Add((part, parts[^1]) switch
            {
                ("depthwise", _) => "dw_conv",
                ("pointwise", _) => "pw_conv",
                ("pointwise0", _) => "pw_conv_1",
                ("pointwise1", _) => "pw_conv_2",
                ("squeeze", _) => "se",
                ("reduce", _) => "conv1",
                ("expand", _) => "conv2",
                ("pool", _) => "avg_pool",
                ("attention", _) => "global_attention",
                ("running_mean", _) => "_mean",
                ("running_var", _) => "_variance",
                _ => part,
            });
        }

        return string.Join('.', parts);
    }

    // The convolution that takes the branches' place when they are merged exists in PaddleVideo's training form already,
    // unused: a weight and a bias for each branched block.
    private static IEnumerable<PaddleName> Idle(VideoNetwork network) => network.NamedParameters()
        .Where(p => p.Name.EndsWith(FirstBranch, StringComparison.Ordinal))
        .SelectMany(p =>
        {
            string layer = ToPaddle(p.Name[..^FirstBranch.Length]) + ".dw_conv";
            long[] shape = [.. p.Value.Shape];
            return (PaddleName[])[new(layer + ".weight", null, shape, false), new(layer + ".bias", null, [shape[0]], false)];
        });
}
