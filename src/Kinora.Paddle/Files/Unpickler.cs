using System.Buffers.Binary;
using System.Text;

namespace Kinora.Paddle;

/// <summary>
/// Reads a pickle as data. A pickle is a program for a stack machine that may call anything in Python; this machine
/// knows the few instructions and constructors that weight files consist of, recognises each call by the form of its
/// arguments and builds its own values. Everything else is refused by name, and nothing is executed.
/// </summary>
/// <remarks>Protocols 2 to 5. Bytes of arrays stay in the file.</remarks>
internal sealed class Unpickler
{
    private const byte Proto = 0x80;

    // A tensor takes about 30 instructions, its name at most a few hundred bytes: room for 30,000 tensors.
    private const int MaxInstructions = 1_000_000;
    private const int MaxNameBytes = 1024;
    private const int MaxTextBytes = 16 << 20;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly FileWindow _file;
    private readonly List<object?> _stack = [];
    private readonly Stack<int> _marks = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private int _instructions;
    private int _textBytes;

    private Unpickler(FileWindow file) => _file = file;

    /// <summary>Whether a file starts as pickles of protocol 2 and later do.</summary>
    /// <param name="file">The file, at its start.</param>
    public static bool IsPickle(FileWindow file)
    {
        Span<byte> first = stackalloc byte[1];
        if (file.Length > 0)
        {
            file.ReadAt(0, first);
        }

        return first[0] == Proto;
    }

    /// <summary>Reads the first pickle of a file.</summary>
    /// <param name="file">The file, at its start.</param>
    /// <returns>
    /// null, bool, long, double, or one of the classes of this folder. What lies behind the end isn't looked at.
    /// </returns>
    /// <exception cref="CheckpointException">The file is damaged, or asks for more than data.</exception>
    public static object? Read(FileWindow file) => new Unpickler(file).Run();

    private object? Run()
    {
        Instruction(); // 0x80, by which the format was recognised.
        byte protocol = _file.ReadByte();
        if (protocol is < 2 or > 5)
        {
            throw _file.Damaged($"expected pickle protocol 2 to 5, found {protocol}", 1);
        }

        while (true)
        {
            byte code = Instruction();
            switch ((char)code)
            {
                case '.':
                    return Pop();
                case '\x95': // FRAME: the instructions are the same inside and outside of one.
                    _file.Require(_file.ReadUInt64());
                    break;
                case 'N':
                    Push(null);
                    break;
                case '\x88':
                    Push(true);
                    break;
                case '\x89':
                    Push(false);
                    break;
                case 'J':
                    Push((long)(int)_file.ReadUInt32());
                    break;
                case 'K':
                    Push((long)_file.ReadByte());
                    break;
                case 'M':
                    Push((long)_file.ReadUInt16());
                    break;
                case '\x8a':
                    Push(ReadLong(_file.ReadByte()));
                    break;
                case '\x8b':
                    Push(ReadLong(_file.ReadUInt32()));
                    break;
                case 'G':
                    Push(BinaryPrimitives.ReadDoubleBigEndian(_file.Take(8)));
                    break;
                case '\x8c':
                    Push(ReadText(_file.ReadByte(), isUtf8: true));
                    break;
                case 'X':
                    Push(ReadText(_file.ReadUInt32(), isUtf8: true));
                    break;
                case '\x8d':
                    Push(ReadText(_file.ReadUInt64(), isUtf8: true));
                    break;
                case 'U':
                    Push(ReadText(_file.ReadByte(), isUtf8: false));
                    break;
                case 'T':
                    Push(ReadText(_file.ReadUInt32(), isUtf8: false));
                    break;
                case 'C':
                    Push(ReadBytes(_file.ReadByte()));
                    break;
                case 'B':
                    Push(ReadBytes(_file.ReadUInt32()));
                    break;
                case '\x8e' or '\x96':
                    Push(ReadBytes(_file.ReadUInt64()));
                    break;
                case ')':
                    Push(new PickleTuple([]));
                    break;
                case '\x85' or '\x86' or '\x87':
                    PushTuple(code - 0x84);
                    break;
                case 't':
                    Push(new PickleTuple(PopToMark()));
                    break;
                case ']':
                    Push(new PickleList());
                    break;
                case '}':
                    Push(new PickleDictionary());
                    break;
                case '(':
                    _marks.Push(_stack.Count);
                    break;
                case 'a':
                    Append([Pop()]);
                    break;
                case 'e':
                    Append(PopToMark());
                    break;
                case 's':
                    object? value = Pop();
                    SetItems([Pop(), value]);
                    break;
                case 'u':
                    SetItems(PopToMark());
                    break;
                case '\x94':
                    Remember((uint)_memo.Count);
                    break;
                case 'q':
                    Remember(_file.ReadByte());
                    break;
                case 'r':
                    Remember(_file.ReadUInt32());
                    break;
                case 'h':
                    Recall(_file.ReadByte());
                    break;
                case 'j':
                    Recall(_file.ReadUInt32());
                    break;
                case 'c':
                    Push(FindFunction(ReadLine(), ReadLine()));
                    break;
                case '\x93':
                    string name = PopName("the name of a function");
                    Push(FindFunction(PopName("the name of a module"), name));
                    break;
                case 'R':
                    object? arguments = Pop();
                    Push(Call(Pop(), arguments));
                    break;
                case 'b':
                    object? state = Pop();
                    Build(Top(), state);
                    break;
                default:
                    throw _file.Damaged($"instruction {Name(code)} has no place in a weight file, so it isn't followed", _file.Position - 1);
            }
        }
    }

    private byte Instruction()
    {
        Charge(1);
        return _file.ReadByte();
    }

    private void Charge(int instructions)
    {
        _instructions += instructions;
        if (_instructions > MaxInstructions)
        {
            throw _file.Damaged($"expected at most {MaxInstructions} instructions; no weight file is that intricate");
        }
    }

    private void Push(object? value) => _stack.Add(value);

    private object? Pop()
    {
        object? value = Top();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private object? Top() => _stack.Count > (_marks.TryPeek(out int mark) ? mark : 0)
        ? _stack[^1]
        : throw _file.Damaged("expected a value on the stack, found none", _file.Position - 1);

    private object?[] PopToMark()
    {
        if (!_marks.TryPop(out int mark))
        {
            throw _file.Damaged("expected a mark on the stack, found none", _file.Position - 1);
        }

        object?[] items = [.. _stack[mark..]];
        _stack.RemoveRange(mark, items.Length);
        return items;
    }

    private void PushTuple(int count)
    {
        var items = new object?[count];
        for (int i = count - 1; i >= 0; i--)
        {
            items[i] = Pop();
        }

        Push(new PickleTuple(items));
    }

    private long ReadLong(uint count)
    {
        _file.Require(count);
        if (count > sizeof(long))
        {
            throw _file.Damaged($"expected a number of at most {sizeof(long)} bytes, found {count}");
        }

        ReadOnlySpan<byte> bytes = _file.Take((int)count);
        long value = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            value |= (long)bytes[i] << (8 * i);
        }

        int unused = 64 - (8 * bytes.Length);
        return bytes.IsEmpty ? 0 : value << unused >> unused;
    }

    private PickleText ReadText(ulong count, bool isUtf8)
    {
        long at = _file.Position;
        if (count > MaxNameBytes)
        {
            return new PickleText(_file.Skip(count), (long)count, isUtf8, null);
        }

        _textBytes += (int)count;
        if (_textBytes > MaxTextBytes)
        {
            throw _file.Damaged($"expected at most {MaxTextBytes} bytes of names", at);
        }

        ReadOnlySpan<byte> bytes = _file.Take((int)count);
        try
        {
            return new PickleText(at, (long)count, isUtf8, (isUtf8 ? StrictUtf8 : Encoding.Latin1).GetString(bytes));
        }
        catch (DecoderFallbackException)
        {
            throw _file.Damaged("expected text in UTF-8, found other bytes", at);
        }
    }

    private PickleBytes ReadBytes(ulong count) => new(new ByteRun(_file.Skip(count), (long)count, (long)count, IsText: false));

    private string ReadLine()
    {
        long at = _file.Position;
        var line = new StringBuilder();
        for (byte next = _file.ReadByte(); next != '\n'; next = _file.ReadByte())
        {
            line.Append(line.Length < MaxNameBytes && next < 0x80 ? (char)next : throw _file.Damaged("expected the name of a function, found other bytes", at));
        }

        return line.ToString();
    }

    private void Append(object?[] items)
    {
        if (Top() is not PickleList list)
        {
            throw Unexpected("a list to append to", Top());
        }

        list.Items.AddRange(items);
    }

    private void SetItems(object?[] items)
    {
        if (Top() is not PickleDictionary dictionary)
        {
            throw Unexpected("a dictionary to add to", Top());
        }

        if (items.Length % 2 != 0)
        {
            throw _file.Damaged("expected a value for each key");
        }

        for (int i = 0; i < items.Length; i += 2)
        {
            AddTo(dictionary, items[i], items[i + 1]);
        }
    }

    private void AddTo(PickleDictionary dictionary, object? key, object? value)
    {
        if (key is not PickleText { Value: { } name })
        {
            throw Unexpected("a name as key", key);
        }

        if (!dictionary.Add(name, value))
        {
            throw _file.Damaged($"the key '{Quoted(name)}' occurs twice");
        }
    }

    // Slots are numbered as values are made, so a higher number than there were instructions is a lie.
    private void Remember(uint slot)
    {
        if (slot >= _instructions)
        {
            throw _file.Damaged($"value {slot} is to be remembered after {_instructions} instructions");
        }

        _memo[slot] = Top();
    }

    private void Recall(uint slot) => Push(_memo.TryGetValue(slot, out object? value)
        ? value
        : throw _file.Damaged($"value {slot} is used before it was remembered"));

    private string PopName(string what) => Pop() is PickleText { Value: { } name } ? name : throw _file.Damaged($"expected {what}");

    private PickleFunction FindFunction(string module, string name) => PickleFunctions.Find(module, name) ?? throw Refused($"{module}.{name}");

    private object? Call(object? function, object? arguments)
    {
        if (function is not PickleFunction known)
        {
            throw Unexpected("a function to call", function);
        }

        if (arguments is not PickleTuple { Items: var items })
        {
            throw Unexpected($"arguments for {known}", arguments);
        }

        return (known, items) switch
        {
            (PickleFunction.Reconstruct, [PickleFunction.NdArray, PickleTuple { Items: [0L] }, PickleBytes]) => new StoredArray(),
            (PickleFunction.Reconstruct, [PickleFunction.NdArray, PickleTuple { Items: [0L] }, PickleText]) => new StoredArray(),
            (PickleFunction.FromBuffer, [PickleBytes bytes, NumpyType type, PickleTuple shape, PickleText { Value: "C" or "F" } order]) =>
                Define(new StoredArray(), type, shape, order.Value == "F", bytes),
            (PickleFunction.Scalar, [NumpyType type, PickleBytes bytes]) => Number(type, bytes.Run),
            (PickleFunction.Scalar, [NumpyType type, PickleText text]) when text.Bytes(_file) is { } run => Number(type, run),
            (PickleFunction.NumpyType, [PickleText { Value: { } code }, bool or long, bool or long]) =>
                new NumpyType(code, ElementTypes.OfNumpy(code) ?? throw _file.Damaged($"an array has the numpy type '{Quoted(code)}', which holds no numbers that a weight may be")),
            (PickleFunction.Encode, [PickleText text, PickleText { Value: "latin1" }]) =>
                new PickleBytes(text.Bytes(_file) ?? throw _file.Damaged("expected a text that stands for bytes, found other characters")),
            (PickleFunction.Bytes, []) => new PickleBytes(new ByteRun(_file.Position, 0, 0, IsText: false)),
            (PickleFunction.Tuple, [PickleTuple tuple]) => tuple,
            (PickleFunction.OrderedDict, []) => new PickleDictionary(),
            (PickleFunction.OrderedDict, [PickleList pairs]) => Ordered(pairs),
            (PickleFunction.Eval, [PickleText { Value: "data" }, PickleDictionary { Keys: ["data"] } scope]) when scope["data"] is StoredArray { Shape: not null } array => array,
            (PickleFunction.Eval, _) => throw Refused("builtins.eval of an expression"),
            _ => throw _file.Damaged($"{known} is called with other arguments than a weight file needs", _file.Position - 1),
        };
    }

    // Python 2 wrote the pairs as the constructor's argument.
    private PickleDictionary Ordered(PickleList pairs)
    {
        // One instruction may copy a list that took many, and be repeated.
        Charge(pairs.Items.Count);
        var dictionary = new PickleDictionary();
        foreach (object? pair in pairs.Items)
        {
            switch (pair)
            {
                case PickleList { Items: [var key, var value] }:
                    AddTo(dictionary, key, value);
                    break;
                case PickleTuple { Items: [var key, var value] }:
                    AddTo(dictionary, key, value);
                    break;
                default:
                    throw Unexpected("a key with its value", pair);
            }
        }

        return dictionary;
    }

    private void Build(object? target, object? state)
    {
        object?[] items = state is PickleTuple tuple ? tuple.Items : [];
        switch (target, items)
        {
            case (StoredArray { Shape: null } array, [1L, PickleTuple shape, NumpyType type, bool isFortran, PickleBytes bytes]):
                Define(array, type, shape, isFortran, bytes);
                break;
            case (StoredArray { Shape: null } array, [1L, PickleTuple shape, NumpyType type, bool isFortran, PickleText text]) when text.Bytes(_file) is { } run:
                Define(array, type, shape, isFortran, new PickleBytes(run));
                break;
            case (NumpyType { Order: null } type, [3L, PickleText { Value: ['<' or '>' or '|' or '='] order }, null, null, null, -1L, -1L, 0L]):
                type.Order = order[0];
                break;
            case (NumpyType, _):
                throw _file.Damaged("a numpy type has fields, which no weight has", _file.Position - 1);
            case (StoredArray, _):
                throw _file.Damaged("expected version, shape, type, order and bytes of an array, found something else", _file.Position - 1);
            default:
                throw Unexpected("an array or a numpy type to complete", target);
        }
    }

    private StoredArray Define(StoredArray array, NumpyType type, PickleTuple shape, bool isFortran, PickleBytes bytes)
    {
        if (!shape.Items.All(size => size is long))
        {
            throw _file.Damaged("expected whole numbers as the shape of an array", _file.Position - 1);
        }

        string? wrong = array.Define(type.Element, type.Order == '>', [.. shape.Items.Cast<long>()], isFortran, [bytes.Run]);
        return wrong is null ? array : throw _file.Damaged(wrong, _file.Position - 1);
    }

    private object Number(NumpyType type, ByteRun run)
    {
        var array = new StoredArray();
        if (array.Define(type.Element, type.Order == '>', [], isFortran: false, [run]) is { } wrong)
        {
            throw _file.Damaged(wrong, _file.Position - 1);
        }

        byte[] bytes = new byte[type.Element.Size()];
        new RunReader(_file, array).Read(bytes);
        return type.Element switch
        {
            ElementType.Bool => bytes[0] != 0,
            ElementType.UInt8 => (long)bytes[0],
            ElementType.Int8 => (long)(sbyte)bytes[0],
            ElementType.Int16 => (long)BitConverter.ToInt16(bytes),
            ElementType.BFloat16 => (long)BitConverter.ToUInt16(bytes),
            ElementType.Int32 => (long)BitConverter.ToInt32(bytes),
            ElementType.Int64 => BitConverter.ToInt64(bytes),
            ElementType.Float16 => (double)BitConverter.ToHalf(bytes),
            ElementType.Float32 => (double)BitConverter.ToSingle(bytes),
            ElementType.Float64 => BitConverter.ToDouble(bytes),
            _ => throw _file.Damaged("expected a real number, found a complex one", _file.Position - 1),
        };
    }

    private CheckpointException Refused(string function) => new(
        $"read weights: byte {_file.Position}: the file asks for {Quoted(function)}, which no weights need; nothing was run, and the file isn't read; get it from a source that you trust",
        _file.Path);

    private CheckpointException Unexpected(string expected, object? found) => _file.Damaged(
        $"expected {expected}, found {found switch
        {
            null => "nothing",
            bool or long or double => $"the value {FormattableString.Invariant($"{found}")}",
            PickleText text => $"the text '{Quoted(text.ToString())}'",
            PickleBytes => "bytes",
            PickleTuple => "a tuple",
            PickleList => "a list",
            PickleDictionary => "a dictionary",
            StoredArray => "an array",
            PickleFunction function => $"the function {function}",
            _ => found.ToString(),
        }}",
        _file.Position - 1);

    /// <summary>A name from a file, fit for a message: one line of at most 80 printable characters.</summary>
    public static string Quoted(string name)
    {
        string line = string.Concat(name.Take(80).Select(c => char.IsControl(c) ? '·' : c));
        return line.Length < name.Length ? line + "…" : line;
    }

    private static string Name(byte code) => (char)code switch
    {
        'i' => "INST (calls a function)",
        'o' => "OBJ (calls a function)",
        '\x81' or '\x92' => "NEWOBJ (makes an object)",
        'P' or 'Q' => "PERSID (asks for an object from outside)",
        '\x82' or '\x83' or '\x84' => "EXT (asks for a registered function)",
        '\x97' or '\x98' => "NEXT_BUFFER (asks for bytes from outside)",
        '0' or '1' or '2' => "POP or DUP (discards or repeats a value)",
        'd' or 'l' or 'p' or 'g' or 'I' or 'L' or 'S' or 'V' or 'F' => $"'{(char)code}' of pickle protocol 0",
        '\x8f' or '\x90' or '\x91' => "SET (makes a set)",
        _ => $"0x{code:X2}",
    };
}
