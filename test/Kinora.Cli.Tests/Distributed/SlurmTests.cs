using System.Diagnostics;
using System.Globalization;
using Kinora.Testing;

namespace Kinora.Cli.Tests;

/// <summary>The documented script (docs/slurm.md) on a real Slurm.</summary>
public sealed class SlurmTests(SmallClips clips) : IClassFixture<SmallClips>
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(150);

    private static readonly Dictionary<string, string> Program = new() { ["KINORA"] = $"dotnet {Path.Combine(AppContext.BaseDirectory, "kinora.dll")}" };

    [Fact]
    public async Task Sbatch_TheDocumentedScript_TrainsOnTwoTasksAsOneProcessWould()
    {
        Assert.SkipUnless(SlurmCluster.IsInstalled, "no Slurm: install slurm-wlm and munge");
        using var folder = new TemporaryFolder();
        var launch = new LaunchTests(clips);
        (int alone, string text) = await LaunchTests.RunAsync(launch.Training(folder, "one", batch: 4));
        Assert.True(alone == 0, text);

        using SlurmCluster cluster = await SlurmCluster.StartAsync();
        int job = await SubmitAsync(cluster, folder, launch.Training(folder, "two", batch: 2));
        (string state, string log) = await EndAsync(cluster, job, folder);
        Assert.True(state == "COMPLETED", $"{state}: {log}");
        Assert.Contains("report ", log, StringComparison.Ordinal);
        double[][] expected = LaunchTests.Metrics(folder, "one"), actual = LaunchTests.Metrics(folder, "two");
        Assert.Equal(expected.Length, actual.Length);
        for (int epoch = 0; epoch < expected.Length; epoch++)
        {
            Assert.All(expected[epoch].Zip(actual[epoch]), pair => Assert.Equal(pair.First, pair.Second, 1e-6 * Math.Max(1, Math.Abs(pair.First))));
        }
    }

    [Fact]
    public async Task Sbatch_ATaskIsKilled_TheJobEndsAndTheNextOneResumes()
    {
        Assert.SkipUnless(SlurmCluster.IsInstalled, "no Slurm: install slurm-wlm and munge");
        using var folder = new TemporaryFolder();
        using SlurmCluster cluster = await SlurmCluster.StartAsync();
        string[] training = [.. new LaunchTests(clips).Training(folder, "run", batch: 2, epochs: 8), "--set", "checkpoints.everySteps=1"];
        int first = await SubmitAsync(cluster, folder, training);
        await LaunchTests.UntilAsync(() => File.Exists(folder["run/last.safetensors"]) || State(cluster, first) == "FAILED");
        int victim = Tasks().Single();
        long start = Stopwatch.GetTimestamp();
        using (Process task = Process.GetProcessById(victim))
        {
            task.Kill();
        }

        (string state, string log) = await EndAsync(cluster, first, folder);
        Assert.Equal("FAILED", state);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30), $"took {Stopwatch.GetElapsedTime(start)}");
        Assert.Contains("Killed", log, StringComparison.Ordinal);

        int second = await SubmitAsync(cluster, folder, ["train", "--resume", folder["run"]]);
        (string resumed, string all) = await EndAsync(cluster, second, folder);
        Assert.True(resumed == "COMPLETED", $"{resumed}: {all}");
        Assert.Equal(8, LaunchTests.Metrics(folder, "run").Length);
    }

    // The script adds "train" itself.
    private static async Task<int> SubmitAsync(SlurmCluster cluster, TemporaryFolder folder, string[] training)
    {
        using Process sbatch = cluster.Start(
            "sbatch", folder.Path, Program, [$"--output={folder["job.log"]}", "--parsable", Path.Combine(SharedData.Checkout, "samples", "slurm", "train.sbatch"), .. training[1..]]);
        string text = await sbatch.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string error = await sbatch.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await sbatch.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.True(sbatch.ExitCode == 0, error);
        return int.Parse(text, CultureInfo.InvariantCulture);
    }

    private static async Task<(string State, string Log)> EndAsync(SlurmCluster cluster, int job, TemporaryFolder folder)
    {
        string state = "";
        await LaunchTests.UntilAsync(() => (state = State(cluster, job)) is not ("PENDING" or "RUNNING" or "COMPLETING" or "CONFIGURING"));
        return (state, File.Exists(folder["job.log"]) ? await File.ReadAllTextAsync(folder["job.log"], TestContext.Current.CancellationToken) : "");
    }

    private static string State(SlurmCluster cluster, int job)
    {
        using Process scontrol = cluster.Start("scontrol", "/", Program, "show", "job", $"{job}");
        string facts = scontrol.StandardOutput.ReadToEnd();
        scontrol.WaitForExit();
        return facts.Split([' ', '\n']).First(f => f.StartsWith("JobState=", StringComparison.Ordinal))["JobState=".Length..];
    }

    // The processes of rank 1 that train: srun's own have no number.
    private static int[] Tasks() =>
        [.. Directory.EnumerateDirectories("/proc").Select(f => int.TryParse(Path.GetFileName(f), out int id) ? id : 0).Where(id => id > 0 && IsRankOne(id))];

    private static bool IsRankOne(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/cmdline").Contains("kinora.dll", StringComparison.Ordinal)
                && File.ReadAllText($"/proc/{id}/environ").Split('\0').Contains("SLURM_PROCID=1");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
