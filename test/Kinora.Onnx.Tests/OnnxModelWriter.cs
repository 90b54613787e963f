using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Kinora.Onnx.Tests;

/// <summary>
/// Writes small ONNX files field by field, so that these tests don't depend on the exporter that they will one day judge.
/// </summary>
/// <remarks>Field numbers from onnx.proto (IR version 8).</remarks>
internal sealed class OnnxModelWriter
{
    private readonly List<byte[]> _nodes = [];
    private readonly List<byte[]> _initializers = [];
    private readonly List<byte[]> _inputs = [];
    private readonly List<byte[]> _outputs = [];
    private readonly List<byte[]> _properties = [];

    public OnnxModelWriter Input(string name, params long[] shape) => Value(_inputs, name, 1, shape);

    public OnnxModelWriter Input(string name, int elementType, long[] shape) => Value(_inputs, name, elementType, shape);

    public OnnxModelWriter Output(string name, params long[] shape) => Value(_outputs, name, 1, shape);

    public OnnxModelWriter Floats(string name, long[] shape, float[] values) => Initializer(name, 1, shape, MemoryMarshal.AsBytes<float>(values).ToArray());

    public OnnxModelWriter Integers(string name, params long[] values) => Initializer(name, 7, [values.Length], MemoryMarshal.AsBytes<long>(values).ToArray());

    public OnnxModelWriter Property(string key, string value)
    {
        _properties.Add(new Message().Text(1, key).Text(2, value).ToArray());
        return this;
    }

    /// <summary>Adds a node with one output; attributes are long, long[] or float.</summary>
    public OnnxModelWriter Node(string op, string[] inputs, string output, params (string Name, object Value)[] attributes)
    {
        Message node = new();
        foreach (string input in inputs)
        {
            node.Text(1, input);
        }

        node.Text(2, output).Text(3, output).Text(4, op);
        foreach ((string name, object value) in attributes)
        {
            Message attribute = new Message().Text(1, name);
            _ = value switch
            {
                float f => attribute.Single(2, f).Integer(20, 1),
                long i => attribute.Integer(3, i).Integer(20, 2),
                long[] ints => ints.Aggregate(attribute, (m, i) => m.Integer(8, i)).Integer(20, 7),
                _ => throw new ArgumentException(name),
            };
            node.Bytes(5, attribute.ToArray());
        }

        _nodes.Add(node.ToArray());
        return this;
    }

    public byte[] ToArray()
    {
        Message graph = new();
        _nodes.ForEach(n => graph.Bytes(1, n));
        graph.Text(2, "tiny");
        _initializers.ForEach(n => graph.Bytes(5, n));
        _inputs.ForEach(n => graph.Bytes(11, n));
        _outputs.ForEach(n => graph.Bytes(12, n));
        Message model = new Message().Integer(1, 8).Text(2, "kinora-tests").Bytes(7, graph.ToArray())
            .Bytes(8, new Message().Text(1, "").Integer(2, 17).ToArray());
        _properties.ForEach(p => model.Bytes(14, p));
        return model.ToArray();
    }

    public string Save(string path)
    {
        File.WriteAllBytes(path, ToArray());
        return path;
    }

    private OnnxModelWriter Value(List<byte[]> list, string name, int elementType, long[] shape)
    {
        Message dimensions = new();
        foreach (long size in shape)
        {
            dimensions.Bytes(1, (size < 0 ? new Message().Text(2, "N") : new Message().Integer(1, size)).ToArray());
        }

        byte[] tensor = new Message().Integer(1, elementType).Bytes(2, dimensions.ToArray()).ToArray();
        list.Add(new Message().Text(1, name).Bytes(2, new Message().Bytes(1, tensor).ToArray()).ToArray());
        return this;
    }

    private OnnxModelWriter Initializer(string name, int type, long[] shape, byte[] raw)
    {
        Message tensor = new();
        foreach (long size in shape)
        {
            tensor.Integer(1, size);
        }

        _initializers.Add(tensor.Integer(2, type).Text(8, name).Bytes(9, raw).ToArray());
        return this;
    }

    private sealed class Message
    {
        private readonly MemoryStream _bytes = new();

        public Message Integer(int field, long value) => Varint((ulong)field << 3).Varint((ulong)value);

        public Message Single(int field, float value)
        {
            Varint(((ulong)field << 3) | 5);
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
            _bytes.Write(bytes);
            return this;
        }

        public Message Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

        public Message Bytes(int field, byte[] value)
        {
            Varint(((ulong)field << 3) | 2).Varint((ulong)value.Length);
            _bytes.Write(value);
            return this;
        }

        public byte[] ToArray() => _bytes.ToArray();

        private Message Varint(ulong value)
        {
            for (; value >= 0x80; value >>= 7)
            {
                _bytes.WriteByte((byte)(value | 0x80));
            }

            _bytes.WriteByte((byte)value);
            return this;
        }
    }
}
