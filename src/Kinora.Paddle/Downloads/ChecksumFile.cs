using System.Security.Cryptography;

namespace Kinora.Paddle;

/// <summary>The SHA-256 of a file, beside it under its name with <c>.sha256</c>, in the form that <c>sha256sum -c</c> reads.</summary>
internal static class ChecksumFile
{
    /// <summary>Where the checksum of a file lies.</summary>
    public static string PathOf(string target) => target + ".sha256";

    /// <summary>The recorded checksum; null where none is.</summary>
    /// <exception cref="DownloadException">The record isn't one.</exception>
    public static string? Read(string target)
    {
        string path = PathOf(target);
        if (!File.Exists(path))
        {
            return null;
        }

        string first = File.ReadAllText(path).Split([' ', '\n', '\r'], 2)[0];
        return first.Length == 64 && first.All(char.IsAsciiHexDigit)
            ? first.ToLowerInvariant()
            : throw new DownloadException("checksum: expected 64 hexadecimal digits and a file name; delete the file to have the checksum recorded anew", null, path);
    }

    /// <summary>Records a checksum.</summary>
    public static void Write(string target, string sha256) => AtomicFile.WriteText(PathOf(target), $"{sha256}  {Path.GetFileName(target)}\n");

    /// <summary>Computes the checksum of a file.</summary>
    /// <returns>Lower-case hexadecimal digits.</returns>
    public static async Task<string> ComputeAsync(string path, CancellationToken ct)
    {
        // Whoever calls may still have the file open for writing.
        FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1 << 20, FileOptions.Asynchronous | FileOptions.SequentialScan);
        await using (file.ConfigureAwait(false))
        {
            return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, ct).ConfigureAwait(false));
        }
    }
}
