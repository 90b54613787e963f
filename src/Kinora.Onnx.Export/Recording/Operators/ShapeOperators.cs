using Kinora.Onnx.Export.Graph;
using static Kinora.Onnx.Export.Graph.GraphBuilder;

namespace Kinora.Onnx.Export.Recording;

/// <summary>Moving elements without changing them: views, copies, padding, joining, filling.</summary>
internal static class ShapeOperators
{
    public static Dictionary<string, Operator> Table { get; } = new()
    {
        ["view"] = c => Reshaped(c, surelyView: true),
        ["view_as"] = c => Reshaped(c, surelyView: true),
        ["_unsafe_view"] = c => Reshaped(c, surelyView: true),
        ["_reshape_alias"] = c => Reshaped(c, surelyView: true),
        ["unflatten"] = c => Reshaped(c, surelyView: true),
        ["unsqueeze"] = c => Reshaped(c, surelyView: true),
        ["squeeze"] = c => Reshaped(c, surelyView: true),
        ["reshape"] = c => Reshaped(c, surelyView: false),
        ["reshape_as"] = c => Reshaped(c, surelyView: false),
        ["flatten"] = c => Reshaped(c, surelyView: false),

        ["alias"] = Same,
        ["detach"] = Same,
        ["contiguous"] = MaybeCopied,
        ["to"] = MaybeCopied,
        ["_to_copy"] = Copied,
        ["clone"] = Copied,

        ["permute"] = Permuted,
        ["t"] = c => Transposed(c, 0, 1),
        ["transpose"] = c => Transposed(c, c.Int("dim0"), c.Int("dim1")),
        ["swapaxes"] = c => Transposed(c, c.Int("axis0"), c.Int("axis1")),
        ["slice"] = Sliced,
        ["narrow"] = Narrowed,
        ["select"] = Selected,
        ["split"] = Split,
        ["split_with_sizes"] = Split,
        ["chunk"] = Split,
        ["unbind"] = Unbound,
        ["expand"] = Expanded,
        ["expand_as"] = Expanded,

        ["cat"] = c => [Concat(c.Axis("dim", c.Tensors("tensors")[0].Rank), [.. c.Tensors("tensors").Where(part => part.Shape is not [{ Count: 0 }])])],
        ["concat"] = c => [Concat(c.Axis("dim", c.Tensors("tensors")[0].Rank), c.Tensors("tensors"))],
        ["stack"] = Stacked,
        ["constant_pad_nd"] = Padded,
        ["pad"] = Padded,
        ["roll"] = Rolled,
        ["flip"] = Flipped,
        ["index_select"] = Indexed,
        ["repeat"] = Repeated,

        ["zeros"] = c => Filled(c, 0),
        ["new_zeros"] = c => Filled(c, 0),
        ["zeros_like"] = c => Filled(c, 0),
        ["zero"] = c => [Number(0)],
        ["ones"] = c => Filled(c, 1),
        ["new_ones"] = c => Filled(c, 1),
        ["ones_like"] = c => Filled(c, 1),
        ["full"] = c => Filled(c, c.Number("fill_value")),
        ["new_full"] = c => Filled(c, c.Number("fill_value")),
        ["full_like"] = c => Filled(c, c.Number("fill_value")),
        ["fill"] = c => [c.Tensor("value")],
        ["copy"] = c => [c.Tensor("src")],

        // Fresh memory holds anything, so zeros are as right as any other content.
        ["empty"] = c => Filled(c, 0),
        ["new_empty"] = c => Filled(c, 0),
        ["empty_like"] = c => Filled(c, 0),
    };

    private static Produced[] Reshaped(CallReader c, bool surelyView)
    {
        TensorSlot from = c.Slot("self");
        Dimension[] shape = c.OutputShape();
        Dimension[] before = from.Read().Shape;
        return
        [
            new View(from, x => c.Build.Reshape(x, shape), surelyView ? (_, written) => c.Build.Reshape(written, before) : null),
        ];
    }

    private static Produced[] Same(CallReader c) => [new View(c.Slot("self"), x => x, (_, written) => written)];

    private static Produced[] MaybeCopied(CallReader c) => [new View(c.Slot("self"), x => x, null)];

    private static Produced[] Copied(CallReader c) => [c.Tensor("self")];

    private static Produced[] Permuted(CallReader c)
    {
        TensorSlot from = c.Slot("self");
        int rank = from.Read().Rank;
        return [Permuted(from, [.. c.Ints("dims").Select(axis => (long)c.Axis(axis, rank))])];
    }

    private static Produced[] Transposed(CallReader c, long first, long second)
    {
        TensorSlot from = c.Slot("self");
        int rank = from.Read().Rank;
        long[] permutation = [.. Enumerable.Range(0, rank).Select(i => (long)i)];
        (int a, int b) = rank == 0 ? (0, 0) : (c.Axis(Math.Min(first, rank - 1), rank), c.Axis(Math.Min(second, rank - 1), rank));
        if (rank > 0)
        {
            (permutation[a], permutation[b]) = (permutation[b], permutation[a]);
        }

        return [Permuted(from, permutation)];
    }

    private static View Permuted(TensorSlot from, long[] permutation)
    {
        long[] inverse = [.. permutation.Select((axis, i) => (axis, i)).OrderBy(pair => pair.axis).Select(pair => (long)pair.i)];
        return new View(from, x => Transpose(x, permutation), (_, written) => Transpose(written, inverse));
    }

    private static Produced[] Sliced(CallReader c)
    {
        TensorSlot from = c.Slot("self");
        Value x = from.Read();
        int axis = c.Axis("dim", x.Rank);
        return [Window(from, axis, c.Bound("start", x.Shape[axis], 0), c.Bound("end", x.Shape[axis], long.MaxValue), c.Int("step"))];
    }

    private static Produced[] Narrowed(CallReader c)
    {
        TensorSlot from = c.Slot("self");
        Value x = from.Read();
        int axis = c.Axis("dim", x.Rank);
        long start = c.Int("start");
        start = start < 0 && !x.Shape[axis].PerClip ? start + x.Shape[axis].Count : start;
        long length = c.Bound("length", x.Shape[axis], 0);
        return [Window(from, axis, start, length == long.MaxValue ? length : start + length)];
    }

    private static Produced[] Selected(CallReader c)
    {
        TensorSlot from = c.Slot("self");
        Value x = from.Read();
        return [Element(c, from, c.Axis("dim", x.Rank), c.Int("index"))];
    }

    private static Produced[] Unbound(CallReader c)
    {
        TensorSlot from = c.Slot("self");
        int axis = c.Axis("dim", from.Read().Rank);
        return [.. c.Call.Outputs.Select((_, i) => (Produced)Element(c, from, axis, i))];
    }

    // The parts' sizes are those that libtorch returned.
    private static Produced[] Split(CallReader c)
    {
        TensorSlot from = c.Slot("self");
        int axis = c.Axis("dim", from.Read().Rank);
        var parts = new Produced[c.Call.Outputs.Count];
        long start = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            Dimension size = c.OutputShape(i)[axis];
            bool whole = size == from.Read().Shape[axis];
            if (size.PerClip && !whole)
            {
                throw c.Refuse("it splits the axis of the batch");
            }

            parts[i] = Window(from, axis, start, whole ? long.MaxValue : start + size.Count);
            start += size.Count;
        }

        return parts;
    }

    private static View Element(CallReader c, TensorSlot from, int axis, long index)
    {
        View window = Window(from, axis, index, index == -1 ? long.MaxValue : index + 1);
        Dimension[] kept = window.Forward(from.Read()).Shape;
        Dimension[] shape = [.. kept.Where((_, i) => i != axis)];
        return new View(from, x => c.Build.Reshape(window.Forward(x), shape), (x, written) => window.Backward!(x, c.Build.Reshape(written, kept)));
    }

    private static View Window(TensorSlot from, int axis, long start, long stop, long step = 1) => new(
        from,
        x => Slice(x, axis, start, stop, step),
        (x, written) =>
        {
            if (Shapes.Same(x.Shape, written.Shape))
            {
                return written;
            }

            if (step != 1)
            {
                throw new ShapeException("export: writing in place into every n-th element isn't supported");
            }

            Value before = Slice(x, axis, 0, start);
            Value after = stop == long.MaxValue ? Slice(x, axis, 0, 0) : Slice(x, axis, stop, long.MaxValue);
            return Concat(axis, [.. new[] { before, written, after }.Where(part => part.Shape[axis].Count > 0)]);
        });

    private static Produced[] Expanded(CallReader c)
    {
        Dimension[] shape = c.OutputShape();
        return [new View(c.Slot("self"), x => c.Build.Expand(x, shape), null)];
    }

    private static Produced[] Stacked(CallReader c)
    {
        Dimension[] shape = c.OutputShape();
        int axis = c.Axis("dim", shape.Length);
        Dimension[] one = [.. shape.Select((size, i) => i == axis ? new Dimension(1) : size)];
        return [Concat(axis, [.. c.Tensors("tensors").Select(part => c.Build.Reshape(part, one))])];
    }

    // libtorch lists amounts from the last axis to the first; negative ones cut.
    private static Produced[] Padded(CallReader c)
    {
        if (c.Call.Arguments.Any(a => a.Name == "mode" && a.Value is not "constant"))
        {
            throw c.Refuse($"expected the mode constant, found {c.Text("mode")}");
        }

        Value x = c.Tensor("self");
        long[] amounts = c.Ints("pad");
        var before = new long[x.Rank];
        var after = new long[x.Rank];
        for (int i = 0; i < amounts.Length / 2; i++)
        {
            before[x.Rank - 1 - i] = amounts[2 * i];
            after[x.Rank - 1 - i] = amounts[(2 * i) + 1];
        }

        return [Pad(x, before, after, c.Has("value") ? c.Number("value") : 0)];
    }

    private static Produced[] Rolled(CallReader c)
    {
        Value x = c.Tensor("self");
        long[] shifts = c.Ints("shifts");
        long[] axes = c.Ints("dims");
        if (axes.Length != shifts.Length)
        {
            throw c.Refuse("rolling the flattened tensor isn't supported; give one axis a shift");
        }

        for (int i = 0; i < axes.Length; i++)
        {
            int axis = c.Axis(axes[i], x.Rank);
            Dimension size = x.Shape[axis];
            if (size.PerClip)
            {
                throw c.Refuse("it rolls along the axis of the batch");
            }

            long cut = ((size.Count - shifts[i]) % size.Count + size.Count) % size.Count;
            x = cut == 0 ? x : Concat(axis, Slice(x, axis, cut, long.MaxValue), Slice(x, axis, 0, cut));
        }

        return [x];
    }

    private static Produced[] Flipped(CallReader c)
    {
        Value x = c.Tensor("self");
        foreach (long axis in c.Axes("dims", x.Rank))
        {
            if (x.Shape[axis].PerClip)
            {
                throw c.Refuse("it reverses the axis of the batch");
            }

            long[] reversed = [.. Enumerable.Range(0, (int)x.Shape[axis].Count).Select(i => x.Shape[axis].Count - 1 - i)];
            x = Apply("Gather", x.Shape, [x, Integers(reversed)], ("axis", axis));
        }

        return [x];
    }

    private static Produced[] Indexed(CallReader c)
    {
        Value index = c.Tensor("index");
        return !index.IsInteger
            ? throw c.Refuse("expected indices that are known integers")
            : [Apply("Gather", c.OutputShape(), [c.Tensor("self"), index], ("axis", (long)c.Axis("dim", c.Tensor("self").Rank)))];
    }

    private static Produced[] Repeated(CallReader c)
    {
        Value x = c.Tensor("self");
        long[] times = c.Ints("repeats");
        Dimension[] padded = [.. Enumerable.Repeat(new Dimension(1), times.Length - x.Rank), .. x.Shape];
        x = c.Build.Reshape(x, padded);
        for (int axis = 0; axis < times.Length; axis++)
        {
            x = Concat(axis, [.. Enumerable.Repeat(x, checked((int)times[axis]))]);
        }

        return [x];
    }

    private static Produced[] Filled(CallReader c, double value) => [c.Build.Fill(value, c.OutputShape())];
}
