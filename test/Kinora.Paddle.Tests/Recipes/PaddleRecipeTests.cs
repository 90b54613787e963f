using Kinora.Models;
using Kinora.Testing;

namespace Kinora.Paddle.Tests;

/// <summary>
/// The reader of PaddleVideo's YAML. That its specifications do to videos what PaddleVideo does is proven bit for bit by the
/// recorded chains in Kinora.Media.Tests; here are the networks, the rest of the files, and what is wrong.
/// </summary>
public sealed class PaddleRecipeTests
{
    private const string Evaluated = """
        PIPELINE:
          valid:
            decode: {name: FrameDecoder}
            sample: {name: Sampler, num_seg: 8, seg_len: 1, valid_mode: True}
            transform:
              - Scale: {short_size: 256}
              - CenterCrop: {target_size: 224}
              - Image2Array:
              - Normalization: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}

        """;

    public static TheoryData<string> Files =>
        [.. Directory.EnumerateFiles(Folder, "*.yaml", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Folder, f)).Order(StringComparer.Ordinal)];

    private static string Folder => Path.Combine(SharedData.Checkout, "test/recipes");

    [Theory]
    [MemberData(nameof(Files))]
    public void Read_EveryRecipe_NothingUnknownAndSpecsThatTravel(string file)
    {
        PaddleRecipe recipe = PaddleRecipe.Read(Path.Combine(Folder, file));
        Assert.NotNull(recipe.ModelName);
        Assert.All(recipe.Ignored, i => Assert.DoesNotContain("no key of PaddleVideo's", i.Reason, StringComparison.Ordinal));
        Assert.All(recipe.Ignored, i => Assert.True(i.Line > 0 && i.Key.Length > 0 && i.Reason.Length > 0));
        ClipSpec[] specs = [.. new[] { recipe.EvaluationSpec, recipe.TestSpec, recipe.InferenceSpec, recipe.CalibrationSpec }.OfType<ClipSpec>()];
        Assert.All(specs, spec => Assert.Equal(spec, ClipSpec.FromJson(spec.ToJson())));
        Assert.True(specs.Length > 0 || file == "tsn/tsn_dali.yaml");
    }

    [Fact]
    public void Read_Tsn_ItsNetworkAndAllThreeWaysOfReadingAVideo()
    {
        PaddleRecipe recipe = Recipe("tsn/tsn_k400_videos");
        Assert.Equal(("TSN", "Recognizer2D", "ResNet", "TSNHead"), (recipe.ModelName, recipe.Framework, recipe.Model.Backbone, recipe.Model.Head));
        Assert.Equal(50L, recipe.Model.BackboneArguments["depth"]);
        Assert.Equal([("drop_ratio", 0.4), ("in_channels", 2048L), ("num_classes", 400L), ("std", 0.01)], Sorted(recipe.Model.HeadArguments));
        var resize = new ResizeSpec(ResizeRule.KeepAspectRound, 256, ResizeEngine.OpenCv);
        Assert.Equal(
            new ClipSpec(new(SamplingMethod.SelectLeft, 3), resize, new(CropMethod.Center, 224, CropRounding.Floor), Normalization.ImageNet), recipe.EvaluationSpec);
        Assert.Equal(new ClipSpec(new(SamplingMethod.SelectLeft, 25), resize, new(CropMethod.Ten, 224), Normalization.ImageNet), recipe.TestSpec);
        Assert.Equal(
            new ClipSpec(new(SamplingMethod.SelectLeft, 25), new(ResizeRule.FixedRatio, 256, ResizeEngine.OpenCv), new(CropMethod.Ten, 224), Normalization.ImageNet),
            recipe.InferenceSpec);
        Assert.Equal(["DATASET", "METRIC", "OPTIMIZER", "PIPELINE.train"], recipe.Ignored.Select(i => i.Key).Where(k => char.IsUpper(k[0])).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Read_TimeSformer_RandomValidationBecomesItsMiddleAndIsListed()
    {
        PaddleRecipe recipe = Recipe("timesformer/timesformer_k400_videos");
        Assert.Equal(ViewAverage.Logits, recipe.ViewAverage);
        Assert.Equal(1e-6, recipe.Model.BackboneArguments["epsilon"]);
        ClipSpec expected = new(
            new(SamplingMethod.Timed, 1, 8, 32),
            new(ResizeRule.KeepAspectFloor, 256, ResizeEngine.Interpolate),
            new(CropMethod.Center, 224),
            new(new(0.45f, 0.45f, 0.45f), new(0.225f, 0.225f, 0.225f), 255, NormalizationArithmetic.Double),
            Layout: ClipLayout.Ncthw);
        Assert.Equal(expected, recipe.EvaluationSpec);
        Assert.Equal(expected with { Resize = expected.Resize with { ShortSide = 224 }, Crop = new(CropMethod.Three, 224) }, recipe.TestSpec);
        Assert.Equal(recipe.TestSpec, recipe.InferenceSpec);
        Assert.Equal(
            ["PIPELINE.valid.decode", "PIPELINE.valid.transform[2].JitterScale", "PIPELINE.valid.transform[3].RandomCrop", "PIPELINE.valid.transform[4].RandomFlip"],
            recipe.Ignored.Where(i => i.Reason.Contains("random", StringComparison.Ordinal)).Select(i => i.Key));
    }

    [Fact]
    public void Read_SlowFast_ThirtyViewsOfTheDataSetSection()
    {
        PaddleRecipe recipe = Recipe("slowfast/slowfast");
        Assert.Equal(new SamplingSpec(SamplingMethod.Timed, 10, 32, 2), recipe.TestSpec!.Sampling);
        Assert.Equal(new CropSpec(CropMethod.Spread, 256), recipe.TestSpec.Crop);
        Assert.Equal((1, CropMethod.Center, 224), (recipe.EvaluationSpec!.Sampling.Segments, recipe.EvaluationSpec.Crop.Method, recipe.EvaluationSpec.Size));
        Assert.Contains(recipe.Ignored, i => i.Key == "PIPELINE.test.transform[4].PackOutput.alpha");
        Assert.Equal(224, Recipe("slowfast/slowfast_multigrid").TestSpec!.Size);
    }

    [Fact]
    public void Read_Distillation_TeacherAndStudent()
    {
        PaddleRecipe recipe = Recipe("pptsm/v2/pptsm_lcnet_k400_16frames_uniform_dml_distillation");
        Assert.Equal(["Teacher", "Student"], recipe.Models.Select(m => m.Name));
        Assert.Equal(("ResNetTweaksTSM", "PPTSM_v2"), (recipe.Models[0].Model.Backbone, recipe.Model.Backbone));
        Assert.Equal([("class_num", 400L), ("num_seg", 16L), ("pretrained", "data/PPLCNetV2_base_ssld_pretrained.pdparams"), ("use_temporal_att", true)], Sorted(recipe.Model.BackboneArguments));
        Assert.Contains(recipe.Ignored, i => i is { Key: "MODEL.loss", Reason: "training only" });
    }

    [Fact]
    public void Read_QuantisationRecipe_ChainWithoutNetwork()
    {
        PaddleRecipe recipe = Recipe("pptsm/pptsm_k400_frames_uniform_quantization");
        Assert.Equal(Recipe("pptsm/pptsm_k400_frames_uniform").EvaluationSpec, recipe.CalibrationSpec);
        Assert.Null(recipe.EvaluationSpec);
        Assert.Contains("MODEL", Assert.Throws<ConfigException>(() => recipe.Model).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tsn/tsn_k400_frames")]
    [InlineData("pptsm/v2/pptsm_lcnet_k400_8frames_uniform")]
    public void Model_OfTheRecipe_BuildsTheNetwork(string name)
    {
        PaddleRecipe recipe = Recipe(name);
        using VideoNetwork network = PaddleArchitectures.Create(recipe.Model with
        {
            BackboneArguments = new Dictionary<string, object?>(recipe.Model.BackboneArguments),
        });
        Assert.Equal(400, network.Classes);
    }

    // Each value as PyYAML's safe loader and then PaddleVideo's literal evaluation leave it.
    [Theory]
    [InlineData("1e-4", 1e-4)]
    [InlineData("1E4", 1e4)]
    [InlineData("1.5e-3", 1.5e-3)]
    [InlineData("4.", 4.0)]
    [InlineData(".5", 0.5)]
    [InlineData("-.5", -0.5)]
    [InlineData("12", 12L)]
    [InlineData("-3", -3L)]
    [InlineData("+3", 3L)]
    [InlineData("1_000", 1000L)]
    [InlineData("0x1F", 31L)]
    [InlineData("0b101", 5L)]
    [InlineData("017", 15L)]
    [InlineData("1:30", 90L)]
    [InlineData("08", "08")]
    [InlineData("'8'", 8L)]
    [InlineData("\"1e-4\"", 1e-4)]
    [InlineData("None", null)]
    [InlineData("~", null)]
    [InlineData("", null)]
    [InlineData("null", null)]
    [InlineData("yes", true)]
    [InlineData("off", false)]
    [InlineData("'True'", true)]
    [InlineData("y", "y")]
    [InlineData("NHWC", "NHWC")]
    [InlineData("data/k400/train.list", "data/k400/train.list")]
    [InlineData("'img_{:05}.jpg'", "img_{:05}.jpg")]
    [InlineData("\"'quoted'\"", "quoted")]
    [InlineData("'1 + 1'", "1 + 1")]
    [InlineData("'__import__(\"os\").system(\"x\")'", "__import__(\"os\").system(\"x\")")]
    [InlineData("2024-01-01", "2024-01-01")]
    [InlineData("!!str 5", 5L)]
    [InlineData("!!float 5", 5.0)]
    [InlineData("99999999999999999999", "99999999999999999999")]
    public void Parse_Value_AsPaddleVideoHasIt(string text, object? expected) => Assert.Equal(expected, Argument(text));

    [Theory]
    [InlineData("(1,2)", new object[] { 1L, 2L })]
    [InlineData("'(2, 4, 4)'", new object[] { 2L, 4L, 4L })]
    [InlineData("'[1, 2.5, None, \"a\"]'", new object?[] { 1L, 2.5, null, "a" })]
    [InlineData("'1, 2'", new object[] { 1L, 2L })]
    [InlineData("'()'", new object[0])]
    [InlineData("[1e-4, 2, x]", new object[] { "1e-4", 2L, "x" })]
    public void Parse_List_LiteralsOnlyOutsideLists(string text, object?[] expected) => Assert.Equal(expected, Assert.IsType<object?[]>(Argument(text)));

    [Fact]
    public void Parse_LiteralInsideAModelsList_StaysText()
    {
        PaddleRecipe recipe = PaddleRecipe.Parse("""
            MODEL:
              models:
                - Student: {backbone: {name: A, pretrained: None, x: 1e-4}, head: {name: B}}
            """);
        Assert.Equal([("pretrained", "None"), ("x", "1e-4")], Sorted(recipe.Model.BackboneArguments));
    }

    [Fact]
    public void Parse_AnchorsAndMergeKeys_AsYamlSays()
    {
        PaddleRecipe recipe = PaddleRecipe.Parse("""
            MODEL:
              head: {name: H}
              backbone:
                <<: &base {name: A, depth: 18, width: 2}
                depth: 50
            x: *base
            """);
        Assert.Equal([("depth", 50L), ("width", 2L)], Sorted(recipe.Model.BackboneArguments));
    }

    [Fact]
    public void Parse_UnknownAndRepeatedKeys_AreListedWithLineAndSuggestion()
    {
        PaddleRecipe recipe = PaddleRecipe.Parse("epoch: 3\nmodel_name: A\nmodel_name: B\nMETRC: {name: X}\n");
        Assert.Equal("B", recipe.ModelName);
        Assert.Equal(
            [
                new("model_name", 2, "given again in line 3, which wins"),
                new("epoch", 1, "no key of PaddleVideo's (did you mean 'epochs'?)"),
                new IgnoredKey("METRC", 4, "no key of PaddleVideo's (did you mean 'METRIC'?)"),
            ],
            recipe.Ignored);
    }

    [Theory]
    [InlineData("short_size: 256", "short_size: big", "line 6: PIPELINE.valid.transform[0].Scale.short_size: expected a whole number, found 'big'")]
    [InlineData("short_size: 256", "short_sise: 256", "line 6: PIPELINE.valid.transform[0].Scale.short_size: missing")]
    [InlineData("short_size: 256", "short_size: 256, bakcend: cv2", "Scale.bakcend: unknown; known are backend")]
    [InlineData("short_size: 256", "short_size: 256, backend: PIL", "expected one of pillow, cv2, found 'PIL'")]
    [InlineData("short_size: 256", "short_size: 256, keep_ratio: True", "expected fixed_ratio or keep_ratio, found both")]
    [InlineData("- Scale: {short_size: 256}", "- Scale: {short_size: 256}\n      - Scale: {short_size: 224}", "line 7: PIPELINE.valid.transform[1].Scale: a second resize")]
    [InlineData("- Image2Array:", "- Scale: {short_size: 224}", "Scale: a second resize")]
    [InlineData("- Scale: {short_size: 256}", "- MultiScaleCrop: {target_size: 224}", "MultiScaleCrop: a part of random size at evaluation")]
    [InlineData("- Scale: {short_size: 256}", "- ColorJitter: {brightness: 0.4}", "ColorJitter: no rule of a clip specification; known are CenterCrop")]
    [InlineData("- CenterCrop: {target_size: 224}", "- GroupFullResSample: {crop_size: 224, flip: True}", "flip: expected False, as a clip specification")]
    [InlineData("      - CenterCrop: {target_size: 224}\n", "", "transform: expected a crop, which gives the input its size, found none")]
    [InlineData("target_size: 224", "target_size: 0", "crop.size: expected 1 to 8192, found 0")]
    [InlineData("mean: [0.485, 0.456, 0.406]", "mean: [0.485, 0.456]", "mean: expected a list of 3 numbers")]
    [InlineData("std: [0.229, 0.224, 0.225]", "std: [1, 1, 1], tensor_shape: [1, 1, 3]", "tensor_shape: expected 3 for the channels and 1 for the other axes of Ntchw, found [1, 1, 3]")]
    [InlineData("name: FrameDecoder", "name: FeatureDecoder", "decode.name: expected FrameDecoder or VideoDecoder, which give the frames of a video, found 'FeatureDecoder'")]
    [InlineData("name: Sampler,", "name: SamplerPkl,", "line 4: PIPELINE.valid.sample.name: expected Sampler, the only one")]
    [InlineData("name: FrameDecoder", "name: VideoDecoder, backend: pyav", "expected linspace_sample with a number of points that divides the 256 frames of PyAV's clip")]
    [InlineData("    sample:", "    samples:", "line 3: PIPELINE.valid.sample: missing")]
    [InlineData("PIPELINE:", "INFERENCE: {name: BMN_Inference_helper}\nPIPELINE:", "INFERENCE.name: expected one of ppTSM_Inference_helper")]
    [InlineData("PIPELINE:", "INFERENCE: {name: ppTSM_Inference_helper, num_segs: 4}\nPIPELINE:", "INFERENCE.num_segs: unknown")]
    [InlineData("PIPELINE:", "MODEL: {backbone: {name: A}}\nPIPELINE:", "MODEL.head: missing")]
    [InlineData("PIPELINE:", "MODEL: 3\nPIPELINE:", "line 1: MODEL: expected keys with values, found 3")]
    [InlineData("{short_size: 256}", "{short_size: 256", "brackets or quotes that aren't closed")]
    [InlineData("{short_size: 256}", "!!python/object:os.system {short_size: 256}", "found the tag tag:yaml.org,2002:python/object:os.system")]
    [InlineData("{short_size: 256}", "{short_size: *nowhere}", "'nowhere'")]
    [InlineData("PIPELINE:", "---\na: 1\n---\nPIPELINE:", "expected one YAML document")]
    public void Parse_Mistake_MessageGivesKeyLineAndExpectation(string from, string to, string expected)
    {
        string yaml = Evaluated.Replace(from, to.Replace("\r", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.NotEqual(Evaluated, yaml);
        ConfigException e = Assert.Throws<ConfigException>(() => PaddleRecipe.Parse(yaml, "some.yaml"));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.Equal("some.yaml", e.Path);
        Assert.Single(e.Message.Split('\n'));
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("[1, 2]")]
    [InlineData("text")]
    [InlineData("a: [")]
    [InlineData("a: {b")]
    [InlineData("a: {b: {c: 1")]
    public void Parse_NoRecipe_ConfigException(string yaml) => Assert.Throws<ConfigException>(() => PaddleRecipe.Parse(yaml));

    [Fact]
    public void Parse_MutatedRecipes_RecipeOrConfigException()
    {
        string[] recipes = [.. Directory.EnumerateFiles(Folder, "*.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(File.ReadAllText)];
        const string signs = "{}[]:,-&*!|>'\"%@`#?~ \n\t\\0a\u0001\u00e9\ud800";
        int refused = 0;
        for (int i = 0; i < 2000; i++)
        {
            var random = new CounterRandom(1, 0, i, "mutated recipe");
            char[] text = recipes[random.NextInt32(recipes.Length)].ToCharArray();
            for (int changes = 1 + random.NextInt32(4); changes > 0; changes--)
            {
                text[random.NextInt32(text.Length)] = signs[random.NextInt32(signs.Length)];
            }

            try
            {
                Assert.NotNull(PaddleRecipe.Parse(new string(text, 0, random.NextInt32(4) == 0 ? random.NextInt32(text.Length) : text.Length)));
            }
            catch (ConfigException e)
            {
                refused++;
                Assert.StartsWith("PaddleVideo recipe: ", e.Message, StringComparison.Ordinal);
            }
        }

        Assert.InRange(refused, 200, 1999);
    }

    [Fact]
    public void Parse_DeepNesting_RefusedWithoutExhaustingTheStack()
    {
        ConfigException e = Assert.Throws<ConfigException>(() => PaddleRecipe.Parse("a: " + new string('[', 100_000)));
        Assert.Contains("levels", e.Message, StringComparison.Ordinal);
        object? text = Argument("'" + new string('(', 100_000) + "'");
        Assert.IsType<string>(text);
    }

    [Fact]
    public void Parse_AliasesThatMultiply_RefusedByTheirSize()
    {
        string[] lines = [.. Enumerable.Range(1, 9).Select(i => $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]")];
        ConfigException e = Assert.Throws<ConfigException>(() => PaddleRecipe.Parse("a0: &a0 [1, 1]\n" + string.Join('\n', lines)));
        Assert.Contains("at most 100000 values", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_FileThatIsNone_OneLineWithItsPath()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["large.yaml"], new byte[2 << 20]);
        foreach (string path in new[] { folder["large.yaml"], folder["missing.yaml"], folder.Path })
        {
            ConfigException e = Assert.Throws<ConfigException>(() => PaddleRecipe.Read(path));
            Assert.Equal(path, e.Path);
        }
    }

    private static PaddleRecipe Recipe(string name) => PaddleRecipe.Read(Path.Combine(Folder, name + ".yaml"));

    private static object? Argument(string text) =>
        PaddleRecipe.Parse($"MODEL:\n  head: {{name: H}}\n  backbone:\n    name: B\n    x: {text}\n").Model.BackboneArguments["x"];

    private static (string, object?)[] Sorted(IReadOnlyDictionary<string, object?> arguments) =>
        [.. arguments.OrderBy(a => a.Key, StringComparer.Ordinal).Select(a => (a.Key, a.Value))];
}
