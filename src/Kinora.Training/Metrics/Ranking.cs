namespace Kinora.Training;

/// <summary>Whether a class is among the best k of a row of scores, decided so that ties and NaN never flatter a network.</summary>
public static class Ranking
{
    /// <summary>
    /// Counts the classes ranked before <paramref name="label"/>: higher scores, equal scores of a lower index, and
    /// every NaN. So exactly k classes are in the top k however many scores are equal.
    /// </summary>
    /// <param name="scores">One score a class.</param>
    /// <param name="label">The class looked for.</param>
    /// <returns>Rank from 0; the number of classes if the label is outside them or its own score is NaN.</returns>
    public static int Of(ReadOnlySpan<double> scores, int label)
    {
        if ((uint)label >= (uint)scores.Length || double.IsNaN(scores[label]))
        {
            return scores.Length;
        }

        double own = scores[label];
        int before = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            bool first = scores[i] > own || double.IsNaN(scores[i]) || (scores[i] == own && i < label);
            before += first ? 1 : 0;
        }

        return before;
    }

    /// <summary>The class with the highest score.</summary>
    /// <param name="scores">One score a class, at least one.</param>
    /// <returns>Its index; the lowest among equals; −1 if any score is NaN.</returns>
    public static int Best(ReadOnlySpan<double> scores)
    {
        int best = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            if (double.IsNaN(scores[i]))
            {
                return -1;
            }

            best = scores[i] > scores[best] ? i : best;
        }

        return best;
    }
}
