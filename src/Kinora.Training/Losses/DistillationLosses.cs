using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>How scores become the probabilities that two networks compare.</summary>
public enum ScoreActivation
{
    /// <summary>Probabilities over the classes.</summary>
    Softmax,

    /// <summary>A probability for each class.</summary>
    Sigmoid,
}

/// <summary>What one network learns from another's scores.</summary>
public static class DistillationLosses
{
    // Keeps logarithms finite, as upstream.
    private const double Stabiliser = 1e-12;

    /// <summary>Deep mutual learning: both directions of the divergence, halved, summed over classes, averaged over the batch.</summary>
    /// <param name="first">One network's logits, [N, classes].</param>
    /// <param name="second">The other's; gradients reach both.</param>
    /// <param name="activation">What makes them probabilities.</param>
    /// <returns>New tensor, [], in the current scope.</returns>
    /// <exception cref="ShapeException">The two differ in shape or type, or aren't [N, classes].</exception>
    /// <remarks>Zhang et al., "Deep Mutual Learning", arXiv:1706.00384; PaddleVideo's DistillationDMLLoss.</remarks>
    public static Tensor Mutual(Tensor first, Tensor second, ScoreActivation activation = ScoreActivation.Softmax)
    {
        Require(first, second, "mutual learning");
        using var scope = new TensorScope();
        (Tensor p, Tensor q) = activation == ScoreActivation.Softmax ? (first.Softmax(1), second.Softmax(1)) : (first.Sigmoid(), second.Sigmoid());
        Tensor difference = (p + Stabiliser).Log() - (q + Stabiliser).Log();
        return (((p - q) * difference).Sum([1]).Mean() * 0.5).MoveToOuterScope();
    }

    /// <summary>Knowledge distillation: KL(softmax(teacher/T) ‖ softmax(student/T))·T², averaged over the batch.</summary>
    /// <param name="student">Logits, [N, classes]; gradients reach these.</param>
    /// <param name="teacher">Logits, [N, classes]; taken as given.</param>
    /// <param name="temperature">T, above 0: how much the teacher's lesser classes count.</param>
    /// <returns>New tensor, [], in the current scope.</returns>
    /// <exception cref="ShapeException">The two differ in shape or type, or aren't [N, classes].</exception>
    /// <remarks>Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", arXiv:1503.02531.</remarks>
    public static Tensor Knowledge(Tensor student, Tensor teacher, double temperature = 4)
    {
        Require(student, teacher, "distillation");
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(temperature);
        using var scope = new TensorScope();
        Tensor target = (teacher.Detach() / temperature).LogSoftmax(1);
        Tensor divergence = (target.Exp() * (target - (student / temperature).LogSoftmax(1))).Sum([1]).Mean();
        return (divergence * (temperature * temperature)).MoveToOuterScope();
    }

    private static void Require(Tensor first, Tensor second, string operation)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.Rank != 2 || !first.Shape.SequenceEqual(second.Shape) || first.DType != second.DType)
        {
            throw new ShapeException($"{operation}: expected logits [N, classes] of two networks alike, found {first} and {second}");
        }
    }
}
