using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Kinora.Media;

/// <summary>
/// A folder of decoded clips: an index and shards, docs/pack-format.md. Frames come out by number without a video decoder.
/// Opening checks the whole index and the sizes of the shards; every frame is checked when it is read.
/// </summary>
/// <remarks>
/// Immutable and thread-safe. Shards are mapped into memory when first needed and released when nobody refers to the
/// pack. Files of a pack must not be cut short while it is in use: mapped memory that is gone ends the process.
/// </remarks>
public sealed class ClipPack
{
    private const int MaxShared = 32;

    private static readonly ConcurrentDictionary<string, Shared> _shared = new(StringComparer.Ordinal);

    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly long[] _shardBytes;
    private readonly Lazy<MappedShard>[] _shards;

    private ClipPack(string folder, PackHeader header, IReadOnlyList<PackEntry> clips, IReadOnlyList<long> shards)
    {
        Folder = folder;
        Header = header;
        Clips = clips;
        _shardBytes = [.. shards];
        _shards = [.. shards.Select((bytes, i) => new Lazy<MappedShard>(() => MappedShard.Map(ShardPath(i), bytes), LazyThreadSafetyMode.PublicationOnly))];
        for (int i = 0; i < clips.Count; i++)
        {
            _numbers[clips[i].Name] = i;
        }
    }

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>What was asked for when it was packed.</summary>
    public PackHeader Header { get; }

    /// <summary>All clips, those that could not be packed included, in the order of packing.</summary>
    public IReadOnlyList<PackEntry> Clips { get; }

    /// <summary>Bytes of all shards.</summary>
    public long TotalBytes => _shardBytes.Sum();

    /// <summary>Whether a folder is a finished pack.</summary>
    /// <param name="folder">Any path.</param>
    /// <returns>True where it holds an index.</returns>
    public static bool IsPack(string folder) => File.Exists(Path.Combine(folder, PackLayout.IndexName));

    /// <summary>Opens a pack.</summary>
    /// <param name="folder">The folder with the index.</param>
    /// <returns>The pack.</returns>
    /// <exception cref="MediaException">No pack, damaged, of a later version, or shards are missing.</exception>
    public static ClipPack Open(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        folder = Path.GetFullPath(folder);
        string path = Path.Combine(folder, PackLayout.IndexName);
        byte[] index;
        try
        {
            index = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MediaException($"opening a pack: {e.Message}", path, e);
        }

        return Parse(folder, path, index);
    }

    /// <summary>Opens a pack once for all who ask, for as long as its index doesn't change.</summary>
    /// <param name="folder">The folder with the index.</param>
    /// <returns>The pack.</returns>
    /// <exception cref="MediaException">As for <see cref="Open"/>.</exception>
    public static ClipPack OpenShared(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        folder = Path.GetFullPath(folder);
        FileInfo index = new(Path.Combine(folder, PackLayout.IndexName));
        (long Length, DateTime Written) version = index.Exists ? (index.Length, index.LastWriteTimeUtc) : default;
        if (_shared.TryGetValue(folder, out Shared? known) && known.Version == version)
        {
            return known.Pack;
        }

        lock (_shared)
        {
            if (_shared.TryGetValue(folder, out known) && known.Version == version)
            {
                return known.Pack;
            }

            if (_shared.Count >= MaxShared)
            {
                _shared.Clear();
            }

            ClipPack pack = Open(folder);
            _shared[folder] = new Shared(pack, version);
            return pack;
        }
    }

    /// <summary>Finds the clip that a path names: the path of a pack, followed by the name of one of its clips.</summary>
    /// <param name="path">A path at which there is no file.</param>
    /// <param name="pack">The pack.</param>
    /// <param name="name">The name of the clip, which need not exist.</param>
    /// <returns>False where no folder above the path is a pack.</returns>
    /// <exception cref="MediaException">The pack is damaged.</exception>
    public static bool TryFind(string path, out ClipPack pack, out string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string full = Path.GetFullPath(path);
        for (string? folder = Path.GetDirectoryName(full); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (IsPack(folder))
            {
                pack = OpenShared(folder);
                name = Path.GetRelativePath(folder, full).Replace(Path.DirectorySeparatorChar, '/');
                return true;
            }
        }

        (pack, name) = (null!, "");
        return false;
    }

    /// <summary>Whether a path leads to a clip of a pack.</summary>
    /// <param name="path">Any path.</param>
    /// <returns>True where the clip exists, readable or not.</returns>
    /// <exception cref="MediaException">The pack is damaged.</exception>
    public static bool Holds(string path) => TryFind(path, out ClipPack pack, out string name) && pack._numbers.ContainsKey(name);

    /// <summary>The path under which <see cref="FrameSource.Open"/> finds a clip.</summary>
    /// <param name="clip">One of <see cref="Clips"/>.</param>
    /// <returns>The pack's folder with the clip's name.</returns>
    public string PathOf(PackEntry clip)
    {
        ArgumentNullException.ThrowIfNull(clip);
        return Path.Combine(Folder, clip.Name);
    }

    /// <summary>Opens a clip.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The clip; the caller disposes it.</returns>
    /// <exception cref="MediaException">No such clip, it couldn't be packed, or its record is damaged.</exception>
    public PackedClip OpenClip(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _numbers.TryGetValue(name, out int number)
            ? new PackedClip(this, Clips[number])
            : throw new MediaException($"opening: expected one of the {Clips.Count} clips of the pack, found none named '{name}'{NearestName.Suggestion(name, _numbers.Keys.Take(10_000))}", Folder);
    }

    internal MappedShard Shard(int number) => _shards[number].Value;

    private static ClipPack Parse(string folder, string path, byte[] index)
    {
        int last = index.AsSpan().TrimEnd((byte)'\n').LastIndexOf((byte)'\n');
        if (last < 0)
        {
            throw Damaged("expected lines for header, clips and checksum", path);
        }

        try
        {
            if (JsonSerializer.Deserialize(index.AsSpan(last + 1), PackJson.Default.PackFooter) is not { Shards: not null, Sha256: not null } footer)
            {
                throw Damaged("expected sizes and a checksum in the last line", path);
            }

            if (Convert.ToHexStringLower(SHA256.HashData(index.AsSpan(0, last + 1))) != footer.Sha256)
            {
                throw Damaged("expected the index to have the checksum that its last line states, found another", path);
            }

            int number = 0;
            PackHeader? header = null;
            var clips = new List<PackEntry>();
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (Range range in Lines(index, last + 1))
            {
                number++;
                if (header is null)
                {
                    header = ParseHeader(index.AsSpan(range), path);
                    continue;
                }

                PackEntry entry = JsonSerializer.Deserialize(index.AsSpan(range), PackJson.Default.PackEntry) ?? throw Damaged($"line {number}: expected a clip", path);
                if (PackLayout.Problem(header, entry) is { } problem)
                {
                    throw Damaged($"line {number}: {problem}", path);
                }

                if (!names.Add(entry.Name) || (entry.Error is null && (entry.Shard >= footer.Shards.Count || entry.Offset + entry.Bytes > footer.Shards[entry.Shard])))
                {
                    throw Damaged($"line {number}: expected a new name and a place inside a shard", path);
                }

                clips.Add(entry);
            }

            if (header is null || clips.Count != footer.Clips)
            {
                throw Damaged($"expected {footer.Clips} clips, found {clips.Count}", path);
            }

            CheckShards(folder, footer.Shards);
            return new ClipPack(folder, header, clips, footer.Shards);
        }
        catch (Exception e) when (e is JsonException or DecoderFallbackException)
        {
            throw Damaged(e.Message, path);
        }
    }

    /// <summary>Reads and checks the first line of an index or journal.</summary>
    internal static PackHeader ParseHeader(ReadOnlySpan<byte> line, string path)
    {
        PackHeader? header = JsonSerializer.Deserialize(line, PackJson.Default.PackHeader);
        if (header is not { Format: "kinora-pack", Classes: not null, Parts: not null })
        {
            throw Damaged("expected the format kinora-pack, classes and parts", path);
        }

        if (header.Version != PackHeader.CurrentVersion)
        {
            throw new MediaException($"opening a pack: expected version {PackHeader.CurrentVersion}, found {header.Version}; pack again, or use a later Kinora", path);
        }

        return header.Classes.Count > 0 && header.Classes.All(c => !string.IsNullOrWhiteSpace(c)) && header.Classes.Distinct(StringComparer.Ordinal).Count() == header.Classes.Count
            && Enum.IsDefined(header.Pixels) && Enum.IsDefined(header.Color) && header.Parts.All(p => p is "train" or "val" or "test")
            ? header
            : throw Damaged("line 1: expected different class names, known pixels and known parts", path);
    }

    /// <summary>The non-empty lines before an end.</summary>
    internal static IEnumerable<Range> Lines(byte[] text, int end)
    {
        for (int start = 0; start < end;)
        {
            int length = text.AsSpan(start, end - start).IndexOf((byte)'\n');
            int stop = length < 0 ? end : start + length;
            if (stop > start)
            {
                yield return start..stop;
            }

            start = stop + 1;
        }
    }

    private static void CheckShards(string folder, IReadOnlyList<long> shards)
    {
        for (int i = 0; i < shards.Count; i++)
        {
            FileInfo file = new(Path.Combine(folder, PackLayout.ShardName(i)));
            if (!file.Exists || file.Length != shards[i])
            {
                throw new MediaException($"opening a pack: expected {shards[i]} bytes, found {(file.Exists ? $"{file.Length}" : "no file")}; copy the pack again, or pack again", file.FullName);
            }
        }
    }

    private static MediaException Damaged(string problem, string path) => new($"opening a pack: {problem}; the index is damaged: copy the pack again, or pack again", path);

    private string ShardPath(int number) => Path.Combine(Folder, PackLayout.ShardName(number));

    private sealed record Shared(ClipPack Pack, (long Length, DateTime Written) Version);
}
