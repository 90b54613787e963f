using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kinora.Paddle;

/// <summary>
/// A file on its way, <c>NAME.part</c>, and beside it which version of which address its bytes are of, so that a later
/// process can go on where this one ended.
/// </summary>
internal sealed class PartialFile : IAsyncDisposable
{
    private readonly string _target;
    private readonly string _statePath;
    private readonly FileStream _file;
    private State? _state;

    private PartialFile(string target, FileStream file, State? state)
    {
        _target = target;
        _file = file;
        _state = state;
        Length = file.Length;
        _statePath = target + ".part.json";
    }

    /// <summary>The file's path.</summary>
    public string Path => _file.Name;

    /// <summary>Bytes so far.</summary>
    public long Length { get; private set; }

    /// <summary>Bytes of the whole file, if the server said.</summary>
    public long? Total => _state?.Total;

    /// <summary>What the server must still have for the bytes to be of use; null where only a new start is safe.</summary>
    /// <remarks>A weak ETag doesn't vouch for bytes, and a date is a weak one's poor relation, but all that some servers give.</remarks>
    public RangeConditionHeaderValue? Condition => Length == 0 || _state is null ? null
        : EntityTagHeaderValue.TryParse(_state.ETag, out EntityTagHeaderValue? tag) && !tag.IsWeak ? new RangeConditionHeaderValue(tag)
        : _state.ETag is null && _state.LastModified is { } date ? new RangeConditionHeaderValue(date)
        : null;

    /// <summary>Opens what an earlier download left, or nothing.</summary>
    /// <param name="target">The file's final name.</param>
    /// <param name="url">Where it comes from; bytes from elsewhere are dropped.</param>
    public static PartialFile Open(string target, Uri? url)
    {
        var file = new FileStream(target + ".part", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous);
        var partial = new PartialFile(target, file, ReadState(target + ".part.json"));
        if (partial._state is null || url is null || partial._state.Url != url.AbsoluteUri)
        {
            partial.Clear();
        }

        file.Seek(0, SeekOrigin.End);
        return partial;
    }

    /// <summary>Starts anew with a version of the file.</summary>
    /// <param name="url">Where it comes from.</param>
    /// <param name="total">Its length, if the server says.</param>
    /// <param name="tag">Its ETag, if it has one.</param>
    /// <param name="modified">Its date, if it has one.</param>
    public void Start(Uri url, long? total, EntityTagHeaderValue? tag, DateTimeOffset? modified)
    {
        Clear();
        _state = new State(url.AbsoluteUri, total, tag?.ToString(), modified);
        AtomicFile.WriteText(_statePath, JsonSerializer.Serialize(_state, PartialFileJson.Default.State));
    }

    /// <summary>Drops all bytes.</summary>
    public void Clear()
    {
        _state = null;
        File.Delete(_statePath);
        _file.SetLength(0);
        _file.Seek(0, SeekOrigin.Begin);
        Length = 0;
    }

    /// <summary>Adds bytes at the end.</summary>
    /// <exception cref="IOException">The disk; what was written stays.</exception>
    public async ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        await _file.WriteAsync(bytes, ct).ConfigureAwait(false);
        Length += bytes.Length;
    }

    /// <summary>Writes what the operating system still holds back to the disk.</summary>
    public void Flush() => _file.Flush(flushToDisk: true);

    /// <summary>Gives the whole file its final name.</summary>
    public void Commit()
    {
        File.Move(Path, _target, overwrite: true);
        File.Delete(_statePath);
    }

    /// <summary>Closes the file; its bytes stay for a later download, unless there are none.</summary>
    public async ValueTask DisposeAsync()
    {
        bool empty = Length == 0;
        await _file.DisposeAsync().ConfigureAwait(false);
        if (empty)
        {
            File.Delete(Path);
            File.Delete(_statePath);
        }
    }

    private static State? ReadState(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllText(path), PartialFileJson.Default.State) : null;
        }
        catch (JsonException)
        {
            return null; // Not what a download leaves; the bytes can't be trusted either.
        }
    }

    internal sealed record State(string Url, long? Total, string? ETag, DateTimeOffset? LastModified);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PartialFile.State))]
internal sealed partial class PartialFileJson : JsonSerializerContext;
