using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Paddle.Tests.Inflation;

public sealed class SwinInflationTests
{
    private static readonly NamedArray Patch = new("patch_embed.proj.weight", [1, 2, 1, 2], [1, 2, 3, 4]);

    [Fact]
    public void ToVideoSwin_PatchWeight_SpreadsOverFrames()
    {
        NamedArray spread = Inflate([Patch], 2, (1, 1, 1))["backbone.patch_embed.proj.weight"];
        Assert.Equal([1L, 2, 2, 1, 2], spread.Shape);
        Assert.Equal([0.5f, 1, 0.5f, 1, 1.5f, 2, 1.5f, 2], spread.Values);
    }

    [Fact]
    public void ToVideoSwin_BiasTable_RepeatsForEachDistanceInTime()
    {
        // A window of 2 × 1: three distances, two heads.
        NamedArray table = new("layers.0.blocks.0.attn.relative_position_bias_table", [3, 2], [1, 2, 3, 4, 5, 6]);
        NamedArray tiled = Inflate([Patch, table], 2, (2, 2, 1))["backbone.layers.0.blocks.0.attn.relative_position_bias_table"];
        Assert.Equal([9L, 2], tiled.Shape);
        Assert.Equal([1f, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6], tiled.Values);
    }

    [Fact]
    public void ToVideoSwin_TableOfAnotherWindow_IsResizedByCubicConvolution()
    {
        // The columns of a window of 3 lie at −0.2, 0.4, 1, 1.6 and 2.2 of one of 2; the cubic overshoots beside the step.
        NamedArray step = new("b.relative_position_bias_table", [9, 1], [0, 0, 1, 0, 0, 1, 0, 0, 1]);
        NamedArray resized = Inflate([Patch, step], 1, (1, 3, 3))["backbone.b.relative_position_bias_table"];

        Assert.Equal([25L, 1], resized.Shape);
        Assert.All(resized.Values.Chunk(5), row => Assert.All(row.Zip([0, -0.072f, 0, 0.612f, 1.096f]), pair => Assert.Equal(pair.Second, pair.First, 1e-6f)));
    }

    [Fact]
    public void ToVideoSwin_WhatIsComputed_IsLeftOut()
    {
        NamedArray[] image =
        [
            Patch, new("head.fc.weight", [1], [1]), new("layers.0.blocks.1.attn_mask", [1], [1]),
            new("layers.0.blocks.1.attn.relative_position_index", [1], [1]), new("norm.weight", [1], [5]),
        ];
        Assert.Equal(["backbone.norm.weight", "backbone.patch_embed.proj.weight"], Inflate(image, 2, (1, 1, 1)).Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void ToVideoSwin_WeightsOfVideoSwin_PassUnchanged()
    {
        NamedArray[] video = [new("backbone.patch_embed.proj.weight", [1, 1, 2, 1, 1], [1, 2]), new("backbone.a.relative_position_bias_table", [45, 1], new float[45])];
        IReadOnlyList<NamedArray> passed = SwinInflation.ToVideoSwin(video, 2, (3, 2, 2));
        Assert.Equal(video.Select(a => (a.Name, a.Values)), passed.Select(a => (a.Name, a.Values)));
    }

    [Fact]
    public void ToVideoSwin_WholeImageTransformer_FillsTheNetwork()
    {
        using var scope = new TensorScope();
        var shape = new VideoSwinOptions(4, [2, 1], [1, 2], Window: (4, 3, 3));
        using var network = new VideoSwin("videoswin_t", new ModelOptions(3, 8), shape);
        PaddleNames names = PaddleNames.For(network);
        NamedArray[] image =
        [
            .. names.Tensors.Select(t => t.Paddle switch
            {
                "backbone.patch_embed.proj.weight" => Numbered("patch_embed.proj.weight", 4, 3, 4, 4),
                var name when name.EndsWith("bias_table", StringComparison.Ordinal) => Numbered(name["backbone.".Length..], 25, t.Shape[1]),
                var name => Numbered(name.Replace("backbone.", "", StringComparison.Ordinal), [.. t.Shape]),
            }),
        ];

        Dictionary<string, NamedArray> inflated = Inflate(image, 2, (4, 3, 3));

        Assert.Equal(
            names.Tensors.Where(t => t.Kinora is not null && !t.Paddle.StartsWith("head.", StringComparison.Ordinal)).Select(t => $"{t.Paddle} {string.Join('x', t.Shape)}").Order(StringComparer.Ordinal),
            inflated.Values.Select(a => $"{a.Name} {string.Join('x', a.Shape)}").Order(StringComparer.Ordinal));
        Assert.All(inflated.Values, a => Assert.Equal(a.Shape.Aggregate(1L, (x, y) => x * y), a.Values.Length));
    }

    [Fact]
    public void ToVideoSwin_OtherWeights_AreRefused()
    {
        Assert.Throws<CheckpointException>(() => SwinInflation.ToVideoSwin([new("conv1.weight", [1], [0])], 2, (8, 7, 7)));
        var e = Assert.Throws<CheckpointException>(() => SwinInflation.ToVideoSwin([Patch, new("x.relative_position_bias_table", [12, 2], new float[24])], 2, (8, 7, 7)));
        Assert.Contains("[12, 2]", e.Message, StringComparison.Ordinal);
    }

    private static Dictionary<string, NamedArray> Inflate(NamedArray[] image, int patchFrames, (int, int, int) window) =>
        SwinInflation.ToVideoSwin(image, patchFrames, window).ToDictionary(a => a.Name, StringComparer.Ordinal);

    private static NamedArray Numbered(string name, params long[] shape) =>
        new(name, shape, [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(i => (float)i)]);
}
