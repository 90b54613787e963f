namespace Kinora.Media;

/// <summary>Frames that are decoded one by one, in about the order of time. One thread at a time.</summary>
public abstract class FrameSequence : IDisposable
{
    /// <summary>Decodes the next frame into the caller's memory.</summary>
    /// <param name="frame">Receives [Height, Width, 3] bytes, RGB.</param>
    /// <param name="index">The frame's index; −1 at the end.</param>
    /// <returns>False at the end. Only then is it certain that every frame was right: damage may be noticed late.</returns>
    /// <exception cref="ArgumentException">Too little room.</exception>
    /// <exception cref="MediaException">A frame can't be decoded correctly; the message names it.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public abstract bool Next(Span<byte> frame, out int index);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>A sequence for sources in which every frame stands alone.</summary>
internal sealed class SingleFrames : FrameSequence
{
    private readonly IFrameSource _source;
    private readonly int[] _indices;
    private readonly CancellationToken _cancellationToken;
    private int _next;

    public SingleFrames(IFrameSource source, ReadOnlySpan<int> indices, CancellationToken cancellationToken)
    {
        FrameSource.CheckIndices(source, indices);
        _source = source;
        _indices = [.. new SortedSet<int>(indices.ToArray())];
        _cancellationToken = cancellationToken;
    }

    public override bool Next(Span<byte> frame, out int index)
    {
        if (_next == _indices.Length)
        {
            index = -1;
            return false;
        }

        index = _indices[_next++];
        _source.ReadFrames([index], frame, _cancellationToken);
        return true;
    }

    public override void Dispose()
    {
    }
}
