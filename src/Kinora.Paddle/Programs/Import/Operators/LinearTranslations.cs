using Kinora.Onnx.Export.Graph;
using static Kinora.Onnx.Export.Graph.GraphBuilder;

namespace Kinora.Paddle.Programs;

/// <summary>Matrix products.</summary>
internal static class LinearTranslations
{
    public static Dictionary<string, Translation> Table { get; } = new()
    {
        ["matmul_v2"] = c => [new TensorSymbol(Product(c, Turned(c.Tensor("X"), c.Flag("trans_x", false)), Turned(c.Tensor("Y"), c.Flag("trans_y", false))))],
        ["matmul"] = c => [new TensorSymbol(ElementwiseTranslations.Scaled(Product(c, Turned(c.Tensor("X"), c.Flag("transpose_X", false)), Turned(c.Tensor("Y"), c.Flag("transpose_Y", false))), c.Number("alpha", 1), 0))],
        ["bmm"] = c => [new TensorSymbol(Product(c, c.Tensor("X"), c.Tensor("Y")))],
        ["mul"] = Flattened,
    };

    private static Value Turned(Value x, bool turned)
    {
        if (!turned || x.Rank < 2)
        {
            return x;
        }

        long[] axes = [.. Enumerable.Range(0, x.Rank).Select(i => (long)i)];
        (axes[^1], axes[^2]) = (axes[^2], axes[^1]);
        return Transpose(x, axes);
    }

    private static Value Product(OperatorCall c, Value a, Value b)
    {
        if (a.Rank < 2 || b.Rank < 2 || a.Shape[^1] != b.Shape[^2] || a.Shape[^1].PerClip)
        {
            throw c.Refuse($"the matrices {Shapes.Text(a.Shape)} and {Shapes.Text(b.Shape)} have no product");
        }

        Dimension[] shape = [.. Shapes.Broadcast(a.Shape.AsSpan()[..^2], b.Shape.AsSpan()[..^2]), a.Shape[^2], b.Shape[^1]];

        // As a linear layer, whose weights later passes can fold factors and offsets into.
        return a.Rank == 2 && b is { Rank: 2, Literal: not null } ? Apply("Gemm", shape, [a, b]) : Apply("MatMul", shape, [a, b]);
    }

    // The layer of older programs: leading axes count as rows, the others as columns.
    private static Symbol[] Flattened(OperatorCall c)
    {
        Value x = c.Tensor("X");
        Value y = c.Tensor("Y");
        long rows = c.Int("x_num_col_dims", 1);
        if (rows < 1 || rows >= x.Rank || c.Int("y_num_col_dims", 1) != 1 || y.Rank != 2)
        {
            throw c.Refuse($"expected a matrix of weights and leading axes of {Shapes.Text(x.Shape)} as rows, found {Shapes.Text(y.Shape)} and {rows}");
        }

        Dimension[] leading = x.Shape[..(int)rows];
        (long count, int power) = Shapes.Size(leading);
        (long columns, int more) = Shapes.Size(x.Shape.AsSpan()[(int)rows..]);
        if (power > 1 || more > 0)
        {
            throw c.Refuse($"{Shapes.Text(x.Shape)} isn't a matrix with rows that follow the batch");
        }

        Value product = Product(c, c.Build.Reshape(x, new Dimension(count, power == 1), columns), y);
        return [new TensorSymbol(c.Build.Reshape(product, [.. leading, y.Shape[1]]))];
    }
}
