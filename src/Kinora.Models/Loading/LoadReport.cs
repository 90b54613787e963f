using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kinora.Models;

/// <summary>One line of a <see cref="LoadReport"/>.</summary>
/// <param name="Name">The tensor's name: the file's for one that is unused, else the family's full name.</param>
/// <param name="Kinora">The network's own name, where there is one.</param>
/// <param name="Expected">Shape that the network needs, in the order of the file's family.</param>
/// <param name="Found">Shape in the file, where it has the tensor.</param>
/// <param name="Note">Why it is all right, or what was done; null for trouble, and for a plain match.</param>
public sealed record ReportedTensor(
    string Name, string? Kinora = null, IReadOnlyList<long>? Expected = null, IReadOnlyList<long>? Found = null, string? Note = null);

/// <summary>What became of every tensor of a file of weights and of every tensor of the network.</summary>
public sealed record LoadReport
{
    private const int Shown = 5;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The file, without its folder.</summary>
    public required string File { get; init; }

    /// <summary>Catalogue name of the network.</summary>
    public required string Network { get; init; }

    /// <summary>Whose names the file has, such as "PaddleVideo".</summary>
    public required string Family { get; init; }

    /// <summary>How its names differ from that family's full names, such as "below Student.".</summary>
    public required string Style { get; init; }

    /// <summary>Taken over as they are, or with exchanged axes where the family stores linear weights the other way round.</summary>
    public required IReadOnlyList<ReportedTensor> Matched { get; init; }

    /// <summary>Fitted to another shape, or copied from a tensor that means the same.</summary>
    public required IReadOnlyList<ReportedTensor> Reshaped { get; init; }

    /// <summary>The network has them, the file doesn't: they keep their initial values.</summary>
    public required IReadOnlyList<ReportedTensor> Missing { get; init; }

    /// <summary>The file has them in a shape that doesn't fit: they keep their initial values.</summary>
    public required IReadOnlyList<ReportedTensor> Misshapen { get; init; }

    /// <summary>The file has them, the network has no place for them.</summary>
    public required IReadOnlyList<ReportedTensor> Unused { get; init; }

    /// <summary>Whether something was found and nothing is wrong that wasn't allowed.</summary>
    public bool Fits => Taken > 0 && Troubles.All(list => list.Tensors.Count == 0);

    /// <summary>Number of tensors that get their values from the file.</summary>
    internal int Taken => Matched.Count + Reshaped.Count;

    private IEnumerable<(string What, List<ReportedTensor> Tensors)> Troubles =>
    [
        ("missing", [.. Missing.Where(t => t.Note is null)]),
        ("misshapen", [.. Misshapen.Where(t => t.Note is null)]),
        ("without a place", [.. Unused.Where(t => t.Note is null)]),
    ];

    /// <summary>The report as JSON, every tensor listed: the form in which checkpoints carry it.</summary>
    /// <returns>One line.</returns>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">The text.</param>
    /// <returns>The report.</returns>
    /// <exception cref="JsonException">Something else.</exception>
    public static LoadReport FromJson(string json) => JsonSerializer.Deserialize<LoadReport>(json, Json) ?? throw new JsonException("null");

    /// <summary>The report for people.</summary>
    /// <param name="full">Every tensor; otherwise counts and the first few of what isn't a plain match.</param>
    /// <returns>Lines.</returns>
    public string ToText(bool full = false)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{File} → {Network}, {Family} names {Style}");
        List("matched", Matched, full ? int.MaxValue : 0);
        List("reshaped", Reshaped, full ? int.MaxValue : Shown);
        List("missing", Missing, full ? int.MaxValue : Shown);
        List("misshapen", Misshapen, full ? int.MaxValue : Shown);
        List("unused", Unused, full ? int.MaxValue : Shown);
        return text.ToString();

        void List(string what, IReadOnlyList<ReportedTensor> tensors, int most)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {what,-9} {tensors.Count,5}");

            // Trouble first: the list may be cut.
            foreach (ReportedTensor tensor in tensors.OrderBy(t => t.Note is null ? 0 : 1).Take(most))
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"    {Describe(tensor)}{(tensor.Note is null ? "" : $" ({tensor.Note})")}");
            }

            if (most > 0 && tensors.Count > most)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"    and {tensors.Count - most} more");
            }
        }
    }

    /// <summary>What is wrong, in one line.</summary>
    /// <returns>Such as "265 matched, 2 missing (such as head.fc.weight [2048, 400])".</returns>
    internal string Summary() => string.Join(", ", Troubles.Where(t => t.Tensors.Count > 0)
        .Select(t => $"{t.Tensors.Count} {t.What} (such as {Describe(t.Tensors[0])})").Prepend($"{Taken} matched"));

    private static string Describe(ReportedTensor tensor) => (tensor.Expected, tensor.Found) switch
    {
        ({ } expected, { } found) when !expected.SequenceEqual(found) => $"{tensor.Name} expected {Shape(expected)}, found {Shape(found)}",
        (var expected, var found) => $"{tensor.Name} {Shape(expected ?? found ?? [])}",
    };

    private static string Shape(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";
}
