using Kinora.Tensors;

namespace Kinora.Training.Tests;

/// <summary>Compares what two runs left, bit for bit but for times.</summary>
internal static class SameRuns
{
    private static readonly string[] Times =
    [
        "time", "step_seconds", "wait_seconds", "clips_per_second", "remaining_seconds", "loader_share", "train_seconds", "evaluation_seconds",
    ];

    /// <summary>Folders of two runs that went to their end.</summary>
    public static void AssertEqual(string expected, string actual)
    {
        foreach (string file in new[] { "best.safetensors", "last.safetensors" })
        {
            AssertSameTensors(Path.Combine(expected, file), Path.Combine(actual, file));
        }

        Assert.Equal(Kept(expected), Kept(actual));
        Assert.Equal(Figures(expected), Figures(actual));
        Assert.Equal(Rows(expected), Rows(actual));
        Assert.DoesNotContain(Directory.EnumerateFiles(actual), f => f.Contains(".tmp", StringComparison.Ordinal));

        static string[] Kept(string run) => [.. Directory.EnumerateFiles(run, "epoch_*").Select(f => Path.GetFileName(f)!).Order()];
    }

    /// <summary>Two safetensors files with the same tensors.</summary>
    public static void AssertSameTensors(string expectedPath, string actualPath)
    {
        (byte[] expectedBytes, byte[] actualBytes) = (File.ReadAllBytes(expectedPath), File.ReadAllBytes(actualPath));
        using SafetensorsFile expected = SafetensorsFile.Open(expectedPath), actual = SafetensorsFile.Open(actualPath);
        Assert.NotEmpty(expected.Entries);
        Assert.Equal(expected.Entries.Select(e => (e.Name, e.DType)), actual.Entries.Select(e => (e.Name, e.DType)));
        foreach ((SafetensorsEntry a, SafetensorsEntry b) in expected.Entries.Zip(actual.Entries))
        {
            Assert.True(
                expectedBytes.AsSpan((int)a.Offset, (int)a.ByteCount).SequenceEqual(actualBytes.AsSpan((int)b.Offset, (int)b.ByteCount)), $"{a.Name} differs");
        }
    }

    /// <summary>The figures of metrics.jsonl without times, a text a line.</summary>
    public static string[] Figures(string run) =>
    [
        .. MetricsFile.Read(Path.Combine(run, "metrics.jsonl"))
            .Where(r => r.GetProperty("type").GetString() is "step" or "epoch" or "evaluation")
            .Select(r => string.Join(' ', r.EnumerateObject().Where(p => !Times.Contains(p.Name)).Select(p => $"{p.Name}={p.Value.GetRawText()}"))),
    ];

    // The last four columns of metrics.csv are times.
    private static string[] Rows(string run) =>
        [.. File.ReadAllLines(Path.Combine(run, "metrics.csv")).Select(l => string.Join(',', l.Split(',')[..^4]))];
}
