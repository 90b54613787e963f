using Kinora.Onnx.Export.Graph;

namespace Kinora.Onnx.Export.Recording;

/// <summary>What one call produced: new elements, or a view of a tensor.</summary>
internal readonly record struct Produced(Value? Value, View? View)
{
    public static implicit operator Produced(Value value) => new(value, null);

    public static implicit operator Produced(View view) => new(null, view);
}

/// <summary>Typed access to the arguments of one call, by the names in the operator's schema.</summary>
internal sealed class CallReader(TracedCall call, GraphBuilder builder, Func<TensorId, TensorSlot> slots, Func<TensorId, Dimension[]> shapes)
{
    public TracedCall Call => call;

    public GraphBuilder Build => builder;

    /// <summary>The shape that libtorch gave the call's result.</summary>
    public Dimension[] OutputShape(int output = 0) => shapes(call.Outputs[output]);

    public bool Has(string name) => call.Arguments.Any(a => a.Name == name && a.Value is not null);

    public Value Tensor(string name) => Argument(name) is { } number and not TensorId
        ? GraphBuilder.Number(AsDouble(name, number))
        : Slot(name).Read();

    public Value? OptionalTensor(string name) => Has(name) ? Tensor(name) : null;

    public TensorSlot Slot(string name) => Argument(name) is TensorId id
        ? slots(id)
        : throw Refuse($"argument '{name}' isn't a tensor");

    public Value[] Tensors(string name) => Argument(name) is TensorId?[] ids
        ? [.. ids.Select(id => slots(id ?? throw Refuse($"argument '{name}' has an empty entry")).Read())]
        : throw Refuse($"argument '{name}' isn't a list of tensors");

    /// <summary>An integer that doesn't follow the batch.</summary>
    public long Int(string name) => Argument(name) switch
    {
        Dimension { PerClip: false } size => size.Count,
        bool flag => flag ? 1 : 0,
        _ => throw Refuse($"argument '{name}' is {Text(Argument(name))}; expected a number that doesn't depend on the batch"),
    };

    public long[] Ints(string name) => Argument(name) switch
    {
        Dimension[] sizes => [.. sizes.Select(size => !size.PerClip ? size.Count
            : throw Refuse($"argument '{name}' is {Shapes.Text(sizes)}; expected numbers that don't depend on the batch"))],
        Dimension { PerClip: false } size => [size.Count],
        null => [],
        _ => throw Refuse($"argument '{name}' isn't a list of integers"),
    };

    /// <summary>A list with one entry an axis, where one entry may stand for all.</summary>
    public long[] Ints(string name, int axes, long[]? whenEmpty = null)
    {
        long[] values = Ints(name);
        return values.Length == 0 && whenEmpty is not null ? whenEmpty
            : values.Length == axes ? values
            : values.Length == 1 ? [.. Enumerable.Repeat(values[0], axes)]
            : throw Refuse($"argument '{name}' has {values.Length} entries; expected {axes}");
    }

    /// <summary>Integers where a missing bound or one that equals the axis becomes <see cref="long.MaxValue"/>.</summary>
    public long Bound(string name, Dimension size, long missing) => Argument(name) switch
    {
        null => missing,
        Dimension bound when bound == size => long.MaxValue,
        Dimension { PerClip: false } bound => bound.Count,
        _ => throw Refuse($"argument '{name}' is {Text(Argument(name))} for an axis of size {size}; expected the whole axis or a fixed number"),
    };

    public double Number(string name) => AsDouble(name, Argument(name));

    public double? OptionalNumber(string name) => Has(name) ? Number(name) : null;

    public bool Flag(string name) => Argument(name) is true;

    public string? Text(string name) => Argument(name) as string;

    /// <summary>An axis of a value, counted from the end where negative.</summary>
    public int Axis(string name, int rank) => Axis(Int(name), rank);

    public int Axis(long axis, int rank) => axis >= -rank && axis < Math.Max(rank, 1)
        ? (int)(axis < 0 ? axis + rank : axis)
        : throw Refuse($"axis {axis} of a tensor with {rank} axes");

    /// <summary>Several axes in ascending order; all of them where the argument is empty or None.</summary>
    public long[] Axes(string name, int rank)
    {
        long[] axes = Ints(name);
        return axes.Length == 0
            ? [.. Enumerable.Range(0, rank).Select(i => (long)i)]
            : [.. axes.Select(axis => (long)Axis(axis, rank)).Order()];
    }

    /// <summary>An exception that names the call.</summary>
    public ExportException Refuse(string why) => new($"export: {call}: {why}");

    private object? Argument(string name)
    {
        foreach (TracedArgument argument in call.Arguments)
        {
            if (argument.Name == name)
            {
                return argument.Value;
            }
        }

        throw Refuse($"expected an argument '{name}', found {string.Join(", ", call.Arguments.Select(a => a.Name))}");
    }

    private double AsDouble(string name, object? value) => value switch
    {
        double number => number,
        Dimension { PerClip: false } size => size.Count,
        bool flag => flag ? 1 : 0,
        _ => throw Refuse($"argument '{name}' is {Text(value)}; expected a number that doesn't depend on the batch"),
    };

    private static string Text(object? value) => value switch
    {
        null => "None",
        Dimension[] sizes => Shapes.Text(sizes),
        _ => value.ToString() ?? "",
    };
}
