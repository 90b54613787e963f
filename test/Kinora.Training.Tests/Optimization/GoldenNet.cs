using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Training.Tests;

/// <summary>
/// The networks of the recordings: convolution, batch norm, relu, convolution, perhaps a second batch norm, relu, mean,
/// linear; formula weights, float64 or float32.
/// </summary>
internal sealed class GoldenNet : Module
{
    private readonly Conv2d _first;
    private readonly BatchNorm _norm;
    private readonly Conv2d _second;
    private readonly BatchNorm? _secondNorm;
    private readonly Linear _head;

    public GoldenNet(DType dtype = DType.Float64, bool twoNorms = false)
    {
        _first = Add("conv1", new Conv2d(3, 4, 3, stride: 2, padding: 1));
        _norm = Add("bn", new BatchNorm(4));
        _second = Add("conv2", new Conv2d(4, 5, 3, padding: 1, bias: !twoNorms));
        _secondNorm = twoNorms ? Add("bn2", new BatchNorm(5)) : null;
        _head = Add("fc", new Linear(5, 3));
        To(dtype);
        foreach ((string name, Tensor value) in StateDict())
        {
            bool transposed = name == "fc.weight";
            long[] shape = transposed ? [value.Shape[1], value.Shape[0]] : value.Shape.ToArray();
            using var scope = new TensorScope();
            using IDisposable mode = Grad.Disable();
            Tensor formula = Tensor.From<double>(GoldenFormula.Weight(PaddleName(name), shape), shape);
            value.CopyFrom(transposed ? formula.Transpose(0, 1) : formula);
        }
    }

    /// <summary>The batches of the recordings: at step s the frames s of all four clips, and their labels.</summary>
    public static (Tensor Images, Tensor Labels) Batch(int step, int steps, DType dtype = DType.Float64) => (
        Tensor.From<double>(GoldenFormula.Clip(4, steps, 3, 8, 8), [4, steps, 3, 8, 8]).Select(1, step % steps).To(dtype),
        Tensor.From<long>([.. Enumerable.Range(0, 4).Select(i => (long)((i + step) % 3))]));

    public static string PaddleName(string name) => name.Replace("running_mean", "_mean").Replace("running_var", "_variance");

    public Tensor Forward(Tensor x)
    {
        x = _norm.Forward(_first.Forward(x)).Relu();
        x = _second.Forward(x);
        x = (_secondNorm?.Forward(x) ?? x).Relu().Mean([2, 3]); // [N, 5]
        return _head.Forward(x);
    }
}
