using System.Buffers;

namespace Kinora.Tensors;

/// <summary>The functions behind the layers: parameters are arguments.</summary>
public static class F
{
    /// <summary>Two-dimensional convolution.</summary>
    /// <param name="input">[N, C, H, W].</param>
    /// <param name="weight">[outputs, C / groups, kernel height, kernel width].</param>
    /// <param name="bias">[outputs], or null.</param>
    /// <param name="stride">Step of the kernel, height and width; null for 1.</param>
    /// <param name="padding">Zeros on each side, height and width; null for 0.</param>
    /// <param name="groups">Divides the channels; C for a depthwise convolution.</param>
    /// <param name="dilation">Distance of the kernel's taps, height and width; null for 1.</param>
    /// <returns>New tensor, [N, outputs, H', W'].</returns>
    public static Tensor Conv2d(Tensor input, Tensor weight, Tensor? bias = null, long[]? stride = null, long[]? padding = null, long groups = 1, long[]? dilation = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(weight);
        (stride, padding, dilation) = (stride ?? One, padding ?? Zero, dilation ?? One);
        bool depthwise = groups > 1 && dilation is [1, 1] && stride.Length == 2 && padding.Length == 2
            && input.Rank == 4 && groups == input.Shape[1] && groups == weight.Shape[0];
        return (depthwise ? TrainingKernels.DepthwiseConv2d(input, weight, bias, stride, padding) : null)
            ?? Torch.Call(Ops.Conv2d, input, weight, bias, stride, padding, dilation, groups);
    }

    /// <summary>One-dimensional convolution.</summary>
    /// <param name="input">[N, C, L].</param>
    /// <param name="weight">[outputs, C / groups, kernel].</param>
    /// <param name="bias">[outputs], or null.</param>
    /// <param name="stride">Step of the kernel.</param>
    /// <param name="padding">Zeros on each side.</param>
    /// <param name="groups">Divides the channels.</param>
    /// <returns>New tensor, [N, outputs, L'].</returns>
    public static Tensor Conv1d(Tensor input, Tensor weight, Tensor? bias = null, long stride = 1, long padding = 0, long groups = 1) =>
        Torch.Call(Ops.Conv1d, input, weight, bias, stride, padding, 1, groups);

    /// <summary>Three-dimensional convolution.</summary>
    /// <param name="input">[N, C, T, H, W].</param>
    /// <param name="weight">[outputs, C / groups, kernel along time, height and width].</param>
    /// <param name="bias">[outputs], or null.</param>
    /// <param name="stride">Step along time, height and width.</param>
    /// <param name="padding">Zeros on each side along time, height and width.</param>
    /// <param name="groups">Divides the channels; C for a depthwise convolution.</param>
    /// <returns>New tensor, [N, outputs, T', H', W'].</returns>
    public static Tensor Conv3d(Tensor input, Tensor weight, Tensor? bias, long[] stride, long[] padding, long groups = 1)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(weight);
        return ConvolveInParts(input, weight, bias, stride, padding, groups)
            ?? Torch.Call(Ops.Conv3d, input, weight, bias, stride, padding, new long[] { 1, 1, 1 }, groups);
    }

    // oneDNN has no float64. libtorch's own convolution lays out what every output sees, all at once: gigabytes for the
    // first layer of a clip. Some outputs along time at a time need as little memory as one likes.
    private static Tensor? ConvolveInParts(Tensor input, Tensor weight, Tensor? bias, long[] stride, long[] padding, long groups)
    {
        const long AtMost = 64L << 20;
        if (input.DType != DType.Float64 || input.Rank != 5 || weight.Rank != 5)
        {
            return null;
        }

        long[] kernel = [.. weight.Shape[2..]];
        long[] outputs = [.. input.Shape[2..].ToArray().Select((size, axis) => ((size + (2 * padding[axis]) - kernel[axis]) / stride[axis]) + 1)];
        long valuesPerStep = input.Shape[0] * weight.Shape[1] * kernel[0] * kernel[1] * kernel[2] * outputs[1] * outputs[2];
        long steps = Math.Max(1, AtMost / sizeof(double) / Math.Max(1, valuesPerStep));
        if (kernel is [1, 1, 1] || steps >= outputs[0])
        {
            return null;
        }

        using var scope = new TensorScope();
        Tensor padded = padding[0] == 0 ? input : Pad(input, [0, 0, 0, 0, padding[0], padding[0]]);
        var parts = new List<Tensor>();
        for (long start = 0; start < outputs[0]; start += steps)
        {
            long last = Math.Min(start + steps, outputs[0]) - 1;
            Tensor part = padded.Slice(2, start * stride[0], (last * stride[0]) + kernel[0]);
            parts.Add(Torch.Call(Ops.Conv3d, part, weight, bias, stride, new[] { 0, padding[1], padding[2] }, new long[] { 1, 1, 1 }, groups));
        }

        return Tensor.Concat(parts, 2).MoveToOuterScope();
    }

    /// <summary>Batch normalisation with libtorch's rules: the running variance takes the unbiased batch variance.</summary>
    /// <param name="input">[N, C, …].</param>
    /// <param name="weight">[C], or null for 1.</param>
    /// <param name="bias">[C], or null for 0.</param>
    /// <param name="runningMean">[C]; updated in training.</param>
    /// <param name="runningVariance">[C]; updated in training.</param>
    /// <param name="training">Normalises with the batch's own statistics.</param>
    /// <param name="momentum">Weight of the batch in the running statistics.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <returns>New tensor of the input's shape.</returns>
    public static Tensor BatchNorm(Tensor input, Tensor? weight, Tensor? bias, Tensor? runningMean, Tensor? runningVariance, bool training, double momentum, double epsilon) =>
        Torch.Call(Ops.BatchNorm, input, weight, bias, runningMean, runningVariance, training, momentum, epsilon, false);

    /// <summary>Normalisation over the last dimensions.</summary>
    /// <param name="input">[…, shape].</param>
    /// <param name="shape">The dimensions to normalise over.</param>
    /// <param name="weight">Of that shape, or null.</param>
    /// <param name="bias">Of that shape, or null.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <returns>New tensor of the input's shape.</returns>
    public static Tensor LayerNorm(Tensor input, long[] shape, Tensor? weight, Tensor? bias, double epsilon = 1e-5) =>
        Torch.Call(Ops.LayerNorm, input, shape, weight, bias, epsilon, false);

    /// <summary>input · weightᵀ + bias.</summary>
    /// <param name="input">[…, inputs].</param>
    /// <param name="weight">[outputs, inputs].</param>
    /// <param name="bias">[outputs], or null.</param>
    /// <returns>New tensor, […, outputs].</returns>
    public static Tensor Linear(Tensor input, Tensor weight, Tensor? bias = null) => Torch.Call(Ops.Linear, input, weight, bias);

    /// <summary>The largest value in each window.</summary>
    /// <param name="input">[N, C, H, W].</param>
    /// <param name="kernel">Window, height and width.</param>
    /// <param name="stride">Step, height and width.</param>
    /// <param name="padding">Minus infinities on each side; null for none.</param>
    /// <param name="ceilMode">Windows that hang over the edge count.</param>
    /// <returns>New tensor.</returns>
    public static Tensor MaxPool2d(Tensor input, long[] kernel, long[] stride, long[]? padding = null, bool ceilMode = false) =>
        Torch.Call(Ops.MaxPool2d, input, kernel, stride, padding ?? Zero, One, ceilMode);

    /// <summary>The mean of each window.</summary>
    /// <param name="input">[N, C, H, W].</param>
    /// <param name="kernel">Window, height and width.</param>
    /// <param name="stride">Step, height and width.</param>
    /// <param name="padding">Zeros on each side; null for none.</param>
    /// <param name="ceilMode">Windows that hang over the edge count.</param>
    /// <param name="exclusive">The padding doesn't count in the mean (Paddle's default).</param>
    /// <returns>New tensor.</returns>
    public static Tensor AvgPool2d(Tensor input, long[] kernel, long[] stride, long[]? padding = null, bool ceilMode = false, bool exclusive = true) =>
        Torch.Call(Ops.AvgPool2d, input, kernel, stride, padding ?? Zero, ceilMode, !exclusive);

    /// <summary>The largest value in each box.</summary>
    /// <param name="input">[N, C, T, H, W].</param>
    /// <param name="kernel">Box along time, height and width.</param>
    /// <param name="stride">Step along time, height and width.</param>
    /// <param name="padding">Minus infinities on each side along time, height and width.</param>
    /// <returns>New tensor.</returns>
    public static Tensor MaxPool3d(Tensor input, long[] kernel, long[] stride, long[] padding) =>
        Torch.Call(Ops.MaxPool3d, input, kernel, stride, padding, new long[] { 1, 1, 1 }, false);

    /// <summary>The mean of each box.</summary>
    /// <param name="input">[N, C, T, H, W].</param>
    /// <param name="kernel">Box along time, height and width.</param>
    /// <param name="stride">Step along time, height and width.</param>
    /// <param name="padding">Zeros on each side along time, height and width.</param>
    /// <param name="exclusive">The padding doesn't count in the mean (Paddle's default).</param>
    /// <returns>New tensor.</returns>
    public static Tensor AvgPool3d(Tensor input, long[] kernel, long[] stride, long[] padding, bool exclusive = true) =>
        Torch.Call(Ops.AvgPool3d, input, kernel, stride, padding, false, !exclusive);

    /// <summary>Means of windows chosen so that the output has a given size.</summary>
    /// <param name="input">[N, C, H, W].</param>
    /// <param name="height">Height of the output.</param>
    /// <param name="width">Width of the output.</param>
    /// <returns>New tensor, [N, C, height, width].</returns>
    public static Tensor AdaptiveAvgPool2d(Tensor input, long height = 1, long width = 1) =>
        Torch.Call(Ops.AdaptiveAvgPool2d, input, new[] { height, width });

    /// <summary>Sets elements to zero at random.</summary>
    /// <param name="input">Any shape.</param>
    /// <param name="probability">Of a zero, in [0, 1].</param>
    /// <param name="random">Gives the key of the mask: one 64-bit number is taken from it.</param>
    /// <param name="upscale">Divides what is kept by 1 - probability, so that the mean stays.</param>
    /// <param name="firstElement">Position of the first element in the whole batch, of which <paramref name="input"/> is a part; masks of parts together are that of the whole.</param>
    /// <returns>New tensor; the mask depends on the key, the position and the probability alone.</returns>
    public static Tensor Dropout(Tensor input, double probability, CounterRandom random, bool upscale = true, long firstElement = 0)
    {
        ArgumentNullException.ThrowIfNull(random);
        ArgumentOutOfRangeException.ThrowIfNegative(probability);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(probability, 1);
        ulong key = random.NextUInt64();
        if (probability == 0)
        {
            return input.Clone();
        }

        using var scope = new TensorScope();
        Tensor mask = DropoutMask.Create(key, input.Shape, probability, upscale && probability < 1 ? 1 / (1 - probability) : 1, input.DType, firstElement);
        return (input * mask).MoveToOuterScope();
    }

    /// <summary>Mean cross-entropy of logits against class indices.</summary>
    /// <param name="logits">[N, classes].</param>
    /// <param name="labels">[N], Int64; class indices.</param>
    /// <param name="labelSmoothing">ε: the target is (1-ε) for the label plus ε/classes for every class.</param>
    /// <returns>New tensor, [].</returns>
    /// <exception cref="ShapeException">Unfit shapes, or a label outside [0, classes).</exception>
    /// <remarks>
    /// With smoothing, 1-ε and ε/classes are rounded to float32 first, as Paddle does; the gradient is softmax - target.
    /// </remarks>
    public static Tensor CrossEntropy(Tensor logits, Tensor labels, double labelSmoothing = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(labelSmoothing);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(labelSmoothing, 1);
        if (logits.Rank != 2 || labels.Rank != 1 || labels.Shape[0] != logits.Shape[0])
        {
            throw new ShapeException($"cross-entropy: expected logits [N, classes] and labels [N], found {logits} and {labels}");
        }

        long lastClass = logits.Shape[1] - 1;
        foreach (long label in labels.ToArray<long>())
        {
            if (label < 0 || label > lastClass)
            {
                throw new ShapeException($"cross-entropy: expected labels in [0, {lastClass}], found {label}");
            }
        }

        if (labelSmoothing == 0)
        {
            return Torch.Call(Ops.CrossEntropy, logits, labels);
        }

        using var scope = new TensorScope();
        return CrossEntropyEach(logits, labels, labelSmoothing).Mean().MoveToOuterScope();
    }

    /// <summary>Cross-entropy of each row of logits against its class index, differentiably.</summary>
    /// <param name="logits">[N, classes].</param>
    /// <param name="labels">[N], Int64; each in [0, classes), which isn't checked here.</param>
    /// <param name="labelSmoothing">ε, as for <see cref="CrossEntropy"/>.</param>
    /// <param name="classWeights">[classes], of the logits' type: multiplies what each class adds; null for 1.</param>
    /// <returns>New tensor, [N].</returns>
    public static Tensor CrossEntropyEach(Tensor logits, Tensor labels, double labelSmoothing = 0, Tensor? classWeights = null)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(labels);
        using var scope = new TensorScope();
        Tensor wide = logits.DType is DType.BFloat16 or DType.Float16 ? logits.To(DType.Float32) : logits;
        Tensor logProbabilities = wide.LogSoftmax(1);                                   // [N, classes]
        Tensor weighted = classWeights is null ? logProbabilities : logProbabilities * classWeights;
        Tensor ofLabel = weighted.Gather(1, labels.Unsqueeze(1)).Squeeze(1);            // [N]
        if (labelSmoothing == 0)
        {
            return (-ofLabel).MoveToOuterScope();
        }

        double others = (float)(labelSmoothing / logits.Shape[1]);
        double own = (float)(1 - labelSmoothing);
        Tensor smoothed = (ofLabel * -own) - (weighted.Sum([1]) * others);              // [N]
        if (classWeights is not null)
        {
            return smoothed.MoveToOuterScope();
        }

        // The rounded weights don't add up to 1, yet Paddle's gradient is softmax - target as if they did: the value of
        // the last term is zero, its gradient makes up for the difference.
        Tensor normaliser = wide.LogSumExp(1);
        return (smoothed + ((normaliser - normaliser.Detach()) * (1 - own - (others * logits.Shape[1])))).MoveToOuterScope();
    }

    /// <summary>Binary cross-entropy of each logit against its target, computed safely.</summary>
    /// <param name="logits">Any shape.</param>
    /// <param name="targets">Of that shape and type; each in [0, 1].</param>
    /// <param name="positiveWeights">Multiplies what the positive part of each target adds; broadcast, null for 1.</param>
    /// <returns>New tensor of that shape.</returns>
    public static Tensor BinaryCrossEntropy(Tensor logits, Tensor targets, Tensor? positiveWeights = null)
    {
        const long Unreduced = 0;
        return Torch.Call(Ops.BinaryCrossEntropy, logits, targets, (Tensor?)null, positiveWeights, Unreduced);
    }

    /// <summary>clamp(slope · x + offset, 0, 1): Paddle's hard sigmoid has slope 0.2 by default, libtorch's 1/6.</summary>
    /// <param name="input">Any shape.</param>
    /// <param name="slope">The slope.</param>
    /// <param name="offset">The offset.</param>
    /// <returns>New tensor.</returns>
    public static Tensor HardSigmoid(Tensor input, double slope, double offset = 0.5)
    {
        using var scope = new TensorScope();
        return ((input * slope) + offset).Clamp(0, 1).MoveToOuterScope();
    }

    /// <summary>Surrounds the last dimensions with a value.</summary>
    /// <param name="input">Any shape.</param>
    /// <param name="amounts">Before and after of the last dimension, then of the one before it, and so on.</param>
    /// <param name="value">The value.</param>
    /// <returns>New tensor.</returns>
    public static Tensor Pad(Tensor input, ReadOnlySpan<long> amounts, double value = 0) => input.Pad(amounts, value);

    private static readonly long[] One = [1, 1];
    private static readonly long[] Zero = [0, 0];
}

/// <summary>Masks of dropout layers, a pure function of key and position.</summary>
internal static class DropoutMask
{
    /// <summary>Makes a mask.</summary>
    /// <param name="key">Decides the mask.</param>
    /// <param name="shape">Shape of the mask.</param>
    /// <param name="probability">Of a zero.</param>
    /// <param name="keep">Value of the other elements.</param>
    /// <param name="dtype">Element type.</param>
    /// <param name="firstElement">Position of the first element in the mask of the whole batch.</param>
    public static Tensor Create(ulong key, ReadOnlySpan<long> shape, double probability, double keep, DType dtype, long firstElement = 0)
    {
        long count = 1;
        foreach (long size in shape)
        {
            count *= size;
        }

        using var scope = new TensorScope();
        float[] values = ArrayPool<float>.Shared.Rent(checked((int)count));
        ulong threshold = (ulong)(probability * (1UL << 32));
        float kept = (float)keep;
        for (int i = 0; i < count; i++)
        {
            values[i] = (Mix(key + ((ulong)(firstElement + i) * 0x9E3779B97F4A7C15)) >> 32) < threshold ? 0 : kept;
        }

        Tensor mask = Tensor.From<float>(values.AsSpan(0, (int)count), shape);
        ArrayPool<float>.Shared.Return(values);
        if (dtype == DType.Float64)
        {
            // 1 / (1-p) in double precision, not in single.
            mask = mask.To(dtype) * (keep / kept);
        }
        else if (dtype != DType.Float32)
        {
            mask = mask.To(dtype);
        }

        return mask.MoveToOuterScope();
    }

    // Finaliser of SplitMix64.
    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
