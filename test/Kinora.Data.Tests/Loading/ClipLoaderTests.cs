using Kinora.Media;

namespace Kinora.Data.Tests.Loading;

public sealed class ClipLoaderTests(Clips clips)
{
    private static readonly ClipSpec _spec = new(
        new SamplingSpec(SamplingMethod.Uniform, 4), new ResizeSpec(ResizeRule.KeepAspectTruncate, 40), new CropSpec(CropMethod.Center, 32), Normalization.ImageNet);

    private static readonly ClipLoaderOptions _training = new()
    {
        Spec = _spec,
        Augmentation = new TrainingAugmentation { Resize = new(ResizeRule.FixedRatio, 40), MultiScaleCrop = new() { Size = 36 }, RandomCrop = true },
        BatchSize = 4,
        Seed = 9,
    };

    private static readonly ClipLoaderOptions _evaluation = new() { Spec = _spec, BatchSize = 4 };

    public static TheoryData<string> Chains() => [.. _chains.Keys];

    private static readonly Dictionary<string, (TrainingAugmentation Augmentation, bool ScaledInCache)> _chains = new()
    {
        ["original frames, multi-scale crop"] = (new() { MultiScaleCrop = new() { Size = 32, AllowDuplicates = true } }, false),
        ["4:3, multi-scale crop, random crop"] = (new() { Resize = new(ResizeRule.FixedRatio, 40), MultiScaleCrop = new() { Size = 36 }, RandomCrop = true }, true),
        ["aspect rounded by OpenCV, multi-scale crop"] = (new() { Resize = new(ResizeRule.KeepAspectRound, 40, ResizeEngine.OpenCv), MultiScaleCrop = new() { Size = 32, Engine = ResizeEngine.OpenCv } }, true),
        ["aspect truncated, random resized crop"] = (new() { Resize = new(ResizeRule.KeepAspectTruncate, 41), RandomResizedCrop = new() }, true),
        ["square, random crop"] = (new() { Resize = new(ResizeRule.Square, 38), RandomCrop = true }, true),
        ["enlarged, centre"] = (new() { Resize = new(ResizeRule.KeepAspectTruncate, 70) }, true),
        ["jitter, random crop"] = (new() { Jitter = new(34, 60), RandomCrop = true }, false),
        ["nothing but the centre"] = (new() { FlipProbability = 0 }, false),
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Epoch_AnyNumberOfWorkers_SameBatches()
    {
        List<Copy> one = Run(_training with { Workers = 1 }, 2), many = Run(_training with { Workers = 5, Prefetch = 1 }, 2);

        AssertSame(one, many);
        Assert.Equal([0, 1, 2, 3], one.Select(b => b.Index));
        Assert.Equal([4, 4, 4, 1], one.Select(b => b.Indices.Length));
        Assert.Equal(Enumerable.Range(0, 13), one.SelectMany(b => b.Indices).Order());
        Assert.All(one, b => Assert.Equal(b.Indices.Select(i => clips.Set.Samples[i].Label), b.Labels));
    }

    [Fact]
    public void Epoch_Again_Repeats_AndOtherEpochsAndSeedsDiffer()
    {
        AssertSame(Run(_training, 3), Run(_training, 3));
        Assert.NotEqual(Run(_training, 3)[0].Indices, Run(_training, 4)[0].Indices);
        Assert.NotEqual(Run(_training, 3)[0].Indices, Run(_training with { Seed = 10 }, 3)[0].Indices);
        Assert.NotEqual(Run(_training with { Shuffle = false }, 3)[0].Pixels, Run(_training with { Shuffle = false }, 4)[0].Pixels);
    }

    [Fact]
    public void Epoch_SkippingBatches_ContinuesAlike()
    {
        AssertSame(Run(_training, 1)[2..], Run(_training, 1, skip: 2));
        Assert.Empty(Run(_training, 1, skip: 4));
        Assert.Empty(Run(_training, 1, skip: 400));
    }

    [Fact]
    public void Epoch_DropLast_LeavesOutTheIncompleteBatch()
    {
        using var loader = new ClipLoader(clips.Set, _training with { DropLast = true });
        Assert.Equal(3, loader.BatchCount);
        Assert.Equal([4, 4, 4], loader.Epoch(0, ct: Token).Select(b => { using (b) { return b.Count; } }));
    }

    [Fact]
    public void Epoch_Training_IsSamplerThenTransformWithTheKeyedStreams()
    {
        var pipeline = new ClipPipeline(_spec);
        var transform = new TrainingTransform(_training.Augmentation!, _spec);
        foreach (Copy batch in Run(_training, 6))
        {
            for (int i = 0; i < batch.Indices.Length; i++)
            {
                using IFrameSource source = FrameSource.Open(clips.Set.Samples[batch.Indices[i]].Path, cancellationToken: Token);
                int[] frames = pipeline.Sampler.TrainingIndices(source.FrameCount, new CounterRandom(9, 6, batch.Indices[i], "frames"));
                using DecodedClip clip = DecodedClip.Decode(source, frames, cancellationToken: Token);
                var expected = new float[pipeline.FloatsPerView];
                transform.Transform(clip, new CounterRandom(9, 6, batch.Indices[i], "augment"), expected);
                Assert.True(expected.AsSpan().SequenceEqual(batch.Pixels.AsSpan(i * expected.Length, expected.Length)));
            }
        }
    }

    [Theory]
    [InlineData(CropMethod.Center, ClipLayout.Ntchw, true)]
    [InlineData(CropMethod.Center, ClipLayout.Nthwc, false)]
    [InlineData(CropMethod.Ten, ClipLayout.Ntchw, true)]
    [InlineData(CropMethod.Three, ClipLayout.Ncthw, true)]
    public void Epoch_Evaluation_IsThePipeline(CropMethod crop, ClipLayout layout, bool cached)
    {
        ClipSpec spec = _spec with { Crop = new(crop, crop == CropMethod.Three ? 40 : 32), Layout = layout };
        var pipeline = new ClipPipeline(spec);
        var cache = cached ? new ClipCache(1 << 26) : null;
        using var loader = new ClipLoader(clips.Set, _evaluation with { Spec = spec, Cache = cache });
        for (int epoch = 0; epoch < 2; epoch++)
        {
            List<Copy> batches = Drain(loader, epoch);
            Assert.Equal(Enumerable.Range(0, 13), batches.SelectMany(b => b.Indices));
            foreach (Copy batch in batches)
            {
                int floats = pipeline.Views * pipeline.FloatsPerView;
                for (int i = 0; i < batch.Indices.Length; i++)
                {
                    using IFrameSource source = FrameSource.Open(clips.Set.Samples[batch.Indices[i]].Path, cancellationToken: Token);
                    var expected = new float[floats];
                    pipeline.Process(source, expected, Token);
                    Assert.True(expected.AsSpan().SequenceEqual(batch.Pixels.AsSpan(i * floats, floats)));
                }
            }
        }

        Assert.Equal(cached ? 13 : 26, loader.Statistics.VideosDecoded);
    }

    [Fact]
    public void Epoch_DenseEvaluation_SameBitsFromTheCache()
    {
        ClipSpec spec = _spec with { Sampling = new(SamplingMethod.Dense, 4) };
        using var plain = new ClipLoader(clips.Set, _evaluation with { Spec = spec });
        using var cached = new ClipLoader(clips.Set, _evaluation with { Spec = spec, Cache = new ClipCache(1 << 26) });
        List<Copy> expected = Drain(plain, 0);

        Assert.Equal(10, plain.Views);
        AssertSame(expected, Drain(cached, 0));
        AssertSame(expected, Drain(cached, 1));
    }

    [Fact]
    public void Epoch_TimedClips_SameBitsFromTheCache()
    {
        ClipSpec spec = _spec with { Sampling = new(SamplingMethod.Timed, 1, 4, 2, 60) };
        using var plain = new ClipLoader(clips.Set, _training with { Spec = spec });
        using var cached = new ClipLoader(clips.Set, _training with { Spec = spec, Cache = new ClipCache(1 << 26) });
        AssertSame(Drain(plain, 0), Drain(cached, 0));
        AssertSame(Drain(plain, 1), Drain(cached, 1));
        Assert.Equal(13, cached.Statistics.VideosDecoded);
    }

    [Fact]
    public void Epoch_EvaluationThatResizesNormalisedValues_IsNeverTakenFromCachedBytes()
    {
        ClipSpec spec = _spec with { Resize = new(ResizeRule.KeepAspectFloor, 40, ResizeEngine.Interpolate) };
        using var plain = new ClipLoader(clips.Set, _evaluation with { Spec = spec });
        using var cached = new ClipLoader(clips.Set, _evaluation with { Spec = spec, Cache = new ClipCache(1 << 26) });
        AssertSame(Drain(plain, 0), Drain(cached, 0));
        AssertSame(Drain(plain, 1), Drain(cached, 1));
    }

    [Theory]
    [MemberData(nameof(Chains))]
    public void Epoch_TrainingWithCache_SameBitsAndTheSecondEpochDecodesNothing(string name)
    {
        (TrainingAugmentation augmentation, bool scaled) = _chains[name];
        ClipLoaderOptions options = _training with { Augmentation = augmentation };
        var cache = new ClipCache(1 << 26);
        using var plain = new ClipLoader(clips.Set, options);
        using var cached = new ClipLoader(clips.Set, options with { Cache = cache });

        AssertSame(Drain(plain, 0), Drain(cached, 0));
        ClipLoaderStatistics first = cached.Statistics;
        AssertSame(Drain(plain, 1), Drain(cached, 1));
        AssertSame(Drain(plain, 2), Drain(cached, 2));

        Assert.Equal((13, 13), (first.VideosDecoded, cache.Count));
        Assert.Equal((first.VideosDecoded, first.FramesDecoded, 26), (cached.Statistics.VideosDecoded, cached.Statistics.FramesDecoded, cached.Statistics.CacheHits));
        Assert.Equal(39, plain.Statistics.VideosDecoded);
        long original = first.FramesDecoded * 96 * 64 * 3;
        Assert.Equal(!scaled, cache.UsedBytes == original);
    }

    [Fact]
    public void Epoch_CacheTooSmall_HoldsWhatFits()
    {
        var cache = new ClipCache(20 * 54 * 40 * 3 * 5);
        using var cached = new ClipLoader(clips.Set, _training with { Cache = cache });

        AssertSame(Run(_training, 0), Drain(cached, 0));
        AssertSame(Run(_training, 1), Drain(cached, 1));

        Assert.InRange(cache.UsedBytes, 1, cache.BudgetBytes);
        Assert.InRange(cache.Count, 1, 12);
        Assert.Equal(13 + 13 - cache.Count, cached.Statistics.VideosDecoded);
    }

    [Fact]
    public void Epoch_OneCacheForTwoLoaders_SharesIt()
    {
        var cache = new ClipCache(1 << 26);
        using var first = new ClipLoader(clips.Set, _training with { Cache = cache });
        using var second = new ClipLoader(clips.Set, _training with { Cache = cache, Seed = 77 });
        using var validation = new ClipLoader(clips.Set, _evaluation with { Cache = cache });
        Drain(first, 0);
        Drain(second, 0);
        Drain(validation, 0);

        Assert.Equal((0, 13), (second.Statistics.VideosDecoded, second.Statistics.CacheHits));
        Assert.Equal(13, validation.Statistics.VideosDecoded);
        Assert.Equal(26, cache.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Epoch_EvaluationWithUnreadableVideos_CoversEverySampleOnce(bool cached)
    {
        VideoDataset set = clips.WithBroken(0, 5, 6, 7, 15);
        using var loader = new ClipLoader(set, _evaluation with { BatchSize = 2, Cache = cached ? new ClipCache(1 << 26) : null });
        for (int epoch = 0; epoch < 2; epoch++)
        {
            List<Copy> batches = Drain(loader, epoch);

            Assert.Equal(9, batches.Count);
            Assert.Equal([0, 5, 6, 7, 15], batches.SelectMany(b => b.Failures).Select(f => f.SampleIndex));
            Assert.Equal(Enumerable.Range(0, 18), batches.SelectMany(b => b.Indices.Concat(b.Failures.Select(f => f.SampleIndex))).Order());
            Assert.Empty(batches[3].Indices);
            Assert.All(batches.SelectMany(b => b.Failures), f => Assert.Contains("broken.mp4", f.Reason, StringComparison.Ordinal));
        }

        // The readable ones are what they are without the others.
        float[] expected = [.. Run(_evaluation, 0).SelectMany(b => b.Pixels)];
        Assert.Equal(expected, Drain(loader, 2).SelectMany(b => b.Pixels));
    }

    [Fact]
    public void Epoch_TrainingWithinTheFailureBudget_SkipsAndLists()
    {
        using var loader = new ClipLoader(clips.WithBroken(3), _training);
        List<Copy> batches = Drain(loader, 0);

        Assert.Equal(13, batches.Sum(b => b.Indices.Length));
        Assert.DoesNotContain(3, batches.SelectMany(b => b.Indices));
        FailedSample failure = Assert.Single(loader.Failures);
        Assert.Equal((3, clips.Broken), (failure.SampleIndex, failure.Path));
        Drain(loader, 1);
        Assert.Single(loader.Failures);
    }

    [Fact]
    public void Epoch_TrainingBeyondTheFailureBudget_Throws()
    {
        using var loader = new ClipLoader(clips.WithBroken(3, 4), _training);
        DatasetException e = Assert.Throws<DatasetException>(() => Drain(loader, 0));

        Assert.Contains("at most 1 unreadable videos of 15", e.Message, StringComparison.Ordinal);
        Assert.Contains("broken.mp4", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        using var strict = new ClipLoader(clips.WithBroken(3), _training with { FailureBudget = 0 });
        Assert.Throws<DatasetException>(() => Drain(strict, 0));
        using var generous = new ClipLoader(clips.WithBroken(3, 4), _training with { FailureBudget = 0.2, BatchSize = 1 });
        Assert.Equal(13, Drain(generous, 0).Count);
    }

    [Fact]
    public void Epoch_ManyEpochs_AllocatesNoFurtherBuffers()
    {
        using var loader = new ClipLoader(clips.Set, _training with { Cache = new ClipCache(1 << 26), Prefetch = 2 });
        int most = 0;
        for (int epoch = 0; epoch < 20; epoch++)
        {
            foreach (ClipBatch batch in loader.Epoch(epoch, ct: Token))
            {
                batch.Dispose();
            }

            most = loader.Statistics.BuffersAllocated;
        }

        // One in use, two made ahead.
        Assert.InRange(most, 1, 3);
    }

    [Fact]
    public void Epoch_LeftEarly_StopsAndCanStartAgain()
    {
        using var loader = new ClipLoader(clips.Set, _training with { BatchSize = 1 });
        for (int i = 0; i < 20; i++)
        {
            foreach (ClipBatch batch in loader.Epoch(i, ct: Token))
            {
                batch.Dispose();
                break;
            }
        }

        AssertSame(Run(_training with { BatchSize = 1 }, 0), Drain(loader, 0));
    }

    [Fact]
    public void Epoch_WhileAnotherRuns_Throws()
    {
        using var loader = new ClipLoader(clips.Set, _training);
        using IEnumerator<ClipBatch> first = loader.Epoch(0, ct: Token).GetEnumerator();
        Assert.True(first.MoveNext());
        first.Current.Dispose();

        Assert.Throws<InvalidOperationException>(() => loader.Epoch(1, ct: Token).First());
        Assert.True(first.MoveNext());
        first.Current.Dispose();
    }

    [Fact]
    public void Epoch_Cancelled_Throws()
    {
        using var stop = new CancellationTokenSource();
        using var loader = new ClipLoader(clips.Set, _training with { BatchSize = 1 });
        int seen = 0;
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            foreach (ClipBatch batch in loader.Epoch(0, ct: stop.Token))
            {
                batch.Dispose();
                if (++seen == 3)
                {
                    stop.Cancel();
                }
            }
        });
        Assert.Equal(3, seen);
        Assert.Equal(13, Drain(loader, 0).Count);
    }

    [Fact]
    public void Dispose_DuringAnEpoch_EndsItAndKeepsBatchesInUse()
    {
        var loader = new ClipLoader(clips.Set, _training with { BatchSize = 1 });
        using IEnumerator<ClipBatch> batches = loader.Epoch(0, ct: Token).GetEnumerator();
        Assert.True(batches.MoveNext());
        ClipBatch batch = batches.Current;
        loader.Dispose();

        Assert.Equal(1, batch.Pixels.Span.Length / batch.FloatsPerView);
        Assert.Throws<ObjectDisposedException>(() => batches.MoveNext());
        Assert.Throws<ObjectDisposedException>(() => loader.Epoch(1, ct: Token));
        batch.Dispose();
        Assert.Throws<ObjectDisposedException>(() => batch.Pixels);
    }

    [Fact]
    public void Batch_States_ShapeAndLength()
    {
        using var loader = new ClipLoader(clips.Set, _evaluation with { Spec = _spec with { Crop = new(CropMethod.Ten, 32) } });
        using ClipBatch batch = loader.Epoch(0, ct: Token).First();

        Assert.Equal([40L, 4, 3, 32, 32], batch.Shape);
        Assert.Equal(batch.Shape.Aggregate(1L, (a, b) => a * b), batch.Pixels.Length);
        Assert.Equal((4, 10), (batch.Count, batch.Views));
    }

    [Fact]
    public void Epoch_RepeatedViews_SameFramesOnceDecodedAndEachVariedAnew()
    {
        ClipLoaderOptions options = _training with { RepeatedViews = 3 };
        foreach (ClipCache? cache in new[] { null, new ClipCache(1 << 26) })
        {
            using var loader = new ClipLoader(clips.WithBroken(2), options with { Cache = cache, FailureBudget = 1 });
            using var once = new ClipLoader(clips.WithBroken(2), _training with { FailureBudget = 1 });
            List<Copy> repeated = Drain(loader, 2), single = Drain(once, 2);
            Assert.Equal(13, loader.Statistics.VideosDecoded);
            foreach ((Copy many, Copy one) in repeated.Zip(single))
            {
                Assert.Equal(one.Indices.SelectMany(i => new[] { i, i, i }), many.Indices);
                Assert.Equal(one.Labels.SelectMany(l => new[] { l, l, l }), many.Labels);
                int floats = one.Pixels.Length / one.Indices.Length;
                for (int i = 0; i < one.Indices.Length; i++)
                {
                    ReadOnlySpan<float> first = View(3 * i), second = View((3 * i) + 1), third = View((3 * i) + 2);
                    Assert.True(first.SequenceEqual(one.Pixels.AsSpan(i * floats, floats)));
                    Assert.False(first.SequenceEqual(second) || first.SequenceEqual(third) || second.SequenceEqual(third));
                }

                ReadOnlySpan<float> View(int n) => many.Pixels.AsSpan(n * floats, floats);
            }
        }

        AssertSame(Run(options with { Workers = 1 }, 1), Run(options with { Workers = 5 }, 1));
    }

    [Fact]
    public void Preview_EveryView_IsWhatTheLoaderNormalises()
    {
        ClipLoaderOptions options = _training with { RepeatedViews = 2, MirroredLabels = [0, 2, 1], Spec = _spec with { Normalization = new(default, new(1, 1, 1), Scale: 1), Layout = ClipLayout.Nthwc } };
        foreach (Copy batch in Run(options, 3))
        {
            int floats = batch.Pixels.Length / batch.Indices.Length;
            for (int i = 0; i < batch.Indices.Length; i++)
            {
                ClipPreview preview = ClipPreview.Read(clips.Set, options, batch.Indices[i], 3, Token);
                ClipPreviewView view = preview.Views[i % 2];
                Assert.Equal(batch.Labels[i], view.Label);
                Assert.Equal(batch.Pixels.AsSpan(i * floats, floats).ToArray(), view.Pixels.Select(p => (float)p));
                Assert.Equal(4, preview.FrameIndices.Count);
                Assert.Equal(view.Pixels.Length, preview.Plain.Length);
            }
        }

        Assert.Throws<ConfigException>(() => ClipPreview.Read(clips.Set, _evaluation, 0, ct: Token));
        Assert.Throws<MediaException>(() => ClipPreview.Read(clips.WithBroken(0), options, 0, ct: Token));
    }

    [Fact]
    public void Epoch_Mixed_IsTheMixerWithTheBatchsStream()
    {
        var mix = new BatchMix { Kind = MixKind.VideoMix };
        var mixer = new BatchMixer(mix, _spec.Layout);
        using var plain = new ClipLoader(clips.Set, _training);
        using var mixed = new ClipLoader(clips.Set, _training with { Mix = mix });
        foreach ((ClipBatch expected, ClipBatch found) in plain.Epoch(4, ct: Token).Zip(mixed.Epoch(4, ct: Token)))
        {
            using (expected)
            using (found)
            {
                Assert.Null(expected.MixedLabels);
                mixer.Mix(expected, new CounterRandom(9, 4, expected.Index, "mix"));
                Assert.True(expected.Pixels.Span.SequenceEqual(found.Pixels.Span));
                Assert.Equal(expected.Lambda, found.Lambda);
                Assert.Equal(expected.MixedLabels, found.MixedLabels);
                int[] labels = found.Labels.ToArray();
                Assert.Equal(found.Partners!.Select(p => labels[p]), found.MixedLabels);
                Assert.Equal(found.Count, found.Lambda!.Count);
                Assert.Throws<InvalidOperationException>(() => mixer.Mix(found, new CounterRandom(1, "again")));
            }
        }
    }

    [Fact]
    public void Epoch_Differences_AreThoseOfThePlainClips()
    {
        foreach (ClipLoaderOptions options in new[] { _training, _evaluation, _evaluation with { Cache = new ClipCache(1 << 26) } })
        {
            List<Copy> plain = Run(options, 1), differences = Run(options with { Spec = _spec with { Input = ClipInput.Difference } }, 1);
            foreach ((Copy rgb, Copy difference) in plain.Zip(differences))
            {
                const int frame = 3 * 32 * 32;
                for (int i = 0; i < rgb.Pixels.Length; i++)
                {
                    float expected = i / frame % 4 == 0 ? 0 : rgb.Pixels[i] - rgb.Pixels[i - frame];
                    Assert.True(expected == difference.Pixels[i], $"value {i}");
                }
            }
        }
    }

    [Fact]
    public void Constructor_Wrong_SaysWhat()
    {
        Assert.Contains("batch size", Message(_training with { BatchSize = 0 }), StringComparison.Ordinal);
        Assert.Contains("repeated views", Message(_training with { RepeatedViews = 0 }), StringComparison.Ordinal);
        Assert.Contains("repeated views", Message(_evaluation with { RepeatedViews = 2 }), StringComparison.Ordinal);
        Assert.Contains("mix", Message(_evaluation with { Mix = new() { Kind = MixKind.Mixup } }), StringComparison.Ordinal);
        Assert.Contains("mixupAlpha", Message(_training with { Mix = new() { MixupAlpha = -1 } }), StringComparison.Ordinal);
        Assert.Contains("drop last", Message(_evaluation with { DropLast = true }), StringComparison.Ordinal);
        Assert.Contains("at least a batch of 14", Assert.Throws<DatasetException>(() => new ClipLoader(clips.Set, _training with { BatchSize = 14, DropLast = true })).Message, StringComparison.Ordinal);
        Assert.Contains("found none", Assert.Throws<DatasetException>(() => new ClipLoader(clips.Set with { Samples = [] }, _training)).Message, StringComparison.Ordinal);

        string Message(ClipLoaderOptions options) => Assert.Throws<ConfigException>(() => new ClipLoader(clips.Set, options)).Message;
    }

    [Fact]
    public void DefaultBudget_IsAboveZeroAndBelowTheMachine()
    {
        Assert.InRange(ClipCache.DefaultBudgetBytes, 1, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
    }

    private static void AssertSame(List<Copy> expected, List<Copy> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach ((Copy a, Copy b) in expected.Zip(actual))
        {
            Assert.Equal((a.Index, a.Indices.Length), (b.Index, b.Indices.Length));
            Assert.Equal(a.Indices, b.Indices);
            Assert.True(a.Pixels.AsSpan().SequenceEqual(b.Pixels), $"batch {a.Index}: pixels differ");
        }
    }

    private static List<Copy> Drain(ClipLoader loader, int epoch, int skip = 0)
    {
        var copies = new List<Copy>();
        foreach (ClipBatch batch in loader.Epoch(epoch, skip, Token))
        {
            using (batch)
            {
                copies.Add(new Copy(batch.Index, batch.Pixels.ToArray(), batch.Labels.ToArray(), batch.SampleIndices.ToArray(), batch.Failures));
            }
        }

        return copies;
    }

    private List<Copy> Run(ClipLoaderOptions options, int epoch, int skip = 0)
    {
        using var loader = new ClipLoader(clips.Set, options);
        return Drain(loader, epoch, skip);
    }

    private sealed record Copy(int Index, float[] Pixels, int[] Labels, int[] Indices, IReadOnlyList<FailedSample> Failures);
}
