using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Kinora.Tensors.Native;

/// <summary>Finds libkinora_torch and prepares the process for libtorch, once, before the first native call.</summary>
internal static unsafe partial class NativeLoader
{
    private static readonly Lock Gate = new();
    private static volatile bool _ready;

    /// <summary>Loads and checks the library; every way into it passes here. Not a static constructor, which would hide the cause of a failure.</summary>
    /// <exception cref="NativeException">The library is missing, or of another build.</exception>
    public static void EnsureReady()
    {
        if (_ready)
        {
            return;
        }

        lock (Gate)
        {
            if (!_ready)
            {
                Check();
                Torch.SetInitialThreads();
                Torch.SetInitialCacheLimit();
                _ready = true;
            }
        }
    }

    /// <summary>Hooks the search for the library and sets what must be set before libtorch loads.</summary>
    public static void Prepare()
    {
        NativeLibrary.SetDllImportResolver(typeof(NativeLoader).Assembly, Resolve);
        ChooseKernels();
    }

    private static void Check()
    {
        NativeAbi abi;
        Status.Check(NativeMethods.kt_abi(&abi), "load libkinora_torch");
        if (abi.Abi != NativeAbi.Expected || abi.ValueSize != sizeof(NativeValue) || abi.ArgumentSize != sizeof(NativeArgument)
            || abi.TensorInfoSize != sizeof(NativeTensorInfo) || abi.MaxRank != NativeTensorInfo.MaxRank)
        {
            throw new NativeException($"load libkinora_torch: expected ABI {NativeAbi.Expected}, found {abi.Abi} or other structures; build it again (eng/native.sh torch)");
        }
    }

    // Looks beside the application, then in the checkout's artifacts/native, then where the system looks.
    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != NativeMethods.Library)
        {
            return 0;
        }

        string file = OperatingSystem.IsWindows() ? "kinora_torch.dll" : "libkinora_torch.so";
        string? reason = null;
        foreach (string candidate in Candidates(file))
        {
            if (File.Exists(candidate))
            {
                try
                {
                    return NativeLibrary.Load(candidate);
                }
                catch (DllNotFoundException e)
                {
                    reason = e.Message.ReplaceLineEndings(" ");
                }
            }
        }

        return NativeLibrary.TryLoad(file, assembly, path, out nint handle)
            ? handle
            : throw new NativeException(
                $"load {file}: {reason ?? "not found beside the application, in artifacts/native or on the system's library path"}; run ./kinora doctor", file);
    }

    private static IEnumerable<string> Candidates(string file)
    {
        yield return Path.Combine(AppContext.BaseDirectory, file);
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            yield return Path.Combine(folder.FullName, "artifacts", "native", file);
        }
    }

    // The libraries below libtorch read the native environment while they load, which
    // Environment.SetEnvironmentVariable doesn't reach. What the user has set stays.
    private static void ChooseKernels()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        // Both thread pools would wait for their next work by spinning. On a machine that also decodes videos, the core
        // spun away is the one that the other thread needs: with a busy neighbour a training step took seven times as
        // long. Going to sleep costs some microseconds for each operator.
        _ = setenv("GOMP_SPINCOUNT", "0", 0);
        _ = setenv("OPENBLAS_THREAD_TIMEOUT", "4", 0);

        // What c10d logs when an exchange fails comes back as an exception too, in one line.
        _ = setenv("GLOG_minloglevel", "3", 0);
        _ = setenv("TORCH_CPP_LOG_LEVEL", "FATAL", 0);

        // OpenBLAS 0.3.21 doesn't know the newer AMD processors and falls back to AVX2 kernels on them; its Skylake-X
        // kernels halve the time of 1x1 convolutions there.
        if (Avx512BW.VL.IsSupported && Avx512DQ.VL.IsSupported)
        {
            _ = setenv("OPENBLAS_CORETYPE", "SkylakeX", 0);
        }
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);
}
