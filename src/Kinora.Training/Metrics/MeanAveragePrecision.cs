namespace Kinora.Training;

/// <summary>Average precision of each class, and their mean.</summary>
/// <param name="Mean">Over the classes with positives, in [0, 1]; NaN without any.</param>
/// <param name="OfClass">One number a class, in [0, 1]; null for a class without positives, which the mean leaves out.</param>
/// <param name="Samples">Clips counted.</param>
public sealed record AveragePrecisions(double Mean, IReadOnlyList<double?> OfClass, int Samples)
{
    /// <summary>The classes that no clip has: nothing can be said about them.</summary>
    public IReadOnlyList<int> WithoutPositives => [.. Enumerable.Range(0, OfClass.Count).Where(c => OfClass[c] is null)];
}

/// <summary>
/// Collects the scores of clips that may have several labels. Average precision is the exact sum over all thresholds of
/// precision times the recall gained there, without interpolation. Equal scores pass a threshold together, so the result
/// doesn't depend on the order of clips; a NaN ranks first for a clip that lacks the class and last for one that has it.
/// </summary>
/// <remarks>Not thread-safe. The same definition as scikit-learn's average_precision_score.</remarks>
public sealed class MeanAveragePrecision
{
    private readonly List<(double Score, bool Positive)>[] _ofClass;
    private int _samples;

    /// <summary>Creates an empty collection.</summary>
    /// <param name="classes">Scores a clip.</param>
    public MeanAveragePrecision(int classes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        _ofClass = [.. Enumerable.Range(0, classes).Select(_ => new List<(double, bool)>())];
    }

    /// <summary>Adds one clip.</summary>
    /// <param name="scores">One score a class: logits or probabilities.</param>
    /// <param name="labels">The classes that the clip has, each once or more; may be empty.</param>
    /// <exception cref="ArgumentException">Another number of scores, or a label outside the classes.</exception>
    public void Add(ReadOnlySpan<double> scores, ReadOnlySpan<int> labels)
    {
        if (scores.Length != _ofClass.Length)
        {
            throw new ArgumentException($"expected {_ofClass.Length} scores, one a class, found {scores.Length}", nameof(scores));
        }

        foreach (int label in labels)
        {
            if ((uint)label >= (uint)_ofClass.Length)
            {
                throw new ArgumentException($"expected classes in 0..{_ofClass.Length - 1}, found {label}", nameof(labels));
            }
        }

        for (int c = 0; c < scores.Length; c++)
        {
            bool positive = labels.Contains(c);
            double score = !double.IsNaN(scores[c]) ? scores[c] : positive ? double.NegativeInfinity : double.PositiveInfinity;
            _ofClass[c].Add((score, positive));
        }

        _samples++;
    }

    /// <summary>Adds a clip that can't be read: none of its classes was found.</summary>
    /// <param name="labels">The classes that the clip has.</param>
    public void AddFailure(ReadOnlySpan<int> labels)
    {
        double[] lost = new double[_ofClass.Length];
        Array.Fill(lost, double.NegativeInfinity);
        Add(lost, labels);
    }

    /// <summary>Computes the precisions of what was added so far.</summary>
    /// <returns>The mean and one number a class.</returns>
    public AveragePrecisions Compute()
    {
        double?[] ofClass = [.. _ofClass.Select(AveragePrecision)];
        double[] known = [.. ofClass.OfType<double>()];
        return new AveragePrecisions(known.Length == 0 ? double.NaN : known.Average(), ofClass, _samples);
    }

    private static double? AveragePrecision(List<(double Score, bool Positive)> answers)
    {
        int positives = answers.Count(a => a.Positive);
        if (positives == 0)
        {
            return null;
        }

        double sum = 0;
        int seen = 0, found = 0;
        foreach (IGrouping<double, (double Score, bool Positive)> tied in answers.GroupBy(a => a.Score).OrderByDescending(g => g.Key))
        {
            int gained = tied.Count(a => a.Positive);
            seen += tied.Count();
            found += gained;
            sum += (double)gained * found / seen;
        }

        return sum / positives;
    }
}
