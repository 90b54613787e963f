using System.Security.Cryptography;
using Kinora.Models;
using Kinora.Onnx.Export.Format;
using Kinora.Paddle.Tests;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Onnx.Export.Tests;

public sealed class OnnxExporterTests
{
    // Networks take any size; a small one keeps 152 layers quick.
    private const int Size = 64;
    private const int Classes = 5;

    // Deeper ResNets are the same blocks more often; a recorded one is of 101 layers.
    public static TheoryData<string> Networks =>
        [.. ModelCatalog.Entries.Select(entry => entry.Name).Where(name => name.Split("_r") is not [_, "34" or "101" or "152"])];

    public static IEnumerable<TheoryDataRow<string>> GoldenFiles() => SharedData.Files("golden/models", "*.json")
        .Where(GoldenModel.IsOne)
        .Select(path => new TheoryDataRow<string>(Path.GetFileName(path)));

    [Theory]
    [MemberData(nameof(Networks))]
    public void Export_EveryNetwork_AgreesForEveryBatch(string name)
    {
        using var folder = new TemporaryFolder();
        using VideoNetwork network = Create(name);

        ExportReport report = OnnxExporter.Export(network, folder["model.onnx"], Options(network));

        Assert.InRange(report.Difference, 0, 1e-4);
        foreach (int clips in (int[])[1, 2, 3])
        {
            int[] shape = [clips, network.Frames, 3, Size, Size];
            float[] input = FormulaWeights.Clip(shape);
            double difference = ExportCheck.Difference(OnnxFile.Run(report.Path, input, [.. shape.Select(n => (long)n)]), Forward(network, input, shape));
            Assert.True(difference <= 1e-4, $"{clips} clips: {difference:G3}");
        }

        // A graph of weights and little else: batch norms, idle parameters and double constants are gone.
        Assert.False(report.Operators.ContainsKey("BatchNormalization"));
        Assert.InRange(report.FileBytes, report.WeightBytes, (long)(report.WeightBytes * 1.01));
        Assert.InRange(report.FileBytes, 0, (long)(sizeof(float) * network.CountParameters() * 1.01));
        ModelProto model = OnnxFile.Read(report.Path);
        Assert.Equal(model.Graph.Initializer.Count, model.Graph.Initializer.DistinctBy(t => (t.DataType, string.Join(',', t.Dims), Convert.ToHexString(SHA256.HashData(t.RawData.Span)))).Count());
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(GoldenFiles))]
    public void Export_RecordedNetwork_GivesTheRecordedScores(string file)
    {
        GoldenModel golden = GoldenModel.Read(SharedData.Require($"golden/models/{file}"));
        using var folder = new TemporaryFolder();
        using VideoNetwork network = PaddleRecipes.Build(golden.Config, golden.Overrides, golden.Classes);
        FormulaWeights.Fill(network);
        float[] clips = FormulaWeights.Clip(golden.EvalInput);

        ExportReport report = OnnxExporter.Export(network, folder["model.onnx"], Options(network, golden.EvalInput[3], golden.EvalInput[1]) with { CheckClips = clips });

        float[] found = OnnxFile.Run(report.Path, clips, [.. golden.EvalInput.Select(n => (long)n)]);
        if (golden.EvalGivesProbabilities)
        {
            found = [.. found.Chunk(golden.Classes).SelectMany(Softmax)];
        }

        double[] expected = [.. golden.EvalScores.SelectMany(row => row)];
        double allowed = Math.Max(1e-4 * expected.Max(Math.Abs), 3 * golden.Float32Difference);
        Assert.Equal(expected.Length, found.Length);
        Assert.All(expected.Zip(found), pair => Assert.InRange(pair.Second, pair.First - allowed, pair.First + allowed));
    }

    [Fact]
    public void Export_EfficientNetLite0_HasTheExpectedGraph()
    {
        using var folder = new TemporaryFolder();
        using VideoNetwork network = Create("tsm_efficientnet_lite0");
        ExportReport report = OnnxExporter.Export(network, folder["model.onnx"], Options(network));

        Assert.Equal(49, report.Operators["Conv"]);
        Assert.Equal(33, report.Operators["Clip"]);
        Assert.Equal(9, report.Operators["Concat"]);
        Assert.Equal(9, report.Operators["Add"]);
        Assert.Equal(1, report.Operators["GlobalAveragePool"]);
        Assert.DoesNotContain("Mul", report.Operators.Keys);
        Assert.Equal(18, report.Operators["Pad"]);
        ModelProto model = OnnxFile.Read(report.Path);
        Assert.Contains(model.Graph.Node, node => node.OpType == "Conv" && node.Name == "blocks.3.expand.conv");
        Assert.Contains(model.Graph.Initializer, tensor => tensor.Name == "fc.weight");
    }

    [Theory]
    [InlineData(17)]
    [InlineData(20)]
    public void Export_TimeSformer_HasTheExpectedGraph(int opset)
    {
        const int Depth = 2;
        using var folder = new TemporaryFolder();
        using var network = new TimeSformer(new ModelOptions(Classes, 4, Size, Seed: 1), new TimeSformerOptions(Width: 24, Depth: Depth, Heads: 3));
        FormulaWeights.FillVectors(network);
        IReadOnlyDictionary<string, int> operators = OnnxExporter.Export(network, folder["model.onnx"], Options(network) with { Opset = opset }).Operators;

        Assert.Equal((3 * Depth) + 1, operators["LayerNormalization"]);
        Assert.Equal(2 * Depth, operators["Softmax"]);

        // Five linear layers and two attentions of two products each; the classifier is a Gemm.
        Assert.Equal(((2 + 1 + 2 + 2) + (2 * 2)) * Depth, operators["MatMul"]);

        // Queries, keys, values and their mean in both attentions, and the way from time to space and back.
        Assert.Equal((((2 * 4) + 2) * Depth) + 2, operators["Transpose"]);
        Assert.Equal(opset < 20 ? (Depth, 0) : (0, Depth), (operators.GetValueOrDefault("Erf"), operators.GetValueOrDefault("Gelu")));
    }

    [Fact]
    public void Export_VideoSwin_ComputesItsMaskAndReadsItsTables()
    {
        using var folder = new TemporaryFolder();
        using var network = new VideoSwin("videoswin_t", new ModelOptions(Classes, 16, 96, Seed: 1), new VideoSwinOptions(8, [2, 2], [1, 2], Window: (4, 5, 5)));
        FormulaWeights.FillVectors(network);
        ExportReport report = OnnxExporter.Export(network, folder["model.onnx"], Options(network, 96));

        Assert.Equal(4, report.Operators["Gather"]);
        Assert.Equal(1 + 1 + 4 + 4 + 1, report.Operators["LayerNormalization"]);
        Assert.Equal(0, report.Operators.GetValueOrDefault("Where"));

        // The mask of the first stage alone has 2·5·5 windows of 100·100 pairs: half a million numbers.
        Assert.InRange(report.WeightBytes, 1, (sizeof(float) * network.CountParameters()) + 100_000);
    }

    [Fact]
    public void Export_MobileNetV3_HasTheExpectedGraph()
    {
        using var folder = new TemporaryFolder();
        using VideoNetwork network = Create("pptsm_mobilenet_v3");
        ExportReport report = OnnxExporter.Export(network, folder["model.onnx"], Options(network));

        // A stem, three layers in each of 15 blocks, two in each of 8 gates, two at the end.
        Assert.Equal(1 + 45 + 16 + 2, report.Operators["Conv"]);
        Assert.Equal(1 + 18 + 2, report.Operators["HardSwish"]);
        Assert.Equal(12 + 8, report.Operators["Relu"]);

        // Hard sigmoids are bounds behind convolutions; what is left to multiply is the gates themselves.
        Assert.Equal(8, report.Operators["Clip"]);
        Assert.Equal(8, report.Operators["Mul"]);
        Assert.Equal(10, report.Operators["Add"]);
        Assert.Equal(10, report.Operators["Concat"]);
    }

    [Theory]
    [InlineData("pptsm_mobilenet_v2", 16, 2)]
    [InlineData("pptsm_mobilenet_v3", 4, 3)]
    [InlineData("pptsm_mobilenet_v3_small", 16, 1)]
    [InlineData("movinet_a0", 7, 1)]
    public void Export_OtherFramesAndViews_Agrees(string name, int frames, int views)
    {
        // With 16 frames, folds of 24 channels are one and two channels wide.
        using var folder = new TemporaryFolder();
        using VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(101, frames, Size: 48));
        FormulaWeights.FillVectors(network);

        ExportReport report = OnnxExporter.Export(network, folder["model.onnx"], Options(network, 48, frames * views));

        Assert.InRange(report.Difference, 0, 1e-5);
        int[] shape = [2, frames * views, 3, 48, 48];
        float[] input = FormulaWeights.Clip(shape);
        double difference = ExportCheck.Difference(OnnxFile.Run(report.Path, input, [.. shape.Select(n => (long)n)]), Forward(network, input, shape));
        Assert.InRange(difference, 0, 1e-5);
    }

    [Fact]
    public void Export_MoViNet_HasTheExpectedGraph()
    {
        using var folder = new TemporaryFolder();
        using VideoNetwork network = Create("movinet_a0");
        ExportReport report = OnnxExporter.Export(network, folder["model.onnx"], Options(network));

        // A stem, five layers in each of 15 blocks, four shortcuts, three at the end; the factors are inside.
        Assert.Equal(1 + 75 + 4 + 3, report.Operators["Conv"]);
        Assert.Equal(4, report.Operators["AveragePool"]);
        Assert.Equal(15 + 1, report.Operators["GlobalAveragePool"]);
        Assert.Equal(15, report.Operators["Add"]);

        // Swish is x · sigmoid(x) in these operator sets: stem, three in each block, two at the end; and the gates.
        Assert.Equal(1 + 45 + 2 + 15, report.Operators["Sigmoid"]);
        Assert.Equal(report.Operators["Sigmoid"], report.Operators["Mul"]);
    }

    [Fact]
    public void Export_TrainingBranches_MergeAsReparameterizationDoes()
    {
        using var folder = new TemporaryFolder();
        using VideoNetwork network = Create("pptsmv2_lta");
        ExportReport branched = OnnxExporter.Export(network, folder["branched.onnx"], Options(network));
        Assert.True(network.CanReparameterize);
        network.Reparameterize();
        ExportReport merged = OnnxExporter.Export(network, folder["merged.onnx"], Options(network));

        Assert.Equal(merged.Operators, branched.Operators);
        Assert.Equal(merged.WeightBytes, branched.WeightBytes);
        int[] shape = [1, network.Frames, 3, Size, Size];
        float[] input = FormulaWeights.Clip(shape);
        Assert.InRange(ExportCheck.Difference(OnnxFile.Run(branched.Path, input, [.. shape.Select(n => (long)n)]), OnnxFile.Run(merged.Path, input, [.. shape.Select(n => (long)n)])), 0, 1e-5);
    }

    [Fact]
    public void Export_PictureLargerThanTheHeadsWindow_AveragesProbabilities()
    {
        using var folder = new TemporaryFolder();
        using VideoNetwork network = new SlowFast(new ModelOptions(Classes, 8, 32), SlowFastOptions.FourBySixteen with { Beta = 4, Width = 16 });
        FormulaWeights.FillVectors(network);

        ExportReport report = OnnxExporter.Export(network, folder["model.onnx"], Options(network, size: 64));

        Assert.InRange(report.Difference, 0, 1e-4);
        Assert.Equal(1, report.Operators["ReduceLogSumExp"]);
        Assert.Equal(1, report.Operators["Gather"]);
        Assert.False(report.Operators.ContainsKey("BatchNormalization"));
    }

    [Fact]
    public void Export_Metadata_IsReadByTheClassifiersModelCard()
    {
        using var folder = new TemporaryFolder();
        using VideoNetwork network = Create("pptsmv2");
        ExportOptions options = Options(network) with
        {
            Labels = new LabelMap(["sit down", "stand \"up\"", "öffnen", "закрыть", "跳"]),
            Config = "model: pptsmv2\n",
            Provenance = new Dictionary<string, string> { ["seed"] = "7", ["dataset"] = "clips/train" },
        };
        OnnxExporter.Export(network, folder["model.onnx"], options);

        ModelCard card = ModelCard.Read(folder["model.onnx"]);
        Assert.Equal(options.Spec, card.Spec);
        Assert.Equal(options.Labels.Names, card.Labels.Names);
        ModelProto model = OnnxFile.Read(folder["model.onnx"]);
        var properties = model.MetadataProps.ToDictionary(p => p.Key, p => p.Value);
        Assert.Equal("model: pptsmv2\n", properties["kinora.config"]);
        Assert.Equal("""{"seed":"7","dataset":"clips/train"}""", properties["kinora.provenance"]);
        Assert.Equal("Kinora", model.ProducerName);
        Assert.Equal(typeof(OnnxExporter).Assembly.GetName().Version!.ToString(3), model.ProducerVersion);
        Assert.Contains("pptsmv2", model.DocString);
        Assert.Equal(17, Assert.Single(model.OpsetImport).Version);
        Assert.Equal("clips", Assert.Single(model.Graph.Input).Name);
        Assert.Equal("logits", Assert.Single(model.Graph.Output).Name);
        Assert.Equal(["N", "16", "3", "64", "64"], model.Graph.Input[0].Type.TensorType.Shape.Dim.Select(d => d.HasDimParam ? d.DimParam : $"{d.DimValue}"));
        Assert.Equal(["N", "5"], model.Graph.Output[0].Type.TensorType.Shape.Dim.Select(d => d.HasDimParam ? d.DimParam : $"{d.DimValue}"));
    }

    [Fact]
    public void Export_NewestOpset_Agrees()
    {
        using var folder = new TemporaryFolder();
        using VideoNetwork network = Create("pptsmv2_lta");
        ExportReport report = OnnxExporter.Export(network, folder["model.onnx"], Options(network) with { Opset = 21 });
        Assert.InRange(report.Difference, 0, 1e-4);
    }

    [Fact]
    public void Export_Network_IsHandedBackAsItWas()
    {
        using var folder = new TemporaryFolder();
        using VideoNetwork network = Create("pptsmv2");
        network.Train();
        float[][] before = [.. network.StateDict().Select(entry => entry.Value.ToArray<float>())];
        OnnxExporter.Export(network, folder["model.onnx"], Options(network));

        Assert.True(network.IsTraining);
        Assert.All(network.StateDict().Zip(before), pair => Assert.Equal(pair.Second, pair.First.Value.ToArray<float>()));
    }

    [Fact]
    public void Export_FileThatDiffers_IsNotPutInPlaceAndTheLayerIsNamed()
    {
        using var folder = new TemporaryFolder();
        using VideoNetwork network = Create("tsm_efficientnet_lite0");
        File.WriteAllText(folder["model.onnx"], "the old one");

        // A runtime with a broken layer: whatever contains it comes out wrong.
        float[] Broken(string path, float[] clips, long[] shape)
        {
            float[] values = OnnxFile.Run(path, clips, shape);
            return OnnxFile.Read(path).Graph.Node.Any(node => node.Name == "blocks.5.project.conv") ? Array.ConvertAll(values, v => v * 1.01f) : values;
        }

        var error = Assert.Throws<ExportException>(() => OnnxExporter.Export(network, folder["model.onnx"], Options(network) with { Runner = Broken }));
        Assert.Matches("differ from the network's by 0.01.* they part between Clip .* and Conv of blocks.5.project.conv.weight .*nothing was written", error.Message);
        Assert.Equal(["model.onnx"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
        Assert.Equal("the old one", File.ReadAllText(folder["model.onnx"]));
    }

    [Fact]
    public void Export_Cancelled_LeavesNothing()
    {
        using var folder = new TemporaryFolder();
        using VideoNetwork network = Create("pptsmv2");
        using var source = new CancellationTokenSource();
        ExportOptions options = Options(network) with
        {
            Runner = (path, clips, shape) =>
            {
                source.Cancel();
                return OnnxFile.Run(path, clips, shape);
            },
        };
        Assert.Throws<OperationCanceledException>(() => OnnxExporter.Export(network, folder["model.onnx"], options, cancellation: source.Token));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Export_OptionsThatDoNotFit_AreRefused()
    {
        using var folder = new TemporaryFolder();
        using VideoNetwork network = Create("pptsmv2");
        ExportOptions options = Options(network);
        Refused("labels", options with { Labels = LabelMap.Numbered(4) });
        Refused("opset", options with { Opset = 16 });
        Refused("check clips", options with { CheckClips = new float[7] });
        Refused("tolerance", options with { Tolerance = 0 });
        Refused("layout", options with { Spec = options.Spec! with { Layout = ClipLayout.Ncthw } });
        network.To(DType.Float64);
        Refused("float32", options);
        Assert.Empty(Directory.GetFiles(folder.Path));

        void Refused(string named, ExportOptions changed) =>
            Assert.Contains(named, Assert.Throws<ConfigException>(() => OnnxExporter.Export(network, folder["model.onnx"], changed)).Message);
    }

    private static VideoNetwork Create(string name)
    {
        VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(Classes, Size: Size));
        FormulaWeights.FillVectors(network);
        return network;
    }

    private static IEnumerable<float> Softmax(float[] logits)
    {
        double[] powers = [.. logits.Select(v => Math.Exp(v - logits.Max()))];
        return powers.Select(v => (float)(v / powers.Sum()));
    }

    private static ExportOptions Options(VideoNetwork network, int size = Size, int? frames = null)
    {
        ClipSpec spec = network.EvaluationSpec;
        spec = spec with { Crop = spec.Crop with { Size = size }, Sampling = spec.Sampling with { Segments = frames ?? spec.Sampling.Segments } };
        return new ExportOptions
        {
            Labels = LabelMap.Numbered(network.Classes),
            Runner = OnnxFile.Run,
            Spec = spec,
            CheckClips = FormulaWeights.Clip([1, spec.Frames, 3, size, size]),
        };
    }

    private static float[] Forward(VideoNetwork network, float[] input, int[] shape)
    {
        network.Eval();
        using IDisposable inference = Grad.Inference();
        using var scope = new TensorScope();
        return network.Forward(Tensor.From<float>(input, [.. shape.Select(n => (long)n)])).ToArray<float>();
    }
}
