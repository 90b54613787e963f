using Kinora.Onnx.Export.Graph;

namespace Kinora.Paddle.Programs;

/// <summary>Arithmetic with numbers that may be multiples of the number of clips, N, which is at least 1.</summary>
internal static class KnownNumbers
{
    /// <summary>a + b or a − b.</summary>
    /// <exception cref="ShapeException">The result is no multiple of N.</exception>
    public static Dimension Add(Dimension a, Dimension b, int sign) =>
        a.PerClip == b.PerClip ? a with { Count = checked(a.Count + (sign * b.Count)) }
        : b.Count == 0 ? a
        : a.Count == 0 ? b with { Count = sign * b.Count }
        : throw new ShapeException($"{a} {(sign > 0 ? '+' : '-')} {b} is no multiple of the number of clips");

    /// <summary>a · b.</summary>
    /// <exception cref="ShapeException">The result is no multiple of N.</exception>
    public static Dimension Multiply(Dimension a, Dimension b) => a.PerClip && b.PerClip
        ? throw new ShapeException($"{a} · {b} is no multiple of the number of clips")
        : new Dimension(checked(a.Count * b.Count), a.PerClip || b.PerClip);

    /// <summary>a / b, rounded down.</summary>
    /// <exception cref="ShapeException">b is 0, or the result depends on N in another way than as a multiple.</exception>
    public static Dimension Divide(Dimension a, Dimension b)
    {
        if (b.Count == 0)
        {
            throw new ShapeException($"{a} / 0");
        }

        long quotient = (long)Math.Floor((decimal)a.Count / b.Count);
        bool exact = quotient * b.Count == a.Count;
        return a.PerClip == b.PerClip && (!a.PerClip || exact) ? quotient
            : a.PerClip && exact ? new Dimension(quotient, PerClip: true)
            : throw new ShapeException($"{a} / {b} is no multiple of the number of clips");
    }

    /// <summary>Compares two numbers for every N at once.</summary>
    /// <param name="operation">Operator name, such as "greater_than".</param>
    /// <param name="a">Left.</param>
    /// <param name="b">Right.</param>
    /// <returns>1 or 0.</returns>
    /// <exception cref="ShapeException">The answer depends on N.</exception>
    public static Dimension Compare(string operation, Dimension a, Dimension b)
    {
        // a − b is a straight line over N, so N = 1 and its direction tell all of its values.
        double atOne = (double)a.Count - b.Count;
        double slope = (a.PerClip ? a.Count : 0.0) - (b.PerClip ? b.Count : 0.0);
        double least = slope < 0 ? double.NegativeInfinity : atOne;
        double greatest = slope > 0 ? double.PositiveInfinity : atOne;
        bool? greater = least > 0 ? true : greatest <= 0 ? false : null;
        bool? less = greatest < 0 ? true : least >= 0 ? false : null;
        bool? equal = least == 0 && greatest == 0 ? true : least > 0 || greatest < 0 ? false : null;
        bool? answer = operation switch
        {
            "greater_than" => greater,
            "less_equal" => !greater,
            "less_than" => less,
            "greater_equal" => !less,
            "equal" => equal,
            _ => !equal,
        };
        return answer is { } known ? (known ? 1 : 0) : throw new ShapeException($"whether {a} is {operation.Replace('_', ' ')} {b} depends on the number of clips");
    }
}
