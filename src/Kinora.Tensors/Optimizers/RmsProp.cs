using Kinora.Tensors.Native;

namespace Kinora.Tensors;

/// <summary>
/// RMSProp as Paddle does it: g' = g + λ·p; s = ρ·s + (1-ρ)·g'²; m = μ·m + rate·g'/√(s + ε); p -= m. Centred, the root is
/// that of s − a² + ε with a the mean gradient, averaged as s is.
/// </summary>
/// <remarks>
/// Tieleman and Hinton, Coursera lecture 6.5; ε stands inside the root. ρ, ε and μ are rounded to float32 even for float64
/// parameters, λ isn't, as in Paddle. The state is "mean_square", "momentum" and, centred, "mean_gradient".
/// </remarks>
public sealed unsafe class RmsProp : Optimizer
{
    private readonly double _rho;
    private readonly double _epsilon;
    private readonly double _momentum;
    private readonly bool _centered;

    /// <summary>An optimiser over groups of parameters.</summary>
    /// <param name="groups">The groups; no parameter may occur twice.</param>
    /// <param name="rho">ρ, in [0, 1): how slowly the averages follow.</param>
    /// <param name="epsilon">ε, above 0.</param>
    /// <param name="momentum">μ, in [0, 1).</param>
    /// <param name="centered">Divides by the gradient's standard deviation instead of its root mean square.</param>
    /// <exception cref="ArgumentException">A name occurs twice, or a group's numbers don't fit.</exception>
    public RmsProp(IReadOnlyList<ParameterGroup> groups, double rho = 0.95, double epsilon = 1e-6, double momentum = 0, bool centered = false)
        : base(groups, centered ? ["mean_square", "momentum", "mean_gradient"] : ["mean_square", "momentum"])
    {
        RequireCoupledDecay(groups, "rmsprop");
        ArgumentOutOfRangeException.ThrowIfNegative(rho);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rho, 1);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(epsilon);
        ArgumentOutOfRangeException.ThrowIfNegative(momentum);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(momentum, 1);
        (_rho, _epsilon, _momentum, _centered) = ((float)rho, (float)epsilon, (float)momentum, centered);
    }

    /// <inheritdoc/>
    private protected override void Move(Operands operands, double learningRate)
    {
        double[] rates = operands.Each(slot => learningRate * slot.Group.LearningRateFactor);
        double[] decays = operands.Each(slot => slot.Group.WeightDecay);
        fixed (double* r = rates, d = decays)
        fixed (nint* p = operands.Parameters, g = operands.Gradients, s = operands.State(0), m = operands.State(1), a = _centered ? operands.State(2) : null)
        {
            Status.Check(NativeMethods.kt_rmsprop(operands.Count, p, g, s, a, m, r, d, _rho, _epsilon, _momentum), "rmsprop");
        }
    }
}
