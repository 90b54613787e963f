namespace Kinora.Training;

/// <summary>How gradients change weights.</summary>
public enum OptimizerKind
{
    /// <summary>Stochastic gradient descent with momentum; with momentum 0, plain.</summary>
    Sgd,

    /// <summary>Steps divided by a running root mean square of gradients, with momentum.</summary>
    RmsProp,

    /// <summary>Adaptive moments; weight decay is part of the gradient.</summary>
    Adam,

    /// <summary>Adaptive moments; weight decay shrinks the weights directly (arXiv:1711.05101).</summary>
    AdamW,
}

/// <summary>How gradients change weights.</summary>
public sealed record OptimizerConfig
{
    /// <summary>The rule.</summary>
    public OptimizerKind Kind { get; init; }

    /// <summary>The rate at its peak. Null: 0.01 for a batch of 8, in proportion for others; 0.0005 for Adam and AdamW.</summary>
    public double? LearningRate { get; init; }

    /// <summary>
    /// Clips of a step (batch · accumulation · processes) that the learning rates are meant for. Null: not known. By itself it
    /// changes nothing; the plan says where a run has others.
    /// </summary>
    [None]
    public int? ReferenceBatch { get; init; }

    /// <summary>
    /// Multiply all rates by the clips of this run's steps over <see cref="ReferenceBatch"/>: learning rate, and start, end,
    /// lowest and listed rates of the schedule.
    /// </summary>
    public bool ScaleToBatch { get; init; }

    /// <summary>Momentum μ of SGD and RMSProp.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Nesterov's form of SGD's momentum.</summary>
    public bool Nesterov { get; init; } = true;

    /// <summary>β₁ of Adam and AdamW.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>β₂ of Adam and AdamW.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>ρ of RMSProp.</summary>
    public double Rho { get; init; } = 0.9;

    /// <summary>ε of RMSProp, Adam and AdamW. Null: 1e-8 (RMSProp: 1e-6).</summary>
    public double? Epsilon { get; init; }

    /// <summary>Weight decay; the network's rules exempt batch norms and biases.</summary>
    public double WeightDecay { get; init; } = 1e-4;

    /// <summary>Parameters whose name contains one of these aren't decayed.</summary>
    public IReadOnlyList<string> NoDecay { get; init; } = [];

    /// <summary>Factor of the classifier's learning rate. Null: the network's own rule.</summary>
    public double? HeadFactor { get; init; }

    /// <summary>Factor of the learning rate from each stage of the network to the one before it; 1: all alike.</summary>
    public double LayerDecay { get; init; } = 1;

    internal void Validate(ConfigCheck check)
    {
        check.Require(LearningRate is null or (> 0 and <= 100), "learningRate", "above 0", LearningRate);
        check.Require(ReferenceBatch is null or > 0, "referenceBatch", "1 or more clips", ReferenceBatch);
        check.Require(!ScaleToBatch || ReferenceBatch is not null, "referenceBatch", "the clips of a step that the rates are meant for, beside scaleToBatch", ReferenceBatch);
        check.Require(!ScaleToBatch || LearningRate is not null, "learningRate", "a rate beside scaleToBatch; without one it follows the batch anyway", LearningRate);
        check.Require(Momentum is >= 0 and < 1, "momentum", "0 to below 1", Momentum);
        check.Require(Kind != OptimizerKind.Sgd || !Nesterov || Momentum > 0, "nesterov", "false where the momentum is 0", Nesterov);
        check.Require(Beta1 is >= 0 and < 1, "beta1", "0 to below 1", Beta1);
        check.Require(Beta2 is >= 0 and < 1, "beta2", "0 to below 1", Beta2);
        check.Require(Rho is >= 0 and < 1, "rho", "0 to below 1", Rho);
        check.Require(Epsilon is null or > 0, "epsilon", "above 0", Epsilon);
        check.Require(WeightDecay is >= 0 and < 1, "weightDecay", "0 to below 1", WeightDecay);
        check.Require(NoDecay.All(n => n.Length > 0), "noDecay", "parts of parameter names", string.Join(", ", NoDecay));
        check.Require(HeadFactor is null or > 0, "headFactor", "above 0", HeadFactor);
        check.Require(LayerDecay is > 0 and <= 1, "layerDecay", "above 0, at most 1", LayerDecay);
    }
}
