using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>What becomes of the batches that are left at the end of an epoch, too few for a whole step.</summary>
public enum LeftoverBatches
{
    /// <summary>They make a step of their own, their gradients divided by their number.</summary>
    Step,

    /// <summary>Their gradients are dropped, as PaddleVideo does.</summary>
    Drop,
}

/// <summary>
/// Adds the gradients of several batches up to one step. Divide each loss, tell when its backward pass is done, and step
/// when told to; clipping then acts on the sum.
/// </summary>
/// <remarks>
/// Gradients aren't part of a checkpoint: write one only while <see cref="Pending"/> is 0. The learning-rate schedule still
/// moves once a batch where it counts batches, as in PaddleVideo.
/// </remarks>
public sealed class GradientAccumulation
{
    private readonly Optimizer _optimizer;
    private readonly LeftoverBatches _leftover;

    /// <summary>Starts with nothing accumulated.</summary>
    /// <param name="optimizer">Its gradients are dropped and scaled; it stays the caller's.</param>
    /// <param name="batches">Batches of one step, from 1 on.</param>
    /// <param name="leftover">What becomes of an incomplete step at the end of an epoch.</param>
    public GradientAccumulation(Optimizer optimizer, int batches, LeftoverBatches leftover = LeftoverBatches.Step)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        ArgumentOutOfRangeException.ThrowIfLessThan(batches, 1);
        (_optimizer, Batches, _leftover) = (optimizer, batches, leftover);
    }

    /// <summary>Batches of one step.</summary>
    public int Batches { get; }

    /// <summary>Batches whose gradients are waiting for their step.</summary>
    public int Pending { get; private set; }

    /// <summary>The share of a batch's loss in its step.</summary>
    /// <param name="loss">The loss of one batch.</param>
    /// <returns>The tensor to run backward from: a new one in the current scope, or the loss itself.</returns>
    public Tensor Divide(Tensor loss)
    {
        ArgumentNullException.ThrowIfNull(loss);
        return Batches == 1 ? loss : loss / Batches;
    }

    /// <summary>Notes that a batch's backward pass is done.</summary>
    /// <returns>Whether to clip, step and <see cref="Clear"/> now.</returns>
    public bool Add() => ++Pending == Batches;

    /// <summary>Ends an epoch.</summary>
    /// <returns>Whether to clip, step and <see cref="Clear"/> now, with the gradients of the batches left over.</returns>
    public bool EndEpoch()
    {
        if (Pending == 0)
        {
            return false;
        }

        if (_leftover == LeftoverBatches.Drop)
        {
            Clear();
            return false;
        }

        _optimizer.ScaleGradients(Batches / (double)Pending);
        return true;
    }

    /// <summary>Drops the gradients: after a step.</summary>
    public void Clear()
    {
        _optimizer.ZeroGrad();
        Pending = 0;
    }
}
