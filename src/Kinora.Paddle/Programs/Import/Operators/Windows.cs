using Kinora.Onnx.Export.Graph;

namespace Kinora.Paddle.Programs;

/// <summary>The windows of a convolution or pooling over the axes behind the channels.</summary>
/// <param name="Kernel">Sizes.</param>
/// <param name="Stride">Distances.</param>
/// <param name="Dilation">Distances of the cells inside a window.</param>
/// <param name="Before">Padding in front of each axis.</param>
/// <param name="After">Padding behind each axis.</param>
internal sealed record Windows(long[] Kernel, long[] Stride, long[] Dilation, long[] Before, long[] After)
{
    private const long Largest = 1 << 16;

    /// <summary>Padding in ONNX's order: all axes in front, then all behind.</summary>
    public long[] Pads => [.. Before, .. After];

    /// <summary>Reads strides, paddings and dilations of an operator.</summary>
    /// <param name="call">The operator.</param>
    /// <param name="x">What the windows move over, channels first.</param>
    /// <param name="kernel">Sizes.</param>
    /// <param name="dilated">Whether the operator has dilations.</param>
    public static Windows Read(OperatorCall call, Value x, long[] kernel, bool dilated)
    {
        int axes = kernel.Length;
        if (x.Rank != axes + 2 || x.Shape.Skip(1).Any(size => size.PerClip))
        {
            throw call.Refuse($"expected images or volumes with {axes} axes behind the channels, found {Shapes.Text(x.Shape)}");
        }

        long[] stride = Positive(call, "strides", call.Ints("strides", kernel), axes);
        long[] dilation = dilated ? Positive(call, "dilations", call.Ints("dilations", [.. kernel.Select(_ => 1L)]), axes) : [.. kernel.Select(_ => 1L)];
        if (kernel.Any(size => size is < 1 or > Largest))
        {
            throw call.Refuse($"expected kernel sizes from 1 to {Largest}, found [{string.Join(", ", kernel)}]");
        }

        long[] sizes = [.. x.Shape.Skip(2).Select(size => size.Count)];
        (long[] before, long[] after) = Padding(call, sizes, kernel, stride);
        return new Windows(kernel, stride, call.Text("padding_algorithm", "EXPLICIT") == "SAME" ? [.. kernel.Select(_ => 1L)] : dilation, before, after);
    }

    /// <summary>The number of windows along each axis.</summary>
    /// <param name="call">The operator, for messages.</param>
    /// <param name="x">What the windows move over.</param>
    /// <param name="roundUp">Whether a last window that is cut off counts.</param>
    public Dimension[] Count(OperatorCall call, Value x, bool roundUp = false)
    {
        var counts = new Dimension[Kernel.Length];
        for (int i = 0; i < counts.Length; i++)
        {
            long room = x.Shape[i + 2].Count + Before[i] + After[i] - (Dilation[i] * (Kernel[i] - 1)) - 1;
            counts[i] = room >= 0
                ? ((room + (roundUp ? Stride[i] - 1 : 0)) / Stride[i]) + 1
                : throw call.Refuse($"windows of [{string.Join(", ", Kernel)}] don't fit into {Shapes.Text(x.Shape)}");
        }

        return counts;
    }

    /// <summary>The same windows with the cells behind the end that the last one needs: rounding up written as padding.</summary>
    public Windows Padded(Value x, Dimension[] counts) => this with
    {
        After = [.. After.Select((after, i) =>
        {
            long needed = ((counts[i].Count - 1) * Stride[i]) + Kernel[i];
            return after + Math.Max(0, needed - (x.Shape[i + 2].Count + Before[i] + after));
        })],
    };

    /// <summary>Positive numbers, one an axis.</summary>
    public static long[] Positive(OperatorCall call, string name, long[] values, int axes) =>
        values.Length == axes && values.All(value => value is >= 1 and <= Largest)
            ? values
            : throw call.Refuse($"attribute '{name}': expected {axes} numbers from 1 to {Largest}, found [{string.Join(", ", values.Take(8))}]");

    private static (long[] Before, long[] After) Padding(OperatorCall call, long[] sizes, long[] kernel, long[] stride)
    {
        int axes = kernel.Length;
        switch (call.Text("padding_algorithm", "EXPLICIT"))
        {
            case "VALID":
                return (new long[axes], new long[axes]);
            case "SAME":
            {
                long[] total = [.. sizes.Select((size, i) => Math.Max(0, (((size + stride[i] - 1) / stride[i]) - 1) * stride[i] + kernel[i] - size))];
                return ([.. total.Select(n => n / 2)], [.. total.Select(n => n - (n / 2))]);
            }

            case "EXPLICIT":
            {
                // One number an axis, or two, in front and behind.
                long[] paddings = call.Ints("paddings", new long[axes]);
                if ((paddings.Length != axes && paddings.Length != 2 * axes) || paddings.Any(n => n is < 0 or > Largest))
                {
                    throw call.Refuse($"attribute 'paddings': expected {axes} or {2 * axes} numbers from 0 to {Largest}, found [{string.Join(", ", paddings.Take(8))}]");
                }

                return paddings.Length == axes
                    ? (paddings, paddings)
                    : ([.. Enumerable.Range(0, axes).Select(i => paddings[2 * i])], [.. Enumerable.Range(0, axes).Select(i => paddings[(2 * i) + 1])]);
            }

            case var other:
                throw call.Refuse($"padding algorithm '{other}' isn't known; expected EXPLICIT, SAME or VALID");
        }
    }
}
