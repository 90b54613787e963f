using System.Globalization;
using System.Text;

namespace Kinora.Tensors;

/// <summary>
/// The checksums that Kinora's safetensors files carry in their metadata: CRC-32C of the rest of the header (the other
/// metadata, then name, type and shape of each tensor), then of each tensor's bytes in their order in the file, each as 8
/// hexadecimal digits.
/// </summary>
internal static class TensorChecksums
{
    /// <summary>Key in the metadata.</summary>
    public const string Key = "kinora.crc32c";

    private const int Digits = 8;

    /// <summary>Computes the text.</summary>
    /// <param name="metadata">The other metadata.</param>
    /// <param name="tensors">The tensors in their order in the file.</param>
    public static string Compute(IEnumerable<KeyValuePair<string, string>> metadata, IReadOnlyList<(string Name, Tensor Value)> tensors)
    {
        var text = new StringBuilder(Digits * (tensors.Count + 1));
        Append(OfHeader(metadata, tensors.Select(t => (t.Name, t.Value.DType, (IReadOnlyList<long>)t.Value.Shape.ToArray()))));
        foreach ((_, Tensor tensor) in tensors)
        {
            Append(Of(tensor));
        }

        return text.ToString();

        void Append(uint checksum) => text.Append(CultureInfo.InvariantCulture, $"{checksum:x8}");
    }

    /// <summary>The checksum of a tensor's bytes in their order in a file.</summary>
    /// <param name="tensor">Any memory format.</param>
    public static uint Of(Tensor tensor)
    {
        uint checksum = 0;
        tensor.CopyBytesTo(bytes => checksum = Crc32C.Append(checksum, bytes));
        return checksum;
    }

    /// <summary>Takes the checksums out of a file's metadata and checks the rest of it.</summary>
    /// <param name="entries">The tensors in their order in the file.</param>
    /// <param name="metadata">The metadata; loses the key.</param>
    /// <returns>Checksums of the tensors; null where the file has none.</returns>
    /// <exception cref="FormatException">They aren't as many as tensors, aren't numbers, or the header isn't what was written.</exception>
    public static Dictionary<string, uint>? Take(IReadOnlyList<SafetensorsEntry> entries, Dictionary<string, string> metadata)
    {
        if (!metadata.Remove(Key, out string? text))
        {
            return null;
        }

        if (text.Length != Digits * (entries.Count + 1) || text.Any(char.IsAsciiLetterUpper))
        {
            throw new FormatException($"expected {entries.Count + 1} checksums, found other text");
        }

        if (Parse(0) != OfHeader(metadata, entries.Select(e => (e.Name, e.DType, e.Shape))))
        {
            throw new FormatException("the header isn't what was written");
        }

        return entries.Select((entry, i) => (entry.Name, Checksum: Parse(i + 1))).ToDictionary(e => e.Name, e => e.Checksum, StringComparer.Ordinal);

        uint Parse(int index) => uint.Parse(text.AsSpan(index * Digits, Digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }

    private static uint OfHeader(IEnumerable<KeyValuePair<string, string>> metadata, IEnumerable<(string Name, DType DType, IReadOnlyList<long> Shape)> tensors)
    {
        IEnumerable<string> texts = metadata.OrderBy(item => item.Key, StringComparer.Ordinal).SelectMany(item => new[] { item.Key, item.Value })
            .Concat(tensors.SelectMany(t => new[] { t.Name, $"{t.DType} {string.Join(',', t.Shape)}" }));
        return texts.Aggregate(0u, (checksum, text) => Crc32C.Append(checksum, Encoding.UTF8.GetBytes($"{text}\0")));
    }
}
