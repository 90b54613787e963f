namespace Kinora.Paddle;

/// <summary>A text in a pickle, or bytes that an old Python took for text.</summary>
/// <param name="offset">First byte in the file.</param>
/// <param name="fileBytes">Bytes in the file.</param>
/// <param name="isUtf8">Encoded as UTF-8; otherwise a byte stands for a character.</param>
/// <param name="value">The text; null where it is too long to be a name.</param>
internal sealed class PickleText(long offset, long fileBytes, bool isUtf8, string? value)
{
    private ByteRun? _bytes;

    /// <summary>The text; null where it is too long to be a name.</summary>
    public string? Value { get; } = value;

    /// <summary>The bytes that the characters stand for, counted once only: the text may be millions of them.</summary>
    /// <param name="file">The file.</param>
    /// <returns>The bytes, or null where a character isn't among the first 256.</returns>
    public ByteRun? Bytes(FileWindow file)
    {
        if (_bytes is null)
        {
            long? count = isUtf8 ? RunReader.CountLatin1(file, offset, fileBytes) : fileBytes;
            _bytes = count is { } known ? new ByteRun(offset, fileBytes, known, isUtf8) : new ByteRun(offset, fileBytes, -1, isUtf8);
        }

        return _bytes.Value.Count < 0 ? null : _bytes;
    }

    /// <summary>The text, or a word in its place.</summary>
    public override string ToString() => Value ?? $"a text of {fileBytes} bytes";
}

/// <summary>Bytes in a pickle; they stay in the file.</summary>
/// <param name="Run">Where they are.</param>
internal sealed record PickleBytes(ByteRun Run);

/// <summary>A tuple.</summary>
/// <param name="Items">Its items.</param>
internal sealed record PickleTuple(object?[] Items);

/// <summary>A list, filled as the file is read.</summary>
internal sealed class PickleList
{
    /// <summary>Its items.</summary>
    public List<object?> Items { get; } = [];
}

/// <summary>A dictionary with texts as keys, in the order of the file.</summary>
internal sealed class PickleDictionary
{
    private readonly Dictionary<string, object?> _byKey = new(StringComparer.Ordinal);
    private readonly List<string> _keys = [];

    /// <summary>The keys, in the order of the file.</summary>
    public IReadOnlyList<string> Keys => _keys;

    /// <summary>The value of a key that is there.</summary>
    /// <param name="key">The key.</param>
    public object? this[string key] => _byKey[key];

    /// <summary>Adds a value.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="value">The value.</param>
    /// <returns>False if the key is taken.</returns>
    public bool Add(string key, object? value)
    {
        if (!_byKey.TryAdd(key, value))
        {
            return false;
        }

        _keys.Add(key);
        return true;
    }

    /// <summary>Looks a key up.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">Its value.</param>
    /// <returns>Whether it is there.</returns>
    public bool TryGet(string key, out object? value) => _byKey.TryGetValue(key, out value);
}

/// <summary>A numpy type: its code, and the byte order that the file gives it afterwards.</summary>
/// <param name="code">Such as "f4".</param>
/// <param name="element">What the code means.</param>
internal sealed class NumpyType(string code, ElementType element)
{
    /// <summary>What the code means.</summary>
    public ElementType Element { get; } = element;

    /// <summary>'&lt;', '&gt;', '|' or '='; null until the file says it.</summary>
    public char? Order { get; set; }

    /// <summary>The code.</summary>
    public override string ToString() => $"numpy type {code}";
}
