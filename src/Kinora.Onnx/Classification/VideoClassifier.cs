using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Kinora.Media;

namespace Kinora.Onnx;

/// <summary>Tells what happens in a video: decodes it, runs a network on the sampled frames, names the classes.</summary>
/// <remarks>
/// Thread-safe. A single clip runs on its caller's thread with the network spread over all cores. Several clips run in
/// lanes, one a core, each decoding, preparing and running one clip after the other: decoding is serial by nature, so
/// whole clips side by side keep every core busy whatever the balance of decoder and network.
/// </remarks>
/// <example>
/// <code>
/// using var classifier = VideoClassifier.Load("runs/my-clips");
/// Console.WriteLine(classifier.Classify("clip.mp4").Best.Label);
/// </code>
/// </example>
public sealed class VideoClassifier : IDisposable
{
    private const string ModelFile = "model.onnx";

    private readonly ClassifierOptions _options;
    private readonly LazyNetwork _wide;
    private readonly LazyNetwork _narrow;
    private readonly Lazy<ComputeThreads> _threads;
    private readonly ClipPipeline _thumbnails;
    private readonly CancellationTokenSource _disposal = new();

    private VideoClassifier(string path, ModelCard model, ClassifierOptions options, Func<int, PreparedNetwork> load)
    {
        (ModelPath, Model, _options) = (path, model, options);
        Pipeline = new ClipPipeline(model.Spec);
        _thumbnails = new ClipPipeline(model.Spec with { Crop = model.Spec.Crop with { Method = CropMethod.Center } });
        _wide = new LazyNetwork(() => Checked(load(options.Threads)));
        _narrow = options.Threads == 1 ? _wide : new LazyNetwork(() => Checked(load(1)));
        _threads = new Lazy<ComputeThreads>(() => new ComputeThreads(options.Threads));
    }

    /// <summary>The model's file.</summary>
    public string ModelPath { get; }

    /// <summary>What the model says about itself.</summary>
    public ModelCard Model { get; }

    /// <summary>How videos become the network's input.</summary>
    public ClipPipeline Pipeline { get; }

    /// <summary>Loads a model.</summary>
    /// <param name="path">An .onnx file, or a folder (such as a training run) with a file model.onnx.</param>
    /// <param name="options">Threads and extras; null for the defaults.</param>
    /// <returns>The classifier, owned by the caller.</returns>
    /// <exception cref="CheckpointException">No model there, damaged, or without Kinora's metadata.</exception>
    /// <exception cref="NativeException">ONNX Runtime is missing or too old.</exception>
    public static VideoClassifier Load(string path, ClassifierOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new ClassifierOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Threads, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.ThumbnailQuality, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.ThumbnailQuality, 100, nameof(options));
        string file = Directory.Exists(path) ? Path.Combine(path, ModelFile) : path;
        if (!File.Exists(file))
        {
            throw new CheckpointException(
                file == path
                    ? "loading model: expected an .onnx file or a folder with model.onnx, found nothing"
                    : $"loading model: expected {ModelFile} in the folder, found none; 'kinora export' makes one from a checkpoint", path);
        }

        OnnxRuntimeLibrary.BeginLoading();
        var classifier = new VideoClassifier(file, ModelCard.Read(file), options, threads => OnnxNetwork.Load(file, threads));
        if (options.WaitForNetwork)
        {
            try
            {
                _ = classifier._wide.Get();
            }
            catch
            {
                classifier.Dispose();
                throw;
            }
        }

        return classifier;
    }

    /// <summary>Puts any engine's network behind the same interface.</summary>
    /// <param name="model">What the network expects and answers.</param>
    /// <param name="load">Prepares the network for runs on a number of threads; the classifier owns what it returns.</param>
    /// <param name="options">Threads and extras; null for the defaults.</param>
    /// <returns>The classifier, owned by the caller.</returns>
    public static VideoClassifier Create(ModelCard model, Func<int, PreparedNetwork> load, ClassifierOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(load);
        return new VideoClassifier("", model, options ?? new ClassifierOptions(), load);
    }

    /// <summary>Classifies a video on the calling thread.</summary>
    /// <param name="path">A video file, or a folder of JPEG frames.</param>
    /// <param name="topK">How many classes to name, at least 1.</param>
    /// <param name="cancellation">Stops between frames and between views.</param>
    /// <returns>The result.</returns>
    /// <exception cref="MediaException">The video can't be read.</exception>
    /// <exception cref="CheckpointException">The network can't be loaded, or answers with NaN.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public ClassificationResult Classify(string path, int topK = 5, CancellationToken cancellation = default)
    {
        Check(path, topK);
        _wide.Begin();
        return Run(path, topK, _wide, cancellation);
    }

    /// <summary>Classifies frames that were decoded already (see <see cref="Pipeline"/>), on the calling thread.</summary>
    /// <param name="clip">The frames; stays the caller's.</param>
    /// <param name="topK">How many classes to name, at least 1.</param>
    /// <param name="cancellation">Stops between views.</param>
    /// <returns>The result, with an empty path and no time for decoding.</returns>
    /// <exception cref="MediaException">The frames are too small for the crop.</exception>
    /// <exception cref="CheckpointException">The network can't be loaded, or answers with NaN.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public ClassificationResult Classify(DecodedClip clip, int topK = 5, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(clip);
        Check("", topK);
        PreparedNetwork network = _wide.Get(cancellation);
        using NetworkBatch batch = network.Rent(Pipeline.Views);
        long start = Stopwatch.GetTimestamp();
        Pipeline.Transform(clip, batch.Clips);
        long ready = Stopwatch.GetTimestamp();
        float[] logits = Forward(batch, cancellation);
        long done = Stopwatch.GetTimestamp();
        return new ClassificationResult("", Model.Labels.Top(logits, topK), logits, Model.Spec)
        {
            Timings = new ClassificationTimings(0, Milliseconds(start, ready), Milliseconds(ready, done)),
            FrameCount = clip.FrameCount,
            Width = clip.Width,
            Height = clip.Height,
            Rotation = clip.Rotation,
            FrameIndices = clip.Indices.ToArray(),
            Thumbnails = Thumbnails(clip),
        };
    }

    /// <summary>Classifies a video on one of the classifier's own threads.</summary>
    /// <param name="path">A video file, or a folder of JPEG frames.</param>
    /// <param name="topK">How many classes to name, at least 1.</param>
    /// <param name="cancellation">Stops between frames and between views, also while waiting for a thread.</param>
    /// <returns>The result; failures come through the task, as <see cref="Classify(string, int, CancellationToken)"/> throws them.</returns>
    public Task<ClassificationResult> ClassifyAsync(string path, int topK = 5, CancellationToken cancellation = default)
    {
        Check(path, topK);
        _wide.Begin();
        return Post(stop => Run(path, topK, _wide, stop), cancellation);
    }

    /// <summary>Classifies several videos, as many at a time as there are threads; one bad video doesn't stop the others.</summary>
    /// <param name="paths">Video files or frame folders; taken lazily, a few ahead of the results.</param>
    /// <param name="topK">How many classes to name, at least 1.</param>
    /// <param name="cancellation">Stops the whole.</param>
    /// <returns>One outcome a path, in the order of <paramref name="paths"/>, as soon as each is ready.</returns>
    /// <exception cref="CheckpointException">The network can't be loaded (thrown by the enumeration).</exception>
    /// <exception cref="OperationCanceledException">Cancelled (thrown by the enumeration).</exception>
    public IEnumerable<ClipOutcome> ClassifyMany(IEnumerable<string> paths, int topK = 5, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(paths);
        Check("", topK);
        return Enumerate();

        IEnumerable<ClipOutcome> Enumerate()
        {
            using var window = new Window(this, paths, topK, cancellation);
            while (window.Next() is { } outcome)
            {
                yield return outcome.GetAwaiter().GetResult();
            }
        }
    }

    /// <summary>Does what <see cref="ClassifyMany"/> does without blocking the caller's thread.</summary>
    /// <param name="paths">Video files or frame folders; taken lazily, a few ahead of the results.</param>
    /// <param name="topK">How many classes to name, at least 1.</param>
    /// <param name="cancellation">Stops the whole.</param>
    /// <returns>One outcome a path, in the order of <paramref name="paths"/>, as soon as each is ready.</returns>
    public async IAsyncEnumerable<ClipOutcome> ClassifyManyAsync(
        IEnumerable<string> paths, int topK = 5, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(paths);
        Check("", topK);
        using var window = new Window(this, paths, topK, cancellation);
        while (window.Next() is { } outcome)
        {
            yield return await outcome.ConfigureAwait(false);
        }
    }

    /// <summary>Cancels what is running on the classifier's threads, then frees the networks.</summary>
    public void Dispose()
    {
        _disposal.Cancel();
        if (_threads.IsValueCreated)
        {
            _threads.Value.Dispose();
        }

        _wide.Dispose();
        _narrow.Dispose();
    }

    private static double Milliseconds(long start, long end) => Stopwatch.GetElapsedTime(start, end).TotalMilliseconds;

    private void Check(string path, int topK)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentOutOfRangeException.ThrowIfLessThan(topK, 1);
        ObjectDisposedException.ThrowIf(_disposal.IsCancellationRequested, this);
    }

    private PreparedNetwork Checked(PreparedNetwork network)
    {
        if (network.ViewShape.SequenceEqual(Pipeline.ViewShape) && network.Classes == Model.Labels.Count)
        {
            return network;
        }

        string found = $"input [N, {string.Join(", ", network.ViewShape)}] and {network.Classes} classes";
        network.Dispose();
        throw new CheckpointException(
            $"loading model: expected input [N, {string.Join(", ", Pipeline.ViewShape)}] and {Model.Labels.Count} classes, as its metadata says, found {found}; export it again", ModelPath);
    }

    private Task<T> Post<T>(Func<CancellationToken, T> function, CancellationToken cancellation) => _threads.Value.Post(
        () =>
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _disposal.Token);
            return function(either.Token);
        },
        cancellation);

    // Decoding comes before the network is waited for, so that a network that is still loading costs little.
    private ClassificationResult Run(string path, int topK, LazyNetwork lazy, CancellationToken cancellation)
    {
        try
        {
            long start = Stopwatch.GetTimestamp();
            using IFrameSource source = FrameSource.Open(path, Model.Spec.Color, cancellation);
            bool fits = (long)Pipeline.Views * Pipeline.Frames * source.Width * source.Height * 3 <= _options.MaxDecodedBytes;
            using DecodedClip? clip = fits ? Pipeline.Decode(source, cancellation) : null;
            long decoded = Stopwatch.GetTimestamp();
            PreparedNetwork network = lazy.Get(cancellation);
            using NetworkBatch batch = network.Rent(Pipeline.Views);
            long loaded = Stopwatch.GetTimestamp();
            using var parts = new TimedSource(source);
            if (clip is not null)
            {
                Pipeline.Transform(clip, batch.Clips);
            }
            else
            {
                Pipeline.Process(parts, batch.Clips, cancellation);
            }

            long ready = Stopwatch.GetTimestamp();
            float[] logits = Forward(batch, cancellation);
            long done = Stopwatch.GetTimestamp();
            return new ClassificationResult(path, Model.Labels.Top(logits, topK), logits, Model.Spec)
            {
                Timings = new ClassificationTimings(
                    Milliseconds(start, decoded) + parts.Milliseconds, Milliseconds(loaded, ready) - parts.Milliseconds, Milliseconds(ready, done))
                { WaitMilliseconds = Milliseconds(decoded, loaded) },
                FrameCount = source.FrameCount,
                Width = source.Width,
                Height = source.Height,
                Rotation = (source as VideoReader)?.Rotation ?? 0,
                Duration = (source as VideoReader)?.Duration ?? TimeSpan.Zero,
                FrameIndices = clip?.Indices.ToArray() ?? Pipeline.Sampler.EvaluationIndices(source.FrameCount, source.FramesPerSecond),
                Thumbnails = clip is null ? [] : Thumbnails(clip),
            };
        }
        catch (MediaException e) when (e.Path is null)
        {
            throw new MediaException(e.Message, path, e);
        }
    }

    private ClipOutcome Try(string path, int topK, LazyNetwork lazy, CancellationToken cancellation)
    {
        try
        {
            return new ClipOutcome(path, Run(path, topK, lazy, cancellation), null);
        }
        catch (KinoraException e) when (e is MediaException || lazy.IsLoaded)
        {
            return new ClipOutcome(path, null, e);
        }
    }

    // Scores are averaged before the softmax, as PaddleVideo's heads do for several clips and crops of one video.
    private float[] Forward(NetworkBatch batch, CancellationToken cancellation)
    {
        batch.Run(cancellation);
        ReadOnlySpan<float> views = batch.Logits;
        var mean = new float[Model.Labels.Count];
        for (int k = 0; k < mean.Length; k++)
        {
            double sum = 0;
            for (int i = k; i < views.Length; i += mean.Length)
            {
                sum += views[i];
            }

            mean[k] = (float)(sum / batch.Views);
            if (!float.IsFinite(mean[k]))
            {
                throw new CheckpointException($"run network: expected finite logits, found {mean[k]} for '{Model.Labels[k]}'; the weights are damaged or training diverged", ModelPath);
            }
        }

        return mean;
    }

    private ReadOnlyMemory<byte>[] Thumbnails(DecodedClip clip)
    {
        if (!_options.Thumbnails)
        {
            return [];
        }

        int side = Model.Spec.Size, picture = side * side * 3, frames = _thumbnails.Frames;
        byte[] pixels = ArrayPool<byte>.Shared.Rent(_thumbnails.Views * frames * picture);
        try
        {
            _thumbnails.TransformBytes(clip, pixels);
            int first = _thumbnails.Views / 2 * frames;
            var files = new ReadOnlyMemory<byte>[frames];
            for (int i = 0; i < frames; i++)
            {
                files[i] = JpegImage.Encode(pixels.AsSpan((first + i) * picture, picture), side, side, _options.ThumbnailQuality);
            }

            return files;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(pixels);
        }
    }

    /// <summary>The clips of one enumeration that are being worked on: posted in order, handed out in order.</summary>
    private sealed class Window : IDisposable
    {
        // A slow clip must not stop the other lanes: so many results may wait for it.
        private const int ClipsPerLane = 8;

        private readonly VideoClassifier _classifier;
        private readonly IEnumerator<string> _paths;
        private readonly int _topK;
        private readonly LazyNetwork _network;
        private readonly CancellationTokenSource _stop;
        private readonly Queue<Task<ClipOutcome>> _pending = new();

        public Window(VideoClassifier classifier, IEnumerable<string> paths, int topK, CancellationToken cancellation)
        {
            (_classifier, _topK) = (classifier, topK);
            _network = paths.TryGetNonEnumeratedCount(out int count) && count == 1 ? classifier._wide : classifier._narrow;
            _network.Begin();
            _paths = paths.GetEnumerator();
            _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        }

        public Task<ClipOutcome>? Next()
        {
            while (_pending.Count < ClipsPerLane * _classifier._options.Threads && _paths.MoveNext())
            {
                string path = _paths.Current;
                _pending.Enqueue(_classifier.Post(stop => _classifier.Try(path, _topK, _network, stop), _stop.Token));
            }

            return _pending.TryDequeue(out Task<ClipOutcome>? outcome) ? outcome : null;
        }

        public void Dispose()
        {
            _paths.Dispose();
            _stop.Cancel();

            // What still runs ends by itself soon; nobody is left to hear of its failures.
            _ = Task.WhenAll(_pending).ContinueWith(
                task => { _ = task.Exception; _stop.Dispose(); }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>Adds up the time that reading frames takes.</summary>
    private sealed class TimedSource(IFrameSource source) : IFrameSource
    {
        public int FrameCount => source.FrameCount;

        public int Width => source.Width;

        public int Height => source.Height;

        public double FramesPerSecond => source.FramesPerSecond;

        public double Milliseconds { get; private set; }

        public void ReadFrames(ReadOnlySpan<int> indices, Span<byte> destination, CancellationToken cancellationToken = default)
        {
            long start = Stopwatch.GetTimestamp();
            source.ReadFrames(indices, destination, cancellationToken);
            Milliseconds += Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        // The source belongs to whoever opened it.
        public void Dispose()
        {
        }
    }
}
