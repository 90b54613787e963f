using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Kinora.Cli.Terminal;
using Kinora.Testing;

namespace Kinora.Cli.Tests;

/// <summary>The bundled model on the bundled clips, as a new user meets them.</summary>
public sealed class ClassifyTests
{
    private static string Samples => Path.Combine(SharedData.Checkout, "samples", "clips");

    [Fact]
    public async Task Classify_SampleClips_NamesTheActionOfEveryFile()
    {
        (int code, string text, string err) = await RunAsync(["classify", "--json", Samples]);
        Assert.Equal(ExitCode.Success, code);
        Assert.Empty(err);
        string[] lines = text.TrimEnd().Split('\n');
        Assert.Equal(8, lines.Length);
        foreach (string line in lines)
        {
            using JsonDocument clip = JsonDocument.Parse(line);
            string expected = Path.GetFileNameWithoutExtension(clip.RootElement.GetProperty("path").GetString()!);
            JsonElement best = clip.RootElement.GetProperty("predictions")[0];
            Assert.Equal(expected, best.GetProperty("label").GetString());
            Assert.InRange(best.GetProperty("probability").GetDouble(), 0.5, 1);
        }
    }

    [Fact]
    public async Task Classify_PlainText_ShowsBarsAndMilliseconds()
    {
        (int code, string text, _) = await RunAsync(["classify", "--top-k", "2", Path.Combine(Samples, "wave.mp4")]);
        Assert.Equal(ExitCode.Success, code);
        string[] lines = text.TrimEnd().Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.Matches(@"wave\.mp4  decode \d+\.\d · pixels \d+\.\d · network \d+\.\d ms$", lines[0]);
        Assert.Matches(@"^  wave +█+.* \d+\.\d\d %$", lines[1]);
    }

    [Fact]
    public async Task Classify_Report_IsSelfContainedAndEscaped()
    {
        using TemporaryFolder folder = new();
        string clip = folder["<b>&wave.mp4"];
        File.Copy(Path.Combine(Samples, "wave.mp4"), clip);
        (int code, _, _) = await RunAsync(["classify", clip, "--report", folder["out.html"]]);
        Assert.Equal(ExitCode.Success, code);
        string html = await File.ReadAllTextAsync(folder["out.html"], TestContext.Current.CancellationToken);
        Assert.Equal(8, Regex.Count(html, "src=\"data:image/jpeg;base64,/9j/"));
        Assert.DoesNotMatch("(src|href)=\"(?!data:)", html);
        Assert.DoesNotContain("<b>", html, StringComparison.Ordinal);
        Assert.Contains("&lt;b&gt;&amp;wave.mp4", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Classify_OneBadClipAmongGood_TheRestIsLabelledAndExitCodeIsOne()
    {
        using TemporaryFolder folder = new();
        await File.WriteAllTextAsync(folder["broken.mp4"], "not a video", TestContext.Current.CancellationToken);
        (int code, string text, string err) = await RunAsync(["classify", "--json", folder["broken.mp4"], Path.Combine(Samples, "wave.mp4")]);
        Assert.Equal(ExitCode.Failure, code);
        string[] lines = text.TrimEnd().Split('\n');
        Assert.Contains("\"error\"", lines[0], StringComparison.Ordinal);
        Assert.Contains("\"predictions\"", lines[1], StringComparison.Ordinal);
        Assert.Contains("1 of 2 clips", err, StringComparison.Ordinal);
    }

    [Fact]
    public void Classify_WholeProcess_NeverLoadsLibtorch()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "asks the Linux loader which libraries it opened");
        using TemporaryFolder folder = new();
        ProcessStartInfo start = new(Environment.ProcessPath!.Contains("dotnet", StringComparison.Ordinal) ? Environment.ProcessPath : "dotnet")
        {
            ArgumentList = { typeof(Program).Assembly.Location, "classify", "--json", Path.Combine(Samples, "wave.mp4") },
            RedirectStandardOutput = true,
            Environment = { ["LD_DEBUG"] = "files", ["LD_DEBUG_OUTPUT"] = folder["loader"] },
        };
        using Process process = Process.Start(start)!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        Assert.Contains("\"wave\"", text, StringComparison.Ordinal);
        string opened = string.Concat(Directory.GetFiles(folder.Path, "loader*").Select(File.ReadAllText));
        Assert.Contains("libonnxruntime", opened, StringComparison.Ordinal);
        Assert.Contains("libkinora_media", opened, StringComparison.Ordinal);
        Assert.DoesNotContain("libtorch", opened, StringComparison.Ordinal);
        Assert.DoesNotContain("libkinora_torch", opened, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Out, string Err)> RunAsync(string[] args)
    {
        StringWriter standard = new(), error = new();
        int code = await Program.RunAsync(args, new Output(standard, error, isInteractive: false));
        return (code, standard.ToString(), error.ToString());
    }
}
