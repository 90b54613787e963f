using System.Numerics;
using System.Runtime.InteropServices;

namespace Kinora;

/// <summary>CRC-32C (Castagnoli), which processors compute at about the speed of copying.</summary>
public static class Crc32C
{
    /// <summary>The checksum of some bytes, as in iSCSI and ext4.</summary>
    /// <param name="bytes">Any number of bytes.</param>
    /// <returns>The checksum; 0 for none.</returns>
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        uint crc = ~0u;
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
