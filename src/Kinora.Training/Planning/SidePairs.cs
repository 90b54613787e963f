using System.Text.RegularExpressions;

namespace Kinora.Training;

/// <summary>
/// What mirroring does to class names. "turn left" mirrored is "turn right": training on mirrored clips with the old
/// label teaches the network to ignore the very thing it must tell apart.
/// </summary>
public sealed partial class SidePairs
{
    private readonly int[] _mirrored;

    private SidePairs(int[] mirrored, IReadOnlyList<(int, int)> pairs, IReadOnlyList<int> alone)
    {
        (_mirrored, Pairs, Alone) = (mirrored, pairs, alone);
    }

    /// <summary>Classes that swap when mirrored, each pair once.</summary>
    public IReadOnlyList<(int A, int B)> Pairs { get; }

    /// <summary>Classes that are never mirrored.</summary>
    public IReadOnlyList<int> Alone { get; }

    /// <summary>Whether mirroring keeps every label, so that labels needn't be looked at.</summary>
    public bool KeepsAll => Pairs.Count == 0 && Alone.Count == 0;

    /// <summary>The class of a mirrored clip: one entry a class, −1 where clips are never mirrored.</summary>
    public IReadOnlyList<int> MirroredLabels => _mirrored;

    /// <summary>Finds the classes that name a side.</summary>
    /// <param name="labels">Class names.</param>
    /// <param name="mode">What to do with them.</param>
    /// <returns>The rule for every class.</returns>
    public static SidePairs Find(LabelMap labels, FlipLabels mode)
    {
        ArgumentNullException.ThrowIfNull(labels);
        int[] mirrored = [.. Enumerable.Range(0, labels.Count)];
        var pairs = new List<(int, int)>();
        var alone = new List<int>();
        if (mode == FlipLabels.Keep)
        {
            return new SidePairs(mirrored, pairs, alone);
        }

        Dictionary<string, int> folded = [];
        for (int i = 0; i < labels.Count; i++)
        {
            folded.TryAdd(Words(labels[i]), i);
        }

        for (int i = 0; i < labels.Count; i++)
        {
            string name = Words(labels[i]);
            string partner = Swap(name);
            if (partner == name)
            {
                continue;
            }

            if (mode == FlipLabels.Auto && folded.TryGetValue(partner, out int other) && other != i)
            {
                mirrored[i] = other;
                if (i < other)
                {
                    pairs.Add((i, other));
                }
            }
            else
            {
                mirrored[i] = -1;
                alone.Add(i);
            }
        }

        return new SidePairs(mirrored, pairs, alone);
    }

    /// <summary>Says what was found, for the plan.</summary>
    /// <param name="labels">Class names.</param>
    /// <returns>No, one or two sentences.</returns>
    public IEnumerable<string> Describe(LabelMap labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        if (Pairs.Count > 0)
        {
            yield return $"mirrored clips swap their label: {string.Join(", ", Pairs.Select(p => $"{labels[p.A]} and {labels[p.B]}"))}";
        }

        if (Alone.Count > 0)
        {
            yield return $"never mirrored, because the name says a side: {string.Join(", ", Alone.Select(a => labels[a]))}";
        }
    }

    // Lower case, with a mark where "KickRight" starts its second word.
    private static string Words(string name) => Hump().Replace(name, "$1\u0001$2").ToLowerInvariant();

    private static string Swap(string name) => Side().Replace(name, m => m.Value switch
    {
        "left" => "right",
        "right" => "left",
        "leftward" => "rightward",
        "rightward" => "leftward",
        "leftwards" => "rightwards",
        "rightwards" => "leftwards",
        "clockwise" => "counterclockwise",
        "counterclockwise" or "anticlockwise" => "clockwise",
        _ => m.Value,
    });

    [GeneratedRegex("([a-z])([A-Z])")]
    private static partial Regex Hump();

    // Whole words only: "copyright" and "cleft" name no side.
    [GeneratedRegex("(?<![a-z])(leftwards?|rightwards?|left|right|counterclockwise|anticlockwise|clockwise)(?![a-z])")]
    private static partial Regex Side();
}
