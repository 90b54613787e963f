using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>A loss of class scores: the mean over the clips of a batch that count.</summary>
/// <remarks>Works in float32 and float64. Cast logits of shorter types to float32 first.</remarks>
public abstract class ClassificationLoss
{
    private protected ClassificationLoss()
    {
    }

    /// <summary>The form that measures rather than trains: without label smoothing.</summary>
    public virtual ClassificationLoss Validation => this;

    /// <summary>
    /// What the sum over labelled clips is divided by, given the sum of their weights; null: that sum. Processes that share a batch put
    /// their part of the joint sum here.
    /// </summary>
    internal Func<double, double>? Denominator { get; set; }

    /// <summary>Computes the loss.</summary>
    /// <param name="logits">[N, classes], float32 or float64.</param>
    /// <param name="targets">Of as many clips; their numbers are converted to the logits' type.</param>
    /// <returns>New tensor, [], in the current scope; 0 where no clip counts.</returns>
    /// <exception cref="ShapeException">Unfit shapes or element types, or a label outside the classes.</exception>
    public Tensor Compute(Tensor logits, Targets targets)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(targets);
        if (logits.Rank != 2 || logits.DType is not (DType.Float32 or DType.Float64))
        {
            throw new ShapeException($"{Name}: expected logits [N, classes] in float32 or float64, found {logits}");
        }

        using var scope = new TensorScope();
        Tensor loss;
        switch (targets)
        {
            case Targets.Hard hard:
                (Tensor losses, Tensor weights) = OfLabels(logits, hard.Labels);
                loss = Mean(losses, weights);
                break;
            case Targets.Mixed mixed:
                if (mixed.Share.Rank > 1 || (mixed.Share.Rank == 1 && mixed.Share.Shape[0] != logits.Shape[0]))
                {
                    throw new ShapeException($"{Name}: expected shares [] or [{logits.Shape[0]}], found {mixed.Share}");
                }

                Tensor share = mixed.Share.To(logits.DType);
                (Tensor first, Tensor firstWeights) = OfLabels(logits, mixed.First);
                (Tensor second, Tensor secondWeights) = OfLabels(logits, mixed.Second);
                loss = Mean((first * share) + (second * (1 - share)), (firstWeights * share) + (secondWeights * (1 - share)));
                break;
            case Targets.Dense dense:
                if (!dense.Values.Shape.SequenceEqual(logits.Shape))
                {
                    throw new ShapeException($"{Name}: expected targets {logits}, found {dense.Values}");
                }

                loss = OfDense(logits, dense.Values.To(logits.DType)).Mean();
                break;
            default:
                throw new ArgumentException($"{Name}: unknown targets {targets.GetType().Name}", nameof(targets));
        }

        return loss.MoveToOuterScope();
    }

    /// <summary>The name in messages.</summary>
    private protected abstract string Name { get; }

    /// <summary>The loss of each clip, [N], against valid labels [N].</summary>
    private protected abstract Tensor OfClasses(Tensor logits, Tensor labels);

    /// <summary>The loss of each clip, [N], against a number for each class, [N, classes].</summary>
    private protected abstract Tensor OfDense(Tensor logits, Tensor targets);

    /// <summary>How much each clip counts in the mean, [N], by its valid label.</summary>
    private protected virtual Tensor WeightsOf(Tensor labels, DType dtype) => Tensor.Ones(labels.Shape, dtype);

    /// <summary>Class weights in the logits' type, checked; null for none.</summary>
    private protected Tensor? Fitted(Tensor? weights, Tensor logits) =>
        weights is null || (weights.Rank == 1 && weights.Shape[0] == logits.Shape[1])
            ? weights?.To(logits.DType)
            : throw new ShapeException($"{Name}: expected a weight for each of {logits.Shape[1]} classes, found {weights}");

    private (Tensor Losses, Tensor Weights) OfLabels(Tensor logits, Tensor labels)
    {
        if (labels.Rank != 1 || labels.Shape[0] != logits.Shape[0] || labels.DType != DType.Int64)
        {
            throw new ShapeException($"{Name}: expected labels [{logits.Shape[0]}] Int64 for logits {logits}, found {labels}");
        }

        long classes = logits.Shape[1];
        long[] values = labels.ToArray<long>();
        bool someIgnored = false;
        for (int i = 0; i < values.Length; i++)
        {
            if (values[i] == Targets.Ignored)
            {
                someIgnored = true;
                values[i] = 0;
            }
            else if (values[i] < 0 || values[i] >= classes)
            {
                throw new ShapeException($"{Name}: expected labels in [0, {classes - 1}] or {Targets.Ignored}, found {values[i]}");
            }
        }

        if (!someIgnored)
        {
            return (OfClasses(logits, labels), WeightsOf(labels, logits.DType));
        }

        Tensor valid = Tensor.From<long>(values);
        Tensor none = Tensor.Zeros(labels.Shape, logits.DType);
        Tensor ignored = labels.LessThan(0);
        return (Tensor.Where(ignored, none, OfClasses(logits, valid)), Tensor.Where(ignored, none, WeightsOf(valid, logits.DType)));
    }

    private Tensor Mean(Tensor losses, Tensor weights)
    {
        double total = weights.Sum().ToDouble();
        total = Denominator?.Invoke(total) ?? total;
        return losses.Sum() / (total == 0 ? 1 : total);
    }
}
