using System.Text.Json;
using Kinora.Testing;

namespace Kinora.Training.Tests;

public sealed class MetricsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder["metrics.jsonl"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Add_Values_AreReadBackExactly()
    {
        using (MetricsFile file = MetricsFile.Open(Path, -1, 0))
        {
            file.Add("step", ("loss", 0.1), ("norm", double.NaN), ("clips", 8), ("at", 1L << 40), ("best", true), ("map", (double?)null), ("name", "a \"b\"\nä"));
            file.Add("run", ("time", new DateTimeOffset(2025, 3, 4, 12, 20, 0, 5, TimeSpan.FromHours(2))));
        }

        Assert.Equal(2, File.ReadAllText(Path).Count(c => c == '\n'));
        IReadOnlyList<JsonElement> lines = MetricsFile.Read(Path);
        Assert.Equal(["type", "loss", "norm", "clips", "at", "best", "map", "name"], lines[0].EnumerateObject().Select(p => p.Name));
        Assert.Equal(0.1, lines[0].GetProperty("loss").GetDouble());
        Assert.Equal(JsonValueKind.Null, lines[0].GetProperty("norm").ValueKind);
        Assert.Equal(1L << 40, lines[0].GetProperty("at").GetInt64());
        Assert.Equal("a \"b\"\nä", lines[0].GetProperty("name").GetString());
        Assert.Equal("2025-03-04T10:20:00.005Z", lines[1].GetProperty("time").GetString());
    }

    [Theory]
    [InlineData(-1, 0, 0)]
    [InlineData(0, 0, 1)]
    [InlineData(1, 0, 2)]
    [InlineData(2, 0, 3)] // killed between the last step and the end of the epoch
    [InlineData(2, 1, 4)]
    [InlineData(3, 1, 6)]
    [InlineData(9, 2, 6)] // evaluations at the end are made again
    public void Open_WhereARunGoesOn_KeepsWhatCameBefore(long steps, int epochs, int expected)
    {
        string[] lines =
        [
            """{"type":"run","global_step":0}""", """{"type":"step","global_step":1}""", """{"type":"step","global_step":2}""",
            """{"type":"epoch","epoch":1,"global_step":2}""", """{"type":"step","global_step":3}""", "somebody's note", """{"type":"evaluation","global_step":2}""",
        ];
        File.WriteAllText(Path, string.Join('\n', lines) + "\n{\"type\":\"st");
        MetricsFile.Open(Path, steps, epochs).Dispose();
        Assert.Equal(lines[..expected], File.ReadAllLines(Path));
    }

    [Fact]
    public void Read_EveryTruncation_WholeLinesOnly()
    {
        using (MetricsFile file = MetricsFile.Open(Path, -1, 0))
        {
            file.Add("step", ("global_step", 1), ("loss", 0.5));
            file.Add("step", ("global_step", 2), ("loss", 0.25));
        }

        byte[] bytes = File.ReadAllBytes(Path);
        for (int length = 0; length <= bytes.Length; length++)
        {
            File.WriteAllBytes(Path, bytes[..length]);
            Assert.Equal(bytes[..length].Count(b => b == '\n'), MetricsFile.Read(Path).Count);
            MetricsFile.Open(Path, 2, 1).Dispose();
            Assert.Equal(bytes[..length].Count(b => b == '\n'), File.ReadAllLines(Path).Length);
        }
    }
}
