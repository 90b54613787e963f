using Kinora.Tensors.Native;

namespace Kinora.Tensors;

/// <summary>
/// Adam, and AdamW where groups have a decoupled decay, as Paddle does them: g' = g + λ·p; m = β1·m + (1-β1)·g';
/// v = β2·v + (1-β2)·g'²; p = (1 − rate·decay)·p − rate·√(1-β2ᵗ)/(1-β1ᵗ)·m / (√v + ε·√(1-β2ᵗ)).
/// </summary>
/// <remarks>
/// Kingma and Ba, arXiv:1412.6980; Loshchilov and Hutter, arXiv:1711.05101. The decoupled decay is rounded to float32 even
/// for float64 parameters; β1, β2, ε and λ aren't, as in Paddle. t counts the steps that moved the parameter. The state is
/// "moment1", "moment2" and "steps", an Int64 number.
/// </remarks>
public sealed unsafe class Adam : Optimizer
{
    private const int Steps = 2;
    private readonly double _beta1;
    private readonly double _beta2;
    private readonly double _epsilon;

    /// <summary>An optimiser over groups of parameters.</summary>
    /// <param name="groups">The groups; no parameter may occur twice.</param>
    /// <param name="beta1">β1, in [0, 1).</param>
    /// <param name="beta2">β2, in [0, 1).</param>
    /// <param name="epsilon">ε, above 0.</param>
    /// <exception cref="ArgumentException">A name occurs twice, or a group's numbers don't fit.</exception>
    public Adam(IReadOnlyList<ParameterGroup> groups, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8)
        : base(groups, "moment1", "moment2", "steps")
    {
        ArgumentOutOfRangeException.ThrowIfNegative(beta1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(beta1, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(beta2);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(beta2, 1);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(epsilon);
        (_beta1, _beta2, _epsilon) = (beta1, beta2, epsilon);
    }

    /// <inheritdoc/>
    private protected override Tensor NewState(int kind, Tensor parameter) =>
        kind == Steps ? Tensor.Zeros([], DType.Int64) : base.NewState(kind, parameter);

    /// <inheritdoc/>
    private protected override void Move(Operands operands, double learningRate)
    {
        int count = operands.Count;
        var rates = new double[count];
        var epsilons = new double[count];
        var keeps = new double[count];
        double[] decays = operands.Each(slot => slot.Group.WeightDecay);
        for (int i = 0; i < count; i++)
        {
            Slot slot = operands.Slots[i];
            Tensor counter = slot.State[Steps]!;
            long step = counter.ToArray<long>()[0] + 1;
            counter.CopyFrom<long>([step]);
            double rate = learningRate * slot.Group.LearningRateFactor;
            double correction = Math.Sqrt(1 - Math.Pow(_beta2, step));
            rates[i] = rate * correction / (1 - Math.Pow(_beta1, step));
            epsilons[i] = _epsilon * correction;
            keeps[i] = 1 - (rate * (float)slot.Group.DecoupledDecay);
        }

        fixed (double* r = rates, e = epsilons, d = decays, k = keeps)
        fixed (nint* p = operands.Parameters, g = operands.Gradients, m = operands.State(0), v = operands.State(1))
        {
            Status.Check(NativeMethods.kt_adam(count, p, g, m, v, r, e, d, k, _beta1, _beta2), "adam");
        }
    }
}
