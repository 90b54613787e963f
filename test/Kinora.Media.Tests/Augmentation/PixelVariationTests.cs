using System.Text.Json;

namespace Kinora.Media.Tests;

/// <summary>Changes of colour, geometry and boxes of training clips.</summary>
public sealed class PixelVariationTests
{
    private const int Size = 32;
    private const int Frame = Size * Size * 3;

    private static readonly ClipSpec Spec = new(
        new(SamplingMethod.Uniform, 2), new(ResizeRule.None, 0), new(CropMethod.Center, Size), Normalization.ImageNet);

    private static readonly TrainingAugmentation Everything = new()
    {
        Resize = new(ResizeRule.KeepAspectTruncate, 40),
        RandomCrop = true,
        ColorJitter = new() { Brightness = 0.4, Contrast = 0.4, Saturation = 0.4, Hue = 0.1, Gamma = 0.3 },
        GreyProbability = 0.2,
        RandAugment = new() { MagnitudeNoise = 0.5 },
        RandomErasing = new() { Fill = EraseFill.Random },
    };

    public static TheoryData<int> Operations => [.. Enumerable.Range(0, PixelSteps.Operations)];

    [Fact]
    public void Transform_Everything_SameBitsForEveryVectorWidthAndLayoutAndAsBytes()
    {
        using DecodedClip clip = DecodedClip.FromVideo(FormulaFrames.Create(80, 60, 2), 80, 60, [0, 1]);
        var seen = new HashSet<float>();
        for (int sample = 0; sample < 60; sample++)
        {
            float[] expected = Transformed(new(Everything, Spec, VectorWidth.None));
            Assert.Equal(expected, Transformed(new(Everything, Spec, VectorWidth.Bits128)));
            Assert.Equal(expected, Transformed(new(Everything, Spec)));
            seen.Add(expected[^1]);

            byte[] bytes = new byte[2 * Frame];
            new TrainingTransform(Everything, Spec).TransformBytes(clip, new CounterRandom(3, 0, sample, "augment"), bytes);
            float[] last = Transformed(new(Everything, Spec with { Layout = ClipLayout.Nthwc }));
            float[] table = NormalizationTable.Create(Spec.Normalization);
            for (int i = 0; i < bytes.Length; i++)
            {
                Assert.Equal(table[(i % 3 * 256) + bytes[i]], last[i]);
            }

            float[] Transformed(TrainingTransform transform)
            {
                float[] values = new float[2 * Frame];
                transform.Transform(clip, new CounterRandom(3, 0, sample, "augment"), values);
                return values;
            }
        }

        Assert.True(seen.Count > 20);
    }

    [Fact]
    public void Transform_PixelsVaried_TheRestOfTheDrawsStaysAsItWas()
    {
        using DecodedClip clip = DecodedClip.FromVideo(FormulaFrames.Create(80, 60, 2), 80, 60, [0, 1]);
        TrainingAugmentation plain = Everything with { ColorJitter = null, GreyProbability = 0, RandAugment = null, RandomErasing = null };
        TrainingAugmentation nothing = plain with { RandAugment = new() { Operations = 0 } };
        for (int sample = 0; sample < 20; sample++)
        {
            float[] expected = new float[2 * Frame], found = new float[2 * Frame];
            new TrainingTransform(plain, Spec).Transform(clip, new CounterRandom(4, 0, sample, "augment"), expected);
            new TrainingTransform(nothing, Spec).Transform(clip, new CounterRandom(4, 0, sample, "augment"), found);
            Assert.Equal(expected, found);
        }
    }

    [Fact]
    public void Serialised_AsJson_Equal() =>
        Assert.Equal(Everything, JsonSerializer.Deserialize<TrainingAugmentation>(JsonSerializer.Serialize(Everything)));

    [Theory]
    [MemberData(nameof(Operations))]
    public void Operation_EqualFrames_StayEqualAndChange(int operation)
    {
        byte[] still = Clip(1), two = [.. still, .. still];
        if (PixelSteps.Operation(operation, 0.9, 1) is not { } step)
        {
            Assert.Equal(0, operation);
            return;
        }

        step(still, Size);
        step(two, Size);
        Assert.Equal(two[..Frame], two[Frame..]);
        Assert.NotEqual(Clip(1), still);

        // Equalizing counts pixels in whole steps, so there the length of the clip matters a little.
        if (operation != 2)
        {
            Assert.Equal(still, two[..Frame]);
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void Operation_NoStrength_ChangesNothing(int operation)
    {
        byte[] pixels = Clip(2);
        PixelSteps.Operation(operation, 0, 1)!(pixels, Size);
        Assert.Equal(Clip(2), pixels);
    }

    [Fact]
    public void Hue_AThird_RotatesTheChannels()
    {
        byte[] original = Clip(1), pixels = Clip(1);
        ClipColor.Hue(pixels, 1.0 / 3);
        for (int i = 0; i < pixels.Length; i += 3)
        {
            Assert.Equal((original[i + 2], original[i], original[i + 1]), (pixels[i], pixels[i + 1], pixels[i + 2]));
        }
    }

    [Fact]
    public void Hue_AnyTurn_KeepsLargestAndSmallestChannelAndTurnsBack()
    {
        var random = new CounterRandom(1, "hue");
        for (int n = 0; n < 50; n++)
        {
            double turn = random.NextDouble(-0.5, 0.5);
            byte[] original = Clip(1), pixels = Clip(1);
            ClipColor.Hue(pixels, turn);
            for (int i = 0; i < pixels.Length; i += 3)
            {
                Assert.Equal(original.AsSpan(i, 3).ToArray().Max(), pixels.AsSpan(i, 3).ToArray().Max());
                Assert.Equal(original.AsSpan(i, 3).ToArray().Min(), pixels.AsSpan(i, 3).ToArray().Min());
            }

            ClipColor.Hue(pixels, -turn);
            for (int i = 0; i < pixels.Length; i++)
            {
                Assert.InRange(pixels[i] - original[i], -1, 1);
            }
        }
    }

    // Hand-computed: red is 60 degrees from yellow; a sixth of a circle.
    [Fact]
    public void Color_KnownPixels_HandComputedValues()
    {
        AssertOne([255, 255, 0], [255, 0, 0], p => ClipColor.Hue(p, 1.0 / 6));
        AssertOne([0, 255, 255], [255, 0, 0], p => ClipColor.Hue(p, 0.5));
        AssertOne([75, 255, 3], [50, 200, 2], p => ClipColor.Brightness(p, 1.5));
        AssertOne([53, 53, 53], [100, 40, 0], p => ClipColor.Saturation(p, 0));
        AssertOne([147, 27, 0], [100, 40, 0], p => ClipColor.Saturation(p, 2));
        AssertOne([77, 47, 27], [100, 40, 0], p => ClipColor.Contrast(p, 0.5));
        AssertOne([64, 0, 255], [128, 0, 255], p => ClipColor.Gamma(p, 2));
        AssertOne([192, 0, 240], [200, 15, 255], p => ClipColor.Posterize(p, 4));
        AssertOne([55, 127, 127], [200, 127, 128], p => ClipColor.Solarize(p, 128));

        static void AssertOne(byte[] expected, byte[] pixel, Action<byte[]> change)
        {
            change(pixel);
            Assert.Equal(expected, pixel);
        }
    }

    [Fact]
    public void AutoContrast_ClipOfTwoFrames_StretchedOverBoth()
    {
        byte[] pixels = [50, 10, 7, 100, 10, 7, /* next frame */ 150, 20, 7, 60, 15, 7];
        ClipColor.AutoContrast(pixels);
        Assert.Equal([0, 0, 7, 128, 0, 7, 255, 255, 7, 26, 128, 7], pixels);
    }

    [Fact]
    public void Equalize_SkewedLevels_AboutEquallyFrequent()
    {
        var random = new CounterRandom(1, "levels");
        byte[] pixels = new byte[3 * 100_000];
        for (int i = 0; i < pixels.Length; i++)
        {
            double u = random.NextDouble();
            pixels[i] = (byte)(255 * u * u * u);
        }

        ClipColor.Equalize(pixels);
        for (int quarter = 1; quarter < 4; quarter++)
        {
            Assert.Equal(quarter / 4.0, pixels.Count(p => p < quarter * 64) / (double)pixels.Length, 0.2);
        }

        Assert.Equal(255, pixels.Max());
    }

    [Fact]
    public void Warp_WholePixels_ShiftedCopyWithGreyOutside()
    {
        byte[] original = Clip(2), pixels = Clip(2);
        ClipGeometry.Warp(pixels, Size, 1, 0, 0, 1, 5, -3);
        for (int t = 0; t < 2; t++)
        {
            for (int y = 0; y < Size; y++)
            {
                for (int x = 0; x < Size * 3; x++)
                {
                    int from = (((t * Size) + y - 3) * Size * 3) + x + 15;
                    byte expected = y >= 3 && x + 15 < Size * 3 ? original[from] : (byte)128;
                    Assert.Equal(expected, pixels[(((t * Size) + y) * Size * 3) + x]);
                }
            }
        }
    }

    [Fact]
    public void Warp_QuarterTurn_RotatedCopy()
    {
        byte[] original = Clip(1), pixels = Clip(1);
        ClipGeometry.Warp(pixels, Size, 0, -1, 1, 0, 0, 0);
        for (int y = 0; y < Size; y++)
        {
            for (int x = 0; x < Size; x++)
            {
                Assert.True(original.AsSpan(((x * Size) + Size - 1 - y) * 3, 3).SequenceEqual(pixels.AsSpan(((y * Size) + x) * 3, 3)));
            }
        }
    }

    [Fact]
    public void Warp_HalfAPixel_MeanOfNeighbours()
    {
        byte[] original = Clip(1), pixels = Clip(1);
        ClipGeometry.Warp(pixels, Size, 1, 0, 0, 1, 0.5, 0);
        for (int i = 0; i < Frame; i++)
        {
            int right = i / 3 % Size == Size - 1 ? 128 : original[i + 3];
            Assert.Equal((original[i] + right + 1) / 2, pixels[i]);
        }
    }

    [Theory]
    [InlineData(EraseFill.Mean)]
    [InlineData(EraseFill.Random)]
    public void RandomErasing_Always_OneBoxTheSameInAllFrames(EraseFill fill)
    {
        using DecodedClip clip = DecodedClip.FromVideo(new byte[2 * Frame], Size, Size, [0, 1]);
        var spec = new RandomErasingSpec { Probability = 1, Fill = fill };
        var transform = new TrainingTransform(new() { RandomErasing = spec }, Spec);
        var boxes = new HashSet<(int, int, int, int)>();
        for (int sample = 0; sample < 100; sample++)
        {
            byte[] bytes = new byte[2 * Frame];
            transform.TransformBytes(clip, new CounterRandom(1, 0, sample, "augment"), bytes);
            Assert.True(bytes.AsSpan(0, Frame).SequenceEqual(bytes.AsSpan(Frame)));
            int[] changed = [.. Enumerable.Range(0, Size * Size).Where(p => bytes.AsSpan(p * 3, 3).ContainsAnyExcept((byte)0))];
            int left = changed.Min(p => p % Size), right = changed.Max(p => p % Size), top = changed.Min(p => p / Size), bottom = changed.Max(p => p / Size);
            int width = right - left + 1, height = bottom - top + 1;
            Assert.Equal(changed.Length, width * height);
            Assert.InRange(changed.Length / (double)(Size * Size), spec.MinArea * 0.7, spec.MaxArea * 1.1);
            boxes.Add((left, top, width, height));
            if (fill == EraseFill.Mean)
            {
                Assert.All(changed, p => Assert.True(bytes.AsSpan(p * 3, 3).SequenceEqual(new byte[] { 124, 116, 104 })));
            }
        }

        Assert.True(boxes.Count > 90);
    }

    [Fact]
    public void RandAugment_ManyClips_EveryOperationEquallyOften()
    {
        var counts = new int[PixelSteps.Operations];
        var draws = new CountingDraws(counts);
        for (int i = 0; i < 7000; i++)
        {
            PixelSteps.Draw(new() { RandAugment = new() { Operations = 2, MagnitudeNoise = 1 } }, Normalization.ImageNet, Size, draws);
        }

        Assert.All(counts, n => Assert.InRange(n, 850, 1150));
    }

    [Fact]
    public void Validate_ValuesOutOfRange_MessageNamesKey()
    {
        AssertNamed("greyProbability", new() { GreyProbability = 2 });
        AssertNamed("colorJitter.hue", new() { ColorJitter = new() { Hue = 0.6 } });
        AssertNamed("randAugment.magnitude", new() { RandAugment = new() { Magnitude = 11 } });
        AssertNamed("randomErasing.minArea", new() { RandomErasing = new() { MinArea = 0 } });
        AssertNamed("randomErasing.minRatio", new() { RandomErasing = new() { MinRatio = 1.5 } });
        AssertNamed("jitter.engine", TrainingAugmentation.TimeSformer() with { GreyProbability = 0.1 });

        static void AssertNamed(string key, TrainingAugmentation augmentation) =>
            Assert.Contains(key, Assert.Throws<ConfigException>(() => augmentation.Validate()).Message, StringComparison.Ordinal);
    }

    private static byte[] Clip(int frames)
    {
        var random = new CounterRandom(2, "pixels");
        byte[] pixels = new byte[frames * Frame];
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (byte)random.NextInt32(20, 230);
        }

        return pixels;
    }

    private sealed class CountingDraws(int[] counts) : IDraws
    {
        private readonly CounterDraws _draws = new(new CounterRandom(6, "count"));

        public int Integer(int low, int exclusiveHigh) => _draws.Integer(low, exclusiveHigh);

        public int Choice(int count)
        {
            int choice = _draws.Choice(count);
            counts[choice]++;
            return choice;
        }

        public double Real(double low, double high) => _draws.Real(low, high);

        public double Unit() => _draws.Unit();
    }
}
