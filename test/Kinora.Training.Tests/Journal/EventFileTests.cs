using System.Text;
using Kinora.Testing;

namespace Kinora.Training.Tests;

public sealed class EventFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Add_Scalars_ComeBackWithStepAndTime()
    {
        var clock = new FixedClock(new DateTimeOffset(2025, 3, 4, 10, 20, 0, 250, TimeSpan.Zero));
        using (EventFile file = EventFile.Create(_folder["tb"], 0, clock))
        {
            file.Add(1, ("train/loss", 2.5), ("learning_rate", 0.01));
            file.Add(300, ("train/loss", -1e-30), ("train/gradient_norm", double.NaN), ("validation/map", null));
            file.Add(long.MaxValue, ("größe", 3));
            file.Add(301, ("train/gradient_norm", double.PositiveInfinity)); // nothing to tell
        }

        string path = Directory.EnumerateFiles(_folder["tb"]).Single();
        Assert.Equal("events.out.tfevents.1741083600.kinora", Path.GetFileName(path));
        IReadOnlyList<EventRecord> events = EventRecords.Read(path);
        Assert.All(events, e => Assert.Equal(1741083600.25, e.Seconds));
        Assert.Equal([("brain.Event:2", null, 0), (null, 1L, 0), (null, null, 1), (null, null, 300), (null, null, long.MaxValue)], events.Select(e => (e.Version, e.SessionStatus, e.Step)));
        Assert.Equal([("train/loss", 2.5f), ("learning_rate", 0.01f), ("train/loss", -1e-30f), ("größe", 3f)], events.SelectMany(e => e.Scalars));
    }

    [Fact]
    public void Create_SeveralInOneSecond_NamesInOrderAndTheStepWhereEachTakesOver()
    {
        var clock = new FixedClock(DateTimeOffset.UnixEpoch.AddSeconds(7));
        foreach (long step in new[] { 0L, 5, 3 })
        {
            EventFile.Create(_folder.Path, step, clock).Dispose();
        }

        string[] files = [.. Directory.EnumerateFiles(_folder.Path).Order(StringComparer.Ordinal)];
        Assert.Equal([0L, 5, 3], files.Select(f => EventRecords.Read(f).Single(e => e.SessionStatus == 1).Step));
    }

    [Fact]
    public void MaskedChecksum_KnownText_TheKnownChecksum()
    {
        // RFC 3720, appendix B.4: the CRC-32C of 32 zero bytes; and the common check value.
        Assert.Equal(0x8a9136aau, Crc32C.Of(new byte[32]));
        Assert.Equal(0xe3069283u, Crc32C.Of(Encoding.ASCII.GetBytes("123456789")));
        Assert.Equal(((0xe3069283u >> 15) | (0xe3069283u << 17)) + 0xa282ead8u, EventFile.MaskedChecksum(Encoding.ASCII.GetBytes("123456789")));
    }

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
