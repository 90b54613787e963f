using Kinora.Onnx.Export.Graph;
using static Kinora.Onnx.Export.Graph.GraphBuilder;

namespace Kinora.Paddle.Programs;

/// <summary>Moving elements without changing them, and asking for sizes.</summary>
internal static class ShapeTranslations
{
    private const int MaximumParts = 1 << 12;
    private const int MaximumPadding = 1 << 16;

    public static Dictionary<string, Translation> Table { get; } = new()
    {
        ["shape"] = c => [Sizes(c)],
        ["reshape2"] = Reshaped,
        ["reshape"] = Reshaped,
        ["flatten_contiguous_range"] = c => Flattened(c, c.Int("start_axis", 1), c.Int("stop_axis", 1)),
        ["flatten2"] = FlattenedToMatrix,
        ["unsqueeze2"] = Unsqueezed,
        ["unsqueeze"] = Unsqueezed,
        ["squeeze2"] = Squeezed,
        ["squeeze"] = Squeezed,
        ["transpose2"] = Transposed,
        ["transpose"] = Transposed,
        ["slice"] = c => Sliced(c, strided: false),
        ["strided_slice"] = c => Sliced(c, strided: true),
        ["split"] = Split,
        ["concat"] = Joined,
        ["stack"] = Stacked,
        ["unstack"] = Unstacked,
        ["expand_v2"] = Expanded,
        ["expand_as_v2"] = Expanded,
        ["tile"] = Tiled,
        ["pad"] = PaddedAll,
        ["pad3d"] = Padded,
        ["roll"] = Rolled,
        ["gather"] = c => [new TensorSymbol(Picked(c, c.Tensor("X"), c.Integers("Index"), c.Axis(c.Int("axis", 0), c.Tensor("X").Rank)))],
        ["gather_nd"] = PickedRows,
        ["index_select"] = c => [new TensorSymbol(Picked(c, c.Tensor("X"), c.Integers("Index"), c.Axis(c.Int("dim", 0), c.Tensor("X").Rank)))],
    };

    private static KnownSymbol Sizes(OperatorCall c) => new(c.Tensor("Input").Shape, IsScalar: false, ElementKind.Integer);

    private static Symbol[] Reshaped(OperatorCall c)
    {
        Dimension[] wanted = c.Has("ShapeTensor") ? c.Sizes("ShapeTensor")
            : c.Has("Shape") ? c.Sizes("Shape")
            : Array.ConvertAll(c.Ints("shape"), size => new Dimension(size));
        return [View(c, "X", shape => Fitting(c, shape, wanted))];
    }

    // 0 takes a size over, -1 is what is left.
    private static Dimension[] Fitting(OperatorCall c, Dimension[] from, Dimension[] wanted)
    {
        Dimension[] shape = [.. wanted.Select((size, i) => size is { PerClip: false, Count: 0 } && i < from.Length ? from[i] : size)];
        if (TryFit(from, shape) is { } fitting)
        {
            return fitting;
        }

        // A program for several views at once mentions the frames of all; cut into views, it means those of one.
        if (c.Importer.Cut is { } cut
            && TryFit(from, [.. shape.Select(size => size == new Dimension(cut.Program) ? new Dimension(cut.View) : size)]) is { } ofOneView)
        {
            return ofOneView;
        }

        throw c.Refuse($"{Shapes.Text(from)} can't take the shape {Shapes.Text(wanted)}");
    }

    private static Dimension[]? TryFit(Dimension[] from, Dimension[] shape)
    {
        int open = Array.FindIndex(shape, size => size is { PerClip: false, Count: -1 });
        (long count, int power) = Shapes.Size(from);
        (long known, int knownPower) = Shapes.Size([.. shape.Where((_, i) => i != open)]);
        if (shape.Where((_, i) => i != open).Any(size => size.Count < 1) || known < 1)
        {
            return null;
        }

        if (open < 0)
        {
            return (known, knownPower) == (count, power) ? shape : null;
        }

        return count % known == 0 && power - knownPower is 0 or 1
            ? [.. shape.Select((size, i) => i == open ? new Dimension(count / known, power > knownPower) : size)]
            : null;
    }

    private static Symbol[] Flattened(OperatorCall c, long start, long stop) =>
    [
        View(c, "X", shape =>
        {
            (int first, int last) = (c.Axis(start, shape.Length), c.Axis(stop, shape.Length));
            if (first > last)
            {
                throw c.Refuse($"expected axes in order, found {start} to {stop}");
            }

            (long count, int power) = Shapes.Size(shape.AsSpan()[first..(last + 1)]);
            return power > 1
                ? throw c.Refuse($"{Shapes.Text(shape)} has more than one axis that follows the batch")
                : [.. shape[..first], new Dimension(count, power == 1), .. shape[(last + 1)..]];
        }),
    ];

    // The form of older programs: everything before the axis and everything from it on.
    private static Symbol[] FlattenedToMatrix(OperatorCall c) =>
    [
        View(c, "X", shape =>
        {
            long axis = c.Int("axis", 1);
            if (axis < 1 || axis >= shape.Length)
            {
                throw c.Refuse($"attribute 'axis': expected 1 to {shape.Length - 1}, found {axis}");
            }

            (long rows, int power) = Shapes.Size(shape.AsSpan()[..(int)axis]);
            (long columns, int more) = Shapes.Size(shape.AsSpan()[(int)axis..]);
            return power > 1 || more > 0
                ? throw c.Refuse($"{Shapes.Text(shape)} has an axis that follows the batch behind axis {axis}")
                : [new Dimension(rows, power == 1), columns];
        }),
    ];

    private static Symbol[] Unsqueezed(OperatorCall c)
    {
        long[] axes = AxesOf(c);
        return
        [
            View(c, "X", shape =>
            {
                List<Dimension> widened = [.. shape];
                foreach (long axis in axes)
                {
                    widened.Insert(c.Axis(axis, widened.Count + 1), 1);
                }

                return [.. widened];
            }),
        ];
    }

    private static Symbol[] Squeezed(OperatorCall c)
    {
        long[] axes = AxesOf(c);
        return
        [
            View(c, "X", shape =>
            {
                int[] named = [.. axes.Select(axis => c.Axis(axis, shape.Length)).Distinct()];
                int[] kept = [.. named.Where(axis => !shape[axis].IsOne)];
                if (kept.Length > 0)
                {
                    // PaddlePaddle ignores such axes silently; ONNX refuses the operator, so it has to go.
                    c.Importer.Repairs.Add(new ProgramRepair(
                        c.Operator.ToString(),
                        $"it removes axis {string.Join(", ", kept)} of {Shapes.Text(shape)}, which isn't of size 1; PaddlePaddle ignores that, so the axis stays",
                        Repaired: true));
                }

                return [.. shape.Where((size, axis) => !size.IsOne || (named.Length > 0 && !named.Contains(axis)))];
            }),
        ];
    }

    private static long[] AxesOf(OperatorCall c) => c.Has("AxesTensor") || c.Has("AxesTensorList")
        ? [.. c.Sizes(c.Has("AxesTensor") ? "AxesTensor" : "AxesTensorList").Select(size => Fixed(c, size))]
        : c.Ints("axes", []);

    private static Symbol[] Transposed(OperatorCall c)
    {
        Value x = c.Tensor("X");
        long[] permutation = [.. c.Ints("axis").Select(axis => (long)c.Axis(axis, x.Rank))];
        if (!permutation.Order().SequenceEqual(Enumerable.Range(0, x.Rank).Select(i => (long)i)))
        {
            throw c.Refuse($"attribute 'axis': [{string.Join(", ", permutation)}] is no order of {x.Rank} axes");
        }

        return [new TensorSymbol(Uniform.Read(x) is { } number
            ? Uniform.Of(c.Build, number, [.. permutation.Select(axis => x.Shape[axis])])
            : Transpose(x, permutation))];
    }

    private static Symbol[] Sliced(OperatorCall c, bool strided)
    {
        Symbol symbol = c.Symbol("Input");
        long[] axes = c.Ints("axes");
        Dimension[] starts = Bounds(c, "Start", axes.Length);
        Dimension[] ends = Bounds(c, "End", axes.Length);
        long[] strides = strided ? [.. Bounds(c, "Stride", axes.Length).Select(size => Fixed(c, size))] : [.. axes.Select(_ => 1L)];
        if (strides.Any(step => step is < 1 or > int.MaxValue))
        {
            throw c.Refuse($"expected strides from 1 on, found [{string.Join(", ", strides)}]");
        }

        long[] dropped = c.Ints("decrease_axis", []);
        if (symbol is KnownSymbol known)
        {
            return [SlicedSizes(c, known, axes, starts, ends, strides, dropped.Length > 0)];
        }

        (Value x, ElementKind kind) = symbol is TensorSymbol { Kind: not ElementKind.Truth } tensor
            ? (tensor.Value, tensor.Kind)
            : throw c.Refuse($"{OperatorCall.Describe(symbol)} can't be cut");
        for (int i = 0; i < axes.Length; i++)
        {
            x = Cut(c, x, c.Axis(axes[i], x.Rank), starts[i], ends[i], strides[i]);
        }

        int[] gone = [.. dropped.Select(axis => c.Axis(axis, x.Rank))];
        if (gone.Any(axis => !x.Shape[axis].IsOne))
        {
            throw c.Refuse($"attribute 'decrease_axis': axis {string.Join(", ", gone)} of {Shapes.Text(x.Shape)} isn't of size 1");
        }

        return [new TensorSymbol(gone.Length == 0 ? x : c.Build.Reshape(x, [.. x.Shape.Where((_, axis) => !gone.Contains(axis))]), kind)];
    }

    // Bounds stand in attributes; a tensor, or a list with one number an axis, takes their place where given.
    private static Dimension[] Bounds(OperatorCall c, string which, int count)
    {
        string many = which + "s";
        Dimension[] bounds = c.Has($"{many}Tensor") ? c.Sizes($"{many}Tensor")
            : c.Has($"{many}TensorList") ? c.Sizes($"{many}TensorList")
            : Array.ConvertAll(c.Ints(many.ToLowerInvariant()), bound => new Dimension(bound));
        return bounds.Length == count ? bounds : throw c.Refuse($"expected {count} numbers as {many.ToLowerInvariant()}, found {Shapes.Text(bounds)}");
    }

    private static KnownSymbol SlicedSizes(OperatorCall c, KnownSymbol known, long[] axes, Dimension[] starts, Dimension[] ends, long[] strides, bool toScalar)
    {
        if (known.IsScalar || axes is not [0 or -1])
        {
            throw c.Refuse($"expected axis 0 of a list, found [{string.Join(", ", axes)}]");
        }

        int count = known.Items.Length;
        int start = (int)Clamped(Fixed(c, starts[0]), count);
        int stop = (int)Clamped(Fixed(c, ends[0]), count);
        Dimension[] items = [.. known.Items.Where((_, i) => i >= start && i < stop && (i - start) % strides[0] == 0)];
        return items.Length >= 1 && (!toScalar || items.Length == 1)
            ? known with { Items = items, IsScalar = toScalar }
            : throw c.Refuse($"{start} to {stop} of {OperatorCall.Describe(known)} gives {items.Length} numbers");
    }

    private static Value Cut(OperatorCall c, Value x, int axis, Dimension start, Dimension stop, long step)
    {
        Dimension size = x.Shape[axis];
        if (stop.PerClip)
        {
            // The first so many of each clip's rows, such as one class token a clip.
            bool fits = size.PerClip && start == new Dimension(0) && step == 1 && stop.Count >= 1 && stop.Count <= size.Count;
            if (!fits)
            {
                throw c.Refuse($"{start} to {stop} of axis {axis} of {Shapes.Text(x.Shape)} depends on the batch in a way that can't be written");
            }

            Dimension[] shape = [.. x.Shape];
            shape[axis] = stop;
            return stop == size ? x : Apply("Slice", shape, [x, Integers(0), c.Build.Sizes(stop), Integers(axis), Integers(1)]);
        }

        (long first, long end) = (Fixed(c, start), stop.Count);
        if (size.PerClip)
        {
            return Slice(x, axis, first, end >= int.MaxValue ? long.MaxValue : end, step);
        }

        (first, end) = (Clamped(first, size.Count), Clamped(end, size.Count));
        if (Uniform.Read(x) is { } number && end > first)
        {
            return Uniform.Of(c.Build, number, [.. x.Shape.Select((other, i) => i == axis ? new Dimension((end - first + step - 1) / step) : other)]);
        }

        return step == 1 && PartOf(x, axis, first, end) is var (part, within) ? Slice(part, axis, within, within + end - first) : Slice(x, axis, first, end, step);
    }

    // A piece of something joined along the same axis is a piece of one part, where it lies inside one.
    private static (Value Part, long Start)? PartOf(Value x, int axis, long start, long stop)
    {
        if (x.Producer is not { Operator: "Concat" } joined || joined.Int("axis", 0) != axis)
        {
            return null;
        }

        foreach (Value? part in joined.Inputs)
        {
            long length = part!.Shape[axis].Count;
            if (start >= 0 && stop <= length)
            {
                return (part, start);
            }

            (start, stop) = (start - length, stop - length);
        }

        return null;
    }

    private static Symbol[] Split(OperatorCall c)
    {
        Value x = c.Tensor("X");
        int axis = c.Axis(c.Has("AxisTensor") ? Fixed(c, c.Sizes("AxisTensor")[0]) : c.Int("axis", 0), x.Rank);
        int parts = c.Operator.Results.Count;
        long[] sections = c.Has("SectionsTensorList") ? [.. c.Sizes("SectionsTensorList").Select(size => Fixed(c, size))] : c.Ints("sections", []);
        Dimension size = x.Shape[axis];
        if (sections.Length == 0)
        {
            long number = c.Int("num", 0);
            sections = number == parts && number >= 1 && !size.PerClip && size.Count % number == 0
                ? [.. Enumerable.Repeat(size.Count / number, parts)]
                : throw c.Refuse($"axis {axis} of {Shapes.Text(x.Shape)} can't be split into {number} parts for {parts} variables");
        }

        int open = Array.IndexOf(sections, -1);
        if (open >= 0)
        {
            sections = [.. sections];
            sections[open] = size.Count - sections.Where((_, i) => i != open).Sum();
        }

        if (size.PerClip || sections.Length != parts || parts > MaximumParts || sections.Any(section => section < 1) || sections.Sum() != size.Count)
        {
            throw c.Refuse($"axis {axis} of {Shapes.Text(x.Shape)} can't be split into [{string.Join(", ", sections.Take(8))}] for {parts} variables");
        }

        var results = new Symbol[parts];
        long start = 0;
        for (int i = 0; i < parts; i++)
        {
            results[i] = new TensorSymbol(Slice(x, axis, start, start + sections[i]));
            start += sections[i];
        }

        return results;
    }

    private static Symbol[] Joined(OperatorCall c)
    {
        Symbol[] symbols = c.Symbols("X");
        if (Array.ConvertAll(symbols, OperatorCall.AsKnown) is var known && Array.TrueForAll(known, symbol => symbol is not null))
        {
            if (known.Sum(symbol => (long)symbol!.Items.Length) > MaximumParts)
            {
                throw c.Refuse($"expected at most {MaximumParts} numbers");
            }

            return [new KnownSymbol([.. known.SelectMany(symbol => symbol!.Items)], IsScalar: false, ElementKind.Integer)];
        }

        Value[] parts = c.Tensors("X");
        int rank = parts[0].Rank;
        int axis = c.Axis(c.Has("AxisTensor") ? Fixed(c, c.Sizes("AxisTensor")[0]) : c.Int("axis", 0), rank);
        bool fits = parts.All(part => part.Rank == rank && part.Shape.Zip(parts[0].Shape).Where((_, i) => i != axis).All(pair => pair.First == pair.Second));
        return fits
            ? [new TensorSymbol(Concat(axis, parts))]
            : throw c.Refuse($"{string.Join(" and ", parts.Select(part => Shapes.Text(part.Shape)).Distinct())} can't be joined along axis {axis}");
    }

    private static Symbol[] Stacked(OperatorCall c)
    {
        Symbol[] symbols = c.Symbols("X");
        if (symbols.All(symbol => symbol is KnownSymbol { IsScalar: true }))
        {
            return [new KnownSymbol([.. symbols.SelectMany(symbol => ((KnownSymbol)symbol).Items)], IsScalar: false, ElementKind.Integer)];
        }

        Value[] parts = c.Tensors("X");
        int axis = c.Axis(c.Int("axis", 0), parts[0].Rank + 1);
        if (parts.Any(part => !Shapes.Same(part.Shape, parts[0].Shape)))
        {
            throw c.Refuse($"{string.Join(" and ", parts.Select(part => Shapes.Text(part.Shape)).Distinct())} can't be stacked");
        }

        Dimension[] one = [.. parts[0].Shape[..axis], 1, .. parts[0].Shape[axis..]];
        return [new TensorSymbol(Concat(axis, [.. parts.Select(part => c.Build.Reshape(part, one))]))];
    }

    private static Symbol[] Unstacked(OperatorCall c)
    {
        Value x = c.Tensor("X");
        int axis = c.Axis(c.Int("axis", 0), x.Rank);
        int parts = c.Operator.Outputs.GetValueOrDefault("Y", []).Count;
        return x.Shape[axis] == new Dimension(parts)
            ? [.. Enumerable.Range(0, parts).Select(i => new TensorSymbol(
                c.Build.Reshape(Slice(x, axis, i, i + 1), [.. x.Shape[..axis], .. x.Shape[(axis + 1)..]])))]
            : throw c.Refuse($"axis {axis} of {Shapes.Text(x.Shape)} can't be taken apart into {parts} variables");
    }

    // -1 keeps a size; others repeat an axis of size 1.
    private static Symbol[] Expanded(OperatorCall c)
    {
        Value x = c.Tensor("X");
        Dimension[] wanted = c.Has("Y") ? c.Tensor("Y").Shape
            : c.Has("Shape") ? c.Sizes("Shape")
            : c.Has("expand_shapes_tensor") ? c.Sizes("expand_shapes_tensor")
            : Array.ConvertAll(c.Ints("shape"), size => new Dimension(size));
        int added = wanted.Length - x.Rank;
        Dimension[] shape = [.. wanted.Select((size, i) => size is { PerClip: false, Count: -1 } && i >= added ? x.Shape[i - added] : size)];
        bool fits = added >= 0 && shape.All(size => size.Count >= 1) && x.Shape.Select((size, i) => size.IsOne || size == shape[i + added]).All(ok => ok);
        return fits
            ? [new TensorSymbol(Uniform.Read(x) is { } number ? Uniform.Of(c.Build, number, shape) : c.Build.Expand(x, shape))]
            : throw c.Refuse($"{Shapes.Text(x.Shape)} can't be expanded to {Shapes.Text(wanted)}");
    }

    private static Symbol[] Tiled(OperatorCall c)
    {
        Value x = c.Tensor("X");
        long[] times = c.Has("RepeatTimes") || c.Has("repeat_times_tensor")
            ? [.. c.Sizes(c.Has("RepeatTimes") ? "RepeatTimes" : "repeat_times_tensor").Select(size => Fixed(c, size))]
            : c.Ints("repeat_times");
        if (times.Any(n => n is < 1 or > int.MaxValue))
        {
            throw c.Refuse($"attribute 'repeat_times': expected numbers from 1 on, found [{string.Join(", ", times)}]");
        }

        int rank = Math.Max(times.Length, x.Rank);
        times = [.. Enumerable.Repeat(1L, rank - times.Length), .. times];
        x = c.Build.Reshape(x, [.. Enumerable.Repeat(new Dimension(1), rank - x.Rank), .. x.Shape]);
        for (int axis = 0; axis < rank; axis++)
        {
            if (times[axis] > MaximumParts && !x.Shape[axis].IsOne)
            {
                throw c.Refuse($"attribute 'repeat_times': expected at most {MaximumParts}, found {times[axis]}");
            }

            Dimension[] shape = [.. x.Shape];
            shape[axis] = times[axis];
            x = times[axis] == 1 ? x
                : x.Shape[axis].IsOne ? c.Build.Expand(x, shape)
                : Concat(axis, [.. Enumerable.Repeat(x, (int)times[axis])]);
        }

        return [new TensorSymbol(x)];
    }

    // Two amounts an axis, from the first axis on.
    private static Symbol[] PaddedAll(OperatorCall c)
    {
        Value x = c.Tensor("X");
        long[] amounts = c.Ints("paddings");
        return amounts.Length == 2 * x.Rank && amounts.All(n => n is >= 0 and <= MaximumPadding)
            ? [new TensorSymbol(Pad(x, [.. amounts.Where((_, i) => i % 2 == 0)], [.. amounts.Where((_, i) => i % 2 == 1)], c.Number("pad_value", 0)))]
            : throw c.Refuse($"expected {2 * x.Rank} amounts from 0 to {MaximumPadding}, found [{string.Join(", ", amounts.Take(8))}]");
    }

    // Amounts come from the last spatial axis to the first, in front and behind.
    private static Symbol[] Padded(OperatorCall c)
    {
        Value x = c.Tensor("X");
        if (c.Text("mode", "constant") != "constant")
        {
            throw c.Refuse($"attribute 'mode': expected constant, found '{c.Text("mode")}'");
        }

        long[] amounts = c.Has("Paddings") ? [.. c.Sizes("Paddings").Select(size => Fixed(c, size))] : c.Ints("paddings");
        if (amounts.Length != 6 || x.Rank != 5 || amounts.Any(n => n is < 0 or > MaximumPadding))
        {
            throw c.Refuse($"expected six amounts for volumes, found [{string.Join(", ", amounts.Take(8))}] for {Shapes.Text(x.Shape)}");
        }

        int first = c.Text("data_format", "NCDHW") == "NDHWC" ? 1 : 2;
        var before = new long[5];
        var after = new long[5];
        for (int i = 0; i < 3; i++)
        {
            before[first + 2 - i] = amounts[2 * i];
            after[first + 2 - i] = amounts[(2 * i) + 1];
        }

        return [new TensorSymbol(Pad(x, before, after, c.Number("value", 0)))];
    }

    private static Symbol[] Rolled(OperatorCall c)
    {
        Value x = c.Tensor("X");
        long[] axes = c.Ints("axis");
        long[] shifts = c.Has("ShiftsTensor") ? [.. c.Sizes("ShiftsTensor").Select(size => Fixed(c, size))] : c.Ints("shifts");
        if (axes.Length != shifts.Length || axes.Length == 0)
        {
            throw c.Refuse($"expected one shift an axis, found {shifts.Length} for {axes.Length}");
        }

        for (int i = 0; i < axes.Length; i++)
        {
            int axis = c.Axis(axes[i], x.Rank);
            Dimension size = x.Shape[axis];
            if (size.PerClip)
            {
                throw c.Refuse("it rolls along the axis of the batch");
            }

            long cut = (size.Count - (shifts[i] % size.Count)) % size.Count;
            x = cut == 0 ? x : Concat(axis, Slice(x, axis, cut, long.MaxValue), Slice(x, axis, 0, cut));
        }

        return [new TensorSymbol(x)];
    }

    private static Symbol[] PickedRows(OperatorCall c)
    {
        Literal index = c.Integers("Index");
        return index.Shape.Length > 0 && index.Shape[^1] == 1
            ? [new TensorSymbol(Picked(c, c.Tensor("X"), index.WithShape(index.Shape[..^1]), 0))]
            : throw c.Refuse($"expected indices of the first axis, found [{string.Join(", ", index.Shape)}]");
    }

    private static Value Picked(OperatorCall c, Value x, Literal index, int axis)
    {
        Dimension size = x.Shape[axis];
        if (size.PerClip || index.Longs.Any(i => i < -size.Count || i >= size.Count))
        {
            throw c.Refuse($"expected indices of axis {axis} of {Shapes.Text(x.Shape)}, found others");
        }

        Dimension[] shape = [.. x.Shape[..axis], .. index.Shape.Select(n => new Dimension(n)), .. x.Shape[(axis + 1)..]];
        return Apply("Gather", shape, [x, Constant(index)], ("axis", (long)axis));
    }

    // Another shape over the same elements, of whatever kind they are.
    private static Symbol View(OperatorCall c, string parameter, Func<Dimension[], Dimension[]> shape)
    {
        switch (c.Symbol(parameter))
        {
            case KnownSymbol known:
            {
                Dimension[] to = shape(known.IsScalar ? [] : [known.Items.Length]);
                return to.Length <= 1
                    ? known with { IsScalar = to.Length == 0 }
                    : new TensorSymbol(Constant(c.Integers(parameter).WithShape([.. to.Select(size => Fixed(c, size))])), ElementKind.Integer);
            }

            case TensorSymbol tensor:
            {
                Dimension[] to = shape(tensor.Value.Shape);
                return tensor with
                {
                    Value = Uniform.Read(tensor.Value) is { } number && Shapes.Size(tensor.Value.Shape) == Shapes.Size(to)
                        ? Uniform.Of(c.Build, number, to)
                        : c.Build.Reshape(tensor.Value, to),
                };
            }

            case var other:
                throw c.Refuse($"{OperatorCall.Describe(other)} has no shape");
        }
    }

    private static long Fixed(OperatorCall c, Dimension size) => size.PerClip
        ? throw c.Refuse($"{size} depends on the batch")
        : size.Count;

    private static long Clamped(long index, long count) => Math.Clamp(index < 0 ? index + count : index, 0, count);
}
