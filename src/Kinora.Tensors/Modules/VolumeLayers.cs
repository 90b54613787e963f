namespace Kinora.Tensors;

/// <summary>
/// Three-dimensional convolution with the parameters "weight" [outputs, inputs / groups, time, height, width] and "bias".
/// </summary>
public sealed class Conv3d : UnaryModule
{
    private readonly long[] _stride;
    private readonly long[] _padding;

    /// <summary>A convolution; the weights are zero until initialised.</summary>
    /// <param name="inputs">Input channels.</param>
    /// <param name="outputs">Output channels.</param>
    /// <param name="kernel">Kernel size along time, height and width.</param>
    /// <param name="stride">Step along time, height and width; null for 1.</param>
    /// <param name="padding">Zeros on each side along time, height and width; null for 0.</param>
    /// <param name="groups">Divides the channels.</param>
    /// <param name="bias">Adds a number to each output channel.</param>
    public Conv3d(
        long inputs,
        long outputs,
        (long Time, long Height, long Width) kernel,
        (long Time, long Height, long Width)? stride = null,
        (long Time, long Height, long Width)? padding = null,
        long groups = 1,
        bool bias = false)
    {
        if (groups < 1 || inputs % groups != 0 || outputs % groups != 0)
        {
            throw new ShapeException($"conv3d: expected {inputs} inputs and {outputs} outputs divisible by the groups, found {groups} groups");
        }

        (Inputs, Outputs, Groups) = (inputs, outputs, groups);
        _stride = Axes(stride ?? (1, 1, 1));
        _padding = Axes(padding ?? (0, 0, 0));
        Weight = AddParameter("weight", Tensor.Zeros([outputs, inputs / groups, kernel.Time, kernel.Height, kernel.Width]));
        Bias = bias ? AddParameter("bias", Tensor.Zeros([outputs])) : null;
    }

    /// <summary>Input channels.</summary>
    public long Inputs { get; }

    /// <summary>Output channels.</summary>
    public long Outputs { get; }

    /// <summary>Number of groups.</summary>
    public long Groups { get; }

    /// <summary>[outputs, inputs / groups, time, height, width].</summary>
    public Tensor Weight { get; }

    /// <summary>[outputs], or null.</summary>
    public Tensor? Bias { get; }

    /// <summary>Convolves.</summary>
    /// <param name="x">[N, inputs, T, H, W].</param>
    /// <returns>New tensor, [N, outputs, T', H', W'].</returns>
    protected override Tensor Compute(Tensor x) => F.Conv3d(x, Weight, Bias, _stride, _padding, Groups);

    internal static long[] Axes((long Time, long Height, long Width) sizes) => [sizes.Time, sizes.Height, sizes.Width];
}

/// <summary>Maximum over boxes.</summary>
/// <param name="kernel">Box along time, height and width.</param>
/// <param name="stride">Step along time, height and width.</param>
/// <param name="padding">Minus infinities on each side along time, height and width; null for none.</param>
public sealed class MaxPool3d(
    (long Time, long Height, long Width) kernel,
    (long Time, long Height, long Width) stride,
    (long Time, long Height, long Width)? padding = null) : UnaryModule
{
    private readonly long[] _kernel = Conv3d.Axes(kernel);
    private readonly long[] _stride = Conv3d.Axes(stride);
    private readonly long[] _padding = Conv3d.Axes(padding ?? (0, 0, 0));

    /// <summary>Pools.</summary>
    /// <param name="x">[N, C, T, H, W].</param>
    /// <returns>New tensor.</returns>
    protected override Tensor Compute(Tensor x) => F.MaxPool3d(x, _kernel, _stride, _padding);
}

/// <summary>Mean over boxes.</summary>
/// <param name="kernel">Box along time, height and width.</param>
/// <param name="stride">Step along time, height and width.</param>
/// <param name="padding">Zeros on each side along time, height and width; null for none.</param>
/// <param name="exclusive">The padding doesn't count in the mean (Paddle's default).</param>
public sealed class AvgPool3d(
    (long Time, long Height, long Width) kernel,
    (long Time, long Height, long Width) stride,
    (long Time, long Height, long Width)? padding = null,
    bool exclusive = true) : UnaryModule
{
    private readonly long[] _kernel = Conv3d.Axes(kernel);
    private readonly long[] _stride = Conv3d.Axes(stride);
    private readonly long[] _padding = Conv3d.Axes(padding ?? (0, 0, 0));

    /// <summary>Pools.</summary>
    /// <param name="x">[N, C, T, H, W].</param>
    /// <returns>New tensor.</returns>
    protected override Tensor Compute(Tensor x) => F.AvgPool3d(x, _kernel, _stride, _padding, exclusive);
}
