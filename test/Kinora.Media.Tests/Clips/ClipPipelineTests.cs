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
