using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Models.Tests;

/// <summary>What holds for every network of the catalogue.</summary>
public sealed class CatalogueTests
{
    /// <summary>Name, classes, frames, views in the batch, size: the published T and others, a size that isn't a power of two.</summary>
    public static TheoryData<string, int, int, int, int> Networks()
    {
        var rows = new TheoryData<string, int, int, int, int>();

        // Deeper ResNets are the same blocks more often: their names and shapes are checked, and recorded answers.
        foreach (ModelEntry entry in ModelCatalog.Entries.Where(e => e.Name.Split("_r") is not [_, "34" or "101" or "152"]))
        {
            // Of eight frames the slow path of a 4x16 network sees one.
            rows.Add(entry.Name, 7, entry.Name.StartsWith("slowfast_4x16", StringComparison.Ordinal) ? 8 : 4, 2, 64);
        }

        rows.Add("tsm_efficientnet_lite0", 101, 8, 3, 75);
        rows.Add("tsm_efficientnet_lite0", 2, 16, 1, 64);
        rows.Add("tsm_efficientnet_lite0_lta", 101, 16, 2, 75);
        rows.Add("pptsmv2", 101, 16, 2, 48);
        rows.Add("pptsmv2", 3, 1, 4, 64);
        rows.Add("pptsmv2_lta", 101, 16, 2, 64);
        rows.Add("pptsm_mobilenet_v2", 101, 16, 2, 48);
        rows.Add("pptsm_mobilenet_v2", 3, 1, 4, 75);
        rows.Add("pptsm_mobilenet_v3", 101, 16, 2, 75);
        rows.Add("pptsm_mobilenet_v3", 3, 2, 2, 33);
        rows.Add("pptsm_mobilenet_v3_small", 101, 16, 2, 50);
        rows.Add("movinet_a0", 101, 16, 2, 75);
        rows.Add("movinet_a0", 3, 1, 4, 47);
        rows.Add("videoswin_t", 101, 6, 2, 75);
        rows.Add("videoswin_t", 3, 16, 1, 100);
        rows.Add("tsm_r18", 101, 16, 1, 70);
        rows.Add("pptsm_r18", 101, 16, 2, 64);
        rows.Add("pptsn_r50", 101, 3, 2, 75);
        rows.Add("slowfast_4x16_r50", 101, 16, 1, 75);
        rows.Add("ircsn_r152", 101, 5, 1, 50);
        return rows;
    }

    /// <summary>One of each family.</summary>
    public static TheoryData<string> Families => ["tsm_efficientnet_lite0", "pptsmv2_lta", "tsn_r18", "pptsm_mobilenet_v2", "pptsm_mobilenet_v3_small", "movinet_a0", "videoswin_t", "tsm_r18", "pptsm_r18"];

    [Theory]
    [MemberData(nameof(Networks))]
    public void Forward_AnyClip_IsFiniteAndOfTheRightShape(string name, int classes, int frames, int views, int size)
    {
        using var scope = new TensorScope();
        using VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(classes, frames, size, Seed: 3));
        network.Eval();
        using IDisposable noGrad = Grad.Disable();

        Tensor logits = network.Forward(Clip(views, frames, size));

        Assert.Equal([views, classes], logits.Shape.ToArray());
        Assert.All(logits.ToArray<float>(), v => Assert.True(float.IsFinite(v)));
        Assert.Equal(frames, network.EvaluationSpec.Frames);
        Assert.Equal(size, network.EvaluationSpec.Size);
        network.EvaluationSpec.Validate();
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Backward_CrossEntropy_ReachesEveryParameter(string name, int classes, int frames, int views, int size)
    {
        using var scope = new TensorScope();
        using VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(classes, frames, size, Seed: 3));
        OpenBranches(network);

        Tensor logits = network.Forward(Clip(views, frames, size));
        F.CrossEntropy(logits, Tensor.From<long>([.. Enumerable.Range(0, views).Select(i => (long)i % classes)], [views])).Backward();

        foreach ((string parameter, Tensor value) in network.NamedParameters())
        {
            Tensor? gradient = value.Grad;
            Assert.True(gradient is not null, $"{parameter} has no gradient");
            float[] values = gradient.ToArray<float>();
            Assert.True(values.All(float.IsFinite), $"{parameter}: gradient isn't finite");

            // One frame has no neighbours and one view of one pixel no variance, but some element always moves.
            Assert.True(values.Any(v => v != 0), $"{parameter}: gradient is zero");
        }
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void LoadStateDict_SavedCheckpoint_GivesTheSameScores(string name, int classes, int frames, int views, int size)
    {
        using var folder = new TemporaryFolder();
        using var scope = new TensorScope();
        using VideoNetwork trained = ModelCatalog.Create(name, new ModelOptions(classes, frames, size, Seed: 3));
        Tensor clip = Clip(views, frames, size);
        using (Grad.Disable())
        {
            trained.Forward(clip);
            trained.Eval();
        }

        SafetensorsFile.Save(folder["weights.safetensors"], trained.StateDict(), new Dictionary<string, string>());
        using VideoNetwork loaded = ModelCatalog.Create(trained.Name, trained.Options with { Seed = 4 });
        loaded.Eval();
        using (Grad.Disable())
        {
            Assert.NotEqual(trained.Forward(clip).ToArray<float>(), loaded.Forward(clip).ToArray<float>());
            using (SafetensorsFile file = SafetensorsFile.Open(folder["weights.safetensors"]))
            {
                loaded.LoadStateDict([.. file.Entries.Select(e => (e.Name, file.Read(e.Name)))]);
            }

            Assert.Equal(trained.Forward(clip).ToArray<float>(), loaded.Forward(clip).ToArray<float>());
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Create_EqualSeed_GivesEqualWeights(string name)
    {
        using VideoNetwork first = ModelCatalog.Create(name, new ModelOptions(7, Seed: 5));
        using VideoNetwork second = ModelCatalog.Create(name, new ModelOptions(7, Seed: 5));
        using VideoNetwork other = ModelCatalog.Create(name, new ModelOptions(7, Seed: 6));

        Assert.All(first.StateDict().Zip(second.StateDict()), pair => Assert.Equal(pair.First.Value.ToArray<float>(), pair.Second.Value.ToArray<float>()));
        Assert.Contains(first.StateDict().Zip(other.StateDict()), pair => !pair.First.Value.ToArray<float>().SequenceEqual(pair.Second.Value.ToArray<float>()));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void ParameterGroups_AllRules_HoldEachParameterOnce(string name)
    {
        using VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(7));

        IReadOnlyList<ParameterGroup> groups = network.ParameterGroups(0.25);

        Assert.Equal(
            network.NamedParameters().Select(p => p.Name).Order(StringComparer.Ordinal),
            groups.SelectMany(g => g.Parameters).Select(p => p.Name).Order(StringComparer.Ordinal));
        Assert.All(groups, g => Assert.All(g.Parameters, p =>
        {
            Assert.Equal(network.RuleFor(p.Name).LearningRateFactor, g.LearningRateFactor);
            Assert.Equal(network.RuleFor(p.Name).WeightDecay ?? 0.25, g.WeightDecay);
        }));
    }

    [Fact]
    public void Create_UnknownName_SuggestsTheNearest()
    {
        var e = Assert.Throws<ConfigException>(() => ModelCatalog.Create("pptsm_v2", new ModelOptions(3)));
        Assert.Contains("'pptsmv2'", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, null, null, null, "classes")]
    [InlineData(3, 0, null, null, "frames")]
    [InlineData(3, null, 8, null, "size")]
    [InlineData(3, null, null, 1.0, "dropout")]
    [InlineData(3, null, null, double.NaN, "dropout")]
    public void Create_OptionOutOfRange_NamesIt(int classes, int? frames, int? size, double? dropout, string key)
    {
        var e = Assert.Throws<ConfigException>(() => ModelCatalog.Create("pptsmv2", new ModelOptions(classes, frames, size, Dropout: dropout)));
        Assert.Contains(key, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_PretrainedWithoutWeights_IsRefused() =>
        Assert.Throws<ConfigException>(() => ModelCatalog.Create("tsn_r50", new ModelOptions(3, Pretrained: true)));

    [Theory]
    [InlineData("pptsmv2", new long[] { 1, 5, 3, 64, 64 })]
    [InlineData("pptsmv2", new long[] { 1, 9, 3, 64, 64 })]
    [InlineData("pptsmv2", new long[] { 4, 3, 64, 64 })]
    [InlineData("pptsmv2", new long[] { 1, 4, 1, 64, 64 })]
    [InlineData("pptsm_mobilenet_v2", new long[] { 1, 6, 3, 64, 64 })]
    [InlineData("pptsm_mobilenet_v3", new long[] { 1, 3, 3, 64, 64 })]
    [InlineData("movinet_a0", new long[] { 1, 3, 4, 64, 64 })]
    [InlineData("tsm_efficientnet_lite0", new long[] { 1, 4, 64, 64, 3 })]
    [InlineData("tsm_efficientnet_lite0", new long[] { 1, 0, 3, 64, 64 })]
    public void Forward_WrongShape_SaysWhatIsExpected(string name, long[] shape)
    {
        using var scope = new TensorScope();
        using VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(2, 4));
        var e = Assert.Throws<ShapeException>(() => network.Forward(Tensor.Zeros(shape)));
        Assert.Contains(string.Join(", ", shape), e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pptsmv2")]
    [InlineData("pptsm_mobilenet_v2")]
    [InlineData("pptsm_mobilenet_v3")]
    [InlineData("tsm_r18")]
    [InlineData("pptsm_r18")]
    public void Forward_SeveralViewsAlongTime_AveragesTheirLogits(string name)
    {
        using var scope = new TensorScope();
        using VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(5, 4, 64, Seed: 3));
        network.To(DType.Float64);
        network.Eval();
        using IDisposable noGrad = Grad.Disable();
        Tensor clips = Tensor.From<double>(GoldenFormula.Clip(2, 12, 3, 64, 64), [2, 12, 3, 64, 64]);

        double[] together = network.Forward(clips).ToArray<double>();

        double[][] views = [.. Enumerable.Range(0, 3).Select(v => network.Forward(clips.Slice(1, 4 * v, 4 * (v + 1))).ToArray<double>())];
        Assert.All(together.Index(), logit => Assert.Equal(views.Average(view => view[logit.Index]), logit.Item, 1e-9));
    }

    [Theory]
    [InlineData("pptsmv2", true)]
    [InlineData("pptsmv2_lta", true)]
    [InlineData("tsm_efficientnet_lite0", true)]
    [InlineData("tsm_efficientnet_lite0", false)]
    [InlineData("tsm_efficientnet_lite0_lta", true)]
    [InlineData("tsn_r18", true)]
    [InlineData("pptsm_mobilenet_v2", true)]
    [InlineData("pptsm_mobilenet_v2", false)]
    [InlineData("pptsm_mobilenet_v3", true)]
    [InlineData("pptsm_mobilenet_v3", false)]
    [InlineData("pptsm_mobilenet_v3_small", true)]
    [InlineData("movinet_a0", true)]
    [InlineData("pptsn_r50", true)]
    [InlineData("tsm_r18", true)]
    [InlineData("tsm_r18", false)]
    [InlineData("pptsm_r18", true)]
    [InlineData("pptsm_r18", false)]
    public void Forward_ReversedTime_MattersOnlyWithShift(string name, bool shift)
    {
        using var scope = new TensorScope();
        using VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(5, 4, 64, Seed: 3, TemporalShift: shift));
        OpenBranches(network);
        network.To(DType.Float64);
        network.Eval();
        using IDisposable noGrad = Grad.Disable();
        double[] clip = GoldenFormula.Clip(1, 4, 3, 64, 64);
        double[] reversed = [.. clip.Chunk(3 * 64 * 64).Reverse().SelectMany(frame => frame)];

        double[] forwards = network.Forward(Tensor.From<double>(clip, [1, 4, 3, 64, 64])).ToArray<double>();
        double[] backwards = network.Forward(Tensor.From<double>(reversed, [1, 4, 3, 64, 64])).ToArray<double>();

        double scale = forwards.Max(Math.Abs);
        double difference = forwards.Zip(backwards, (a, b) => Math.Abs(a - b)).Max() / scale;
        if (shift && !name.Contains("tsn", StringComparison.Ordinal))
        {
            Assert.True(difference > 1e-6, $"moved by {difference}");
        }
        else
        {
            Assert.True(difference < 1e-12, $"moved by {difference}");
        }
    }

    // Factors that start at 0 hide their branches from scores and gradients; the first step of training opens them.
    private static void OpenBranches(VideoNetwork network)
    {
        using IDisposable noGrad = Grad.Disable();
        foreach ((string name, Tensor value) in network.NamedParameters())
        {
            if (!name.EndsWith("bias", StringComparison.Ordinal) && value.ToArray<float>().All(v => v == 0))
            {
                value.CopyFrom<float>([.. Enumerable.Repeat(0.5f, checked((int)value.Count))]);
            }
        }
    }

    private static Tensor Clip(int views, int frames, int size) =>
        Tensor.From<float>([.. GoldenFormula.Clip(views, frames, 3, size, size).Select(v => (float)v)], [views, frames, 3, size, size]);
}
