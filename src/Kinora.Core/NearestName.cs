namespace Kinora;

/// <summary>Finds what a misspelt word probably meant, for messages that suggest it.</summary>
public static class NearestName
{
    /// <summary>The known word nearest to a misspelt one.</summary>
    /// <param name="word">What was written.</param>
    /// <param name="known">What would be right.</param>
    /// <returns>The nearest known word, or null when none is near (more than a third of the letters would change).</returns>
    public static string? Find(string word, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(word);
        ArgumentNullException.ThrowIfNull(known);
        (string? name, int distance) = known.Select(k => ((string?)k, Distance(word, k))).DefaultIfEmpty((null, int.MaxValue)).MinBy(k => k.Item2);
        return distance <= Math.Max(2, word.Length / 3) ? name : null;
    }

    /// <summary>Words for a message.</summary>
    /// <param name="word">What was written.</param>
    /// <param name="known">What would be right.</param>
    /// <returns>" (did you mean 'x'?)", or nothing when no word is near.</returns>
    public static string Suggestion(string word, IEnumerable<string> known) =>
        Find(word, known) is { } name ? $" (did you mean '{name}'?)" : "";

    // Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours count one each.
    private static int Distance(string a, string b)
    {
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    d[i, j] = i + j;
                    continue;
                }

                bool same = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]);
                d[i, j] = Math.Min(d[i - 1, j - 1] + (same ? 0 : 1), Math.Min(d[i - 1, j], d[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
                }
            }
        }

        return d[a.Length, b.Length];
    }
}
