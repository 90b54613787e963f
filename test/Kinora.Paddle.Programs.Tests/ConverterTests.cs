using Kinora.Onnx;
using Kinora.Onnx.Export.Format;
using Kinora.Testing;
using OnnxFile = Kinora.Onnx.Export.Tests.OnnxFile;

namespace Kinora.Paddle.Programs.Tests;

public sealed class ConverterTests
{
    private const int Frames = 4;
    private const int Side = 8;

    [Fact]
    public void Convert_Metadata_IsReadByTheClassifiersModelCard()
    {
        using var folder = new TemporaryFolder();
        ProgramOptions options = new()
        {
            Spec = Specs.Of(Frames, Side),
            Labels = new LabelMap(["öffnen", "close \"it\""]),
            Config = "MODEL: x\n",
            Provenance = new Dictionary<string, string> { ["source"] = "https://example.org" },
            StructuredNames = new Dictionary<string, string> { ["conv2d_0.w_0"] = "backbone.stem.conv.weight" },
        };
        ProgramReport report = ProgramConverter.Convert(Tiny().Read(folder.Path), options, folder["out.onnx"]);

        ModelCard card = ModelCard.Read(report.Path);
        Assert.Equal(options.Spec, card.Spec);
        Assert.Equal(options.Labels.Names, card.Labels.Names);
        Assert.Equal("MODEL: x\n", card.Config);
        Assert.Equal("""{"source":"https://example.org","program":"model.pdmodel","paddlepaddle":"2.6.2"}""", card.Provenance);
        ModelProto model = OnnxFile.Read(report.Path);
        Assert.Equal(["N", "4", "3", "8", "8"], model.Graph.Input[0].Type.TensorType.Shape.Dim.Select(d => d.HasDimParam ? d.DimParam : $"{d.DimValue}"));
        Assert.Equal(["N", "2"], model.Graph.Output[0].Type.TensorType.Shape.Dim.Select(d => d.HasDimParam ? d.DimParam : $"{d.DimValue}"));
        Assert.Contains(model.Graph.Node, node => node.Name == "backbone.stem.conv");
        Assert.Equal(new FileInfo(report.Path).Length, report.FileBytes);
        Assert.Equal(2, report.Classes);
        Assert.Equal("clips [-1, 4, 3, 8, 8]", Assert.Single(report.Inputs).ToString());
        Assert.Equal(1, report.ProgramOperators["conv2d"]);
        Assert.Equal(1, report.Operators["Conv"]);
        Assert.Empty(report.Repairs);
        Assert.Empty(report.Notes);

        // What the classifier does with a file: load it as a network.
        using OnnxNetwork network = OnnxNetwork.Load(report.Path, 1);
        Assert.Equal(2, network.Classes);
    }

    [Theory]
    [InlineData(ClipLayout.Ncthw)]
    [InlineData(ClipLayout.Nthwc)]
    public void Convert_AnotherLayout_GivesTheSameLogits(ClipLayout layout)
    {
        using var folder = new TemporaryFolder();
        PaddleProgram program = Tiny().Read(folder.Path);
        float[] clip = Pixels();
        float[] expected = Run(program, Specs.Of(Frames, Side), clip, [1, Frames, 3, Side, Side], folder["a.onnx"]);

        const int Area = Side * Side;
        bool channelsFirst = layout == ClipLayout.Ncthw;
        var moved = new float[clip.Length];
        for (int i = 0; i < clip.Length; i++)
        {
            (int t, int c, int place) = (i / (3 * Area), i / Area % 3, i % Area);
            moved[channelsFirst ? (((c * Frames) + t) * Area) + place : (((t * Area) + place) * 3) + c] = clip[i];
        }

        long[] shape = channelsFirst ? [1, 3, Frames, Side, Side] : [1, Frames, Side, Side, 3];
        float[] found = Run(program, Specs.Of(Frames, Side, layout), moved, shape, folder["b.onnx"]);
        Assert.Equal(expected, found);
        Assert.Equal(layout, ModelCard.Read(folder["b.onnx"]).Spec.Layout);
    }

    [Fact]
    public void Convert_SoftmaxAtTheEnd_IsLeftOut()
    {
        using var folder = new TemporaryFolder();
        float[] logits = Run(Tiny().Read(folder.Path), Specs.Of(Frames, Side), Pixels(), [1, Frames, 3, Side, Side], folder["a.onnx"]);
        ProgramBuilder builder = Tiny(fetch: false).Add("softmax", [("X", "fc")], "prob", ("axis", -1))
            .Add("sum", [("X", "prob")], "added").Add("scale", [("X", "added")], "save_infer_model", ("scale", 1.0)).Fetch("save_infer_model");
        PaddleProgram program = builder.Read(folder.Path);
        ProgramReport report = ProgramConverter.Convert(program, new ProgramOptions { Spec = Specs.Of(Frames, Side) }, folder["b.onnx"]);

        Assert.Equal(logits, OnnxFile.Run(report.Path, Pixels(), [1, Frames, 3, Side, Side]));
        Assert.Contains("logits", Assert.Single(report.Notes));
        Assert.DoesNotContain("Softmax", report.Operators.Keys);
    }

    [Fact]
    public void Convert_MeanOfProbabilities_BecomesTheirLogarithm()
    {
        using var folder = new TemporaryFolder();
        ProgramBuilder builder = Tiny(fetch: false).Add("scale", [("X", "fc")], "other", ("scale", -1.0))
            .Add("softmax", [("X", "fc")], "p", ("axis", -1)).Add("softmax", [("X", "other")], "q", ("axis", 1))
            .Add("sum", [("X", "p q")], "both").Add("scale", [("X", "both")], "mean", ("scale", 0.5)).Fetch("mean");
        float[] logits = Run(Tiny().Read(folder.Path), Specs.Of(Frames, Side), Pixels(), [1, Frames, 3, Side, Side], folder["a.onnx"]);
        ProgramReport report = ProgramConverter.Convert(builder.Read(folder.Path), new ProgramOptions { Spec = Specs.Of(Frames, Side) }, folder["b.onnx"]);

        float[] found = OnnxFile.Run(report.Path, Pixels(), [1, Frames, 3, Side, Side]);
        double[] p = Specs.Softmax(Array.ConvertAll(logits, v => (double)v), 2);
        double[] q = Specs.Softmax(Array.ConvertAll(logits, v => -(double)v), 2);
        Assert.Equal(Math.Log((p[0] + q[0]) / 2), found[0], 1e-5);
        Assert.Equal(Math.Log((p[1] + q[1]) / 2), found[1], 1e-5);
        Assert.Contains("logarithms", Assert.Single(report.Notes));
    }

    [Fact]
    public void Convert_UsualNetwork_HasTheGraphOfAnExportedOne()
    {
        using var folder = new TemporaryFolder();
        ProgramReport report = ProgramConverter.Convert(Tiny().Read(folder.Path), new ProgramOptions { Spec = Specs.Of(Frames, Side) }, folder["a.onnx"]);

        // One shift in the exporter's own form; batch norm and dropout's factor are inside the weights.
        Dictionary<string, int> expected = new()
        {
            ["Reshape"] = 4, ["Conv"] = 1, ["Relu"] = 1, ["Slice"] = 3, ["Pad"] = 2, ["Concat"] = 1, ["GlobalAveragePool"] = 1, ["ReduceMean"] = 1, ["Gemm"] = 1,
        };
        Assert.Equal(expected, report.Operators);
    }

    [Fact]
    public void Convert_NoClipSpecification_AsksForTheRecipe()
    {
        using var folder = new TemporaryFolder();
        var error = Assert.Throws<ConfigException>(() => ProgramConverter.Convert(Tiny().Read(folder.Path), new ProgramOptions(), folder["a.onnx"]));
        Assert.Contains("clips [-1, 4, 3, 8, 8]", error.Message);
        Assert.Contains("--config x.yaml", error.Message);
        Assert.DoesNotContain('\n', error.Message);
        Assert.False(File.Exists(folder["a.onnx"]));
    }

    [Fact]
    public void Convert_OptionsThatDoNotFit_AreRefused()
    {
        using var folder = new TemporaryFolder();
        PaddleProgram program = Tiny().Read(folder.Path);
        Refused("4 frames at once", new ProgramOptions { Spec = Specs.Of(3, Side) });
        Refused("8 × 8 pixels", new ProgramOptions { Spec = Specs.Of(Frames, 16) });
        Refused("expected 2 names", new ProgramOptions { Spec = Specs.Of(Frames, Side), Labels = LabelMap.Numbered(3) });
        Refused("opset", new ProgramOptions { Spec = Specs.Of(Frames, Side), Opset = 9 });
        Assert.False(File.Exists(folder["a.onnx"]));

        void Refused(string named, ProgramOptions options) =>
            Assert.Contains(named, Assert.Throws<ConfigException>(() => ProgramConverter.Convert(program, options, folder["a.onnx"])).Message);
    }

    [Fact]
    public void Convert_UnknownOperator_IsNamedWithItsPlace()
    {
        using var folder = new TemporaryFolder();
        PaddleProgram program = Tiny(fetch: false).Add("frobnicate", [("X", "fc")], "strange").Fetch("strange").Read(folder.Path);
        Refused(program, folder, "frobnicate (block 0, operator 12, output 'strange'): this operator has no translation");
    }

    [Fact]
    public void Convert_UnknownOperatorInABranchThatIsNeverTaken_IsNoReasonToRefuse()
    {
        using var folder = new TemporaryFolder();
        ProgramBuilder builder = Tiny(fetch: false);
        builder.AddTo(builder.Block(0), "frobnicate", [("X", "fc")], "strange");
        builder.Add("fill_constant", [], "no", ("dtype", 0), ("value", 0.0), ("shape", (long[])[1]))
            .Add("conditional_block", [("Cond", "no")], "strange", ("sub_block", 1)).Fetch("fc");
        ProgramConverter.Convert(builder.Read(folder.Path), new ProgramOptions { Spec = Specs.Of(Frames, Side) }, folder["a.onnx"]);
        Assert.True(File.Exists(folder["a.onnx"]));
    }

    [Fact]
    public void Convert_ContradictionWithTheDeclaredShape_IsRefused()
    {
        using var folder = new TemporaryFolder();
        PaddleProgram program = Tiny(fetch: false).Variable("wrong", -1, 5).Add("relu", [("X", "fc")], "wrong").Fetch("wrong").Read(folder.Path);
        Refused(program, folder, "its result has the shape [N, 2], the program declares [-1, 5]");
    }

    [Theory]
    [InlineData("relu", "nothing", "it reads 'nothing', which nothing before it computes")]
    [InlineData("conditional_block", "fc", "which isn't known before a clip is seen")]
    public void Convert_ProgramsThatCannotBe_AreRefused(string type, string operand, string message)
    {
        using var folder = new TemporaryFolder();
        ProgramBuilder builder = type == "relu"
            ? Tiny(fetch: false).Add(type, [("X", operand)], "y").Fetch("y")
            : Tiny(fetch: false).Add(type, [("Cond", operand)], "y", ("sub_block", 0)).Fetch("y");
        Refused(builder.Read(folder.Path), folder, message);
    }

    [Fact]
    public void Convert_BranchIntoItself_IsRefused()
    {
        using var folder = new TemporaryFolder();
        ProgramBuilder builder = Tiny(fetch: false).Add("fill_constant", [], "yes", ("dtype", 0), ("value", 1.0), ("shape", (long[])[1]));
        builder.AddTo(builder.Block(0), "conditional_block", [("Cond", "yes")], "y", ("sub_block", 1));
        builder.Add("conditional_block", [("Cond", "yes")], "y", ("sub_block", 1)).Fetch("fc");
        Refused(builder.Read(folder.Path), folder, "expected a block from 2 to 1, found 1");
    }

    [Fact]
    public void Convert_Anything_LeavesTheTrainingLibraryAlone()
    {
        using var folder = new TemporaryFolder();
        ProgramConverter.Convert(Tiny().Read(folder.Path), new ProgramOptions { Spec = Specs.Of(Frames, Side) }, folder["a.onnx"]);
        Assert.DoesNotContain(AppDomain.CurrentDomain.GetAssemblies(), assembly => assembly.GetName().Name is "Kinora.Tensors" or "Kinora.Models");
        Assert.DoesNotContain("libtorch", File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
    }

    [Fact]
    public void Convert_Cancelled_LeavesNothing()
    {
        using var folder = new TemporaryFolder();
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.Throws<OperationCanceledException>(() => ProgramConverter.Convert(
            Tiny().Read(folder.Path), new ProgramOptions { Spec = Specs.Of(Frames, Side) }, folder["a.onnx"], cancellation: source.Token));
        Assert.Equal(["model.pdiparams", "model.pdmodel"], Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order());
    }

    /// <summary>A network of the usual kind: convolution, batch norm, shift, pooling, dropout, mean over time, classes.</summary>
    internal static ProgramBuilder Tiny(bool fetch = true)
    {
        float[] numbers = [.. Enumerable.Range(0, 400).Select(i => (float)Math.Sin(i * 2.3))];
        ProgramBuilder builder = ProgramBuilder.WithClips(Frames, Side)
            .Parameter("conv2d_0.w_0", numbers[..216], 8, 3, 3, 3)
            .Parameter("bn.scale", numbers[..8], 8).Parameter("bn.bias", numbers[8..16], 8).Parameter("bn.mean", numbers[16..24], 8)
            .Parameter("bn.variance", [.. Enumerable.Range(1, 8).Select(i => i * 0.3f)], 8)
            .Parameter("fc.w_0", numbers[24..40], 8, 2).Parameter("fc.b_0", numbers[40..42], 2)
            .Add("reshape2", [("X", "clips")], "images", ("shape", (int[])[-1, 3, Side, Side]))
            .Add("conv2d", [("Input", "images"), ("Filter", "conv2d_0.w_0")], "conv", ("strides", (int[])[2, 2]), ("paddings", (int[])[1, 1]), ("dilations", (int[])[1, 1]), ("groups", 1), ("data_format", "NCHW"))
            .Add("batch_norm", [("X", "conv"), ("Scale", "bn.scale"), ("Bias", "bn.bias"), ("Mean", "bn.mean"), ("Variance", "bn.variance")], "norm", ("epsilon", 1e-5), ("is_test", true))
            .Add("relu", [("X", "norm")], "act")
            .Add("temporal_shift", [("X", "act")], "shifted", ("seg_num", Frames), ("shift_ratio", 0.25), ("data_format", "NCHW"))
            .Add("pool2d", [("X", "shifted")], "pooled", ("pooling_type", "avg"), ("ksize", (int[])[1, 1]), ("strides", (int[])[1, 1]), ("paddings", (int[])[0, 0]), ("adaptive", true))
            .Add("dropout", [("X", "pooled")], "kept", ("is_test", true), ("dropout_prob", 0.2), ("dropout_implementation", "downgrade_in_infer"))
            .Add("reshape2", [("X", "kept")], "frames", ("shape", (int[])[-1, Frames, 8]))
            .Add("reduce_mean", [("X", "frames")], "mean", ("dim", (int[])[1]), ("keep_dim", false))
            .Add("matmul_v2", [("X", "mean"), ("Y", "fc.w_0")], "product", ("trans_x", false), ("trans_y", false))
            .Add("elementwise_add", [("X", "product"), ("Y", "fc.b_0")], "fc", ("axis", -1));
        return fetch ? builder.Fetch("fc") : builder;
    }

    private static float[] Pixels() => [.. Enumerable.Range(0, Frames * 3 * Side * Side).Select(i => (float)Math.Sin(i * 0.9))];

    private static float[] Run(PaddleProgram program, ClipSpec spec, float[] clips, long[] shape, string path) =>
        OnnxFile.Run(ProgramConverter.Convert(program, new ProgramOptions { Spec = spec }, path).Path, clips, shape);

    private static void Refused(PaddleProgram program, TemporaryFolder folder, string message)
    {
        var error = Assert.Throws<CheckpointException>(() => ProgramConverter.Convert(program, new ProgramOptions { Spec = Specs.Of(Frames, Side) }, folder["a.onnx"]));
        Assert.Contains(message, error.Message);
        Assert.Contains("model.pdmodel", error.Message);
        Assert.False(File.Exists(folder["a.onnx"]));
    }
}
