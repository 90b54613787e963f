using System.Buffers.Binary;
using System.Text;
using Kinora.Tensors;

namespace Kinora.Paddle;

/// <summary>
/// Writes the few values that weight files consist of, instruction for instruction as CPython's pickler does: the same
/// numbers of remembered values, the same frames.
/// </summary>
/// <remarks>
/// Protocol 4 packs instructions into frames of at least 64 KiB; bytes of that length stand outside. Earlier protocols
/// have none, and protocol 2 has no bytes either: it writes them as text whose characters stand for one byte each.
/// </remarks>
internal sealed class PickleWriter
{
    private const int FrameBytes = 64 << 10;
    private const int SmallestFrame = 4;
    private const int BatchItems = 1000;
    private static readonly Encoding Utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly Stream _stream;
    private readonly int _protocol;
    private readonly MemoryStream _frame = new();
    private readonly Dictionary<object, int> _memo = [];
    private int _remembered;

    /// <summary>Starts a pickle.</summary>
    /// <param name="stream">Where it goes.</param>
    /// <param name="protocol">2, 3 or 4.</param>
    public PickleWriter(Stream stream, int protocol)
    {
        (_stream, _protocol) = (stream, protocol);
        _stream.Write([0x80, (byte)protocol]);
    }

    /// <summary>Ends the pickle with the value that was written.</summary>
    public void Finish()
    {
        Write((byte)'.');
        CloseFrame();
    }

    /// <summary>Writes a dictionary.</summary>
    /// <typeparam name="T">What its items are made from.</typeparam>
    /// <param name="items">The items, in order.</param>
    /// <param name="write">Writes key and value of one.</param>
    public void Dictionary<T>(IReadOnlyList<T> items, Action<T> write)
    {
        StartValue();
        Write((byte)'}');
        Remember();
        if (items.Count == 1)
        {
            write(items[0]);
            Write((byte)'s');
            return;
        }

        // As CPython does: a number of items that fills the batches exactly is followed by an empty one.
        for (int start = 0; items.Count > 0 && start <= items.Count; start += BatchItems)
        {
            Write((byte)'(');
            for (int i = start; i < Math.Min(start + BatchItems, items.Count); i++)
            {
                write(items[i]);
            }

            Write((byte)'u');
            if (items.Count - start < BatchItems)
            {
                break;
            }
        }
    }

    /// <summary>Writes a text.</summary>
    /// <param name="text">The text; equal texts are written once.</param>
    public void Text(string text)
    {
        StartValue();
        if (!Recall(text))
        {
            byte[] bytes = Utf8.GetBytes(text);
            TextHead(bytes.Length);
            Write(bytes);
            Remember(text);
        }
    }

    /// <summary>Writes a numpy array.</summary>
    /// <param name="tensor">Its elements.</param>
    public void Array(Tensor tensor)
    {
        StartValue();
        Function("numpy.core.multiarray", "_reconstruct");
        Function("numpy", "ndarray");
        StartValue();
        Number(0);
        Write(0x85);
        Remember();
        MarkerBytes();
        Write(0x87);
        Remember();
        Write((byte)'R');
        Remember();

        // Version, shape, type, order, bytes.
        StartValue();
        Write((byte)'(');
        Number(1);
        Shape(tensor.Shape);
        Type(tensor.DType.NumpyCode());
        StartValue();
        Write(0x89);
        Elements(tensor);
        Write((byte)'t');
        Remember();
        Write((byte)'b');
    }

    private void Shape(ReadOnlySpan<long> shape)
    {
        StartValue();
        if (shape.IsEmpty)
        {
            Write((byte)')');
            return;
        }

        if (shape.Length > 3)
        {
            Write((byte)'(');
        }

        foreach (long size in shape)
        {
            Number(size);
        }

        Write(shape.Length > 3 ? (byte)'t' : (byte)(0x84 + shape.Length));
        Remember();
    }

    private void Type(string code)
    {
        StartValue();
        if (Recall(("numpy type", code)))
        {
            return;
        }

        Function("numpy", "dtype");
        StartValue();
        Text(code);
        StartValue();
        Write(0x89);
        StartValue();
        Write(0x88);
        Write(0x87);
        Remember();
        Write((byte)'R');
        Remember(("numpy type", code));
        StartValue();
        Write((byte)'(');
        Number(3);
        Text(code[1] == '1' ? "|" : "<");
        for (int i = 0; i < 3; i++)
        {
            StartValue();
            Write((byte)'N');
        }

        Number(-1);
        Number(-1);
        Number(0);
        Write((byte)'t');
        Remember();
        Write((byte)'b');
    }

    private void Elements(Tensor tensor)
    {
        StartValue();
        long count = tensor.Count * tensor.DType.Size();
        if (_protocol == 2)
        {
            ElementsAsText(tensor, count);
            return;
        }

        // Large bytes stand outside of frames.
        bool outside = _protocol >= 4 && count >= FrameBytes;
        if (outside)
        {
            CloseFrame();
        }

        Span<byte> head = stackalloc byte[9];
        int length = Head(head, count, (byte)'C', (byte)'B', 0x8e);
        if (outside)
        {
            _stream.Write(head[..length]);
            tensor.CopyBytesTo(_stream.Write);
        }
        else
        {
            Write(head[..length]);
            tensor.CopyBytesTo(Write);
        }

        Remember();
    }

    private void ElementsAsText(Tensor tensor, long count)
    {
        if (count == 0)
        {
            // Python 2's name of the class, as protocol 2 is read by it.
            Function("__builtin__", "bytes");
            StartValue();
            Write((byte)')');
            Write((byte)'R');
            Remember();
            return;
        }

        Function("_codecs", "encode");
        StartValue();
        StartValue();
        long high = 0;
        tensor.CopyBytesTo(part =>
        {
            foreach (byte value in part)
            {
                high += value >> 7;
            }
        });
        TextHead(count + high);
        byte[] text = new byte[1 << 16];
        tensor.CopyBytesTo(part =>
        {
            while (!part.IsEmpty)
            {
                int used = Math.Min(part.Length, text.Length / 2), at = 0;
                foreach (byte value in part[..used])
                {
                    if (value >= 0x80)
                    {
                        text[at++] = (byte)(0xC0 | (value >> 6));
                    }

                    text[at++] = value < 0x80 ? value : (byte)(0x80 | (value & 0x3F));
                }

                Write(text.AsSpan(0, at));
                part = part[used..];
            }
        });
        Remember();
        Text("latin1");
        Write(0x86);
        Remember();
        Write((byte)'R');
        Remember();
    }

    // The bytes 'b' are the type of the empty array that is filled afterwards.
    private void MarkerBytes()
    {
        StartValue();
        if (Recall('b'))
        {
            return;
        }

        if (_protocol == 2)
        {
            Function("_codecs", "encode");
            StartValue();
            Text("b");
            Text("latin1");
            Write(0x86);
            Remember();
            Write((byte)'R');
        }
        else
        {
            Write([(byte)'C', 1, (byte)'b']);
        }

        Remember('b');
    }

    private void Function(string module, string name)
    {
        StartValue();
        if (Recall((module, name)))
        {
            return;
        }

        if (_protocol >= 4)
        {
            Text(module);
            Text(name);
            Write(0x93);
        }
        else
        {
            Write(Encoding.ASCII.GetBytes($"c{module}\n{name}\n"));
        }

        Remember((module, name));
    }

    private void Number(long value)
    {
        StartValue();
        Span<byte> bytes = stackalloc byte[10];
        switch (value)
        {
            case >= 0 and <= byte.MaxValue:
                Write([(byte)'K', (byte)value]);
                break;
            case >= 0 and <= ushort.MaxValue:
                Write([(byte)'M', (byte)value, (byte)(value >> 8)]);
                break;
            case >= int.MinValue and <= int.MaxValue:
                bytes[0] = (byte)'J';
                BinaryPrimitives.WriteInt32LittleEndian(bytes[1..], (int)value);
                Write(bytes[..5]);
                break;
            default:
                (bytes[0], bytes[1]) = (0x8a, 8);
                BinaryPrimitives.WriteInt64LittleEndian(bytes[2..], value);
                Write(bytes);
                break;
        }
    }

    private void TextHead(long count)
    {
        Span<byte> head = stackalloc byte[9];
        Write(head[..Head(head, count, 0x8c, (byte)'X', 0x8d)]);
    }

    private int Head(Span<byte> head, long count, byte small, byte medium, byte large)
    {
        // Protocols before 4 have short bytes but no short texts.
        if (count <= byte.MaxValue && (_protocol >= 4 || small == 'C'))
        {
            (head[0], head[1]) = (small, (byte)count);
            return 2;
        }

        if (count <= uint.MaxValue)
        {
            head[0] = medium;
            BinaryPrimitives.WriteUInt32LittleEndian(head[1..], (uint)count);
            return 5;
        }

        if (_protocol < 4)
        {
            throw new CheckpointException($"write .pdparams: protocol {_protocol} takes 4 GiB of one tensor at the most, found {count} bytes; choose protocol 4");
        }

        head[0] = large;
        BinaryPrimitives.WriteUInt64LittleEndian(head[1..], (ulong)count);
        return 9;
    }

    private bool Recall(object key)
    {
        if (!_memo.TryGetValue(key, out int slot))
        {
            return false;
        }

        WriteSlot(slot, (byte)'h', (byte)'j');
        return true;
    }

    private void Remember(object? key = null)
    {
        if (key is not null)
        {
            _memo.Add(key, _remembered);
        }

        if (_protocol >= 4)
        {
            Write(0x94);
        }
        else
        {
            WriteSlot(_remembered, (byte)'q', (byte)'r');
        }

        _remembered++;
    }

    private void WriteSlot(int slot, byte small, byte large)
    {
        if (slot <= byte.MaxValue)
        {
            Write([small, (byte)slot]);
            return;
        }

        Span<byte> bytes = stackalloc byte[5];
        bytes[0] = large;
        BinaryPrimitives.WriteInt32LittleEndian(bytes[1..], slot);
        Write(bytes);
    }

    // Before each value a frame that is full ends.
    private void StartValue()
    {
        if (_frame.Length >= FrameBytes)
        {
            CloseFrame();
        }
    }

    private void CloseFrame()
    {
        if (_protocol >= 4 && _frame.Length >= SmallestFrame)
        {
            Span<byte> head = stackalloc byte[9];
            head[0] = 0x95;
            BinaryPrimitives.WriteInt64LittleEndian(head[1..], _frame.Length);
            _stream.Write(head);
        }

        _stream.Write(_frame.GetBuffer().AsSpan(0, (int)_frame.Length));
        _frame.SetLength(0);
    }

    private void Write(byte value) => Write([value]);

    private void Write(ReadOnlySpan<byte> bytes)
    {
        if (_protocol >= 4)
        {
            _frame.Write(bytes);
        }
        else
        {
            _stream.Write(bytes);
        }
    }
}
