using System.Diagnostics;
using System.Security.Cryptography;
using Kinora.Data.Synthetic;
using Kinora.Testing;

namespace Kinora.Cli.Tests.Data;

public sealed class DataPackTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Pack_KilledInTheMiddle_GoesOnToTheSameBytes()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        SyntheticMotions.Generate(_folder["set"], new SyntheticOptions
        {
            Actions = ["wave", "sit_down"], TrainClipsPerClass = 16, ValidationClipsPerClass = 2, TestClipsPerClass = 2, Width = 160, Height = 120, MinFrames = 30, MaxFrames = 40,
        });
        (int code, string text, string _) = await CommandLine.RunAsync("data", "pack", _folder["set"], _folder["whole"], "--shard-mb", "8");
        Assert.Equal(ExitCode.Success, code);
        Assert.Contains("40 clips", text, StringComparison.Ordinal);

        // The journal grows by about 320 bytes a clip; nobody may open it meanwhile.
        int kills = 0;
        string journal = Path.Combine(_folder["killed"], ".kinora-pack.jsonl.part");
        foreach (int bytes in new[] { 1300, 4200, 8600 })
        {
            using Process process = Start("data", "pack", _folder["set"], _folder["killed"], "--shard-mb", "8", "--workers", "2");
            while (!process.HasExited && !(new FileInfo(journal) is { Exists: true, Length: var length } && length >= bytes))
            {
                await Task.Delay(1, token);
            }

            process.Kill();
            await process.WaitForExitAsync(token);
            kills += File.Exists(Path.Combine(_folder["killed"], "kinora-pack.jsonl")) ? 0 : 1;
        }

        (code, text, _) = await CommandLine.RunAsync("data", "pack", _folder["set"], _folder["killed"], "--shard-mb", "8");

        Assert.Equal(ExitCode.Success, code);
        Assert.True(kills > 0, "no kill came before the end");
        Assert.Contains("from an earlier run", text, StringComparison.Ordinal);
        Assert.Equal(Digest("whole"), Digest("killed"));
    }

    [Fact]
    public async Task Pack_BrokenVideo_OneLineEachAndExitCodeOne()
    {
        Directory.CreateDirectory(_folder["set/a"]);
        File.Copy(Path.Combine(SharedData.Require("data/clips"), "video_0.mov"), _folder["set/a/fine.mov"]);
        await File.WriteAllTextAsync(_folder["set/a/broken.mp4"], "no video", TestContext.Current.CancellationToken);

        (int code, string text, string err) = await CommandLine.RunAsync("data", "pack", _folder["set"], _folder["pack"], "--pixels", "jpeg", "--short-side", "64", "--json");

        Assert.Equal(ExitCode.Failure, code);
        Assert.Contains("broken.mp4", Assert.Single(err.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.Contains("\"clips\":2", text, StringComparison.Ordinal);
    }

    private static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (string argument in new[] { Path.Combine(AppContext.BaseDirectory, "kinora.dll") }.Concat(arguments))
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    private string Digest(string name) => string.Join("\n", Directory.GetFiles(_folder[name]).Order(StringComparer.Ordinal)
        .Select(f => $"{Path.GetFileName(f)} {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(f)))}"));
}

/// <summary>Runs a command line inside the test.</summary>
internal static class CommandLine
{
    public static async Task<(int Code, string Out, string Err)> RunAsync(params string[] args)
    {
        StringWriter standard = new(), error = new();
        int code = await Program.RunAsync(args, new Kinora.Cli.Terminal.Output(standard, error, isInteractive: false));
        return (code, standard.ToString(), error.ToString());
    }
}
