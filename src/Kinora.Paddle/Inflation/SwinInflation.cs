namespace Kinora.Paddle;

/// <summary>Makes first weights for VideoSwin from a Swin transformer that was trained on images.</summary>
/// <remarks>As PaddleVideo does when it loads such a file.</remarks>
public static class SwinInflation
{
    internal const string PatchWeight = "patch_embed.proj.weight";

    /// <summary>
    /// Inflates. The patch embedding spreads over its frames, so that a still clip gives what its image gives; position
    /// biases repeat for every distance in time.
    /// </summary>
    /// <param name="image">The tensors of the image transformer, with or without the prefix "backbone.". A file of VideoSwin passes unchanged.</param>
    /// <param name="patchFrames">Frames of one patch.</param>
    /// <param name="window">Window of the video network: steps of time, rows, columns.</param>
    /// <returns>The tensors of PaddleVideo's VideoSwin, all but the classifier's and the index tables that are computed.</returns>
    /// <exception cref="CheckpointException">There is no patch embedding, or a table of position biases isn't one.</exception>
    public static IReadOnlyList<NamedArray> ToVideoSwin(IEnumerable<NamedArray> image, int patchFrames, (int Time, int Height, int Width) window)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(patchFrames, 1);
        NamedArray[] given = [.. image.Where(array => !IsLeftOut(array.BareName))];
        NamedArray? patch = Array.Find(given, array => array.BareName == PatchWeight);
        bool isVideo = patch?.Shape.Count == 5;
        if (!isVideo && patch?.Shape.Count != 4)
        {
            throw new CheckpointException(
                $"Swin to VideoSwin: expected {PatchWeight} with 4 axes, found {(patch is null ? "none" : $"[{string.Join(", ", patch.Shape)}]")}; take the weights of a Swin transformer");
        }

        return
        [
            .. given.Select(array => (isVideo ? array
                : array == patch ? Spread(array, patchFrames)
                : array.Name.EndsWith(".relative_position_bias_table", StringComparison.Ordinal) ? Biases(array, window)
                : array).ForBackbone(array.BareName)),
        ];
    }

    // Tables and masks follow from the sizes; the classifier belongs to other classes.
    private static bool IsLeftOut(string name) =>
        name.StartsWith("head.", StringComparison.Ordinal)
        || name.EndsWith("relative_position_index", StringComparison.Ordinal)
        || name.EndsWith("attn_mask", StringComparison.Ordinal);

    /// <summary>Repeats a weight over the frames of a patch, each with its share.</summary>
    internal static NamedArray Spread(NamedArray weight, int frames)
    {
        (long outputs, long inputs, long height, long width) = (weight.Shape[0], weight.Shape[1], weight.Shape[2], weight.Shape[3]);
        int area = checked((int)(height * width));
        var spread = new float[weight.Values.Length * frames];
        for (int i = 0; i < spread.Length; i++)
        {
            spread[i] = weight.Values[(i / (frames * area) * area) + (i % area)] / frames;
        }

        return weight with { Shape = [outputs, inputs, frames, height, width], Values = spread };
    }

    /// <summary>Repeats position biases for every distance in time.</summary>
    internal static NamedArray Biases(NamedArray table, (int Time, int Height, int Width) window)
    {
        (int rows, int columns) = ((2 * window.Height) - 1, (2 * window.Width) - 1);
        int heads = table.Shape is [_, var second] ? checked((int)second) : 0;
        int side = heads == 0 ? 0 : (int)Math.Round(Math.Sqrt(table.Shape[0]));
        bool fits = heads > 0 && table.Shape[0] == rows * columns;
        if (!fits && (heads == 0 || (long)side * side != table.Shape[0]))
        {
            throw new CheckpointException(
                $"Swin to VideoSwin: {table.Name}: expected [{rows * columns}, heads] or another square of distances, found [{string.Join(", ", table.Shape)}]");
        }

        float[] flat = fits ? table.Values : Resized(table.Values, side, rows, columns, heads);
        int times = (2 * window.Time) - 1;
        return table with { Shape = [(long)times * rows * columns, heads], Values = [.. Enumerable.Repeat(flat, times).SelectMany(values => values)] };
    }

    // Cubic convolution with a = −0.75 between the centres of cells, the outermost cells repeated: libtorch's and Paddle's
    // bicubic interpolation without aligned corners.
    private static float[] Resized(float[] table, int side, int rows, int columns, int heads)
    {
        var resized = new float[rows * columns * heads];
        for (int row = 0; row < rows; row++)
        {
            (int top, double[] down) = Taps(row, side, rows);
            for (int column = 0; column < columns; column++)
            {
                (int left, double[] across) = Taps(column, side, columns);
                for (int head = 0; head < heads; head++)
                {
                    double sum = 0;
                    for (int i = 0; i < 16; i++)
                    {
                        int y = Math.Clamp(top + (i / 4), 0, side - 1);
                        int x = Math.Clamp(left + (i % 4), 0, side - 1);
                        sum += down[i / 4] * across[i % 4] * table[(((y * side) + x) * heads) + head];
                    }

                    resized[(((row * columns) + column) * heads) + head] = (float)sum;
                }
            }
        }

        return resized;
    }

    // The first of the four cells around a place, and their weights.
    private static (int First, double[] Weights) Taps(int index, int from, int to)
    {
        const double A = -0.75;
        double place = ((index + 0.5) * from / to) - 0.5;
        double whole = Math.Floor(place);
        double t = place - whole;
        return ((int)whole - 1, [Outer(t + 1), Inner(t), Inner(1 - t), Outer(2 - t)]);

        static double Inner(double x) => ((((A + 2) * x) - (A + 3)) * x * x) + 1;
        static double Outer(double x) => (((((A * x) - (5 * A)) * x) + (8 * A)) * x) - (4 * A);
    }
}
