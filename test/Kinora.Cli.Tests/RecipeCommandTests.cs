using Kinora.Cli.Terminal;
using Kinora.Testing;
using Kinora.Training;

namespace Kinora.Cli.Tests;

/// <summary>PaddleVideo's recipes on the command line: what is said about them, and what is said where they are wrong.</summary>
public sealed class RecipeCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static string Recipes => Path.Combine(SharedData.Checkout, "test/recipes");

    private static string Tsm => Path.Combine(Recipes, "tsm/tsm_k400_frames.yaml");

    private static string Quantisation => Path.Combine(Recipes, "pptsm/pptsm_k400_frames_uniform_quantization.yaml");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Train_ConfigThatIsNone_SaysWhatWasFound()
    {
        Assert.Equal($"kinora: config: expected a YAML file, found none; check its path [{_folder["missing.yaml"]}]", Refusal("train", "-c", _folder["missing.yaml"]));
        Assert.StartsWith("kinora: config: expected a YAML file, found a folder", Refusal("train", "-c", _folder.Path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("MODEL:\n  a: \"x\n", "kinora: PaddleVideo recipe: line 2, column 6")]
    [InlineData("MODEL:\n  a: [1, 2\n  b: 3\n", "kinora: PaddleVideo recipe: line 2")]
    [InlineData("MODEL:\n  a: x: y\n", "kinora: PaddleVideo recipe: line 2, column 7")]
    [InlineData("loop: {epochs: 3\n", "kinora: training configuration: line ")]
    [InlineData("loop:\n\tepochs: 3\n", "kinora: training configuration: line ")]
    public void Train_BadYaml_OneLineWithPlaceAndAdvice(string yaml, string begins)
    {
        File.WriteAllText(_folder["bad.yaml"], yaml);
        string error = Refusal("train", "-c", _folder["bad.yaml"]);
        Assert.StartsWith(begins, error, StringComparison.Ordinal);
        Assert.Contains("expected YAML, found", error, StringComparison.Ordinal);
        Assert.DoesNotContain("Idx", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_BadOption_NamesTheOption() =>
        Assert.StartsWith("kinora: PaddleVideo recipe: -o epochs=abc: epochs: expected a whole number, found 'abc'", Refusal("train", "-c", Tsm, "-o", "epochs=abc"), StringComparison.Ordinal);

    [Fact]
    public void Quantisation_TrainStopsAndConvertMaps_BothSayWhatItIs()
    {
        (int code, _, string err) = Run("train", "-c", Quantisation);
        Assert.Equal(ExitCode.Failure, code);
        Assert.Contains("static quantisation", err.TrimEnd().Split('\n')[^1], StringComparison.Ordinal);

        (code, _, err) = Run("convert", Quantisation, _folder["own.yaml"]);
        Assert.True(code == ExitCode.Success, err);
        Assert.Contains("static quantisation", Assert.Single(err.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.Contains("static quantisation", File.ReadAllText(_folder["own.yaml"]), StringComparison.Ordinal);
        Assert.Equal("pptsm_r50", ConfigYaml.Load(_folder["own.yaml"]).Model.Name);
    }

    [Fact]
    public void Explain_OfARecipe_LinesOfTheFileAndOptions()
    {
        File.WriteAllLines(_folder["clips.list"], Enumerable.Range(0, 20).Select(i => $"v{i} 30 {i % 4}"));
        for (int i = 0; i < 20; i++)
        {
            Directory.CreateDirectory(_folder[$"v{i}"]);
        }

        string[] parts = ["train", "valid", "test"];
        (int code, string text, string err) = Run(
        [
            "train", "-c", Tsm, .. parts.SelectMany(p => new[] { "-o", $"DATASET.{p}.file_path={_folder["clips.list"]}", "-o", $"DATASET.{p}.data_prefix={_folder.Path}" }),
            "-o", "DATASET.batch_size=4", "-o", "MODEL.head.num_classes=4", "-o", "MODEL.backbone.pretrained=", "--epochs", "3", "--explain",
        ]);
        Assert.True(code == ExitCode.Success, err);
        string[] lines = text.Split('\n');
        Says("  trainList:", "-o DATASET.train.file_path");
        Says("  batchSize:", "-o DATASET.batch_size");
        Says("  classes:", "-o MODEL.head.num_classes");
        Says("  weights:", "-o MODEL.backbone.pretrained");
        Says("  epochs:", "--epochs");
        Says("  momentum:", $"tsm_k400_frames.yaml:{LineOf("  momentum:")}");
        Says("  everyEpochs:", $"tsm_k400_frames.yaml:{LineOf("save_interval:")}");
        Says("  referenceBatch: 128", $"tsm_k400_frames.yaml:{LineOf("  batch_size:")}");
        Says("name:", "tsm_k400_frames.yaml");

        void Says(string begins, string origin) => Assert.EndsWith($"# {origin}", lines.First(l => l.StartsWith(begins, StringComparison.Ordinal)), StringComparison.Ordinal);

        static int LineOf(string begins) => 1 + Array.FindIndex(File.ReadAllLines(Tsm), l => l.StartsWith(begins, StringComparison.Ordinal));
    }

    private static string Refusal(params string[] args)
    {
        (int code, _, string err) = Run(args);
        Assert.Equal(ExitCode.Failure, code);
        return Assert.Single(err.TrimEnd().Split('\n'));
    }

    private static (int Code, string Out, string Err) Run(params string[] args)
    {
        StringWriter standard = new(), error = new();
        int code = Program.RunAsync(args, new Output(standard, error, isInteractive: false)).GetAwaiter().GetResult();
        return (code, standard.ToString(), error.ToString());
    }
}
