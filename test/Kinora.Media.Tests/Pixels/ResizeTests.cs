using System.Security.Cryptography;

namespace Kinora.Media.Tests;

/// <summary>The vector kernels against the scalar reference, and windows against whole pictures.</summary>
public sealed class ResizeTests
{
    public static TheoryData<ResizeEngine, VectorWidthName> Kernels
    {
        get
        {
            var rows = new TheoryData<ResizeEngine, VectorWidthName>();
            foreach (ResizeEngine engine in new[] { ResizeEngine.Pillow, ResizeEngine.OpenCv })
            {
                foreach (VectorWidth width in new[] { VectorWidth.Bits128, VectorWidth.Bits256 }.Where(w => w == VectorWidth.Bits128 || w == Resize.BestWidth))
                {
                    rows.Add(engine, (VectorWidthName)width);
                }
            }

            return rows;
        }
    }

    public enum VectorWidthName
    {
        Bits128 = VectorWidth.Bits128,
        Bits256 = VectorWidth.Bits256,
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Kernels))]
    public void Run_EveryLengthAroundTheLanes_BitsOfScalarReference(ResizeEngine engine, VectorWidthName width)
    {
        int[] inputs = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 15, 16, 17, 31, 32, 33, 100];
        int[] outputs = [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 15, 16, 17, 21, 22, 31, 32, 33, 63, 64, 65];
        foreach (int input in inputs)
        {
            foreach (int output in outputs)
            {
                AssertSame(engine, (VectorWidth)width, input, Math.Max(1, 40 - input), output, 1 + (output % 13));
                AssertSame(engine, (VectorWidth)width, 1 + (input % 7), input, 1 + (input % 5), output);
            }
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Kernels))]
    public void Run_UsualSizes_BitsOfScalarReference(ResizeEngine engine, VectorWidthName width)
    {
        foreach ((int w, int h, int newW, int newH) in ((int, int, int, int)[])
            [(340, 256, 224, 224), (320, 240, 341, 256), (1280, 720, 455, 256), (720, 1280, 256, 341), (64, 48, 128, 96), (500, 20, 20, 500), (1999, 3, 17, 2)])
        {
            AssertSame(engine, (VectorWidth)width, w, h, newW, newH);
        }
    }

    [Theory]
    [InlineData(ResizeEngine.Pillow)]
    [InlineData(ResizeEngine.OpenCv)]
    public void Run_Window_PartOfWholePicture(ResizeEngine engine)
    {
        Pictures picture = Noise(97, 61, 1);
        Pictures whole = PaddleOps.Resized(picture, 80, 73, engine, VectorWidth.None);
        var random = new CounterRandom(1, "windows");
        for (int i = 0; i < 60; i++)
        {
            int x = random.NextInt32(80), y = random.NextInt32(73);
            var window = new PixelWindow(x, y, 1 + random.NextInt32(80 - x), 1 + random.NextInt32(73 - y));
            Assert.Equal(PaddleOps.Cut(whole, window).Bytes, PaddleOps.Resized(picture, 80, 73, engine, window, Resize.BestWidth).Bytes);
        }
    }

    [Theory]
    [InlineData(ResizeEngine.Pillow)]
    [InlineData(ResizeEngine.OpenCv)]
    public void Run_ConstantPicture_StaysConstant(ResizeEngine engine)
    {
        foreach (byte level in new byte[] { 0, 1, 127, 128, 254, 255 })
        {
            byte[] bytes = new byte[37 * 29 * 3];
            Array.Fill(bytes, level);
            Assert.All(PaddleOps.Resized(new(bytes, 1, 37, 29), 53, 11, engine, Resize.BestWidth).Bytes, b => Assert.Equal(level, b));
        }
    }

    // Every processor, and this one with instructions switched off (InstructionSetTests), must reach these digests.
    [Theory]
    [InlineData(ResizeEngine.Pillow, "B70E39AAEF16BA66")]
    [InlineData(ResizeEngine.OpenCv, "268F65A26E681E0F")]
    public void Run_FixedInput_KnownDigest(ResizeEngine engine, string expected)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((int w, int h, int newW, int newH) in ((int, int, int, int)[])[(97, 61, 33, 40), (61, 97, 224, 31), (640, 360, 224, 224), (5, 3, 2, 7)])
        {
            hash.AppendData(PaddleOps.Resized(Noise(w, h, 2), newW, newH, engine, Resize.BestWidth).Bytes);
        }

        Assert.Equal(expected, Convert.ToHexString(hash.GetHashAndReset())[..16]);
    }

    internal static Pictures Noise(int width, int height, int count)
    {
        var random = new CounterRandom(7, 0, (width * 10_000) + height, "noise");
        byte[] bytes = new byte[width * height * count * 3];
        for (int i = 0; i < bytes.Length; i++)
        {
            // A quarter of the bytes is 0 or 255, where saturation would show.
            uint draw = random.NextUInt32();
            bytes[i] = (draw & 3) == 0 ? (byte)((draw >> 2 & 1) * 255) : (byte)(draw >> 8);
        }

        return new(bytes, count, width, height);
    }

    private static void AssertSame(ResizeEngine engine, VectorWidth width, int inputWidth, int inputHeight, int outputWidth, int outputHeight)
    {
        Pictures picture = Noise(inputWidth, inputHeight, 1);
        byte[] expected = PaddleOps.Resized(picture, outputWidth, outputHeight, engine, VectorWidth.None).Bytes;
        byte[] found = PaddleOps.Resized(picture, outputWidth, outputHeight, engine, width).Bytes;
        int different = expected.AsSpan().CommonPrefixLength(found);
        Assert.True(different == expected.Length, $"{inputWidth}x{inputHeight} to {outputWidth}x{outputHeight}: byte {different} differs");
    }
}
