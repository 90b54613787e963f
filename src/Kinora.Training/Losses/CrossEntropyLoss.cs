using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>
/// Cross-entropy of softmax scores with optional label smoothing and class weights. With weights the mean over labels is
/// divided by the weights of the clips' classes, the mean over dense targets by their number.
/// </summary>
/// <remarks>
/// Smoothing as in PaddleVideo's heads (<see cref="F.CrossEntropy"/>): 1 − ε and ε/classes are rounded to float32. Class
/// weights as in PyTorch.
/// </remarks>
public sealed class CrossEntropyLoss : ClassificationLoss
{
    private readonly double _smoothing;
    private readonly Tensor? _classWeights;

    /// <summary>A cross-entropy.</summary>
    /// <param name="labelSmoothing">ε in [0, 1]: the target is 1 − ε for the label plus ε/classes for every class.</param>
    /// <param name="classWeights">[classes], not negative; it stays the caller's and must live as long as the loss. Null for 1.</param>
    public CrossEntropyLoss(double labelSmoothing = 0, Tensor? classWeights = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(labelSmoothing);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(labelSmoothing, 1);
        (_smoothing, _classWeights) = (labelSmoothing, classWeights);
    }

    /// <inheritdoc/>
    public override ClassificationLoss Validation => _smoothing == 0 ? this : new CrossEntropyLoss(0, _classWeights);

    /// <inheritdoc/>
    private protected override string Name => "cross-entropy";

    /// <inheritdoc/>
    private protected override Tensor OfClasses(Tensor logits, Tensor labels) =>
        F.CrossEntropyEach(logits, labels, _smoothing, Fitted(_classWeights, logits));

    /// <inheritdoc/>
    private protected override Tensor OfDense(Tensor logits, Tensor targets)
    {
        if (_smoothing > 0)
        {
            targets = (targets * (float)(1 - _smoothing)) + (float)(_smoothing / logits.Shape[1]);
        }

        Tensor products = logits.LogSoftmax(1) * targets;                       // [N, classes]
        Tensor? weights = Fitted(_classWeights, logits);
        return -(weights is null ? products : products * weights).Sum([1]);
    }

    /// <inheritdoc/>
    private protected override Tensor WeightsOf(Tensor labels, DType dtype) =>
        _classWeights is null ? base.WeightsOf(labels, dtype) : _classWeights.To(dtype).IndexSelect(0, labels);
}
