namespace Kinora.Tensors;

/// <content>Operators, as methods.</content>
public sealed partial class Tensor
{
    /// <summary>Element-wise sum with broadcasting.</summary>
    /// <param name="a">Left operand.</param>
    /// <param name="b">Right operand.</param>
    /// <returns>New tensor.</returns>
    public static Tensor operator +(Tensor a, Tensor b) => Torch.Call(Ops.Add, a, b);

    /// <summary>Adds a number to each element.</summary>
    /// <param name="a">Left operand.</param>
    /// <param name="b">Right operand.</param>
    /// <returns>New tensor.</returns>
    public static Tensor operator +(Tensor a, double b) => Torch.Call(Ops.AddScalar, a, b);

    /// <summary>Element-wise difference with broadcasting.</summary>
    /// <param name="a">Left operand.</param>
    /// <param name="b">Right operand.</param>
    /// <returns>New tensor.</returns>
    public static Tensor operator -(Tensor a, Tensor b) => Torch.Call(Ops.Sub, a, b);

    /// <summary>Subtracts a number from each element.</summary>
    /// <param name="a">Left operand.</param>
    /// <param name="b">Right operand.</param>
    /// <returns>New tensor.</returns>
    public static Tensor operator -(Tensor a, double b) => Torch.Call(Ops.SubScalar, a, b);

    /// <summary>Subtracts each element from a number.</summary>
    /// <param name="a">Left operand.</param>
    /// <param name="b">Right operand.</param>
    /// <returns>New tensor.</returns>
    public static Tensor operator -(double a, Tensor b) => Torch.Call(Ops.RsubScalar, b, a);

    /// <summary>The negative of each element.</summary>
    /// <param name="a">Operand.</param>
    /// <returns>New tensor.</returns>
    public static Tensor operator -(Tensor a) => Torch.Call(Ops.Neg, a);

    /// <summary>Element-wise product with broadcasting.</summary>
    /// <param name="a">Left operand.</param>
    /// <param name="b">Right operand.</param>
    /// <returns>New tensor.</returns>
    public static Tensor operator *(Tensor a, Tensor b) => Torch.Call(Ops.Mul, a, b);

    /// <summary>Multiplies each element by a number.</summary>
    /// <param name="a">Left operand.</param>
    /// <param name="b">Right operand.</param>
    /// <returns>New tensor.</returns>
    public static Tensor operator *(Tensor a, double b) => Torch.Call(Ops.MulScalar, a, b);

    /// <summary>Multiplies each element by a number.</summary>
    /// <param name="a">Left operand.</param>
    /// <param name="b">Right operand.</param>
    /// <returns>New tensor.</returns>
    public static Tensor operator *(double a, Tensor b) => Torch.Call(Ops.MulScalar, b, a);

    /// <summary>Element-wise quotient with broadcasting.</summary>
    /// <param name="a">Left operand.</param>
    /// <param name="b">Right operand.</param>
    /// <returns>New tensor.</returns>
    public static Tensor operator /(Tensor a, Tensor b) => Torch.Call(Ops.Div, a, b);

    /// <summary>Divides each element by a number.</summary>
    /// <param name="a">Left operand.</param>
    /// <param name="b">Right operand.</param>
    /// <returns>New tensor.</returns>
    public static Tensor operator /(Tensor a, double b) => Torch.Call(Ops.DivScalar, a, b);

    /// <summary>Divides a number by each element.</summary>
    /// <param name="a">Left operand.</param>
    /// <param name="b">Right operand.</param>
    /// <returns>New tensor.</returns>
    public static Tensor operator /(double a, Tensor b) => Torch.Call(Ops.Reciprocal, b) * a;

    /// <summary>Joins tensors along an existing dimension.</summary>
    /// <param name="tensors">At least one; equal shapes but for <paramref name="dim"/>.</param>
    /// <param name="dim">The dimension; negative counts from the end.</param>
    /// <returns>New tensor.</returns>
    public static Tensor Concat(IEnumerable<Tensor> tensors, long dim = 0) => Torch.Call(Ops.Cat, Listed(tensors), dim);

    /// <summary>Joins tensors along a new dimension.</summary>
    /// <param name="tensors">At least one; equal shapes.</param>
    /// <param name="dim">Where the new dimension goes.</param>
    /// <returns>New tensor.</returns>
    public static Tensor Stack(IEnumerable<Tensor> tensors, long dim = 0) => Torch.Call(Ops.Stack, Listed(tensors), dim);

    /// <summary>Chooses element by element.</summary>
    /// <param name="condition">Bool.</param>
    /// <param name="ifTrue">Where the condition holds.</param>
    /// <param name="ifFalse">Elsewhere.</param>
    /// <returns>New tensor of the broadcast shape.</returns>
    public static Tensor Where(Tensor condition, Tensor ifTrue, Tensor ifFalse) => Torch.Call(Ops.Where, condition, ifTrue, ifFalse);

    /// <summary>This plus a multiple of another tensor, with broadcasting.</summary>
    /// <param name="other">Second operand.</param>
    /// <param name="alpha">Factor of <paramref name="other"/>.</param>
    /// <returns>New tensor.</returns>
    public Tensor Add(Tensor other, double alpha = 1) => alpha == 1 ? Torch.Call(Ops.Add, this, other) : Torch.Call(Ops.Add, this, other, alpha);

    /// <summary>Adds a number to each element.</summary>
    /// <param name="other">The number.</param>
    /// <returns>New tensor.</returns>
    public Tensor Add(double other) => this + other;

    /// <summary>Element-wise difference with broadcasting.</summary>
    /// <param name="other">Second operand.</param>
    /// <returns>New tensor.</returns>
    public Tensor Sub(Tensor other) => this - other;

    /// <summary>Subtracts a number from each element.</summary>
    /// <param name="other">The number.</param>
    /// <returns>New tensor.</returns>
    public Tensor Sub(double other) => this - other;

    /// <summary>Element-wise product with broadcasting.</summary>
    /// <param name="other">Second operand.</param>
    /// <returns>New tensor.</returns>
    public Tensor Mul(Tensor other) => this * other;

    /// <summary>Multiplies each element by a number.</summary>
    /// <param name="other">The number.</param>
    /// <returns>New tensor.</returns>
    public Tensor Mul(double other) => this * other;

    /// <summary>Element-wise quotient with broadcasting.</summary>
    /// <param name="other">Second operand.</param>
    /// <returns>New tensor.</returns>
    public Tensor Div(Tensor other) => this / other;

    /// <summary>Divides each element by a number.</summary>
    /// <param name="other">The number.</param>
    /// <returns>New tensor.</returns>
    public Tensor Div(double other) => this / other;

    /// <summary>Each element to a power.</summary>
    /// <param name="exponent">The exponent.</param>
    /// <returns>New tensor.</returns>
    public Tensor Pow(double exponent) => Torch.Call(Ops.PowScalar, this, exponent);

    /// <summary>The larger of two elements each, with broadcasting.</summary>
    /// <param name="other">Second operand.</param>
    /// <returns>New tensor.</returns>
    public Tensor Maximum(Tensor other) => Torch.Call(Ops.Maximum, this, other);

    /// <summary>The smaller of two elements each, with broadcasting.</summary>
    /// <param name="other">Second operand.</param>
    /// <returns>New tensor.</returns>
    public Tensor Minimum(Tensor other) => Torch.Call(Ops.Minimum, this, other);

    /// <summary>The negative of each element.</summary>
    /// <returns>New tensor.</returns>
    public Tensor Neg() => -this;

    /// <summary>The absolute value of each element.</summary>
    /// <returns>New tensor.</returns>
    public Tensor Abs() => Torch.Call(Ops.Abs, this);

    /// <summary>e to the power of each element.</summary>
    /// <returns>New tensor.</returns>
    public Tensor Exp() => Torch.Call(Ops.Exp, this);

    /// <summary>The natural logarithm of each element.</summary>
    /// <returns>New tensor.</returns>
    public Tensor Log() => Torch.Call(Ops.Log, this);

    /// <summary>The square root of each element.</summary>
    /// <returns>New tensor.</returns>
    public Tensor Sqrt() => Torch.Call(Ops.Sqrt, this);

    /// <summary>The square of each element.</summary>
    /// <returns>New tensor.</returns>
    public Tensor Square() => Torch.Call(Ops.Square, this);

    /// <summary>One divided by each element.</summary>
    /// <returns>New tensor.</returns>
    public Tensor Reciprocal() => Torch.Call(Ops.Reciprocal, this);

    /// <summary>The sine of each element, in radians.</summary>
    /// <returns>New tensor.</returns>
    public Tensor Sin() => Torch.Call(Ops.Sin, this);

    /// <summary>The cosine of each element, in radians.</summary>
    /// <returns>New tensor.</returns>
    public Tensor Cos() => Torch.Call(Ops.Cos, this);

    /// <summary>max(x, 0).</summary>
    /// <returns>New tensor.</returns>
    public Tensor Relu() => Torch.Call(Ops.Relu, this);

    /// <summary>min(max(x, 0), 6).</summary>
    /// <returns>New tensor.</returns>
    /// <remarks>Recorded as hardtanh.</remarks>
    public Tensor Relu6() => TrainingKernels.Relu6(this) ?? Torch.Call(Ops.Hardtanh, this, 0.0, 6.0);

    /// <summary>x where positive, else a fraction of it.</summary>
    /// <param name="slope">The fraction.</param>
    /// <returns>New tensor.</returns>
    public Tensor LeakyRelu(double slope = 0.01) => Torch.Call(Ops.LeakyRelu, this, slope);

    /// <summary>1 / (1 + e^-x).</summary>
    /// <returns>New tensor.</returns>
    public Tensor Sigmoid() => Torch.Call(Ops.Sigmoid, this);

    /// <summary>The hyperbolic tangent.</summary>
    /// <returns>New tensor.</returns>
    public Tensor Tanh() => Torch.Call(Ops.Tanh, this);

    /// <summary>x · relu6(x + 3) / 6.</summary>
    /// <returns>New tensor.</returns>
    public Tensor Hardswish() => Torch.Call(Ops.Hardswish, this);

    /// <summary>relu6(x + 3) / 6.</summary>
    /// <returns>New tensor.</returns>
    /// <remarks>Paddle's default slope is 0.2: <see cref="F.HardSigmoid"/> takes any.</remarks>
    public Tensor Hardsigmoid() => Torch.Call(Ops.Hardsigmoid, this);

    /// <summary>x · sigmoid(x).</summary>
    /// <returns>New tensor.</returns>
    public Tensor Silu() => Torch.Call(Ops.Silu, this);

    /// <summary>x times the normal distribution's cumulative function.</summary>
    /// <returns>New tensor.</returns>
    public Tensor Gelu() => Torch.Call(Ops.Gelu, this);

    /// <summary>Limits each element.</summary>
    /// <param name="min">Lower limit, or none.</param>
    /// <param name="max">Upper limit, or none.</param>
    /// <returns>New tensor.</returns>
    public Tensor Clamp(double? min = null, double? max = null) => Torch.Call(Ops.Clamp, this, min, max);

    /// <summary>exp(x) along a dimension, divided by its sum.</summary>
    /// <param name="dim">The dimension.</param>
    /// <returns>New tensor.</returns>
    public Tensor Softmax(long dim) => Torch.Call(Ops.Softmax, this, dim);

    /// <summary>The logarithm of <see cref="Softmax"/>, computed safely.</summary>
    /// <param name="dim">The dimension.</param>
    /// <returns>New tensor.</returns>
    public Tensor LogSoftmax(long dim) => Torch.Call(Ops.LogSoftmax, this, dim);

    /// <summary>The logarithm of the sum of exp(x) along a dimension, computed safely.</summary>
    /// <param name="dim">The dimension, which goes.</param>
    /// <returns>New tensor.</returns>
    public Tensor LogSumExp(long dim) => Torch.Call(Ops.LogSumExp, this, new[] { dim });

    /// <summary>Matrix product of the last two dimensions, the others broadcast.</summary>
    /// <param name="other">Right operand.</param>
    /// <returns>New tensor.</returns>
    public Tensor MatMul(Tensor other) => Torch.Call(Ops.MatMul, this, other);

    /// <summary>Sum of all elements.</summary>
    /// <returns>New tensor, [].</returns>
    public Tensor Sum() => Torch.Call(Ops.Sum, this);

    /// <summary>Sum over some dimensions.</summary>
    /// <param name="dims">The dimensions.</param>
    /// <param name="keepDim">Keeps them with size 1.</param>
    /// <returns>New tensor.</returns>
    public Tensor Sum(long[] dims, bool keepDim = false) => Torch.Call(Ops.SumDims, this, dims, keepDim);

    /// <summary>Mean of all elements.</summary>
    /// <returns>New tensor, [].</returns>
    public Tensor Mean() => Torch.Call(Ops.Mean, this);

    /// <summary>Mean over some dimensions.</summary>
    /// <param name="dims">The dimensions.</param>
    /// <param name="keepDim">Keeps them with size 1.</param>
    /// <returns>New tensor.</returns>
    public Tensor Mean(long[] dims, bool keepDim = false) => Torch.Call(Ops.MeanDims, this, dims, keepDim);

    /// <summary>Variance over some dimensions.</summary>
    /// <param name="dims">The dimensions.</param>
    /// <param name="unbiased">Divides by n-1 instead of n.</param>
    /// <param name="keepDim">Keeps them with size 1.</param>
    /// <returns>New tensor.</returns>
    public Tensor Var(long[] dims, bool unbiased = false, bool keepDim = false) => Torch.Call(Ops.VarDims, this, dims, unbiased, keepDim);

    /// <summary>The largest element.</summary>
    /// <returns>New tensor, [].</returns>
    public Tensor Max() => Torch.Call(Ops.Max, this);

    /// <summary>The largest element along each of some dimensions.</summary>
    /// <param name="dims">The dimensions.</param>
    /// <param name="keepDim">Keeps them with size 1.</param>
    /// <returns>New tensor; equal maxima share the gradient.</returns>
    public Tensor Max(long[] dims, bool keepDim = false) => Torch.Call(Ops.AMax, this, dims, keepDim);

    /// <summary>The largest element along a dimension, and where it is.</summary>
    /// <param name="dim">The dimension.</param>
    /// <param name="keepDim">Keeps it with size 1.</param>
    /// <returns>New tensors; the second is Int64.</returns>
    public (Tensor Values, Tensor Indices) MaxAlong(long dim, bool keepDim = false)
    {
        Tensor[] both = Torch.CallAll(Ops.MaxDim, this, dim, keepDim);
        return (both[0], both[1]);
    }

    /// <summary>The smallest element.</summary>
    /// <returns>New tensor, [].</returns>
    public Tensor Min() => Torch.Call(Ops.Min, this);

    /// <summary>Where the largest element along a dimension is.</summary>
    /// <param name="dim">The dimension.</param>
    /// <param name="keepDim">Keeps it with size 1.</param>
    /// <returns>New tensor, Int64.</returns>
    public Tensor ArgMax(long dim, bool keepDim = false) => Torch.Call(Ops.ArgMax, this, dim, keepDim);

    /// <summary>The largest elements along a dimension, in falling order.</summary>
    /// <param name="count">How many.</param>
    /// <param name="dim">The dimension.</param>
    /// <returns>New tensors; the second is Int64.</returns>
    public (Tensor Values, Tensor Indices) TopK(long count, long dim = -1)
    {
        Tensor[] both = Torch.CallAll(Ops.TopK, this, count, dim);
        return (both[0], both[1]);
    }

    /// <summary>Square root of the sum of squares of all elements.</summary>
    /// <returns>New tensor, [].</returns>
    public Tensor Norm() => Torch.Call(Ops.Norm, this);

    /// <summary>True where elements are equal.</summary>
    /// <param name="other">Second operand.</param>
    /// <returns>New tensor, Bool.</returns>
    public Tensor EqualTo(Tensor other) => Torch.Call(Ops.Eq, this, other);

    /// <summary>True where this element is greater.</summary>
    /// <param name="other">Second operand.</param>
    /// <returns>New tensor, Bool.</returns>
    public Tensor GreaterThan(Tensor other) => Torch.Call(Ops.Gt, this, other);

    /// <summary>True where the element is greater than a number.</summary>
    /// <param name="other">The number.</param>
    /// <returns>New tensor, Bool.</returns>
    public Tensor GreaterThan(double other) => Torch.Call(Ops.GtScalar, this, other);

    /// <summary>True where the element is less than a number.</summary>
    /// <param name="other">The number.</param>
    /// <returns>New tensor, Bool.</returns>
    public Tensor LessThan(double other) => Torch.Call(Ops.LtScalar, this, other);

    /// <summary>Whether every element is finite.</summary>
    /// <returns>False if there is an infinity or a NaN.</returns>
    public bool AllFinite()
    {
        using var scope = new TensorScope();
        return Torch.Call(Ops.All, Torch.Call(Ops.IsFinite, this)).ToDouble() != 0;
    }

    /// <summary>The same elements in another shape; a view where possible.</summary>
    /// <param name="shape">Sizes; one may be -1 and is computed.</param>
    /// <returns>New tensor.</returns>
    public Tensor Reshape(params ReadOnlySpan<long> shape) => Torch.Call(Ops.Reshape, this, shape.ToArray());

    /// <summary>A view in another order of dimensions.</summary>
    /// <param name="dims">For each new dimension the old one.</param>
    /// <returns>New tensor on the same memory.</returns>
    public Tensor Permute(params ReadOnlySpan<long> dims) => Torch.Call(Ops.Permute, this, dims.ToArray());

    /// <summary>A view with two dimensions exchanged.</summary>
    /// <param name="a">One dimension.</param>
    /// <param name="b">The other.</param>
    /// <returns>New tensor on the same memory.</returns>
    public Tensor Transpose(long a, long b) => Torch.Call(Ops.Transpose, this, a, b);

    /// <summary>Folds a range of dimensions into one.</summary>
    /// <param name="start">First dimension.</param>
    /// <param name="end">Last dimension, inclusive.</param>
    /// <returns>New tensor; a view where possible.</returns>
    public Tensor Flatten(long start = 0, long end = -1) => Torch.Call(Ops.Flatten, this, start, end);

    /// <summary>Drops a dimension of size 1.</summary>
    /// <param name="dim">The dimension.</param>
    /// <returns>New tensor on the same memory.</returns>
    public Tensor Squeeze(long dim) => Torch.Call(Ops.SqueezeDim, this, dim);

    /// <summary>Adds a dimension of size 1.</summary>
    /// <param name="dim">Where it goes.</param>
    /// <returns>New tensor on the same memory.</returns>
    public Tensor Unsqueeze(long dim) => Torch.Call(Ops.Unsqueeze, this, dim);

    /// <summary>Repeats dimensions of size 1 without copying.</summary>
    /// <param name="shape">New sizes; -1 keeps one.</param>
    /// <returns>New tensor on the same memory.</returns>
    public Tensor Expand(params ReadOnlySpan<long> shape) => Torch.Call(Ops.Expand, this, shape.ToArray());

    /// <summary>The elements [start, stop) of a dimension, in steps.</summary>
    /// <param name="dim">The dimension.</param>
    /// <param name="start">First index; negative counts from the end.</param>
    /// <param name="stop">Exclusive end; beyond the end is the end, negative counts from the end.</param>
    /// <param name="step">At least 1.</param>
    /// <returns>New tensor on the same memory.</returns>
    public Tensor Slice(long dim, long start, long stop = long.MaxValue, long step = 1) => Torch.Call(Ops.Slice, this, dim, start, stop, step);

    /// <summary>One index of a dimension, which goes.</summary>
    /// <param name="dim">The dimension.</param>
    /// <param name="index">The index; negative counts from the end.</param>
    /// <returns>New tensor on the same memory.</returns>
    public Tensor Select(long dim, long index) => Torch.Call(Ops.Select, this, dim, index);

    /// <summary>Chosen indices of a dimension.</summary>
    /// <param name="dim">The dimension.</param>
    /// <param name="indices">Int64, one-dimensional.</param>
    /// <returns>New tensor.</returns>
    public Tensor IndexSelect(long dim, Tensor indices) => Torch.Call(Ops.IndexSelect, this, dim, indices);

    /// <summary>For each element of <paramref name="indices"/> the element at that index of a dimension.</summary>
    /// <param name="dim">The dimension.</param>
    /// <param name="indices">Int64, of the same rank.</param>
    /// <returns>New tensor of the shape of <paramref name="indices"/>.</returns>
    public Tensor Gather(long dim, Tensor indices) => Torch.Call(Ops.Gather, this, dim, indices);

    /// <summary>Cuts a dimension into pieces.</summary>
    /// <param name="sizes">Sizes of the pieces; they add up to the dimension.</param>
    /// <param name="dim">The dimension.</param>
    /// <returns>New tensors on the same memory.</returns>
    public Tensor[] Split(long[] sizes, long dim) => Torch.CallAll(Ops.SplitSizes, this, sizes, dim);

    /// <summary>Reverses the order along dimensions.</summary>
    /// <param name="dims">The dimensions.</param>
    /// <returns>New tensor.</returns>
    public Tensor Flip(params ReadOnlySpan<long> dims) => Torch.Call(Ops.Flip, this, dims.ToArray());

    /// <summary>Rotates the elements along a dimension.</summary>
    /// <param name="shift">How far towards higher indices.</param>
    /// <param name="dim">The dimension.</param>
    /// <returns>New tensor.</returns>
    public Tensor Roll(long shift, long dim) => Roll([shift], [dim]);

    /// <summary>Rotates the elements along several dimensions.</summary>
    /// <param name="shifts">How far towards higher indices, a number a dimension.</param>
    /// <param name="dims">The dimensions.</param>
    /// <returns>New tensor.</returns>
    public Tensor Roll(ReadOnlySpan<long> shifts, ReadOnlySpan<long> dims) => Torch.Call(Ops.Roll, this, shifts.ToArray(), dims.ToArray());

    /// <summary>Surrounds the tensor with a value; negative amounts cut.</summary>
    /// <param name="amounts">Before and after of the last dimension, then of the one before it, and so on.</param>
    /// <param name="value">The value.</param>
    /// <returns>New tensor.</returns>
    public Tensor Pad(ReadOnlySpan<long> amounts, double value = 0) => Torch.Call(Ops.ConstantPad, this, amounts.ToArray(), value);

    /// <summary>Another element type; the same tensor's memory if it is the same type.</summary>
    /// <param name="dtype">The type.</param>
    /// <returns>New tensor.</returns>
    public Tensor To(DType dtype) => Torch.Call(Ops.ToDType, this, dtype);

    /// <summary>On another device; the same tensor's memory if it is there.</summary>
    /// <param name="device">The device.</param>
    /// <returns>New tensor.</returns>
    public Tensor To(Device device) => Torch.Call(Ops.ToDevice, this, device, DType);

    /// <summary>The elements in the order of a memory format, without gaps; the same memory where they are so already.</summary>
    /// <param name="format">The order.</param>
    /// <returns>New tensor.</returns>
    public Tensor Contiguous(MemoryFormat format = MemoryFormat.Contiguous) => Torch.Call(Ops.Contiguous, this, format);

    /// <summary>A copy with memory of its own; gradients pass through.</summary>
    /// <returns>New tensor.</returns>
    public Tensor Clone() => Torch.Call(Ops.Clone, this);

    /// <summary>The same memory, cut off from the graph.</summary>
    /// <returns>New tensor.</returns>
    public Tensor Detach() => Torch.Call(Ops.Detach, this);

    /// <summary>Overwrites this tensor with another, converted and broadcast.</summary>
    /// <param name="source">The values.</param>
    /// <returns>This tensor.</returns>
    public Tensor CopyFrom(Tensor source) => Torch.CallInPlace(Ops.CopyInPlace, this, source);

    /// <summary>Adds a multiple of another tensor to this one.</summary>
    /// <param name="other">Second operand.</param>
    /// <param name="alpha">Its factor.</param>
    /// <returns>This tensor.</returns>
    public Tensor AddInPlace(Tensor other, double alpha = 1) =>
        alpha == 1 ? Torch.CallInPlace(Ops.AddInPlace, this, other) : Torch.CallInPlace(Ops.AddInPlace, this, other, alpha);

    /// <summary>Subtracts another tensor from this one.</summary>
    /// <param name="other">Second operand.</param>
    /// <returns>This tensor.</returns>
    public Tensor SubInPlace(Tensor other) => Torch.CallInPlace(Ops.SubInPlace, this, other);

    /// <summary>Multiplies this tensor by another.</summary>
    /// <param name="other">Second operand.</param>
    /// <returns>This tensor.</returns>
    public Tensor MulInPlace(Tensor other) => Torch.CallInPlace(Ops.MulInPlace, this, other);

    /// <summary>Multiplies this tensor by a number.</summary>
    /// <param name="factor">The number.</param>
    /// <returns>This tensor.</returns>
    public Tensor MulInPlace(double factor) => Torch.CallInPlace(Ops.MulScalarInPlace, this, factor);

    /// <summary>Moves this tensor a part of the way to another: this += weight·(end − this).</summary>
    /// <param name="end">Where weight 1 leads; same shape and type.</param>
    /// <param name="weight">The part.</param>
    /// <returns>This tensor.</returns>
    public Tensor LerpInPlace(Tensor end, double weight) => Torch.CallInPlace(Ops.LerpInPlace, this, end, weight);

    /// <summary>Sets every element to a number.</summary>
    /// <param name="value">The number.</param>
    /// <returns>This tensor.</returns>
    public Tensor FillInPlace(double value) => Torch.CallInPlace(Ops.FillInPlace, this, value);

    /// <summary>max(x, 0) in place: saves the memory of one activation.</summary>
    /// <returns>This tensor.</returns>
    public Tensor ReluInPlace() => Torch.CallInPlace(Ops.ReluInPlace, this);

    private static Tensor[] Listed(IEnumerable<Tensor> tensors) => tensors as Tensor[] ?? [.. tensors];
}
