using System.Security.Cryptography;
using System.Text.Json;
using Kinora.Testing;

namespace Kinora.Media.Tests;

/// <summary>A recorded file of golden/pipeline; null documents (no reference material) give no theory rows.</summary>
internal static class GoldenFile
{
    private static readonly Dictionary<string, JsonDocument?> Documents = [];

    /// <summary>The root of a file, or null where the reference material is missing.</summary>
    public static JsonElement? Root(string name)
    {
        lock (Documents)
        {
            if (!Documents.TryGetValue(name, out JsonDocument? document))
            {
                string? path = SharedData.Root is null ? null : Path.Combine(SharedData.Root, "golden/pipeline", name);
                document = path is not null && File.Exists(path) ? JsonDocument.Parse(File.ReadAllBytes(path)) : null;
                Documents[name] = document;
            }

            return document?.RootElement;
        }
    }

    /// <summary>The records of a list inside a file; empty where the file or the list is missing.</summary>
    public static IReadOnlyList<JsonElement> Records(string name, string list) =>
        Root(name) is { } root && root.TryGetProperty(list, out JsonElement records) ? [.. records.EnumerateArray()] : [];

    /// <summary>A theory row for each record: its position and a name.</summary>
    public static TheoryData<int, string> Rows(string name, string list, Func<JsonElement, string> describe)
    {
        var rows = new TheoryData<int, string>();
        int i = 0;
        foreach (JsonElement record in Records(name, list))
        {
            rows.Add(i++, describe(record));
        }

        return rows;
    }

    public static int[] Ints(this JsonElement array) => [.. array.EnumerateArray().Select(e => (int)e.GetDouble())];

    public static double[] Doubles(this JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetDouble())];

    public static string Text(this JsonElement record, string member) => record.GetProperty(member).GetString()!;

    public static bool Has(this JsonElement record, string member) => record.TryGetProperty(member, out _);

    public static int Int(this JsonElement record, string member, int otherwise) =>
        record.TryGetProperty(member, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? (int)value.GetDouble() : otherwise;

    public static bool Bool(this JsonElement record, string member, bool otherwise) =>
        record.TryGetProperty(member, out JsonElement value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : otherwise;

    public static string Text(this JsonElement record, string member, string otherwise) =>
        record.TryGetProperty(member, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : otherwise;

    /// <summary>Compares bytes with a recorded uint8 digest.</summary>
    public static void AssertBytes(JsonElement digest, ReadOnlySpan<int> shape, ReadOnlySpan<byte> found)
    {
        Assert.Equal(digest.GetProperty("shape").Ints(), shape.ToArray());
        foreach (JsonElement pixel in digest.GetProperty("px").EnumerateArray())
        {
            int[] p = pixel.Ints();
            int at = ((((p[0] * shape[1]) + p[1]) * shape[2]) + p[2]) * 3;
            Assert.True(
                found[at] == p[3] && found[at + 1] == p[4] && found[at + 2] == p[5],
                $"pixel t={p[0]} y={p[1]} x={p[2]}: expected {p[3]},{p[4]},{p[5]}, found {found[at]},{found[at + 1]},{found[at + 2]}");
        }

        Assert.Equal(digest.Text("sha256"), Convert.ToHexStringLower(SHA256.HashData(found)));
    }

    /// <summary>Compares numbers with a recorded float digest, bit for bit.</summary>
    public static void AssertFloats(JsonElement digest, ReadOnlySpan<int> shape, ReadOnlySpan<float> found)
    {
        Assert.Equal(digest.GetProperty("shape").Ints(), shape.ToArray());
        int[] at = digest.GetProperty("at").Ints();
        double[] values = digest.GetProperty("v").Doubles();
        for (int i = 0; i < at.Length; i++)
        {
            Assert.True(found[at[i]] == (float)values[i], $"value {at[i]}: expected {values[i]:G9}, found {found[at[i]]:G9}");
        }

        Assert.Equal(digest.Text("sha256"), Convert.ToHexStringLower(SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(found))));
    }
}
