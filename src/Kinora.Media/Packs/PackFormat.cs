using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kinora.Media;

/// <summary>In which form a pack keeps frames.</summary>
public enum PackedPixels
{
    /// <summary>[Height, Width, 3] bytes, RGB: large, read without decoding, the very bits of the video.</summary>
    Rgb24,

    /// <summary>One JPEG a frame.</summary>
    Jpeg,
}

/// <summary>The first line of a pack's index: what was asked for. Packs with equal headers hold the same clips in the same form.</summary>
/// <param name="Pixels">Form of the frames.</param>
/// <param name="Quality">JPEG quality, 1 to 100; 0 for <see cref="PackedPixels.Rgb24"/>.</param>
/// <param name="Color">YUV matrix with which videos were decoded.</param>
/// <param name="ShortSide">Short side to which larger frames were resized, in pixels; 0: not resized.</param>
/// <param name="Engine">Whose filter resized them.</param>
/// <param name="Stride">Every how many frames one was kept, 1 or more.</param>
/// <param name="Rate">Frames per second to which faster videos were thinned; 0: not thinned.</param>
/// <param name="ShardBytes">Size at which a new shard was begun.</param>
/// <param name="Classes">Class names in class order.</param>
/// <param name="Parts">The parts of the data set that existed, of train, val and test; none where it wasn't divided.</param>
/// <param name="List">SHA-256 of names, labels, sizes and dates of all sources, in lower-case hexadecimal digits.</param>
public sealed record PackHeader(
    PackedPixels Pixels,
    int Quality,
    ColorMatrix Color,
    int ShortSide,
    ResizeEngine Engine,
    int Stride,
    double Rate,
    long ShardBytes,
    IReadOnlyList<string> Classes,
    IReadOnlyList<string> Parts,
    string List)
{
    /// <summary>Version of the format.</summary>
    public const int CurrentVersion = 1;

    /// <summary>Says what the file is: <c>kinora-pack</c>.</summary>
    [JsonPropertyOrder(-2)]
    public string Format { get; init; } = "kinora-pack";

    /// <summary>Version of the format.</summary>
    [JsonPropertyOrder(-1)]
    public int Version { get; init; } = CurrentVersion;
}

/// <summary>The file or folder that a clip was packed from.</summary>
/// <param name="Bytes">Its size; of a folder, that of its frames together.</param>
/// <param name="Modified">Its date of change, in milliseconds since 1970 UTC.</param>
/// <param name="Sha256">Checksum of its content in lower-case hexadecimal digits; empty where it couldn't be read.</param>
public sealed record PackOrigin(long Bytes, long Modified, string Sha256);

/// <summary>One clip: a line of a pack's index.</summary>
/// <param name="Name">Path of the clip below the pack's folder, with '/' between folders; unique.</param>
/// <param name="Part">train, val, test, or null where the data set wasn't divided.</param>
/// <param name="Labels">Class indices; one or more.</param>
/// <param name="Group">Person or recording that the clip belongs to, where known.</param>
/// <param name="Frames">Number of frames; 0 where <paramref name="Error"/> is set.</param>
/// <param name="Width">Frame width in pixels.</param>
/// <param name="Height">Frame height in pixels.</param>
/// <param name="FramesPerSecond">Frame rate of the packed frames; 0 if unknown.</param>
/// <param name="Shard">Number of the shard that holds it, from 0.</param>
/// <param name="Offset">Where its record begins, in bytes.</param>
/// <param name="Bytes">Length of its record: the frame table, then the frames.</param>
/// <param name="Checksum">CRC-32C of the frame table.</param>
/// <param name="Origin">What it was packed from.</param>
/// <param name="Error">Why it could not be packed; null for a clip that is there.</param>
public sealed record PackEntry(
    string Name,
    string? Part,
    IReadOnlyList<int> Labels,
    string? Group,
    int Frames,
    int Width,
    int Height,
    double FramesPerSecond,
    int Shard,
    long Offset,
    long Bytes,
    uint Checksum,
    PackOrigin Origin,
    string? Error);

/// <summary>The last line of a pack's index.</summary>
/// <param name="Clips">Number of clips.</param>
/// <param name="Shards">Size of each shard in bytes.</param>
/// <param name="Sha256">Checksum of all lines before this one, in lower-case hexadecimal digits.</param>
internal sealed record PackFooter(int Clips, IReadOnlyList<long> Shards, string Sha256);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(PackHeader))]
[JsonSerializable(typeof(PackEntry))]
[JsonSerializable(typeof(PackFooter))]
internal sealed partial class PackJson : JsonSerializerContext;

/// <summary>Writes the lines of an index.</summary>
internal static class PackLines
{
    /// <summary>As <see cref="PackJson.Default"/>, with names in any script as they are.</summary>
    public static PackJson Json { get; } = new(new JsonSerializerOptions(PackJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, TypeInfoResolver = null });
}

/// <summary>Names and sizes of a pack's files.</summary>
internal static class PackLayout
{
    /// <summary>The index; a folder that has one is a pack.</summary>
    public const string IndexName = "kinora-pack.jsonl";

    /// <summary>The index of a pack in the making.</summary>
    public const string JournalName = ".kinora-pack.jsonl.part";

    /// <summary>What is appended to the shard that is being written.</summary>
    public const string Unfinished = ".part";

    public const int MaxSide = 16384;
    public const int MaxFrames = 1 << 20;

    /// <summary>File name of a shard.</summary>
    public static string ShardName(int number) => $"shard-{number:00000}.bin";

    /// <summary>Bytes of the frame table: a checksum a frame, and a length where frames differ in length.</summary>
    public static long TableBytes(PackedPixels pixels, int frames) => (long)frames * (pixels == PackedPixels.Jpeg ? 8 : 4);

    /// <summary>Checks a clip's line against everything that a reader relies on.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static string? Problem(PackHeader header, PackEntry entry)
    {
        // What a line leaves out is null, whatever its type says.
        if (entry.Name is null || entry.Labels is null || entry.Origin is null || !IsSafeName(entry.Name))
        {
            return "expected a name below the pack, labels and an origin";
        }

        if (entry.Labels.Count == 0 || entry.Labels.Any(l => l < 0 || l >= header.Classes.Count))
        {
            return $"expected labels from 0 to {header.Classes.Count - 1}";
        }

        if (entry.Part is not (null or "train" or "val" or "test") || !double.IsFinite(entry.FramesPerSecond) || entry.FramesPerSecond < 0)
        {
            return "expected a part of train, val and test, and a frame rate of 0 or more";
        }

        if (entry.Error is not null)
        {
            return entry.Frames == 0 && entry.Bytes == 0 ? null : "expected no frames of a clip that could not be packed";
        }

        if (entry.Frames is < 1 or > MaxFrames || entry.Width is < 1 or > MaxSide || entry.Height is < 1 or > MaxSide || entry.Shard < 0 || entry.Offset < 0)
        {
            return "expected 1 frame or more, sides from 1 to 16384, and a place from 0";
        }

        long table = TableBytes(header.Pixels, entry.Frames), pixels = (long)entry.Frames * entry.Width * entry.Height * 3;
        return entry.Bytes < table || entry.Bytes > long.MaxValue - entry.Offset || (header.Pixels == PackedPixels.Rgb24 && entry.Bytes != table + pixels)
            ? $"expected a length that fits {entry.Frames} frames of {entry.Width}x{entry.Height}"
            : null;
    }

    private static bool IsSafeName(string name) =>
        name.Length is > 0 and < 4096 && name[0] != '/' && !name.Any(char.IsControl) && name.Split('/').All(p => p is not ("" or "." or ".."));
}
