using Kinora.Tensors.Native;

namespace Kinora.Tensors;

/// <summary>What follows a batch norm in the same pass over memory.</summary>
public enum Rectifier
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>max(x, 0).</summary>
    Relu = 1,

    /// <summary>min(max(x, 0), 6).</summary>
    Relu6 = 2,
}

/// <summary>
/// Operators of native/torch/training.cpp that take libtorch's place in training steps over channels-last images, with
/// the same meaning. Each gives null where it doesn't apply. Recordings see libtorch's operators only.
/// </summary>
internal static unsafe class TrainingKernels
{
    /// <summary>Normalises with the batch's statistics, updates the running ones if they are given, then rectifies. With several processes the batch is theirs together.</summary>
    public static Tensor? BatchNorm(Tensor x, Tensor weight, Tensor bias, Tensor? runningMean, Tensor? runningVariance, double keep, double epsilon, bool biased, Rectifier then, DistributedContext? processes = null)
    {
        if (Recording.Current is not null)
        {
            return null;
        }

        using var heldX = new Tensor.Held(x);
        using var heldWeight = new Tensor.Held(weight);
        using var heldBias = new Tensor.Held(bias);
        using var heldMean = new Tensor.Held(runningMean);
        using var heldVariance = new Tensor.Held(runningVariance);
        nint result;
        Status.Check(
            NativeMethods.kt_batch_norm(heldX.Address, heldWeight.Address, heldBias.Address, heldMean.Address, heldVariance.Address, keep, epsilon, biased ? 1 : 0, (int)then, processes?.StatisticsAddress ?? 0, processes is { Contributes: false } ? 0 : 1, &result),
            "batch_norm",
            () => $"input {x}, weight {weight}");
        return result == 0 ? null : new Tensor(result);
    }

    /// <summary>As <see cref="BatchNorm"/> over the batch of several processes, for every layout and floating-point type.</summary>
    public static Tensor BatchNormOver(DistributedContext processes, Tensor x, Tensor weight, Tensor bias, Tensor? runningMean, Tensor? runningVariance, double keep, double epsilon, bool biased)
    {
        using var heldX = new Tensor.Held(x);
        using var heldWeight = new Tensor.Held(weight);
        using var heldBias = new Tensor.Held(bias);
        using var heldMean = new Tensor.Held(runningMean);
        using var heldVariance = new Tensor.Held(runningVariance);
        nint result;
        Status.Check(
            NativeMethods.kt_sync_batch_norm(heldX.Address, heldWeight.Address, heldBias.Address, heldMean.Address, heldVariance.Address, keep, epsilon, biased ? 1 : 0, processes.StatisticsAddress, processes.Contributes ? 1 : 0, &result),
            "batch_norm over all processes",
            () => $"input {x}, weight {weight}");
        return new Tensor(result);
    }

    /// <summary>min(max(x, 0), 6), keeping the result for the backward pass rather than <paramref name="x"/>.</summary>
    public static Tensor? Relu6(Tensor x)
    {
        if (Recording.Current is not null)
        {
            return null;
        }

        using var held = new Tensor.Held(x);
        nint result;
        Status.Check(NativeMethods.kt_relu6(held.Address, &result), "relu6", () => $"input {x}");
        return result == 0 ? null : new Tensor(result);
    }

    /// <summary>A convolution with as many groups as channels.</summary>
    public static Tensor? DepthwiseConv2d(Tensor x, Tensor weight, Tensor? bias, long[] stride, long[] padding)
    {
        if (Recording.Current is not null)
        {
            return null;
        }

        using var heldX = new Tensor.Held(x);
        using var heldWeight = new Tensor.Held(weight);
        using var heldBias = new Tensor.Held(bias);
        nint result;
        fixed (long* strides = stride, paddings = padding)
        {
            Status.Check(
                NativeMethods.kt_depthwise_conv2d(heldX.Address, heldWeight.Address, heldBias.Address, strides, paddings, &result),
                "conv2d",
                () => $"input {x}, weight {weight}");
        }

        return result == 0 ? null : new Tensor(result);
    }
}
