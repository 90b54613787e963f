using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;

namespace Kinora.Media;

/// <summary>
/// Writes a pack clip by clip. It may be stopped at any moment, by a crash too: opened again, it goes on after the last
/// clip that is whole. The pack exists for readers only once <see cref="Finish"/> has given the index its name.
/// </summary>
/// <remarks>One thread at a time; a second writer of the same folder is refused.</remarks>
public sealed class PackWriter : IDisposable
{
    private const int VerifyBytes = 1 << 20;

    private readonly string _folder;
    private readonly FileStream _journal;
    private readonly List<PackEntry> _entries = [];
    private readonly List<long> _shards = [];
    private FileStream? _shard;
    private PackClipWriter? _open;

    private PackWriter(string folder, PackHeader header, FileStream journal)
    {
        (_folder, Header, _journal) = (folder, header, journal);
    }

    /// <summary>What was asked for.</summary>
    public PackHeader Header { get; }

    /// <summary>The clips that are there, those of earlier runs included.</summary>
    public IReadOnlyList<PackEntry> Entries => _entries;

    /// <summary>Bytes of all shards so far.</summary>
    public long TotalBytes => _shards.Sum();

    /// <summary>Starts a pack, or goes on with the beginning of the same one.</summary>
    /// <param name="folder">Its folder; created where missing.</param>
    /// <param name="header">What is asked for.</param>
    /// <param name="overwrite">Whether a pack that was made otherwise, or its beginning, is deleted.</param>
    /// <returns>The writer; the caller disposes it. Null where the very pack is there already.</returns>
    /// <exception cref="MediaException">Another pack is there, somebody else writes it, or the disk failed.</exception>
    public static PackWriter? Open(string folder, PackHeader header, bool overwrite = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(header);
        folder = Path.GetFullPath(folder);
        FileStream? journal = null;
        try
        {
            if (ClipPack.IsPack(folder))
            {
                if (!overwrite)
                {
                    return Same(ClipPack.Open(folder).Header, header) ? null : throw Other("a pack of other videos, or made with other options", folder);
                }

                // Nobody shall take the old index for that of new shards.
                File.Delete(Path.Combine(folder, PackLayout.IndexName));
            }

            Directory.CreateDirectory(folder);
            string path = Path.Combine(folder, PackLayout.JournalName);
            if (!overwrite && !File.Exists(path) && Directory.EnumerateFileSystemEntries(folder).Any())
            {
                throw Other("other files", folder);
            }

            journal = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1 << 16);
            var writer = new PackWriter(folder, header, journal);
            writer.Recover(overwrite);
            return writer;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            journal?.Dispose();
            throw new MediaException($"writing a pack: {e.Message}", folder, e);
        }
        catch
        {
            journal?.Dispose();
            throw;
        }
    }

    /// <summary>Starts the record of a clip.</summary>
    /// <param name="frames">Number of its frames.</param>
    /// <returns>Takes the frames; disposing it before it is complete leaves no trace.</returns>
    public PackClipWriter Begin(int frames)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frames, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(frames, PackLayout.MaxFrames);
        if (_open is not null)
        {
            throw new InvalidOperationException("a PackWriter writes one clip at a time");
        }

        if (_shard is null || _shards[^1] >= Header.ShardBytes)
        {
            CloseShard();
            _shards.Add(0);
            _shard = new FileStream(ShardPath(_shards.Count - 1) + PackLayout.Unfinished, FileMode.Create, FileAccess.ReadWrite, FileShare.Read, 1 << 20);
        }

        return _open = new PackClipWriter(this, _shard, frames);
    }

    /// <summary>Notes a video that could not be packed.</summary>
    /// <param name="entry">Its description, with <see cref="PackEntry.Error"/>.</param>
    public void Refuse(PackEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        Note(entry with { Frames = 0, Bytes = 0, Offset = 0, Checksum = 0, Shard = 0 });
    }

    /// <summary>Completes the pack.</summary>
    /// <exception cref="MediaException">The disk failed; what is there stays for the next time.</exception>
    public void Finish()
    {
        if (_open is not null)
        {
            throw new InvalidOperationException("a clip is being written");
        }

        try
        {
            CloseShard();
            _journal.Position = 0;
            AtomicFile.Write(Path.Combine(_folder, PackLayout.IndexName), index =>
            {
                _journal.CopyTo(index);
                index.Flush();
                index.Position = 0;
                string hash = Convert.ToHexStringLower(SHA256.HashData(index));
                index.Write(Line(new PackFooter(_entries.Count, _shards, hash), PackLines.Json.PackFooter));
            });
            _journal.Dispose();
            File.Delete(Path.Combine(_folder, PackLayout.JournalName));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MediaException($"writing a pack: {e.Message}", _folder, e);
        }
    }

    /// <summary>Closes the files; an unfinished pack can be gone on with.</summary>
    public void Dispose()
    {
        _open?.Dispose();
        _shard?.Dispose();
        _journal.Dispose();
    }

    internal void Note(PackEntry entry)
    {
        if (PackLayout.Problem(Header, entry) is { } problem)
        {
            throw new ArgumentException($"clip '{entry.Name}': {problem}", nameof(entry));
        }

        _journal.Write(Line(entry, PackLines.Json.PackEntry));
        _journal.Flush();
        _entries.Add(entry);
    }

    internal (int Shard, long Length) Place => (_shards.Count - 1, _shards[^1]);

    internal void Complete(long length)
    {
        _shards[^1] = length;
        _open = null;
    }

    internal void Abandon()
    {
        // What was written of the clip goes, so that the next one begins where it did.
        _shard!.SetLength(_shards[^1]);
        _open = null;
    }

    private static bool Same(PackHeader a, PackHeader b) => Line(a, PackLines.Json.PackHeader).AsSpan().SequenceEqual(Line(b, PackLines.Json.PackHeader));

    private static byte[] Line<T>(T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        [.. JsonSerializer.SerializeToUtf8Bytes(value, type), (byte)'\n'];

    private static MediaException Other(string found, string folder) =>
        new($"writing a pack: expected an empty folder or the beginning of the same pack, found {found}; name another folder, or pass --overwrite", folder);

    private string ShardPath(int number) => Path.Combine(_folder, PackLayout.ShardName(number));

    // Keeps the longest beginning that is surely whole.
    private void Recover(bool overwrite)
    {
        byte[] text = new byte[_journal.Length], header = Line(Header, PackLines.Json.PackHeader);
        _journal.ReadExactly(text);
        var ends = new List<long>();
        foreach (Range line in ClipPack.Lines(text, text.AsSpan().LastIndexOf((byte)'\n') + 1))
        {
            if (ends.Count == 0)
            {
                if (!text.AsSpan(line).SequenceEqual(header.AsSpan()[..^1]))
                {
                    if (!overwrite)
                    {
                        throw Other("the beginning of another one", _folder);
                    }

                    break;
                }
            }
            else if (Parse(text.AsSpan(line)) is not { } entry || !TryKeep(entry))
            {
                break;
            }

            ends.Add(line.End.Value + 1);
        }

        _shard?.SetLength(_shards[^1]);
        VerifyLast();
        DeleteOtherShards();
        _journal.SetLength(ends.Count == 0 ? 0 : ends[_entries.Count]);
        _journal.Position = _journal.Length;
        if (ends.Count == 0)
        {
            _journal.Write(header);
            _journal.Flush();
        }
    }

    private PackEntry? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, PackJson.Default.PackEntry) is { } entry && PackLayout.Problem(Header, entry) is null ? entry : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // Whether the clip's bytes are there: in the shard before, whole under its name, or in the one being written.
    private bool TryKeep(PackEntry entry)
    {
        if (entry.Error is null)
        {
            if (entry.Shard == _shards.Count)
            {
                if (entry.Offset != 0 || !TryOpenShard(entry.Shard))
                {
                    return false;
                }
            }
            else if (entry.Shard != _shards.Count - 1 || entry.Offset != _shards[^1])
            {
                return false;
            }

            if (_shard!.Length < entry.Offset + entry.Bytes)
            {
                return false;
            }

            _shards[^1] = entry.Offset + entry.Bytes;
        }

        _entries.Add(entry);
        return true;
    }

    private bool TryOpenShard(int number)
    {
        string final = ShardPath(number), part = final + PackLayout.Unfinished;
        CloseShard();
        if (File.Exists(final) && !File.Exists(part))
        {
            // The stop came between the shard's new name and its successor's first clip; it will be closed again.
            File.Move(final, part);
        }

        if (!File.Exists(part))
        {
            return false;
        }

        _shard = new FileStream(part, FileMode.Open, FileAccess.ReadWrite, FileShare.Read, 1 << 20);
        _shards.Add(0);
        return true;
    }

    // After a power cut, the journal may know of bytes that the disk never saw. Closed shards were flushed.
    private void VerifyLast()
    {
        if (_shard is null)
        {
            return;
        }

        int last = _shards.Count - 1;
        for (int i = 0; i < _entries.Count; i++)
        {
            PackEntry entry = _entries[i];
            if (entry.Error is null && entry.Shard == last && !IsIntact(entry))
            {
                _entries.RemoveRange(i, _entries.Count - i);
                _shards[^1] = entry.Offset;
                _shard.SetLength(entry.Offset);
                break;
            }
        }
    }

    private bool IsIntact(PackEntry entry)
    {
        byte[] table = new byte[PackLayout.TableBytes(Header.Pixels, entry.Frames)];
        _shard!.Position = entry.Offset;
        _shard.ReadExactly(table);
        if (Crc32C.Of(table) != entry.Checksum)
        {
            return false;
        }

        byte[] frame = new byte[VerifyBytes];
        int row = table.Length / entry.Frames;
        for (int i = 0; i < entry.Frames; i++)
        {
            ReadOnlySpan<byte> line = table.AsSpan(i * row, row);
            long bytes = Header.Pixels == PackedPixels.Jpeg ? BinaryPrimitives.ReadUInt32LittleEndian(line[4..]) : (long)entry.Width * entry.Height * 3;
            if (bytes > entry.Bytes)
            {
                return false;
            }

            Array.Resize(ref frame, (int)Math.Max(frame.Length, bytes));
            if (_shard.ReadAtLeast(frame.AsSpan(0, (int)bytes), (int)bytes, throwOnEndOfStream: false) < bytes
                || Crc32C.Of(frame.AsSpan(0, (int)bytes)) != BinaryPrimitives.ReadUInt32LittleEndian(line))
            {
                return false;
            }
        }

        return true;
    }

    private void CloseShard()
    {
        if (_shard is null)
        {
            return;
        }

        _shard.SetLength(_shards[^1]);
        _shard.Flush(flushToDisk: true);
        _shard.Dispose();
        _shard = null;
        string final = ShardPath(_shards.Count - 1);
        File.Move(final + PackLayout.Unfinished, final, overwrite: true);
    }

    private void DeleteOtherShards()
    {
        HashSet<string> kept = [.. Enumerable.Range(0, _shards.Count).SelectMany(i => new[] { ShardPath(i), ShardPath(i) + PackLayout.Unfinished })];
        foreach (string file in Directory.EnumerateFiles(_folder, "shard-?????.bin*").Where(f => !kept.Contains(f)).ToArray())
        {
            File.Delete(file);
        }
    }
}

/// <summary>Takes the frames of one clip.</summary>
public sealed class PackClipWriter : IDisposable
{
    private readonly PackWriter _writer;
    private readonly FileStream _shard;
    private readonly byte[] _table;
    private readonly int _row;
    private readonly long _start;
    private int _added;
    private bool _ended;

    internal PackClipWriter(PackWriter writer, FileStream shard, int frames)
    {
        (_writer, _shard, _start) = (writer, shard, writer.Place.Length);
        _table = new byte[PackLayout.TableBytes(writer.Header.Pixels, frames)];
        _row = _table.Length / frames;
        _shard.Position = _start;
        _shard.Write(_table);
    }

    /// <summary>Appends the next frame.</summary>
    /// <param name="frame">[Height, Width, 3] bytes, or a JPEG, as the pack's header says.</param>
    public void Add(ReadOnlySpan<byte> frame)
    {
        Span<byte> row = _table.AsSpan(_added++ * _row, _row);
        BinaryPrimitives.WriteUInt32LittleEndian(row, Crc32C.Of(frame));
        if (row.Length > 4)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(row[4..], (uint)frame.Length);
        }

        _shard.Write(frame);
    }

    /// <summary>Completes the clip.</summary>
    /// <param name="entry">Its description; place and checksum are filled in.</param>
    public void Complete(PackEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (_added * _row != _table.Length)
        {
            throw new InvalidOperationException($"expected {_table.Length / _row} frames, found {_added}");
        }

        long end = _shard.Position;
        _shard.Position = _start;
        _shard.Write(_table);
        _shard.Flush();
        PackEntry placed = entry with { Frames = _added, Shard = _writer.Place.Shard, Offset = _start, Bytes = end - _start, Checksum = Crc32C.Of(_table), Error = null };
        _writer.Complete(end);
        _ended = true;
        _writer.Note(placed);
    }

    /// <summary>Leaves no trace of a clip that isn't complete.</summary>
    public void Dispose()
    {
        if (!_ended)
        {
            _ended = true;
            _writer.Abandon();
        }
    }
}
