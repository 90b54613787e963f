using System.Globalization;
using Kinora.Tensors;

namespace Kinora.Paddle;

/// <summary>A tensor in one of PaddlePaddle's files.</summary>
/// <param name="Name">
/// Its key, such as "backbone.conv1_1._conv.weight"; keys of nested dictionaries and positions in lists are joined with
/// dots.
/// </param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Sizes of all dimensions.</param>
/// <param name="ParameterName">PaddlePaddle's internal name, such as "conv2d_0.w_0", where the file gives it.</param>
public sealed record PaddleTensor(string Name, ElementType Type, IReadOnlyList<long> Shape, string? ParameterName);

/// <summary>
/// A file that PaddlePaddle saved: <c>.pdparams</c> and <c>.pdopt</c> (pickles of protocol 2 to 5), single tensors in
/// binary form, and <c>.pdiparams</c>. Opening it reads names and shapes; elements are read one tensor at a time, straight
/// into the tensor that takes them. Nothing in the file can run code, and no length that it claims is believed unchecked.
/// </summary>
/// <remarks>Not thread-safe.</remarks>
public sealed class PaddleWeightsFile : IDisposable
{
    // Bookkeeping of paddle.save: internal names by key, and arrays that were cut because protocol 2 and 3 take 4 GiB at the most.
    private const string ParameterNamesKey = "StructuredToParameterName@@";
    private const string SplitKey = "UnpackBigParamInfor@@";
    private const string SplitShapeKey = "OriginShape";
    private const string SplitPartsKey = "slices";

    private const int MaxDepth = 32;
    private const int MaxRank = 16;
    private const int MaxValues = 1_000_000;
    private const int MaxNameCharacters = 32 << 20;
    private const string OnlyTensor = "tensor";

    private readonly FileWindow _file;
    private readonly Dictionary<string, StoredArray> _arrays = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _parameterNames = new(StringComparer.Ordinal);
    private readonly Dictionary<string, object?> _values = new(StringComparer.Ordinal);
    private readonly List<string> _names = [];
    private int _visited;
    private long _nameCharacters;
    private long _bytes;

    private PaddleWeightsFile(FileWindow file) => _file = file;

    /// <summary>Where the file is.</summary>
    public string Path => _file.Path;

    /// <summary>The tensors, in the order of the file.</summary>
    public IReadOnlyList<PaddleTensor> Tensors { get; private set; } = [];

    /// <summary>Whatever else the file holds, such as "LR_Scheduler.last_epoch": null, bool, long, double or string.</summary>
    public IReadOnlyDictionary<string, object?> Values => _values;

    /// <summary>Opens a file and reads what it holds.</summary>
    /// <param name="path">The file; its content decides which format it is.</param>
    /// <param name="recordNames">
    /// Names of the tensors of a <c>.pdiparams</c> file, which doesn't hold them: those of the program, sorted.
    /// </param>
    /// <returns>The open file; dispose of it to let go of the file.</returns>
    /// <exception cref="CheckpointException">The file is missing, damaged, of another kind, or asks for code to be run.</exception>
    public static PaddleWeightsFile Open(string path, IReadOnlyList<string>? recordNames = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var opened = new PaddleWeightsFile(FileWindow.Open(path));
        try
        {
            opened.Index(recordNames);
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Whether the file holds a tensor.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>True if it does.</returns>
    public bool Contains(string name) => _arrays.ContainsKey(name);

    /// <summary>Reads a tensor.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>
    /// New tensor in C order with memory of its own. 8-bit and 16-bit signed integers become Int32, since no tensor of
    /// Kinora has them.
    /// </returns>
    /// <exception cref="CheckpointException">No such tensor, complex numbers, or the file can't be read.</exception>
    public Tensor Read(string name)
    {
        StoredArray array = Find(name);
        if (array.Type.ToDType() is not { } type)
        {
            ReadOnlySpan<byte> bytes = ReadBytes(name);
            int[] values = array.Type switch
            {
                ElementType.Int8 => Widen(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, sbyte>(bytes)),
                ElementType.Int16 => Widen(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, short>(bytes)),
                _ => throw new CheckpointException($"read weights: tensor '{Unpickler.Quoted(name)}': expected real numbers, found {array.Type}", Path),
            };
            return Tensor.From<int>(values, array.Shape);
        }

        var reader = new RunReader(_file, array);
        if (!array.IsFortran)
        {
            return Tensor.FromBytes(array.Shape, type, reader.Read);
        }

        // The first dimension runs fastest: the same bytes are a C-ordered array with its dimensions reversed.
        using Tensor reversed = Tensor.FromBytes([.. array.Shape!.Reverse()], type, reader.Read);
        using Tensor view = reversed.Permute([.. Enumerable.Range(0, array.Shape!.Length).Select(i => (long)(array.Shape.Length - 1 - i))]);
        return view.Contiguous();
    }

    /// <summary>Reads a tensor into another, without memory of its own where the element types are the same.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="place">A tensor of the same shape; the elements are converted to its type.</param>
    /// <exception cref="CheckpointException">No such tensor, another shape, complex numbers, or the file can't be read.</exception>
    public void ReadInto(string name, Tensor place)
    {
        ArgumentNullException.ThrowIfNull(place);
        StoredArray array = Find(name);
        if (!place.Shape.SequenceEqual(array.Shape))
        {
            throw new CheckpointException($"read weights: tensor '{Unpickler.Quoted(name)}': expected {place}, found {StoredArray.Text(array.Shape!)}", Path);
        }

        if (array.Type.ToDType() == place.DType && !array.IsFortran)
        {
            place.CopyBytesFrom(new RunReader(_file, array).Read);
            return;
        }

        using Tensor value = Read(name);
        using IDisposable mode = Grad.Disable();
        place.CopyFrom(value);
    }

    /// <summary>Reads the bytes of a tensor of any element type.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>All elements in C order, little endian.</returns>
    /// <exception cref="CheckpointException">No such tensor, more than 2 GB, or the file can't be read.</exception>
    public byte[] ReadBytes(string name)
    {
        StoredArray array = Find(name);
        if (array.ByteCount > Array.MaxLength)
        {
            throw new CheckpointException($"read weights: tensor '{Unpickler.Quoted(name)}': expected at most {Array.MaxLength} bytes, found {array.ByteCount}", Path);
        }

        byte[] bytes = new byte[array.ByteCount];
        new RunReader(_file, array).Read(bytes);
        return array.IsFortran ? ToCOrder(bytes, array.Shape!, array.Type.Size()) : bytes;
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    private static int[] Widen<T>(ReadOnlySpan<T> values)
        where T : struct, System.Numerics.IBinaryInteger<T>
    {
        var wide = new int[values.Length];
        for (int i = 0; i < wide.Length; i++)
        {
            wide[i] = int.CreateChecked(values[i]);
        }

        return wide;
    }

    private static byte[] ToCOrder(byte[] bytes, long[] shape, int size)
    {
        byte[] ordered = new byte[bytes.Length];
        long[] index = new long[shape.Length], step = new long[shape.Length];
        for (int i = 0; i < shape.Length; i++)
        {
            step[i] = i == 0 ? size : step[i - 1] * shape[i - 1];
        }

        long source = 0;
        for (int at = 0; at < bytes.Length; at += size)
        {
            bytes.AsSpan((int)source, size).CopyTo(ordered.AsSpan(at));
            for (int i = shape.Length - 1; i >= 0; i--)
            {
                source += step[i];
                if (++index[i] < shape[i])
                {
                    break;
                }

                source -= step[i] * shape[i];
                index[i] = 0;
            }
        }

        return ordered;
    }

    private StoredArray Find(string name) => _arrays.TryGetValue(name, out StoredArray? array)
        ? array
        : throw new CheckpointException($"read weights: expected a tensor '{Unpickler.Quoted(name)}', found none of that name among {_arrays.Count}", Path);

    private void Index(IReadOnlyList<string>? recordNames)
    {
        if (Unpickler.IsPickle(_file))
        {
            IndexPickle(Unpickler.Read(_file));
        }
        else
        {
            RefuseOtherFormats();
            IndexRecords(TensorRecords.Read(_file), recordNames);
        }

        Tensors = [.. _names.Select(name => new PaddleTensor(name, _arrays[name].Type, _arrays[name].Shape!, _parameterNames.GetValueOrDefault(name)))];
    }

    // What people most often have under this name instead.
    private void RefuseOtherFormats()
    {
        byte[] start = new byte[(int)Math.Min(_file.Length, 16)];
        _file.ReadAt(0, start);
        string text = System.Text.Encoding.Latin1.GetString(start);
        string? found = text switch
        {
            "" => "an empty file; get it again",
            _ when text.StartsWith("PK", StringComparison.Ordinal) => "a zip archive; a PyTorch checkpoint has to be saved as safetensors first",
            _ when text.StartsWith("version https", StringComparison.Ordinal) => "a pointer of Git LFS; fetch the file itself with git lfs pull",
            _ when text.TrimStart().StartsWith('<') => "a web page; the download went wrong, get it again",
            _ when start.All(b => b == 0) && _file.Length < 32 => "nothing but zeros; get it again",
            _ => start[0] == 0 ? null : $"something that starts with '{Unpickler.Quoted(text)}'",
        };
        if (found is not null)
        {
            throw new CheckpointException($"read weights: expected a pickle of protocol 2 to 5 or tensors in binary form, as PaddlePaddle saves them, found {found}", Path);
        }
    }

    private void IndexRecords(List<StoredArray> records, IReadOnlyList<string>? names)
    {
        names ??= records.Count == 1
            ? [OnlyTensor]
            : throw new CheckpointException($"read weights: {records.Count} tensors without names; a .pdiparams file is read together with its .pdmodel", Path);
        if (names.Count != records.Count)
        {
            throw new CheckpointException($"read weights: expected the {names.Count} tensors of the program, found {records.Count}", Path);
        }

        for (int i = 0; i < records.Count; i++)
        {
            Add(names[i], records[i], null);
        }
    }

    private void IndexPickle(object? top)
    {
        switch (top)
        {
            case PickleDictionary dictionary:
                Visit(dictionary, "", 0);
                break;
            case PickleTuple { Items: [PickleText { Value: { } name }, StoredArray array] }:
                Add(name, array, name);
                break;
            case StoredArray array:
                Add(OnlyTensor, array, null);
                break;
            case PickleList or PickleTuple:
                Visit(top, "", 0);
                break;
        }

        if (_names.Count == 0 && top is not PickleDictionary)
        {
            throw new CheckpointException("read weights: expected a dictionary, list or tensor, found none of them", Path);
        }
    }

    private void Visit(object? value, string name, int depth)
    {
        // Containers may hold one another, or one many times: 60 lists are enough for 2⁶⁰ items. Names grow with each level.
        _nameCharacters += name.Length;
        if (depth > MaxDepth || ++_visited > MaxValues || _nameCharacters > MaxNameCharacters)
        {
            throw new CheckpointException($"read weights: expected at most {MaxValues} values and {MaxDepth} levels, found more; the file is damaged, or contains itself", Path);
        }

        switch (value)
        {
            case StoredArray array:
                Add(name, array, null);
                break;
            case PickleTuple { Items: [PickleText { Value: { } parameter }, StoredArray array] }:
                Add(name, array, parameter);
                break;
            case PickleDictionary dictionary:
                VisitDictionary(dictionary, name, depth);
                break;
            case PickleList { Items: var items }:
                VisitItems(items, name, depth);
                break;
            case PickleTuple { Items: var items }:
                VisitItems(items, name, depth);
                break;
            case null or bool or long or double:
                AddValue(name, value);
                break;
            case PickleText text:
                AddValue(name, text.ToString());
                break;
            default:
                throw new CheckpointException($"read weights: '{Unpickler.Quoted(name)}': expected a tensor, number or text, found {(value is PickleFunction function ? $"the function {function}" : "something else")}", Path);
        }
    }

    private void VisitItems(IReadOnlyList<object?> items, string name, int depth)
    {
        for (int i = 0; i < items.Count; i++)
        {
            Visit(items[i], Join(name, i.ToString(CultureInfo.InvariantCulture)), depth + 1);
        }
    }

    private void VisitDictionary(PickleDictionary dictionary, string name, int depth)
    {
        var parts = new HashSet<string>(StringComparer.Ordinal);
        var whole = new List<(string Key, StoredArray Array)>();
        if (dictionary.TryGet(SplitKey, out object? split))
        {
            whole = Assemble(dictionary, split, parts);
        }

        foreach (string key in dictionary.Keys)
        {
            if (key == ParameterNamesKey)
            {
                ReadParameterNames(dictionary[key], name);
            }
            else if (key != SplitKey && !parts.Contains(key))
            {
                Visit(dictionary[key], Join(name, key), depth + 1);
            }
        }

        foreach ((string key, StoredArray array) in whole)
        {
            Add(Join(name, key), array, null);
        }
    }

    private void ReadParameterNames(object? table, string name)
    {
        if (table is not PickleDictionary names)
        {
            throw new CheckpointException($"read weights: {ParameterNamesKey}: expected a dictionary of names, found something else", Path);
        }

        foreach (string key in names.Keys)
        {
            if (names[key] is not PickleText { Value: { } parameter })
            {
                throw new CheckpointException($"read weights: {ParameterNamesKey}: '{Unpickler.Quoted(key)}': expected a name, found something else", Path);
            }

            _parameterNames[Join(name, key)] = parameter;
        }
    }

    private List<(string Key, StoredArray Array)> Assemble(PickleDictionary dictionary, object? table, HashSet<string> parts)
    {
        if (table is not PickleDictionary split)
        {
            throw Wrong(SplitKey, "a dictionary");
        }

        var whole = new List<(string, StoredArray)>();
        foreach (string key in split.Keys)
        {
            if (split[key] is not PickleDictionary description
                || !description.TryGet(SplitShapeKey, out object? shape) || Items(shape) is not { Count: <= MaxRank } sizes || !sizes.All(size => size is long)
                || !description.TryGet(SplitPartsKey, out object? slices) || Items(slices) is not { Count: > 0 } names)
            {
                throw Wrong(key, "the shape of the whole and the names of its parts");
            }

            var runs = new List<ByteRun>();
            StoredArray? first = null;
            foreach (object? item in names)
            {
                if (item is not PickleText { Value: { } part } || !parts.Add(part) || !dictionary.TryGet(part, out object? value) || value is not StoredArray { Shape.Length: 1 } array)
                {
                    throw Wrong(key, "each of its parts once");
                }

                first ??= array;
                if (array.Type != first.Type || array.IsBigEndian != first.IsBigEndian)
                {
                    throw Wrong(key, "parts of one element type");
                }

                runs.AddRange(array.Runs);
            }

            var assembled = new StoredArray();
            if (assembled.Define(first!.Type, first.IsBigEndian, [.. sizes.Cast<long>()], isFortran: false, runs) is { } wrong)
            {
                throw new CheckpointException($"read weights: '{Unpickler.Quoted(key)}' in parts: {wrong}", Path);
            }

            whole.Add((key, assembled));
        }

        return whole;

        static IReadOnlyList<object?>? Items(object? value) => value switch
        {
            PickleTuple tuple => tuple.Items,
            PickleList list => list.Items,
            _ => null,
        };

        CheckpointException Wrong(string key, string expected) =>
            new($"read weights: '{Unpickler.Quoted(key)}' in parts: expected {expected}, found something else; the file is damaged", Path);
    }

    private void Add(string name, StoredArray array, string? parameterName)
    {
        if (array.Shape is null)
        {
            throw new CheckpointException($"read weights: '{Unpickler.Quoted(name)}': expected an array, found one without content", Path);
        }

        // Every array has bytes of its own, or a small file could stand for any amount of memory.
        _bytes += array.ByteCount;
        if (_bytes > _file.Length)
        {
            throw new CheckpointException($"read weights: the tensors claim more bytes than the {_file.Length} of the file", Path);
        }

        if (!_arrays.TryAdd(name, array))
        {
            throw new CheckpointException($"read weights: two tensors are called '{Unpickler.Quoted(name)}'", Path);
        }

        _names.Add(name);
        if (parameterName is not null)
        {
            _parameterNames[name] = parameterName;
        }
    }

    private void AddValue(string name, object? value)
    {
        if (!_values.TryAdd(name, value))
        {
            throw new CheckpointException($"read weights: two values are called '{Unpickler.Quoted(name)}'", Path);
        }
    }

    private static string Join(string outer, string inner) => outer.Length == 0 ? inner : $"{outer}.{inner}";
}
