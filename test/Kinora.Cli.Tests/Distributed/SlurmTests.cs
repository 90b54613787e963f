using System.Diagnostics;
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
        using Process sbatch = Submit(cluster, folder, launch.Training(folder, "two", batch: 2));
        (int code, string log) = await EndAsync(sbatch, folder);
        Assert.True(code == 0, log);
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
        string[] training = [.. new LaunchTests(clips).Training(folder, "run", batch: 2, epochs: 30), "--set", "checkpoints.everySteps=1"];
        using (Process sbatch = Submit(cluster, folder, training))
        {
            await LaunchTests.UntilAsync(() => File.Exists(folder["run/last.safetensors"]) || sbatch.HasExited);
            int victim = Tasks().Single();
            long start = Stopwatch.GetTimestamp();
            using (Process task = Process.GetProcessById(victim))
            {
                task.Kill();
            }

            (int code, string log) = await EndAsync(sbatch, folder);
            Assert.NotEqual(0, code);
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(45), "took too long"); // 30 s, and Slurm's own turn
            Assert.Contains("Killed", log, StringComparison.Ordinal);
        }

        using Process again = Submit(cluster, folder, ["train", "--resume", folder["run"]]);
        (int resumed, string all) = await EndAsync(again, folder);
        Assert.True(resumed == 0, all);
        Assert.Equal(30, LaunchTests.Metrics(folder, "run").Length);
    }

    // The script adds "train" itself.
    private static Process Submit(SlurmCluster cluster, TemporaryFolder folder, string[] training) => cluster.Start(
        "sbatch", folder.Path, Program, [$"--output={folder["job.log"]}", "--wait", Path.Combine(SharedData.Checkout, "samples", "slurm", "train.sbatch"), .. training[1..]]);

    private static async Task<(int Code, string Log)> EndAsync(Process sbatch, TemporaryFolder folder)
    {
        Task<string> error = sbatch.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> text = sbatch.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        try
        {
            await sbatch.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Deadline, TestContext.Current.CancellationToken);
        }
        finally
        {
            if (!sbatch.HasExited)
            {
                sbatch.Kill();
            }
        }

        string log = File.Exists(folder["job.log"]) ? await File.ReadAllTextAsync(folder["job.log"], TestContext.Current.CancellationToken) : "";
        return (sbatch.ExitCode, await text + await error + log);
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
