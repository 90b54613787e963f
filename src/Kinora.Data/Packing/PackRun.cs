using System.Buffers;
using System.Runtime.ExceptionServices;
using Kinora.Media;

namespace Kinora.Data;

/// <summary>
/// The workers of one packing. Each decodes the next clip into memory, waits for its turn and writes it, so clips lie in the
/// pack in the order of the list. A clip too large for memory is decoded while it is its turn.
/// </summary>
internal sealed class PackRun
{
    private const long MemoryBytes = 1L << 30, MaxClipBytes = 256L << 20, MinClipBytes = 32L << 20;

    private readonly IReadOnlyList<PackItem> _items;
    private readonly PackWriter _writer;
    private readonly PackOptions _options;
    private readonly Action<int, int>? _progress;
    private readonly CancellationToken _callerToken;
    private readonly CancellationTokenSource _stop;
    private readonly object _gate = new();
    private readonly int _workers;
    private readonly long _clipBytes;
    private ExceptionDispatchInfo? _fault;
    private int _next;
    private int _turn;

    public PackRun(IReadOnlyList<PackItem> items, PackWriter writer, PackOptions options, Action<int, int>? progress, CancellationToken ct)
    {
        (_items, _writer, _options, _progress, _callerToken) = (items, writer, options, progress, ct);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        _next = _turn = writer.Entries.Count;
        _workers = Math.Clamp(options.Workers > 0 ? options.Workers : Environment.ProcessorCount, 1, Math.Max(1, items.Count - _next));
        _clipBytes = Math.Clamp(MemoryBytes / _workers, MinClipBytes, MaxClipBytes);
    }

    public void Run()
    {
        using (_stop)
        {
            using CancellationTokenRegistration wake = _stop.Token.Register(() =>
            {
                lock (_gate)
                {
                    Monitor.PulseAll(_gate);
                }
            });
            Thread[] threads = [.. Enumerable.Range(0, _workers).Select(i => new Thread(Work) { IsBackground = true, Name = $"pack {i}" })];
            foreach (Thread thread in threads)
            {
                thread.Start();
            }

            foreach (Thread thread in threads)
            {
                thread.Join();
            }
        }

        _callerToken.ThrowIfCancellationRequested();
        _fault?.Throw();
    }

    private void Work()
    {
        try
        {
            int number;
            while (!_stop.IsCancellationRequested && (number = Interlocked.Increment(ref _next) - 1) < _items.Count)
            {
                using Prepared clip = Prepare(_items[number]);
                if (!WaitForTurn(number))
                {
                    return;
                }

                Write(clip);
                _progress?.Invoke(number + 1, _items.Count);
                lock (_gate)
                {
                    _turn = number + 1;
                    Monitor.PulseAll(_gate);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            // Kept for the thread that waits for the workers.
            Interlocked.CompareExchange(ref _fault, ExceptionDispatchInfo.Capture(e), null);
            _stop.Cancel();
        }
    }

    private bool WaitForTurn(int number)
    {
        lock (_gate)
        {
            while (_turn != number && !_stop.IsCancellationRequested)
            {
                Monitor.Wait(_gate);
            }

            return !_stop.IsCancellationRequested;
        }
    }

    private Prepared Prepare(PackItem item)
    {
        var clip = new Prepared(item);
        try
        {
            clip.Origin = item.Hashed(_stop.Token);
            clip.Source = item.Sample.Open(_options.Color, _stop.Token);
            clip.Choose(_options);
            long share = _options.Pixels == PackedPixels.Jpeg ? 4 : 1;
            if ((long)clip.Indices.Length * clip.Width * clip.Height * 3 / share <= _clipBytes)
            {
                clip.Frames = new (byte[], int)[clip.Indices.Length];
                Encode(clip, (position, bytes) =>
                {
                    byte[] kept = ArrayPool<byte>.Shared.Rent(bytes.Length);
                    bytes.CopyTo(kept);
                    clip.Frames[position] = (kept, bytes.Length);
                });
                clip.Source.Dispose();
            }
        }
        catch (Exception e) when (e is MediaException or IOException or UnauthorizedAccessException)
        {
            clip.Error = e.Message.ReplaceLineEndings(" ");
        }
        catch
        {
            clip.Dispose();
            throw;
        }

        return clip;
    }

    private void Write(Prepared clip)
    {
        if (clip.Error is null)
        {
            using PackClipWriter record = _writer.Begin(clip.Indices.Length);
            try
            {
                if (clip.Frames is { } frames)
                {
                    foreach ((byte[] bytes, int length) in frames)
                    {
                        record.Add(bytes.AsSpan(0, length));
                    }
                }
                else
                {
                    Stream(clip, record);
                }

                record.Complete(clip.Describe());
                return;
            }
            catch (MediaException e)
            {
                clip.Error = e.Message.ReplaceLineEndings(" ");
            }
        }

        _writer.Refuse(clip.Describe());
    }

    // Decoders give frames in about the order of time; those that come early wait.
    private void Stream(Prepared clip, PackClipWriter record)
    {
        var early = new SortedDictionary<int, byte[]>();
        int next = 0;
        Encode(clip, (position, bytes) =>
        {
            if (position != next)
            {
                early.Add(position, bytes.ToArray());
                return;
            }

            record.Add(bytes);
            next++;
            while (early.Remove(next, out byte[]? waiting))
            {
                record.Add(waiting);
                next++;
            }
        });
    }

    private void Encode(Prepared clip, FrameAction take)
    {
        IFrameSource source = clip.Source!;
        FrameScaler? scaler = clip.Width == source.Width && clip.Height == source.Height ? null : clip.Scaler;
        byte[] original = ArrayPool<byte>.Shared.Rent(source.Width * source.Height * 3), scaled = ArrayPool<byte>.Shared.Rent(clip.Width * clip.Height * 3);
        try
        {
            Span<byte> frame = original.AsSpan(0, source.Width * source.Height * 3), result = scaler is null ? frame : scaled.AsSpan(0, clip.Width * clip.Height * 3);
            using FrameSequence frames = source.Frames(clip.Indices, _stop.Token);
            while (frames.Next(frame, out int index))
            {
                _stop.Token.ThrowIfCancellationRequested();
                scaler?.Scale(frame, result);
                int position = Array.BinarySearch(clip.Indices, index);
                take(position, _options.Pixels == PackedPixels.Jpeg ? JpegImage.Encode(result, clip.Width, clip.Height, _options.Quality) : result);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(original);
            ArrayPool<byte>.Shared.Return(scaled);
        }
    }

    private delegate void FrameAction(int position, ReadOnlySpan<byte> bytes);

    private sealed class Prepared(PackItem item) : IDisposable
    {
        private double _framesPerSecond;

        public IFrameSource? Source { get; set; }

        public PackOrigin Origin { get; set; } = item.Origin;

        public int[] Indices { get; private set; } = [];

        public int Width { get; private set; }

        public int Height { get; private set; }

        public FrameScaler? Scaler { get; private set; }

        /// <summary>The encoded frames; null where they are too many to be held.</summary>
        public (byte[] Bytes, int Length)[]? Frames { get; set; }

        public string? Error { get; set; }

        public void Choose(PackOptions options)
        {
            (Indices, _framesPerSecond) = FrameChoice.Of(Source!, options.Stride, options.Rate, item.Sample.Path);
            (Width, Height) = (Source!.Width, Source.Height);
            if (options.ShortSide > 0 && Math.Min(Width, Height) > options.ShortSide)
            {
                Scaler = new FrameScaler(new ResizeSpec(ResizeRule.KeepAspectTruncate, options.ShortSide, options.Engine), Width, Height);
                (Width, Height) = (Scaler.Width, Scaler.Height);
            }
        }

        public PackEntry Describe() => new(
            item.Name, item.Part, item.Sample.Labels, item.Sample.Group, Error is null ? Indices.Length : 0, Error is null ? Width : 0, Error is null ? Height : 0,
            Error is null ? _framesPerSecond : 0, 0, 0, 0, 0, Origin, Error);

        public void Dispose()
        {
            Source?.Dispose();
            foreach ((byte[]? bytes, int _) in Frames ?? [])
            {
                if (bytes is not null)
                {
                    ArrayPool<byte>.Shared.Return(bytes);
                }
            }
        }
    }
}

/// <summary>Thins out the frames of a video.</summary>
internal static class FrameChoice
{
    /// <summary>Every n-th frame, or those that a slower rate shows.</summary>
    /// <param name="source">The video.</param>
    /// <param name="stride">Every how many frames one is kept.</param>
    /// <param name="rate">Frames per second; 0: all.</param>
    /// <param name="path">For messages.</param>
    /// <returns>Increasing frame numbers, and their rate (0 if unknown).</returns>
    public static (int[] Indices, double FramesPerSecond) Of(IFrameSource source, int stride, double rate, string path)
    {
        const double tolerance = 1e-3;
        if (rate == 0 || (source.FramesPerSecond > 0 && source.FramesPerSecond <= rate * (1 + tolerance)))
        {
            int count = (source.FrameCount + stride - 1) / stride;
            return ([.. Enumerable.Range(0, count).Select(i => i * stride)], source.FramesPerSecond / stride);
        }

        if (source.FramesPerSecond <= 0)
        {
            throw new MediaException($"choose frames: expected a video with a frame rate to thin it to {rate} frames per second, found frames without times; leave the rate out", path);
        }

        var kept = new List<int>();
        double[]? times = source is VideoReader video ? video.TimestampsSeconds.ToArray() : null;
        double start = times?[0] ?? 0, end = times?[^1] ?? (source.FrameCount - 1) / source.FramesPerSecond;
        int frame = 0;
        for (int i = 0; start + (i / rate) <= end + (tolerance / rate); i++)
        {
            // The frame that is on the screen at that time.
            double time = start + (i / rate) + (tolerance / rate);
            while (frame + 1 < source.FrameCount && (times is null ? (frame + 1) / source.FramesPerSecond : times[frame + 1]) <= time)
            {
                frame++;
            }

            if (kept.Count == 0 || kept[^1] != frame)
            {
                kept.Add(frame);
            }
        }

        return ([.. kept], rate);
    }
}
