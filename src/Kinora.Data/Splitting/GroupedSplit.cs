namespace Kinora.Data;

/// <summary>
/// Divides a data set so that all clips of a group (a person, a recording) fall into one part, and each part has about its
/// share of every class. The seed decides among equals.
/// </summary>
public static class GroupedSplit
{
    /// <summary>Takes parts out of a set.</summary>
    /// <param name="dataset">The set; it isn't changed.</param>
    /// <param name="groups">The group of each sample; null where each clip stands for itself.</param>
    /// <param name="parts">Share of each part in [0, 1), and its name; together less than 1.</param>
    /// <param name="seed">Seed; the same seed, samples and shares give the same division.</param>
    /// <returns>What stays, and the parts, all in the order of <paramref name="dataset"/>.</returns>
    public static (VideoDataset Kept, IReadOnlyList<VideoDataset> Parts) HoldOut(
        VideoDataset dataset, IReadOnlyList<string?> groups, IReadOnlyList<(double Share, string Name)> parts, ulong seed)
    {
        Check(dataset, groups);
        ArgumentNullException.ThrowIfNull(parts);
        if (parts.Any(p => p.Share is < 0 or >= 1) || parts.Sum(p => p.Share) >= 1)
        {
            throw new ArgumentException($"expected shares from 0 that leave something for training, found {string.Join(" and ", parts.Select(p => p.Share))}", nameof(parts));
        }

        if (groups.All(g => g is null))
        {
            (VideoDataset kept, VideoDataset[] heldOut) = StratifiedSplit.HoldOut(dataset, parts, seed);
            return (kept, heldOut);
        }

        int[] part = Assign(dataset, groups, [1 - parts.Sum(p => p.Share), .. parts.Select(p => p.Share)], seed);
        return (Select(dataset, i => part[i] == 0, dataset.Name), [.. parts.Select((p, number) => Select(dataset, i => part[i] == number + 1, p.Name))]);
    }

    /// <summary>Divides a set into folds of about the same size.</summary>
    /// <param name="dataset">The set; it isn't changed.</param>
    /// <param name="groups">The group of each sample; null where each clip stands for itself.</param>
    /// <param name="folds">Number of folds, 2 to the number of groups.</param>
    /// <param name="seed">Seed.</param>
    /// <returns>For each fold, what is learned from and what is held out; each sample is held out once.</returns>
    /// <exception cref="DatasetException">Fewer groups than folds.</exception>
    public static IReadOnlyList<(VideoDataset Train, VideoDataset HeldOut)> Folds(VideoDataset dataset, IReadOnlyList<string?> groups, int folds, ulong seed)
    {
        Check(dataset, groups);
        ArgumentOutOfRangeException.ThrowIfLessThan(folds, 2);
        int units = groups.Count(g => g is null) + groups.Where(g => g is not null).Distinct(StringComparer.Ordinal).Count();
        if (units < folds)
        {
            throw new DatasetException($"folds: expected at least {folds} groups of clips in '{dataset.Name}', found {units}; use fewer folds or other groups");
        }

        if (groups.All(g => g is null))
        {
            return [.. Enumerable.Range(0, folds).Select(f => StratifiedSplit.Fold(dataset, folds, f, seed))];
        }

        int[] fold = Assign(dataset, groups, [.. Enumerable.Repeat(1.0 / folds, folds)], seed);
        return
        [
            .. Enumerable.Range(0, folds).Select(f => (
                Select(dataset, i => fold[i] != f, $"{dataset.Name}, without fold {f + 1} of {folds}"),
                Select(dataset, i => fold[i] == f, $"{dataset.Name}, fold {f + 1} of {folds}"))),
        ];
    }

    // Large groups first: each goes where it brings the class counts nearest to what the parts shall have.
    private static int[] Assign(VideoDataset dataset, IReadOnlyList<string?> groups, double[] shares, ulong seed)
    {
        int classes = dataset.Labels.Count;
        int[][] members = [.. Enumerable.Range(0, groups.Count).GroupBy(i => groups[i] ?? $"\0{i}", StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => g.ToArray())];
        new CounterRandom(seed, "grouped split").Shuffle<int[]>(members);
        int[] total = dataset.CountPerClass();
        var have = new double[shares.Length, classes];
        double[] clips = new double[shares.Length];
        var assigned = new int[groups.Count];
        foreach (int[] group in members.OrderByDescending(m => m.Length))
        {
            (int Class, int Count)[] counts = [.. group.SelectMany(i => dataset.Samples[i].Labels).GroupBy(l => l).Select(g => (g.Key, g.Count()))];
            int best = -1;
            double least = double.PositiveInfinity;
            for (int p = 0; p < shares.Length; p++)
            {
                if (shares[p] == 0)
                {
                    continue;
                }

                // Growth of Σ (have − want)² / want over the classes of the group, and, with less weight, over all clips.
                double growth = counts.Sum(c => Growth(have[p, c.Class], c.Count, shares[p] * total[c.Class]))
                    + (Growth(clips[p], group.Length, shares[p] * groups.Count) / classes);
                if (growth < least - 1e-12)
                {
                    (best, least) = (p, growth);
                }
            }

            foreach ((int label, int count) in counts)
            {
                have[best, label] += count;
            }

            clips[best] += group.Length;
            foreach (int i in group)
            {
                assigned[i] = best;
            }
        }

        return assigned;

        static double Growth(double have, double added, double want) => added * ((2 * (have - want)) + added) / want;
    }

    private static void Check(VideoDataset dataset, IReadOnlyList<string?> groups)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(groups);
        if (groups.Count != dataset.Samples.Count)
        {
            throw new ArgumentException($"expected a group for each of {dataset.Samples.Count} samples, found {groups.Count}", nameof(groups));
        }
    }

    private static VideoDataset Select(VideoDataset dataset, Func<int, bool> chosen, string name) =>
        new([.. dataset.Samples.Where((_, i) => chosen(i))], dataset.Labels, name);
}
