namespace Kinora.Tensors;

/// <summary>Two-dimensional convolution with the parameters "weight" [outputs, inputs / groups, height, width] and "bias".</summary>
public sealed class Conv2d : UnaryModule
{
    private readonly long[] _stride;
    private readonly long[] _padding;
    private readonly long[] _dilation;

    /// <summary>A convolution with a square kernel; the weights are zero until initialised.</summary>
    /// <param name="inputs">Input channels.</param>
    /// <param name="outputs">Output channels.</param>
    /// <param name="kernel">Kernel size.</param>
    /// <param name="stride">Step of the kernel.</param>
    /// <param name="padding">Zeros on each side.</param>
    /// <param name="groups">Divides the channels.</param>
    /// <param name="bias">Adds a number to each output channel.</param>
    public Conv2d(long inputs, long outputs, long kernel, long stride = 1, long padding = 0, long groups = 1, bool bias = false)
        : this(inputs, outputs, (kernel, kernel), (stride, stride), (padding, padding), groups, bias)
    {
    }

    /// <summary>A convolution; the weights are zero until initialised.</summary>
    /// <param name="inputs">Input channels.</param>
    /// <param name="outputs">Output channels.</param>
    /// <param name="kernel">Kernel height and width.</param>
    /// <param name="stride">Step, down and across.</param>
    /// <param name="padding">Zeros above and below, left and right.</param>
    /// <param name="groups">Divides the channels.</param>
    /// <param name="bias">Adds a number to each output channel.</param>
    /// <param name="dilation">Distance of the kernel's taps.</param>
    public Conv2d(long inputs, long outputs, (long Height, long Width) kernel, (long Down, long Across) stride, (long Vertical, long Horizontal) padding, long groups = 1, bool bias = false, long dilation = 1)
    {
        if (groups < 1 || inputs % groups != 0 || outputs % groups != 0)
        {
            throw new ShapeException($"conv2d: expected {inputs} inputs and {outputs} outputs divisible by the groups, found {groups} groups");
        }

        (Inputs, Outputs, Groups) = (inputs, outputs, groups);
        _stride = [stride.Down, stride.Across];
        _padding = [padding.Vertical, padding.Horizontal];
        _dilation = [dilation, dilation];
        Weight = AddParameter("weight", Tensor.Zeros([outputs, inputs / groups, kernel.Height, kernel.Width]));
        Bias = bias ? AddParameter("bias", Tensor.Zeros([outputs])) : null;
    }

    /// <summary>Input channels.</summary>
    public long Inputs { get; }

    /// <summary>Output channels.</summary>
    public long Outputs { get; }

    /// <summary>Number of groups.</summary>
    public long Groups { get; }

    /// <summary>Step, down and across.</summary>
    public ReadOnlySpan<long> Stride => _stride;

    /// <summary>Zeros above and below, left and right.</summary>
    public ReadOnlySpan<long> Padding => _padding;

    /// <summary>[outputs, inputs / groups, height, width].</summary>
    public Tensor Weight { get; }

    /// <summary>[outputs], or null.</summary>
    public Tensor? Bias { get; }

    /// <summary>Convolves.</summary>
    /// <param name="x">[N, inputs, H, W].</param>
    /// <returns>New tensor, [N, outputs, H', W'].</returns>
    protected override Tensor Compute(Tensor x) => F.Conv2d(x, Weight, Bias, _stride, _padding, Groups, _dilation);
}

/// <summary>One-dimensional convolution with the parameters "weight" [outputs, inputs / groups, kernel] and "bias".</summary>
public sealed class Conv1d : UnaryModule
{
    private readonly long _stride;
    private readonly long _padding;
    private readonly long _groups;

    /// <summary>A convolution; the weights are zero until initialised.</summary>
    /// <param name="inputs">Input channels.</param>
    /// <param name="outputs">Output channels.</param>
    /// <param name="kernel">Kernel size.</param>
    /// <param name="stride">Step of the kernel.</param>
    /// <param name="padding">Zeros on each side.</param>
    /// <param name="groups">Divides the channels.</param>
    /// <param name="bias">Adds a number to each output channel.</param>
    public Conv1d(long inputs, long outputs, long kernel, long stride = 1, long padding = 0, long groups = 1, bool bias = false)
    {
        (_stride, _padding, _groups) = (stride, padding, groups);
        Weight = AddParameter("weight", Tensor.Zeros([outputs, inputs / groups, kernel]));
        Bias = bias ? AddParameter("bias", Tensor.Zeros([outputs])) : null;
    }

    /// <summary>[outputs, inputs / groups, kernel].</summary>
    public Tensor Weight { get; }

    /// <summary>[outputs], or null.</summary>
    public Tensor? Bias { get; }

    /// <summary>Convolves.</summary>
    /// <param name="x">[N, inputs, L].</param>
    /// <returns>New tensor, [N, outputs, L'].</returns>
    protected override Tensor Compute(Tensor x) => F.Conv1d(x, Weight, Bias, _stride, _padding, _groups);
}

/// <summary>x · weightᵀ + bias, with the parameters "weight" [outputs, inputs] and "bias".</summary>
public sealed class Linear : UnaryModule
{
    /// <summary>A fully connected layer; the weights are zero until initialised.</summary>
    /// <param name="inputs">Input features.</param>
    /// <param name="outputs">Output features.</param>
    /// <param name="bias">Adds a number to each output.</param>
    public Linear(long inputs, long outputs, bool bias = true)
    {
        (Inputs, Outputs) = (inputs, outputs);
        Weight = AddParameter("weight", Tensor.Zeros([outputs, inputs]));
        Bias = bias ? AddParameter("bias", Tensor.Zeros([outputs])) : null;
    }

    /// <summary>Input features.</summary>
    public long Inputs { get; }

    /// <summary>Output features.</summary>
    public long Outputs { get; }

    /// <summary>[outputs, inputs].</summary>
    public Tensor Weight { get; }

    /// <summary>[outputs], or null.</summary>
    public Tensor? Bias { get; }

    /// <summary>Multiplies.</summary>
    /// <param name="x">[…, inputs].</param>
    /// <returns>New tensor, […, outputs].</returns>
    protected override Tensor Compute(Tensor x) => F.Linear(x, Weight, Bias);
}

/// <summary>Maximum over square windows.</summary>
/// <param name="kernel">Window size.</param>
/// <param name="stride">Step.</param>
/// <param name="padding">Minus infinities on each side.</param>
/// <param name="ceilMode">Windows that hang over the edge count.</param>
public sealed class MaxPool2d(long kernel, long stride, long padding = 0, bool ceilMode = false) : UnaryModule
{
    private readonly long[] _kernel = [kernel, kernel];
    private readonly long[] _stride = [stride, stride];
    private readonly long[] _padding = [padding, padding];

    /// <summary>Pools.</summary>
    /// <param name="x">[N, C, H, W].</param>
    /// <returns>New tensor.</returns>
    protected override Tensor Compute(Tensor x) => F.MaxPool2d(x, _kernel, _stride, _padding, ceilMode);
}

/// <summary>Mean over square windows.</summary>
/// <param name="kernel">Window size.</param>
/// <param name="stride">Step.</param>
/// <param name="padding">Zeros on each side.</param>
/// <param name="ceilMode">Windows that hang over the edge count.</param>
/// <param name="exclusive">The padding doesn't count in the mean.</param>
public sealed class AvgPool2d(long kernel, long stride, long padding = 0, bool ceilMode = false, bool exclusive = true) : UnaryModule
{
    private readonly long[] _kernel = [kernel, kernel];
    private readonly long[] _stride = [stride, stride];
    private readonly long[] _padding = [padding, padding];

    /// <summary>Pools.</summary>
    /// <param name="x">[N, C, H, W].</param>
    /// <returns>New tensor.</returns>
    protected override Tensor Compute(Tensor x) => F.AvgPool2d(x, _kernel, _stride, _padding, ceilMode, exclusive);
}

/// <summary>Mean over the whole image: [N, C, H, W] becomes [N, C, 1, 1].</summary>
public sealed class GlobalAvgPool2d : UnaryModule
{
    /// <summary>Pools.</summary>
    /// <param name="x">[N, C, H, W].</param>
    /// <returns>New tensor, [N, C, 1, 1].</returns>
    protected override Tensor Compute(Tensor x) => F.AdaptiveAvgPool2d(x);
}

/// <summary>Any function of one tensor without parameters, such as an activation.</summary>
/// <param name="function">The function; its result is a new tensor.</param>
public sealed class Activation(Func<Tensor, Tensor> function) : UnaryModule
{
    /// <summary>max(x, 0).</summary>
    /// <returns>New module.</returns>
    public static Activation Relu() => new(x => x.Relu());

    /// <summary>min(max(x, 0), 6).</summary>
    /// <returns>New module.</returns>
    public static Activation Relu6() => new(x => x.Relu6());

    /// <summary>x · relu6(x + 3) / 6.</summary>
    /// <returns>New module.</returns>
    public static Activation Hardswish() => new(x => x.Hardswish());

    /// <summary>Applies the function.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>New tensor.</returns>
    protected override Tensor Compute(Tensor x) => function(x);
}
