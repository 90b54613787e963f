namespace Kinora.Data;

/// <summary>Divides a data set so that each part has about the same share of every class; the seed decides who goes where.</summary>
public static class StratifiedSplit
{
    /// <summary>Takes a share of every class out of a set.</summary>
    /// <param name="dataset">The set to divide; it isn't changed.</param>
    /// <param name="share">Part of each class to take, in [0, 1).</param>
    /// <param name="seed">Seed; the same seed, samples and share give the same division.</param>
    /// <param name="heldOutName">Name of the part taken out.</param>
    /// <returns>
    /// What stays and what was taken, both in the order of <paramref name="dataset"/>. A class of n clips gives
    /// round(n · share), at least one where n ≥ 3, and always keeps at least one.
    /// </returns>
    public static (VideoDataset Kept, VideoDataset HeldOut) HoldOut(VideoDataset dataset, double share, ulong seed, string heldOutName)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentOutOfRangeException.ThrowIfNegative(share);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(share, 1);
        (VideoDataset kept, VideoDataset[] heldOut) = HoldOut(dataset, [(share, heldOutName)], seed);
        return (kept, heldOut[0]);
    }

    /// <summary>Takes several parts at once; each share refers to the whole class.</summary>
    internal static (VideoDataset Kept, VideoDataset[] HeldOut) HoldOut(VideoDataset dataset, IReadOnlyList<(double Share, string Name)> parts, ulong seed)
    {
        // 0: stays; p + 1: goes to part p.
        var partOf = new int[dataset.Samples.Count];
        foreach (int[] members in Shuffled(dataset, seed, "hold out"))
        {
            int n = members.Length, next = 0;
            for (int p = 0; p < parts.Count; p++)
            {
                double share = parts[p].Share;
                int count = share == 0 ? 0 : Math.Max((int)Math.Floor((n * share) + 0.5), n >= 3 ? 1 : 0);
                for (int stop = Math.Min(next + count, n - 1); next < stop; next++)
                {
                    partOf[members[next]] = p + 1;
                }
            }
        }

        return (Select(dataset, i => partOf[i] == 0, dataset.Name), [.. parts.Select((part, p) => Select(dataset, i => partOf[i] == p + 1, part.Name))]);
    }

    /// <summary>The division of one round of cross-validation.</summary>
    /// <param name="dataset">The set to divide; it isn't changed.</param>
    /// <param name="folds">Number of folds, 2 to the number of samples.</param>
    /// <param name="fold">Which fold is held out, from 0.</param>
    /// <param name="seed">Seed; each sample is held out in exactly one of the folds of a seed.</param>
    /// <returns>Training part and held-out part, both in the order of <paramref name="dataset"/>.</returns>
    /// <remarks>Each class is dealt round the folds, going on where the class before it stopped: fold sizes differ by at most one.</remarks>
    public static (VideoDataset Train, VideoDataset HeldOut) Fold(VideoDataset dataset, int folds, int fold, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentOutOfRangeException.ThrowIfLessThan(folds, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(folds, dataset.Samples.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(fold);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(fold, folds);
        var foldOf = new int[dataset.Samples.Count];
        int next = 0;
        foreach (int[] members in Shuffled(dataset, seed, "folds"))
        {
            foreach (int index in members)
            {
                foldOf[index] = next++ % folds;
            }
        }

        return (
            Select(dataset, i => foldOf[i] != fold, $"{dataset.Name}, without fold {fold + 1} of {folds}"),
            Select(dataset, i => foldOf[i] == fold, $"{dataset.Name}, fold {fold + 1} of {folds}"));
    }

    private static IEnumerable<int[]> Shuffled(VideoDataset dataset, ulong seed, string purpose)
    {
        for (int label = 0; label < dataset.Labels.Count; label++)
        {
            int[] members = [.. Enumerable.Range(0, dataset.Samples.Count).Where(i => dataset.Samples[i].Label == label)];
            new CounterRandom(seed, 0, 0, $"{purpose}: {dataset.Labels[label]}").Shuffle<int>(members);
            yield return members;
        }
    }

    private static VideoDataset Select(VideoDataset dataset, Func<int, bool> chosen, string name) =>
        new([.. dataset.Samples.Where((_, i) => chosen(i))], dataset.Labels, name);
}
