using Kinora.Testing;

namespace Kinora.Media.Tests.Decoding;

/// <summary>Every frame reached alone, or among others in any order, is the frame that reading in order gives.</summary>
public sealed class RandomAccessTests
{
    [Theory]
    [InlineData(0, 250)]
    [InlineData(0, 12)]
    [InlineData(2, 25)]
    [InlineData(3, 40)]
    [InlineData(8, 33)]
    public void ReadFrames_EveryFrameAlone_EqualsReadingInOrder(int bFrames, int keyframeInterval)
    {
        using var folder = new TemporaryFolder();
        string path = TestClips.Encode(folder["a.mp4"], 100, options: new VideoWriterOptions { BFrames = bFrames, KeyframeInterval = keyframeInterval });
        Check(path);
    }

    public static TheoryData<string, string> Streams => new()
    {
        { "open-gop.mp4", "-c:v libx264 -g 12 -x264-params open-gop=1:bframes=3:b-pyramid=2" },
        { "open-gop.ts", "-c:v libx264 -g 12 -x264-params open-gop=1:bframes=3" },
        { "refresh.mp4", "-c:v libx264 -g 20 -x264-params intra-refresh=1:bframes=0" },
        { "fragments.mp4", "-c:v libx264 -g 20 -movflags frag_keyframe+empty_moov" },
        { "counted.avi", "-c:v mpeg4 -bf 2 -g 20" },
        { "plain.avi", "-c:v mpeg4 -g 20" },
        { "mpeg2.ts", "-c:v mpeg2video -bf 2 -g 15" },
        { "hidden.webm", "-c:v libvpx -auto-alt-ref 1 -lag-in-frames 16 -b:v 200k -g 30" },
        { "vp9.webm", "-c:v libvpx-vp9 -auto-alt-ref 1 -lag-in-frames 16 -b:v 200k -g 30 -cpu-used 5" },
        { "hevc.mp4", "-c:v libx265 -x265-params log-level=none:keyint=20" },
        { "layers.mp4", "-c:v libx265 -x265-params log-level=none:keyint=24:temporal-layers=3:bframes=7" },
        { "open-gop.mkv", "-c:v libx265 -x265-params log-level=none:keyint=16:open-gop=1" },
    };

    [Theory]
    [MemberData(nameof(Streams))]
    public void ReadFrames_EveryFrameAloneOfOddStreams_EqualsReadingInOrder(string name, string encoder)
    {
        using var folder = new TemporaryFolder();
        FfmpegOracleTests.Make(folder[name], "testsrc2=size=96x64:rate=25:duration=2.4", encoder);
        Check(folder[name]);
    }

    private static void Check(string path)
    {
        using VideoReader reader = VideoReader.Open(path);
        byte[] all = TestClips.ReadAll(reader);
        int frameBytes = reader.Width * reader.Height * 3;
        var one = new byte[frameBytes];
        for (int i = reader.FrameCount - 1; i >= 0; i--)
        {
            reader.ReadFrames([i], one);
            Assert.True(one.AsSpan().SequenceEqual(all.AsSpan(i * frameBytes, frameBytes)), $"frame {i} alone");
        }

        var random = new CounterRandom(1, "order");
        int[] order = [.. Enumerable.Range(0, reader.FrameCount)];
        random.Shuffle<int>(order);
        for (int start = 0; start + 5 <= order.Length; start += 5)
        {
            int[] some = [.. order[start..(start + 5)], order[start]];
            var frames = new byte[some.Length * frameBytes];
            reader.ReadFrames(some, frames);
            for (int k = 0; k < some.Length; k++)
            {
                Assert.True(frames.AsSpan(k * frameBytes, frameBytes).SequenceEqual(all.AsSpan(some[k] * frameBytes, frameBytes)), $"frame {some[k]} among {string.Join(", ", some)}");
            }
        }
    }
}
