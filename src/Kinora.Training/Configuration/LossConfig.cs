namespace Kinora.Training;

/// <summary>What is minimised.</summary>
public enum LossKind
{
    /// <summary>Softmax cross-entropy: each clip has one class.</summary>
    CrossEntropy,

    /// <summary>Focal loss: clips that are easy count less (arXiv:1708.02002).</summary>
    Focal,

    /// <summary>A yes or no for each class: clips may have several classes, or none.</summary>
    Binary,
}

/// <summary>What is minimised.</summary>
public sealed record LossConfig
{
    /// <summary>The rule. Null: <see cref="LossKind.Binary"/> where the lists give clips several labels, else cross-entropy.</summary>
    public LossKind? Kind { get; init; }

    /// <summary>Share of each target that is spread over all classes.</summary>
    public double LabelSmoothing { get; init; } = 0.1;

    /// <summary>Weight of each class, in class order. Empty: all alike.</summary>
    public IReadOnlyList<double> ClassWeights { get; init; } = [];

    /// <summary>Weigh classes by the inverse of their number of clips, 1 on average.</summary>
    public bool BalanceClasses { get; init; }

    /// <summary>γ of the focal loss.</summary>
    public double FocalGamma { get; init; } = 2;

    internal void Validate(ConfigCheck check)
    {
        check.Require(LabelSmoothing is >= 0 and < 1, "labelSmoothing", "0 to below 1", LabelSmoothing);
        check.Require(ClassWeights.All(w => w >= 0 && double.IsFinite(w)), "classWeights", "numbers of 0 or more", string.Join(", ", ClassWeights));
        check.Require(!BalanceClasses || ClassWeights.Count == 0, "balanceClasses", "false beside classWeights", BalanceClasses);
        check.Require(FocalGamma >= 0, "focalGamma", "0 or more", FocalGamma);
    }
}
