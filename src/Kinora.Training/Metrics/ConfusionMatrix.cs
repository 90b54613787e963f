namespace Kinora.Training;

/// <summary>How often clips of one class were taken for another.</summary>
public sealed class ConfusionMatrix
{
    private readonly int[] _counts;

    /// <summary>Creates a matrix of zeros.</summary>
    /// <param name="classes">Number of classes.</param>
    public ConfusionMatrix(int classes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        Classes = classes;
        _counts = new int[classes * (classes + 1)];
    }

    /// <summary>Number of classes.</summary>
    public int Classes { get; }

    /// <summary>How often <paramref name="actual"/> was taken for <paramref name="predicted"/>.</summary>
    /// <param name="actual">True class.</param>
    /// <param name="predicted">Predicted class.</param>
    public int this[int actual, int predicted] => _counts[(actual * (Classes + 1)) + predicted];

    /// <summary>Clips of a class without an answer: unreadable, or scored with NaN.</summary>
    /// <param name="actual">True class.</param>
    /// <returns>A count.</returns>
    public int Unanswered(int actual) => _counts[(actual * (Classes + 1)) + Classes];

    /// <summary>Clips of a class.</summary>
    /// <param name="actual">True class.</param>
    /// <returns>A count.</returns>
    public int Total(int actual)
    {
        int sum = 0;
        foreach (int count in _counts.AsSpan(actual * (Classes + 1), Classes + 1))
        {
            sum += count;
        }

        return sum;
    }

    /// <summary>Share of a class's clips that were recognised.</summary>
    /// <param name="actual">True class.</param>
    /// <returns>In [0, 1]; NaN if the class has no clip.</returns>
    public double Accuracy(int actual) => Total(actual) is int total and > 0 ? (double)this[actual, actual] / total : double.NaN;

    /// <summary>The mean of the accuracies of the classes that have clips.</summary>
    /// <returns>In [0, 1]; NaN for an empty matrix.</returns>
    public double MeanClassAccuracy()
    {
        double[] accuracies = [.. Enumerable.Range(0, Classes).Select(Accuracy).Where(a => !double.IsNaN(a))];
        return accuracies.Length == 0 ? double.NaN : accuracies.Average();
    }

    /// <summary>Counts one clip.</summary>
    /// <param name="actual">True class.</param>
    /// <param name="predicted">Predicted class, −1 for no answer.</param>
    public void Add(int actual, int predicted)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)actual, (uint)Classes, nameof(actual));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(predicted, Classes);
        _counts[(actual * (Classes + 1)) + (predicted < 0 ? Classes : predicted)]++;
    }
}
