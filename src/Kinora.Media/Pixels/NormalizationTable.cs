namespace Kinora.Media;

/// <summary>
/// The normalised value of each byte in each channel. A table is exact in every arithmetic, and on these sizes as
/// fast as computing: two divisions a value cost more than a cached load.
/// </summary>
internal static class NormalizationTable
{
    /// <summary>Levels of a byte.</summary>
    public const int Levels = 256;

    /// <summary>Makes the table.</summary>
    /// <param name="normalization">Statistics and arithmetic.</param>
    /// <returns>[3, 256], red first.</returns>
    public static float[] Create(Normalization normalization)
    {
        var table = new float[3 * Levels];
        Fill(table.AsSpan(0, Levels), normalization.Mean.R, normalization.Std.R);
        Fill(table.AsSpan(Levels, Levels), normalization.Mean.G, normalization.Std.G);
        Fill(table.AsSpan(2 * Levels, Levels), normalization.Mean.B, normalization.Std.B);
        return table;

        void Fill(Span<float> channel, float mean, float std)
        {
            for (int x = 0; x < Levels; x++)
            {
                channel[x] = normalization.Arithmetic switch
                {
                    NormalizationArithmetic.Single => Single(x / normalization.Scale, mean, std),
                    NormalizationArithmetic.Double => (float)(((x / (double)normalization.Scale) - mean) / std),
                    _ => (float)((double)(float)((x / normalization.Scale) - mean) * (1 / (double)std)),
                };
            }
        }

        // The casts keep each step in 32 bits, whatever the compiler may prefer.
        static float Single(float scaled, float mean, float std) => (float)((float)(scaled - mean) / std);
    }
}
