using System.Buffers;
using System.Buffers.Binary;

namespace Kinora.Media;

/// <summary>One clip of a pack. Each frame's checksum is compared whenever the frame is read. One thread at a time.</summary>
public sealed class PackedClip : IFrameSource
{
    private readonly ClipPack _pack;
    private readonly MappedShard _shard;
    private readonly string _path;
    private readonly uint[] _checksums;

    // Where each frame begins in the shard, and where the last one ends.
    private readonly long[] _offsets;

    internal PackedClip(ClipPack pack, PackEntry clip)
    {
        (_pack, Clip, _path) = (pack, clip, pack.PathOf(clip));
        if (clip.Error is not null)
        {
            throw new MediaException($"opening: the video could not be read when it was packed: {clip.Error}", _path);
        }

        _shard = pack.Shard(clip.Shard);
        int tableBytes = (int)PackLayout.TableBytes(Pixels, clip.Frames);
        ReadOnlySpan<byte> table = _shard.Span(clip.Offset, tableBytes);
        if (Crc32C.Of(table) != clip.Checksum)
        {
            throw new MediaException("opening: expected the frame table to have the checksum of the index, found another; copy the pack again, or pack again", _path);
        }

        _checksums = new uint[clip.Frames];
        _offsets = new long[clip.Frames + 1];
        _offsets[0] = clip.Offset + tableBytes;
        for (int i = 0; i < clip.Frames; i++)
        {
            ReadOnlySpan<byte> row = table.Slice(i * (tableBytes / clip.Frames), tableBytes / clip.Frames);
            _checksums[i] = BinaryPrimitives.ReadUInt32LittleEndian(row);
            _offsets[i + 1] = _offsets[i] + (Pixels == PackedPixels.Jpeg ? BinaryPrimitives.ReadUInt32LittleEndian(row[4..]) : FrameBytes);
        }

        if (_offsets[^1] != clip.Offset + clip.Bytes)
        {
            throw new MediaException($"opening: expected frames of {clip.Bytes - tableBytes} bytes together, found {_offsets[^1] - _offsets[0]}; pack again", _path);
        }

        GC.KeepAlive(pack);
    }

    /// <summary>What the index says of the clip.</summary>
    public PackEntry Clip { get; }

    /// <summary>Form of the frames.</summary>
    public PackedPixels Pixels => _pack.Header.Pixels;

    /// <inheritdoc/>
    public int FrameCount => Clip.Frames;

    /// <inheritdoc/>
    public int Width => Clip.Width;

    /// <inheritdoc/>
    public int Height => Clip.Height;

    /// <inheritdoc/>
    public double FramesPerSecond => Clip.FramesPerSecond;

    private int FrameBytes => Clip.Width * Clip.Height * 3;

    /// <inheritdoc/>
    public void ReadFrames(ReadOnlySpan<int> indices, Span<byte> destination, CancellationToken cancellationToken = default)
    {
        FrameSource.CheckRequest(this, indices, destination);
        for (int i = 0; i < indices.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadOnlySpan<byte> stored = Checked(indices[i]);
            Span<byte> target = destination.Slice(i * FrameBytes, FrameBytes);
            if (Pixels == PackedPixels.Rgb24)
            {
                stored.CopyTo(target);
            }
            else
            {
                Decode(indices[i], stored, target);
            }
        }

        GC.KeepAlive(_shard);
    }

    /// <summary>Nothing is held open: the pack keeps its shards mapped.</summary>
    public void Dispose()
    {
    }

    /// <summary>Lends all frames as they lie in the shard, after checking those that are wanted.</summary>
    /// <param name="wanted">Frame indices in [0, FrameCount).</param>
    /// <returns>[FrameCount, Height, Width, 3] bytes, RGB; null where frames have to be decoded or are too many for one piece of memory.</returns>
    /// <exception cref="MediaException">A wanted frame is damaged.</exception>
    internal IMemoryOwner<byte>? Borrow(ReadOnlySpan<int> wanted)
    {
        long bytes = _offsets[^1] - _offsets[0];
        if (Pixels != PackedPixels.Rgb24 || bytes > Array.MaxLength)
        {
            return null;
        }

        foreach (int index in wanted)
        {
            _ = Checked(index);
        }

        GC.KeepAlive(_shard);
        return _shard.Memory(_offsets[0], (int)bytes);
    }

    private ReadOnlySpan<byte> Checked(int index)
    {
        long length = _offsets[index + 1] - _offsets[index];
        ReadOnlySpan<byte> stored = length <= int.MaxValue ? _shard.Span(_offsets[index], (int)length) : default;
        return length <= int.MaxValue && Crc32C.Of(stored) == _checksums[index]
            ? stored
            : throw new MediaException($"reading frame {index} of {FrameCount}: expected the checksum of the frame table, found another; copy the pack again, or pack again", _path);
    }

    private void Decode(int index, ReadOnlySpan<byte> jpeg, Span<byte> target)
    {
        (int width, int height) = JpegImage.Size(jpeg, _path);
        if (width != Width || height != Height)
        {
            throw new MediaException($"reading frame {index}: expected {Width}x{Height} as the index states, found {width}x{height}", _path);
        }

        JpegImage.Decode(jpeg, width, height, target, _path);
    }
}
