using System.Numerics;
using System.Runtime.InteropServices;

namespace Kinora;

/// <summary>CRC-32C (Castagnoli), which processors compute at about the speed of copying.</summary>
public static class Crc32C
{
    /// <summary>The checksum of some bytes, as in iSCSI and ext4.</summary>
    /// <param name="bytes">Any number of bytes.</param>
    /// <returns>The checksum; 0 for none.</returns>
    public static uint Of(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>The checksum of what a checksum is known of, followed by some bytes.</summary>
    /// <param name="checksum">Checksum of the bytes before; 0 for none.</param>
    /// <param name="bytes">Any number of bytes.</param>
    /// <returns>The checksum of them all.</returns>
    public static uint Append(uint checksum, ReadOnlySpan<byte> bytes)
    {
        uint crc = ~checksum;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (ulong word in words)
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        foreach (byte rest in bytes[(words.Length * sizeof(ulong))..])
        {
            crc = BitOperations.Crc32C(crc, rest);
        }

        return ~crc;
    }
}
