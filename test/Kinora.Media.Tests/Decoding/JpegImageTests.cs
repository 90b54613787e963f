namespace Kinora.Media.Tests.Decoding;

public sealed class JpegImageTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(16, 16)]
    [InlineData(33, 17)]
    [InlineData(340, 256)]
    public void EncodeDecode_Picture_SameSizeAndNearlySamePixels(int width, int height)
    {
        byte[] picture = Smooth(width, height);
        byte[] jpeg = JpegImage.Encode(picture, width, height, 95);
        Assert.Equal((width, height), JpegImage.Size(jpeg));
        (int w, int h, byte[] decoded) = JpegImage.Decode(jpeg);
        Assert.Equal((width, height), (w, h));
        Assert.True(picture.Zip(decoded, (a, b) => Math.Abs(a - b)).Max() < 24);
    }

    [Fact]
    public void Encode_LowerQuality_SmallerFile()
    {
        byte[] picture = TestClips.Frame(3, 128, 96);
        Assert.True(JpegImage.Encode(picture, 128, 96, 20).Length < JpegImage.Encode(picture, 128, 96, 95).Length);
    }

    [Fact]
    public void Decode_EveryTruncation_MediaException()
    {
        byte[] jpeg = JpegImage.Encode(TestClips.Frame(3, 64, 48), 64, 48);
        for (int length = 0; length < jpeg.Length - 2; length += 13)
        {
            Assert.Throws<MediaException>(() => JpegImage.Decode(jpeg.AsSpan(0, length), "x.jpg"));
        }
    }

    [Fact]
    public void Decode_Mutants_MediaExceptionOrPicture()
    {
        byte[] jpeg = JpegImage.Encode(TestClips.Frame(3, 64, 48), 64, 48);
        for (ulong seed = 0; seed < 300; seed++)
        {
            try
            {
                byte[] mutant = ClipMutator.Mutate(jpeg, seed);
                (int width, int height) = JpegImage.Size(mutant);
                if ((long)width * height < 1 << 24)
                {
                    JpegImage.Decode(mutant);
                }
            }
            catch (MediaException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }
    }

    [Fact]
    public void Decode_NotAJpeg_MediaExceptionNamesFile()
    {
        Assert.Equal("x.jpg", Assert.Throws<MediaException>(() => JpegImage.Size("text"u8, "x.jpg")).Path);
        Assert.Throws<MediaException>(() => JpegImage.Size([]));
    }

    [Fact]
    public void Decode_WrongBuffer_ArgumentException()
    {
        byte[] jpeg = JpegImage.Encode(TestClips.Frame(3, 64, 48), 64, 48);
        Assert.Throws<ArgumentException>(() => JpegImage.Decode(jpeg, 64, 48, new byte[10]));
        Assert.Throws<ArgumentException>(() => JpegImage.Decode(jpeg, 48, 64, new byte[64 * 48 * 3]));
        Assert.Throws<ArgumentException>(() => JpegImage.Encode(new byte[10], 64, 48));
        Assert.Throws<ArgumentOutOfRangeException>(() => JpegImage.Encode(new byte[3], 1, 1, 101));
        Assert.Throws<ArgumentOutOfRangeException>(() => JpegImage.Encode(new byte[20000 * 3], 20000, 1));
    }

    private static byte[] Smooth(int width, int height)
    {
        var rgb = new byte[width * height * 3];
        for (int i = 0; i < rgb.Length; i++)
        {
            int pixel = i / 3, x = pixel % width, y = pixel / width;
            rgb[i] = (byte)(40 + (x * 150 / width) + (y * 40 / height));
        }

        return rgb;
    }
}
