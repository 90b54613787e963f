using System.Runtime.ExceptionServices;

namespace Kinora.Data;

/// <summary>
/// The workers of one epoch. They take samples in the order in which batches need them, at most a window of batches
/// ahead, and write each straight to its place in its batch; so it doesn't matter who does what.
/// </summary>
internal sealed class EpochRun : IDisposable
{
    private readonly VideoDataset _dataset;
    private readonly SampleReader _reader;
    private readonly BatchBuffers _buffers;
    private readonly ReadOnlyMemory<int> _order;
    private readonly int _batchSize;
    private readonly int _repeats;
    private readonly int _epoch;
    private readonly int _window;
    private readonly CancellationToken _callerToken;
    private readonly CancellationTokenSource _stop;
    private readonly CancellationTokenRegistration _wake;
    private readonly Thread[] _workers;

    // Guards everything below. Monitor.Wait puts a thread to sleep at once.
    private readonly object _gate = new();
    private readonly Dictionary<int, Pending> _pending = [];
    private ExceptionDispatchInfo? _fault;
    private int _next;
    private int _taken;
    private bool _disposed;

    public EpochRun(VideoDataset dataset, ClipLoaderOptions options, SampleReader reader, BatchBuffers buffers, ReadOnlyMemory<int> order, int epoch, int skipBatches, CancellationToken ct)
    {
        (_dataset, _reader, _buffers, _order, _epoch) = (dataset, reader, buffers, order, epoch);
        _batchSize = options.BatchSize;
        _repeats = options.RepeatedViews;
        _window = options.Prefetch;
        _taken = skipBatches;
        _next = (int)Math.Min((long)skipBatches * _batchSize, order.Length);
        _callerToken = ct;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        _wake = _stop.Token.Register(WakeAll);
        int workers = Math.Min(options.Workers > 0 ? options.Workers : Environment.ProcessorCount, Math.Max(1, order.Length - _next));
        _workers = new Thread[workers];
        for (int i = 0; i < workers; i++)
        {
            _workers[i] = new Thread(Work) { IsBackground = true, Name = $"decode {i}" };
            _workers[i].Start();
        }
    }

    /// <summary>Waits for a batch. Batches are taken one after the other.</summary>
    public ClipBatch Take(int number)
    {
        Pending batch;
        lock (_gate)
        {
            while (true)
            {
                _fault?.Throw();
                _callerToken.ThrowIfCancellationRequested();
                ObjectDisposedException.ThrowIf(_disposed, typeof(ClipLoader));
                if (_pending.TryGetValue(number, out batch!) && batch.Missing == 0)
                {
                    break;
                }

                Monitor.Wait(_gate);
            }

            _pending.Remove(number);
            _taken = number + 1;
            Monitor.PulseAll(_gate);
        }

        return Complete(number, batch);
    }

    /// <summary>A batch without videos.</summary>
    public ClipBatch Empty(int number) =>
        new(_buffers, _buffers.Rent(), number, _reader.Views, _reader.FloatsPerView, _reader.ViewShape, [], [], []);

    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }

        _stop.Cancel();
        foreach (Thread worker in _workers)
        {
            worker.Join();
        }

        _wake.Dispose();
        _stop.Dispose();
        foreach (Pending batch in _pending.Values)
        {
            _buffers.Return(batch.Pixels);
        }
    }

    private void WakeAll()
    {
        lock (_gate)
        {
            Monitor.PulseAll(_gate);
        }
    }

    private void Work()
    {
        CancellationToken ct = _stop.Token;
        int floats = _repeats * _reader.Views * _reader.FloatsPerView;
        while (TryStart(out int position, out Pending batch))
        {
            int slot = position % _batchSize, index = _order.Span[position];
            VideoSample sample = _dataset.Samples[index];
            FailedSample? failure = null;
            try
            {
                _reader.Read(sample, index, _epoch, batch.Pixels.AsSpan(slot * floats, floats), batch.Labels.AsSpan(slot * _repeats, _repeats), ct);
            }
            catch (MediaException e)
            {
                failure = new FailedSample(index, sample.Path, e.Path is null ? $"{e.Message} [{sample.Path}]" : e.Message);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Whatever else happens here belongs to the thread that waits for the batch.
            catch (Exception e)
#pragma warning restore CA1031
            {
                lock (_gate)
                {
                    _fault ??= ExceptionDispatchInfo.Capture(e);
                    Monitor.PulseAll(_gate);
                }

                return;
            }

            lock (_gate)
            {
                batch.Failures[slot] = failure;
                if (--batch.Missing == 0)
                {
                    Monitor.PulseAll(_gate);
                }
            }
        }
    }

    private bool TryStart(out int position, out Pending batch)
    {
        lock (_gate)
        {
            while (true)
            {
                if (_stop.IsCancellationRequested || _fault is not null || _next >= _order.Length)
                {
                    (position, batch) = (-1, null!);
                    return false;
                }

                int number = _next / _batchSize;
                if (number < _taken + _window)
                {
                    position = _next++;
                    if (!_pending.TryGetValue(number, out batch!))
                    {
                        int count = Math.Min(_batchSize, _order.Length - (number * _batchSize));
                        batch = new Pending(_buffers.Rent(), count, _repeats);
                        _pending.Add(number, batch);
                    }

                    return true;
                }

                Monitor.Wait(_gate);
            }
        }
    }

    // Closes the gaps that unreadable videos left.
    private ClipBatch Complete(int number, Pending batch)
    {
        int floats = _repeats * _reader.Views * _reader.FloatsPerView, kept = 0;
        ReadOnlySpan<int> order = _order.Span.Slice(number * _batchSize, batch.Failures.Length);
        var indices = new List<int>(order.Length);
        var labels = new List<int>(order.Length);
        var failures = new List<FailedSample>();
        for (int slot = 0; slot < order.Length; slot++)
        {
            if (batch.Failures[slot] is FailedSample failure)
            {
                failures.Add(failure);
                continue;
            }

            if (kept != slot)
            {
                batch.Pixels.AsSpan(slot * floats, floats).CopyTo(batch.Pixels.AsSpan(kept * floats, floats));
            }

            kept++;
            for (int repeat = 0; repeat < _repeats; repeat++)
            {
                indices.Add(order[slot]);
                labels.Add(batch.Labels[(slot * _repeats) + repeat]);
            }
        }

        return new ClipBatch(_buffers, batch.Pixels, number, _reader.Views, _reader.FloatsPerView, _reader.ViewShape, [.. indices], [.. labels], failures);
    }

    private sealed class Pending(float[] pixels, int count, int repeats)
    {
        public float[] Pixels { get; } = pixels;

        public FailedSample?[] Failures { get; } = new FailedSample?[count];

        public int[] Labels { get; } = new int[count * repeats];

        public int Missing { get; set; } = count;
    }
}
