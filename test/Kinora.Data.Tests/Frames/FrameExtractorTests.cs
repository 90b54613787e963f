using System.Text.Json;
using Kinora.Data.Tests.Loading;
using Kinora.Media;
using Kinora.Testing;

namespace Kinora.Data.Tests.Frames;

public sealed class FrameExtractorTests(Clips clips) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Extract_StoppedAndGoneOn_FramesAndListsReadBack()
    {
        VideoDataset videos = clips.WithBroken(2) is var set ? set with { Samples = [.. set.Samples.Where(s => s.FrameCount is null)] } : null!;
        DatasetSplits splits = new(videos, videos with { Samples = [] }, null) { ValidationHeldOut = true };
        string root = Path.GetDirectoryName(clips.Broken)!;
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => FrameExtractor.Extract(splits, root, _folder.Path, new() { Workers = 1 }, (done, _) => { if (done == 5) { stop.Cancel(); } }, stop.Token));
        string first = Directory.EnumerateFiles(_folder.Path, "img_00001.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First();
        DateTime written = File.GetLastWriteTimeUtc(first);

        FramesReport report = FrameExtractor.Extract(splits, root, _folder.Path, new() { Workers = 3 }, ct: Token);

        Assert.Equal(written, File.GetLastWriteTimeUtc(first));
        Assert.Equal(4, report.Found);
        Assert.Equal(12, report.Videos);
        Assert.Equal(clips.Broken, Assert.Single(report.Failures).Path);
        VideoDataset frames = DatasetList.Load(_folder["train.list"], null, DatasetListFormat.Frames);
        Assert.Equal(12, frames.Samples.Count);
        foreach ((VideoSample video, VideoSample extracted) in videos.Samples.Where(s => s.Path != clips.Broken).Zip(frames.Samples))
        {
            using IFrameSource a = video.Open(), b = extracted.Open();
            Assert.Equal(video.Label, extracted.Label);
            Assert.Equal(a.FrameCount, b.FrameCount);
            byte[] one = new byte[a.Width * a.Height * 3], other = new byte[one.Length];
            a.ReadFrames([a.FrameCount - 1], one);
            b.ReadFrames([a.FrameCount - 1], other);
            Assert.Equal(JpegImage.Decode(JpegImage.Encode(one, a.Width, a.Height, 95)).Rgb24, other);
        }

        Assert.Empty(Directory.EnumerateDirectories(_folder.Path, ".*.part", SearchOption.AllDirectories));
        Assert.Contains("name another folder", Assert.Throws<DatasetException>(() => FrameExtractor.Extract(splits, root, _folder.Path, new() { ShortSide = 32 }, ct: Token)).Message, StringComparison.Ordinal);
        string refusal = Assert.Throws<DatasetException>(() => FrameExtractor.Extract(splits, root, _folder.Path, new() { ShortSide = 32 }, ct: Token)).Message;
        Assert.Contains("expected short side 32 as asked for, found short side 0", refusal, StringComparison.Ordinal);
        Assert.DoesNotContain("OpenCv", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Extract_RecordedVideo_IsPaddleVideosFrames()
    {
        string recorded = SharedData.Require("golden/pipeline/rawframes/HandWash_006_A_01_G01");
        string video = Directory.EnumerateFiles(SharedData.Require("data/handwash"), "HandWash_006_A_01_G01.mp4", SearchOption.AllDirectories).Single();
        var set = new VideoDataset([new VideoSample(video, 0)], new LabelMap(["wash"]), "train");

        FrameExtractor.Extract(new DatasetSplits(set, set with { Samples = [] }, null) { ValidationHeldOut = true }, Path.GetDirectoryName(video)!, _folder.Path, new() { Color = ColorMatrix.Bt601 }, ct: Token);

        int sameBytes = 0, files = 0, worst = 0;
        foreach (string file in Directory.EnumerateFiles(recorded, "img_*.jpg"))
        {
            byte[] theirs = File.ReadAllBytes(file), ours = File.ReadAllBytes(Path.Combine(_folder["HandWash_006_A_01_G01"], Path.GetFileName(file)));
            files++;
            sameBytes += theirs.AsSpan().SequenceEqual(ours) ? 1 : 0;
            worst = Math.Max(worst, JpegImage.Decode(theirs).Rgb24.Zip(JpegImage.Decode(ours).Rgb24, (a, b) => Math.Abs(a - b)).Max());
        }

        Assert.Equal(30, files);
        TestContext.Current.TestOutputHelper!.WriteLine($"{sameBytes} of {files} files have PaddleVideo's bytes; pixels differ by at most {worst}");
        Assert.Equal(0, worst);

        using JsonDocument digests = JsonDocument.Parse(File.ReadAllBytes(SharedData.Require("golden/pipeline/decode.json")));
        foreach (JsonElement entry in digests.RootElement.GetProperty("rawframes").GetProperty("frames").EnumerateArray())
        {
            byte[] rgb = JpegImage.Decode(File.ReadAllBytes(_folder[entry.GetProperty("file").GetString()!])).Rgb24;
            Assert.Equal(entry.GetProperty("pil").GetProperty("sha256").GetString(), Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(rgb)));
        }
    }
}
