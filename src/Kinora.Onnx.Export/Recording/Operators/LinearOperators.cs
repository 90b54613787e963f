using Kinora.Onnx.Export.Graph;
using static Kinora.Onnx.Export.Graph.GraphBuilder;

namespace Kinora.Onnx.Export.Recording;

/// <summary>Matrix products.</summary>
internal static class LinearOperators
{
    public static Dictionary<string, Operator> Table { get; } = new()
    {
        ["linear"] = Linear,
        ["addmm"] = AddProduct,
        ["mm"] = c => [Product(c, c.Tensor("self"), c.Tensor("mat2"))],
        ["bmm"] = c => [Product(c, c.Tensor("self"), c.Tensor("mat2"))],
        ["matmul"] = c => [Product(c, c.Tensor("self"), c.Tensor("other"))],
        ["baddbmm"] = c => c.Number("beta") == 1 && c.Number("alpha") == 1
            ? [Binary("Add", Product(c.OutputShape(), c.Tensor("batch1"), c.Tensor("batch2")), c.Tensor("self"))]
            : throw c.Refuse("expected beta 1 and alpha 1"),
    };

    private static Value Product(CallReader c, Value a, Value b) => Product(c.OutputShape(), a, b);

    private static Value Product(Dimension[] shape, Value a, Value b) => Apply("MatMul", shape, [a, b]);

    private static Produced[] Linear(CallReader c)
    {
        Value x = c.Tensor("input");
        Value weight = c.Tensor("weight");
        Value? bias = c.OptionalTensor("bias");
        if (x.Rank == 2)
        {
            return [Apply("Gemm", c.OutputShape(), bias is null ? [x, weight] : [x, weight, bias], ("transB", 1L))];
        }

        Value product = Product(c.OutputShape(), x, Transpose(weight, 1, 0));
        return [bias is null ? product : Binary("Add", product, bias)];
    }

    private static Produced[] AddProduct(CallReader c) => c.Number("beta") == 1 && c.Number("alpha") == 1
        ? [Apply("Gemm", c.OutputShape(), [c.Tensor("mat1"), c.Tensor("mat2"), c.Tensor("self")])]
        : throw c.Refuse("expected beta 1 and alpha 1");
}
