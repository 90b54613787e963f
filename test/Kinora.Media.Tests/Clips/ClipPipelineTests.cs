namespace Kinora.Media.Tests;

public sealed class ClipPipelineTests
{
    private static readonly ClipSpec Spec = new(
        new(SamplingMethod.Uniform, 4), new(ResizeRule.KeepAspectTruncate, 40), new(CropMethod.Center, 32), Normalization.ImageNet);

    public static TheoryData<CropMethod, SamplingMethod, ClipLayout> Chains
    {
        get
        {
            var rows = new TheoryData<CropMethod, SamplingMethod, ClipLayout>();
            foreach (CropMethod crop in Enum.GetValues<CropMethod>())
            {
                foreach (ClipLayout layout in Enum.GetValues<ClipLayout>())
                {
                    rows.Add(crop, SamplingMethod.Uniform, layout);
                    rows.Add(crop, SamplingMethod.Dense, layout);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Chains))]
    public void Transform_AnyLayout_NormalisedBytesInItsOrder(CropMethod crop, SamplingMethod method, ClipLayout layout)
    {
        ClipSpec spec = Spec with
        {
            Sampling = new(method, 4),
            Resize = new(ResizeRule.KeepAspectTruncate, crop == CropMethod.Three ? 32 : 40),
            Crop = new(crop, 32),
            Layout = layout,
        };
        var pipeline = new ClipPipeline(spec);
        using DecodedClip clip = pipeline.Decode(Video(90, 60, 80), TestContext.Current.CancellationToken);
        byte[] bytes = new byte[pipeline.Views * pipeline.FloatsPerView];
        pipeline.TransformBytes(clip, bytes);
        float[] floats = Transformed(pipeline, clip);
        float[] table = NormalizationTable.Create(spec.Normalization);

        int frames = pipeline.Frames, plane = 32 * 32;
        Assert.Equal(frames * 3 * plane, pipeline.ViewShape.Aggregate((a, b) => a * b));
        for (int i = 0; i < bytes.Length; i++)
        {
            int c = i % 3, pixel = i / 3 % plane, t = i / 3 / plane % frames, view = i / pipeline.FloatsPerView;
            int at = layout switch
            {
                ClipLayout.Ntchw => (((t * 3) + c) * plane) + pixel,
                ClipLayout.Ncthw => (((c * frames) + t) * plane) + pixel,
                _ => (((t * plane) + pixel) * 3) + c,
            };
            Assert.Equal(table[(c * 256) + bytes[i]], floats[(view * pipeline.FloatsPerView) + at]);
        }
    }

    [Theory]
    [InlineData(ClipLayout.Ntchw, ResizeEngine.Pillow)]
    [InlineData(ClipLayout.Ncthw, ResizeEngine.OpenCv)]
    [InlineData(ClipLayout.Ncthw, ResizeEngine.Interpolate)]
    [InlineData(ClipLayout.Nthwc, ResizeEngine.Pillow)]
    public void Transform_Difference_EachFrameMinusTheOneBeforeAndTrainingAlike(ClipLayout layout, ResizeEngine engine)
    {
        const int size = 24, frames = 3, views = 2 * 3;
        var spec = new ClipSpec(
            new(SamplingMethod.FrameInterval, 2, frames), new(ResizeRule.KeepAspectFloor, 30, engine), new(CropMethod.Spread, size), Normalization.ImageNet, Layout: layout);
        byte[] video = FormulaFrames.Create(53, 40, 6);
        using DecodedClip clip = DecodedClip.FromVideo(video, 53, 40, [0, 1, 2, 3, 4, 5]);
        float[] plain = new float[views * 3 * frames * size * size], differences = new float[plain.Length];
        new ClipPipeline(spec).Transform(clip, plain);
        new ClipPipeline(spec with { Input = ClipInput.Difference }).Transform(clip, differences);
        (int step, int period) = layout == ClipLayout.Ncthw ? (size * size, frames) : (3 * size * size, frames);
        for (int i = 0; i < plain.Length; i++)
        {
            Assert.Equal(i / step % period == 0 ? 0 : plain[i] - plain[i - step], differences[i]);
        }

        // A training that varies nothing makes the same of a clip as the evaluation's middle crop.
        ClipSpec middle = spec with { Sampling = new(SamplingMethod.Uniform, frames), Crop = new(CropMethod.Center, size), Input = ClipInput.Difference };
        var still = new TrainingAugmentation { Resize = middle.Resize, FlipProbability = 0 };
        using DecodedClip short3 = DecodedClip.FromVideo(video, 53, 40, [0, 2, 5]);
        float[] evaluated = new float[3 * frames * size * size], trained = new float[evaluated.Length];
        new ClipPipeline(middle).Transform(short3, evaluated);
        new TrainingTransform(still, middle).Transform(short3, new CounterRandom(1, "still"), trained);
        Assert.Equal(evaluated, trained);
        Assert.Contains(trained, v => v != 0);
    }

    [Fact]
    public void TransformBytes_SeveralClipsAndCrops_CropMajor()
    {
        var pipeline = new ClipPipeline(Spec with { Sampling = new(SamplingMethod.Dense, 4), Crop = new(CropMethod.FullResolution, 32) });
        Assert.Equal((30, 10, 3), (pipeline.Views, pipeline.Clips, pipeline.Crops));
        MemorySource video = Video(90, 60, 80);
        using DecodedClip clip = pipeline.Decode(video, TestContext.Current.CancellationToken);
        byte[] views = new byte[pipeline.Views * pipeline.FloatsPerView];
        pipeline.TransformBytes(clip, views);

        // The same by hand: one resize, then each crop of all forty frames.
        var decoded = new Pictures(Enumerable.Range(0, clip.Count).SelectMany(i => clip.Frame(i).ToArray()).ToArray(), clip.Count, clip.Width, clip.Height);
        Pictures resized = PaddleOps.Resized(decoded, 60, 40, ResizeEngine.Pillow, VectorWidth.None);
        Assert.Equal(PaddleOps.Crops(resized, 32, CropViews.FullResolution(32, 60, 40, flips: false)).Bytes, views);
    }

    [Theory]
    [InlineData(ResizeEngine.Pillow, CropMethod.Center)]
    [InlineData(ResizeEngine.OpenCv, CropMethod.Ten)]
    public void Transform_EveryVectorWidth_SameBits(ResizeEngine engine, CropMethod crop)
    {
        ClipSpec spec = Spec with { Resize = new(ResizeRule.FixedRatio, 40, engine), Crop = new(crop, 32) };
        using DecodedClip clip = new ClipPipeline(spec).Decode(Video(91, 67, 9), TestContext.Current.CancellationToken);
        float[] expected = Transformed(new ClipPipeline(spec, VectorWidth.None), clip);
        Assert.Equal(expected, Transformed(new ClipPipeline(spec, VectorWidth.Bits128), clip));
        Assert.Equal(expected, Transformed(new ClipPipeline(spec), clip));
    }

    [Fact]
    public void Transform_InterpolateToTheSameSize_ThePixelsThemselves()
    {
        ClipSpec plain = Spec with { Resize = new(ResizeRule.None, 0) };
        using DecodedClip clip = new ClipPipeline(plain).Decode(Video(60, 40, 9), TestContext.Current.CancellationToken);
        ClipSpec resized = plain with { Resize = new(ResizeRule.KeepAspectFloor, 40, ResizeEngine.Interpolate) };
        Assert.Equal(Transformed(new ClipPipeline(plain), clip), Transformed(new ClipPipeline(resized), clip));
    }

    [Fact]
    public void Transform_InterpolateTenCropsOfASmallFrame_MirrorsAndBlackBorders()
    {
        ClipSpec spec = Spec with { Resize = new(ResizeRule.KeepAspectFloor, 24, ResizeEngine.Interpolate), Crop = new(CropMethod.Ten, 32), Layout = ClipLayout.Nthwc };
        var pipeline = new ClipPipeline(spec);
        using DecodedClip clip = pipeline.Decode(Video(90, 60, 9), TestContext.Current.CancellationToken);
        float[] views = Transformed(pipeline, clip);
        float[] black = [.. Enumerable.Range(0, 3).Select(c => NormalizationTable.Create(spec.Normalization)[c * 256])];
        for (int i = 0; i < views.Length / 2; i++)
        {
            int pair = i / pipeline.FloatsPerView, inside = i % pipeline.FloatsPerView, c = inside % 3, x = inside / 3 % 32, rest = inside / 96;
            Assert.Equal(views[(2 * pair * pipeline.FloatsPerView) + inside], views[(((2 * pair) + 1) * pipeline.FloatsPerView) + (rest * 96) + ((31 - x) * 3) + c]);
        }

        // The frame becomes 36 x 24, eight rows short of the crop; the first view begins at its upper left corner.
        Assert.Equal(black, views.AsSpan(31 * 32 * 3, 3).ToArray());
        Assert.NotEqual(black, views.AsSpan(23 * 32 * 3, 3).ToArray());
    }

    [Fact]
    public void Process_TimedClips_CountsTheVideosOwnRate()
    {
        // Two seconds at 10 frames a second: points at 0 to 0.9 s, and from half the room on.
        var pipeline = new ClipPipeline(Spec with { Sampling = new(SamplingMethod.Timed, 2, 4, 5, 20) });
        using var video = new MemorySource(FormulaFrames.Create(48, 44, 20), 48, 44, framesPerSecond: 10);
        using DecodedClip clip = pipeline.Decode(video, TestContext.Current.CancellationToken);
        Assert.Equal([0, 3, 6, 9, 5, 8, 11, 14], clip.Indices.ToArray());
        Assert.Equal((2, 4, 2), (pipeline.Clips, pipeline.Frames, pipeline.Views));
    }

    [Fact]
    public void MultiScaleCrop_BesideInterpolate_ConfigExceptionSaysWhy()
    {
        ResizeSpec interpolate = new(ResizeRule.KeepAspectFloor, 40, ResizeEngine.Interpolate);
        ConfigException e = Assert.Throws<ConfigException>(() => new TrainingTransform(new() { Resize = interpolate, MultiScaleCrop = new() { Size = 32 } }, Spec));
        Assert.Contains("resize.engine", e.Message, StringComparison.Ordinal);
        Assert.Contains("work on bytes", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Process_LargeFrames_SameAsDecodeAndTransform()
    {
        // Frames of 6 MB: more than one chunk.
        ClipSpec spec = Spec with { Sampling = new(SamplingMethod.Uniform, 24), Crop = new(CropMethod.Ten, 32) };
        var pipeline = new ClipPipeline(spec);
        MemorySource video = Video(1920, 1080, 13);
        using DecodedClip clip = pipeline.Decode(video, TestContext.Current.CancellationToken);
        var found = new float[pipeline.Views * pipeline.FloatsPerView];
        pipeline.Process(video, found, TestContext.Current.CancellationToken);
        Assert.Equal(Transformed(pipeline, clip), found);
    }

    [Fact]
    public void Decode_RepeatedIndices_EachFrameReadOnce()
    {
        MemorySource video = Video(48, 44, 3);
        using DecodedClip clip = new ClipPipeline(Spec).Decode(video, TestContext.Current.CancellationToken);
        Assert.Equal([0, 1, 2, 0], clip.Indices.ToArray());
        Assert.Equal(3, video.FramesRead);
        Assert.True(clip.Frame(0).SequenceEqual(clip.Frame(3)));
        Assert.False(clip.Frame(0).SequenceEqual(clip.Frame(1)));
    }

    [Fact]
    public void Transform_CachedVideo_SameAsDecodedFrames()
    {
        byte[] frames = FormulaFrames.Create(48, 44, 9);
        var pipeline = new ClipPipeline(Spec);
        using DecodedClip decoded = pipeline.Decode(new MemorySource(frames, 48, 44), TestContext.Current.CancellationToken);
        using DecodedClip cached = DecodedClip.FromVideo(frames, 48, 44, decoded.Indices);
        Assert.Equal(Transformed(pipeline, decoded), Transformed(pipeline, cached));
    }

    [Fact]
    public void Transform_SteadyState_AllocatesNothing()
    {
        var pipeline = new ClipPipeline(Spec);
        using DecodedClip clip = pipeline.Decode(Video(90, 60, 9), TestContext.Current.CancellationToken);
        var destination = new float[pipeline.Views * pipeline.FloatsPerView];
        pipeline.Transform(clip, destination);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++)
        {
            pipeline.Transform(clip, destination);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Transform_FrameSmallerThanCrop_MediaExceptionWithSizes()
    {
        var pipeline = new ClipPipeline(Spec with { Resize = new(ResizeRule.None, 0) });
        using DecodedClip clip = pipeline.Decode(Video(48, 31, 4), TestContext.Current.CancellationToken);
        MediaException e = Assert.Throws<MediaException>(() => Transformed(pipeline, clip));
        Assert.Contains("32x32", e.Message, StringComparison.Ordinal);
        Assert.Contains("48x31", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_IndexOutsideTheVideo_MediaException()
    {
        MediaException e = Assert.Throws<MediaException>(
            () => new ClipPipeline(Spec).Decode(Video(48, 44, 3), [0, 1, 2, 3], TestContext.Current.CancellationToken));
        Assert.Contains("[0, 3)", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_RotatedVideo_UprightFramesAndItsAngle()
    {
        using IFrameSource source = ClipFrames.Open("clips/video_90.mov");
        using DecodedClip clip = new ClipPipeline(Spec).Decode(source, TestContext.Current.CancellationToken);
        Assert.Equal((320, 568, 90), (clip.Width, clip.Height, clip.Rotation));
    }

    [Fact]
    public void Decode_EmptySource_MediaException() =>
        Assert.Throws<MediaException>(() => new ClipPipeline(Spec).Decode(new MemorySource([], 48, 44), TestContext.Current.CancellationToken));

    [Fact]
    public void Transform_WrongNumberOfFrames_ArgumentException()
    {
        using DecodedClip clip = DecodedClip.FromVideo(FormulaFrames.Create(48, 44, 3), 48, 44, [0, 1, 2]);
        Assert.Throws<ArgumentException>(() => Transformed(new ClipPipeline(Spec), clip));
    }

    [Fact]
    public void Transform_ShortDestination_ArgumentException()
    {
        var pipeline = new ClipPipeline(Spec);
        using DecodedClip clip = pipeline.Decode(Video(48, 44, 9), TestContext.Current.CancellationToken);
        Assert.Throws<ArgumentException>(() => pipeline.Transform(clip, new float[pipeline.FloatsPerView - 1]));
    }

    [Fact]
    public void Decode_Cancelled_Throws()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.Throws<OperationCanceledException>(() => new ClipPipeline(Spec).Decode(Video(48, 44, 9), source.Token));
    }

    [Fact]
    public void FromVideo_IndexOutside_ArgumentException() =>
        Assert.Throws<ArgumentException>(() => DecodedClip.FromVideo(FormulaFrames.Create(8, 8, 2), 8, 8, [2]));

    private static MemorySource Video(int width, int height, int frames) => new(FormulaFrames.Create(width, height, frames), width, height);

    private static float[] Transformed(ClipPipeline pipeline, DecodedClip clip)
    {
        var destination = new float[pipeline.Views * pipeline.FloatsPerView];
        pipeline.Transform(clip, destination);
        return destination;
    }
}
