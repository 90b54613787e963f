using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Kinora.Paddle;

/// <summary>
/// A file read forwards through a small buffer. Every length that the file claims is checked against what is left of
/// it before anything happens with it, so a lie costs no memory.
/// </summary>
/// <remarks>
/// The file isn't mapped into memory: arrays are read straight to their destination, and a file that somebody cuts off
/// meanwhile ends in an exception instead of a signal.
/// </remarks>
internal sealed class FileWindow : IDisposable
{
    private readonly SafeFileHandle _handle;
    private readonly byte[] _buffer = new byte[1 << 16];
    private long _bufferStart;
    private int _buffered;

    private FileWindow(string path, SafeFileHandle handle) => (Path, _handle, Length) = (path, handle, RandomAccess.GetLength(handle));

    /// <summary>Where the file is.</summary>
    public string Path { get; }

    /// <summary>Size of the file in bytes, when it was opened.</summary>
    public long Length { get; }

    /// <summary>The next byte to read.</summary>
    public long Position { get; private set; }

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The open file.</returns>
    /// <exception cref="CheckpointException">It can't be opened.</exception>
    public static FileWindow Open(string path)
    {
        try
        {
            return new FileWindow(path, File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new CheckpointException($"read weights: {e.Message.ReplaceLineEndings(" ")}", path, e);
        }
    }

    /// <summary>One byte.</summary>
    public byte ReadByte() => Take(1)[0];

    /// <summary>An unsigned 16-bit number.</summary>
    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    /// <summary>An unsigned 32-bit number.</summary>
    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    /// <summary>An unsigned 64-bit number.</summary>
    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    /// <summary>A few bytes, at most 65,536.</summary>
    /// <param name="count">How many.</param>
    /// <returns>The bytes, valid until the next call.</returns>
    public ReadOnlySpan<byte> Take(int count)
    {
        Require((ulong)count);
        if (Position < _bufferStart || Position + count > _bufferStart + _buffered)
        {
            _bufferStart = Position;
            _buffered = (int)Math.Min(_buffer.Length, Length - Position);
            ReadAt(Position, _buffer.AsSpan(0, _buffered));
        }

        ReadOnlySpan<byte> taken = _buffer.AsSpan((int)(Position - _bufferStart), count);
        Position += count;
        return taken;
    }

    /// <summary>Passes over bytes.</summary>
    /// <param name="count">How many, as the file claims.</param>
    /// <returns>Where they start.</returns>
    public long Skip(ulong count)
    {
        Require(count);
        long start = Position;
        Position += (long)count;
        return start;
    }

    /// <summary>Checks that so many bytes are left.</summary>
    /// <param name="count">As the file claims.</param>
    public void Require(ulong count)
    {
        if (count > (ulong)(Length - Position))
        {
            throw Damaged($"expected {count} more bytes, {Length - Position} are left");
        }
    }

    /// <summary>Reads bytes anywhere, past the buffer.</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="destination">Filled completely.</param>
    public void ReadAt(long offset, Span<byte> destination)
    {
        try
        {
            while (!destination.IsEmpty)
            {
                int read = RandomAccess.Read(_handle, destination, offset);
                if (read == 0)
                {
                    throw Damaged($"expected {Length} bytes, the file was cut off at {offset} meanwhile");
                }

                destination = destination[read..];
                offset += read;
            }
        }
        catch (IOException e)
        {
            throw new CheckpointException($"read weights: {e.Message.ReplaceLineEndings(" ")}", Path, e);
        }
    }

    /// <summary>The exception for a file that can't be what it should be.</summary>
    /// <param name="what">Expected and found.</param>
    /// <param name="at">The byte; by default the next one.</param>
    public CheckpointException Damaged(string what, long? at = null) =>
        new($"read weights: byte {at ?? Position}: {what}; the file is damaged or isn't one of PaddlePaddle's", Path);

    /// <summary>Closes the file.</summary>
    public void Dispose() => _handle.Dispose();
}
