namespace Kinora.Training;

/// <summary>
/// Decides whether an epoch's weights replace the best so far. A few dozen validation clips can't tell 0.92 from 0.88:
/// taking the highest accuracy then picks the luckiest epoch, often an early one. So among the epochs whose accuracy
/// lies within one standard error of the highest, the one with the lowest validation loss wins. With many clips the
/// standard error vanishes and the highest accuracy decides.
/// </summary>
/// <remarks>Breiman et al., "Classification and Regression Trees", 1984, section 3.4.3 (the 1-SE rule).</remarks>
internal static class BestEpochRule
{
    /// <summary>Compares an epoch with the best so far.</summary>
    /// <param name="top1">Its validation accuracy, in [0, 1].</param>
    /// <param name="loss">Its validation loss.</param>
    /// <param name="clips">Validation clips.</param>
    /// <param name="highestTop1">Highest accuracy of the epochs before; negative if there is none.</param>
    /// <param name="heldTop1">Accuracy of the best so far.</param>
    /// <param name="heldLoss">Loss of the best so far.</param>
    /// <returns>Whether the epoch becomes the best.</returns>
    public static bool Replaces(double top1, double loss, int clips, double highestTop1, double heldTop1, double heldLoss)
    {
        double highest = Math.Max(highestTop1, top1);
        double floor = highest - StandardError(highest, clips);
        bool heldQualifies = highestTop1 >= 0 && heldTop1 >= floor;
        return top1 >= floor && (!heldQualifies || loss < heldLoss);
    }

    // One more right and one more wrong answer keep the error of a perfect score above zero (Laplace's rule).
    private static double StandardError(double top1, int clips)
    {
        double p = ((top1 * clips) + 1) / (clips + 2);
        return Math.Sqrt(p * (1 - p) / Math.Max(1, clips));
    }
}
