namespace Kinora.Tensors;

/// <summary>
/// Batch normalisation of each channel of [N, C, …], images and volumes alike, with the parameters "weight" and "bias"
/// and the buffers "running_mean" and "running_var".
/// </summary>
/// <remarks>Ioffe and Szegedy, arXiv:1502.03167. A batch with one value per channel is passed on unchanged and leaves
/// the statistics alone, as in Paddle.</remarks>
public sealed class BatchNorm : UnaryModule
{
    private readonly bool _biasedVariance;

    /// <summary>A batch norm with weight 1, bias 0, mean 0, variance 1.</summary>
    /// <param name="channels">C.</param>
    /// <param name="epsilon">Added to the variance; rounded to float32, as Paddle does.</param>
    /// <param name="momentum">Weight of the batch in the running statistics; the weight of the old ones, 1-momentum, is rounded to float32.</param>
    /// <param name="biasedVariance">The running variance takes the batch variance divided by n, as in Paddle and TensorFlow; otherwise by n-1, as in PyTorch.</param>
    public BatchNorm(long channels, double epsilon = 1e-5, double momentum = 0.1, bool biasedVariance = true)
    {
        Epsilon = (float)epsilon;
        Momentum = momentum;
        _biasedVariance = biasedVariance;
        Weight = AddParameter("weight", Tensor.Ones([channels]));
        Bias = AddParameter("bias", Tensor.Zeros([channels]));
        RunningMean = AddBuffer("running_mean", Tensor.Zeros([channels]));
        RunningVariance = AddBuffer("running_var", Tensor.Ones([channels]));
    }

    /// <summary>Added to the variance. The constructor rounds it as Paddle does; an initialiser sets it as it is, for networks that come from elsewhere.</summary>
    public double Epsilon { get; init; }

    /// <summary>Weight of the batch in the running statistics, in [0, 1].</summary>
    public double Momentum { get; set; }

    /// <summary>Factors, [C].</summary>
    public Tensor Weight { get; }

    /// <summary>Offsets, [C].</summary>
    public Tensor Bias { get; }

    /// <summary>Running mean, [C].</summary>
    public Tensor RunningMean { get; }

    /// <summary>Running variance, [C].</summary>
    public Tensor RunningVariance { get; }

    /// <summary>
    /// In training normalises with the batch's own statistics and still leaves the running ones alone: for the second
    /// of two passes over one batch.
    /// </summary>
    public bool FreezeStatistics { get; set; }

    /// <summary>
    /// In training the batch is that of all these processes together, in the forward and the backward pass, so that the
    /// result doesn't depend on how many share it. Null: each process for itself. Set by <see cref="DistributedContext.Synchronize"/>.
    /// </summary>
    public DistributedContext? Processes { get; set; }

    /// <summary>Normalises and rectifies, in training in one pass over memory where the layout is channels-last.</summary>
    /// <param name="x">[N, C, …].</param>
    /// <param name="then">What to apply to the normalised values.</param>
    /// <returns>New tensor of the same shape.</returns>
    /// <remarks>While <see cref="Module.OutputObserver"/> is set, the two are done one after the other, so that it sees the
    /// normalised values.</remarks>
    public Tensor Forward(Tensor x, Rectifier then)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (IsTraining && OutputObserver is null && Fused(x, then) is Tensor fused)
        {
            return fused;
        }

        Tensor y = Forward(x);
        return then switch { Rectifier.Relu => y.Relu(), Rectifier.Relu6 => y.Relu6(), _ => y };
    }

    /// <summary>Normalises.</summary>
    /// <param name="x">[N, C, …].</param>
    /// <returns>New tensor of the same shape.</returns>
    protected override Tensor Compute(Tensor x)
    {
        if (!IsTraining)
        {
            return F.BatchNorm(x, Weight, Bias, RunningMean, RunningVariance, false, 0, Epsilon);
        }

        if (x.Rank < 2)
        {
            throw new ShapeException($"batch_norm: expected [N, C, …], found input {x}, weight {Weight}");
        }

        if (Processes is { IsDistributed: true } processes)
        {
            return Fused(x, Rectifier.None) ?? TrainingKernels.BatchNormOver(
                processes, x, Weight, Bias, FreezeStatistics ? null : RunningMean, FreezeStatistics ? null : RunningVariance, Keep, Epsilon, _biasedVariance);
        }

        long perChannel = x.Count / Math.Max(1, x.Shape[1]);
        if (perChannel == 1)
        {
            return x.Clone();
        }

        if (Fused(x, Rectifier.None) is Tensor fused)
        {
            return fused;
        }

        if (FreezeStatistics)
        {
            return F.BatchNorm(x, Weight, Bias, null, null, true, 0, Epsilon);
        }

        double keep = Keep;
        if (!_biasedVariance)
        {
            return F.BatchNorm(x, Weight, Bias, RunningMean, RunningVariance, true, 1 - keep, Epsilon);
        }

        // libtorch mixes in the variance divided by n-1. With the old share taken away, what it mixed in is scaled to
        // the variance divided by n, and the old share comes back. libtorch works on a copy, because the backward pass
        // insists that the tensor it was given doesn't change.
        using var scope = new TensorScope();
        Tensor old, mixed;
        using (Grad.Disable())
        {
            old = RunningVariance * keep;
            mixed = RunningVariance.Clone();
        }

        Tensor y = F.BatchNorm(x, Weight, Bias, RunningMean, mixed, true, 1 - keep, Epsilon);
        using (Grad.Disable())
        {
            RunningVariance.CopyFrom(mixed).SubInPlace(old).MulInPlace((perChannel - 1) / (double)perChannel).AddInPlace(old);
        }

        return y.MoveToOuterScope();
    }

    // Weight of the old running statistics.
    private double Keep => (float)(1 - Momentum);

    private Tensor? Fused(Tensor x, Rectifier then) => TrainingKernels.BatchNorm(
        x,
        Weight,
        Bias,
        FreezeStatistics ? null : RunningMean,
        FreezeStatistics ? null : RunningVariance,
        Keep,
        Epsilon,
        _biasedVariance,
        then,
        Processes is { IsDistributed: true } ? Processes : null);
}
