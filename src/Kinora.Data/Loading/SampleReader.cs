using System.Buffers;
using Kinora.Media;

namespace Kinora.Data;

/// <summary>Makes the network's input of one sample: by the book for evaluation, varied for training, from disk or cache.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class SampleReader
{
    // Most bytes of original frames held at a time while a whole video goes into the cache.
    private const long ChunkBytes = 256L << 20;

    private readonly ClipPipeline _pipeline;
    private readonly TrainingTransform? _training;

    // For classes that mirroring changes, it is decided here and not by the transform; null where it changes none.
    private readonly IReadOnlyList<int>? _mirroredLabels;
    private readonly TrainingTransform? _plain;
    private readonly TrainingTransform? _mirrored;
    private readonly ClipCache? _cache;
    private readonly ulong _seed;

    // The resize with which training begins, if it is the same for every clip: cached frames are kept in that size.
    private readonly ResizeSpec? _firstResize;

    // Normalises crops that are cached as bytes.
    private readonly ClipPipeline? _fromCrops;
    private readonly string? _cropsKey;
    private long _videosDecoded, _framesDecoded, _cacheHits;

    public SampleReader(ClipLoaderOptions options)
    {
        ClipSpec spec = options.Spec;
        _pipeline = new ClipPipeline(spec);
        _cache = options.Cache;
        _seed = options.Seed;
        if (options.Augmentation is { } augmentation)
        {
            _training = new TrainingTransform(augmentation, spec);
            if (options.MirroredLabels is { } mirroredLabels)
            {
                _mirroredLabels = mirroredLabels;
                _plain = new TrainingTransform(augmentation with { FlipProbability = 0 }, spec);
                _mirrored = new TrainingTransform(augmentation with { FlipProbability = 1 }, spec);
            }

            int frames = _pipeline.Sampler.TrainingIndices(spec.Sampling.Segments * spec.Sampling.FramesPerSegment * spec.Sampling.Interval, new CounterRandom(0, "probe")).Length;
            Views = frames / _pipeline.Frames;
            if (Views > 1 && spec.Layout == ClipLayout.Ncthw)
            {
                throw new ConfigException($"clip loader: expected a sampling with one training clip for layout {spec.Layout}, found {Views} clips; set sampling.segments to 1");
            }

            bool steady = augmentation.Jitter is null && augmentation.Resize is { Rule: not ResizeRule.None, Engine: not ResizeEngine.Interpolate };
            _firstResize = steady ? augmentation.Resize : null;
        }
        else
        {
            Views = _pipeline.Views;

            // Crops are kept as bytes; a resize of normalised values leaves none.
            _cache = spec.Resize.Engine == ResizeEngine.Interpolate ? null : _cache;
            ClipSpec identity = spec with
            {
                Sampling = new SamplingSpec(SamplingMethod.Uniform, _pipeline.Frames),
                Resize = new ResizeSpec(ResizeRule.None, 0),
                Crop = new CropSpec(CropMethod.Center, spec.Size),
            };
            _fromCrops = new ClipPipeline(identity);
            _cropsKey = (spec with { Normalization = Normalization.ImageNet, Layout = ClipLayout.Ntchw, Input = ClipInput.Rgb }).ToJson();
        }
    }

    /// <summary>Views of one video.</summary>
    public int Views { get; }

    public int FloatsPerView => _pipeline.FloatsPerView;

    public IReadOnlyList<int> ViewShape => _pipeline.ViewShape;

    public (long Videos, long Frames, long Hits) Counts =>
        (Interlocked.Read(ref _videosDecoded), Interlocked.Read(ref _framesDecoded), Interlocked.Read(ref _cacheHits));

    /// <summary>Fills one video's place in a batch.</summary>
    /// <param name="sample">The video.</param>
    /// <param name="index">Its number in the data set.</param>
    /// <param name="epoch">Epoch, for the random choices.</param>
    /// <param name="destination">Views · FloatsPerView numbers for each label.</param>
    /// <param name="labels">
    /// Receives the class of each clip that was made: the sample's, or that of its mirror image. Its length is the number of
    /// clips.
    /// </param>
    /// <param name="ct">Stops between frames.</param>
    public void Read(VideoSample sample, int index, int epoch, Span<float> destination, Span<int> labels, CancellationToken ct)
    {
        labels.Fill(sample.Label);
        if (_training is null)
        {
            Evaluate(sample, destination, ct);
            return;
        }

        Train(sample, index, epoch, _training, destination, labels, ct);
    }

    /// <summary>Makes pictures of what <see cref="Read"/> makes numbers of.</summary>
    public ClipPreview Preview(VideoSample sample, int index, int epoch, int views, CancellationToken ct)
    {
        ClipSpec spec = _pipeline.Spec;
        using IFrameSource source = sample.Open(_pipeline.Spec.Color, ct);
        var frames = new CounterRandom(_seed, epoch, index, "frames");
        int[] wanted = _pipeline.Sampler.TrainingIndices(CheckedCount(source, sample), frames, source.FramesPerSecond);
        using DecodedClip clip = DecodedClip.Decode(source, wanted, ct);
        var still = new TrainingTransform(new TrainingAugmentation { Resize = spec.Resize, FlipProbability = 0 }, spec);
        byte[] plain = Pictures(still, new CounterRandom(_seed, "still"));
        var varied = new ClipPreviewView[views];
        for (int repeat = 0; repeat < views; repeat++)
        {
            (TrainingTransform transform, int label) = Mirror(sample.Label, index, epoch, repeat, _training!);
            varied[repeat] = new(Pictures(transform, new CounterRandom(_seed, epoch, index, Operation("augment", repeat))), label);
        }

        return new(index, wanted, spec.Size, plain, varied);

        byte[] Pictures(TrainingTransform transform, CounterRandom random)
        {
            byte[] pixels = GC.AllocateUninitializedArray<byte>(wanted.Length * spec.Size * spec.Size * 3);
            transform.TransformBytes(clip, random, pixels);
            return pixels;
        }
    }

    // The first clip's streams are those of a loader that doesn't repeat.
    private static string Operation(string name, int repeat) => repeat == 0 ? name : $"{name} {repeat}";

    private void Vary(DecodedClip clip, int index, int epoch, TrainingTransform training, Span<float> destination, Span<int> labels)
    {
        int floats = destination.Length / labels.Length;
        for (int repeat = 0; repeat < labels.Length; repeat++)
        {
            (TrainingTransform transform, labels[repeat]) = Mirror(labels[repeat], index, epoch, repeat, training);
            var variation = new CounterRandom(_seed, epoch, index, Operation("augment", repeat));
            transform.Transform(clip, variation, destination.Slice(repeat * floats, floats));
        }
    }

    // Classes that mirroring leaves alone take the transform's own draw, whatever the others do.
    private (TrainingTransform Transform, int Label) Mirror(int label, int index, int epoch, int repeat, TrainingTransform training)
    {
        if (_mirroredLabels is null || _mirroredLabels[label] == label)
        {
            return (training, label);
        }

        bool mirror = _mirroredLabels[label] >= 0
            && new CounterRandom(_seed, epoch, index, Operation("mirror", repeat)).NextBool(training.Augmentation.FlipProbability);
        return mirror ? (_mirrored!, _mirroredLabels[label]) : (_plain!, label);
    }

    private static long PixelBytes(long frames, int width, int height) => frames * width * height * 3;

    private void Train(VideoSample sample, int index, int epoch, TrainingTransform training, Span<float> destination, Span<int> labels, CancellationToken ct)
    {
        var frames = new CounterRandom(_seed, epoch, index, "frames");
        var key = new ClipCache.Key(sample.Identity, _pipeline.Spec.Color, _firstResize, null);
        if (_cache is not null && _cache.TryGet(key, out ClipCache.Entry? entry))
        {
            Interlocked.Increment(ref _cacheHits);
        }
        else
        {
            using IFrameSource source = sample.Open(_pipeline.Spec.Color, ct);
            Interlocked.Increment(ref _videosDecoded);
            entry = _cache is null ? null : Fill(_cache, key, source, ct);
            if (entry is null)
            {
                int[] wanted = _pipeline.Sampler.TrainingIndices(CheckedCount(source, sample), frames, source.FramesPerSecond);
                using DecodedClip clip = DecodedClip.Decode(source, wanted, cancellationToken: ct);
                Interlocked.Add(ref _framesDecoded, wanted.Length);
                Vary(clip, index, epoch, training, destination, labels);
                return;
            }
        }

        int count = (int)(entry.Pixels.Length / PixelBytes(1, entry.Width, entry.Height));
        int[] chosen = _pipeline.Sampler.TrainingIndices(count, frames, entry.FramesPerSecond);
        using DecodedClip cached = DecodedClip.FromVideo(entry.Pixels, entry.Width, entry.Height, chosen);
        Vary(cached, index, epoch, training, destination, labels);
    }

    // Decodes a whole video into the cache, resized if training always begins with that.
    private ClipCache.Entry? Fill(ClipCache cache, in ClipCache.Key key, IFrameSource source, CancellationToken ct)
    {
        int count = source.FrameCount;
        if (count is < 1 or > ClipCache.MaxFrames || cache.IsRefused(key))
        {
            return null;
        }

        FrameScaler? scaler = _firstResize is null ? null : new FrameScaler(_firstResize, source.Width, source.Height);
        if (scaler is { IsRepeatable: false })
        {
            return null;
        }

        (int width, int height) = scaler is null ? (source.Width, source.Height) : (scaler.Width, scaler.Height);
        long bytes = PixelBytes(count, width, height);
        if (!cache.TryReserve(bytes))
        {
            return null;
        }

        bool done = false;
        try
        {
            byte[] pixels = GC.AllocateUninitializedArray<byte>((int)bytes);
            int[] all = [.. Enumerable.Range(0, count)];
            if (scaler is null || (width == source.Width && height == source.Height))
            {
                source.ReadFrames(all, pixels, ct);
            }
            else
            {
                FillScaled(source, scaler, all, pixels, ct);
            }

            Interlocked.Add(ref _framesDecoded, count);
            var entry = new ClipCache.Entry(pixels, width, height, source.FramesPerSecond);
            cache.Add(key, entry);
            done = true;
            return entry;
        }
        catch (MediaException)
        {
            // A damaged frame somewhere: training may never ask for it, so the video is read the sparse way.
            cache.Refuse(key);
            return null;
        }
        finally
        {
            if (!done)
            {
                cache.Release(bytes);
            }
        }
    }

    private static void FillScaled(IFrameSource source, FrameScaler scaler, int[] all, byte[] pixels, CancellationToken ct)
    {
        int original = (int)PixelBytes(1, source.Width, source.Height), scaled = (int)PixelBytes(1, scaler.Width, scaler.Height);
        int chunk = (int)Math.Clamp(ChunkBytes / original, 1, all.Length);
        byte[] frames = ArrayPool<byte>.Shared.Rent(chunk * original);
        try
        {
            for (int start = 0; start < all.Length; start += chunk)
            {
                ReadOnlySpan<int> part = all.AsSpan(start, Math.Min(chunk, all.Length - start));
                source.ReadFrames(part, frames, ct);
                for (int i = 0; i < part.Length; i++)
                {
                    scaler.Scale(frames.AsSpan(i * original, original), pixels.AsSpan((start + i) * scaled, scaled));
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(frames);
        }
    }

    private void Evaluate(VideoSample sample, Span<float> destination, CancellationToken ct)
    {
        if (_cache is null)
        {
            using IFrameSource source = sample.Open(_pipeline.Spec.Color, ct);
            Interlocked.Increment(ref _videosDecoded);
            Interlocked.Add(ref _framesDecoded, _pipeline.Clips * _pipeline.Frames);
            _pipeline.Process(source, destination, ct);
            return;
        }

        var key = new ClipCache.Key(sample.Identity, _pipeline.Spec.Color, null, _cropsKey);
        if (_cache.TryGet(key, out ClipCache.Entry? entry))
        {
            Interlocked.Increment(ref _cacheHits);
        }
        else
        {
            using IFrameSource source = sample.Open(_pipeline.Spec.Color, ct);
            Interlocked.Increment(ref _videosDecoded);
            Interlocked.Add(ref _framesDecoded, _pipeline.Clips * _pipeline.Frames);
            long bytes = (long)_pipeline.Views * FloatsPerView;
            if (!_cache.TryReserve(bytes))
            {
                _pipeline.Process(source, destination, ct);
                return;
            }

            bool done = false;
            try
            {
                using DecodedClip clip = _pipeline.Decode(source, ct);
                byte[] crops = GC.AllocateUninitializedArray<byte>((int)bytes);
                _pipeline.TransformBytes(clip, crops);
                entry = new ClipCache.Entry(crops, _pipeline.Spec.Size, _pipeline.Spec.Size);
                _cache.Add(key, entry);
                done = true;
            }
            finally
            {
                if (!done)
                {
                    _cache.Release(bytes);
                }
            }
        }

        int frames = _pipeline.Frames;
        int[] numbers = [.. Enumerable.Range(0, frames)];
        for (int view = 0; view < _pipeline.Views; view++)
        {
            ReadOnlyMemory<byte> crops = entry.Pixels.AsMemory(view * FloatsPerView, FloatsPerView);
            using DecodedClip clip = DecodedClip.FromFrames(crops, entry.Width, entry.Height, numbers, frames);
            _fromCrops!.Transform(clip, destination.Slice(view * FloatsPerView, FloatsPerView));
        }
    }

    private static int CheckedCount(IFrameSource source, VideoSample sample) => source.FrameCount > 0
        ? source.FrameCount
        : throw new MediaException("choose frames: expected at least one frame, found none", sample.Path);
}
