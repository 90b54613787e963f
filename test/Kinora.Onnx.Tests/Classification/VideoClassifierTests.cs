using System.Text.Json;
using Kinora.Media;
using Kinora.Testing;

namespace Kinora.Onnx.Tests.Classification;

public sealed class VideoClassifierTests : IDisposable
{
    private static readonly ClassifierOptions TwoThreads = new() { Threads = 2 };
    private readonly TemporaryFolder _folder = new();
    private readonly TinyNetwork _tiny = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Classify_Video_EqualsHandComputedScoresOfItsFrames()
    {
        string video = Video("clip.mp4", 30);
        using VideoClassifier classifier = VideoClassifier.Load(Model(), TwoThreads);

        ClassificationResult result = classifier.Classify(video, 2, Cancel);

        double[] expected = _tiny.Logits(Pixels(classifier, video));
        Assert.Equal(expected, Array.ConvertAll(result.Logits.ToArray(), v => (double)v), (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Equal(2, result.Predictions.Count);
        Assert.Equal($"label {Array.IndexOf(expected, expected.Max())}", result.Best.Label);
        Assert.Equal((video, 30, 24, 16, 0), (result.Path, result.FrameCount, result.Width, result.Height, result.Rotation));
        Assert.Equal(classifier.Pipeline.Sampler.EvaluationIndices(30), result.FrameIndices);
        Assert.Equal(_tiny.Spec, result.Spec);
        Assert.True(result.Timings is { DecodeMilliseconds: > 0, PixelsMilliseconds: > 0, NetworkMilliseconds: > 0 });
        Assert.Empty(result.Thumbnails);
    }

    [Fact]
    public void Classify_RunFolder_UsesItsModel()
    {
        Directory.CreateDirectory(_folder["runs/a"]);
        File.Move(Model(), _folder["runs/a/model.onnx"]);
        using VideoClassifier classifier = VideoClassifier.Load(_folder["runs/a"], TwoThreads);

        Assert.Equal(_folder["runs/a/model.onnx"], classifier.ModelPath);
        Assert.Equal(_tiny.Labels.Names, classifier.Model.Labels.Names);
        Assert.Equal(3, classifier.Classify(Video("clip.mp4"), cancellation: Cancel).Predictions.Count);
    }

    [Theory]
    [InlineData(CropMethod.Three, SamplingMethod.Linspace, 3)]
    [InlineData(CropMethod.Ten, SamplingMethod.Linspace, 10)]
    [InlineData(CropMethod.Center, SamplingMethod.Dense, 10)]
    public void Classify_SeveralViews_AveragesLogits(CropMethod crop, SamplingMethod sampling, int views)
    {
        ClipSpec spec = _tiny.Spec with { Crop = new CropSpec(crop, 8), Sampling = new SamplingSpec(sampling, 4) };
        string video = Video("clip.mp4", 80);
        using VideoClassifier classifier = VideoClassifier.Load(Model(spec), TwoThreads);

        ClassificationResult result = classifier.Classify(video, cancellation: Cancel);

        float[] pixels = Pixels(classifier, video);
        double[][] each = [.. Enumerable.Range(0, views).Select(v => _tiny.Logits(pixels.AsSpan(v * _tiny.FloatsPerView, _tiny.FloatsPerView)))];
        Assert.Equal(views, classifier.Pipeline.Views);
        for (int k = 0; k < _tiny.Classes; k++)
        {
            Assert.Equal(each.Average(v => v[k]), result.Logits.Span[k], 1e-5);
        }
    }

    [Fact]
    public void Classify_MoreFramesThanMemory_SameAnswerInParts()
    {
        string model = Model(_tiny.Spec with { Sampling = new SamplingSpec(SamplingMethod.Dense, 4) }), video = Video("clip.mp4", 80);
        using VideoClassifier whole = VideoClassifier.Load(model, TwoThreads);
        using VideoClassifier parts = VideoClassifier.Load(model, TwoThreads with { MaxDecodedBytes = 1, Thumbnails = true });

        ClassificationResult expected = whole.Classify(video, cancellation: Cancel), actual = parts.Classify(video, cancellation: Cancel);

        Assert.Equal(expected.Logits.ToArray(), actual.Logits.ToArray());
        Assert.Equal(expected.FrameIndices, actual.FrameIndices);
        Assert.True(actual.Timings is { DecodeMilliseconds: > 0, PixelsMilliseconds: > 0 });
        Assert.Empty(actual.Thumbnails);
    }

    [Fact]
    public void Classify_DecodedClip_SameAsFile()
    {
        string video = Video("clip.mp4");
        using VideoClassifier classifier = VideoClassifier.Load(Model(), TwoThreads);
        using IFrameSource source = FrameSource.Open(video, cancellationToken: Cancel);
        using DecodedClip clip = classifier.Pipeline.Decode(source, Cancel);

        ClassificationResult result = classifier.Classify(clip, cancellation: Cancel);

        Assert.Equal(classifier.Classify(video, cancellation: Cancel).Predictions, result.Predictions);
        Assert.Equal((0.0, 20), (result.Timings.DecodeMilliseconds, result.FrameCount));
    }

    [Fact]
    public void Classify_SteadyState_AllocatesTheResultAlone()
    {
        using VideoClassifier classifier = VideoClassifier.Load(Model(), TwoThreads);
        using DecodedClip clip = DecodedClip.FromFrames(new byte[4 * 24 * 16 * 3], 24, 16, [0, 1, 2, 3], 20);
        for (int i = 0; i < 3; i++)
        {
            _ = classifier.Classify(clip, 2, Cancel);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        ClassificationResult result = classifier.Classify(clip, 2, Cancel);
        long used = GC.GetAllocatedBytesForCurrentThread() - before;
        before = GC.GetAllocatedBytesForCurrentThread();
        Prediction[] predictions = [result.Predictions[0] with { Index = 1 }, result.Predictions[1] with { Index = 0 }];
        ClassificationResult same = new("", predictions, new float[3], _tiny.Spec)
        {
            FrameIndices = new int[4],
        };
        long needed = GC.GetAllocatedBytesForCurrentThread() - before - SpecBytes();

        Assert.Equal(needed, used);
        GC.KeepAlive(same);

        long SpecBytes()
        {
            long start = GC.GetAllocatedBytesForCurrentThread();
            _ = _tiny.Spec;
            return GC.GetAllocatedBytesForCurrentThread() - start;
        }
    }

    [Fact]
    public void Classify_EightThreads_SameAnswers()
    {
        string[] videos = [.. Enumerable.Range(0, 4).Select(i => Video($"clip{i}.mp4", 12 + i))];
        using VideoClassifier classifier = VideoClassifier.Load(Model(), TwoThreads);
        float[][] expected = [.. videos.Select(v => classifier.Classify(v, cancellation: Cancel).Logits.ToArray())];
        var differing = 0;

        Thread[] threads = [.. Enumerable.Range(0, 8).Select(t => new Thread(() =>
        {
            for (int i = 0; i < 8; i++)
            {
                int which = (t + i) % 4;
                if (!classifier.Classify(videos[which], cancellation: Cancel).Logits.Span.SequenceEqual(expected[which]))
                {
                    Interlocked.Increment(ref differing);
                }
            }
        }))];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());

        Assert.Equal(0, differing);
    }

    [Fact]
    public void Classify_Thumbnails_AreTheCropsThatTheNetworkSaw()
    {
        string video = Video("clip.mp4");
        using VideoClassifier classifier = VideoClassifier.Load(Model(), TwoThreads with { Thumbnails = true, ThumbnailQuality = 100 });

        ClassificationResult result = classifier.Classify(video, cancellation: Cancel);

        using IFrameSource source = FrameSource.Open(video, cancellationToken: Cancel);
        using DecodedClip clip = classifier.Pipeline.Decode(source, Cancel);
        var crops = new byte[4 * 8 * 8 * 3];
        classifier.Pipeline.TransformBytes(clip, crops);
        Assert.Equal(4, result.Thumbnails.Count);
        for (int i = 0; i < 4; i++)
        {
            (int width, int height, byte[] rgb) = JpegImage.Decode(result.Thumbnails[i].Span);
            Assert.Equal((8, 8), (width, height));
            Assert.True(rgb.Zip(crops.Skip(i * rgb.Length)).Average(p => Math.Abs(p.First - p.Second)) < 12);
        }
    }

    [Fact]
    public async Task ClassifyAsync_ManyAtOnce_EachItsOwnAnswerOffTheCallersThread()
    {
        string[] videos = [.. Enumerable.Range(0, 6).Select(i => Video($"clip{i}.mp4", 12 + i))];
        using VideoClassifier classifier = VideoClassifier.Load(Model(), TwoThreads);

        ClassificationResult[] results = await Task.WhenAll(videos.Select(v => classifier.ClassifyAsync(v, cancellation: Cancel)));

        Assert.Equal(videos, results.Select(r => r.Path));
        Assert.All(results, r => Assert.Equal(classifier.Classify(r.Path, cancellation: Cancel).Predictions, r.Predictions));
    }

    [Fact]
    public async Task ClassifyAsync_Failure_ComesThroughTheTask()
    {
        using VideoClassifier classifier = VideoClassifier.Load(Model(), TwoThreads);
        Task<ClassificationResult> task = classifier.ClassifyAsync(_folder["none.mp4"], cancellation: Cancel);

        Assert.Equal(_folder["none.mp4"], (await Assert.ThrowsAsync<MediaException>(() => task)).Path);
    }

    [Fact]
    public async Task ClassifyAsync_CancelledWhileTheNetworkRuns_Stops()
    {
        string video = Video("clip.mp4");
        using var engine = new WaitingNetwork();
        using VideoClassifier classifier = VideoClassifier.Create(Card(), _ => engine, TwoThreads);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        Task<ClassificationResult> task = classifier.ClassifyAsync(video, cancellation: stop.Token);
        await engine.Running.WaitAsync(Cancel);
        Assert.False(task.IsCompleted);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
        Assert.True(task.IsCanceled);
    }

    [Fact]
    public async Task Dispose_WhileTheNetworkRuns_CancelsAndReturns()
    {
        string video = Video("clip.mp4");
        using var engine = new WaitingNetwork();
        VideoClassifier classifier = VideoClassifier.Create(Card(), _ => engine, TwoThreads);
        Task<ClassificationResult> running = classifier.ClassifyAsync(video, cancellation: Cancel);
        Task<ClassificationResult> alsoRunning = classifier.ClassifyAsync(video, cancellation: Cancel);
        Task<ClassificationResult> waiting = classifier.ClassifyAsync(video, cancellation: Cancel);
        await engine.Running.WaitAsync(Cancel);

        classifier.Dispose();

        foreach (Task<ClassificationResult> task in new[] { running, alsoRunning, waiting })
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
        }

        Assert.Throws<ObjectDisposedException>(() => classifier.Classify(video, cancellation: Cancel));
    }

    [Fact]
    public void Classify_CancelledBefore_Throws()
    {
        using VideoClassifier classifier = VideoClassifier.Load(Model(), TwoThreads);

        Assert.ThrowsAny<OperationCanceledException>(() => classifier.Classify(Video("clip.mp4"), cancellation: new CancellationToken(canceled: true)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void ClassifyMany_GoodAndBadClips_OneOutcomeEachInOrder(int threads)
    {
        File.WriteAllText(_folder["text.mp4"], "not a video");
        string[] paths = [Video("a.mp4", 40), _folder["none.mp4"], Video("b.mp4", 9), _folder["text.mp4"], Video("c.mp4", 21), .. Enumerable.Range(0, 30).Select(i => Video($"more{i}.mp4", 6))];
        using VideoClassifier classifier = VideoClassifier.Load(Model(), new ClassifierOptions { Threads = threads, WaitForNetwork = false });

        ClipOutcome[] outcomes = [.. classifier.ClassifyMany(paths, 1, Cancel)];

        Assert.Equal(paths, outcomes.Select(o => o.Path));
        Assert.Equal([1, 3], Enumerable.Range(0, paths.Length).Where(i => !outcomes[i].Succeeded));
        Assert.All([outcomes[1], outcomes[3]], o => Assert.Equal(o.Path, Assert.IsType<MediaException>(o.Failure).Path));
        foreach (ClipOutcome outcome in outcomes.Where(o => o.Succeeded))
        {
            Assert.Equal(classifier.Classify(outcome.Path, 1, Cancel).Best.Label, outcome.Result!.Best.Label);
        }
    }

    [Fact]
    public void ClassifyMany_LongSequence_TakesPathsAFewAhead()
    {
        string video = Video("clip.mp4", 6);
        var taken = 0;
        using VideoClassifier classifier = VideoClassifier.Load(Model(), TwoThreads);

        using IEnumerator<ClipOutcome> outcomes = classifier.ClassifyMany(Endless(), 1, Cancel).GetEnumerator();
        for (int i = 0; i < 10; i++)
        {
            Assert.True(outcomes.MoveNext());
            Assert.InRange(taken, i + 1, i + 17);
        }

        IEnumerable<string> Endless()
        {
            for (; ; taken++)
            {
                yield return video;
            }
        }
    }

    [Fact]
    public async Task ClassifyManyAsync_CancelledMidway_Throws()
    {
        string video = Video("clip.mp4", 6);
        using VideoClassifier classifier = VideoClassifier.Load(Model(), TwoThreads);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var seen = 0;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (ClipOutcome outcome in classifier.ClassifyManyAsync(Enumerable.Repeat(video, 10_000), 1, stop.Token))
            {
                Assert.True(outcome.Succeeded);
                if (++seen == 3)
                {
                    await stop.CancelAsync();
                }
            }
        });

        Assert.InRange(seen, 3, 30);
    }

    [Fact]
    public void ClassifyMany_NoPaths_NoOutcomes()
    {
        using VideoClassifier classifier = VideoClassifier.Load(Model(), TwoThreads);

        Assert.Empty(classifier.ClassifyMany([], 1, Cancel));
    }

    [Fact]
    public void Load_DamagedGraph_CheckpointExceptionNowOrAtFirstUse()
    {
        byte[] model = File.ReadAllBytes(Model());
        int at = model.AsSpan().IndexOf("GlobalAveragePool"u8);
        "GlobalSurprise"u8.CopyTo(model.AsSpan(at));
        File.WriteAllBytes(_folder["bad.onnx"], model);

        Assert.Equal(_folder["bad.onnx"], Assert.Throws<CheckpointException>(() => VideoClassifier.Load(_folder["bad.onnx"])).Path);
        using VideoClassifier later = VideoClassifier.Load(_folder["bad.onnx"], new ClassifierOptions { WaitForNetwork = false });
        string video = Video("clip.mp4");
        Assert.Throws<CheckpointException>(() => later.Classify(video, cancellation: Cancel));
        Assert.Throws<CheckpointException>(() => later.ClassifyMany([video, video], cancellation: Cancel).Count());
    }

    [Fact]
    public void Load_MetadataOfAnotherNetwork_SaysBoth()
    {
        string otherSize = Model(_tiny.Spec with { Crop = new CropSpec(CropMethod.Center, 16) });
        Assert.Contains("expected input [N, 4, 3, 16, 16] and 3 classes, as its metadata says, found input [N, 4, 3, 8, 8]", Assert.Throws<CheckpointException>(() => VideoClassifier.Load(otherSize)).Message, StringComparison.Ordinal);
        string otherLabels = _tiny.Graph().Property(ModelCard.SpecKey, _tiny.Spec.ToJson()).Property(ModelCard.LabelsKey, """["a","b"]""").Save(_folder["labels.onnx"]);
        Assert.Contains("and 2 classes", Assert.Throws<CheckpointException>(() => VideoClassifier.Load(otherLabels)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NoModel_SaysWhatWasExpected()
    {
        Assert.Contains("found nothing", Assert.Throws<CheckpointException>(() => VideoClassifier.Load(_folder["none.onnx"])).Message, StringComparison.Ordinal);
        Assert.Contains("expected model.onnx in the folder", Assert.Throws<CheckpointException>(() => VideoClassifier.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Classify_WeightsWithNaN_SaysSo()
    {
        byte[] model = File.ReadAllBytes(Model());
        int bias = model.AsSpan().IndexOf(BitConverter.GetBytes(TinyNetwork.Values("bias", 3, 0.5)[1]));
        BitConverter.GetBytes(float.NaN).CopyTo(model, bias);
        File.WriteAllBytes(_folder["nan.onnx"], model);
        using VideoClassifier classifier = VideoClassifier.Load(_folder["nan.onnx"], TwoThreads);
        string video = Video("clip.mp4");

        Assert.Contains("found NaN for 'label 1'", Assert.Throws<CheckpointException>(() => classifier.Classify(video, cancellation: Cancel)).Message, StringComparison.Ordinal);
        Assert.All(classifier.ClassifyMany([video, video], 1, Cancel), o => Assert.IsType<CheckpointException>(o.Failure));
    }

    public static TheoryData<string> RealClips => [.. SharedData.Files("data/clips", "*").Select(p => System.IO.Path.GetFileName(p))];

    [Theory]
    [MemberData(nameof(RealClips))]
    public void Classify_RealClip_ResultOrMediaException(string name)
    {
        string video = SharedData.Require("data/clips/" + name);
        using VideoClassifier classifier = VideoClassifier.Load(Model(), TwoThreads);

        ClipOutcome outcome = Assert.Single(classifier.ClassifyMany([video], 3, Cancel));

        Assert.True(outcome.Succeeded ? outcome.Result.Predictions.Count == 3 : outcome.Failure is MediaException);
        if (outcome.Succeeded)
        {
            double[] expected = _tiny.Logits(Pixels(classifier, video));
            Assert.Equal(expected, Array.ConvertAll(outcome.Result.Logits.ToArray(), v => (double)v), (a, b) => Math.Abs(a - b) < 1e-5);
        }
    }

    private static float[] Pixels(VideoClassifier classifier, string video)
    {
        using IFrameSource source = FrameSource.Open(video, classifier.Model.Spec.Color, Cancel);
        var pixels = new float[classifier.Pipeline.Views * classifier.Pipeline.FloatsPerView];
        classifier.Pipeline.Process(source, pixels, Cancel);
        return pixels;
    }

    private ModelCard Card() => new(_tiny.Spec, _tiny.Labels, null, null, new Dictionary<string, string>());

    private string Model(ClipSpec? spec = null) => _tiny.Graph()
        .Property(ModelCard.SpecKey, (spec ?? _tiny.Spec).ToJson())
        .Property(ModelCard.LabelsKey, JsonSerializer.Serialize(_tiny.Labels.Names))
        .Save(_folder["m.onnx"]);

    // A bright block that wanders over a coloured ground: every frame differs.
    private string Video(string name, int frames = 20)
    {
        const int width = 24, height = 16;
        using var writer = new VideoWriter(_folder[name], width, height, 25);
        var frame = new byte[width * height * 3];
        for (int t = 0; t < frames; t++)
        {
            for (int i = 0; i < frame.Length; i++)
            {
                int x = i / 3 % width, y = i / 3 / width;
                frame[i] = (byte)(Math.Abs(x - (t % width)) < 3 ? 250 - (10 * (frames % 16)) : (i % 3 * 60) + (y * 5));
            }

            writer.Write(frame);
        }

        writer.Finish();
        return _folder[name];
    }

    /// <summary>An engine that runs until it is cancelled.</summary>
    private sealed class WaitingNetwork() : PreparedNetwork([4, 3, 8, 8], 3, 1)
    {
        private readonly TaskCompletionSource _running = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Running => _running.Task;

        protected override NetworkBatch CreateBatch(int views) => new Batch(this, views);

        protected override void Dispose(bool disposing)
        {
        }

        private sealed class Batch(WaitingNetwork network, int views) : NetworkBatch(network, views)
        {
            private readonly float[] _clips = new float[views * network.FloatsPerView];

            public override Span<float> Clips => _clips;

            public override ReadOnlySpan<float> Logits => new float[Views * 3];

            public override void Run(CancellationToken cancellation = default)
            {
                network._running.TrySetResult();
                cancellation.WaitHandle.WaitOne();
                cancellation.ThrowIfCancellationRequested();
            }

            protected override void Free()
            {
            }
        }
    }
}
