using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>
/// Collects the scores of a whole data set, one row a view, and answers for exactly its samples: a row that arrives
/// twice (padding, another machine) counts once, one that never arrives is known as missing, and an unreadable clip
/// counts as wrong. Views of a sample are summed in double.
/// </summary>
/// <remarks>Not thread-safe.</remarks>
public sealed class ScoreBoard
{
    private readonly double[] _sums;
    private readonly int[] _labels;
    private readonly int[] _viewsSeen;
    private readonly bool[] _seen;
    private readonly bool[] _failed;

    /// <summary>Creates an empty board.</summary>
    /// <param name="samples">Clips of the data set.</param>
    /// <param name="classes">Scores a row.</param>
    /// <param name="views">Rows a sample.</param>
    public ScoreBoard(int samples, int classes, int views = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(samples);
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(views, 1);
        (Samples, Classes, Views) = (samples, classes, views);
        _sums = new double[(long)samples * classes];
        _labels = new int[samples];
        Array.Fill(_labels, -1);
        _viewsSeen = new int[samples];
        _seen = new bool[(long)samples * views];
        _failed = new bool[samples];
    }

    /// <summary>Clips of the data set.</summary>
    public int Samples { get; }

    /// <summary>Scores a row.</summary>
    public int Classes { get; }

    /// <summary>Rows a sample.</summary>
    public int Views { get; }

    /// <summary>Rows that arrived more than once; they count once.</summary>
    public int Repeats { get; private set; }

    /// <summary>Adds one row.</summary>
    /// <param name="sample">Index of the clip in its data set.</param>
    /// <param name="view">Index of the view, in [0, <see cref="Views"/>).</param>
    /// <param name="label">The clip's class.</param>
    /// <param name="scores">One score a class, logits or probabilities.</param>
    /// <exception cref="ArgumentException">Wrong number of scores, or another label than before for this clip.</exception>
    public void Add(int sample, int view, int label, ReadOnlySpan<float> scores)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)sample, (uint)Samples, nameof(sample));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)view, (uint)Views, nameof(view));
        if (scores.Length != Classes)
        {
            throw new ArgumentException($"expected {Classes} scores, one a class, found {scores.Length}", nameof(scores));
        }

        SetLabel(sample, label);
        ref bool seen = ref _seen[((long)sample * Views) + view];
        if (seen)
        {
            Repeats++;
            return;
        }

        seen = true;
        _viewsSeen[sample]++;
        Span<double> sums = _sums.AsSpan(sample * Classes, Classes);
        for (int i = 0; i < Classes; i++)
        {
            sums[i] += scores[i];
        }
    }

    /// <summary>Notes that a clip can't be read: it counts as wrong.</summary>
    /// <param name="sample">Index of the clip in its data set.</param>
    /// <param name="label">The clip's class.</param>
    public void AddFailure(int sample, int label)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)sample, (uint)Samples, nameof(sample));
        SetLabel(sample, label);
        _failed[sample] = true;
    }

    /// <summary>The sums of a sample's scores over the views that arrived.</summary>
    /// <param name="sample">Index of the clip.</param>
    /// <returns>One sum a class.</returns>
    public ReadOnlySpan<double> Sums(int sample) => _sums.AsSpan(sample * Classes, Classes);

    /// <summary>How many views of a clip arrived.</summary>
    /// <param name="sample">Index of the clip.</param>
    /// <returns>0 to <see cref="Views"/>.</returns>
    public int ViewsSeen(int sample) => _viewsSeen[sample];

    /// <summary>Whether the clip was noted as unreadable.</summary>
    /// <param name="sample">Index of the clip.</param>
    /// <returns>True for an unreadable clip.</returns>
    public bool Failed(int sample) => _failed[sample];

    /// <summary>The clip's class, or −1 if nothing arrived.</summary>
    /// <param name="sample">Index of the clip.</param>
    /// <returns>Class index.</returns>
    public int Label(int sample) => _labels[sample];

    /// <summary>Indices of the clips of which a view is missing and that weren't noted as unreadable.</summary>
    /// <returns>Rising indices.</returns>
    public IReadOnlyList<int> Missing() =>
        [.. Enumerable.Range(0, Samples).Where(i => !_failed[i] && _viewsSeen[i] < Views)];

    /// <summary>Share of the samples whose class is among the k best.</summary>
    /// <param name="k">How many classes count, 1 or more; above the number of classes every readable clip is right.</param>
    /// <returns>In [0, 1]; unreadable and missing clips are wrong; NaN for no samples.</returns>
    public double TopK(int k)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        int right = 0;
        for (int i = 0; i < Samples; i++)
        {
            right += !_failed[i] && _viewsSeen[i] > 0 && Ranking.Of(Sums(i), _labels[i]) < Math.Min(k, Classes) ? 1 : 0;
        }

        return Samples == 0 ? double.NaN : (double)right / Samples;
    }

    /// <summary>What was answered for what was asked.</summary>
    /// <returns>The matrix over all samples; unreadable, missing and NaN answers are in its last column.</returns>
    public ConfusionMatrix Confusion()
    {
        var matrix = new ConfusionMatrix(Classes);
        for (int i = 0; i < Samples; i++)
        {
            if (_labels[i] >= 0)
            {
                matrix.Add(_labels[i], _failed[i] || _viewsSeen[i] == 0 ? -1 : Ranking.Best(Sums(i)));
            }
        }

        return matrix;
    }

    /// <summary>Takes in the rows that other processes have, where each clip went to one of them; then all boards are the same.</summary>
    /// <param name="processes">They make the same call.</param>
    internal void Join(DistributedContext processes)
    {
        if (!processes.IsDistributed)
        {
            return;
        }

        // The others have zeros for what isn't theirs, so sums stay exact.
        const int chunk = 1 << 20;
        for (int start = 0; start < _sums.Length; start += chunk)
        {
            Span<double> part = _sums.AsSpan(start, Math.Min(chunk, _sums.Length - start));
            processes.Sum(part).CopyTo(part);
        }

        var facts = new double[(3 * Samples) + 1];
        for (int i = 0; i < Samples; i++)
        {
            (facts[3 * i], facts[(3 * i) + 1], facts[(3 * i) + 2]) = (_labels[i] + 1, _viewsSeen[i], _failed[i] ? 1 : 0);
        }

        facts[^1] = Repeats;
        facts = processes.Sum(facts);
        for (int i = 0; i < Samples; i++)
        {
            (_labels[i], _viewsSeen[i], _failed[i]) = ((int)facts[3 * i] - 1, (int)facts[(3 * i) + 1], facts[(3 * i) + 2] > 0);
        }

        Repeats = (int)facts[^1];
    }

    private void SetLabel(int sample, int label)
    {
        if ((uint)label >= (uint)Classes)
        {
            throw new ArgumentOutOfRangeException(nameof(label), label, $"expected a class in 0..{Classes - 1}");
        }

        if (_labels[sample] >= 0 && _labels[sample] != label)
        {
            throw new ArgumentException($"clip {sample} came with class {_labels[sample]} and with class {label}", nameof(label));
        }

        _labels[sample] = label;
    }
}
