namespace Kinora.Media;

/// <summary>Evenly spaced numbers with numpy's rounding: k·step + start, and the end exactly.</summary>
internal static class Linspace
{
    /// <summary>The point k of <paramref name="count"/> from start to stop, both included.</summary>
    public static double At(double start, double stop, int count, int k)
    {
        if (k == count - 1 && count > 1)
        {
            return stop;
        }

        double delta = stop - start;
        double step = count > 1 ? delta / (count - 1) : 0;

        // numpy divides first where the step underflows to zero; with frame indices that only happens for delta = 0.
        return (k * step) + start;
    }

    /// <summary>All points of non-negative numbers, truncated to integers.</summary>
    public static int[] Truncated(double start, double stop, int count)
    {
        var values = new int[count];
        for (int k = 0; k < count; k++)
        {
            values[k] = (int)At(start, stop, count, k);
        }

        return values;
    }
}
