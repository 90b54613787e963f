using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>Cross-entropy that looks away from what is easy: each class adds −w·(1 − p)^γ·log p times its target.</summary>
/// <remarks>Lin et al., "Focal Loss for Dense Object Detection", arXiv:1708.02002, over softmax; the mean is over clips, whatever their weights.</remarks>
public sealed class FocalLoss : ClassificationLoss
{
    // Keeps the gradient finite where p is 1 and γ below 1.
    private const double LeastDoubt = 1e-12;

    private readonly double _gamma;
    private readonly Tensor? _classWeights;

    /// <summary>A focal loss.</summary>
    /// <param name="gamma">γ, from 0 (cross-entropy) on.</param>
    /// <param name="classWeights">w, [classes], not negative; it stays the caller's and must live as long as the loss. Null for 1.</param>
    public FocalLoss(double gamma = 2, Tensor? classWeights = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(gamma);
        (_gamma, _classWeights) = (gamma, classWeights);
    }

    /// <inheritdoc/>
    private protected override string Name => "focal loss";

    /// <inheritdoc/>
    private protected override Tensor OfClasses(Tensor logits, Tensor labels) =>
        -Modulated(logits).Gather(1, labels.Unsqueeze(1)).Squeeze(1);

    /// <inheritdoc/>
    private protected override Tensor OfDense(Tensor logits, Tensor targets) => -(Modulated(logits) * targets).Sum([1]);

    // w·(1 − p)^γ·log p for each class, [N, classes].
    private Tensor Modulated(Tensor logits)
    {
        Tensor logProbabilities = logits.LogSoftmax(1);
        Tensor modulated = (1 - logProbabilities.Exp()).Clamp(min: LeastDoubt).Pow(_gamma) * logProbabilities;
        Tensor? weights = Fitted(_classWeights, logits);
        return weights is null ? modulated : modulated * weights;
    }
}
