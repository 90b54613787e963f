namespace Kinora.Paddle;

/// <summary>Reads the bytes of an array one after the other, whatever form they have in the file.</summary>
/// <param name="file">The file.</param>
/// <param name="array">The array.</param>
internal sealed class RunReader(FileWindow file, StoredArray array)
{
    private readonly byte[] _text = array.Runs.Any(run => run.IsText) ? new byte[1 << 16] : [];
    private int _run;
    private long _done;
    private int _textStart;
    private int _textEnd;

    /// <summary>Reads the next elements, little endian, in the order of the file.</summary>
    /// <param name="destination">Whole elements; filled completely.</param>
    public void Read(Span<byte> destination)
    {
        Span<byte> all = destination;
        while (!destination.IsEmpty)
        {
            ByteRun run = array.Runs[_run];
            int read = run.IsText ? ReadText(run, destination) : ReadPlain(run, destination);
            destination = destination[read..];
            if (_done == run.FileBytes && _textStart == _textEnd)
            {
                _run++;
                _done = 0;
            }
        }

        if (array.IsBigEndian)
        {
            int size = array.Type.NumberSize();
            for (int at = 0; at < all.Length; at += size)
            {
                all.Slice(at, size).Reverse();
            }
        }
    }

    private int ReadPlain(ByteRun run, Span<byte> destination)
    {
        int count = (int)Math.Min(destination.Length, run.FileBytes - _done);
        file.ReadAt(run.Offset + _done, destination[..count]);
        _done += count;
        return count;
    }

    private int ReadText(ByteRun run, Span<byte> destination)
    {
        if (_textEnd - _textStart < 2 && _done < run.FileBytes)
        {
            // A character of two bytes may be cut by the end of the buffer.
            int kept = _textEnd - _textStart;
            _text.AsSpan(_textStart, kept).CopyTo(_text);
            int count = (int)Math.Min(_text.Length - kept, run.FileBytes - _done);
            file.ReadAt(run.Offset + _done, _text.AsSpan(kept, count));
            _done += count;
            (_textStart, _textEnd) = (0, kept + count);
        }

        int written = 0;
        while (written < destination.Length && _textStart < _textEnd)
        {
            int length = Latin1(_text.AsSpan(_textStart, _textEnd - _textStart), out destination[written]);
            if (length == 0)
            {
                if (_textEnd - _textStart == 1 && _done < run.FileBytes)
                {
                    break;
                }

                throw file.Damaged("the text that stands for bytes has changed meanwhile", run.Offset);
            }

            _textStart += length;
            written++;
        }

        return written;
    }

    /// <summary>Counts the bytes that a text stands for.</summary>
    /// <param name="file">The file.</param>
    /// <param name="offset">First byte of the text.</param>
    /// <param name="count">Bytes of the text.</param>
    /// <returns>The number of characters, or null where one isn't among the first 256.</returns>
    public static long? CountLatin1(FileWindow file, long offset, long count)
    {
        byte[] buffer = new byte[(int)Math.Min(count, 1 << 16)];
        long characters = 0;
        int kept = 0;
        while (count > 0 || kept > 0)
        {
            int read = (int)Math.Min(buffer.Length - kept, count);
            file.ReadAt(offset, buffer.AsSpan(kept, read));
            offset += read;
            count -= read;
            int end = kept + read, at = 0;
            kept = 0;
            while (at < end)
            {
                int length = Latin1(buffer.AsSpan(at, end - at), out _);
                if (length == 0)
                {
                    if (end - at > 1 || count == 0)
                    {
                        return null;
                    }

                    buffer[0] = buffer[at];
                    kept = 1;
                    break;
                }

                at += length;
                characters++;
            }
        }

        return characters;
    }

    // The first 128 characters are themselves in UTF-8, the next 128 two bytes: C2 or C3, then 80 to BF.
    private static int Latin1(ReadOnlySpan<byte> text, out byte value)
    {
        value = text[0];
        if (value < 0x80)
        {
            return 1;
        }

        if (value is not (0xC2 or 0xC3) || text.Length < 2 || (text[1] & 0xC0) != 0x80)
        {
            return 0;
        }

        value = (byte)((value << 6) | (text[1] & 0x3F));
        return 2;
    }
}
