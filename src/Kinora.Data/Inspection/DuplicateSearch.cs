using System.Collections.Concurrent;

namespace Kinora.Data;

/// <summary>Finds clips that show the same video.</summary>
internal static class DuplicateSearch
{
    /// <summary>Largest <see cref="ClipSignature.Distance"/> of two encodings of one video; docs/data-tools.md says how it was chosen.</summary>
    public const double SameVideo = 0.42;

    /// <summary>Groups equal clips.</summary>
    /// <param name="signatures">One a clip; null for clips that can't be compared.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="ct">Stops the search.</param>
    /// <returns>Groups of two clips or more, by number, in the order of their first members.</returns>
    public static List<List<int>> Find(IReadOnlyList<ClipSignature?> signatures, int workers, CancellationToken ct)
    {
        var pairs = new ConcurrentBag<(int A, int B)>();
        Parallel.For(0, signatures.Count, new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = ct }, a =>
        {
            if (signatures[a] is not { } first)
            {
                return;
            }

            for (int b = a + 1; b < signatures.Count; b++)
            {
                if (signatures[b] is { } second && first.Distance(second) <= SameVideo)
                {
                    pairs.Add((a, b));
                }
            }
        });
        int[] root = [.. Enumerable.Range(0, signatures.Count)];
        foreach ((int a, int b) in pairs)
        {
            int one = Root(a), other = Root(b);
            root[Math.Max(one, other)] = Math.Min(one, other);
        }

        return [.. Enumerable.Range(0, root.Length).GroupBy(Root).Where(g => g.Count() > 1).OrderBy(g => g.Key).Select(g => g.ToList())];

        int Root(int i)
        {
            while (root[i] != i)
            {
                i = root[i];
            }

            return i;
        }
    }
}
