using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Kinora.Training;

/// <summary>
/// A file of scalars for TensorBoard: records with checksums around protocol buffers, written by hand because three
/// messages are all it takes.
/// </summary>
/// <remarks>
/// Framing: a little-endian 64-bit length, its masked CRC-32C, the bytes, their masked CRC-32C. Messages:
/// tensorflow/core/util/event.proto and framework/summary.proto. A record reaches the file in one write; readers skip one
/// that is torn at the end.
/// </remarks>
internal sealed class EventFile : IDisposable
{
    private const string Version = "brain.Event:2";
    private const uint MaskDelta = 0xa282ead8;
    private const int HeaderBytes = 12;
    private const int FooterBytes = 4;
    private const int WireVarint = 0;
    private const int WireFixed64 = 1;
    private const int WireBytes = 2;
    private const int WireFixed32 = 5;
    private const int SessionStart = 1;

    private readonly FileStream _file;
    private readonly TimeProvider _clock;

    private EventFile(FileStream file, TimeProvider clock) => (_file, _clock) = (file, clock);

    /// <summary>
    /// Starts a file that continues the ones in the folder: TensorBoard forgets what they say of <paramref name="firstStep"/>
    /// and later steps.
    /// </summary>
    /// <param name="folder">It is made if it isn't there.</param>
    /// <param name="firstStep">The first step that this file will tell of.</param>
    /// <param name="clock">For the times of events and the file's name.</param>
    public static EventFile Create(string folder, long firstStep, TimeProvider clock)
    {
        Directory.CreateDirectory(folder);

        // TensorBoard reads a folder's files in the order of their names; two may begin within a second.
        long seconds = Directory.EnumerateFiles(folder, "events.out.tfevents.*.kinora")
            .Select(f => long.TryParse(Path.GetFileName(f).Split('.')[3], NumberStyles.None, CultureInfo.InvariantCulture, out long s) ? s + 1 : 0)
            .Append(clock.GetUtcNow().ToUnixTimeSeconds()).Max();
        string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"events.out.tfevents.{seconds:0000000000}.kinora"));
        var file = new EventFile(new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0), clock);
        file.Write(0, e => Text(e, 3, Version));
        file.Write(firstStep, e => Message(e, 7, log => Number(log, 1, SessionStart)));
        return file;
    }

    /// <summary>Appends scalars of one step; those that aren't finite are left out.</summary>
    /// <param name="step">The step, counted over the whole run.</param>
    /// <param name="scalars">Names, grouped by what stands before the slash, and values.</param>
    public void Add(long step, params ReadOnlySpan<(string Tag, double? Value)> scalars)
    {
        (string Tag, double Value)[] finite = [.. scalars.ToArray().Where(s => s.Value is double v && double.IsFinite(v)).Select(s => (s.Tag, s.Value!.Value))];
        if (finite.Length == 0)
        {
            return;
        }

        Write(step, e => Message(e, 5, summary =>
        {
            foreach ((string tag, double value) in finite)
            {
                Message(summary, 1, v =>
                {
                    Text(v, 1, tag);
                    Key(v, 2, WireFixed32);
                    Span<byte> bits = stackalloc byte[sizeof(float)];
                    BinaryPrimitives.WriteSingleLittleEndian(bits, (float)value);
                    v.Write(bits);
                });
            }
        }));
    }

    public void Dispose() => _file.Dispose();

    /// <summary>The checksum of a record as it stands in the file.</summary>
    /// <param name="bytes">What it covers.</param>
    internal static uint MaskedChecksum(ReadOnlySpan<byte> bytes)
    {
        uint crc = Crc32C.Of(bytes);
        return ((crc >> 15) | (crc << 17)) + MaskDelta;
    }

    private void Write(long step, Action<MemoryStream> what)
    {
        using var message = new MemoryStream();
        Span<byte> bits = stackalloc byte[sizeof(double)];
        BinaryPrimitives.WriteDoubleLittleEndian(bits, (_clock.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds);
        Key(message, 1, WireFixed64);
        message.Write(bits);
        Number(message, 2, step);
        what(message);

        int length = (int)message.Length;
        var record = new byte[HeaderBytes + length + FooterBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), MaskedChecksum(record.AsSpan(0, 8)));
        message.GetBuffer().AsSpan(0, length).CopyTo(record.AsSpan(HeaderBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(HeaderBytes + length), MaskedChecksum(record.AsSpan(HeaderBytes, length)));
        _file.Write(record);
    }

    private static void Key(MemoryStream message, int field, int wire) => Varint(message, (ulong)((field << 3) | wire));

    private static void Number(MemoryStream message, int field, long value)
    {
        Key(message, field, WireVarint);
        Varint(message, (ulong)value);
    }

    private static void Text(MemoryStream message, int field, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Key(message, field, WireBytes);
        Varint(message, (ulong)bytes.Length);
        message.Write(bytes);
    }

    private static void Message(MemoryStream message, int field, Action<MemoryStream> what)
    {
        using var inner = new MemoryStream();
        what(inner);
        Key(message, field, WireBytes);
        Varint(message, (ulong)inner.Length);
        inner.WriteTo(message);
    }

    private static void Varint(MemoryStream message, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            message.WriteByte((byte)(value | 0x80));
        }

        message.WriteByte((byte)value);
    }
}
