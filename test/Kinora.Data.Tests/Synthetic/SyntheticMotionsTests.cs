using Kinora.Data.Synthetic;
using Kinora.Data.Synthetic.Rendering;
using Kinora.Media;
using Kinora.Testing;

namespace Kinora.Data.Tests.Synthetic;

public sealed class SyntheticMotionsTests : IDisposable
{
    private static readonly SyntheticOptions _small = new()
    {
        Seed = 11,
        Actions = ["wave", "stand_up", "sit_down"],
        TrainClipsPerClass = 2,
        ValidationClipsPerClass = 1,
        TestClipsPerClass = 1,
        Width = 96,
        Height = 72,
        MinFrames = 16,
        MaxFrames = 20,
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Pairs() => new(SyntheticMotions.ReversedPairs.Select(p => (p.Forward, p.Backward)));

    public static TheoryData<string> Actions() => new(SyntheticMotions.AllActions);

    [Fact]
    public void DefaultActions_AreTenOrMoreWithThreeReversedPairs()
    {
        Assert.True(SyntheticMotions.DefaultActions.Count >= 10);
        Assert.True(SyntheticMotions.ReversedPairs.Count(p => SyntheticMotions.DefaultActions.Contains(p.Forward) && SyntheticMotions.DefaultActions.Contains(p.Backward)) >= 3);
        Assert.Equal(SyntheticMotions.DefaultActions.Order(StringComparer.Ordinal), SyntheticMotions.DefaultActions);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Render_Partners_DifferInTheOrderOfFramesAlone(string forward, string backward)
    {
        for (int index = 0; index < 3; index++)
        {
            byte[][] there = Frames(forward, index), back = Frames(backward, index);
            Array.Reverse(back);
            Assert.Equal(there.Length, back.Length);
            for (int i = 0; i < there.Length; i++)
            {
                Assert.True(there[i].AsSpan().SequenceEqual(back[i]), $"clip {index}, frame {i}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Actions))]
    public void Render_Action_MovesVisibly(string action)
    {
        var calm = new SyntheticOptions { Seed = 3, Difficulty = 0, Width = 160, Height = 120 };
        for (int index = 0; index < 3; index++)
        {
            ClipRenderer renderer = SyntheticMotions.Renderer(action, "test", index, calm);
            var (first, other) = (new byte[160 * 120 * 3], new byte[160 * 120 * 3]);
            renderer.Render(renderer.FrameCount / 16, first);
            int most = 0;
            for (int s = 1; s < 8; s++)
            {
                renderer.Render(((2 * s) + 1) * renderer.FrameCount / 16, other);
                int changed = 0;
                for (int p = 0; p < first.Length; p += 3)
                {
                    changed += Math.Abs(first[p] - other[p]) + Math.Abs(first[p + 1] - other[p + 1]) + Math.Abs(first[p + 2] - other[p + 2]) > 40 ? 1 : 0;
                }

                most = Math.Max(most, changed);
            }

            Assert.True(most > 100, $"{action} {index}: {most} pixels change");
        }
    }

    [Fact]
    public void Generate_AnyNumberOfWorkers_SameBytes()
    {
        SyntheticMotions.Generate(_folder["one"], _small with { Workers = 1 }, ct: TestContext.Current.CancellationToken);
        SyntheticMotions.Generate(_folder["three"], _small with { Workers = 3 }, ct: TestContext.Current.CancellationToken);
        SyntheticMotions.Generate(_folder["other"], _small with { Seed = 12 }, ct: TestContext.Current.CancellationToken);

        string[] files = Relative("one");
        Assert.Equal(files, Relative("three"));
        Assert.Equal(files, Relative("other"));
        foreach (string file in files)
        {
            Assert.True(File.ReadAllBytes(Path.Combine(_folder["one"], file)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(_folder["three"], file))), file);
            if (file.EndsWith(".mp4", StringComparison.Ordinal))
            {
                Assert.NotEqual(File.ReadAllBytes(Path.Combine(_folder["one"], file)), File.ReadAllBytes(Path.Combine(_folder["other"], file)));
            }
        }

        string[] Relative(string name) =>
            [.. Directory.EnumerateFiles(_folder[name], "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(_folder[name], f)).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public void Generate_ClassFolders_ReadBackAsFoldersAndAsLists()
    {
        var reports = new System.Collections.Concurrent.ConcurrentBag<SyntheticProgress>();
        SyntheticManifest manifest = SyntheticMotions.Generate(_folder["set"], _small, new Direct(reports.Add), TestContext.Current.CancellationToken);

        Assert.Equal(12, manifest.Clips.Count);
        Assert.Equal(Enumerable.Range(1, 12), reports.Select(r => r.Done).Order());
        DatasetSplits folders = DatasetFolder.Load(_folder["set"]);
        Assert.Equal(["sit_down", "stand_up", "wave"], folders.Train.Labels.Names);
        Assert.Equal([2, 2, 2], folders.Train.CountPerClass());
        Assert.Equal([1, 1, 1], folders.Test!.CountPerClass());
        var options = new DatasetListOptions { LabelFile = Path.Combine(_folder["set"], "classes.txt") };
        DatasetSplits lists = DatasetList.LoadSplits(Path.Combine(_folder["set"], "train.list"), Path.Combine(_folder["set"], "val.list"), Path.Combine(_folder["set"], "test.list"), options);
        Assert.Equal(folders.Train.Labels.Names, lists.Train.Labels.Names);
        Assert.Equal(
            folders.Train.Samples.OrderBy(s => s.Path, StringComparer.Ordinal), lists.Train.Samples.OrderBy(s => s.Path, StringComparer.Ordinal));

        SyntheticManifest read = SyntheticManifest.Read(Path.Combine(_folder["set"], "manifest.json"));
        Assert.Equal(manifest.Clips, read.Clips);
        Assert.Equal(_small.Seed, read.Options.Seed);
        foreach (SyntheticClip clip in read.Clips)
        {
            using VideoReader reader = VideoReader.Open(Path.Combine(_folder["set"], clip.Path), cancellationToken: TestContext.Current.CancellationToken);
            Assert.Equal((clip.Parameters.Frames, 96, 72), (reader.FrameCount, reader.Width, reader.Height));
            Assert.Equal("h264", reader.Codec);
            Assert.DoesNotContain(false, reader.IsKeyframe.ToArray());
        }
    }

    [Fact]
    public void Generate_Encoded_KeepsTheRenderedPicture()
    {
        SyntheticManifest manifest = SyntheticMotions.Generate(_folder["set"], _small with { Layout = SyntheticLayout.Flat }, ct: TestContext.Current.CancellationToken);

        SyntheticClip clip = manifest.Clips[0];
        using VideoReader reader = VideoReader.Open(Path.Combine(_folder["set"], clip.Path), cancellationToken: TestContext.Current.CancellationToken);
        byte[] decoded = new byte[96 * 72 * 3], rendered = new byte[96 * 72 * 3];
        reader.ReadFrames([5], decoded, TestContext.Current.CancellationToken);
        SyntheticMotions.Renderer(clip.Action, clip.Split, clip.Index, _small).Render(5, rendered);
        double error = decoded.Zip(rendered, (a, b) => Math.Abs(a - b)).Average();
        Assert.InRange(error, 0.1, 8);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Encode_Partners_DecodeToTheSameFramesInOppositeOrder(string forward, string backward)
    {
        byte[] there = Decode(forward), back = Decode(backward);
        const int frame = 96 * 72 * 3;
        for (int i = 0; i < there.Length; i += frame)
        {
            Assert.True(there.AsSpan(i, frame).SequenceEqual(back.AsSpan(back.Length - frame - i, frame)), $"frame {i / frame}");
        }

        byte[] Decode(string action)
        {
            string path = _folder[action + ".mp4"];
            SyntheticMotions.Encode(SyntheticMotions.Renderer(action, "val", 8, _small), path, TestContext.Current.CancellationToken);
            using VideoReader reader = VideoReader.Open(path, cancellationToken: TestContext.Current.CancellationToken);
            var frames = new byte[reader.FrameCount * frame];
            reader.ReadFrames([.. Enumerable.Range(0, reader.FrameCount)], frames, TestContext.Current.CancellationToken);
            return frames;
        }
    }

    [Fact]
    public void Generate_Cancelled_LeavesNoHalfFile()
    {
        using var stop = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            SyntheticMotions.Generate(_folder["set"], _small with { TrainClipsPerClass = 50 }, new Direct(_ => stop.Cancel()), stop.Token));

        string[] files = [.. Directory.EnumerateFiles(_folder["set"], "*", SearchOption.AllDirectories)];
        Assert.NotEmpty(files);
        Assert.All(files, f =>
        {
            using VideoReader reader = VideoReader.Open(f);
            Assert.True(reader.FrameCount >= 16);
        });
        Assert.False(File.Exists(Path.Combine(_folder["set"], "manifest.json")));
    }

    [Fact]
    public void Generate_WrongOptions_SaysWhich()
    {
        Assert.Contains("'dance'", Message(_small with { Actions = ["wave", "dance"] }), StringComparison.Ordinal);
        Assert.Contains("width", Message(_small with { Width = 97 }), StringComparison.Ordinal);
        Assert.Contains("frames", Message(_small with { MinFrames = 40 }), StringComparison.Ordinal);
        Assert.Contains("clips per class", Message(_small with { TrainClipsPerClass = -1 }), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["x"]));

        string Message(SyntheticOptions options) => Assert.Throws<ConfigException>(() => SyntheticMotions.Generate(_folder["x"], options)).Message;
    }

    private static byte[][] Frames(string action, int index)
    {
        ClipRenderer renderer = SyntheticMotions.Renderer(action, "train", index, _small);
        var frames = new byte[renderer.FrameCount][];
        for (int i = 0; i < frames.Length; i++)
        {
            frames[i] = new byte[renderer.Width * renderer.Height * 3];
            renderer.Render(i, frames[i]);
        }

        return frames;
    }

    private sealed class Direct(Action<SyntheticProgress> report) : IProgress<SyntheticProgress>
    {
        public void Report(SyntheticProgress value) => report(value);
    }
}
