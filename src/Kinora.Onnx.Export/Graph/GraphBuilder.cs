namespace Kinora.Onnx.Export.Graph;

/// <summary>Creates nodes with the shapes of their results.</summary>
/// <param name="input">The network's input; its first size is N.</param>
internal sealed class GraphBuilder(Value input)
{
    public Value Input => input;

    /// <summary>A node of any kind whose result has a known shape.</summary>
    public static Value Apply(string op, ReadOnlySpan<Dimension> shape, Value?[] inputs, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        // Of these operators the result has the elements' type; integers are indices, sizes and axes.
        bool keepsType = op is "Add" or "Sub" or "Mul" or "Concat" or "Reshape" or "Transpose" or "Slice" or "Expand" or "Gather";
        var output = new Value(shape.ToArray(), op == "Shape" || (keepsType && inputs[0]!.IsInteger));
        var node = new Node { Operator = op, Inputs = inputs, Outputs = [output] };
        foreach ((string name, object value) in attributes)
        {
            node.Attributes[name] = value;
        }

        output.Producer = node;
        return output;
    }

    public static Value Constant(Literal literal, string? name = null) =>
        new([.. literal.Shape.Select(size => new Dimension(size))], literal.IsInteger) { Literal = literal, Name = name };

    public static Value Number(double value) => Constant(new Literal([value]));

    public static Value Integers(params long[] values) => Constant(new Literal(values, values.Length));

    public static Value Unary(string op, Value x, params ReadOnlySpan<(string Name, object Value)> attributes) =>
        Apply(op, x.Shape, [x], attributes);

    public static Value Binary(string op, Value a, Value b) => Apply(op, Shapes.Broadcast(a.Shape, b.Shape), [a, b]);

    public static Value Clip(Value x, double? low, double? high) => low is null && high is null
        ? x
        : Apply("Clip", x.Shape, high is { } top
            ? [x, low is { } bottom ? Number(bottom) : null, Number(top)]
            : [x, Number(low!.Value)]);

    /// <summary>Another shape over the same elements in the same order.</summary>
    /// <exception cref="ShapeException">Another number of elements.</exception>
    public Value Reshape(Value x, params Dimension[] shape)
    {
        if (Shapes.Size(x.Shape) != Shapes.Size(shape))
        {
            throw new ShapeException($"export: {Shapes.Text(x.Shape)} can't take the shape {Shapes.Text(shape)}");
        }

        return Shapes.Same(x.Shape, shape) ? x : Apply("Reshape", shape, [x, ReshapeSizes(x, shape)]);
    }

    public static Value Transpose(Value x, params long[] permutation) =>
        permutation.Select((axis, i) => axis == i).All(same => same)
            ? x
            : Apply("Transpose", [.. permutation.Select(axis => x.Shape[axis])], [x], ("perm", permutation));

    /// <summary>Elements start, start + step … below stop along one axis.</summary>
    /// <param name="x">Operand.</param>
    /// <param name="axis">From 0.</param>
    /// <param name="start">From 0; negative counts from the end.</param>
    /// <param name="stop">Exclusive; beyond the end means the end.</param>
    /// <param name="step">At least 1.</param>
    public static Value Slice(Value x, int axis, long start, long stop, long step = 1)
    {
        Dimension size = x.Shape[axis];
        Dimension taken;
        if (size.PerClip)
        {
            bool whole = start == 0 && stop == long.MaxValue && size.Count % step == 0;
            bool fixedCount = start >= 0 && stop >= start && stop <= size.Count;
            taken = whole ? size with { Count = size.Count / step }
                : fixedCount ? (stop - start + step - 1) / step
                : throw new ShapeException(
                    $"export: [{start}, {stop}) with step {step} of axis {axis} of {Shapes.Text(x.Shape)} depends on the batch in a way that isn't a multiple of N");
        }
        else
        {
            start = Math.Clamp(start < 0 ? start + size.Count : start, 0, size.Count);
            stop = Math.Clamp(stop < 0 ? stop + size.Count : stop, start, size.Count);
            taken = (stop - start + step - 1) / step;
        }

        if (taken == size)
        {
            return x;
        }

        Dimension[] shape = [.. x.Shape];
        shape[axis] = taken;
        return Apply("Slice", shape, [x, Integers(start), Integers(stop), Integers(axis), Integers(step)]);
    }

    public static Value Concat(int axis, params Value[] parts)
    {
        if (parts.Length == 1)
        {
            return parts[0];
        }

        Dimension[] shape = [.. parts[0].Shape];
        shape[axis] = parts.Skip(1).Aggregate(shape[axis], (sum, part) => part.Shape[axis].PerClip == sum.PerClip
            ? sum with { Count = sum.Count + part.Shape[axis].Count }
            : throw new ShapeException($"export: joining {sum} and {part.Shape[axis]} along axis {axis} gives no multiple of N"));
        return Apply("Concat", shape, [.. parts], ("axis", (long)axis));
    }

    /// <summary>Adds constant elements around the axes; negative amounts cut elements off.</summary>
    public static Value Pad(Value x, long[] before, long[] after, double value = 0)
    {
        if (before.All(n => n == 0) && after.All(n => n == 0))
        {
            return x;
        }

        Dimension[] shape = [.. x.Shape.Select((size, i) => before[i] + after[i] == 0 ? size
            : size.PerClip ? throw new ShapeException($"export: padding axis {i} of {Shapes.Text(x.Shape)} gives no multiple of N")
            : new Dimension(size.Count + before[i] + after[i]))];
        return Apply("Pad", shape, [x, Integers([.. before, .. after]), Number(value)], ("mode", "constant"));
    }

    /// <summary>ReduceMean, ReduceSum, ReduceMax over some axes.</summary>
    public static Value Reduce(string op, Value x, long[] axes, bool keep)
    {
        List<Dimension> shape = [];
        for (int i = 0; i < x.Rank; i++)
        {
            if (!axes.Contains(i))
            {
                shape.Add(x.Shape[i]);
            }
            else if (x.Shape[i].PerClip)
            {
                throw new ShapeException($"export: {op} over axis {i} of {Shapes.Text(x.Shape)} would mix the clips of a batch");
            }
            else if (keep)
            {
                shape.Add(1);
            }
        }

        return Apply(op, [.. shape], [x], ("axes", axes), ("keepdims", keep ? 1L : 0L));
    }

    /// <summary>Repeats size-1 axes until the shape is reached.</summary>
    public Value Expand(Value x, params Dimension[] shape)
    {
        if (Shapes.Same(x.Shape, shape))
        {
            return x;
        }

        // Expand broadcasts both ways, so an axis that already has its size needs no mention of N.
        int added = shape.Length - x.Rank;
        Dimension[] target = [.. shape.Select((size, i) => i >= added && x.Shape[i - added] == size && size.PerClip ? 1 : size)];
        return Apply("Expand", shape, [x, Sizes(target)]);
    }

    /// <summary>A value filled with one number.</summary>
    public Value Fill(double value, params Dimension[] shape) =>
        shape.Any(size => size.PerClip)
            ? Expand(Constant(new Literal([value], [.. shape.Select(_ => 1L)])), shape)
            : Constant(new Literal(Enumerable.Repeat(value, checked((int)Shapes.Size(shape).Count)).ToArray(), [.. shape.Select(size => size.Count)]));

    /// <summary>Sizes as a vector of int64, computed from the input's batch where they depend on it.</summary>
    public Value Sizes(params Dimension[] shape)
    {
        if (!shape.Any(size => size.PerClip))
        {
            return Integers([.. shape.Select(size => size.Count)]);
        }

        Value clips = Apply("Shape", [1], [input], ("start", 0L), ("end", 1L));
        return Concat(0, [.. shape.Select(size => !size.PerClip ? Integers(size.Count)
            : size.Count == 1 ? clips
            : Apply("Mul", [1], [clips, Integers(size.Count)]))]);
    }

    /// <summary>The target of a Reshape: -1 for the size that depends on N, 0 for sizes taken over from the operand.</summary>
    private Value ReshapeSizes(Value x, Dimension[] shape)
    {
        int[] open = [.. Enumerable.Range(0, shape.Length).Where(i => shape[i].PerClip)];
        int[] kept = open.Length < 2 ? [] : [.. open.Where(i => i < x.Rank && x.Shape[i] == shape[i])];
        open = [.. open.Except(kept)];
        return open.Length > 1
            ? Sizes(shape)
            : Integers([.. shape.Select((size, i) => kept.Contains(i) ? 0 : size.PerClip ? -1 : size.Count)]);
    }
}
