using Kinora.Tensors.Native;

namespace Kinora.Tensors;

/// <summary>
/// Stochastic gradient descent with momentum, as Paddle's Momentum does it:
/// g' = g + λ·p; v = μ·v + g'; p -= rate·(Nesterov ? g' + μ·v : v).
/// </summary>
/// <remarks>
/// μ and λ are rounded to float32 even for float64 parameters; without momentum λ isn't, as in Paddle's SGD. The state is
/// "velocity".
/// </remarks>
public sealed unsafe class Sgd : Optimizer
{
    private readonly double _momentum;
    private readonly bool _nesterov;

    /// <summary>An optimiser over groups of parameters.</summary>
    /// <param name="groups">The groups; no parameter may occur twice.</param>
    /// <param name="momentum">μ, in [0, 1).</param>
    /// <param name="nesterov">Steps along g' + μ·v instead of v.</param>
    /// <exception cref="ArgumentException">A name occurs twice, or a group's numbers don't fit.</exception>
    public Sgd(IReadOnlyList<ParameterGroup> groups, double momentum = 0.9, bool nesterov = false)
        : base(groups, "velocity")
    {
        RequireCoupledDecay(groups, "sgd");
        ArgumentOutOfRangeException.ThrowIfNegative(momentum);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(momentum, 1);
        _momentum = (float)momentum;
        _nesterov = nesterov;
    }

    /// <inheritdoc/>
    private protected override void Move(Operands operands, double learningRate)
    {
        double[] rates = operands.Each(slot => learningRate * slot.Group.LearningRateFactor);
        double[] decays = operands.Each(slot => _momentum == 0 ? slot.Group.WeightDecay : (float)slot.Group.WeightDecay);
        fixed (double* r = rates, d = decays)
        fixed (nint* p = operands.Parameters, g = operands.Gradients, v = operands.State(0))
        {
            Status.Check(NativeMethods.kt_sgd(operands.Count, p, g, v, r, d, _momentum, _nesterov ? 1 : 0), "sgd");
        }
    }
}
