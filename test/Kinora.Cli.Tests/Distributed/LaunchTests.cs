using System.Diagnostics;
using System.Globalization;
using Kinora.Cli.Commands;
using Kinora.Cli.Launching;
using Kinora.Testing;

namespace Kinora.Cli.Tests;

/// <summary>The launcher and its processes, killed and interrupted for real.</summary>
public sealed class LaunchTests(SmallClips clips) : IClassFixture<SmallClips>
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(150);

    [Theory]
    [InlineData("launch --nproc 2 train x --epochs 3", "launch --nproc 2 -- train x --epochs 3")]
    [InlineData("launch --all-output -n 2 train -c y", "launch --all-output -n 2 -- train -c y")]
    [InlineData("launch --nproc=2 -- train x", "launch --nproc=2 -- train x")]
    [InlineData("launch --help", "launch --help")]
    [InlineData("launch --nproc", "launch --nproc")]
    [InlineData("train x -- y", "train x -- y")]
    public void Separate_OptionsOfTheLaunchedCommand_StayItsOwn(string line, string expected) =>
        Assert.Equal(expected.Split(' '), LaunchCommand.Separate(line.Split(' ')));

    [Fact]
    public void Variables_SecondMachine_AreTorchruns()
    {
        var plan = new LaunchPlan { Processes = 4, Machines = 2, Machine = 1, Host = "gpu01", Port = 29500, Arguments = [] };
        Dictionary<string, string> variables = plan.Variables(2, processors: 14).ToDictionary(v => v.Name, v => v.Value);
        Assert.Equal(("6", "8", "2", "4", "gpu01", "29500"), (variables["RANK"], variables["WORLD_SIZE"], variables["LOCAL_RANK"], variables["LOCAL_WORLD_SIZE"], variables["MASTER_ADDR"], variables["MASTER_PORT"]));
        Assert.Equal("3", variables["DOTNET_PROCESSOR_COUNT"]);
    }

    [Fact]
    public async Task Launch_TwoProcesses_TheMetricsOfOneWithTheDoubleBatch()
    {
        using var folder = new TemporaryFolder();
        (int one, string oneText) = await RunAsync(Training(folder, "one", batch: 4));
        Assert.True(one == 0, oneText);
        (int two, string twoText) = await RunAsync(["launch", "--nproc", "2", .. Training(folder, "two", batch: 2)]);
        Assert.True(two == 0, twoText);
        double[][] expected = Metrics(folder, "one"), actual = Metrics(folder, "two");
        Assert.Equal(2, expected.Length);
        for (int epoch = 0; epoch < expected.Length; epoch++)
        {
            for (int column = 0; column < expected[epoch].Length; column++)
            {
                Assert.Equal(expected[epoch][column], actual[epoch][column], 1e-6 * Math.Max(1, Math.Abs(expected[epoch][column])));
            }
        }

        Assert.True(File.Exists(folder["two/model.onnx"]));
        Assert.Single(twoText.Split('\n'), line => line.StartsWith("report ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Launch_ARankIsKilled_TheRestEndsWithinHalfAMinuteAndResumeGoesOn()
    {
        using var folder = new TemporaryFolder();
        string[] training = [.. Training(folder, "run", batch: 2, epochs: 8), "--set", "checkpoints.everySteps=1"];
        using var launcher = Kinora(["launch", "--nproc", "2", .. training]);
        try
        {
            Task<string> error = launcher.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            Task<string> text = launcher.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await UntilAsync(() => File.Exists(folder["run/last.safetensors"]) || launcher.HasExited);
            Assert.False(launcher.HasExited, launcher.HasExited ? await error + await text : "");
            int victim = Children(launcher.Id).Single(id => Variable(id, "RANK") == "1");
            long start = Stopwatch.GetTimestamp();
            using (Process rank = Process.GetProcessById(victim))
            {
                rank.Kill();
            }

            await launcher.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Deadline, TestContext.Current.CancellationToken);
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30), "took longer than 30 s");
            Assert.Equal(137, launcher.ExitCode);
            Assert.Contains($"rank 1 (process {victim}) was ended by signal 9", await error, StringComparison.Ordinal);
            Assert.Contains("rank 0 of 2: ", await error, StringComparison.Ordinal);
            await text;
        }
        finally
        {
            End(launcher);
        }

        (int code, string all) = await RunAsync(["launch", "--nproc", "2", "train", "--resume", folder["run"]]);
        Assert.True(code == 0, all);
        Assert.Equal(Enumerable.Range(1, 8).Select(e => (double)e), Metrics(folder, "run").Select(m => m[0]));
    }

    [Fact]
    public async Task Launch_Terminated_EveryRankStopsAndTheCheckpointIsThere()
    {
        using var folder = new TemporaryFolder();
        using var launcher = Kinora(["launch", "--nproc", "2", .. Training(folder, "run", batch: 2, epochs: 400), "--set", "checkpoints.everySteps=1"]);
        try
        {
            Task<string> error = launcher.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            Task<string> text = launcher.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await UntilAsync(() => File.Exists(folder["run/last.safetensors"]) || launcher.HasExited);
            int[] ranks = Children(launcher.Id);
            Assert.Equal(2, ranks.Length);
            Signal(launcher.Id, 15);
            await launcher.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Deadline, TestContext.Current.CancellationToken);
            Assert.Equal(ExitCode.Failure, launcher.ExitCode);
            Assert.DoesNotContain("signal", await error, StringComparison.Ordinal);
            await text;
            Assert.All(ranks, id => Assert.False(Directory.Exists($"/proc/{id}"), $"process {id} is left"));
            Assert.Contains("cancelled; continue with --resume", await File.ReadAllTextAsync(folder["run/log.txt"], TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
        finally
        {
            End(launcher);
        }
    }

    [Fact]
    public async Task Launch_ACommandThatFails_ExitsWithItsCode()
    {
        (int code, string text) = await RunAsync(["launch", "--nproc", "2", "classify", "/nowhere/clip.mp4"]);
        Assert.Equal(ExitCode.Failure, code);
        Assert.Contains("[rank 1] kinora: ", text, StringComparison.Ordinal);
    }

    internal static Process Kinora(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "kinora.dll"));
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    internal static async Task<(int Code, string Text)> RunAsync(IEnumerable<string> arguments)
    {
        using Process process = Kinora(arguments);
        try
        {
            Task<string> text = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Deadline, TestContext.Current.CancellationToken);
            return (process.ExitCode, await text + await error);
        }
        finally
        {
            End(process);
        }
    }

    internal static async Task UntilAsync(Func<bool> holds)
    {
        long start = Stopwatch.GetTimestamp();
        while (!holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Deadline, "waited too long");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    // Epoch, losses and accuracies; times are left out.
    internal static double[][] Metrics(TemporaryFolder folder, string run) =>
        [.. File.ReadLines(folder[$"{run}/metrics.csv"]).Skip(1).Select(line => (double[])[.. line.Split(',').Take(6).Select(v => double.Parse(v, CultureInfo.InvariantCulture))])];

    internal string[] Training(TemporaryFolder folder, string name, int batch, int epochs = 2) =>
    [
        "train", clips.Folder, "--output", folder.Path, "--name", name, "--from-scratch", "--frames", "2", "--size", "32", "--batch-size", $"{batch}",
        "--epochs", $"{epochs}", "--threads", "1", "--lr", "0.01", "--set", "loop.precision=fp64", "--set", "data.workers=1",
    ];

    private static int[] Children(int process) =>
        [.. File.ReadAllText($"/proc/{process}/task/{process}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(id => int.Parse(id, CultureInfo.InvariantCulture))];

    private static string? Variable(int process, string name) =>
        File.ReadAllText($"/proc/{process}/environ").Split('\0').FirstOrDefault(v => v.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];

    private static void Signal(int process, int signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", $"{process}"]);
        kill.WaitForExit();
    }

    // A launcher that is killed can't end its processes; they lose each other or are ended here.
    private static void End(Process process)
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }
    }
}
