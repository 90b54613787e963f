using Kinora.Testing;

namespace Kinora.Media.Tests.Decoding;

public sealed class RawFrameFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_NumberedFrames_CountsThemAndReadsTheirSize()
    {
        Fill(7);
        using var frames = RawFrameFolder.Open(_folder.Path);
        Assert.Equal((7, 64, 48), (frames.FrameCount, frames.Width, frames.Height));
    }

    [Fact]
    public void ReadFrames_AnyOrderWithRepeats_FileIsIndexPlusOne()
    {
        Fill(7);
        using var frames = RawFrameFolder.Open(_folder.Path);
        int[] indices = [6, 0, 3, 6, 0];
        var pixels = new byte[indices.Length * 64 * 48 * 3];
        frames.ReadFrames(indices, pixels);
        for (int i = 0; i < indices.Length; i++)
        {
            byte[] expected = JpegImage.Decode(File.ReadAllBytes(_folder[$"img_{indices[i] + 1:00000}.jpg"])).Rgb24;
            Assert.Equal(expected, pixels[(i * expected.Length)..((i + 1) * expected.Length)]);
        }
    }

    [Fact]
    public void Frames_AnyOrderWithRepeats_EachIndexOnce()
    {
        Fill(7);
        using IFrameSource source = RawFrameFolder.Open(_folder.Path);
        using FrameSequence frames = source.Frames([6, 0, 3, 6]);
        var seen = new List<int>();
        var pixels = new byte[64 * 48 * 3];
        while (frames.Next(pixels, out int index))
        {
            seen.Add(index);
            Assert.Equal(JpegImage.Decode(File.ReadAllBytes(_folder[$"img_{index + 1:00000}.jpg"])).Rgb24, pixels);
        }

        Assert.Equal([0, 3, 6], seen);
    }

    [Fact]
    public void Open_OtherPatternAndStatedCount_AreFollowed()
    {
        Fill(5, "frame{0}.jpeg");
        using var all = RawFrameFolder.Open(_folder.Path, "frame{0}.jpeg");
        using var some = RawFrameFolder.Open(_folder.Path, "frame{0}.jpeg", 3);
        Assert.Equal((5, 3), (all.FrameCount, some.FrameCount));
        Assert.Throws<ArgumentOutOfRangeException>(() => some.ReadFrames([3], new byte[64 * 48 * 3]));
    }

    [Fact]
    public void ReadFrames_MissingFrame_MediaExceptionNamesFrameAndFile()
    {
        Fill(5);
        File.Delete(_folder["img_00003.jpg"]);
        using var frames = RawFrameFolder.Open(_folder.Path);
        Assert.Equal(5, frames.FrameCount);
        MediaException e = Assert.Throws<MediaException>(() => frames.ReadFrames([2], new byte[64 * 48 * 3]));
        Assert.Contains("frame 2 ", e.Message, StringComparison.Ordinal);
        Assert.Equal(_folder["img_00003.jpg"], e.Path);
        frames.ReadFrames([3], new byte[64 * 48 * 3]);
    }

    [Fact]
    public void ReadFrames_OtherSizeThanFirst_MediaExceptionNamesBoth()
    {
        Fill(2);
        File.WriteAllBytes(_folder["img_00002.jpg"], JpegImage.Encode(TestClips.Frame(0, 32, 16), 32, 16));
        using var frames = RawFrameFolder.Open(_folder.Path);
        MediaException e = Assert.Throws<MediaException>(() => frames.ReadFrames([1], new byte[64 * 48 * 3]));
        Assert.Contains("64x48", e.Message, StringComparison.Ordinal);
        Assert.Contains("32x16", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadFrames_TruncatedFrame_MediaException()
    {
        Fill(2);
        byte[] jpeg = File.ReadAllBytes(_folder["img_00002.jpg"]);
        File.WriteAllBytes(_folder["img_00002.jpg"], jpeg[..(jpeg.Length / 2)]);
        using var frames = RawFrameFolder.Open(_folder.Path);
        Assert.Throws<MediaException>(() => frames.ReadFrames([1], new byte[64 * 48 * 3]));
    }

    [Fact]
    public void Open_NothingUsable_MediaException()
    {
        Assert.Throws<MediaException>(() => RawFrameFolder.Open(_folder["none"]));
        Assert.Contains("img_00001.jpg", Assert.Throws<MediaException>(() => RawFrameFolder.Open(_folder.Path)).Message, StringComparison.Ordinal);
        File.WriteAllText(_folder["img_00001.jpg"], "text");
        Assert.Throws<MediaException>(() => RawFrameFolder.Open(_folder.Path));
    }

    [Fact]
    public void FrameSourceOpen_FolderOrFile_TheRightKind()
    {
        Fill(2);
        string clip = TestClips.Encode(_folder["clip.mp4"], 3);
        using IFrameSource folder = FrameSource.Open(_folder.Path), file = FrameSource.Open(clip, ColorMatrix.Bt601);
        Assert.IsType<RawFrameFolder>(folder);
        Assert.Equal(3, Assert.IsType<VideoReader>(file).FrameCount);
        Assert.Throws<MediaException>(() => FrameSource.Open(_folder["none"]));
    }

    private void Fill(int count, string pattern = "img_{0:00000}.jpg")
    {
        for (int i = 0; i < count; i++)
        {
            string name = string.Format(System.Globalization.CultureInfo.InvariantCulture, pattern, i + 1);
            File.WriteAllBytes(_folder[name], JpegImage.Encode(TestClips.Frame(i, 64, 48), 64, 48));
        }
    }
}
