using System.Globalization;
using Kinora.Tensors.Native;

namespace Kinora.Tensors;

/// <summary>Kinds of devices, with libtorch's numbers.</summary>
public enum DeviceType
{
    /// <summary>The processor.</summary>
    Cpu = 0,

    /// <summary>An NVIDIA GPU.</summary>
    Cuda = 1,
}

/// <summary>Where a tensor's elements lie and its operators run.</summary>
/// <param name="Type">Kind of device.</param>
/// <param name="Index">Which of them, from 0; 0 for the CPU.</param>
public readonly unsafe record struct Device(DeviceType Type, int Index = 0)
{
    [ThreadStatic]
    private static Device _current;

    /// <summary>The processor.</summary>
    public static Device Cpu => default;

    /// <summary>Where the calling thread's tensors are made: the CPU, or what <see cref="Use"/> says.</summary>
    public static Device Current => _current;

    /// <summary>GPUs that libtorch can use: 0 without CUDA's libraries or a GPU.</summary>
    public static int CudaCount => CountOf(DeviceType.Cuda);

    /// <summary>One of the GPUs.</summary>
    /// <param name="index">From 0.</param>
    /// <returns>The device; whether it is there shows in its first use.</returns>
    public static Device Cuda(int index = 0) => new(DeviceType.Cuda, index);

    /// <summary>Reads a name as PyTorch writes it.</summary>
    /// <param name="name">"cpu", "cuda" or "cuda:1"; "auto" is the GPU with the number <paramref name="localRank"/> where there are GPUs, else the CPU.</param>
    /// <param name="localRank">This process's number on its machine: "auto" and "cuda" give each its own GPU.</param>
    /// <returns>The device.</returns>
    /// <exception cref="ConfigException">Another name, or a GPU that isn't there.</exception>
    public static Device Parse(string name, int localRank = 0)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name == "cpu" || (name == "auto" && CudaCount == 0))
        {
            return Cpu;
        }

        int index = localRank;
        bool known = name is "auto" or "cuda"
            || (name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out index));
        if (!known)
        {
            throw new ConfigException($"device: expected auto, cpu, cuda or cuda:N, found '{name}'");
        }

        int count = CudaCount;
        return index < count ? Cuda(index) : throw new ConfigException(
            $"device: expected one of {count} CUDA devices, found '{name}'{(name.Length > 5 ? "" : $" for local rank {localRank}")}; "
            + (count == 0 ? "KINORA_LIBTORCH=/path eng/native.sh torch builds against a libtorch with CUDA" : "start at most one process for each GPU"));
    }

    /// <summary>
    /// Lets the calling thread's operators make their tensors on this device, values from .NET included; a GPU becomes
    /// the thread's current one. Modules made inside lie there too.
    /// </summary>
    /// <returns>Restores the earlier device; bound to the thread.</returns>
    /// <exception cref="ShapeException">There is no such device.</exception>
    public IDisposable Use() => new Region(this);

    /// <inheritdoc/>
    public override string ToString() => Type == DeviceType.Cpu ? "cpu" : string.Create(CultureInfo.InvariantCulture, $"cuda:{Index}");

    private static int CountOf(DeviceType type)
    {
        NativeLoader.EnsureReady();
        int count;
        Status.Check(NativeMethods.kt_device_count((int)type, &count), "count devices");
        return count;
    }

    private sealed class Region : ThreadMode
    {
        private readonly Device _previous = _current;

        public Region(Device device)
        {
            NativeLoader.EnsureReady();
            Set(device);
        }

        protected override void Restore() => Set(_previous);

        private static void Set(Device device)
        {
            int ignored;
            Status.Check(NativeMethods.kt_use_device((int)device.Type, device.Index, &ignored, &ignored), $"use device {device}");
            _current = device;
        }
    }
}
