namespace Kinora.Onnx.Export.Graph;

/// <summary>
/// The elements of a constant. Real numbers stay float32 as they come from the network until arithmetic touches
/// them; results are kept in float64 and rounded once, when the file is written.
/// </summary>
internal sealed class Literal
{
    private readonly Array _data;

    private Literal(Array data, long[] shape)
    {
        _data = data;
        Shape = shape;
        if (Count != data.LongLength)
        {
            throw new ShapeException($"constant: expected {Count} elements for [{string.Join(", ", shape)}], found {data.LongLength}");
        }
    }

    public Literal(float[] data, params long[] shape)
        : this((Array)data, shape)
    {
    }

    public Literal(double[] data, params long[] shape)
        : this((Array)data, shape)
    {
    }

    public Literal(long[] data, params long[] shape)
        : this((Array)data, shape)
    {
    }

    /// <summary>Sizes; empty for a scalar.</summary>
    public long[] Shape { get; }

    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, (a, b) => a * b);

    /// <summary>Whether the elements are integers rather than real numbers.</summary>
    public bool IsInteger => _data is long[];

    /// <summary>The elements as float64; the constant's own array where it is one already (don't write to it).</summary>
    public double[] Doubles => _data switch
    {
        double[] doubles => doubles,
        float[] floats => Array.ConvertAll(floats, x => (double)x),
        _ => Array.ConvertAll((long[])_data, x => (double)x),
    };

    /// <summary>The elements as float32, rounded to nearest; the constant's own array where it is one already.</summary>
    public float[] Floats => _data switch
    {
        float[] floats => floats,
        double[] doubles => Array.ConvertAll(doubles, x => (float)x),
        _ => Array.ConvertAll((long[])_data, x => (float)x),
    };

    /// <summary>The elements of an integer constant.</summary>
    public long[] Longs => (long[])_data;

    /// <summary>The only element of a constant with one element.</summary>
    public double Single => Count == 1
        ? _data switch { float[] f => f[0], double[] d => d[0], _ => ((long[])_data)[0] }
        : throw new ShapeException($"constant: expected one element, found [{string.Join(", ", Shape)}]");

    /// <summary>One element, rounded to float32 where it is a real number.</summary>
    /// <param name="index">Flat index.</param>
    public double At(long index) => _data switch { float[] f => f[index], double[] d => (float)d[index], _ => ((long[])_data)[index] };

    /// <summary>The same elements under another shape.</summary>
    public Literal WithShape(params long[] shape) => new(_data, shape);

    /// <summary>A constant of the same kind from other elements.</summary>
    public Literal WithDoubles(double[] data, params long[] shape) =>
        IsInteger ? new(Array.ConvertAll(data, x => (long)x), shape) : new(data, shape);

    /// <summary>Elements picked by flat index, keeping their type; index -1 gives 0.</summary>
    public Literal Pick(int[] indices, params long[] shape)
    {
        var data = Array.CreateInstance(_data.GetType().GetElementType()!, indices.Length);
        switch (_data, data)
        {
            case (float[] from, float[] to):
                Pick(from, to, indices);
                break;
            case (double[] from, double[] to):
                Pick(from, to, indices);
                break;
            default:
                Pick((long[])_data, (long[])data, indices);
                break;
        }

        return new Literal(data, shape);
    }

    private static void Pick<T>(T[] from, T[] to, int[] indices)
    {
        for (int i = 0; i < to.Length; i++)
        {
            to[i] = indices[i] < 0 ? default! : from[indices[i]];
        }
    }
}
