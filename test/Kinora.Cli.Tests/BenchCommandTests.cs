using System.Text.Json;
using Kinora.Cli.Benchmarks;
using Kinora.Cli.Terminal;
using Kinora.Models;
using Kinora.Testing;

namespace Kinora.Cli.Tests;

public sealed class BenchCommandTests
{
    [Fact]
    public async Task Models_SmallNetwork_IsExportedOnceAndMeasuredWithEachNumberOfThreads()
    {
        using TemporaryFolder cache = new();
        string[] line = ["bench", "models", "tsm_efficientnet_lite0", "--frames", "2", "--size", "64", "--threads", "1", "2", "--seconds", "0", "--cache", cache.Path];

        (int code, string text, string err) = await RunAsync([.. line, "--json"]);

        Assert.Equal(ExitCode.Success, code);
        Assert.Contains("1 of 1  tsm_efficientnet_lite0", err, StringComparison.Ordinal);
        using JsonDocument report = JsonDocument.Parse(text);
        JsonElement network = Assert.Single(report.RootElement.GetProperty("networks").EnumerateArray());
        long cost = NetworkCost.Measure("tsm_efficientnet_lite0", new ModelOptions(400, 2, 64)).MultiplyAdds;
        Assert.Equal(cost, network.GetProperty("multiplyAdds").GetInt64());
        JsonElement[] threads = [.. network.GetProperty("threads").EnumerateArray()];
        JsonElement[] peaks = [.. report.RootElement.GetProperty("peaks").EnumerateArray()];
        Assert.Equal([1, 2], threads.Select(t => t.GetProperty("threads").GetInt32()));
        Assert.All(threads.Zip(peaks), pair =>
        {
            (JsonElement timing, JsonElement peak) = pair;
            double milliseconds = timing.GetProperty("milliseconds").GetDouble(), rate = timing.GetProperty("gflopPerSecond").GetDouble();
            Assert.Equal(1, timing.GetProperty("rounds").GetInt32());
            Assert.Equal(cost / milliseconds / 1e6, rate, 1e-6 * rate);
            Assert.Equal(rate / peak.GetProperty("gflopPerSecond").GetDouble(), timing.GetProperty("peakShare").GetDouble(), 1e-9);
        });

        string file = Assert.Single(Directory.EnumerateFiles(cache.Path, "*.onnx", SearchOption.AllDirectories));
        Assert.Equal("tsm_efficientnet_lite0-2f-64px-400.onnx", Path.GetFileName(file));
        DateTime written = File.GetLastWriteTimeUtc(file);
        (code, text, err) = await RunAsync(line);
        Assert.Equal(ExitCode.Success, code);
        Assert.Equal(written, File.GetLastWriteTimeUtc(file));
        string[] lines = text.TrimEnd().Split('\n');
        Assert.Matches("^network +GFLOP +threads +ms +GFLOP/s +of peak +rounds$", lines[0]);
        Assert.Matches(@"^tsm_efficientnet_lite0 +0\.06 +1 +\d+\.\d +\d+\.\d +\d+ % +1$", lines[1]);
        Assert.Matches(@"^ +2 +\d+\.\d +\d+\.\d +\d+ % +1$", lines[2]);
        Assert.Contains("measured peak:", err, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_OldBuilds_AreRemoved()
    {
        using TemporaryFolder cache = new();
        foreach ((string name, int days) in new[] { ("old", 30), ("recent", 3) })
        {
            Directory.CreateDirectory(cache[name]);
            File.WriteAllText(cache[$"{name}/x.onnx"], "x");
            Directory.SetLastWriteTimeUtc(cache[name], DateTime.UtcNow.AddDays(-days));
        }

        string path = RandomNetworks.Find("tsn_r18", new ModelOptions(3, 1, 32), cache.Path, null, TestContext.Current.CancellationToken);

        Assert.True(File.Exists(path));
        Assert.False(Directory.Exists(cache["old"]));
        Assert.True(Directory.Exists(cache["recent"]));
    }

    [Fact]
    public void Run_Cancelled_StopsAndLeavesNothingBehind()
    {
        using TemporaryFolder cache = new();
        using ModelsBenchmark benchmark = new([1], 1, cache.Path);
        using CancellationTokenSource cancellation = new();
        Relay<string> cancel = new(_ => cancellation.Cancel());

        Assert.ThrowsAny<OperationCanceledException>(() => benchmark.Run("tsn_r18", new ModelOptions(3, 1, 32), cancel, cancellation.Token));

        Assert.Empty(Directory.EnumerateFiles(cache.Path, "*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Sample_SomeThreads_IsPlausible(int threads)
    {
        using PeakProbe probe = new(2);
        PeakSample sample = probe.Sample(threads);

        // From four lanes every few cycles, on a core shared with others, to twice sixteen at 6 GHz.
        Assert.InRange(sample.Best, 0.1, 200 * threads);
        Assert.InRange(sample.Sustained, 0.001, sample.Best);
    }

    private static async Task<(int Code, string Out, string Err)> RunAsync(string[] args)
    {
        StringWriter standard = new(), error = new();
        int code = await Program.RunAsync(args, new Output(standard, error, isInteractive: false));
        return (code, standard.ToString(), error.ToString());
    }
}
