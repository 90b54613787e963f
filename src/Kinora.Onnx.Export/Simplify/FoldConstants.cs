using Kinora.Onnx.Export.Graph;

namespace Kinora.Onnx.Export.Simplify;

/// <summary>Computes what depends on parameters alone, in float64.</summary>
internal static class FoldConstants
{
    // A constant that is stored must not be much larger than what it is made from: an expanded zero stays an Expand.
    private const long MaximumGrowth = 1 << 12;

    public static bool Run(NetworkGraph graph)
    {
        bool changed = false;
        foreach (Node node in graph.Nodes)
        {
            if (node.Outputs.Length == 1 && node.Inputs.All(input => input is null or { Literal: not null }) && Evaluate(node) is { } literal)
            {
                string? name = node.Inputs.FirstOrDefault(input => input?.Name is not null)?.Name;
                graph.Replace(node.Output, GraphBuilder.Constant(literal, name));
                changed = true;
            }
        }

        graph.Refresh();
        return changed;
    }

    /// <summary>The result of a node whose operands are all known; null where it isn't computed here.</summary>
    public static Literal? Evaluate(Node node)
    {
        Literal[] inputs = [.. node.Inputs.Where(input => input is not null).Select(input => input!.Literal!)];
        if (inputs.Length == 0 || node.Output.Shape.Any(size => size.PerClip))
        {
            return null;
        }

        long[] shape = ElementMap.Sizes(node.Output, 1);
        long count = shape.Aggregate(1L, (a, b) => a * b);
        if (count > inputs.Distinct().Sum(input => input.Count) + MaximumGrowth)
        {
            return null;
        }

        switch (node.Operator)
        {
            case "Concat":
                return inputs[0].IsInteger
                    ? new Literal(ElementMap.Join([.. inputs.Select(i => i.Longs)], [.. inputs.Select(i => i.Shape)], (int)node.Int("axis", 0)), shape)
                    : new Literal(ElementMap.Join([.. inputs.Select(i => i.Doubles)], [.. inputs.Select(i => i.Shape)], (int)node.Int("axis", 0)), shape);
            case "Reshape":
                return inputs[0].WithShape(shape);
            case "Transpose" or "Slice" or "Expand" or "Pad" when ElementMap.Moves(node):
                return inputs[0].Pick(ElementMap.Of(node, 1), shape);
            case "Gather" when inputs[1].IsInteger:
                return Gather(inputs[0], inputs[1].Longs, (int)node.Int("axis", 0), shape);
            case "MatMul" when inputs[0].Shape.Length == 2 && inputs[1].Shape.Length == 2:
                return Product(inputs[0], inputs[1]);
            case "ReduceMean" or "ReduceSum":
                return Reduce(node, inputs[0], shape);
        }

        if (inputs.Length == 1 && UnaryFunction(node.Operator) is { } unary)
        {
            return inputs[0].WithDoubles(Array.ConvertAll(inputs[0].Doubles, x => unary(x)), shape);
        }

        return inputs.Length == 2 && BinaryFunction(node.Operator) is { } binary ? Combine(inputs[0], inputs[1], shape, binary) : null;
    }

    /// <summary>Applies a function to two operands with broadcasting.</summary>
    public static Literal Combine(Literal a, Literal b, long[] shape, Func<double, double, double> function)
    {
        int[] mapA = Broadcast(a.Shape, shape);
        int[] mapB = Broadcast(b.Shape, shape);
        double[] x = a.Doubles;
        double[] y = b.Doubles;
        var data = new double[mapA.Length];
        for (int i = 0; i < data.Length; i++)
        {
            data[i] = function(x[mapA[i]], y[mapB[i]]);
        }

        return a.IsInteger ? a.WithDoubles(data, shape) : new Literal(data, shape);
    }

    private static int[] Broadcast(long[] from, long[] to)
    {
        var x = new Value([.. from.Select(size => new Dimension(size))]);
        var y = new Value([.. to.Select(size => new Dimension(size))]);
        return ElementMap.Of(new Node { Operator = "Expand", Inputs = [x], Outputs = [y] }, 1);
    }

    private static Func<double, double>? UnaryFunction(string op) => op switch
    {
        "Neg" => x => -x,
        "Abs" => Math.Abs,
        "Exp" => Math.Exp,
        "Log" => Math.Log,
        "Sqrt" => Math.Sqrt,
        "Reciprocal" => x => 1 / x,
        "Relu" => x => Math.Max(x, 0),
        "Sigmoid" => x => 1 / (1 + Math.Exp(-x)),
        "Tanh" => Math.Tanh,
        _ => null,
    };

    private static Func<double, double, double>? BinaryFunction(string op) => op switch
    {
        "Add" => (a, b) => a + b,
        "Sub" => (a, b) => a - b,
        "Mul" => (a, b) => a * b,
        "Div" => (a, b) => a / b,
        "Pow" => Math.Pow,
        "Max" => Math.Max,
        "Min" => Math.Min,
        _ => null,
    };

    private static Literal Product(Literal a, Literal b)
    {
        (long rows, long inner, long columns) = (a.Shape[0], a.Shape[1], b.Shape[1]);
        double[] x = a.Doubles;
        double[] y = b.Doubles;
        var data = new double[rows * columns];
        for (long i = 0; i < rows; i++)
        {
            for (long k = 0; k < inner; k++)
            {
                for (long j = 0; j < columns; j++)
                {
                    data[(i * columns) + j] += x[(i * inner) + k] * y[(k * columns) + j];
                }
            }
        }

        return new Literal(data, rows, columns);
    }

    private static Literal Gather(Literal x, long[] indices, int axis, long[] shape)
    {
        long size = x.Shape[axis];
        long inner = x.Shape.Skip(axis + 1).Aggregate(1L, (a, b) => a * b);
        var picked = new int[shape.Aggregate(1L, (a, b) => a * b)];
        for (long i = 0; i < picked.Length; i++)
        {
            long index = indices[i / inner % indices.Length];
            picked[i] = checked((int)((((i / inner / indices.Length * size) + (index < 0 ? index + size : index)) * inner) + (i % inner)));
        }

        return x.Pick(picked, shape);
    }

    private static Literal Reduce(Node node, Literal x, long[] shape)
    {
        long[] axes = node.Ints("axes")!;
        long[] kept = [.. x.Shape.Select((size, axis) => axes.Contains(axis) ? 1 : size)];
        long[] strides = ElementMap.Strides(kept);
        double[] from = x.Doubles;
        var data = new double[kept.Aggregate(1L, (a, b) => a * b)];
        var index = new long[x.Shape.Length];
        foreach (double value in from)
        {
            long at = 0;
            for (int axis = 0; axis < index.Length; axis++)
            {
                at += axes.Contains(axis) ? 0 : index[axis] * strides[axis];
            }

            data[at] += value;
            for (int axis = index.Length - 1; axis >= 0 && ++index[axis] == x.Shape[axis]; axis--)
            {
                index[axis] = 0;
            }
        }

        double divisor = node.Operator == "ReduceMean" ? (double)from.Length / data.Length : 1;
        return new Literal(Array.ConvertAll(data, sum => sum / divisor), shape);
    }
}
