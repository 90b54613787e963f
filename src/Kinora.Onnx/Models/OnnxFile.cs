using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Kinora.Onnx;

/// <summary>
/// Looks at the outermost level of an ONNX file, which is one protobuf message (ModelProto): field headers are read,
/// the graph with its weights is jumped over. So a model's metadata costs a few reads instead of a second
/// deserialisation of all weights, and truncated or foreign files are told apart before the engine sees them.
/// </summary>
/// <remarks>Field numbers: onnx.proto, message ModelProto. Wire format: protobuf.dev, "Encoding".</remarks>
internal static class OnnxFile
{
    private const int IrVersionField = 1;
    private const int GraphField = 7;
    private const int OpsetField = 8;
    private const int MetadataField = 14;
    private const long MaxPropertyBytes = 64 << 20;

    /// <summary>Reads the metadata properties.</summary>
    /// <param name="path">An .onnx file.</param>
    /// <returns>Property name to value; a repeated name keeps its last value, as protobuf has it.</returns>
    /// <exception cref="CheckpointException">Missing, unreadable, truncated, or not ONNX.</exception>
    public static Dictionary<string, string> ReadProperties(string path)
    {
        try
        {
            using SafeFileHandle file = File.OpenHandle(path);
            return Scan(new Reader(file, path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new CheckpointException(
                File.Exists(path) ? $"reading model: {e.Message}" : Directory.Exists(path) ? "reading model: expected an .onnx file, found a folder" : "reading model: expected an .onnx file, found nothing",
                path, e);
        }
    }

    private static Dictionary<string, string> Scan(Reader reader)
    {
        if (reader.Length == 0)
        {
            throw reader.Damaged("expected an ONNX model, found an empty file");
        }

        var properties = new Dictionary<string, string>(StringComparer.Ordinal);
        bool version = false, graph = false, opset = false;
        while (reader.Position < reader.Length)
        {
            (int field, int wire) = reader.Tag();
            switch (wire)
            {
                case 0:
                    _ = reader.Varint();
                    version |= field == IrVersionField;
                    break;
                case 1:
                    reader.Skip(8);
                    break;
                case 5:
                    reader.Skip(4);
                    break;
                case 2:
                    long length = reader.LengthPrefix();
                    if (field == MetadataField)
                    {
                        (string key, string value) = Entry(reader, length);
                        properties[key] = value;
                    }
                    else
                    {
                        reader.Skip(length);
                        graph |= field == GraphField;
                        opset |= field == OpsetField;
                    }

                    break;
                default:
                    throw reader.Damaged("expected an ONNX model, found another format");
            }
        }

        return version && graph && opset
            ? properties
            : throw reader.Damaged($"expected an ONNX model, found a file without {(graph ? "format version" : "graph")}");
    }

    private static (string Key, string Value) Entry(Reader reader, long length)
    {
        if (length > MaxPropertyBytes)
        {
            throw reader.Damaged($"expected metadata of at most {MaxPropertyBytes} bytes, found {length}");
        }

        string key = "", value = "";
        long end = reader.Position + length;
        while (reader.Position < end)
        {
            (int field, int wire) = reader.Tag();
            if (wire != 2)
            {
                throw reader.Damaged("expected text in the metadata, found a number");
            }

            long size = reader.LengthPrefix();
            if (reader.Position + size > end)
            {
                throw reader.Damaged("a metadata property is longer than its frame");
            }

            string text = reader.Text((int)size);
            (key, value) = field switch { 1 => (text, value), 2 => (key, text), _ => (key, value) };
        }

        return (key, value);
    }

    private sealed class Reader(SafeFileHandle file, string path)
    {
        private readonly byte[] _window = new byte[4096];
        private long _windowStart;
        private int _windowLength;

        public long Length { get; } = RandomAccess.GetLength(file);

        public long Position { get; private set; }

        public (int Field, int Wire) Tag()
        {
            ulong tag = Varint();
            return tag is >= 8 and <= uint.MaxValue
                ? ((int)(tag >> 3), (int)(tag & 7))
                : throw Damaged("expected an ONNX model, found another format");
        }

        public ulong Varint()
        {
            ulong value = 0;
            for (int shift = 0; shift < 70; shift += 7)
            {
                byte next = Byte();
                value |= (ulong)(next & 0x7F) << shift;
                if (next < 0x80)
                {
                    return value;
                }
            }

            throw Damaged("expected an ONNX model, found another format");
        }

        public long LengthPrefix()
        {
            ulong length = Varint();
            return length <= (ulong)(Length - Position)
                ? (long)length
                : throw Damaged($"a part claims {length} bytes, {Length - Position} are left; the file is truncated, damaged or not ONNX");
        }

        public void Skip(long count)
        {
            Position += count <= Length - Position
                ? count
                : throw Damaged("the file ends inside a value; it is truncated, damaged or not ONNX");
        }

        public string Text(int length)
        {
            var bytes = new byte[length];
            for (int done = 0; done < length;)
            {
                int read = RandomAccess.Read(file, bytes.AsSpan(done), Position + done);
                done += read > 0 ? read : throw Damaged("the file ends inside its metadata");
            }

            Position += length;
            return Encoding.UTF8.GetString(bytes);
        }

        public CheckpointException Damaged(string found) => new($"reading model: {found}", path);

        private byte Byte()
        {
            if (Position < _windowStart || Position >= _windowStart + _windowLength)
            {
                _windowStart = Position;
                _windowLength = RandomAccess.Read(file, _window, Position);
                if (_windowLength == 0)
                {
                    throw Damaged("the file ends inside a value; it is truncated, damaged or not ONNX");
                }
            }

            return _window[Position++ - _windowStart];
        }
    }
}
