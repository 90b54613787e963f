using Kinora.Media;
using Kinora.Testing;

namespace Kinora.Data.Tests.Inspection;

public sealed class DatasetDoctorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Examine_Handwash_FindsTheVideosThatOccurTwiceAndNoOthers()
    {
        DatasetReport report = DatasetDoctor.Examine(DoctorInput.Of(DatasetFolder.Load(SharedData.Require("data/handwash"))), ct: Token);

        DatasetProblem[] duplicates = [.. report.Problems.Where(p => p.Kind is ProblemKind.Duplicate or ProblemKind.DuplicateAcrossParts)];
        Assert.Equal(
            ["002_A_04 008_A_04", "002_A_12 004_A_12", "003_A_10 005_A_10", "003_A_11 005_A_11", "003_A_12 005_A_12", "004_A_07 005_A_07"],
            duplicates.Select(d => string.Join(' ', d.Clips.Select(c => Path.GetFileName(c.Path)[9..17]).Order(StringComparer.Ordinal))).Order(StringComparer.Ordinal));

        // Precision: frame by frame, the two are the same pictures.
        foreach (DatasetProblem pair in duplicates)
        {
            using VideoReader a = VideoReader.Open(pair.Clips[0].Path), b = VideoReader.Open(pair.Clips[1].Path);
            byte[] one = new byte[a.Width * a.Height * 3], other = new byte[one.Length];
            for (int i = 0; i < 4; i++)
            {
                a.ReadFrames([i * (a.FrameCount - 1) / 3], one);
                b.ReadFrames([Math.Min(i * (a.FrameCount - 1) / 3, b.FrameCount - 1)], other);
                Assert.InRange(one.Zip(other, (x, y) => Math.Abs(x - y)).Average(), 0, 3);
            }
        }

        Assert.Equal(103, report.Parts.Sum(p => p.Clips));
        Assert.Equal(0, report.Parts.Sum(p => p.Unreadable));
    }

    [Fact]
    public void Examine_ReencodedAndRescaled_AreDuplicatesAcrossParts()
    {
        string data = SharedData.Require("data/handwash");
        string[] originals = [.. Directory.EnumerateFiles(data, "*_A_0?_*.mp4", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Where((_, i) => i % 12 == 3).Take(5)];
        for (int i = 0; i < originals.Length; i++)
        {
            string name = Path.GetFileName(Path.GetDirectoryName(originals[i])!);
            Directory.CreateDirectory(_folder[$"train/{name}"]);
            Directory.CreateDirectory(_folder[$"val/{name}"]);
            Directory.CreateDirectory(_folder[$"test/{name}"]);
            File.Copy(originals[i], _folder[$"train/{name}/{i}.mp4"]);
            Reencoding.Write(originals[i], _folder[$"val/{name}/{i}.mp4"], quality: 38, shortSide: 96);
            Reencoding.Write(originals[i], _folder[$"test/{name}/{i}.mp4"], quality: 30, stride: 2);
        }

        foreach (bool quick in new[] { false, true })
        {
            DatasetReport report = DatasetDoctor.Examine(DoctorInput.Of(DatasetFolder.Load(_folder.Path)), new DoctorOptions { Quick = quick }, ct: Token);

            DatasetProblem[] across = [.. report.Problems.Where(p => p.Kind == ProblemKind.DuplicateAcrossParts)];
            Assert.Equal(originals.Length, across.Length);

            // A few frames of a video with half of its frames are other frames: with --quick that may go unseen.
            Assert.All(across, p => Assert.InRange(p.Clips.Count, quick ? 2 : 3, 3));
            Assert.All(across, p => Assert.Single(p.Clips.Select(c => Path.GetFileName(c.Path)).Distinct()));
            Assert.All(across, p => Assert.Equal(ProblemLevel.Error, p.Level));
        }
    }

    [Fact]
    public void Examine_BadFiles_EachSaysWhatIsWrong()
    {
        string clips = SharedData.Require("data/clips");
        Directory.CreateDirectory(_folder["a"]);
        Directory.CreateDirectory(_folder["b"]);
        File.Copy(Path.Combine(clips, "corrupted.mp4"), _folder["a/corrupted.mp4"]);
        File.WriteAllText(_folder["a/text.mp4"], "no video");
        File.WriteAllBytes(_folder["a/cut.mkv"], File.ReadAllBytes(Path.Combine(clips, "flipping_a_pancake.mkv"))[..200_000]);
        File.Copy(Path.Combine(clips, "example.avi"), _folder["a/fine.avi"]);
        WriteVideo("a/short.mp4", 5, 64, 48, 25);
        WriteVideo("b/portrait.mp4", 20, 48, 64, 25);
        WriteVideo("b/slow.mp4", 20, 64, 48, 4);
        string list = Write("l.csv", "path,label,frames\na/corrupted.mp4,a,\na/text.mp4,a,\na/cut.mkv,a,\na/fine.avi,a,\na/short.mp4,a,5\nb/portrait.mp4,b,25\nb/slow.mp4,b,15\na/gone.mp4,a,\nb/slow.mp4,b,15\na/x.mp4\n");

        DatasetReport report = DatasetDoctor.Examine(DoctorInput.OfLists([("train", list)], new DatasetListOptions()), ct: Token);

        Assert.Equal(ProblemLevel.Error, Level("corrupted.mp4", ProblemKind.Damaged, "frame 29 of 50"));
        Assert.Equal(ProblemLevel.Error, Level("text.mp4", ProblemKind.Unreadable, ""));
        Assert.Equal(ProblemLevel.Error, Level("gone.mp4", ProblemKind.Missing, "found nothing"));
        Assert.Equal(ProblemLevel.Warning, Level("short.mp4", ProblemKind.Short, "expected 8 frames or more, found 5"));
        Assert.Equal(ProblemLevel.Note, Level("portrait.mp4", ProblemKind.Portrait, "48x64"));
        Assert.Equal(ProblemLevel.Note, Level("slow.mp4", ProblemKind.FrameRate, "4 frames per second"));
        Assert.Equal(ProblemLevel.Error, Level("portrait.mp4", ProblemKind.Length, "expected 25 frames as stated, found 20"));
        Assert.Equal(ProblemLevel.Warning, Level("slow.mp4", ProblemKind.Length, "expected 15 frames as stated, found 20"));
        Assert.Equal(ProblemLevel.Error, Level("l.csv", ProblemKind.ListLine, "line 11: expected 3 fields"));
        Assert.Equal(ProblemLevel.Error, Level("l.csv", ProblemKind.ListLine, "in lines 8, 10"));
        Assert.Contains(report.Problems, p => p.Clips.Any(c => c.Path.EndsWith("cut.mkv", StringComparison.Ordinal)) && p.Kind is ProblemKind.Damaged or ProblemKind.Length);
        Assert.DoesNotContain(report.Problems, p => p.Level > ProblemLevel.Note && p.Clips.Any(c => c.Path.EndsWith("fine.avi", StringComparison.Ordinal)));
        Assert.True(report.Problems.Select(p => p.Level).SequenceEqual(report.Problems.Select(p => p.Level).OrderDescending()));

        ProblemLevel Level(string file, ProblemKind kind, string message) =>
            Assert.Single(report.Problems.Where(p => p.Kind == kind && p.Message.Contains(message, StringComparison.Ordinal) && p.Clips.Any(c => c.Path.EndsWith(file, StringComparison.Ordinal))).DistinctBy(p => p.Message)).Level;
    }

    [Fact]
    public void Examine_Classes_GapsAndBalance()
    {
        WriteVideo("v.mp4", 9, 32, 32, 25);
        string train = Write("t.list", string.Concat(Enumerable.Range(0, 22).Select(i => $"v{i}.mp4 {(i < 20 ? 0 : i < 21 ? 1 : 4)}\n")));
        string val = Write("v.list", "v.mp4 3\nv.mp4 0\n");
        File.Copy(_folder["v.mp4"], _folder["v0.mp4"]);

        DatasetReport report = DatasetDoctor.Examine(DoctorInput.OfLists([("train", train), ("val", val)], new DatasetListOptions()), ct: Token);

        string[] classes = [.. report.Problems.Where(p => p.Kind is ProblemKind.Classes or ProblemKind.Balance).Select(p => $"{p.Level} {p.Message}")];
        Assert.Contains(classes, c => c.StartsWith("Error class 3: expected every index from 0 to 4 in use, found none, though 1 elsewhere", StringComparison.Ordinal));
        Assert.Contains(classes, c => c.StartsWith("Warning class 2: expected every index from 0 to 4 in use, found none", StringComparison.Ordinal));
        Assert.Contains(classes, c => c.StartsWith("Warning class 'class 1': expected several clips in train, found 1", StringComparison.Ordinal));
        Assert.Contains(classes, c => c.StartsWith("Note class 'class 1': no clips in val", StringComparison.Ordinal));
        Assert.Contains(classes, c => c.StartsWith("Warning train: 'class 0' has 20 clips, 'class 1' 1", StringComparison.Ordinal));
        Assert.Equal([20, 1, 0, 0, 1], report.Parts[0].PerClass);
    }

    [Fact]
    public void Examine_OneListAsTwoParts_EveryClipInSeveralParts()
    {
        WriteVideo("a1.mp4", 12, 64, 48, 25);
        WriteVideo("b1.mp4", 12, 64, 48, 25);
        string list = Write("l.csv", "path,label\na1.mp4,a\nb1.mp4,b\n");

        DatasetReport report = DatasetDoctor.Examine(DoctorInput.OfLists([("train", list), ("val", list)], new DatasetListOptions()), ct: Token);

        Assert.Equal([ProblemLevel.Error, ProblemLevel.Error], report.Problems.Where(p => p.Kind == ProblemKind.DuplicateAcrossParts).Select(p => p.Level));
    }

    [Fact]
    public void Examine_EmptyClassFolder_Noted()
    {
        WriteVideo("set/train/a/1.mp4", 12, 64, 48, 25);
        Directory.CreateDirectory(_folder["set/train/b"]);
        Directory.CreateDirectory(_folder["set/val/a"]);

        DatasetReport report = DatasetDoctor.Examine(DoctorInput.Of(DatasetFolder.Load(_folder["set"] + "/")), ct: Token);

        DatasetProblem note = Assert.Single(report.Problems, p => p.Message.StartsWith("folder 'b'", StringComparison.Ordinal));
        Assert.Equal((ProblemKind.Classes, ProblemLevel.Note), (note.Kind, note.Level));
        Assert.Equal(_folder["set/train/b"], Assert.Single(note.Clips).Path);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(-8, 0)]
    [InlineData(8, -1)]
    public void Examine_OptionOutOfRange_Refused(int frames, int workers)
    {
        WriteVideo("set/a/1.mp4", 12, 64, 48, 25);
        DoctorInput input = DoctorInput.Of(DatasetFolder.Load(_folder["set"]));
        Assert.Contains("found", Assert.Throws<ConfigException>(() => DatasetDoctor.Examine(input, new DoctorOptions { Frames = frames, Workers = workers }, ct: Token)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Examine_AnyWorkers_SameReport()
    {
        for (int i = 0; i < 6; i++)
        {
            WriteVideo($"set/{(i % 2 == 0 ? "a" : "b")}/{i}.mp4", 6 + i, 64, i == 3 ? 96 : 48, 25);
        }

        DoctorInput input = DoctorInput.Of(DatasetFolder.Load(_folder["set"]));
        string[] one = Texts(1), four = Texts(4);
        Assert.NotEmpty(one);
        Assert.Equal(one, four);

        string[] Texts(int workers) =>
            [.. DatasetDoctor.Examine(input, new DoctorOptions { Workers = workers }, ct: Token).Problems.Select(p => $"{p.Kind} {p.Message} {string.Join(',', p.Clips.Select(c => c.Path))}")];
    }

    [Fact]
    public void Examine_DamagedPack_NamesTheClip()
    {
        WriteVideo("set/a/one.mp4", 12, 64, 48, 25);
        WriteVideo("set/b/two.mp4", 12, 64, 48, 25);
        DatasetSplits splits = DatasetFolder.Load(_folder["set"], new DatasetFolderOptions { ValidationShare = 0, TestShare = 0 });
        DatasetPacker.Pack(splits, _folder["set"], _folder["pack"], new PackOptions { Color = ColorMatrix.Bt601 }, ct: Token);
        Assert.Equal(0, DatasetDoctor.Examine(DoctorInput.Of(DatasetFolder.Load(_folder["pack"])), ct: Token).Count(ProblemLevel.Error));
        string shard = Path.Combine(_folder["pack"], "shard-00000.bin");
        byte[] bytes = File.ReadAllBytes(shard);
        bytes[^1000] ^= 4;
        File.WriteAllBytes(shard, bytes);

        DatasetReport report = DatasetDoctor.Examine(DoctorInput.Of(DatasetFolder.Load(_folder["pack"])), ct: Token);

        DatasetProblem damaged = Assert.Single(report.Problems, p => p.Level == ProblemLevel.Error);
        Assert.Equal(_folder["pack/b/two.mp4"], Assert.Single(damaged.Clips).Path);
        Assert.Contains("frame 11 of 12", damaged.Message, StringComparison.Ordinal);
    }

    private void WriteVideo(string name, int frames, int width, int height, double rate)
    {
        // Every video its own pattern: none of them is another's duplicate.
        uint seed = (uint)CounterRandom.Fnv1a64(name);
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        using var writer = new VideoWriter(_folder[name], width, height, rate);
        byte[] frame = new byte[width * height * 3];
        for (int t = 0; t < frames; t++)
        {
            for (int i = 0; i < frame.Length; i++)
            {
                int x = i / 3 % width, y = i / 3 / width;
                frame[i] = (byte)(128 + (100 * Math.Sin((x * ((seed % 7) + 1) * 0.05) + (y * ((seed / 7 % 5) + 1) * 0.07) + (t * ((seed / 35 % 9) + 1) * 0.1))));
            }

            writer.Write(frame);
        }

        writer.Finish();
    }

    private string Write(string name, string text)
    {
        File.WriteAllText(_folder[name], text);
        return _folder[name];
    }
}
