using System.Globalization;
using System.Runtime.InteropServices;
using Kinora.Tensors.Native;

namespace Kinora.Tensors;

/// <summary>
/// An n-dimensional array in libtorch. Dispose of it, or make it inside a <see cref="TensorScope"/>; a tensor made
/// outside every scope belongs to the caller. Methods are named as in PyTorch and return new tensors unless their name
/// says InPlace.
/// </summary>
/// <remarks>Reading from several threads is safe; writing to or disposing of a tensor that another thread uses is not.</remarks>
public sealed unsafe partial class Tensor : IDisposable
{
    private TensorHandle _handle;
    private long[]? _shape;
    private DType _dtype;

    /// <summary>Takes over one native reference and registers with the thread's scope.</summary>
    internal Tensor(nint native, bool scoped = true)
    {
        _handle = new TensorHandle(native);
        if (scoped)
        {
            TensorScope.Current?.Add(this);
        }
    }

    internal TensorHandle Handle => _handle;

    internal TensorScope? Scope { get; set; }

    internal int ScopeSlot { get; set; }

    internal bool IsDisposed => _handle.IsClosed;

    /// <summary>The sizes of all dimensions, outermost first.</summary>
    public ReadOnlySpan<long> Shape => ShapeArray;

    /// <summary>Number of dimensions; 0 for a single number.</summary>
    public int Rank => ShapeArray.Length;

    /// <summary>Number of elements.</summary>
    public long Count
    {
        get
        {
            long count = 1;
            foreach (long size in ShapeArray)
            {
                count *= size;
            }

            return count;
        }
    }

    /// <summary>The element type.</summary>
    public DType DType
    {
        get
        {
            _ = ShapeArray;
            return _dtype;
        }
    }

    /// <summary>Whether the tensor has values: false for those computed inside <see cref="ShapesOnly"/>.</summary>
    public bool HasValues => Describe().DeviceType != NativeTensorInfo.MetaDevice;

    /// <summary>Where the elements lie. For tensors without values the CPU.</summary>
    public Device Device
    {
        get
        {
            NativeTensorInfo info = Describe();
            return info.DeviceType == (int)DeviceType.Cuda ? Device.Cuda(info.DeviceIndex) : Device.Cpu;
        }
    }

    /// <summary>Whether the elements lie row by row without gaps.</summary>
    public bool IsContiguous => Describe().IsContiguous != 0;

    /// <summary>Whether the tensor has four dimensions and the channels of one pixel lie side by side.</summary>
    public bool IsChannelsLast => Describe().IsChannelsLast != 0;

    /// <summary>Whether backward passes reach this tensor. Setting it needs a leaf of a floating-point type.</summary>
    public bool RequiresGrad
    {
        get => Describe().RequiresGrad != 0;
        set
        {
            using var held = new Held(this);
            Status.Check(NativeMethods.kt_tensor_set_requires_grad(held.Address, value ? 1 : 0), "requires grad", () => $"tensor {this}");
        }
    }

    /// <summary>
    /// The gradient that backward passes have added up here, or null. Each reading gives a new handle on the same
    /// memory, which belongs to the current scope, else to the caller. Setting replaces it; null clears it.
    /// </summary>
    public Tensor? Grad
    {
        get
        {
            using var held = new Held(this);
            nint gradient;
            Status.Check(NativeMethods.kt_tensor_grad(held.Address, &gradient), "gradient");
            return gradient == 0 ? null : new Tensor(gradient);
        }

        set
        {
            using var held = new Held(this);
            if (value is null)
            {
                Status.Check(NativeMethods.kt_tensor_set_grad(held.Address, 0), "set gradient");
            }
            else
            {
                using var heldValue = new Held(value);
                Status.Check(NativeMethods.kt_tensor_set_grad(held.Address, heldValue.Address), "set gradient", () => $"tensor {this}, gradient {value}");
            }
        }
    }

    private long[] ShapeArray
    {
        get
        {
            if (_shape is null)
            {
                NativeTensorInfo info = Describe();
                var shape = new long[info.Rank];
                for (int i = 0; i < shape.Length; i++)
                {
                    shape[i] = info.Shape[i];
                }

                _dtype = info.DType;
                _shape = shape;
            }

            return _shape;
        }
    }

    /// <summary>A tensor of zeros.</summary>
    /// <param name="shape">Sizes of all dimensions.</param>
    /// <param name="dtype">Element type.</param>
    /// <returns>New tensor.</returns>
    public static Tensor Zeros(ReadOnlySpan<long> shape, DType dtype = DType.Float32) =>
        Torch.Call(Ops.Zeros, shape.ToArray(), dtype);

    /// <summary>A tensor of ones.</summary>
    /// <param name="shape">Sizes of all dimensions.</param>
    /// <param name="dtype">Element type.</param>
    /// <returns>New tensor.</returns>
    public static Tensor Ones(ReadOnlySpan<long> shape, DType dtype = DType.Float32) =>
        Torch.Call(Ops.Ones, shape.ToArray(), dtype);

    /// <summary>A tensor with the same value everywhere.</summary>
    /// <param name="shape">Sizes of all dimensions.</param>
    /// <param name="value">The value.</param>
    /// <param name="dtype">Element type.</param>
    /// <returns>New tensor.</returns>
    public static Tensor Full(ReadOnlySpan<long> shape, double value, DType dtype = DType.Float32) =>
        Torch.Call(Ops.Full, shape.ToArray(), value, dtype);

    /// <summary>A tensor with whatever the memory held.</summary>
    /// <param name="shape">Sizes of all dimensions.</param>
    /// <param name="dtype">Element type.</param>
    /// <returns>New tensor.</returns>
    public static Tensor Empty(ReadOnlySpan<long> shape, DType dtype = DType.Float32) =>
        Torch.Call(Ops.Empty, shape.ToArray(), dtype);

    /// <summary>The numbers 0, 1, 2 …</summary>
    /// <param name="count">How many.</param>
    /// <param name="dtype">Element type.</param>
    /// <returns>New tensor, [count].</returns>
    public static Tensor Arange(long count, DType dtype = DType.Int64) => Torch.Call(Ops.Arange, count, dtype);

    /// <summary>A copy of values from .NET.</summary>
    /// <typeparam name="T">byte, int, long, Half, float, double, bool, or ushort for the bits of bfloat16; decides the element type.</typeparam>
    /// <param name="values">The values in C order; as many as the shape holds.</param>
    /// <param name="shape">Sizes of all dimensions.</param>
    /// <returns>New tensor.</returns>
    /// <exception cref="ShapeException">The number of values isn't that of the shape.</exception>
    public static Tensor From<T>(ReadOnlySpan<T> values, ReadOnlySpan<long> shape)
        where T : unmanaged
    {
        using IDisposable? mode = ShapesOnly.IsEnabled ? ShapesOnly.Disable() : null;
        Tensor tensor = OnCpu(shape, DTypes.Of<T>());
        if (tensor.Count != values.Length)
        {
            tensor.Dispose();
            throw new ShapeException($"tensor from values: expected {Torch.Format(shape)}, found {values.Length} values");
        }

        tensor.CopyFrom(values);
        return tensor.Moved();
    }

    /// <summary>A one-dimensional copy of values from .NET.</summary>
    /// <typeparam name="T">As for <see cref="From{T}(ReadOnlySpan{T}, ReadOnlySpan{long})"/>.</typeparam>
    /// <param name="values">The values.</param>
    /// <returns>New tensor, [values.Length].</returns>
    public static Tensor From<T>(ReadOnlySpan<T> values)
        where T : unmanaged => From(values, [values.Length]);

    /// <summary>A tensor without dimensions that holds one number.</summary>
    /// <param name="value">The number.</param>
    /// <param name="dtype">Element type.</param>
    /// <returns>New tensor, [].</returns>
    public static Tensor Scalar(double value, DType dtype = DType.Float32) => Full([], value, dtype);

    /// <summary>Copies all elements to .NET, converted to <typeparamref name="T"/> if the element type is another.</summary>
    /// <typeparam name="T">As for <see cref="From{T}(ReadOnlySpan{T}, ReadOnlySpan{long})"/>.</typeparam>
    /// <param name="destination">Takes <see cref="Count"/> values in C order.</param>
    /// <exception cref="ShapeException">The destination has another length.</exception>
    /// <exception cref="InvalidOperationException">The tensor has no values.</exception>
    public void CopyTo<T>(Span<T> destination)
        where T : unmanaged
    {
        if (destination.Length != Count)
        {
            throw new ShapeException($"copy to memory: expected room for {Count} values, found {destination.Length}; tensor {this}");
        }

        if (destination.IsEmpty)
        {
            return;
        }

        if (!HasValues)
        {
            throw new InvalidOperationException($"copy to memory: tensor {this} was computed where only shapes are worked out, it has no values");
        }

        using var scope = new TensorScope();
        using IDisposable mode = Tensors.Grad.Disable();
        using IDisposable? values = ShapesOnly.IsEnabled ? ShapesOnly.Disable() : null;
        Tensor plain = DType == DTypes.Of<T>() ? this : To(DTypes.Of<T>());
        plain = (plain.Device == Device.Cpu ? plain : plain.To(Device.Cpu)).Contiguous();
        using var held = new Held(plain);
        new ReadOnlySpan<T>(plain.Describe().Data, destination.Length).CopyTo(destination);
    }

    /// <summary>All elements in C order, converted to <typeparamref name="T"/> if the element type is another.</summary>
    /// <typeparam name="T">As for <see cref="From{T}(ReadOnlySpan{T}, ReadOnlySpan{long})"/>.</typeparam>
    /// <returns>New array of <see cref="Count"/> values.</returns>
    public T[] ToArray<T>()
        where T : unmanaged
    {
        var values = new T[Count];
        CopyTo<T>(values);
        return values;
    }

    /// <summary>Overwrites all elements with values from .NET, converted to this tensor's element type.</summary>
    /// <typeparam name="T">As for <see cref="From{T}(ReadOnlySpan{T}, ReadOnlySpan{long})"/>.</typeparam>
    /// <param name="values">As many values as the tensor has elements, in C order.</param>
    /// <exception cref="ShapeException">Another number of values.</exception>
    public void CopyFrom<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        if (values.Length != Count)
        {
            throw new ShapeException($"copy from memory: expected {Count} values, found {values.Length}; tensor {this}");
        }

        NativeTensorInfo info = Describe();
        if (ShapesOnly.IsEnabled || info.DeviceType == NativeTensorInfo.MetaDevice)
        {
            using var hollow = new Held(this);
            Recording.Current?.AddWrite(hollow.Address);
            return;
        }

        if (info.IsContiguous != 0 && info.DeviceType == (int)DeviceType.Cpu && DType == DTypes.Of<T>() && info.RequiresGrad == 0)
        {
            using var held = new Held(this);
            values.CopyTo(new Span<T>(info.Data, values.Length));
            Recording.Current?.AddWrite(held.Address);
            return;
        }

        using var scope = new TensorScope();
        using IDisposable mode = Tensors.Grad.Disable();
        CopyFrom(From(values, ShapeArray));
    }

    /// <summary>The value of a tensor with one element.</summary>
    /// <returns>The value.</returns>
    /// <exception cref="ShapeException">More or fewer elements than one.</exception>
    public double ToDouble()
    {
        if (Count != 1)
        {
            throw new ShapeException($"to one number: expected one element, found {this}");
        }

        double value = 0;
        CopyTo(MemoryMarshal.CreateSpan(ref value, 1));
        return value;
    }

    /// <summary>
    /// Adds the gradients of this tensor to <see cref="Grad"/> of every leaf that it was computed from, and frees the
    /// graph. Works on the calling thread.
    /// </summary>
    /// <param name="gradient">Gradient of the final value with respect to this tensor; may be missing for one element.</param>
    /// <param name="retainGraph">Keeps the graph for a further backward pass.</param>
    public void Backward(Tensor? gradient = null, bool retainGraph = false)
    {
        using var held = new Held(this);
        using var heldGradient = new Held(gradient);
        int status = NativeMethods.kt_backward(held.Address, heldGradient.Address, retainGraph ? 1 : 0);
        if (status != 0)
        {
            GradientCheckpoint.ThrowFailure();
        }

        Status.Check(status, "backward", () => $"root {this}{(gradient is null ? "" : $", gradient {gradient}")}");
    }

    /// <summary>Leaves every scope: from now on the tensor belongs to the caller.</summary>
    /// <returns>This tensor.</returns>
    public Tensor EscapeScope()
    {
        Scope?.Remove(this);
        return this;
    }

    /// <summary>Moves to the scope outside its own, which then owns it; without one it belongs to the caller.</summary>
    /// <returns>This tensor.</returns>
    public Tensor MoveToOuterScope()
    {
        Scope?.MoveOut(this);
        return this;
    }

    /// <summary>Gives the native reference back. The memory goes when the last reference does.</summary>
    public void Dispose()
    {
        Scope?.Remove(this);
        _handle.Dispose();
    }

    /// <summary>Shape and element type, such as "[2, 3, 8, 8]" or "[2] Int64"; Float32 goes without saying.</summary>
    /// <returns>The text.</returns>
    public override string ToString()
    {
        if (IsDisposed && _shape is null)
        {
            return "(disposed)";
        }

        string shape = Torch.Format(ShapeArray);
        return _dtype == DType.Float32 ? shape : string.Create(CultureInfo.InvariantCulture, $"{shape} {_dtype}");
    }

    /// <summary>The native description. Its data pointer is valid while the tensor is held.</summary>
    internal NativeTensorInfo Describe()
    {
        using var held = new Held(this);
        NativeTensorInfo info;
        Status.Check(NativeMethods.kt_tensor_describe(held.Address, &info), "describe");
        return info;
    }

    // Values of .NET are laid into CPU memory first, whatever device is current.
    private static Tensor OnCpu(ReadOnlySpan<long> shape, DType dtype)
    {
        using IDisposable? cpu = Device.Current == Device.Cpu ? null : Device.Cpu.Use();
        return Torch.CallUnrecorded(Ops.Empty, shape.ToArray(), dtype);
    }

    // To the current device; ends this tensor if that is another.
    private Tensor Moved()
    {
        if (Device.Current == Device.Cpu)
        {
            return this;
        }

        using (this)
        {
            return To(Device.Current);
        }
    }

    /// <summary>
    /// Takes over the storage of another tensor, which ends: this object, its place in scopes and everybody who holds
    /// it stay. So parameters change element type or memory format under their modules and optimisers.
    /// </summary>
    internal void Become(Tensor other)
    {
        TensorHandle old = _handle;
        other.EscapeScope();
        _handle = other._handle;
        _shape = other._shape;
        _dtype = other._dtype;
        other._handle = old;
        other.Dispose();
    }

    /// <summary>
    /// Exchanges the memory of two tensors, gradients included: both objects stay, their places in scopes, modules and
    /// optimisers too. Nothing is copied.
    /// </summary>
    /// <param name="other">A tensor of the same shape and element type.</param>
    /// <exception cref="ShapeException">Shapes or element types differ.</exception>
    public void ExchangeWith(Tensor other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (!Shape.SequenceEqual(other.Shape) || DType != other.DType)
        {
            throw new ShapeException($"exchange: expected another {this}, found {other}");
        }

        (_handle, other._handle) = (other._handle, _handle);
    }

    /// <summary>A second handle on the same native tensor, outside every scope.</summary>
    internal Tensor Share()
    {
        using var held = new Held(this);
        nint same;
        Status.Check(NativeMethods.kt_tensor_retain(held.Address, &same), "share");
        return new Tensor(same, scoped: false);
    }

    /// <summary>Keeps a tensor's native memory alive while its address is in use.</summary>
    internal readonly ref struct Held
    {
        private readonly TensorHandle? _held;

        public Held(Tensor? tensor)
        {
            if (tensor is not null)
            {
                bool added = false;
                tensor._handle.DangerousAddRef(ref added);
                _held = tensor._handle;
            }
        }

        /// <summary>The native tensor; 0 for a missing one.</summary>
        public nint Address => _held?.Address ?? 0;

        public void Dispose() => _held?.DangerousRelease();
    }
}
