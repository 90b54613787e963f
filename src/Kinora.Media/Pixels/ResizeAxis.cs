namespace Kinora.Media;

/// <summary>
/// The filter of one axis: for each wanted output position the first input position and the integer weights of the
/// inputs from there on. Weights depend on the sizes alone, so they are computed once for all frames of a clip.
/// </summary>
internal sealed class ResizeAxis
{
    /// <summary>Fraction bits of Pillow's weights: 32 minus 8 for the pixel minus 2 for sign and overshoot.</summary>
    public const int PillowBits = 22;

    /// <summary>OpenCV's weights are 16-bit with 11 fraction bits.</summary>
    public const int OpenCvScale = 1 << 11;

    private ResizeAxis(int count, int taps)
    {
        First = new int[count];
        Used = new int[count];
        Taps = taps;
        Weights = new int[count * taps];
    }

    /// <summary>First input position of each output; with OpenCV on the vertical axis it may be −1.</summary>
    public int[] First { get; }

    /// <summary>How many weights of each output are in use.</summary>
    public int[] Used { get; }

    /// <summary>Weights kept for each output; unused ones are zero.</summary>
    public int Taps { get; }

    /// <summary>Weights, [output, Taps].</summary>
    public int[] Weights { get; }

    /// <summary>
    /// Pillow's BILINEAR: a triangle whose base grows with the shrinking factor, normalised, rounded to 22 bits
    /// (Pillow 10.4, libImaging/Resample.c, precompute_coeffs and normalize_coeffs_8bpc).
    /// </summary>
    /// <param name="input">Input length.</param>
    /// <param name="output">Output length.</param>
    /// <param name="start">First output wanted.</param>
    /// <param name="count">Outputs wanted.</param>
    /// <returns>The filter.</returns>
    public static ResizeAxis Pillow(int input, int output, int start, int count)
    {
        double scale = (double)input / output;
        double support = Math.Max(scale, 1.0), inverse = 1.0 / support;
        var raw = new double[((int)Math.Ceiling(support) * 2) + 1];
        int taps = 1;
        for (int i = 0; i < count; i++)
        {
            (int low, int high) = Reach(i);
            taps = Math.Max(taps, high - low);
        }

        var axis = new ResizeAxis(count, taps);
        for (int i = 0; i < count; i++)
        {
            (int low, int high) = Reach(i);
            double center = (start + i + 0.5) * scale, sum = 0;
            for (int t = 0; t < high - low; t++)
            {
                double distance = Math.Abs((t + low - center + 0.5) * inverse);
                raw[t] = distance < 1 ? 1 - distance : 0;
                sum += raw[t];
            }

            axis.First[i] = low;
            axis.Used[i] = high - low;
            for (int t = 0; t < high - low; t++)
            {
                double weight = sum != 0 ? raw[t] / sum : raw[t];
                axis.Weights[(i * taps) + t] = (int)(0.5 + (weight * (1 << PillowBits)));
            }
        }

        return axis;

        (int Low, int High) Reach(int i)
        {
            double center = (start + i + 0.5) * scale;
            return (Math.Max((int)(center - support + 0.5), 0), Math.Min((int)(center + support + 0.5), input));
        }
    }

    /// <summary>
    /// OpenCV's INTER_LINEAR for 8-bit pixels: two taps at half-pixel centres, weights rounded to 11 bits (OpenCV
    /// 4.11, imgproc/resize.cpp). Columns outside the image are folded into the weights; rows outside are repeated, with
    /// both weights kept, because each product is rounded on its own.
    /// </summary>
    /// <param name="input">Input length.</param>
    /// <param name="output">Output length.</param>
    /// <param name="start">First output wanted.</param>
    /// <param name="count">Outputs wanted.</param>
    /// <param name="horizontal">True for columns.</param>
    /// <returns>The filter; Taps is 2.</returns>
    public static ResizeAxis OpenCv(int input, int output, int start, int count, bool horizontal)
    {
        double scale = 1.0 / ((double)output / input);
        var axis = new ResizeAxis(count, 2);
        for (int i = 0; i < count; i++)
        {
            float position = (float)(((start + i + 0.5) * scale) - 0.5);
            int first = (int)MathF.Floor(position);
            float fraction = position - first;
            if (horizontal && (first < 0 || first >= input - 1))
            {
                first = first < 0 ? 0 : input - 1;
                fraction = 0;
            }

            axis.First[i] = first;
            axis.Used[i] = 2;
            axis.Weights[2 * i] = Rounded(1f - fraction);
            axis.Weights[(2 * i) + 1] = Rounded(fraction);
        }

        return axis;

        static int Rounded(float weight) => (int)MathF.Round(weight * OpenCvScale, MidpointRounding.ToEven);
    }
}
