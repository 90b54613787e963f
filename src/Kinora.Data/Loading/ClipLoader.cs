namespace Kinora.Data;

/// <summary>
/// Turns a data set into batches, decoding ahead on threads of its own. What comes out is a function of data set,
/// options and epoch alone: neither the number of workers nor a cache nor an interruption changes a bit.
/// </summary>
/// <remarks>
/// <para>Training skips videos that can't be read, within <see cref="ClipLoaderOptions.FailureBudget"/>; their places stay
/// empty, so batches may be smaller. Evaluation visits every video exactly once and reports the unreadable ones in
/// <see cref="ClipBatch.Failures"/>; it never puts another video in their place.</para>
/// <para>One epoch at a time. Workers wait on a lock, they never spin.</para>
/// </remarks>
public sealed class ClipLoader : IDisposable
{
    private readonly VideoDataset _dataset;
    private readonly ClipLoaderOptions _options;
    private readonly SampleReader _reader;
    private readonly BatchBuffers _buffers;
    private readonly BatchMixer? _mixer;
    private readonly Lock _gate = new();
    private readonly SortedDictionary<int, FailedSample> _failures = [];
    private EpochRun? _run;
    private bool _disposed;

    /// <summary>Prepares the loading; nothing is opened yet.</summary>
    /// <param name="dataset">The videos.</param>
    /// <param name="options">What batches are made of.</param>
    /// <exception cref="ConfigException">An option is out of range.</exception>
    /// <exception cref="DatasetException">The data set is empty, or smaller than a batch while incomplete batches are dropped.</exception>
    public ClipLoader(VideoDataset dataset, ClipLoaderOptions options)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (dataset.Samples.Count == 0)
        {
            throw new DatasetException($"load clips: expected videos in '{dataset.Name}', found none");
        }

        if (options.DropLast && dataset.Samples.Count < JointBatch(options))
        {
            throw new DatasetException($"load clips: expected at least a batch of {JointBatch(options)} videos in '{dataset.Name}', found {dataset.Samples.Count}; use smaller batches or keep the last one");
        }

        if (options.MirroredLabels is { } mirrored && (mirrored.Count != dataset.Labels.Count || mirrored.Any(l => l < -1 || l >= mirrored.Count)))
        {
            throw new ConfigException($"clip loader: mirrored labels: expected a class or -1 for each of the {dataset.Labels.Count} classes, found {string.Join(", ", mirrored)}");
        }

        _dataset = dataset;
        _options = options;
        _reader = new SampleReader(options);
        _mixer = options.Mix is { } mix ? new BatchMixer(mix, options.Spec.Layout) : null;
        _buffers = new BatchBuffers(checked(options.BatchSize * options.RepeatedViews * _reader.Views * _reader.FloatsPerView));
    }

    /// <summary>The videos.</summary>
    public VideoDataset Dataset => _dataset;

    /// <summary>Batches in an epoch, the same number in all processes that share it.</summary>
    public int BatchCount => _options.DropLast
        ? (int)(_dataset.Samples.Count / JointBatch(_options))
        : (int)((_dataset.Samples.Count + JointBatch(_options) - 1) / JointBatch(_options));

    /// <summary>Views of each video.</summary>
    public int Views => _reader.Views;

    /// <summary>Work done so far.</summary>
    public ClipLoaderStatistics Statistics
    {
        get
        {
            (long videos, long frames, long hits) = _reader.Counts;
            return new(videos, frames, hits, _buffers.Allocated);
        }
    }

    /// <summary>All videos that couldn't be read so far, by number in the data set.</summary>
    public IReadOnlyList<FailedSample> Failures
    {
        get
        {
            lock (_gate)
            {
                return [.. _failures.Values];
            }
        }
    }

    /// <summary>The order in which an epoch visits the videos, all processes together.</summary>
    /// <param name="epoch">Epoch, from 0.</param>
    /// <returns>Numbers of the samples, each once.</returns>
    public int[] Order(int epoch)
    {
        int[] order = [.. Enumerable.Range(0, _dataset.Samples.Count)];
        if (_options.Shuffle ?? _options.Augmentation is not null)
        {
            new CounterRandom(_options.Seed, epoch, 0, "shuffle").Shuffle<int>(order);
        }

        return order;
    }

    /// <summary>Makes the batches of one epoch.</summary>
    /// <param name="epoch">Epoch, from 0; decides order, frames and augmentation of training.</param>
    /// <param name="skipBatches">Batches that an earlier run has used up; they aren't decoded.</param>
    /// <param name="ct">Stops the workers and the enumeration.</param>
    /// <returns>
    /// The batches in order; the caller disposes each. Leaving the enumeration early stops the workers. A batch of which
    /// no video could be read is left out in training and comes without videos in evaluation. Where several processes
    /// share the epoch nothing is left out, so that they stay in step.
    /// </returns>
    /// <remarks>Each process counts its own failures against the budget of the whole epoch.</remarks>
    /// <exception cref="DatasetException">While enumerating: more videos can't be read than the budget allows.</exception>
    /// <exception cref="InvalidOperationException">While enumerating: another epoch of this loader is running.</exception>
    /// <exception cref="OperationCanceledException">While enumerating: cancelled.</exception>
    public IEnumerable<ClipBatch> Epoch(int epoch, int skipBatches = 0, CancellationToken ct = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(skipBatches);
        return Enumerate(epoch, skipBatches, ct);
    }

    /// <summary>Stops a running epoch and waits for its workers. Batches that are still in use stay valid.</summary>
    public void Dispose()
    {
        EpochRun? run;
        lock (_gate)
        {
            _disposed = true;
            run = _run;
        }

        run?.Dispose();
    }

    private IEnumerable<ClipBatch> Enumerate(int epoch, int skipBatches, CancellationToken ct)
    {
        int batches = BatchCount, total = (int)Math.Min(_dataset.Samples.Count, batches * JointBatch(_options));
        int[] order = Part(Order(epoch).AsSpan(0, total));
        bool training = _options.Augmentation is not null;
        int allowed = (int)Math.Ceiling(total * _options.FailureBudget), failed = 0;
        using EpochRun run = Start(order, epoch, skipBatches, ct);
        try
        {
            for (int b = skipBatches; b < batches; b++)
            {
                // A short last batch may leave nothing for this process.
                ClipBatch batch = (long)b * _options.BatchSize < order.Length ? run.Take(b) : run.Empty(b);
                batch.FirstInJointBatch = PartOf((int)Math.Min(JointBatch(_options), total - (b * JointBatch(_options)))).First;
                Note(batch.Failures);
                failed += batch.Failures.Count;
                if (training && failed > allowed)
                {
                    batch.Dispose();
                    throw TooManyFailures(allowed, total);
                }

                if (training && batch.Count == 0 && _options.Ranks == 1)
                {
                    batch.Dispose();
                    continue;
                }

                // Videos are mixed with others of the same part; each process draws for itself.
                _mixer?.Mix(batch, new CounterRandom(_options.Seed, epoch, batch.Index, _options.Rank == 0 ? "mix" : $"mix {_options.Rank}"));
                yield return batch;
            }
        }
        finally
        {
            lock (_gate)
            {
                _run = null;
            }
        }
    }

    // Of each joint batch the consecutive samples that are this process's; a short last one is shared evenly.
    private int[] Part(ReadOnlySpan<int> order)
    {
        var part = new List<int>(order.Length / _options.Ranks);
        for (long start = 0; start < order.Length; start += JointBatch(_options))
        {
            (int first, int count) = PartOf((int)Math.Min(JointBatch(_options), order.Length - start));
            part.AddRange(order.Slice((int)start + first, count));
        }

        return [.. part];
    }

    private (int First, int Count) PartOf(int jointBatch)
    {
        (int each, int rest) = Math.DivRem(jointBatch, _options.Ranks);
        return ((_options.Rank * each) + Math.Min(_options.Rank, rest), each + (_options.Rank < rest ? 1 : 0));
    }

    private static long JointBatch(ClipLoaderOptions options) => (long)options.BatchSize * options.Ranks;

    private EpochRun Start(ReadOnlyMemory<int> order, int epoch, int skipBatches, CancellationToken ct)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_run is not null)
            {
                throw new InvalidOperationException("load clips: another epoch of this loader is being enumerated; finish or leave it first");
            }

            return _run = new EpochRun(_dataset, _options, _reader, _buffers, order, epoch, skipBatches, ct);
        }
    }

    private void Note(IReadOnlyList<FailedSample> failures)
    {
        lock (_gate)
        {
            foreach (FailedSample failure in failures)
            {
                _failures[failure.SampleIndex] = failure;
            }
        }
    }

    private DatasetException TooManyFailures(int allowed, int total)
    {
        const int shown = 5;
        IReadOnlyList<FailedSample> failures = Failures;
        string list = string.Join("; ", failures.Take(shown).Select(f => f.Reason.ReplaceLineEndings(" ")));
        string more = failures.Count > shown ? $"; and {failures.Count - shown} more" : "";
        return new DatasetException(
            $"load clips: expected at most {allowed} unreadable videos of {total} in '{_dataset.Name}' ({_options.FailureBudget:P0}), found more: {list}{more}; repair or remove them, or raise the failure budget");
    }
}
