namespace Kinora.Tensors;

/// <summary>
/// Stochastic depth: in training sets whole samples of a residual branch to zero at random and divides the others by
/// 1 − p. The choices come from the same counter-based generator as <see cref="Dropout"/>'s.
/// </summary>
/// <remarks>Huang et al., "Deep Networks with Stochastic Depth", arXiv:1603.09382.</remarks>
public sealed class DropPath : RandomModule
{
    /// <summary>A layer that drops branches.</summary>
    /// <param name="probability">Of dropping a sample's branch, in [0, 1).</param>
    public DropPath(double probability)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(probability);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(probability, 1);
        Probability = probability;
    }

    /// <summary>Probability of dropping a sample's branch.</summary>
    public double Probability { get; set; }

    /// <summary>Drops in training.</summary>
    /// <param name="x">[samples, …].</param>
    /// <returns>New tensor, or <paramref name="x"/> itself where nothing changes.</returns>
    protected override Tensor Compute(Tensor x)
    {
        if (Probability == 0 || !IsTraining)
        {
            return x;
        }

        using var scope = new TensorScope();
        CounterRandom random = NextDraw("drop-path");
        long[] perSample = [x.Shape[0], .. Enumerable.Repeat(1L, x.Rank - 1)];
        Tensor ones = Tensor.Ones(perSample, x.DType);
        Tensor mask = F.Dropout(ones, Probability, random, firstElement: FirstElement(ones));
        return (x * mask).MoveToOuterScope();
    }
}
