using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Paddle;

/// <summary>Names of VideoSwin: PaddleVideo's <c>SwinTransformer3D</c> backbone and <c>I3DHead</c>.</summary>
internal static class VideoSwinKeys
{
    private const string PositionBias = ".position_bias";

    /// <summary>The translation for one network.</summary>
    /// <param name="network">A <see cref="VideoSwin"/> of any shape.</param>
    /// <returns>The translation.</returns>
    public static KeyMap For(VideoNetwork network)
    {
        (int Time, int Height, int Width) window = ((VideoSwin)network).Window;
        return new KeyMap(ToPaddle, [.. Idle((VideoSwin)network)]) { IdleValue = _ => IndexTable(window.Time, window.Height, window.Width) };
    }

    private static string ToPaddle(string name) => name.Split('.') switch
    {
        ["fc", .. var rest] => Join("head.fc", rest),
        ["dropout"] => "head.dropout",
        ["token_dropout"] => "backbone.pos_drop",
        ["patch_embed", "conv", .. var rest] => Join("backbone.patch_embed.proj", rest),
        ["stages", var stage, "blocks", var block, .. var rest] => Join($"backbone.layers.{stage}.blocks.{block}", InBlock(rest)),
        ["stages", var stage, "merging", "reduce", .. var rest] => Join($"backbone.layers.{stage}.downsample.reduction", rest),
        ["stages", var stage, "merging", .. var rest] => Join($"backbone.layers.{stage}.downsample", rest),
        ["stages", var stage] => $"backbone.layers.{stage}",
        _ => $"backbone.{name}",
    };

    private static string[] InBlock(string[] names) => names switch
    {
        ["attention_norm", .. var rest] => ["norm1", .. rest],
        ["attention", "position_bias"] => ["attn", "relative_position_bias_table"],
        ["attention", "heads", "project", .. var rest] => ["attn", "proj", .. rest],
        ["attention", "heads", .. var rest] => ["attn", .. rest],
        ["attention", .. var rest] => ["attn", .. rest],
        ["mlp_norm", .. var rest] => ["norm2", .. rest],
        ["mlp", "expand", .. var rest] => ["mlp", "fc1", .. rest],
        ["mlp", "project", .. var rest] => ["mlp", "fc2", .. rest],
        _ => names,
    };

    // PaddleVideo stores for each pair of tokens of a window the row of their bias; Kinora computes it.
    private static IEnumerable<PaddleName> Idle(VideoSwin network)
    {
        long tokens = (long)network.Window.Time * network.Window.Height * network.Window.Width;
        return network.NamedParameters()
            .Where(p => p.Name.EndsWith(PositionBias, StringComparison.Ordinal))
            .Select(p => new PaddleName(ToPaddle(p.Name[..^PositionBias.Length]) + ".relative_position_index", null, [tokens, tokens], Transposed: false, IsTrained: false));
    }

    // Token i sees token j by the row of their distance: steps of time, rows and columns, each counted from its most negative.
    private static Tensor IndexTable(int time, int height, int width)
    {
        int tokens = time * height * width;
        var table = new long[tokens * tokens];
        for (int i = 0; i < tokens; i++)
        {
            for (int j = 0; j < tokens; j++)
            {
                int steps = (i / (height * width)) - (j / (height * width)) + time - 1;
                int rows = (i / width % height) - (j / width % height) + height - 1;
                int columns = (i % width) - (j % width) + width - 1;
                table[(i * tokens) + j] = (((steps * ((2 * height) - 1)) + rows) * ((2 * width) - 1)) + columns;
            }
        }

        return Tensor.From<long>(table, [tokens, tokens]);
    }

    private static string Join(string head, string[] rest) => string.Join('.', [head, .. rest]);
}
