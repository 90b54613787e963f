using System.CommandLine;
using System.Text.Json;
using Kinora.Cli.Commands;
using Kinora.Cli.Terminal;
using Kinora.Models;
using Kinora.Paddle;
using Kinora.Testing;
using Kinora.Training;

namespace Kinora.Cli.Tests;

/// <summary><c>kinora models pull</c> end to end, against a server on this machine.</summary>
public sealed class ModelsPullTests : IDisposable
{
    private const string Name = "pptsm_mobilenet_v2_k400";

    // What the published file would be, but for the values of the weights.
    private static readonly Lazy<byte[]> File400 = new(() =>
    {
        using var folder = new TemporaryFolder();
        using VideoNetwork network = ModelCatalog.CreateBlank("pptsm_mobilenet_v2", new ModelOptions(400));
        PaddleWeightsWriter.Write(folder["weights.pdparams"], PaddleStateDict.Of(network));
        return File.ReadAllBytes(folder["weights.pdparams"]);
    });

    private readonly TemporaryFolder _folder = new();

    private static byte[] Weights => File400.Value;

    public ModelsPullTests()
    {
        Environment.SetEnvironmentVariable("KINORA_CACHE", _folder["cache"]);
        Environment.SetEnvironmentVariable("KINORA_MIRROR", null);
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("KINORA_CACHE", null);
        Environment.SetEnvironmentVariable("KINORA_MIRROR", null);
        _folder.Dispose();
    }

    [Fact]
    public async Task Pull_WithoutName_ListsEverything()
    {
        (int code, string text, string err) = await RunAsync("models", "pull");
        Assert.Equal((ExitCode.Success, ""), (code, err));
        Assert.All(PublishedModels.Entries, e => Assert.Contains(e.Name, text, StringComparison.Ordinal));
        Assert.Contains("75.11 %", text, StringComparison.Ordinal);

        (_, string json, _) = await RunAsync("models", "pull", "--json");
        using JsonDocument list = JsonDocument.Parse(json);
        Assert.Equal(PublishedModels.Entries.Select(e => e.Name), list.RootElement.EnumerateArray().Select(e => e.GetProperty("name").GetString()!));
        JsonElement tsm = list.RootElement.EnumerateArray().Single(e => e.GetProperty("name").GetString() == "tsm_k400");
        Assert.Equal(("tsm_r50", 400, 71.06), (tsm.GetProperty("architecture").GetString(), tsm.GetProperty("classes").GetInt32(), tsm.GetProperty("top1").GetDouble()));
    }

    [Fact]
    public async Task Pull_Name_BrokenDownloadIsResumedRecordedAndCheckedLater()
    {
        using var server = new LoopbackServer(r => LoopbackReply.File(r, Weights) with { BreakAfter = r.Number == 0 ? 100_000 : null });
        Environment.SetEnvironmentVariable("KINORA_MIRROR", server.Root.AbsoluteUri);
        (int code, string text, string err) = await RunAsync("models", "pull", Name);
        Assert.Equal((ExitCode.Success, true), (code, text.Length > 0));
        string path = _folder[$"cache/models/{Name}.pdparams"];
        Assert.Equal(Weights, await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
        Assert.Contains($"{path}  {Weights.Length / 1e6:0.0} MB, downloaded, from where an earlier try ended", text, StringComparison.Ordinal);
        Assert.Contains("recorded for later pulls", text, StringComparison.Ordinal);
        Assert.Contains($"the connection broke after 100000 of {Weights.Length} bytes; going on", err, StringComparison.Ordinal);
        Assert.Equal("/videotag.bj.bcebos.com/PaddleVideo-release2.3/ppTSM_mv2_k400.pdparams", server.Requests[0].Path);

        // At once a checkpoint, with the account of its tensors.
        Assert.Contains("matched     267", text, StringComparison.Ordinal);
        Checkpoint checkpoint = Checkpoint.Read(Path.ChangeExtension(path, ".safetensors"));
        Assert.Equal(("pptsm_mobilenet_v2", 400, 8, true), (checkpoint.Model, checkpoint.Labels.Count, checkpoint.ClipSpec.Frames, checkpoint.LoadReport!.Fits));

        (code, text, _) = await RunAsync("models", "pull", Name, "--json");
        using JsonDocument pulled = JsonDocument.Parse(text);
        Assert.Equal((ExitCode.Success, "cached", "checked"), (code, pulled.RootElement.GetProperty("origin").GetString(), pulled.RootElement.GetProperty("checksum").GetString()));
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task Pull_FromAFile_NeedsNoNetwork()
    {
        await File.WriteAllBytesAsync(_folder["weights"], Weights, TestContext.Current.CancellationToken);
        (int code, string text, _) = await RunAsync("models", "pull", Name, "--from", _folder["weights"]);
        Assert.Equal(ExitCode.Success, code);
        Assert.Contains("copied", text, StringComparison.Ordinal);
        Assert.True(File.Exists(_folder[$"cache/models/{Name}.safetensors"]));
    }

    [Fact]
    public async Task Pull_SomethingElseUnderTheAddress_NoCheckpointAndALineThatSaysWhy()
    {
        await File.WriteAllBytesAsync(_folder["weights"], [0x80, 2, (byte)'N', (byte)'.'], TestContext.Current.CancellationToken);
        (int code, string text, string err) = await RunAsync("models", "pull", Name, "--from", _folder["weights"]);
        Assert.Equal((ExitCode.Failure, ""), (code, text));
        Assert.Single(err.TrimEnd().Split('\n'), line => line.StartsWith("kinora:", StringComparison.Ordinal));
        Assert.False(File.Exists(_folder[$"cache/models/{Name}.safetensors"]));
    }

    [Fact]
    public async Task Pull_AnotherAddress_IsAsked()
    {
        using var server = new LoopbackServer(_ => new LoopbackReply("404 Not Found", []));
        (int code, string text, string err) = await RunAsync("models", "pull", "tsm_k400", "--url", server.Root + "else.pdparams");
        Assert.Equal((ExitCode.Failure, ""), (code, text));
        Assert.Equal("/else.pdparams", server.Requests.Single().Path);
        Assert.Contains("no such file (404)", err, StringComparison.Ordinal);
        Assert.Single(err.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("did you mean 'tsm_k400'?", "tsm_k4000")]
    [InlineData("--url: expected an address", "tsm_k400", "--url", "nowhere")]
    [InlineData("expected a file, found none", "tsm_k400", "--from", "/nowhere/weights")]
    public async Task Pull_Mistake_OneLine(string expected, params string[] arguments)
    {
        (int code, _, string err) = await RunAsync(["models", "pull", .. arguments]);
        Assert.Equal(ExitCode.Failure, code);
        Assert.Contains(expected, err, StringComparison.Ordinal);
        Assert.Single(err.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Pull_WithAConversion_GetsTheVerifiedFileAndPrintsItsReport()
    {
        await File.WriteAllBytesAsync(_folder["weights"], Weights, TestContext.Current.CancellationToken);
        StringWriter text = new();
        (PublishedModel Model, DownloadedFile File)? seen = null;
        Command pull = ModelsPullCommand.Create(new Output(text, new StringWriter(), isInteractive: false), (model, file, _) =>
        {
            seen = (model, file);
            return ["matched 161, missing 0"];
        });
        int code = await new RootCommand { pull }.Parse(["pull", "tsm_k400", "--from", _folder["weights"]]).InvokeAsync(cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(ExitCode.Success, code);
        Assert.Equal(("tsm_k400", _folder["cache/models/tsm_k400.pdparams"]), (seen!.Value.Model.Name, seen.Value.File.Path));
        Assert.Contains("matched 161, missing 0", text.ToString(), StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Out, string Err)> RunAsync(params string[] args)
    {
        StringWriter standard = new(), error = new();
        int code = await Program.RunAsync(args, new Output(standard, error, isInteractive: false));
        return (code, standard.ToString(), error.ToString());
    }
}
