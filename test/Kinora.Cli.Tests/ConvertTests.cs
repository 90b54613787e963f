using System.Text.Json;
using Kinora.Cli.Terminal;
using Kinora.Models;
using Kinora.Onnx;
using Kinora.Paddle;
using Kinora.Tensors;
using Kinora.Testing;
using Kinora.Training;

namespace Kinora.Cli.Tests;

/// <summary>Weights from one kind of file to another, by command line.</summary>
public sealed class ConvertTests : IDisposable
{
    private const int Classes = 4;

    private readonly TemporaryFolder _folder = new();
    private readonly TensorScope _scope = new();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Convert_PaddleToCheckpoint_FindsTheNetworkAndSaysWhereEverythingIs()
    {
        using var network = new PpTsmV2(new ModelOptions(Classes, 4, Seed: 5), temporalAttention: true);
        string source = Paddle(network, n => n.Replace("backbone.", "Student.0.", StringComparison.Ordinal));
        File.WriteAllLines(_folder["labels.txt"], ["2 sit down", "0 stand up", "1 wave", "3 turn left"]);

        (int code, string text, string err) = Run("convert", source, _folder["out.safetensors"], "--labels", _folder["labels.txt"], "--json");

        Assert.True(code == ExitCode.Success, err);
        using JsonDocument json = JsonDocument.Parse(text);
        Assert.Equal("pptsmv2_lta", json.RootElement.GetProperty("model").GetString());
        Assert.Equal(4, json.RootElement.GetProperty("frames").GetInt32());
        JsonElement report = json.RootElement.GetProperty("report");
        Assert.Equal(network.StateDict().Count(), report.GetProperty("matched").GetArrayLength());
        Assert.Equal("below Student., below 0. and 1.", report.GetProperty("style").GetString());

        Checkpoint checkpoint = Checkpoint.Read(_folder["out.safetensors"]);
        Assert.Equal(["stand up", "wave", "sit down", "turn left"], checkpoint.Labels.Names);
        Assert.Equal(network.EvaluationSpec, checkpoint.ClipSpec);
        Assert.Equal("weights.pdparams", checkpoint.Provenance["converted_from"]);
        Assert.Equal(64, checkpoint.Provenance["converted_from_sha256"].Length);
        Assert.True(checkpoint.LoadReport!.Fits);
        using SafetensorsFile file = SafetensorsFile.Open(_folder["out.safetensors"]);
        Assert.Equal("pptsmv2_lta", LoadReport.FromJson(file.Metadata["kinora.load_report"]).Network);
        using VideoNetwork loaded = checkpoint.LoadNetwork();
        AssertSame(network, loaded);
    }

    [Fact]
    public void Convert_Recipe_ConfigurationThatTrainTakesWithItsLossesOnTop()
    {
        string recipe = Path.Combine(SharedData.Checkout, "test/recipes/pptsm/pptsm_k400_frames_uniform.yaml");
        (int code, string text, string err) = Run("convert", recipe, _folder["own.yaml"]);
        Assert.True(code == ExitCode.Success, err);
        Assert.Contains("pptsm_r50", text, StringComparison.Ordinal);

        PaddleTraining read = PaddleTraining.Read(recipe);
        Assert.Equal(ConfigYaml.Write(read.Config), ConfigYaml.Write(ConfigYaml.Load(_folder["own.yaml"])));
        string[] comments = [.. File.ReadLines(_folder["own.yaml"]).TakeWhile(l => l.StartsWith('#'))];
        Assert.Contains("pptsm_k400_frames_uniform.yaml", comments[0], StringComparison.Ordinal);
        Assert.NotEmpty(read.Ignored);
        Assert.Equal(read.Ignored.Select(i => $"#   line {i.Line}, {i.Key}: {i.Reason}"), comments[^read.Ignored.Count..]);

        (code, text, _) = Run("convert", recipe, _folder["own.yaml"], "--json");
        Assert.Equal(ExitCode.Success, code);
        using JsonDocument json = JsonDocument.Parse(text);
        Assert.Equal(read.Ignored.Count, json.RootElement.GetProperty("ignored").GetArrayLength());
    }

    [Theory]
    [InlineData("test/recipes/tsm/tsm_k400_frames.yaml", "out.onnx", "expected a .yaml file to write")]
    [InlineData("configs/k400/tsm.yaml", "out.yaml", "expected a recipe of PaddleVideo's")]
    public void Convert_WrongRecipe_OneLineAndNoFile(string input, string target, string message)
    {
        (int code, _, string err) = Run("convert", Path.Combine(SharedData.Checkout, input), _folder[target]);
        Assert.NotEqual(ExitCode.Success, code);
        Assert.Contains(message, err, StringComparison.Ordinal);
        Assert.Single(err.TrimEnd().Split('\n'));
        Assert.False(File.Exists(_folder[target]));
    }

    [Fact]
    public void Convert_RecipeWithALineBreakInAKey_StaysInItsComment()
    {
        string recipe = File.ReadAllText(Path.Combine(SharedData.Checkout, "test/recipes/tsm/tsm_k400_frames.yaml")) + "\"x\\nseed: 77\\n\": 1\n";
        File.WriteAllText(_folder["recipe.yaml"], recipe);
        (int code, _, string err) = Run("convert", _folder["recipe.yaml"], _folder["own.yaml"]);
        Assert.True(code == ExitCode.Success, err);
        Assert.Equal(1234UL, ConfigYaml.Load(_folder["own.yaml"]).Seed);
        Assert.Contains("seed: 77", File.ReadAllText(_folder["own.yaml"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Convert_CheckpointToPaddleAndBack_SameTensors()
    {
        using var network = new PpTsmV2(new ModelOptions(Classes, Seed: 5));
        string source = Paddle(network);
        Assert.Equal(ExitCode.Success, Run("convert", source, _folder["one.safetensors"]).Code);
        Assert.Equal(ExitCode.Success, Run("convert", _folder["one.safetensors"], _folder["two.pdparams"]).Code);
        (int code, string text, string err) = Run("convert", _folder["two.pdparams"], _folder["three.safetensors"]);
        Assert.Equal(ExitCode.Success, code);
        Assert.Contains("two.pdparams → pptsmv2, PaddleVideo names as they are", text, StringComparison.Ordinal);
        Assert.Contains("  matched     262", text, StringComparison.Ordinal);
        Assert.Contains("three.safetensors", text.TrimEnd().Split('\n')[^1], StringComparison.Ordinal);
        Assert.Contains("frames: 16, the network's own", err, StringComparison.Ordinal);
        Assert.Contains("labels: numbered 0 to 3", err, StringComparison.Ordinal);

        Assert.Equal(File.ReadAllBytes(source), File.ReadAllBytes(_folder["two.pdparams"]));
        using VideoNetwork back = Checkpoint.Read(_folder["three.safetensors"]).LoadNetwork();
        AssertSame(network, back);
    }

    [Fact]
    public void Convert_PaddleToOnnx_ClassifiesAsTheNetworkDoes()
    {
        using var network = new PpTsmV2(new ModelOptions(Classes, 2, Seed: 5));
        (int code, string text, string err) = Run("convert", Paddle(network), _folder["out.onnx"], "--frames", "2", "--json");
        Assert.True(code == ExitCode.Success, err);
        using JsonDocument json = JsonDocument.Parse(text);
        Assert.InRange(json.RootElement.GetProperty("onnxRelativeDifference").GetDouble(), 0, 1e-4);
        using VideoClassifier classifier = VideoClassifier.Load(_folder["out.onnx"]);
        Assert.Equal(Classes, classifier.Model.Labels.Count);
        Assert.Equal(network.EvaluationSpec, classifier.Model.Spec);
    }

    [Fact]
    public void Convert_PlainSafetensors_ByKinorasNamesOrPaddles()
    {
        using var network = new PpTsmV2(new ModelOptions(Classes, Seed: 5));
        SafetensorsFile.Save(_folder["own.safetensors"], network.StateDict());
        (int code, string text, string err) = Run("convert", _folder["own.safetensors"], _folder["a.safetensors"]);
        Assert.True(code == ExitCode.Success, err);
        Assert.Contains("own.safetensors → pptsmv2, Kinora names as they are", text, StringComparison.Ordinal);

        SafetensorsFile.Save(_folder["paddle.safetensors"], PaddleStateDict.Of(network).Select(p => (p.Name, p.Value())));
        (code, text, err) = Run("convert", _folder["paddle.safetensors"], _folder["b.safetensors"]);
        Assert.True(code == ExitCode.Success, err);
        Assert.Contains("paddle.safetensors → pptsmv2, PaddleVideo names as they are", text, StringComparison.Ordinal);
        using VideoNetwork b = Checkpoint.Read(_folder["b.safetensors"]).LoadNetwork();
        AssertSame(network, b);
    }

    [Fact]
    public void Convert_BackboneForOtherClasses_NeedsPermission()
    {
        using var network = new PpTsmV2(new ModelOptions(Classes, Seed: 5));
        string source = Paddle(network, n => n.Replace("backbone.", "", StringComparison.Ordinal));
        (int code, _, string err) = Run("convert", source, _folder["out.safetensors"], "--model", "pptsmv2", "--classes", "9");
        Assert.Equal(ExitCode.Failure, code);
        Assert.Contains("  misshapen     2", err, StringComparison.Ordinal);
        Assert.Contains("kinora: load weights:", err, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["out.safetensors"]));

        (code, string text, err) = Run("convert", source, _folder["out.safetensors"], "--model", "pptsmv2", "--classes", "9", "--allow-missing", "fc.*", "--all");
        Assert.True(code == ExitCode.Success, err);
        Assert.Contains("backbone.fc.bias expected [9], found [4] (allowed by 'fc.*')", text, StringComparison.Ordinal);
        Assert.Contains("    backbone.stem.0.conv.weight [32, 3, 3, 3]", text, StringComparison.Ordinal);
        using VideoNetwork loaded = Checkpoint.Read(_folder["out.safetensors"]).LoadNetwork();
        Assert.Equal(9, loaded.Classes);
        Assert.NotEqual(0, loaded.StateDict().First(t => t.Name == "fc.weight").Value.Max().ToDouble());
    }

    [Fact]
    public void Convert_Mistakes_OneLineAndNoFile()
    {
        using var network = new PpTsmV2(new ModelOptions(Classes, Seed: 5));
        string source = Paddle(network);
        File.WriteAllLines(_folder["three.txt"], ["a", "b", "c"]);
        Fails(["/nowhere/x.pdparams", _folder["out.safetensors"]], "/nowhere/x.pdparams");
        Fails([source, _folder["out.tflite"]], "expected a file to write that ends with .safetensors, .onnx, .pdparams, found '.tflite'");
        Fails(["weights.pth", _folder["out.safetensors"]], "has to be saved as safetensors first");
        Fails([source, source], "expected another file to write");
        Fails([source, _folder["out.safetensors"], "--labels", _folder["three.txt"]], "expected 4 names, one a line, found 3");
        Fails([source, _folder["out.safetensors"], "--model", "pptsmv2", "--allow-missing", "hed.*"], "'hed.*'");
        Fails([source, _folder["out.safetensors"], "--model", "tsn_r18"], "nearest is pptsmv2, with 278 of the file's 278 names");
        Fails([source, _folder["out.safetensors"], "--model", "tsn_r18", "--classes", "4"], "nearest is pptsmv2, with 278 of the file's 278 names");
        Fails([source, _folder["out.safetensors"], "--model", "pptsm2"], "did you mean 'pptsmv2'");

        void Fails(string[] line, string expected)
        {
            (int code, _, string err) = Run(["convert", .. line]);
            Assert.Equal(ExitCode.Failure, code);
            Assert.Contains(expected, Assert.Single(err.TrimEnd().Split('\n')), StringComparison.Ordinal);
            Assert.Empty(Directory.GetFiles(_folder.Path, "out.*"));
        }
    }

    private static void AssertSame(VideoNetwork expected, VideoNetwork found)
    {
        var state = found.StateDict().ToDictionary(t => t.Name, t => t.Value);
        Assert.All(expected.StateDict(), t => Assert.Equal(t.Value.ToArray<float>(), state[t.Name].ToArray<float>()));
    }

    // On one thread, as tensors and their scopes want it.
    private static (int Code, string Out, string Err) Run(params string[] args)
    {
        StringWriter standard = new(), error = new();
        int code = Program.RunAsync(args, new Output(standard, error, isInteractive: false)).GetAwaiter().GetResult();
        return (code, standard.ToString(), error.ToString());
    }

    private string Paddle(VideoNetwork network, Func<string, string>? rename = null)
    {
        string path = _folder["weights.pdparams"];
        PaddleWeightsWriter.Write(path, [.. PaddleStateDict.Of(network).Select(p => p with { Name = rename?.Invoke(p.Name) ?? p.Name })]);
        return path;
    }
}
