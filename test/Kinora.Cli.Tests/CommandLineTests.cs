using Kinora.Cli.Terminal;
using Kinora.Testing;

namespace Kinora.Cli.Tests;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("classify --top-j 3 x.mp4", "--top-k")]
    [InlineData("classify x.mp4 --reprot out.html", "--report")]
    [InlineData("clasify x.mp4", "classify")]
    [InlineData("train x --epocs 3", "--epochs")]
    [InlineData("data snyth out", "synth")]
    public async Task Run_MisspeltWord_SuggestsTheNearAndExitsWithTwo(string line, string suggestion)
    {
        (int code, string _, string err) = await RunAsync(line.Split(' '));
        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains($"did you mean '{suggestion}'?", err, StringComparison.Ordinal);
        Assert.Single(err.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("")]
    [InlineData("classify")]
    [InlineData("train")]
    [InlineData("classify x.mp4 --top-k many")]
    public async Task Run_IncompleteLine_ExitsWithTwo(string line)
    {
        (int code, string text, string err) = await RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains("kinora", text + err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("classify")]
    [InlineData("train")]
    [InlineData("launch")]
    [InlineData("eval")]
    [InlineData("export")]
    [InlineData("convert")]
    [InlineData("models list")]
    [InlineData("models info")]
    [InlineData("bench models")]
    [InlineData("models pull")]
    [InlineData("data synth")]
    [InlineData("data preview")]
    [InlineData("data list")]
    [InlineData("data frames")]
    [InlineData("data k400")]
    [InlineData("data ucf101")]
    [InlineData("data pack")]
    [InlineData("data doctor")]
    [InlineData("doctor")]
    public async Task Run_Help_ShowsAnExample(string command)
    {
        (int code, string text, string _) = await RunAsync([.. command.Split(' '), "--help"]);
        Assert.Equal(ExitCode.Success, code);
        Assert.Contains("Example", text, StringComparison.Ordinal);
        Assert.Contains($"kinora {command}", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Classify_MissingFile_OneLineAndExitCodeOne()
    {
        (int code, string _, string err) = await RunAsync(["classify", "/nowhere/clip.mp4"]);
        Assert.Equal(ExitCode.Failure, code);
        Assert.Single(err.TrimEnd().Split('\n'));
        Assert.Contains("/nowhere/clip.mp4", err, StringComparison.Ordinal);
    }

    [Fact]
    public void Expand_FolderAndPattern_OrdinalOrderWithoutDuplicates()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["inner"]);
        foreach (string name in new[] { "b.mp4", "a.MOV", "note.txt", "inner/c.avi" })
        {
            File.WriteAllText(folder[name], "");
        }

        string[] expected = [folder["a.MOV"], folder["b.mp4"], folder["inner/c.avi"]];
        Assert.Equal(expected, VideoInputs.Expand([folder.Path, folder["b.mp4"]]));
        Assert.Equal([folder["b.mp4"]], VideoInputs.Expand([folder["*.mp4"]]));
        Assert.Equal([folder["inner/c.avi"]], VideoInputs.Expand([folder["**/*.avi"]]));
        Assert.Throws<MediaException>(() => VideoInputs.Expand([folder["*.webm"]]));
    }

    [Theory]
    [InlineData(0, "    ")]
    [InlineData(1, "████")]
    [InlineData(0.5, "██  ")]
    [InlineData(0.28125, "█▏  ")]
    public void Draw_Share_BlocksToAnEighth(double share, string expected) => Assert.Equal(expected, ProbabilityBar.Draw(share, 4));

    [Fact]
    public async Task Run_TrainWithConfig_OptionsCompleteTheFile()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["c.yaml"], "loop:\n  epochs: 3\n", TestContext.Current.CancellationToken);
        (int code, string _, string err) = await RunAsync(["train", "/nowhere/clips", "--config", folder["c.yaml"], "--plan"]);
        Assert.Equal(ExitCode.Failure, code);
        Assert.Contains("/nowhere/clips", err, StringComparison.Ordinal);
        Assert.DoesNotContain("data.path", err, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Out, string Err)> RunAsync(string[] args)
    {
        StringWriter standard = new(), error = new();
        int code = await Program.RunAsync(args, new Output(standard, error, isInteractive: false));
        return (code, standard.ToString(), error.ToString());
    }
}
