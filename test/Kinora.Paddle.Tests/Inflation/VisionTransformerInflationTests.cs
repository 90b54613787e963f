using Kinora.Models;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Paddle.Tests.Inflation;

public sealed class VisionTransformerInflationTests
{
    // One block with two features on a grid of 2 × 2 patches.
    private static readonly NamedArray[] Image =
    [
        new("pos_embed", [1, 5, 2], [9, -9, 0, 0, 1, 10, 2, 20, 3, 30]),
        new("blocks.0.norm1.weight", [2], [1, 2]),
        new("blocks.0.attn.qkv.weight", [2, 6], [.. Enumerable.Range(0, 12).Select(i => (float)i)]),
        new("blocks.0.norm2.weight", [2], [3, 4]),
        new("head.weight", [2, 1000], new float[2000]),
        new("head.bias", [1000], new float[1000]),
    ];

    [Fact]
    public void ToTimeSformer_AnotherGrid_InterpolatesBetweenTheCorners()
    {
        float[] positions = Inflate(Image, patches: 9, frames: 4)["backbone.pos_embed"].Values;

        // The class token, then rows 0, 1/2, 1 of a plane that rises by 1 to the right and by 2 downwards.
        Assert.Equal([9, -9, 0, 0, 0.5f, 5, 1, 10, 1, 10, 1.5f, 15, 2, 20, 2, 20, 2.5f, 25, 3, 30], positions);
    }

    [Fact]
    public void ToTimeSformer_SmallerGrid_TakesTheCorners()
    {
        NamedArray[] large = [new("pos_embed", [1, 10, 1], [7, 0, 1, 2, 3, 4, 5, 6, 7, 8])];
        NamedArray resized = Inflate(large, patches: 4, frames: 1)["backbone.pos_embed"];
        Assert.Equal([7f, 0, 2, 6, 8], resized.Values);
        Assert.Equal([1L, 5, 1], resized.Shape);
    }

    [Fact]
    public void ToTimeSformer_Block_CopiesAttentionAndLeavesTimeAtZero()
    {
        Dictionary<string, NamedArray> inflated = Inflate(Image, patches: 4, frames: 3);

        Assert.Equal(
            [
                "backbone.blocks.0.attn.qkv.weight", "backbone.blocks.0.norm1.weight", "backbone.blocks.0.norm2.weight",
                "backbone.blocks.0.temporal_attn.qkv.weight", "backbone.blocks.0.temporal_fc.bias", "backbone.blocks.0.temporal_fc.weight",
                "backbone.blocks.0.temporal_norm1.weight", "backbone.pos_embed", "backbone.time_embed",
            ],
            inflated.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(Image[0].Values, inflated["backbone.pos_embed"].Values);
        Assert.Equal(Image[2].Values, inflated["backbone.blocks.0.temporal_attn.qkv.weight"].Values);
        Assert.Equal([1f, 2], inflated["backbone.blocks.0.temporal_norm1.weight"].Values);
        Assert.Equal(new float[4], inflated["backbone.blocks.0.temporal_fc.weight"].Values);
        Assert.Equal([1L, 3, 2], inflated["backbone.time_embed"].Shape);
        Assert.Equal(new float[6], inflated["backbone.time_embed"].Values);
    }

    [Fact]
    public void ToTimeSformer_WeightsOfTimeSformer_KeepsThemAndTakesTheNearestTimes()
    {
        NamedArray[] video =
        [
            .. Image,
            new("time_embed", [1, 2, 2], [1, 2, 3, 4]),
            new("blocks.0.temporal_norm1.weight", [2], [5, 6]),
            new("blocks.0.temporal_fc.bias", [2], [7, 8]),
        ];
        Dictionary<string, NamedArray> inflated = Inflate([.. video.Select(a => a with { Name = "backbone." + a.Name })], patches: 4, frames: 5);

        Assert.Equal([1f, 2, 1, 2, 1, 2, 3, 4, 3, 4], inflated["backbone.time_embed"].Values);
        Assert.Equal([5f, 6], inflated["backbone.blocks.0.temporal_norm1.weight"].Values);
        Assert.Equal([7f, 8], inflated["backbone.blocks.0.temporal_fc.bias"].Values);
    }

    [Fact]
    public void ToTimeSformer_WholeImageTransformer_FillsTheNetworkAndAnswersAsIt()
    {
        using var scope = new TensorScope();
        using IDisposable noGrad = Grad.Disable();
        var shape = new TimeSformerOptions(Width: 8, Depth: 2, Heads: 2);
        using var still = new TimeSformer(new ModelOptions(3, 1, 64, Seed: 1), shape);
        using var moving = new TimeSformer(new ModelOptions(3, 4, 64, Seed: 2), shape);
        PaddleNames names = PaddleNames.For(still);
        NamedArray[] image =
        [
            .. names.Tensors
                .Where(t => !t.Paddle.Contains("time", StringComparison.Ordinal) && !t.Paddle.Contains("temporal", StringComparison.Ordinal))
                .Select(t => new NamedArray(t.Paddle, t.Shape, Formula(t.Paddle, t.Shape))),
        ];
        NamedArray[] head = [.. image.Where(t => t.Name.StartsWith("head.", StringComparison.Ordinal))];
        foreach (TimeSformer network in (TimeSformer[])[still, moving])
        {
            NamedArray[] all = [.. VisionTransformerInflation.ToTimeSformer(image, 16, network.Frames), .. head];
            PaddleNames.For(network).Load(network, all.ToDictionary(a => a.Name, a => Tensor.From<float>(a.Values, [.. a.Shape])));
            network.Eval();
        }

        Tensor frame = Tensor.From<float>([.. GoldenFormula.Clip(1, 1, 3, 64, 64).Select(v => (float)v)], [1, 1, 3, 64, 64]);
        float[] expected = still.Forward(frame).ToArray<float>();
        float[] found = moving.Forward(frame.Expand(1, 4, 3, 64, 64)).ToArray<float>();
        Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Fact]
    public void ToTimeSformer_OtherWeights_AreRefused()
    {
        Assert.Throws<CheckpointException>(() => VisionTransformerInflation.ToTimeSformer([new("conv1.weight", [1], [0])], 4, 2));
        var e = Assert.Throws<CheckpointException>(() => VisionTransformerInflation.ToTimeSformer([new("pos_embed", [1, 4, 1], new float[4])], 4, 2));
        Assert.Contains("found 3", e.Message, StringComparison.Ordinal);
    }

    private static Dictionary<string, NamedArray> Inflate(NamedArray[] image, int patches, int frames) =>
        VisionTransformerInflation.ToTimeSformer(image, patches, frames).ToDictionary(a => a.Name, StringComparer.Ordinal);

    private static float[] Formula(string name, IReadOnlyList<long> shape) => [.. GoldenFormula.Weight(name, shape).Select(v => (float)v)];
}
