namespace Kinora.Onnx.Export.Graph;

/// <summary>
/// Where the elements of a rearranged tensor come from: for each element of the result the flat index of its source,
/// or -1 for a zero that was put in.
/// </summary>
internal static class ElementMap
{
    /// <summary>Whether a node only moves elements (or puts in zeros).</summary>
    public static bool Moves(Node node) => node.Operator switch
    {
        "Reshape" or "Transpose" or "Slice" or "Concat" or "Expand" => true,
        "Pad" => node.Inputs.Length < 3 || node.Inputs[2] is null or { Literal.Single: 0 },
        _ => false,
    };

    /// <summary>The map of a node with one data operand, for a given batch.</summary>
    /// <param name="node">Any moving node but Concat.</param>
    /// <param name="clips">N.</param>
    public static int[] Of(Node node, long clips)
    {
        Value x = node.Inputs[0]!;
        long[] from = Sizes(x, clips);
        long[] to = Sizes(node.Output, clips);
        long[] strides = Strides(from);
        long offset = 0;
        switch (node.Operator)
        {
            case "Reshape":
                return [.. Enumerable.Range(0, checked((int)from.Aggregate(1L, (a, b) => a * b)))];
            case "Transpose":
                return Walk(to, [.. node.Ints("perm")!.Select(axis => strides[axis])], 0, null);
            case "Slice":
            {
                long[] starts = node.Inputs[1]!.Literal!.Longs;
                long[] axes = node.Inputs[3]!.Literal!.Longs;
                long[] steps = node.Inputs[4]!.Literal!.Longs;
                for (int i = 0; i < axes.Length; i++)
                {
                    long start = starts[i] < 0 ? starts[i] + from[axes[i]] : starts[i];
                    offset += start * strides[axes[i]];
                    strides[axes[i]] *= steps[i];
                }

                return Walk(to, strides, offset, null);
            }

            case "Pad":
            {
                long[] before = node.Inputs[1]!.Literal!.Longs[..from.Length];
                for (int i = 0; i < from.Length; i++)
                {
                    offset -= before[i] * strides[i];
                }

                return Walk(to, strides, offset, (axis, index) => index >= before[axis] && index < before[axis] + from[axis]);
            }

            case "Expand":
            {
                long[] broadcast = new long[to.Length];
                for (int i = 1; i <= from.Length; i++)
                {
                    broadcast[^i] = from[^i] == 1 ? 0 : strides[^i];
                }

                return Walk(to, broadcast, 0, null);
            }

            default:
                throw new InvalidOperationException($"{node.Operator} moves no elements");
        }
    }

    /// <summary>Joins arrays along an axis of their tensors.</summary>
    public static T[] Join<T>(IReadOnlyList<T[]> parts, IReadOnlyList<long[]> shapes, int axis)
    {
        long outer = shapes[0].Take(axis).Aggregate(1L, (a, b) => a * b);
        var joined = new T[parts.Sum(part => part.Length)];
        int at = 0;
        for (long o = 0; o < outer; o++)
        {
            foreach (T[] part in parts)
            {
                int block = checked((int)(part.Length / outer));
                Array.Copy(part, o * block, joined, at, block);
                at += block;
            }
        }

        return joined;
    }

    public static long[] Sizes(Value value, long clips) => [.. value.Shape.Select(size => size.At(clips))];

    /// <summary>Elements from one index to the next along each axis.</summary>
    public static long[] Strides(long[] shape)
    {
        var strides = new long[shape.Length];
        long stride = 1;
        for (int i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= shape[i];
        }

        return strides;
    }

    private static int[] Walk(long[] shape, long[] strides, long offset, Func<int, long, bool>? inside)
    {
        var map = new int[checked((int)shape.Aggregate(1L, (a, b) => a * b))];
        var index = new long[shape.Length];
        int outside = inside is null ? 0 : Enumerable.Range(0, shape.Length).Count(axis => !inside(axis, 0));
        long at = offset;
        for (int i = 0; i < map.Length; i++)
        {
            map[i] = outside > 0 ? -1 : checked((int)at);
            for (int axis = shape.Length - 1; axis >= 0; axis--)
            {
                bool was = inside is null || inside(axis, index[axis]);
                at += strides[axis];
                if (++index[axis] == shape[axis])
                {
                    at -= strides[axis] * shape[axis];
                    index[axis] = 0;
                }

                bool now = inside is null || inside(axis, index[axis]);
                outside += (was ? 1 : 0) - (now ? 1 : 0);
                if (index[axis] != 0)
                {
                    break;
                }
            }
        }

        return map;
    }
}
