namespace Kinora.Training;

/// <summary>How weights are drawn towards zero.</summary>
public enum DecayKind
{
    /// <summary>λ·p is added to the gradient.</summary>
    L2,

    /// <summary>λ·sign(p) is added to the gradient.</summary>
    L1,

    /// <summary>The weight shrinks by rate·λ·p beside the step (AdamW).</summary>
    Decoupled,
}

/// <summary>How a run treats the parameters of a network, on top of the network's own rules.</summary>
public sealed record ParameterRules
{
    /// <summary>λ for parameters whose network doesn't replace it, from 0 on.</summary>
    public double WeightDecay { get; init; }

    /// <summary>What <see cref="WeightDecay"/> is. A λ of the network's own stays L2, unless the run's is decoupled.</summary>
    public DecayKind Decay { get; init; }

    /// <summary>Parameters whose name contains one of these texts aren't decayed, as Paddle's no_weight_decay_name.</summary>
    public IReadOnlyList<string> WithoutDecay { get; init; } = [];

    /// <summary>
    /// Patterns of parameters that stay as they are: * stands for any text, ? for one character, such as "stages.0.*". Batch
    /// norms whose parameters are all frozen keep their running statistics too.
    /// </summary>
    public IReadOnlyList<string> Frozen { get; init; } = [];

    /// <summary>
    /// Learning-rate factor from each depth to the one before it, in (0, 1]: the head and what stands behind the stages has
    /// depth S + 1 and the factor 1, stage i (from 0) has depth i + 1, what stands before the stages has depth 0.
    /// </summary>
    public double LayerDecay { get; init; } = 1;

    /// <summary>Learning-rate factor of the head, the network's last part; null keeps the network's own.</summary>
    public double? HeadFactor { get; init; }

    /// <summary>Freezes all batch norms but the first, statistics included (TSN's partial BN).</summary>
    public bool PartialBatchNorm { get; init; }
}
