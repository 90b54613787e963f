using Kinora.Tensors;

namespace Kinora.Models.Tests;

/// <summary>Training with blocks computed again in the backward pass: the same bits, less memory. Whatever else runs meanwhile would be measured too.</summary>
[Collection(Alone)]
public sealed class CheckpointGradientsTests
{
    public const string Alone = "memory of tensors";
    private const int Frames = 8;
    private const int Size = 32;

    public static TheoryData<string> Networks() => ["timesformer", "videoswin", "csn", "slowfast"];

    [Theory]
    [MemberData(nameof(Networks))]
    public void Backward_BlocksComputedAgain_SameBitsAndStatistics(string name) => Same(name, bfloat16: false);

    [Fact]
    public void Backward_Autocast_SameBits() => Same("timesformer", bfloat16: true);

    [Theory]
    [InlineData("timesformer", 0.5)]
    [InlineData("videoswin", 0.6)]
    [InlineData("csn", 0.6)]
    [InlineData("slowfast", 0.8)]
    public void Backward_BlocksComputedAgain_NeedsLessMemory(string name, double share)
    {
        long plain = Peak(checkpoint: false), again = Peak(checkpoint: true);
        TestContext.Current.SendDiagnosticMessage($"{name}: {plain:N0} bytes, with checkpoints {again:N0}");
        Assert.True(again < share * plain, $"{name}: expected less than {share:P0} of {plain:N0} bytes, found {again:N0}");

        long Peak(bool checkpoint)
        {
            using VideoNetwork network = Create(name, deep: true);
            network.CheckpointGradients = checkpoint;
            Step(network, 0, bfloat16: false); // gradients and kernels' own memory are there from now on
            long before = Torch.LiveBytes;
            Torch.ResetPeakBytes();
            Step(network, 1, bfloat16: false);
            return Torch.PeakBytes - before;
        }
    }

    [Fact]
    public void CheckpointGradients_NetworkWithoutBlocks_SaysSo()
    {
        using VideoNetwork network = ModelCatalog.CreateBlank("tsn_r18", new ModelOptions(3));
        network.CheckpointGradients = false;
        Assert.Contains("tsn_r18", Assert.Throws<ConfigException>(() => network.CheckpointGradients = true).Message, StringComparison.Ordinal);
    }

    private static void Same(string name, bool bfloat16)
    {
        Dictionary<string, float[]> plain = Train(checkpoint: false), again = Train(checkpoint: true);
        Assert.NotEmpty(plain);
        foreach ((string tensor, float[] values) in plain)
        {
            Assert.True(values.AsSpan().SequenceEqual(again[tensor]), $"{name}: {tensor} differs");
        }

        Dictionary<string, float[]> Train(bool checkpoint)
        {
            using VideoNetwork network = Create(name, deep: false);
            network.CheckpointGradients = checkpoint;
            var found = new Dictionary<string, float[]>();
            for (int step = 0; step < 2; step++)
            {
                found[$"logits {step}"] = Step(network, step, bfloat16);
            }

            using var scope = new TensorScope();
            foreach ((string parameter, Tensor value) in network.NamedParameters())
            {
                found["gradient of " + parameter] = value.Grad!.ToArray<float>();
            }

            foreach ((string buffer, Tensor value) in network.NamedBuffers())
            {
                found[buffer] = value.ToArray<float>();
            }

            return found;
        }
    }

    private static float[] Step(VideoNetwork network, int step, bool bfloat16)
    {
        using var scope = new TensorScope();
        Tensor clips = Tensor.Zeros([2, Frames, 3, Size, Size]);
        Initializers.Normal(clips, new CounterRandom(4, 0, step, "clips"), 1);
        network.SetRandomKey(9, 0, step);
        Tensor logits;
        using (bfloat16 ? Autocast.BFloat16() : null)
        {
            logits = network.Forward(clips).To(DType.Float32);
        }

        F.CrossEntropy(logits, Tensor.From<long>([1, 2])).Backward();
        return logits.ToArray<float>();
    }

    private static VideoNetwork Create(string name, bool deep)
    {
        var options = new ModelOptions(3, Frames, Size, Seed: 1, Dropout: 0.2);
        VideoNetwork network = name switch
        {
            "timesformer" => new TimeSformer(options, new TimeSformerOptions(Width: 24, Depth: deep ? 8 : 3, Heads: 3, PatchSize: 8, DropPath: 0.3, TokenDropout: 0.1, AttentionDropout: 0.1)),
            "videoswin" => new VideoSwin("videoswin_t", options, new VideoSwinOptions(12, deep ? [8, 8] : [2, 3], [2, 4], Window: (2, 4, 4), DropPath: 0.3, TokenDropout: 0.1, AttentionDropout: 0.1)),
            "csn" => new Csn(options, new Csn.Shape("csn_small", deep ? [16, 2] : [1, 2, 1], CsnBlock.InteractionReduced, Width: 4)),
            _ => new SlowFast(options, SlowFastOptions.FourBySixteen with { Beta = 4, Width = 8 }),
        };

        // What starts at zero would hide mistakes in whatever stands behind it.
        foreach ((string parameter, Tensor value) in network.NamedParameters().Where(p => p.Value.Rank <= 2 || p.Name.Contains("embedding", StringComparison.Ordinal)))
        {
            using IDisposable mode = Grad.Disable();
            using var scope = new TensorScope();
            Tensor noise = Tensor.Zeros(value.Shape);
            Initializers.Normal(noise, new CounterRandom(8, parameter), 0.05);
            value.AddInPlace(noise);
        }

        return network;
    }

    /// <summary>Runs no other test beside these.</summary>
    [CollectionDefinition(Alone, DisableParallelization = true)]
    public sealed class Nothing;
}
