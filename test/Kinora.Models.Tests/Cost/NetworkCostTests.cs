using Kinora.Tensors;

namespace Kinora.Models.Tests.Cost;

public sealed class NetworkCostTests
{
    /// <summary>Every network of the catalogue.</summary>
    public static TheoryData<string> Names => [.. ModelCatalog.Entries.Select(e => e.Name)];

    [Fact]
    public void Measure_EveryCountedOperator_GivesTheClosedForm()
    {
        NetworkCost cost = NetworkCost.Measure(() => new Sampler());

        // Outputs × inputs of each sum; the clip is 4 frames of 32².
        const long Convolution2d = 4L * 8 * 16 * 16 * (3 * 3 * 3), Grouped = 4L * 8 * 16 * 16 * (2 * 3 * 3);
        const long Convolution3d = 6L * 2 * 8 * 8 * (8 * 3 * 3 * 3), Convolution1d = 5L * 64 * (6 * 3);
        const long Qkv = 64L * 12 * 5, Product = 2L * 64 * 64 * 2;
        Assert.Equal(Convolution2d + Grouped, Layer(cost, "stem").MultiplyAdds);
        Assert.Equal(Grouped, Layer(cost, "stem.1").MultiplyAdds);
        Assert.Equal(Convolution3d, Layer(cost, "volume").MultiplyAdds);
        Assert.Equal(Convolution1d, Layer(cost, "line").MultiplyAdds);
        Assert.Equal(Qkv, Layer(cost, "attention.qkv").MultiplyAdds);
        Assert.Equal(Qkv + (7 * Product) + (64L * 4 * 3), Layer(cost, "attention").MultiplyAdds);
        Assert.Equal(3L * 7, Layer(cost, "fc").MultiplyAdds);
        Assert.Equal(cost.Network.Children.Sum(c => c.MultiplyAdds), cost.MultiplyAdds);

        Assert.Equal([4, 8, 16, 16], Layer(cost, "stem").Output!);
        Assert.Equal([1, 6, 2, 8, 8], Layer(cost, "volume").Output!);
        Assert.Equal([1, 7], cost.Network.Output!);
        Assert.Equal((8 * 27) + (8 * 18), Layer(cost, "stem").Parameters);
        Assert.Equal("Conv2d", Layer(cost, "stem.1").Kind);
        Assert.Equal(1, cost.Uncounted["softmax"]);
        Assert.Equal(1, cost.Uncounted["mean"]);
        Assert.DoesNotContain("reshape", cost.Uncounted.Keys);
    }

    /// <summary>Published: 4,089,184,256 for ResNet-50 with 1000 classes at 224² (fvcore), whose classifier is 2048 × 1000.</summary>
    [Theory]
    [InlineData(3, 224)]
    [InlineData(8, 224)]
    public void Measure_TsnResNet50_IsThePublishedCountOfEachFrame(int frames, int size)
    {
        NetworkCost cost = NetworkCost.Measure("tsn_r50", new ModelOptions(400, frames, size));

        Assert.Equal((frames * (4_089_184_256 - 2_048_000)) + (2048 * 400), cost.MultiplyAdds);
        Assert.Equal(24_327_632, cost.Parameters);
        Assert.Equal(64L * 3 * 49 * 112 * 112 * frames, Layer(cost, "stem").MultiplyAdds);
    }

    [Fact]
    public void Measure_EfficientNetLite0_IsThePublishedCount()
    {
        NetworkCost cost = NetworkCost.Measure("tsm_efficientnet_lite0", new ModelOptions(1000, 1));

        // Published: 407 M multiply-adds, normalisations and sums included, and 4.7 M parameters with 1000 classes at 224².
        Assert.InRange(cost.MultiplyAdds / 407e6, 0.94, 1);
        Assert.Equal(4.7e6, cost.Parameters, 0.1e6);

        // One block by hand: 96 channels, of which each sees 3 × 3 neighbours, between 16 and 24.
        Assert.Equal((112 * 112 * 16 * 96) + (56 * 56 * 96 * 9) + (56 * 56 * 96 * 24), Layer(cost, "blocks.1").MultiplyAdds);
    }

    [Fact]
    public void Measure_PpTsmV2Merged_IsThePublishedCountOfItsBackbone()
    {
        NetworkCost cost = NetworkCost.Measure("pptsmv2", new ModelOptions(400), merged: true);

        // Published for PP-LCNetV2-base: 604 M for an image, normalisations and activations included.
        Assert.InRange(cost.MultiplyAdds / 16 / 604e6, 0.97, 1);
        Assert.True(NetworkCost.Measure("pptsmv2", new ModelOptions(400)).MultiplyAdds > cost.MultiplyAdds, "branches cost");
        Assert.Contains(cost.Network.Flatten(), l => l.Layer.Name.EndsWith("depthwise.merged", StringComparison.Ordinal));
    }

    /// <summary>Papers and model zoos state, in 10⁹ multiply-adds: TimeSformer arXiv:2102.05095, Video Swin arXiv:2106.13230, SlowFast arXiv:1812.03982, CSN arXiv:1904.02811; for ResNets of the D kind and MobileNetV2 PaddleClas.</summary>
    [Theory]
    [InlineData("timesformer", 224, 196)]
    [InlineData("videoswin_t", 224, 88)]
    [InlineData("videoswin_s", 224, 166)]
    [InlineData("videoswin_b", 224, 282)]
    [InlineData("slowfast_4x16_r50", 256, 36.1)]
    [InlineData("slowfast_8x8_r50", 256, 65.7)]
    [InlineData("ircsn_r152", 256, 96.7)]
    [InlineData("pptsm_r50", 224, 8 * 4.35)]
    [InlineData("pptsm_r101", 224, 8 * 8.1)]
    [InlineData("pptsm_mobilenet_v2", 224, 8 * 0.315)]
    public void Measure_PublishedNetwork_IsThePublishedCount(string name, int size, double published) =>
        Assert.Equal(1, NetworkCost.Measure(name, new ModelOptions(400, Size: size)).GigaFlops / published, 0.01);

    [Theory]
    [MemberData(nameof(Names))]
    public void Measure_CatalogueNetwork_IsWholeAndQuick(string name)
    {
        NetworkCost cost = NetworkCost.Measure(name, new ModelOptions(400));

        ModelEntry entry = ModelCatalog.Find(name);
        Assert.Equal([1, entry.Frames, 3, entry.Size, entry.Size], cost.Input);
        Assert.Equal([1, 400], cost.Network.Output!);
        Assert.InRange(cost.GigaFlops, 0.01, 2000);
        Assert.InRange(cost.Parameters, 100_000, 1_000_000_000);
        Assert.All(cost.Network.Flatten(), item =>
        {
            Assert.True(item.Layer.Children.Sum(c => c.MultiplyAdds) <= item.Layer.MultiplyAdds, item.Layer.Name);
            Assert.True(item.Layer.Children.Sum(c => c.Parameters) <= item.Layer.Parameters, item.Layer.Name);
        });

        // Nearly everything has a place below the network; what hasn't is between its parts.
        Assert.True(cost.Network.Children.Sum(c => c.MultiplyAdds) > 0.95 * cost.MultiplyAdds);
    }

    /// <summary>What is worked out without values is what happens with them: every operator, every shape. One of each family that is quick to fill with values.</summary>
    [Theory]
    [InlineData("tsm_efficientnet_lite0")]
    [InlineData("pptsmv2_lta")]
    [InlineData("tsn_r18")]
    [InlineData("pptsm_r18")]
    [InlineData("pptsm_mobilenet_v3_small")]
    [InlineData("movinet_a0")]
    [InlineData("slowfast_4x16_r50")]
    [InlineData("ircsn_r152")]
    [InlineData("videoswin_t")]
    public void Forward_ShapesOnly_CallsTheSameOperatorsWithTheSameShapes(string name)
    {
        string[] expected = Record(name);
        using IDisposable shapes = ShapesOnly.Enable();
        string[] actual = Record(name);

        Assert.NotEmpty(expected);
        Assert.Equal(expected, actual);
    }

    private static string[] Record(string name)
    {
        using var scope = new TensorScope();
        using IDisposable noGrad = Grad.Disable();
        using VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(5, Math.Min(8, ModelCatalog.Find(name).Frames), 64));
        network.Eval();
        Tensor clip = Tensor.Zeros([1, network.Frames, 3, 64, 64]);
        using Recording recording = Recording.Start();
        _ = network.Forward(clip);
        recording.Stop();
        return [.. recording.Calls.Select(call => $"{call.Operator}: {string.Join(", ", call.Outputs.Select(recording.Tensor))}")];
    }

    private static LayerCost Layer(NetworkCost cost, string name) => cost.Network.Flatten().Select(l => l.Layer).Single(l => l.Name == name);

    /// <summary>A network that computes nothing useful with every operator that counts.</summary>
    private sealed class Sampler : VideoNetwork
    {
        private readonly Sequential _stem;
        private readonly Conv3d _volume;
        private readonly Conv1d _line;
        private readonly Attention _attention;
        private readonly Linear _fc;

        public Sampler()
            : base("sampler", new ModelOptions(7, 4, 32, Dropout: 0))
        {
            _stem = Add("stem", new Sequential(new Conv2d(3, 8, 3, 2, 1), new Conv2d(8, 8, 3, 1, 1, groups: 4)));
            _volume = Add("volume", new Conv3d(8, 6, (3, 3, 3), (2, 2, 2), (1, 1, 1)));
            _line = Add("line", new Conv1d(6, 5, 3, 2, 1));
            _attention = Add("attention", new Attention());
            _fc = Add("fc", new Linear(3, 7));
        }

        public override ClipSpec EvaluationSpec => throw new NotSupportedException();

        public override ParameterRule RuleFor(string parameterName) => ParameterRule.Default;

        protected override Tensor Score(Tensor clips)
        {
            Tensor x = _stem.Forward(clips.Reshape(-1, 3, 32, 32));                     // [N·4, 8, 16, 16]
            x = _volume.Forward(x.Reshape(-1, 4, 8, 16, 16).Permute(0, 2, 1, 3, 4));    // [N, 6, 2, 8, 8]
            x = _line.Forward(x.Flatten(2)).Permute(0, 2, 1);                           // [N, 64, 5]
            return _fc.Forward(_attention.Forward(x).Mean([1]));                        // [N, 7]
        }

        /// <summary>Two heads of width 2; its products have no parameter and still belong to it.</summary>
        private sealed class Attention : UnaryModule
        {
            private readonly Linear _qkv;
            private readonly Tensor _bias;
            private readonly Tensor _weight;

            public Attention()
            {
                _qkv = Add("qkv", new Linear(5, 12));
                _bias = AddParameter("bias", Tensor.Zeros([64, 64]));
                _weight = AddParameter("weight", Tensor.Zeros([3, 4]));
            }

            protected override Tensor Compute(Tensor x)
            {
                Tensor qkv = _qkv.Forward(x).Reshape(-1, 64, 3, 2, 2).Permute(2, 0, 3, 1, 4);    // [3, N, heads, 64, 2]
                (Tensor q, Tensor k, Tensor v) = (qkv.Select(0, 0), qkv.Select(0, 1), qkv.Select(0, 2));
                Tensor scores = q.MatMul(k.Transpose(2, 3));                                    // [N, heads, 64, 64]
                scores += Torch.Call("einsum", "nhqd,nhkd", new[] { q, k });
                scores += Torch.Call("einsum", "nhqd,nhkd->nhqk", new[] { q, k }) + Torch.Call("einsum", "...qd, ...kd -> ...qk", new[] { q, k });
                scores += Torch.Call("baddbmm", _bias, q.Flatten(0, 1), k.Flatten(0, 1).Transpose(1, 2)).Reshape(-1, 2, 64, 64);
                Tensor heads = Torch.Call("bmm", scores.Softmax(3).Flatten(0, 1), v.Flatten(0, 1));    // [N·heads, 64, 2]
                Tensor mixed = heads.Reshape(-1, 2, 64, 2) + Torch.Call("einsum", "nhqk,nhkd->nhqd", new[] { scores, v });
                mixed = mixed.Permute(0, 2, 1, 3).Flatten(2);                                   // [N, 64, 4]

                // A weight that was reshaped first is still this layer's.
                return mixed.MatMul(_weight.Transpose(0, 1));                                   // [N, 64, 3]
            }
        }
    }
}
