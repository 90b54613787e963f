using System.Runtime.Intrinsics.X86;
using Kinora.Tensors.Native;

namespace Kinora.Tensors;

/// <summary>Whether the calling thread's operators build the graph that gradients need.</summary>
public static unsafe class Grad
{
    /// <summary>Whether operators of the calling thread build the graph.</summary>
    public static bool IsEnabled
    {
        get
        {
            NativeLoader.EnsureReady();
            int on, ignored;
            Status.Check(NativeMethods.kt_grad_mode(1, &on), "grad mode");
            Status.Check(NativeMethods.kt_grad_mode(on, &ignored), "grad mode");
            return on != 0;
        }
    }

    /// <summary>Builds no graph until the result is disposed of: for optimisers and evaluation.</summary>
    /// <returns>Restores the earlier mode; bound to the thread.</returns>
    public static IDisposable Disable() => new GradMode(false);

    /// <summary>Builds the graph again inside a region that disabled it.</summary>
    /// <returns>Restores the earlier mode; bound to the thread.</returns>
    public static IDisposable Enable() => new GradMode(true);

    /// <summary>
    /// As <see cref="Disable"/> and faster: tensors made inside carry no version counters and can never take part in
    /// a graph afterwards.
    /// </summary>
    /// <returns>Restores the earlier mode; bound to the thread, disposed of in reverse order.</returns>
    public static IDisposable Inference() => new InferenceMode();

    private sealed class GradMode : ThreadMode
    {
        private readonly int _previous;

        public GradMode(bool on)
        {
            NativeLoader.EnsureReady();
            int previous;
            Status.Check(NativeMethods.kt_grad_mode(on ? 1 : 0, &previous), "grad mode");
            _previous = previous;
        }

        protected override void Restore()
        {
            int ignored;
            _ = NativeMethods.kt_grad_mode(_previous, &ignored);
        }
    }

    private sealed class InferenceMode : ThreadMode
    {
        private readonly nint _guard;

        public InferenceMode()
        {
            NativeLoader.EnsureReady();
            nint guard;
            Status.Check(NativeMethods.kt_inference_enter(&guard), "inference mode");
            _guard = guard;
        }

        protected override void Restore() => _ = NativeMethods.kt_inference_leave(_guard);
    }
}

/// <summary>Mixed precision: convolutions and matrix products run in a shorter type, sums and losses in float32.</summary>
public static unsafe class Autocast
{
    [ThreadStatic]
    private static DType? _current;

    /// <summary>The short type of the calling thread's region; null outside.</summary>
    public static DType? Current => _current;

    /// <summary>
    /// Whether bfloat16 is fast here: the processor has AVX512_BF16. Elsewhere autocast gives the same results, slowly.
    /// </summary>
    public static bool IsSupported { get; } =
        Avx512BW.VL.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;

    /// <summary>
    /// Runs the calling thread's operators in bfloat16 where that is safe, until the result is disposed of. Wrap the
    /// forward pass and the loss; run the backward pass and the optimiser outside.
    /// </summary>
    /// <returns>Restores the earlier mode; bound to the thread.</returns>
    /// <remarks>Parameters are cast once per region, so they mustn't change inside one.</remarks>
    public static IDisposable BFloat16() => Enable(DType.BFloat16);

    /// <summary>As <see cref="BFloat16"/> in either short type, on the thread's <see cref="Device.Current"/>.</summary>
    /// <param name="dtype">Float16 needs a loss that is scaled up, and CUDA.</param>
    /// <returns>Restores the earlier mode; bound to the thread.</returns>
    public static IDisposable Enable(DType dtype) => dtype is DType.BFloat16 or DType.Float16
        ? new Region(true, dtype)
        : throw new ArgumentException($"mixed precision: expected BFloat16 or Float16, found {dtype}", nameof(dtype));

    /// <summary>Runs the calling thread's operators in the types of their operands, inside a region of <see cref="BFloat16"/>.</summary>
    /// <returns>Restores the earlier mode; bound to the thread.</returns>
    public static IDisposable Disable() => new Region(false, DType.BFloat16);

    private sealed class Region : ThreadMode
    {
        private readonly DeviceType _device = Device.Current.Type;
        private readonly int _previousOn;
        private readonly int _previousType;
        private readonly DType? _previous = _current;

        public Region(bool on, DType dtype)
        {
            NativeLoader.EnsureReady();
            int previousOn, previousType;
            Status.Check(NativeMethods.kt_autocast((int)_device, on ? 1 : 0, (int)dtype, &previousOn, &previousType), "autocast");
            _previousOn = previousOn;
            _previousType = previousType;
            _current = on ? dtype : null;
        }

        protected override void Restore()
        {
            int ignored;
            _ = NativeMethods.kt_autocast((int)_device, _previousOn, _previousType, &ignored, &ignored);
            _current = _previous;
        }
    }
}

/// <summary>
/// Operators that work out the shapes of their results and no values: a network of any size is built and run in
/// milliseconds and next to no memory, to be looked at rather than used.
/// </summary>
/// <remarks>
/// What operators give inside has a shape only, for good; reading its values fails, and values written to it are dropped.
/// Operators take ordinary tensors too and leave their values alone. A tensor made from values of .NET keeps them.
/// </remarks>
public static unsafe class ShapesOnly
{
    [ThreadStatic]
    private static bool _enabled;

    /// <summary>Whether the calling thread is inside such a region.</summary>
    public static bool IsEnabled => _enabled;

    /// <summary>Lets the calling thread's operators work out shapes only, until the result is disposed of.</summary>
    /// <returns>Restores the earlier mode; bound to the thread.</returns>
    public static IDisposable Enable() => new Region(true);

    /// <summary>Lets operators compute values again inside a region of <see cref="Enable"/>.</summary>
    /// <returns>Restores the earlier mode; bound to the thread.</returns>
    internal static IDisposable Disable() => new Region(false);

    private sealed class Region : ThreadMode
    {
        private readonly bool _previous = _enabled;

        public Region(bool on)
        {
            NativeLoader.EnsureReady();
            Set(on);
        }

        protected override void Restore() => Set(_previous);

        private static void Set(bool on)
        {
            int ignored;
            Status.Check(NativeMethods.kt_shapes_only(on ? 1 : 0, &ignored), "shapes only");
            _enabled = on;
        }
    }
}

/// <summary>A mode of one thread that ends with its disposal.</summary>
internal abstract class ThreadMode : IDisposable
{
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private bool _restored;

    public void Dispose()
    {
        if (_restored)
        {
            return;
        }

        if (_thread != Environment.CurrentManagedThreadId)
        {
            throw new InvalidOperationException("a mode must be ended by the thread that began it; don't await inside one");
        }

        _restored = true;
        Restore();
    }

    protected abstract void Restore();
}
