namespace Kinora.Tensors;

/// <summary>Parameters that share a learning-rate factor and their kinds of decay.</summary>
/// <param name="Parameters">Full names and tensors, which stay their module's.</param>
/// <param name="LearningRateFactor">Multiplies the learning rate.</param>
/// <param name="WeightDecay">λ of the L2 penalty: λ·p is added to the gradient.</param>
/// <param name="L1Decay">λ of the L1 penalty: λ·sign(p) is added to the gradient.</param>
/// <param name="DecoupledDecay">
/// λ of the decay that leaves the gradient alone: p shrinks by rate·λ·p before it moves. Only <see cref="Adam"/> has it
/// (AdamW); the other optimisers refuse it.
/// </param>
public sealed record ParameterGroup(
    IReadOnlyList<(string Name, Tensor Value)> Parameters,
    double LearningRateFactor = 1,
    double WeightDecay = 0,
    double L1Decay = 0,
    double DecoupledDecay = 0);
