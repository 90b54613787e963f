using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Kinora.Tensors;

/// <summary>One tensor of a file.</summary>
/// <param name="Name">Its name, unique in the file.</param>
/// <param name="DType">Element type.</param>
/// <param name="Shape">Sizes of all dimensions.</param>
/// <param name="Offset">First byte, from the start of the file.</param>
/// <param name="ByteCount">Number of bytes.</param>
public sealed record SafetensorsEntry(string Name, DType DType, IReadOnlyList<long> Shape, long Offset, long ByteCount);

/// <summary>
/// A safetensors file: named tensors and text metadata. The file is mapped into memory, its header is checked against
/// the file's real size before anything is read, and nothing in it can run code. Files of Kinora's own carry checksums, which
/// are checked.
/// </summary>
/// <remarks>
/// Format: https://github.com/huggingface/safetensors. An 8-byte little-endian header length, a JSON header, the data.
/// Reading is safe from several threads.
/// </remarks>
public sealed unsafe class SafetensorsFile : IDisposable
{
    /// <summary>Longest header that is read, in bytes (the reference implementation's limit).</summary>
    public const long MaxHeaderBytes = 100_000_000;

    private const int PrefixBytes = 8;
    private const int MaxRank = 16;
    private const int Alignment = 64;
    private const string MetadataKey = "__metadata__";
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly Dictionary<string, SafetensorsEntry> _byName;
    private readonly Dictionary<string, uint>? _checksums;

    private SafetensorsFile(string path, MemoryMappedFile file, MemoryMappedViewAccessor view, List<SafetensorsEntry> entries, Dictionary<string, string> metadata, Dictionary<string, uint>? checksums)
    {
        (Path, _file, _view, Entries, Metadata, _checksums) = (path, file, view, entries, metadata, checksums);
        _byName = entries.ToDictionary(entry => entry.Name, StringComparer.Ordinal);
    }

    /// <summary>Where the file is.</summary>
    public string Path { get; }

    /// <summary>Texts by key; empty if there are none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensors, in the order of their data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>Opens and checks a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The open file; dispose of it to let go of the file.</returns>
    /// <exception cref="CheckpointException">The file is missing, truncated or damaged.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        FileStream? stream = null;
        MemoryMappedFile? file = null;
        MemoryMappedViewAccessor? view = null;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            long length = stream.Length;
            if (length < PrefixBytes + 2)
            {
                throw Damaged(path, $"expected at least {PrefixBytes + 2} bytes, found {length}");
            }

            file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            stream = null;
            view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            (List<SafetensorsEntry> entries, Dictionary<string, string> metadata) = ReadHeader(path, view.SafeMemoryMappedViewHandle, length);
            var opened = new SafetensorsFile(path, file, view, entries, metadata, Checksums(path, entries, metadata));
            (file, view) = (null, null);
            return opened;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"open safetensors: {e.Message.ReplaceLineEndings(" ")}", path, e);
        }
        finally
        {
            view?.Dispose();
            file?.Dispose();
            stream?.Dispose();
        }
    }

    /// <summary>Writes a file under its final name only when it is complete.</summary>
    /// <param name="path">The file; replaced if it exists.</param>
    /// <param name="tensors">Names and tensors, any memory format; they stay the caller's.</param>
    /// <param name="metadata">Texts by key, or null.</param>
    /// <exception cref="CheckpointException">A name occurs twice or is reserved, or the file can't be written.</exception>
    public static void Save(string path, IEnumerable<(string Name, Tensor Value)> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tensors);

        // Wide elements first, so that every tensor lies on a multiple of its element size without gaps.
        List<(string Name, Tensor Value)> ordered = [.. tensors.OrderByDescending(item => item.Value.DType.Size())];
        var names = new HashSet<string>(StringComparer.Ordinal) { MetadataKey };
        foreach ((string name, _) in ordered)
        {
            if (!names.Add(name))
            {
                throw new CheckpointException($"save safetensors: the name '{name}' occurs twice or is reserved", path);
            }
        }

        foreach ((string name, Tensor value) in ordered)
        {
            if (!value.HasValues)
            {
                throw new CheckpointException($"save safetensors: '{name}' {value} was computed where only shapes are worked out, it has no values to save", path);
            }
        }

        var texts = new Dictionary<string, string>(metadata ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        texts.Remove(TensorChecksums.Key); // of the file that the metadata comes from
        texts[TensorChecksums.Key] = TensorChecksums.Compute(texts, ordered);
        byte[] header = WriteHeader(ordered, texts);
        if (header.Length > MaxHeaderBytes)
        {
            throw new CheckpointException($"save safetensors: the header would take {header.Length} bytes, at most {MaxHeaderBytes} are read", path);
        }

        try
        {
            AtomicFile.Write(path, stream =>
            {
                Span<byte> prefix = stackalloc byte[PrefixBytes];
                BinaryPrimitives.WriteInt64LittleEndian(prefix, header.Length);
                stream.Write(prefix);
                stream.Write(header);
                foreach ((_, Tensor value) in ordered)
                {
                    value.CopyBytesTo(stream.Write);
                }
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"save safetensors: {e.Message.ReplaceLineEndings(" ")}", path, e);
        }
    }

    /// <summary>Whether the file holds a tensor.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>True if it does.</returns>
    public bool Contains(string name) => _byName.ContainsKey(name);

    /// <summary>Copies a tensor out of the file.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>New tensor with memory of its own.</returns>
    /// <exception cref="CheckpointException">The file holds no such tensor, or its bytes aren't those that were written.</exception>
    public Tensor Read(string name)
    {
        if (!_byName.TryGetValue(name, out SafetensorsEntry? entry))
        {
            throw new CheckpointException($"read safetensors: no tensor '{name}' among {Entries.Count}", Path);
        }

        Tensor tensor = Tensor.Empty([.. entry.Shape], entry.DType);
        if (entry.ByteCount > 0 && tensor.HasValues)
        {
            CopyBytes(entry, tensor);
        }

        return tensor;
    }

    /// <summary>Copies all tensors out of the file, one after the other as they are asked for.</summary>
    /// <returns>Names and new tensors.</returns>
    public IEnumerable<(string Name, Tensor Value)> ReadAll()
    {
        foreach (SafetensorsEntry entry in Entries)
        {
            yield return (entry.Name, Read(entry.Name));
        }
    }

    /// <summary>Lets go of the file.</summary>
    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }

    private void CopyBytes(SafetensorsEntry entry, Tensor tensor)
    {
        byte* mapped = null;
        SafeMemoryMappedViewHandle handle = _view.SafeMemoryMappedViewHandle;
        handle.AcquirePointer(ref mapped);
        try
        {
            using var held = new Tensor.Held(tensor);
            byte* data = (byte*)tensor.Describe().Data;
            Buffer.MemoryCopy(mapped + _view.PointerOffset + entry.Offset, data, entry.ByteCount, entry.ByteCount);
            if (_checksums is not null && _checksums[entry.Name] != TensorChecksums.Of(tensor))
            {
                throw new CheckpointException($"read safetensors: tensor '{Shorten(entry.Name)}': the bytes aren't those that were written: the file is damaged; take another copy of it", Path);
            }

            if (entry.DType == DType.Bool)
            {
                // Any other byte than 0 and 1 would be undefined behaviour in libtorch.
                for (long i = 0; i < entry.ByteCount; i++)
                {
                    data[i] = data[i] == 0 ? (byte)0 : (byte)1;
                }
            }
        }
        finally
        {
            handle.ReleasePointer();
        }
    }

    private static Dictionary<string, uint>? Checksums(string path, List<SafetensorsEntry> entries, Dictionary<string, string> metadata)
    {
        try
        {
            return TensorChecksums.Take(entries, metadata);
        }
        catch (FormatException e)
        {
            throw Damaged(path, $"checksums: {e.Message}");
        }
    }

    private static (List<SafetensorsEntry> Entries, Dictionary<string, string> Metadata) ReadHeader(string path, SafeMemoryMappedViewHandle handle, long length)
    {
        byte* mapped = null;
        handle.AcquirePointer(ref mapped);
        try
        {
            ulong headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(mapped, PrefixBytes));
            if (headerBytes > MaxHeaderBytes || headerBytes > (ulong)(length - PrefixBytes))
            {
                throw Damaged(path, $"the header claims {headerBytes} bytes, the file has {length} and {MaxHeaderBytes} are allowed");
            }

            var header = new ReadOnlySpan<byte>(mapped + PrefixBytes, (int)headerBytes);
            if (header.Length < 2 || header[0] != (byte)'{')
            {
                throw Damaged(path, "the header doesn't start with '{'");
            }

            long dataStart = PrefixBytes + header.Length;
            try
            {
                (List<SafetensorsEntry> entries, Dictionary<string, string> metadata) = Parse(path, header, dataStart);
                CheckCoverage(path, entries, dataStart, length);
                return (entries, metadata);
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
            {
                throw new CheckpointException($"open safetensors: the header isn't valid JSON: {e.Message.ReplaceLineEndings(" ")}", path, e);
            }
        }
        finally
        {
            handle.ReleasePointer();
        }
    }

    private static (List<SafetensorsEntry> Entries, Dictionary<string, string> Metadata) Parse(string path, ReadOnlySpan<byte> header, long dataStart)
    {
        var reader = new Utf8JsonReader(header, new JsonReaderOptions { MaxDepth = 4 });
        var entries = new List<SafetensorsEntry>();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.Ordinal);
        Expect(path, ref reader, JsonTokenType.StartObject);
        while (Next(path, ref reader) != JsonTokenType.EndObject)
        {
            string name = reader.GetString()!;
            if (!names.Add(name))
            {
                throw Damaged(path, $"the name '{Shorten(name)}' occurs twice");
            }

            if (name == MetadataKey)
            {
                ParseMetadata(path, ref reader, metadata);
            }
            else
            {
                entries.Add(ParseEntry(path, ref reader, name, dataStart));
            }
        }

        while (reader.Read())
        {
            throw Damaged(path, "text after the header's end");
        }

        return (entries, metadata);
    }

    private static void ParseMetadata(string path, ref Utf8JsonReader reader, Dictionary<string, string> metadata)
    {
        Expect(path, ref reader, JsonTokenType.StartObject);
        while (Next(path, ref reader) != JsonTokenType.EndObject)
        {
            string key = reader.GetString()!;
            Expect(path, ref reader, JsonTokenType.String);
            if (!metadata.TryAdd(key, reader.GetString()!))
            {
                throw Damaged(path, $"the metadata key '{Shorten(key)}' occurs twice");
            }
        }
    }

    private static SafetensorsEntry ParseEntry(string path, ref Utf8JsonReader reader, string name, long dataStart)
    {
        DType? dtype = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        Expect(path, ref reader, JsonTokenType.StartObject);
        while (Next(path, ref reader) != JsonTokenType.EndObject)
        {
            string key = reader.GetString()!;
            bool repeated = key switch { "dtype" => dtype is not null, "shape" => shape is not null, "data_offsets" => offsets is not null, _ => true };
            if (repeated)
            {
                throw Damaged(path, $"tensor '{Shorten(name)}' has the unknown or repeated key '{Shorten(key)}'");
            }

            switch (key)
            {
                case "dtype":
                    Expect(path, ref reader, JsonTokenType.String);
                    dtype = ParseDType(path, name, reader.GetString()!);
                    break;
                case "shape":
                    shape = ParseNumbers(path, ref reader, name, MaxRank);
                    break;
                default:
                    offsets = ParseNumbers(path, ref reader, name, 2);
                    break;
            }
        }

        if (dtype is null || shape is null || offsets is not { Count: 2 })
        {
            throw Damaged(path, $"tensor '{Shorten(name)}' lacks dtype, shape or data_offsets");
        }

        long bytes = dtype.Value.Size();
        foreach (long size in shape)
        {
            bytes = size == 0 ? 0 : bytes > long.MaxValue / size ? long.MaxValue : bytes * size;
        }

        // An empty tensor may have enormous other dimensions; libtorch's strides would overflow.
        if (bytes == 0 && shape.Any(size => size > int.MaxValue))
        {
            throw Damaged(path, $"tensor '{Shorten(name)}' has an impossible shape {Torch.Format([.. shape])}");
        }

        if (offsets[1] < offsets[0] || offsets[1] - offsets[0] != bytes || offsets[1] > long.MaxValue - dataStart)
        {
            throw Damaged(path, $"tensor '{Shorten(name)}' {dtype} {Torch.Format([.. shape])} doesn't fit its bytes [{offsets[0]}, {offsets[1]})");
        }

        return new SafetensorsEntry(name, dtype.Value, shape, dataStart + offsets[0], bytes);
    }

    private static List<long> ParseNumbers(string path, ref Utf8JsonReader reader, string name, int most)
    {
        Expect(path, ref reader, JsonTokenType.StartArray);
        var numbers = new List<long>();
        while (Next(path, ref reader) != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0 || numbers.Count == most)
            {
                throw Damaged(path, $"tensor '{Shorten(name)}' has a shape or offset that isn't a list of at most {most} whole numbers");
            }

            numbers.Add(number);
        }

        return numbers;
    }

    // The data must be used once and completely: no overlaps, no gaps, nothing behind the end.
    private static void CheckCoverage(string path, List<SafetensorsEntry> entries, long dataStart, long length)
    {
        entries.Sort((a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.ByteCount.CompareTo(b.ByteCount));
        long next = dataStart;
        foreach (SafetensorsEntry entry in entries)
        {
            if (entry.Offset != next)
            {
                throw Damaged(path, $"tensor '{Shorten(entry.Name)}' starts at byte {entry.Offset}, expected {next}: tensors overlap or leave a gap");
            }

            next = entry.Offset + entry.ByteCount;
        }

        if (next != length)
        {
            throw Damaged(path, $"expected {next} bytes, found {length}");
        }
    }

    private static byte[] WriteHeader(List<(string Name, Tensor Value)> ordered, Dictionary<string, string> metadata)
    {
        using var memory = new MemoryStream();
        using (var writer = new Utf8JsonWriter(memory))
        {
            writer.WriteStartObject();
            writer.WriteStartObject(MetadataKey);
            foreach ((string key, string text) in metadata.OrderBy(item => item.Key, StringComparer.Ordinal))
            {
                writer.WriteString(key, text);
            }

            writer.WriteEndObject();

            long offset = 0;
            foreach ((string name, Tensor value) in ordered)
            {
                writer.WriteStartObject(name);
                writer.WriteString("dtype", NameOf(value.DType));
                writer.WriteStartArray("shape");
                foreach (long size in value.Shape)
                {
                    writer.WriteNumberValue(size);
                }

                writer.WriteEndArray();
                writer.WriteStartArray("data_offsets");
                writer.WriteNumberValue(offset);
                offset += value.Count * value.DType.Size();
                writer.WriteNumberValue(offset);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        while ((PrefixBytes + memory.Length) % Alignment != 0)
        {
            memory.WriteByte((byte)' ');
        }

        return memory.ToArray();
    }

    private static string NameOf(DType dtype) => dtype switch
    {
        DType.UInt8 => "U8",
        DType.Int32 => "I32",
        DType.Int64 => "I64",
        DType.Float16 => "F16",
        DType.BFloat16 => "BF16",
        DType.Float32 => "F32",
        DType.Float64 => "F64",
        DType.Bool => "BOOL",
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "not an element type of Kinora"),
    };

    private static DType ParseDType(string path, string name, string text) => text switch
    {
        "U8" => DType.UInt8,
        "I32" => DType.Int32,
        "I64" => DType.Int64,
        "F16" => DType.Float16,
        "BF16" => DType.BFloat16,
        "F32" => DType.Float32,
        "F64" => DType.Float64,
        "BOOL" => DType.Bool,
        _ => throw Damaged(path, $"tensor '{Shorten(name)}' has the element type '{Shorten(text)}'; known are U8, I32, I64, F16, BF16, F32, F64, BOOL"),
    };

    private static JsonTokenType Next(string path, ref Utf8JsonReader reader) =>
        reader.Read() ? reader.TokenType : throw Damaged(path, "the header ends early");

    private static void Expect(string path, ref Utf8JsonReader reader, JsonTokenType token)
    {
        if (Next(path, ref reader) != token)
        {
            throw Damaged(path, $"the header has {reader.TokenType} at byte {reader.TokenStartIndex}, expected {token}");
        }
    }

    private static string Shorten(string text)
    {
        string line = text.ReplaceLineEndings(" ");
        return line.Length <= 80 ? line : string.Concat(line.AsSpan(0, 79), "…");
    }

    private static CheckpointException Damaged(string path, string what) => new($"open safetensors: {what}; the file is damaged or isn't safetensors", path);
}
