using System.Security.Cryptography;
using Kinora.Media;

namespace Kinora.Data;

/// <summary>One clip to be packed.</summary>
/// <param name="Sample">Where it comes from.</param>
/// <param name="Name">Its name in the pack.</param>
/// <param name="Part">Its part of the data set, or null.</param>
/// <param name="Origin">Size and date of its source, without checksum.</param>
internal sealed record PackItem(VideoSample Sample, string Name, string? Part, PackOrigin Origin)
{
    /// <summary>Size and date of a source; zeros where there is none.</summary>
    public static PackOrigin OriginOf(VideoSample sample)
    {
        if (Directory.Exists(sample.Path))
        {
            FileInfo[] frames = [.. Frames(sample.Path).Select(f => new FileInfo(f))];
            return new PackOrigin(frames.Sum(f => f.Length), frames.Length == 0 ? 0 : frames.Max(Modified), "");
        }

        var file = new FileInfo(sample.Path);
        return file.Exists ? new PackOrigin(file.Length, Modified(file), "")
            : ClipPack.TryFind(sample.Path, out ClipPack pack, out string name) && pack.Clips.FirstOrDefault(c => c.Name == name) is { } clip ? clip.Origin
            : new PackOrigin(0, 0, "");

        static long Modified(FileInfo file) => new DateTimeOffset(file.LastWriteTimeUtc).ToUnixTimeMilliseconds();
    }

    /// <summary>The origin with the checksum of the content.</summary>
    public PackOrigin Hashed(CancellationToken ct)
    {
        if (Origin.Sha256.Length > 0)
        {
            return Origin;
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[1 << 18];
        foreach (string path in Directory.Exists(Sample.Path) ? Frames(Sample.Path) : [Sample.Path])
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            int read;
            while ((read = file.Read(buffer)) > 0)
            {
                ct.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, read);
            }
        }

        return Origin with { Sha256 = Convert.ToHexStringLower(hash.GetHashAndReset()) };
    }

    private static IEnumerable<string> Frames(string folder) => Directory.EnumerateFiles(folder, "img_*.jpg").Order(StringComparer.Ordinal);
}
