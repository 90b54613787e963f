using System.Buffers;
using System.Collections.Frozen;

namespace Kinora;

/// <summary>The class names of a model, in the order of its logits.</summary>
public sealed class LabelMap
{
    private const int MaxOnStack = 512;

    private readonly string[] _names;
    private readonly FrozenDictionary<string, int> _indices;

    /// <summary>Creates a label map.</summary>
    /// <param name="names">Class names; position is the class index. Names must differ and not be empty.</param>
    /// <exception cref="ConfigException">A name is empty or occurs twice.</exception>
    public LabelMap(IEnumerable<string> names)
    {
        _names = [.. names];
        var indices = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < _names.Length; i++)
        {
            if (string.IsNullOrWhiteSpace(_names[i]))
            {
                throw new ConfigException($"label map: class {i} has an empty name; give every class a name");
            }

            if (!indices.TryAdd(_names[i], i))
            {
                throw new ConfigException($"label map: '{_names[i]}' names class {indices[_names[i]]} and class {i}; names must differ");
            }
        }

        _indices = indices.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>
    /// Whether a clip may have several classes, or none: each score is then a probability of its own (a sigmoid) instead of a share
    /// of one (a softmax).
    /// </summary>
    public bool Independent { get; init; }

    /// <summary>Number of classes.</summary>
    public int Count => _names.Length;

    /// <summary>All names, in class order.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>The name of a class.</summary>
    /// <param name="index">Class index, from 0.</param>
    public string this[int index] => _names[index];

    /// <summary>Names classes by number, for models that come without names.</summary>
    /// <param name="count">Number of classes.</param>
    /// <returns>"class 0", "class 1" and so on.</returns>
    public static LabelMap Numbered(int count) => new(Enumerable.Range(0, count).Select(i => $"class {i}"));

    /// <summary>Finds the index of a class.</summary>
    /// <param name="name">Exact class name.</param>
    /// <param name="index">The class index, if the name is known.</param>
    /// <returns>Whether the name is known.</returns>
    public bool TryGetIndex(string name, out int index) => _indices.TryGetValue(name, out index);

    /// <summary>The most probable classes of one row of logits.</summary>
    /// <param name="logits">One value a class.</param>
    /// <param name="count">How many to return at the most.</param>
    /// <returns>Best first; of equal probabilities the lower index first. NaN logits rank last.</returns>
    public Prediction[] Top(ReadOnlySpan<float> logits, int count)
    {
        if (logits.Length != Count)
        {
            throw new ShapeException($"top classes: expected {Count} logits, one a class, found {logits.Length}");
        }

        // Nothing is allocated beside the result: classifying calls this for every clip.
        if (Count <= MaxOnStack)
        {
            return Top(logits, stackalloc double[Count], stackalloc int[Math.Clamp(count, 0, Count) + 1]);
        }

        double[] probabilities = ArrayPool<double>.Shared.Rent(Count);
        int[] order = ArrayPool<int>.Shared.Rent(Math.Clamp(count, 0, Count) + 1);
        try
        {
            return Top(logits, probabilities.AsSpan(0, Count), order.AsSpan(0, Math.Clamp(count, 0, Count) + 1));
        }
        finally
        {
            ArrayPool<double>.Shared.Return(probabilities);
            ArrayPool<int>.Shared.Return(order);
        }
    }

    // The order has room for one more than is kept: each class is inserted before the last one falls out.
    private Prediction[] Top(ReadOnlySpan<float> logits, Span<double> probabilities, Span<int> order)
    {
        if (Independent)
        {
            Sigmoid(logits, probabilities);
        }
        else
        {
            Softmax(logits, probabilities);
        }

        int kept = order.Length - 1, found = 0;
        for (int i = 0; i < probabilities.Length; i++)
        {
            // Insertion keeps the best first; a later equal doesn't overtake an earlier.
            int at = found;
            while (at > 0 && probabilities[order[at - 1]] < probabilities[i])
            {
                order[at] = order[at - 1];
                at--;
            }

            order[at] = i;
            found = Math.Min(found + 1, kept);
        }

        var top = new Prediction[kept];
        for (int i = 0; i < kept; i++)
        {
            top[i] = new Prediction(order[i], _names[order[i]], (float)probabilities[order[i]]);
        }

        return top;
    }

    private static void Sigmoid(ReadOnlySpan<float> logits, Span<double> probabilities)
    {
        for (int i = 0; i < logits.Length; i++)
        {
            probabilities[i] = float.IsNaN(logits[i]) ? 0 : 1 / (1 + Math.Exp(-(double)logits[i]));
        }
    }

    private static void Softmax(ReadOnlySpan<float> logits, Span<double> probabilities)
    {
        float max = float.NegativeInfinity;
        foreach (float logit in logits)
        {
            max = logit > max ? logit : max;
        }

        double sum = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            probabilities[i] = float.IsNaN(logits[i]) ? 0 : Math.Exp(logits[i] - max);
            sum += probabilities[i];
        }

        foreach (ref double probability in probabilities)
        {
            probability /= sum;
        }
    }
}
