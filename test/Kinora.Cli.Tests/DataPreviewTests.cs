using System.Text.RegularExpressions;
using Kinora.Cli.Terminal;
using Kinora.Data.Synthetic;
using Kinora.Testing;

namespace Kinora.Cli.Tests;

public sealed class DataPreviewTests
{
    [Fact]
    public async Task Preview_Folder_SelfContainedPageOfPlainAndVariedClips()
    {
        using TemporaryFolder folder = new();
        Generate(folder["<i>set"]);
        (int code, string text, string err) = await RunAsync("data", "preview", folder["<i>set"], "--clips", "3", "--views", "2", "--seed", "4", "--out", folder["a.html"]);
        Assert.Empty(err);
        Assert.Equal(ExitCode.Success, code);
        Assert.Contains("a.html: 3 clips", text, StringComparison.Ordinal);
        string html = await Read(folder["a.html"]);

        // Eight frames, plain and twice varied, of three clips; nothing from elsewhere.
        string[] pictures = [.. Regex.Matches(html, "src=\"data:image/jpeg;base64,([^\"]+)\"").Select(m => m.Groups[1].Value)];
        Assert.Equal(8 * 3 * 3, pictures.Length);
        Assert.DoesNotMatch("(src|href)=\"(?!data:)", html);
        Assert.DoesNotContain("<i>", html, StringComparison.Ordinal);
        Assert.Contains("seed 4", html, StringComparison.Ordinal);
        for (int clip = 0; clip < 3; clip++)
        {
            string[][] rows = [.. pictures[(clip * 24)..((clip + 1) * 24)].Chunk(8)];
            Assert.NotEqual(rows[0], rows[1]);
            Assert.NotEqual(rows[1], rows[2]);
        }

        await RunAsync("data", "preview", folder["<i>set"], "--clips", "3", "--views", "2", "--seed", "4", "--out", folder["b.html"]);
        Assert.Equal(html, await Read(folder["b.html"]));
        await RunAsync("data", "preview", folder["<i>set"], "--clips", "3", "--views", "2", "--seed", "5", "--out", folder["b.html"]);
        Assert.NotEqual(html, await Read(folder["b.html"]));
    }

    [Fact]
    public async Task Preview_ConfigAndUnreadableClip_FollowsTheOneAndNamesTheOther()
    {
        using TemporaryFolder folder = new();
        Generate(folder["set"]);
        string bad = Directory.EnumerateFiles(folder["set"], "*.mp4", SearchOption.AllDirectories).Order().First();
        await File.WriteAllTextAsync(bad, "not a video", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(folder["run.yaml"], "model:\n  frames: 5\n  size: 64\naugmentation:\n  flipProbability: 0\n", TestContext.Current.CancellationToken);
        (int code, string _, string err) = await RunAsync("data", "preview", folder["set"], "--clips", "100", "--views", "1", "--config", folder["run.yaml"], "--out", folder["a.html"]);
        Assert.Equal(ExitCode.Failure, code);
        Assert.Single(err.TrimEnd().Split('\n'));
        Assert.Contains(Path.GetFileName(bad), err, StringComparison.Ordinal);
        string html = await Read(folder["a.html"]);
        Assert.Equal(2 * 5 * (Regex.Count(html, "<section") - 1), Regex.Count(html, "<img"));
        Assert.Contains("5 frames of 64 × 64", html, StringComparison.Ordinal);
        Assert.Contains(Path.GetFileName(bad), html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Preview_ConfigurationAlone_ItsListsNetworkAndSeed()
    {
        using TemporaryFolder folder = new();
        Generate(folder["set"]);
        string list = folder["set/train.list"];
        Assert.True(File.Exists(list));
        string config = $"seed: 6\ndata:\n  trainList: {list}\n  validationList: {list}\nmodel:\n  name: movinet_a0\n  frames: 4\n";
        await File.WriteAllTextAsync(folder["run.yaml"], config, TestContext.Current.CancellationToken);
        (int code, string text, string err) = await RunAsync("data", "preview", "--config", folder["run.yaml"], "--clips", "2", "--views", "1", "--out", folder["a.html"]);
        Assert.Empty(err);
        Assert.Equal(ExitCode.Success, code);
        Assert.Contains("2 clips", text, StringComparison.Ordinal);
        string html = await Read(folder["a.html"]);
        Assert.Contains("4 frames of 172 × 172", html, StringComparison.Ordinal); // MoViNet's own size
        Assert.Contains("seed 6", html, StringComparison.Ordinal);

        (code, _, err) = await RunAsync("data", "preview", "--out", folder["b.html"]);
        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains("--config", err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--clips", "0")]
    [InlineData("--views", "1001")]
    public async Task Preview_NumberOutOfRange_ExitsWithTwo(string option, string value)
    {
        (int code, string _, string err) = await RunAsync("data", "preview", "nowhere", option, value);
        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains(option, err, StringComparison.Ordinal);
    }

    private static void Generate(string folder) => SyntheticMotions.Generate(folder, new SyntheticOptions
    {
        Actions = ["wave", "sit_down"],
        TrainClipsPerClass = 6,
        ValidationClipsPerClass = 0,
        TestClipsPerClass = 0,
        Width = 96,
        Height = 64,
        MinFrames = 16,
        MaxFrames = 18,
    });

    private static Task<string> Read(string path) => File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);

    private static async Task<(int Code, string Text, string Err)> RunAsync(params string[] arguments)
    {
        using StringWriter text = new(), err = new();
        int code = await Program.RunAsync(arguments, new Output(text, err, isInteractive: false));
        return (code, text.ToString(), err.ToString());
    }
}
