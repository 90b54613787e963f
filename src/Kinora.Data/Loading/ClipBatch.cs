namespace Kinora.Data;

/// <summary>Some videos as the network's input. Disposing it hands its memory back to the loader.</summary>
/// <remarks>One thread at a time. Nothing of it may be used after disposal.</remarks>
public sealed class ClipBatch : IDisposable
{
    private readonly BatchBuffers _buffers;
    private readonly int[] _labels;
    private readonly int[] _sampleIndices;
    private float[]? _pixels;
    private int[]? _partners;
    private int[]? _mixedLabels;
    private float[]? _lambda;

    internal ClipBatch(BatchBuffers buffers, float[] pixels, int index, int views, int floatsPerView, IReadOnlyList<int> viewShape, int[] sampleIndices, int[] labels, IReadOnlyList<FailedSample> failures)
    {
        _buffers = buffers;
        _pixels = pixels;
        _labels = labels;
        _sampleIndices = sampleIndices;
        (Index, Views, FloatsPerView, Failures) = (index, views, floatsPerView, failures);
        Shape = [(long)Count * views, .. viewShape.Select(d => (long)d)];
    }

    /// <summary>Number of the batch in its epoch, from 0.</summary>
    public int Index { get; }

    /// <summary>Videos of the joint batch that come before this part of it, where several processes share the epoch; else 0.</summary>
    public int FirstInJointBatch { get; internal set; }

    /// <summary>
    /// N: videos in the batch, failed ones not counted; where the loader repeats views, each counts as often as it is shown,
    /// one after the other.
    /// </summary>
    public int Count => _labels.Length;

    /// <summary>Views of each video; the scores of a video are the mean over its views.</summary>
    public int Views { get; }

    /// <summary>Numbers in one view.</summary>
    public int FloatsPerView { get; }

    /// <summary>[N·Views, …]: the axes of <see cref="Pixels"/> in the order of the specification's layout.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>The network's input, all views of the first video first. The array behind it is pinned.</summary>
    public Memory<float> Pixels => (_pixels ?? throw new ObjectDisposedException(nameof(ClipBatch))).AsMemory(0, Count * Views * FloatsPerView);

    /// <summary>Class of each video, or of its mirror image where training shows that and it is another.</summary>
    public ReadOnlySpan<int> Labels => _labels;

    /// <summary>For each video the place in this batch of the one that was mixed into it; null where nothing was mixed.</summary>
    public IReadOnlyList<int>? Partners => _partners;

    /// <summary>Class of the video that was mixed into each; null where nothing was mixed.</summary>
    public IReadOnlyList<int>? MixedLabels => _mixedLabels;

    /// <summary>
    /// λ: the share of the loss that belongs to <see cref="Labels"/>, 1 − λ belongs to <see cref="MixedLabels"/>; the same for
    /// all videos. Null where nothing was mixed.
    /// </summary>
    public IReadOnlyList<float>? Lambda => _lambda;

    /// <summary>Number of each video in the data set.</summary>
    public ReadOnlySpan<int> SampleIndices => _sampleIndices;

    /// <summary>Videos of this batch that couldn't be read, in the order in which they would have come.</summary>
    public IReadOnlyList<FailedSample> Failures { get; }

    internal void NoteMix(int[] partners, float lambda)
    {
        _partners = partners;
        _mixedLabels = Array.ConvertAll(partners, p => _labels[p]);
        _lambda = new float[partners.Length];
        Array.Fill(_lambda, lambda);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _pixels, null) is float[] pixels)
        {
            _buffers.Return(pixels);
        }
    }
}

/// <summary>Pinned arrays of one length that go round.</summary>
internal sealed class BatchBuffers(int length)
{
    private readonly Stack<float[]> _free = new();
    private int _allocated;

    public int Allocated => Volatile.Read(ref _allocated);

    public float[] Rent()
    {
        lock (_free)
        {
            if (_free.TryPop(out float[]? pixels))
            {
                return pixels;
            }

            _allocated++;
        }

        return GC.AllocateUninitializedArray<float>(length, pinned: true);
    }

    public void Return(float[] pixels)
    {
        lock (_free)
        {
            _free.Push(pixels);
        }
    }
}
