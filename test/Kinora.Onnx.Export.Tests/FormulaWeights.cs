using Kinora.Models;
using Kinora.Paddle;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Onnx.Export.Tests;

/// <summary>Weights by formula (golden/README.md).</summary>
internal static class FormulaWeights
{
    /// <summary>All weights, under PaddleVideo's names.</summary>
    public static void Fill(VideoNetwork network)
    {
        using var scope = new TensorScope();
        PaddleNames names = PaddleNames.For(network);
        names.Load(network, names.Tensors.ToDictionary(t => t.Paddle, t => Tensor.From<float>(Values(t.Paddle, t.Shape), [.. t.Shape])));
    }

    /// <summary>Batch norms and biases, under Kinora's names: initial ones are all 0 or 1, which hides mistakes in folding.</summary>
    public static void FillVectors(VideoNetwork network)
    {
        using IDisposable noGrad = Grad.Disable();
        foreach ((string name, Tensor value) in network.StateDict().Where(entry => entry.Value.Rank == 1))
        {
            string formula = name.Replace("running_mean", "_mean", StringComparison.Ordinal).Replace("running_var", "_variance", StringComparison.Ordinal);
            value.CopyFrom<float>(Values(formula, value.Shape.ToArray()));
        }
    }

    public static float[] Clip(IReadOnlyList<int> shape) =>
        Array.ConvertAll(GoldenFormula.Clip(shape[0], shape[1], shape[2], shape[3], shape[4]), v => (float)v);

    private static float[] Values(string name, IReadOnlyList<long> shape) => Array.ConvertAll(GoldenFormula.Weight(name, shape), v => (float)v);
}
