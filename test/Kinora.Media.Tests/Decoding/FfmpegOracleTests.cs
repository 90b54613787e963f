using System.Globalization;
using System.Text;
using Kinora.Testing;

namespace Kinora.Media.Tests.Decoding;

/// <summary>Frames and times of many kinds of streams, against the ffmpeg and ffprobe commands.</summary>
public sealed class FfmpegOracleTests
{
    private const string Moving = "testsrc2=size=176x144:rate=25:duration=1.6";
    private const string OddSize = "testsrc2=size=178x150:rate=25:duration=0.8";
    private const string H264 = "-c:v libx264 -pix_fmt yuv420p";

    public static TheoryData<string, string, string> Streams => new()
    {
        { "h264.mp4", Moving, $"{H264} -g 15" },
        { "open-gop.ts", Moving, $"{H264} -g 12 -x264-params open-gop=1:bframes=3" },
        { "variable-rate.mp4", Moving, $"-vf select='not(mod(n,3))+not(mod(n,7))' -vsync vfr {H264}" },
        { "variable-rate.mkv", Moving, $"-vf select='not(mod(n,3))+not(mod(n,7))' -vsync vfr {H264}" },
        { "fragments.mp4", Moving, $"{H264} -g 15 -movflags frag_keyframe+empty_moov" },
        { "lossless.mkv", Moving, $"{H264} -qp 0" },
        { "odd.mp4", OddSize, H264 },
        { "four-two-two.mp4", OddSize, "-c:v libx264 -pix_fmt yuv422p" },
        { "four-four-four.mp4", OddSize, "-c:v libx264 -pix_fmt yuv444p" },
        { "ten-bit.mp4", OddSize, "-c:v libx264 -pix_fmt yuv420p10" },
        { "rgb.mkv", Moving, "-c:v libx264rgb" },
        { "bt709.mp4", Moving, $"-vf scale=out_color_matrix=bt709 -colorspace bt709 {H264}" },
        { "full-range.mp4", Moving, "-vf scale=out_range=full -color_range pc -c:v libx264 -pix_fmt yuvj420p" },
        { "interlaced.ts", Moving, $"{H264} -flags +ildct+ilme" },
        { "elementary.h264", Moving, H264 },
        { "h264.avi", Moving, $"{H264} -g 15" },
        { "h264.flv", Moving, H264 },
        { "hevc.mp4", Moving, "-c:v libx265 -tag:v hvc1 -x265-params log-level=none:keyint=12" },
        { "hevc.ts", Moving, "-c:v libx265 -x265-params log-level=none:keyint=12:open-gop=1" },
        { "vp8.webm", Moving, "-c:v libvpx -auto-alt-ref 1 -lag-in-frames 16 -b:v 300k -g 20" },
        { "vp9.webm", Moving, "-c:v libvpx-vp9 -auto-alt-ref 1 -lag-in-frames 16 -b:v 300k -g 20 -cpu-used 5" },
        { "b-frames.avi", Moving, "-c:v mpeg4 -bf 2 -g 15" },
        { "b-frames.mp4", Moving, "-c:v mpeg4 -bf 2 -g 15" },
        { "mpeg4.avi", Moving, "-c:v mpeg4 -g 15" },
        { "mpeg2.ts", Moving, "-c:v mpeg2video -bf 2 -g 15" },
        { "mpeg1.mpg", Moving, "-c:v mpeg1video -bf 2 -g 15" },
        { "motion-jpeg.avi", Moving, "-c:v mjpeg -pix_fmt yuvj420p" },
        { "motion-jpeg.mov", OddSize, "-c:v mjpeg -pix_fmt yuvj422p" },
        { "ffv1.mkv", Moving, "-c:v ffv1" },
        { "windows.asf", Moving, "-c:v wmv2" },
        { "sorenson.flv", Moving, "-c:v flv" },
        { "theora.ogv", Moving, "-c:v libtheora" },
        { "animated.gif", Moving, "" },
        { "av1.mkv", "testsrc2=size=96x64:rate=25:duration=0.4", "-c:v libaom-av1 -cpu-used 8" },
    };

    [Theory]
    [MemberData(nameof(Streams))]
    public void ReadFrames_StreamOfAnyKind_EqualsFfmpeg(string name, string source, string encoder)
    {
        using var folder = new TemporaryFolder();
        Make(folder[name], source, encoder);
        Compare(folder[name]);
    }

    [Fact]
    public void ReadFrames_EditList_SkipsWhatFfmpegSkips()
    {
        using var folder = new TemporaryFolder();
        Make(folder["a.mp4"], Moving, $"{H264} -g 25");
        TestClips.Run("ffmpeg", "-v", "error", "-ss", "0.5", "-i", folder["a.mp4"], "-c", "copy", folder["b.mp4"]);
        using VideoReader reader = VideoReader.Open(folder["b.mp4"]);
        Assert.True(reader.FrameCount < 40);
        Compare(folder["b.mp4"]);
    }

    [Fact]
    public void ReadFrames_BroadcastCutAnywhere_StartsWhereFfmpegStarts()
    {
        using var folder = new TemporaryFolder();
        Make(folder["a.ts"], "testsrc2=size=176x144:rate=25:duration=3", $"{H264} -g 12 -x264-params open-gop=1:bframes=3");
        byte[] whole = File.ReadAllBytes(folder["a.ts"]);
        int packets = whole.Length / 188;

        // Without the first quarter; the tables at the start of a broadcast repeat. The end stays whole.
        File.WriteAllBytes(folder["b.ts"], whole[(packets / 4 * 188)..]);
        Compare(folder["b.ts"]);
    }

    [Fact]
    public void Open_SoundAndSeveralPictures_ChoosesTheVideoThatFfmpegChooses()
    {
        using var folder = new TemporaryFolder();
        TestClips.Run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=1", "-f", "lavfi", "-i", Moving,
            "-f", "lavfi", "-i", "sine=duration=2", "-map", "0", "-map", "1", "-map", "2", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac",
            "-disposition:v:0", "0", "-disposition:v:1", "default", folder["several.mkv"]);
        using VideoReader reader = VideoReader.Open(folder["several.mkv"]);
        Assert.Equal((176, 144), (reader.Width, reader.Height));
        Compare(folder["several.mkv"]);
    }

    [Fact]
    public void Open_CodecThatIsNotLetIn_MediaExceptionNamesItAndTheWayOut()
    {
        using var folder = new TemporaryFolder();
        Make(folder["a.mov"], Moving, "-c:v prores");
        MediaException e = Assert.Throws<MediaException>(() => VideoReader.Open(folder["a.mov"]));
        Assert.Contains("prores", e.Message, StringComparison.Ordinal);
        Assert.Contains("ffmpeg -i", e.Message, StringComparison.Ordinal);
    }

    internal static void Make(string path, string source, string encoder) =>
        TestClips.Run("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", source, .. encoder.Replace("'", "", StringComparison.Ordinal).Replace("n,", "n\\,", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries), path]);

    private static void Compare(string path)
    {
        byte[] expected = TestClips.Run("ffmpeg", "-v", "quiet", "-noautorotate", "-i", path, "-an", "-vsync", "passthrough", "-sws_flags", "bilinear",
            "-pix_fmt", "rgb24", "-f", "rawvideo", "-");
        using VideoReader reader = VideoReader.Open(path, new VideoReaderOptions { ApplyRotation = false });
        Assert.Equal(expected.Length, (long)reader.FrameCount * reader.Width * reader.Height * 3);
        Assert.True(TestClips.ReadAll(reader).AsSpan().SequenceEqual(expected), "frames differ");
        if (reader.HasTimestamps)
        {
            CompareTimes(path, reader);
        }
    }

    private static void CompareTimes(string path, VideoReader reader)
    {
        byte[] table = TestClips.Run("ffprobe", "-v", "quiet", "-select_streams", "V:0", "-show_entries", "frame=pts_time", "-of", "csv=p=0", path);
        double[] times = [.. Encoding.UTF8.GetString(table).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(',')[0])
            .Where(time => time != "N/A" && time.Length > 0)
            .Select(time => double.Parse(time, CultureInfo.InvariantCulture))];
        if (times.Length != reader.FrameCount)
        {
            return; // several video streams, or frames that ffprobe counts and ffmpeg doesn't show
        }

        for (int i = 0; i < times.Length; i++)
        {
            Assert.Equal(times[i], reader.TimestampsSeconds[i], 2e-6);
        }
    }
}
