using System.Text.Json;

namespace Kinora.Media.Tests;

public sealed class TrainingTransformTests
{
    private static readonly ClipSpec Spec = new(
        new(SamplingMethod.Uniform, 2), new(ResizeRule.FixedRatio, 256), new(CropMethod.Center, 224), Normalization.ImageNet);

    public static TheoryData<string> Presets => [nameof(TrainingAugmentation.Tsn), nameof(TrainingAugmentation.PpTsn),
        nameof(TrainingAugmentation.Tsm), nameof(TrainingAugmentation.PpTsm), nameof(TrainingAugmentation.VideoSwin), nameof(TrainingAugmentation.SlowFast), nameof(TrainingAugmentation.TimeSformer)];

    [Theory]
    [MemberData(nameof(Presets))]
    public void Transform_EveryVectorWidth_SameBits(string preset)
    {
        foreach ((int width, int height) in new[] { (320, 240), (256, 341), (500, 300) })
        {
            using DecodedClip clip = Clip(width, height);
            for (int sample = 0; sample < 4; sample++)
            {
                float[] expected = Transformed(new(Preset(preset), Spec, VectorWidth.None), clip, sample);
                Assert.Equal(expected, Transformed(new(Preset(preset), Spec, VectorWidth.Bits128), clip, sample));
                Assert.Equal(expected, Transformed(new(Preset(preset), Spec), clip, sample));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Presets))]
    public void Transform_SameStream_SameBitsAndOtherStreamOthers(string preset)
    {
        using DecodedClip clip = Clip(320, 240);
        var transform = new TrainingTransform(Preset(preset), Spec);
        Assert.Equal(Transformed(transform, clip, 1), Transformed(transform, clip, 1));
        Assert.NotEqual(Transformed(transform, clip, 1), Transformed(transform, clip, 2));
    }

    [Theory]
    [MemberData(nameof(Presets))]
    public void Serialised_AsJson_Equal(string preset)
    {
        TrainingAugmentation augmentation = Preset(preset);
        Assert.Equal(augmentation, JsonSerializer.Deserialize<TrainingAugmentation>(JsonSerializer.Serialize(augmentation)));
    }

    [Fact]
    public void Transform_FlipAlways_MirrorOfFlipNever()
    {
        using DecodedClip clip = Clip(320, 240);
        TrainingAugmentation augmentation = TrainingAugmentation.PpTsm();
        byte[] plain = Bytes(augmentation with { FlipProbability = 0 }, clip, 3), mirrored = Bytes(augmentation with { FlipProbability = 1 }, clip, 3);
        for (int row = 0; row < 2 * 224; row++)
        {
            for (int x = 0; x < 224; x++)
            {
                Assert.True(plain.AsSpan(((row * 224) + x) * 3, 3).SequenceEqual(mirrored.AsSpan(((row * 224) + 223 - x) * 3, 3)));
            }
        }
    }

    [Fact]
    public void Transform_NoAugmentation_MiddleOfTheFrame()
    {
        using DecodedClip clip = Clip(320, 240);
        var none = new TrainingAugmentation { FlipProbability = 0, Resize = Spec.Resize };
        var pipeline = new ClipPipeline(Spec);
        byte[] expected = new byte[pipeline.FloatsPerView];
        pipeline.TransformBytes(clip, expected);
        Assert.Equal(expected, Bytes(none, clip, 1));
    }

    [Fact]
    public void Transform_CropSnappedToTargetBeyondTheFrame_BlackBorder()
    {
        // Sides of 222 become 224, so the crop reaches two pixels past a frame of 222.
        using DecodedClip clip = Clip(300, 222);
        var augmentation = new TrainingAugmentation { MultiScaleCrop = new() { Scales = [1] }, FlipProbability = 0 };
        byte[] found = new byte[2 * 224 * 224 * 3];
        new TrainingTransform(augmentation, Spec).TransformBytes(clip, new FirstDraws(), found);
        for (int y = 0; y < 224; y++)
        {
            ReadOnlySpan<byte> row = found.AsSpan(y * 224 * 3, 224 * 3);
            if (y < 222)
            {
                Assert.True(row.SequenceEqual(clip.Frame(0).Slice(y * 300 * 3, 224 * 3)));
            }
            else
            {
                Assert.Equal(-1, row.IndexOfAnyExcept((byte)0));
            }
        }
    }

    // A crop of 224 by 280 in the corner: PaddleVideo's resize would leave it as it is.
    [Fact]
    public void Transform_ResizedCropWithTheInputsShortSide_StillBecomesSquare()
    {
        using DecodedClip clip = Clip(400, 300);
        double area = 224 * 280 / (400.0 * 300), logRatio = Math.Log(224.0 / 280);
        Assert.Equal((224, 280), RandomWindows.ResizedCropSize(400, 300, logRatio, area));
        byte[] found = new byte[2 * 224 * 224 * 3];
        var augmentation = new TrainingAugmentation { RandomResizedCrop = new() { MinArea = area, MaxArea = area, MinRatio = 0.8, MaxRatio = 0.8 }, FlipProbability = 0 };
        new TrainingTransform(augmentation, Spec).TransformBytes(clip, new FirstDraws(), found);
        Pictures cut = PaddleOps.Cut(new([.. clip.Frame(0), .. clip.Frame(1)], 2, 400, 300), new(0, 0, 224, 280));
        Assert.Equal(PaddleOps.Resized(cut, 224, 224, ResizeEngine.Pillow, VectorWidth.None).Bytes, found);
    }

    [Fact]
    public void Transform_FrameSmallerThanInput_MediaException()
    {
        using DecodedClip clip = Clip(200, 300);
        var transform = new TrainingTransform(new() { RandomCrop = true }, Spec);
        Assert.Throws<MediaException>(() => Transformed(transform, clip, 0));
    }

    [Fact]
    public void Constructor_MultiScaleCropSmallerThanInput_ConfigException() =>
        Assert.Throws<ConfigException>(() => new TrainingTransform(new() { MultiScaleCrop = new() { Size = 200 } }, Spec));

    [Fact]
    public void Constructor_MultiScaleCropLargerWithoutRandomCrop_ConfigException() =>
        Assert.Throws<ConfigException>(() => new TrainingTransform(new() { MultiScaleCrop = new() { Size = 256 } }, Spec));

    [Fact]
    public void Validate_ValuesOutOfRange_MessageNamesKey()
    {
        AssertNamed("flipProbability", new() { FlipProbability = 1.5 });
        AssertNamed("multiScaleCrop.scales", new() { MultiScaleCrop = new() { Scales = [] } });
        AssertNamed("multiScaleCrop.size", new() { MultiScaleCrop = new() { Size = 0 } });
        AssertNamed("randomResizedCrop.minArea", new() { RandomResizedCrop = new() { MinArea = 0 } });
        AssertNamed("jitter", new() { Jitter = new(300, 200) });
        AssertNamed("jitter.engine", new() { Jitter = new(Engine: ResizeEngine.Interpolate), MultiScaleCrop = new() });
        AssertNamed("resize.engine", new() { Resize = new(ResizeRule.Square, 256, ResizeEngine.Interpolate), RandomResizedCrop = new() });
        AssertNamed("randomResizedCrop", new() { MultiScaleCrop = new(), RandomResizedCrop = new() });

        static void AssertNamed(string key, TrainingAugmentation augmentation)
        {
            ConfigException e = Assert.Throws<ConfigException>(() => augmentation.Validate("a.yaml"));
            Assert.Contains(key, e.Message, StringComparison.Ordinal);
            Assert.Equal("a.yaml", e.Path);
        }
    }

    private static TrainingAugmentation Preset(string name) => name switch
    {
        nameof(TrainingAugmentation.Tsn) => TrainingAugmentation.Tsn(),
        nameof(TrainingAugmentation.PpTsn) => TrainingAugmentation.PpTsn(),
        nameof(TrainingAugmentation.Tsm) => TrainingAugmentation.Tsm(),
        nameof(TrainingAugmentation.PpTsm) => TrainingAugmentation.PpTsm(),
        nameof(TrainingAugmentation.VideoSwin) => TrainingAugmentation.VideoSwin(),
        nameof(TrainingAugmentation.TimeSformer) => TrainingAugmentation.TimeSformer(),
        _ => TrainingAugmentation.SlowFast(),
    };

    private static DecodedClip Clip(int width, int height) =>
        DecodedClip.FromVideo(FormulaFrames.Create(width, height, 2), width, height, [0, 1]);

    private static float[] Transformed(TrainingTransform transform, DecodedClip clip, int sample)
    {
        var destination = new float[clip.Count * 3 * 224 * 224];
        transform.Transform(clip, new CounterRandom(1, 0, sample, "augmentation"), destination);
        return destination;
    }

    private static byte[] Bytes(TrainingAugmentation augmentation, DecodedClip clip, int sample)
    {
        byte[] destination = new byte[clip.Count * 3 * 224 * 224];
        new TrainingTransform(augmentation, Spec).TransformBytes(clip, new CounterRandom(1, 0, sample, "augmentation"), destination);
        return destination;
    }

    private sealed class FirstDraws : IDraws
    {
        public int Integer(int low, int exclusiveHigh) => low;

        public int Choice(int count) => 0;

        public double Real(double low, double high) => low;

        public double Unit() => 0;
    }
}
