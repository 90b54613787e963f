namespace Kinora.Media;

/// <summary>A part of a video as if it were a whole one; for lists that give start and end.</summary>
public sealed class VideoSection : IFrameSource
{
    private readonly IFrameSource _source;
    private readonly int _first;

    private VideoSection(IFrameSource source, int first, int count) => (_source, _first, FrameCount) = (source, first, count);

    /// <inheritdoc/>
    public int FrameCount { get; }

    /// <inheritdoc/>
    public int Width => _source.Width;

    /// <inheritdoc/>
    public int Height => _source.Height;

    /// <inheritdoc/>
    public double FramesPerSecond => _source.FramesPerSecond;

    /// <summary>Cuts a section out of a source.</summary>
    /// <param name="source">The whole video; belongs to the section from now on, and is disposed where this throws.</param>
    /// <param name="startSeconds">Frames shown earlier are left out.</param>
    /// <param name="endSeconds">Frames shown at this time or later are left out; null: none is.</param>
    /// <param name="path">For messages.</param>
    /// <returns>The section; the caller disposes it.</returns>
    /// <exception cref="MediaException">The source knows no times, or has no frame in the section.</exception>
    public static VideoSection Cut(IFrameSource source, double startSeconds, double? endSeconds, string? path = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        try
        {
            int first = FirstFrom(source, startSeconds, path), stop = endSeconds is { } end ? FirstFrom(source, end, path) : source.FrameCount;
            return stop > first
                ? new VideoSection(source, first, stop - first)
                : throw new MediaException(FormattableString.Invariant($"cutting: expected frames from {startSeconds} s to {(endSeconds is { } e ? FormattableString.Invariant($"{e} s") : "the end")}, found none; check start and end in the list"), path);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void ReadFrames(ReadOnlySpan<int> indices, Span<byte> destination, CancellationToken cancellationToken = default)
    {
        FrameSource.CheckRequest(this, indices, destination);
        _source.ReadFrames(Moved(indices), destination, cancellationToken);
    }

    /// <inheritdoc/>
    public FrameSequence Frames(ReadOnlySpan<int> indices, CancellationToken cancellationToken = default)
    {
        FrameSource.CheckIndices(this, indices);
        return new Sequence(_source.Frames(Moved(indices), cancellationToken), _first);
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    // A time counts from the first frame, as players show it.
    private static int FirstFrom(IFrameSource source, double seconds, string? path)
    {
        const double tolerance = 1e-4;
        if (source is VideoReader video)
        {
            ReadOnlySpan<double> times = video.TimestampsSeconds;
            int at = times.BinarySearch(seconds + times[0] - tolerance);
            return at < 0 ? ~at : at;
        }

        return source.FramesPerSecond > 0
            ? (int)Math.Min(Math.Ceiling((seconds - tolerance) * source.FramesPerSecond), source.FrameCount)
            : throw new MediaException("cutting: expected a video with a frame rate, found frames without times; leave start and end out", path);
    }

    private int[] Moved(ReadOnlySpan<int> indices)
    {
        int[] moved = indices.ToArray();
        for (int i = 0; i < moved.Length; i++)
        {
            moved[i] += _first;
        }

        return moved;
    }

    private sealed class Sequence(FrameSequence frames, int first) : FrameSequence
    {
        public override bool Next(Span<byte> frame, out int index)
        {
            bool more = frames.Next(frame, out index);
            index = more ? index - first : -1;
            return more;
        }

        public override void Dispose() => frames.Dispose();
    }
}
