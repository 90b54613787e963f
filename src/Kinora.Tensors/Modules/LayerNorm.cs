namespace Kinora.Tensors;

/// <summary>Normalisation over the last dimension with the parameters "weight" and "bias".</summary>
/// <remarks>Ba, Kiros, Hinton, "Layer Normalization", arXiv:1607.06450.</remarks>
public sealed class LayerNorm : UnaryModule
{
    private readonly long[] _shape;

    /// <summary>A layer norm with weight 1 and bias 0.</summary>
    /// <param name="features">Size of the last dimension.</param>
    /// <param name="epsilon">Added to the variance; rounded to float32, as Paddle does.</param>
    public LayerNorm(long features, double epsilon = 1e-5)
    {
        _shape = [features];
        Epsilon = (float)epsilon;
        Weight = AddParameter("weight", Tensor.Ones([features]));
        Bias = AddParameter("bias", Tensor.Zeros([features]));
    }

    /// <summary>Added to the variance. The constructor rounds it as Paddle does; an initialiser sets it as it is.</summary>
    public double Epsilon { get; init; }

    /// <summary>Factors, [features].</summary>
    public Tensor Weight { get; }

    /// <summary>Offsets, [features].</summary>
    public Tensor Bias { get; }

    /// <summary>Normalises.</summary>
    /// <param name="x">[…, features].</param>
    /// <returns>New tensor of the same shape.</returns>
    protected override Tensor Compute(Tensor x) => F.LayerNorm(x, _shape, Weight, Bias, Epsilon);
}
