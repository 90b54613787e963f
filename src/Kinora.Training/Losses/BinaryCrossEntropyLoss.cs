using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>
/// Cross-entropy of independent classes, each with a sigmoid of its own, for clips that may have several labels or none:
/// the mean over clips and classes. A hard label stands for its class and against all others.
/// </summary>
public sealed class BinaryCrossEntropyLoss : ClassificationLoss
{
    private readonly Tensor? _positiveWeights;

    /// <summary>A binary cross-entropy.</summary>
    /// <param name="positiveWeights">
    /// [classes], not negative: multiplies what the positives of a class add, usually their negatives' number by theirs. It
    /// stays the caller's and must live as long as the loss. Null for 1.
    /// </param>
    public BinaryCrossEntropyLoss(Tensor? positiveWeights = null) => _positiveWeights = positiveWeights;

    /// <inheritdoc/>
    private protected override string Name => "binary cross-entropy";

    /// <inheritdoc/>
    private protected override Tensor OfClasses(Tensor logits, Tensor labels)
    {
        Tensor classes = Tensor.Arange(logits.Shape[1]);
        return OfDense(logits, classes.EqualTo(labels.Unsqueeze(1)).To(logits.DType));
    }

    /// <inheritdoc/>
    private protected override Tensor OfDense(Tensor logits, Tensor targets) =>
        F.BinaryCrossEntropy(logits, targets, Fitted(_positiveWeights, logits)).Mean([1]);
}
