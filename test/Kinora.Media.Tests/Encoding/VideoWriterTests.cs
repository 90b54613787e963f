using System.Text;
using Kinora.Testing;

namespace Kinora.Media.Tests;

public sealed class VideoWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Finish_ManyFrames_DecodesToTheSamePictures()
    {
        string path = TestClips.Encode(_folder["a.mp4"], 100, 128, 96, new VideoWriterOptions { Quality = 10 });
        using VideoReader reader = VideoReader.Open(path);
        Assert.Equal((100, 128, 96), (reader.FrameCount, reader.Width, reader.Height));
        byte[] decoded = TestClips.ReadAll(reader);
        int frameBytes = 128 * 96 * 3;
        for (int i = 0; i < 100; i++)
        {
            ReadOnlySpan<byte> frame = decoded.AsSpan(i * frameBytes, frameBytes);
            Assert.Equal(i, TestClips.Number(frame, 128, 96));
            byte[] original = TestClips.Frame(i, 128, 96);
            double error = 0;
            for (int k = 0; k < frameBytes; k++)
            {
                error += Math.Abs(frame[k] - original[k]);
            }

            // Chroma at half the resolution blurs the edges of the disc; a wrong matrix or range would cost far more.
            Assert.True(error / frameBytes < 4, $"frame {i}: mean error {error / frameBytes}");
        }
    }

    [Theory]
    [InlineData(255, 255, 255)]
    [InlineData(0, 0, 0)]
    [InlineData(200, 30, 40)]
    [InlineData(20, 180, 60)]
    [InlineData(30, 40, 210)]
    public void Finish_PlainColour_ComesBackUnderEitherMatrixChoice(byte r, byte g, byte b)
    {
        using (var writer = new VideoWriter(_folder["a.mp4"], 64, 64, 25, new VideoWriterOptions { Quality = 5 }))
        {
            var frame = new byte[64 * 64 * 3];
            for (int i = 0; i < frame.Length; i += 3)
            {
                (frame[i], frame[i + 1], frame[i + 2]) = (r, g, b);
            }

            writer.Write(frame);
            writer.Finish();
        }

        foreach (ColorMatrix color in Enum.GetValues<ColorMatrix>())
        {
            using VideoReader reader = VideoReader.Open(_folder["a.mp4"], new VideoReaderOptions { Color = color });
            byte[] decoded = TestClips.ReadAll(reader);
            int centre = ((32 * 64) + 32) * 3;
            Assert.InRange(decoded[centre], r - 4, r + 4);
            Assert.InRange(decoded[centre + 1], g - 4, g + 4);
            Assert.InRange(decoded[centre + 2], b - 4, b + 4);
        }
    }

    [Fact]
    public void Finish_SameFramesTwice_SameBytes()
    {
        byte[] first = File.ReadAllBytes(TestClips.Encode(_folder["a.mp4"], 40));
        byte[] second = File.ReadAllBytes(TestClips.Encode(_folder["b.mp4"], 40));
        Assert.Equal(first, second);
    }

    [Fact]
    public void Finish_KeyframesAndBFrames_AsAsked()
    {
        using VideoReader reader = VideoReader.Open(TestClips.Encode(_folder["a.mp4"], 40, options: new VideoWriterOptions { KeyframeInterval = 10 }));
        for (int i = 0; i < 40; i += 10)
        {
            Assert.True(reader.IsKeyframe[i]);
        }
    }

    [Theory]
    [InlineData(25, 25, 1)]
    [InlineData(29.97, 30000, 1001)]
    [InlineData(12.5, 25, 2)]
    [InlineData(0.5, 1, 2)]
    [InlineData(59.94, 60000, 1001)]
    public void Finish_FrameRate_IsKept(double framesPerSecond, int numerator, int denominator)
    {
        TestClips.Encode(_folder["a.mp4"], 5, framesPerSecond: framesPerSecond);
        using VideoReader reader = VideoReader.Open(_folder["a.mp4"]);
        Assert.Equal((double)numerator / denominator, reader.FramesPerSecond, 1e-6);
        Assert.Equal(4.0 * denominator / numerator, reader.TimestampsSeconds[4], 1e-4);
    }

    [Fact]
    public void Finish_File_IsPlainlyLabelled()
    {
        TestClips.Encode(_folder["a.mp4"], 10);
        byte[] table = TestClips.Run("ffprobe", "-v", "error", "-show_entries",
            "stream=codec_name,pix_fmt,color_range,color_space,avg_frame_rate,nb_frames", "-of", "default=nw=1:nk=1", _folder["a.mp4"]);
        string text = Encoding.UTF8.GetString(table);
        Assert.Equal("h264,yuv420p,tv,smpte170m,25/1,10", string.Join(',', text.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
    }

    [Fact]
    public void Dispose_WithoutFinish_LeavesNothingAndKeepsTheOldFile()
    {
        File.WriteAllText(_folder["a.mp4"], "old");
        using (var writer = new VideoWriter(_folder["a.mp4"], 64, 48, 25))
        {
            writer.Write(TestClips.Frame(0, 64, 48));
        }

        Assert.Equal("old", File.ReadAllText(_folder["a.mp4"]));
        Assert.Equal([_folder["a.mp4"]], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Finish_MissingFolder_IsCreatedAndHoldsOnlyTheFile()
    {
        string path = TestClips.Encode(Path.Combine(_folder["deep/er"], "ä b.mp4"), 3);
        Assert.Equal([path], Directory.GetFiles(_folder["deep/er"]));
    }

    [Fact]
    public void Finish_NoFrames_MediaException()
    {
        using var writer = new VideoWriter(_folder["a.mp4"], 64, 48, 25);
        Assert.Throws<MediaException>(writer.Finish);
    }

    [Fact]
    public void Constructor_WrongArguments_ArgumentExceptionAndNoFile()
    {
        Assert.Throws<ArgumentException>(() => new VideoWriter(_folder["a.mp4"], 63, 48, 25));
        Assert.Throws<ArgumentException>(() => new VideoWriter(_folder["a.mp4"], 64, 0, 25));
        Assert.Throws<ArgumentOutOfRangeException>(() => new VideoWriter(_folder["a.mp4"], 64, 48, 0));
        Assert.Throws<ArgumentException>(() => new VideoWriter(_folder["a.mp4"], 64, 48, 25, new VideoWriterOptions { Quality = 52 }));
        Assert.Throws<ArgumentException>(() => new VideoWriter(_folder["a.mp4"], 64, 48, 25, new VideoWriterOptions { Rotation = 45 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new VideoWriter(_folder["a.mp4"], 64, 48, 25, new VideoWriterOptions { Preset = (EncoderPreset)9 }));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Write_WrongSizeOrAfterFinish_Refused()
    {
        using var writer = new VideoWriter(_folder["a.mp4"], 64, 48, 25);
        Assert.Throws<ArgumentException>(() => writer.Write(new byte[10]));
        writer.Write(TestClips.Frame(0, 64, 48));
        writer.Finish();
        Assert.Throws<ObjectDisposedException>(() => writer.Write(TestClips.Frame(0, 64, 48)));
    }
}
