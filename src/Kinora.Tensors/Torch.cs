using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Kinora.Tensors.Native;

namespace Kinora.Tensors;

/// <summary>The native engine: its threads, its version, and the raw call of any of its operators.</summary>
public static unsafe class Torch
{
    private const int StackWords = 512;
    private const int UsualResults = 8;
    private const int MostResults = 4096;
    private static readonly ConcurrentDictionary<string, Operator> Operators = new(StringComparer.Ordinal);
    private static int _threads;
    private static long _cacheLimitBytes;

    /// <summary>
    /// Threads that one operator may use. The default is the number of physical cores the process may use. Results are
    /// the same bits for the same number of threads. Not thread-safe; set it before the work starts.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1.</exception>
    public static int Threads
    {
        get
        {
            NativeLoader.EnsureReady();
            return _threads;
        }

        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            NativeLoader.EnsureReady();
            Status.Check(NativeMethods.kt_set_threads(value), "threads");
            _threads = value;
        }
    }

    /// <summary>libtorch's version, such as "1.13.1".</summary>
    public static string Version
    {
        get
        {
            NativeLoader.EnsureReady();
            byte* text;
            Status.Check(NativeMethods.kt_version(&text), "version");
            return Marshal.PtrToStringUTF8((nint)text)!;
        }
    }

    /// <summary>
    /// Native tensor references that managed code holds at this moment, those that wait for a finaliser included. It
    /// stays the same from one training step to the next, or something leaks.
    /// </summary>
    public static long LiveTensors
    {
        get
        {
            NativeLoader.EnsureReady();
            long live;
            Status.Check(NativeMethods.kt_live_tensors(&live), "live tensors");
            return live;
        }
    }

    /// <summary>
    /// Freed memory that is kept for the next tensor of the same size, in bytes at the most; 0 keeps none. The default
    /// is a quarter of the memory that the process may use, at most 4 GiB: a training step frees and takes the same
    /// activations again and again, and fresh pages from the system cost more than many an operator.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public static long CacheLimitBytes
    {
        get
        {
            NativeLoader.EnsureReady();
            return _cacheLimitBytes;
        }

        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            NativeLoader.EnsureReady();
            SetCacheLimit(value);
        }
    }

    /// <summary>Memory of all tensors at this moment, in bytes.</summary>
    public static long LiveBytes => Memory(resetPeak: false).Live;

    /// <summary>The most memory that all tensors had together since <see cref="ResetPeakBytes"/>, in bytes.</summary>
    public static long PeakBytes => Memory(resetPeak: false).Peak;

    /// <summary>Lets <see cref="PeakBytes"/> begin again at the memory of this moment.</summary>
    public static void ResetPeakBytes() => Memory(resetPeak: true);

    /// <summary>Freed memory that is kept at this moment, in bytes.</summary>
    public static long CachedBytes
    {
        get
        {
            NativeLoader.EnsureReady();
            long bytes;
            Status.Check(NativeMethods.kt_cached_bytes(&bytes), "cached bytes");
            return bytes;
        }
    }

    /// <summary>Calls any operator of libtorch that gives one tensor.</summary>
    /// <param name="op">Name with its overload, such as "conv2d", "add.Tensor" or "aten::add.Tensor".</param>
    /// <param name="args">Arguments in schema order; missing trailing ones take the schema's defaults. None may be a tensor that another thread disposes of.</param>
    /// <returns>The first result; it belongs to the current scope of the thread, else to the caller.</returns>
    /// <exception cref="ShapeException">Unknown operator, or unfit arguments.</exception>
    /// <exception cref="NativeException">libtorch failed, for want of memory for instance.</exception>
    /// <exception cref="ObjectDisposedException">An argument was disposed of.</exception>
    public static Tensor Call(string op, params ReadOnlySpan<Argument> args) => Call(Find(op), args);

    /// <summary>Calls any operator of libtorch and returns all tensors among its results, lists flattened.</summary>
    /// <param name="op">Name with its overload.</param>
    /// <param name="args">Arguments in schema order.</param>
    /// <returns>The tensors; undefined ones are left out. They belong to the current scope of the thread, else to the caller.</returns>
    public static Tensor[] CallAll(string op, params ReadOnlySpan<Argument> args) => CallAll(Find(op), args);

    /// <summary>Calls any operator of libtorch for its effect and drops its results.</summary>
    /// <param name="op">Name with its overload.</param>
    /// <param name="args">Arguments in schema order.</param>
    public static void Run(string op, params ReadOnlySpan<Argument> args) => Run(Find(op), args);

    /// <summary>The schema of an operator, such as "aten::relu(Tensor self) -> Tensor".</summary>
    /// <param name="op">Name with its overload.</param>
    /// <returns>The schema's text.</returns>
    public static string Schema(string op)
    {
        byte* text;
        Status.Check(NativeMethods.kt_operator_schema(Find(op).Pointer, &text), op);
        return Marshal.PtrToStringUTF8((nint)text)!;
    }

    /// <summary>Sets the number of threads of a library that has just been loaded.</summary>
    internal static void SetInitialThreads()
    {
        int threads = PhysicalCores.Usable();
        Status.Check(NativeMethods.kt_set_threads(threads), "threads");
        _threads = threads;
    }

    private static (long Live, long Peak) Memory(bool resetPeak)
    {
        NativeLoader.EnsureReady();
        long live, peak;
        Status.Check(NativeMethods.kt_live_bytes(&live, &peak, resetPeak ? 1 : 0), "memory of tensors");
        return (live, peak);
    }

    /// <summary>Installs the caching allocator of a library that has just been loaded.</summary>
    internal static void SetInitialCacheLimit() =>
        SetCacheLimit(Math.Min(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4, 4L << 30));

    internal static Tensor Call(Operator op, params ReadOnlySpan<Argument> args)
    {
        Tensor result = CallUnrecorded(op, args);
        Recording.Current?.Add(op, args, [result]);
        return result;
    }

    /// <summary>As <see cref="Call(Operator, ReadOnlySpan{Argument})"/>, out of sight of recordings: for the memory of values that come from .NET.</summary>
    internal static Tensor CallUnrecorded(Operator op, params ReadOnlySpan<Argument> args)
    {
        NativeValue* results = stackalloc NativeValue[UsualResults];
        int count = Invoke(op, args, results, UsualResults);
        Tensor? first = null;
        for (int i = 0; i < count; i++)
        {
            if (results[i].Kind == ValueKind.Tensor && results[i].Bits != 0)
            {
                if (first is null)
                {
                    first = new Tensor((nint)results[i].Bits);
                }
                else
                {
                    _ = NativeMethods.kt_tensor_release((nint)results[i].Bits);
                }
            }
        }

        if (first is null)
        {
            throw new InvalidOperationException($"{op.ShortName} gives no tensor");
        }

        return first;
    }

    internal static Tensor[] CallAll(Operator op, params ReadOnlySpan<Argument> args)
    {
        NativeValue[] results = System.Buffers.ArrayPool<NativeValue>.Shared.Rent(MostResults);
        Tensor[] tensors;
        fixed (NativeValue* first = results)
        {
            int count = Invoke(op, args, first, MostResults);
            int tensorCount = 0;
            for (int i = 0; i < count; i++)
            {
                tensorCount += first[i].Kind == ValueKind.Tensor && first[i].Bits != 0 ? 1 : 0;
            }

            tensors = new Tensor[tensorCount];
            tensorCount = 0;
            for (int i = 0; i < count; i++)
            {
                if (first[i].Kind == ValueKind.Tensor && first[i].Bits != 0)
                {
                    tensors[tensorCount++] = new Tensor((nint)first[i].Bits);
                }
            }
        }

        System.Buffers.ArrayPool<NativeValue>.Shared.Return(results);
        Recording.Current?.Add(op, args, tensors);
        return tensors;
    }

    internal static void Run(Operator op, params ReadOnlySpan<Argument> args)
    {
        NativeValue* results = stackalloc NativeValue[UsualResults];
        int count = Invoke(op, args, results, UsualResults);
        Release(results, count);
        Recording.Current?.Add(op, args, []);
    }

    /// <summary>Calls an in-place operator on its first argument and returns that argument.</summary>
    internal static Tensor CallInPlace(Operator op, params ReadOnlySpan<Argument> args)
    {
        NativeValue* results = stackalloc NativeValue[UsualResults];
        int count = Invoke(op, args, results, UsualResults);
        Release(results, count);
        var self = (Tensor)args[0].Reference!;
        Recording.Current?.Add(op, args, [self]);
        return self;
    }

    /// <summary>The operands of a call with the schema's names: "input [2, 3, 8, 8], weight [8, 4, 3, 3]".</summary>
    internal static string DescribeTensors(Operator op, ReadOnlySpan<Argument> args)
    {
        var text = new StringBuilder();
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i].Reference is Tensor tensor)
            {
                Append(op.Arguments[i].Name, tensor);
            }
            else if (args[i].Reference is Tensor?[] list)
            {
                for (int k = 0; k < Math.Min(list.Length, 8); k++)
                {
                    Append($"{op.Arguments[i].Name}[{k}]", list[k]);
                }
            }
        }

        return text.ToString();

        void Append(string name, Tensor? tensor)
        {
            if (tensor is not null && !tensor.IsDisposed)
            {
                text.Append(text.Length == 0 ? string.Empty : ", ").Append(name).Append(' ').Append(tensor);
            }
        }
    }

    private static void Release(NativeValue* results, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (results[i].Kind == ValueKind.Tensor && results[i].Bits != 0)
            {
                _ = NativeMethods.kt_tensor_release((nint)results[i].Bits);
            }
        }
    }

    private static Operator Find(string op) => Operators.GetOrAdd(op, static full =>
    {
        string name = full.Contains("::", StringComparison.Ordinal) ? full : "aten::" + full;
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? new Operator(name) : new Operator(name[..dot], name[(dot + 1)..]);
    });

    // Packs the arguments (lists are copied behind them), holds every tensor for the duration of the call, calls.
    private static int Invoke(Operator op, ReadOnlySpan<Argument> args, NativeValue* results, int capacity)
    {
        int words = 0;
        for (int i = 0; i < args.Length; i++)
        {
            words += args[i].Reference switch
            {
                long[] integers => integers.Length,
                double[] reals => reals.Length,
                Tensor?[] tensors => tensors.Length,
                string text => (Encoding.UTF8.GetMaxByteCount(text.Length) / 8) + 1,
                _ => 0,
            };
        }

        Span<long> space = words <= StackWords ? stackalloc long[StackWords] : new long[words];
        NativeValue* values = stackalloc NativeValue[args.Length + 1];
        int held = 0;
        int heldInList = 0;
        try
        {
            fixed (long* start = space)
            {
                long* next = start;
                for (int i = 0; i < args.Length; i++)
                {
                    ref readonly Argument argument = ref args[i];
                    ref NativeValue value = ref values[i];
                    value.Kind = argument.Kind;
                    value.Count = 0;
                    value.Bits = argument.Bits;
                    switch (argument.Reference)
                    {
                        case Tensor tensor:
                            value.Bits = Hold(tensor);
                            break;
                        case long[] integers:
                            value.Bits = (long)next;
                            value.Count = integers.Length;
                            integers.CopyTo(new Span<long>(next, integers.Length));
                            next += integers.Length;
                            break;
                        case double[] reals:
                            value.Bits = (long)next;
                            value.Count = reals.Length;
                            reals.CopyTo(new Span<double>(next, reals.Length));
                            next += reals.Length;
                            break;
                        case Tensor?[] tensors:
                            value.Bits = (long)next;
                            value.Count = tensors.Length;
                            for (heldInList = 0; heldInList < tensors.Length; heldInList++)
                            {
                                *next++ = tensors[heldInList] is Tensor element ? Hold(element) : 0;
                            }

                            break;
                        case string text:
                            value.Bits = (long)next;
                            value.Count = Encoding.UTF8.GetBytes(text, new Span<byte>(next, Encoding.UTF8.GetMaxByteCount(text.Length)));
                            next += (value.Count / 8) + 1;
                            break;
                    }

                    held = i + 1;
                    heldInList = 0;
                }

                int count;
                int status = NativeMethods.kt_call(op.Pointer, values, args.Length, results, capacity, &count);
                return status == 0 ? count : throw Status.Failure(status, op.ShortName, DescribeTensors(op, args));
            }
        }
        finally
        {
            for (int i = 0; i < args.Length && i <= held; i++)
            {
                if (i < held && args[i].Reference is Tensor tensor)
                {
                    tensor.Handle.DangerousRelease();
                }
                else if (args[i].Reference is Tensor?[] tensors)
                {
                    int taken = i < held ? tensors.Length : heldInList;
                    for (int k = 0; k < taken; k++)
                    {
                        tensors[k]?.Handle.DangerousRelease();
                    }
                }
            }
        }

        static nint Hold(Tensor tensor)
        {
            bool added = false;
            TensorHandle handle = tensor.Handle;
            handle.DangerousAddRef(ref added);
            return handle.Address;
        }
    }

    /// <summary>A shape as messages show it: "[2, 3, 8, 8]".</summary>
    internal static string Format(ReadOnlySpan<long> shape)
    {
        var text = new StringBuilder("[");
        for (int i = 0; i < shape.Length; i++)
        {
            text.Append(i == 0 ? string.Empty : ", ").Append(shape[i].ToString(CultureInfo.InvariantCulture));
        }

        return text.Append(']').ToString();
    }

    private static void SetCacheLimit(long bytes)
    {
        Status.Check(NativeMethods.kt_cache_limit(bytes), "cache limit");
        _cacheLimitBytes = bytes;
    }
}
