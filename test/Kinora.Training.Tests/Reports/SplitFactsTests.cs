using Kinora.Data;
using Kinora.Testing;

namespace Kinora.Training.Tests;

public sealed class SplitFactsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Of_SameClipsElsewhere_SameHashAndEveryChangeAnother()
    {
        var samples = new VideoSample[] { new(File("a", 100), 0), new(File("b", 20_000), 1), new(Frames("c"), 1, 2) };
        SplitFacts facts = Facts(samples);
        Assert.Equal(("train", 3, 100 + 20_000 + 30), (facts.Name, facts.Clips, facts.Bytes));
        Assert.Equal(64, facts.Hash.Length);

        // The folder above the last two names doesn't count.
        Directory.Move(_folder["data"], _folder["moved"]);
        samples = [.. samples.Select(s => s with { Path = s.Path.Replace($"{Path.DirectorySeparatorChar}data{Path.DirectorySeparatorChar}", $"{Path.DirectorySeparatorChar}moved{Path.DirectorySeparatorChar}", StringComparison.Ordinal) })];
        Assert.Equal(facts, Facts(samples));

        string[] others =
        [
            Facts([samples[1], samples[0], samples[2]]).Hash,
            Facts([samples[0] with { Label = 1 }, samples[1], samples[2]]).Hash,
            Facts([samples[0], samples[1] with { Labels = [1, 0] }, samples[2]]).Hash,
            Facts([samples[0], samples[1] with { StartSeconds = 1 }, samples[2]]).Hash,
            Facts([samples[0], samples[1]]).Hash,
            Changed(samples[0].Path, 50),
            Changed(samples[1].Path, 3),
            Changed(samples[1].Path, 19_999),
            Changed(Path.Combine(samples[2].Path, "img_00002.jpg"), null),
        ];
        Assert.DoesNotContain(facts.Hash, others);
        Assert.Equal(others.Length, others.Distinct().Count());

        string Changed(string path, int? at)
        {
            byte[] before = System.IO.File.ReadAllBytes(path), after = [.. before];
            after = at is int place ? after : [.. after, 0];
            after[at ?? 0] ^= 1;
            System.IO.File.WriteAllBytes(path, after);
            string hash = Facts(samples).Hash;
            System.IO.File.WriteAllBytes(path, before);
            return hash;
        }
    }

    [Fact]
    public void Of_MissingFileAndCancellation_NameAloneAndAnException()
    {
        Assert.Equal(0, Facts([new(_folder["nowhere.mp4"], 0)]).Bytes);
        Assert.Throws<OperationCanceledException>(() => SplitFacts.Of("train", Set([new("x", 0)]), new CancellationToken(canceled: true)));
    }

    private static SplitFacts Facts(VideoSample[] samples) => SplitFacts.Of("train", Set(samples));

    private static VideoDataset Set(VideoSample[] samples) => new(samples, new LabelMap(["x", "y"]), "train");

    private string File(string name, int bytes)
    {
        string path = Path.Combine(_folder["data"], "x", name + ".mp4");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllBytes(path, [.. Enumerable.Range(0, bytes).Select(i => (byte)(i * 31))]);
        return path;
    }

    private string Frames(string name)
    {
        string path = Path.Combine(_folder["data"], "x", name);
        Directory.CreateDirectory(path);
        System.IO.File.WriteAllBytes(Path.Combine(path, "img_00001.jpg"), new byte[10]);
        System.IO.File.WriteAllBytes(Path.Combine(path, "img_00002.jpg"), new byte[20]);
        return path;
    }
}
