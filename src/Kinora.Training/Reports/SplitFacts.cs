using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Kinora.Data;

namespace Kinora.Training;

/// <summary>Which clips a split consisted of, so that somebody can tell later whether others are the same.</summary>
/// <param name="Name">"training", "validation" or "test".</param>
/// <param name="Clips">Number of clips.</param>
/// <param name="Bytes">Bytes of all files; a video that several clips come from counts once for each.</param>
/// <param name="Hash">
/// SHA-256 in hexadecimal over each clip in order: the names of file and folder, section, labels, length, and the first and
/// last 4096 bytes of the file, or the names and lengths of a folder's files. A changed, exchanged or relabelled clip gives
/// another one; a data set in another place gives the same.
/// </param>
public sealed record SplitFacts(string Name, int Clips, long Bytes, string Hash)
{
    private const int EndBytes = 4096;

    /// <summary>Reads the ends of every file of a split; files that aren't there count with their name alone.</summary>
    /// <param name="name">Its name in the report.</param>
    /// <param name="clips">The clips.</param>
    /// <param name="ct">Stops the reading.</param>
    /// <returns>The facts.</returns>
    public static SplitFacts Of(string name, VideoDataset clips, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(clips);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var ends = new byte[2 * EndBytes];
        long sum = 0;
        foreach (VideoSample sample in clips.Samples)
        {
            ct.ThrowIfCancellationRequested();
            Text($"{Path.GetFileName(Path.GetDirectoryName(sample.Path))}/{Path.GetFileName(sample.Path)} {sample.StartSeconds}-{sample.EndSeconds} {string.Join(',', sample.Labels)}\n");
            try
            {
                if (Directory.Exists(sample.Path))
                {
                    foreach (FileInfo file in new DirectoryInfo(sample.Path).EnumerateFiles().OrderBy(f => f.Name, StringComparer.Ordinal))
                    {
                        Text($"{file.Name}\n");
                        Number(file.Length);
                        sum += file.Length;
                    }
                }
                else if (File.Exists(sample.Path))
                {
                    using var file = new FileStream(sample.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
                    Number(file.Length);
                    sum += file.Length;
                    int read = file.ReadAtLeast(ends.AsSpan(0, EndBytes), EndBytes, throwOnEndOfStream: false);
                    file.Position = Math.Max(read, file.Length - EndBytes);
                    read += file.ReadAtLeast(ends.AsSpan(read, EndBytes), EndBytes, throwOnEndOfStream: false);
                    hash.AppendData(ends.AsSpan(0, read));
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Text($"unreadable\n");
            }
        }

        return new SplitFacts(name, clips.Samples.Count, sum, Convert.ToHexStringLower(hash.GetHashAndReset()));

        void Text(FormattableString text) => hash.AppendData(Encoding.UTF8.GetBytes(FormattableString.Invariant(text)));

        void Number(long value)
        {
            Span<byte> bytes = stackalloc byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
            hash.AppendData(bytes);
        }
    }
}
