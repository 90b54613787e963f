using System.Buffers.Binary;
using System.Text;

namespace Kinora.Training.Tests;

/// <summary>An event as TensorBoard understands it.</summary>
/// <param name="Seconds">Wall time.</param>
/// <param name="Step">Step.</param>
/// <param name="Version">File version, in the first event.</param>
/// <param name="SessionStatus">Status of a session log, or null.</param>
/// <param name="Scalars">Tags and values.</param>
internal sealed record EventRecord(double Seconds, long Step, string? Version, long? SessionStatus, IReadOnlyList<(string Tag, float Value)> Scalars);

/// <summary>
/// Reads event files with a decoder of its own, from the descriptions of TFRecord, event.proto and summary.proto; its
/// checksum goes bit by bit.
/// </summary>
internal static class EventRecords
{
    public static IReadOnlyList<EventRecord> Read(string path)
    {
        ReadOnlySpan<byte> rest = File.ReadAllBytes(path);
        var events = new List<EventRecord>();
        while (rest.Length >= 12)
        {
            int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(rest);
            Assert.Equal(Masked(rest[..8]), BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]));
            if (rest.Length < length + 16)
            {
                break; // torn
            }

            Assert.Equal(Masked(rest.Slice(12, length)), BinaryPrimitives.ReadUInt32LittleEndian(rest[(12 + length)..]));
            events.Add(Event(rest.Slice(12, length)));
            rest = rest[(length + 16)..];
        }

        return events;
    }

    private static EventRecord Event(ReadOnlySpan<byte> message)
    {
        var record = new EventRecord(0, 0, null, null, []);
        while (message.Length > 0)
        {
            (int field, ulong number, byte[] bytes) = Field(ref message);
            record = field switch
            {
                1 => record with { Seconds = BitConverter.UInt64BitsToDouble(number) },
                2 => record with { Step = (long)number },
                3 => record with { Version = Encoding.UTF8.GetString(bytes) },
                5 => record with { Scalars = Summary(bytes) },
                7 => record with { SessionStatus = (long)First(bytes) },
                _ => throw new InvalidDataException($"field {field} of an event"),
            };
        }

        return record;
    }

    private static ulong First(ReadOnlySpan<byte> message) => Field(ref message).Number;

    private static List<(string, float)> Summary(ReadOnlySpan<byte> message)
    {
        var scalars = new List<(string, float)>();
        while (message.Length > 0)
        {
            (int field, _, byte[] bytes) = Field(ref message);
            Assert.Equal(1, field);
            (string tag, float value) = ("", float.NaN);
            for (ReadOnlySpan<byte> inner = bytes; inner.Length > 0;)
            {
                (int part, ulong number, byte[] text) = Field(ref inner);
                (tag, value) = part == 1 ? (Encoding.UTF8.GetString(text), value) : (tag, BitConverter.UInt32BitsToSingle((uint)number));
            }

            scalars.Add((tag, value));
        }

        return scalars;
    }

    private static (int Field, ulong Number, byte[] Bytes) Field(ref ReadOnlySpan<byte> message)
    {
        ulong key = Varint(ref message);
        (ulong number, byte[] bytes) = (0UL, Array.Empty<byte>());
        switch (key & 7)
        {
            case 0:
                number = Varint(ref message);
                break;
            case 1:
                number = BinaryPrimitives.ReadUInt64LittleEndian(message);
                message = message[8..];
                break;
            case 2:
                int length = (int)Varint(ref message);
                bytes = message[..length].ToArray();
                message = message[length..];
                break;
            case 5:
                number = BinaryPrimitives.ReadUInt32LittleEndian(message);
                message = message[4..];
                break;
            default:
                throw new InvalidDataException($"wire type {key & 7}");
        }

        return ((int)(key >> 3), number, bytes);
    }

    private static ulong Varint(ref ReadOnlySpan<byte> message)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = message[0];
            message = message[1..];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }

    // Polynomial 0x1EDC6F41, reflected.
    private static uint Masked(ReadOnlySpan<byte> bytes)
    {
        uint crc = ~0u;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int i = 0; i < 8; i++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
            }
        }

        crc = ~crc;
        return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
    }
}
