using System.Buffers.Binary;

namespace Kinora.Media.Tests.Decoding;

/// <summary>Damages files the way disks, networks and attackers do; the same seed gives the same damage.</summary>
internal static class ClipMutator
{
    public static byte[] Mutate(ReadOnlySpan<byte> original, ulong seed)
    {
        var random = new CounterRandom(seed, "mutate");
        byte[] file = original.ToArray();
        for (int damages = 1 + random.NextInt32(2); damages > 0; damages--)
        {
            file = random.NextInt32(7) switch
            {
                0 => FlipBits(file, random),
                1 => OverwriteBytes(file, random),
                2 => Truncate(file, random),
                3 => SwapChunks(file, random),
                4 => EditBoxSize(file, random),
                5 => ExtremeWords(file, random),
                _ => CutOut(file, random),
            };
        }

        return file;
    }

    private static byte[] FlipBits(byte[] file, CounterRandom random)
    {
        for (int n = 1 + random.NextInt32(40); n > 0; n--)
        {
            file[random.NextInt32(file.Length)] ^= (byte)(1 << random.NextInt32(8));
        }

        return file;
    }

    private static byte[] OverwriteBytes(byte[] file, CounterRandom random)
    {
        int length = 1 + random.NextInt32(Math.Max(1, file.Length / 20)), start = random.NextInt32(file.Length);
        for (int i = start; i < Math.Min(file.Length, start + length); i++)
        {
            file[i] = (byte)random.NextUInt32();
        }

        return file;
    }

    private static byte[] Truncate(byte[] file, CounterRandom random) => file[..(1 + random.NextInt32(file.Length))];

    private static byte[] SwapChunks(byte[] file, CounterRandom random)
    {
        int length = 1 + random.NextInt32(Math.Max(1, file.Length / 4));
        int a = random.NextInt32(file.Length - length + 1), b = random.NextInt32(file.Length - length + 1);
        byte[] first = file[a..(a + length)], second = file[b..(b + length)];
        first.CopyTo(file, b);
        second.CopyTo(file, a);
        return file;
    }

    // The four bytes before a box or chunk name: sizes that lie.
    private static byte[] EditBoxSize(byte[] file, CounterRandom random)
    {
        var names = new List<int>();
        for (int i = 4; i + 4 <= file.Length && names.Count < 200; i++)
        {
            if (file.AsSpan(i, 4).IndexOfAnyExceptInRange((byte)'a', (byte)'z') < 0)
            {
                names.Add(i);
            }
        }

        if (names.Count == 0)
        {
            return ExtremeWords(file, random);
        }

        int name = names[random.NextInt32(names.Count)];
        uint size = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(name - 4));
        uint lie = random.NextInt32(5) switch
        {
            0 => 0,
            1 => 1,
            2 => uint.MaxValue,
            3 => size + (uint)random.NextInt32(64),
            _ => size / 2,
        };
        BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(name - 4), lie);
        return file;
    }

    private static byte[] ExtremeWords(byte[] file, CounterRandom random)
    {
        uint[] extremes = [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x00010000];
        int head = Math.Min(file.Length, 20000);
        for (int n = 1 + random.NextInt32(4); n > 0 && file.Length >= 4; n--)
        {
            int at = random.NextInt32(Math.Max(1, head - 3));
            at = random.NextBool() ? at : file.Length - 4 - Math.Min(at, file.Length - 4);
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at), extremes[random.NextInt32(extremes.Length)]);
        }

        return file;
    }

    private static byte[] CutOut(byte[] file, CounterRandom random)
    {
        int start = random.NextInt32(file.Length), length = random.NextInt32(Math.Max(1, (file.Length - start) / 2));
        return file.Length - length < 1 ? file : [.. file[..start], .. file[(start + length)..]];
    }
}
