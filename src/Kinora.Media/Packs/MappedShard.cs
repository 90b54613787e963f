using System.Buffers;
using System.IO.MemoryMappedFiles;

namespace Kinora.Media;

/// <summary>One shard, mapped into memory for as long as anybody refers to it.</summary>
internal sealed unsafe class MappedShard
{
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    private MappedShard(MemoryMappedViewAccessor view, long length)
    {
        _view = view;
        Length = length;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
    }

    // The handle releases the memory once nobody points to it; see Map.
    ~MappedShard() => _view?.SafeMemoryMappedViewHandle.ReleasePointer();

    /// <summary>Bytes of the file.</summary>
    public long Length { get; }

    /// <summary>Maps a file.</summary>
    /// <param name="path">The shard.</param>
    /// <param name="expected">Its size as the index states it: beyond the end of a file, mapped memory can't be touched.</param>
    /// <exception cref="MediaException">Missing, or of another size.</exception>
    public static MappedShard Map(string path, long expected)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            if (file.Length != expected)
            {
                throw new MediaException($"reading a pack: expected a shard of {expected} bytes, found {file.Length}; pack again", path);
            }

            using MemoryMappedFile mapped = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            return new MappedShard(mapped.CreateViewAccessor(0, expected, MemoryMappedFileAccess.Read), expected);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MediaException($"reading a pack: {e.Message}", path, e);
        }
    }

    /// <summary>A part of the file. Whoever holds the span keeps this object alive too.</summary>
    public ReadOnlySpan<byte> Span(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        return new(_start + offset, length);
    }

    /// <summary>A part of the file as memory that keeps the mapping alive.</summary>
    public IMemoryOwner<byte> Memory(long offset, int length)
    {
        _ = Span(offset, length);
        return new Part(this, offset, length);
    }

    private sealed class Part(MappedShard shard, long offset, int length) : MemoryManager<byte>
    {
        public override Span<byte> GetSpan() => new(shard._start + offset, length);

        public override MemoryHandle Pin(int elementIndex = 0) => new(shard._start + offset + elementIndex, default, this);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
