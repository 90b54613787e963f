using System.Buffers;

namespace Kinora.Media;

/// <summary>
/// Chosen frames of one video as RGB pixels, before resizing. A frame that is asked for several times is stored once.
/// </summary>
/// <remarks>Immutable after creation; disposing it returns the memory to its pool.</remarks>
public sealed class DecodedClip : IDisposable
{
    private readonly int[] _indices;
    private readonly int[] _slots;
    private readonly ReadOnlyMemory<byte> _pixels;
    private IMemoryOwner<byte>? _owner;

    private DecodedClip(
        IMemoryOwner<byte>? owner, ReadOnlyMemory<byte> pixels, int width, int height, int[] indices, int[] slots, int frameCount, int rotation)
    {
        _owner = owner;
        _pixels = pixels;
        _indices = indices;
        _slots = slots;
        (Width, Height, FrameCount, Rotation) = (width, height, frameCount, rotation);
    }

    /// <summary>Frame width, in pixels, after rotation.</summary>
    public int Width { get; }

    /// <summary>Frame height, in pixels, after rotation.</summary>
    public int Height { get; }

    /// <summary>Frames of the clip.</summary>
    public int Count => _indices.Length;

    /// <summary>Number of each frame in the video, from 0, in the clip's order.</summary>
    public ReadOnlySpan<int> Indices => _indices;

    /// <summary>L: frames of the whole video.</summary>
    public int FrameCount { get; }

    /// <summary>The rotation that was applied, in degrees clockwise: 0, 90, 180 or 270.</summary>
    public int Rotation { get; }

    /// <summary>Reads frames; each wanted frame is decoded once, in order. Frames of an uncompressed pack aren't even copied.</summary>
    /// <param name="source">Video or frame folder; stays the caller's.</param>
    /// <param name="indices">Frame numbers in [0, source.FrameCount), any order, repeats allowed.</param>
    /// <param name="cancellationToken">Stops between frames.</param>
    /// <returns>The clip; the caller disposes it.</returns>
    /// <exception cref="MediaException">A frame can't be read, an index lies outside, or the frames don't fit in 2 GB.</exception>
    public static DecodedClip Decode(IFrameSource source, ReadOnlySpan<int> indices, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        int[] wanted = indices.ToArray();
        int[] unique = [.. wanted.Distinct().Order()];
        int outside = Array.FindIndex(unique, i => i < 0 || i >= source.FrameCount);
        if (outside >= 0)
        {
            throw new MediaException($"decode clip: expected frame indices in [0, {source.FrameCount}), found {unique[outside]}");
        }

        if (source is PackedClip packed && packed.Borrow(unique) is { } lent)
        {
            return new(lent, lent.Memory, source.Width, source.Height, wanted, wanted, source.FrameCount, 0);
        }

        long bytes = (long)unique.Length * source.Width * source.Height * 3;
        if (bytes > Array.MaxLength)
        {
            throw new MediaException(
                $"decode clip: expected at most 2 GB of pixels, found {unique.Length} frames of {source.Width}x{source.Height}; read fewer frames at a time");
        }

        IMemoryOwner<byte> owner = MemoryPool<byte>.Shared.Rent((int)bytes);
        try
        {
            Memory<byte> pixels = owner.Memory[..(int)bytes];
            source.ReadFrames(unique, pixels.Span, cancellationToken);
            int[] slots = Array.ConvertAll(wanted, i => Array.BinarySearch(unique, i));
            int rotation = source is VideoReader video ? video.Rotation : 0;
            return new(owner, pixels, source.Width, source.Height, wanted, slots, source.FrameCount, rotation);
        }
        catch
        {
            owner.Dispose();
            throw;
        }
    }

    /// <summary>Wraps frames that lie in memory one after the other, each the clip's next.</summary>
    /// <param name="pixels">indices.Length frames of height · width · 3 bytes; stays the caller's and must not change.</param>
    /// <param name="width">Frame width, in pixels.</param>
    /// <param name="height">Frame height, in pixels.</param>
    /// <param name="indices">Number of each frame in its video.</param>
    /// <param name="frameCount">Frames of the whole video.</param>
    /// <param name="rotation">The rotation that was applied, in degrees clockwise.</param>
    /// <returns>A clip without memory of its own.</returns>
    /// <exception cref="ArgumentException">The memory is too small.</exception>
    public static DecodedClip FromFrames(
        ReadOnlyMemory<byte> pixels, int width, int height, ReadOnlySpan<int> indices, int frameCount, int rotation = 0)
    {
        int[] slots = new int[indices.Length];
        for (int i = 0; i < slots.Length; i++)
        {
            slots[i] = i;
        }

        return Borrow(pixels, width, height, indices.ToArray(), slots, frameCount, rotation);
    }

    /// <summary>Takes frames out of a cache that holds a whole video, without copying.</summary>
    /// <param name="video">All frames of the video; stays the caller's and must not change.</param>
    /// <param name="width">Frame width, in pixels.</param>
    /// <param name="height">Frame height, in pixels.</param>
    /// <param name="indices">Frame numbers, from 0; repeats allowed.</param>
    /// <param name="rotation">The rotation that was applied, in degrees clockwise.</param>
    /// <returns>A clip without memory of its own.</returns>
    /// <exception cref="ArgumentException">An index lies outside the video.</exception>
    public static DecodedClip FromVideo(
        ReadOnlyMemory<byte> video, int width, int height, ReadOnlySpan<int> indices, int rotation = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        int[] copy = indices.ToArray();
        return Borrow(video, width, height, copy, copy, video.Length / (width * height * 3), rotation);
    }

    /// <summary>The pixels of one frame of the clip.</summary>
    /// <param name="position">Position in the clip, from 0.</param>
    /// <returns>Height · Width · 3 bytes, RGB, rows without gaps; valid until the clip is disposed.</returns>
    public ReadOnlySpan<byte> Frame(int position)
    {
        int bytes = Width * Height * 3;
        return _pixels.Span.Slice(_slots[position] * bytes, bytes);
    }

    /// <inheritdoc/>
    public void Dispose() => Interlocked.Exchange(ref _owner, null)?.Dispose();

    private static DecodedClip Borrow(
        ReadOnlyMemory<byte> pixels, int width, int height, int[] indices, int[] slots, int frameCount, int rotation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        long frames = pixels.Length / ((long)width * height * 3);
        foreach (int slot in slots)
        {
            if (slot < 0 || slot >= frames)
            {
                throw new ArgumentException($"clip of {width}x{height}: expected frames in [0, {frames}), found {slot}", nameof(indices));
            }
        }

        return new(null, pixels, width, height, indices, slots, frameCount, rotation);
    }
}
