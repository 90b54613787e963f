using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Kinora.Onnx;

/// <summary>
/// The one place that loads ONNX Runtime's native library. It finds the file, refuses versions that the managed
/// binding doesn't fit, and turns telemetry off before the library runs its first line.
/// </summary>
/// <remarks>Thread-safe; loading happens once a process, on first use.</remarks>
public static partial class OnnxRuntimeLibrary
{
    private const string BindingName = "onnxruntime";
    private static readonly Lock Gate = new();
    private static string? s_path;
    private static string? s_version;
    private static OrtEnv? s_environment;
    private static nint s_handle;
    private static int s_begun;

    /// <summary>The oldest version whose function table is as long as the one that the binding copies.</summary>
    public static Version MinimumVersion { get; } = new(1, 29);

    /// <summary>Version of the native library, such as "1.29.0"; loads it if need be.</summary>
    /// <exception cref="NativeException">The library is missing, can't be loaded or is too old.</exception>
    public static string Version
    {
        get
        {
            EnsureLoaded();
            return s_version!;
        }
    }

    /// <summary>Where the native library was found; the bare name if the system's loader found it.</summary>
    /// <exception cref="NativeException">The library is missing, can't be loaded or is too old.</exception>
    public static string Location
    {
        get
        {
            EnsureLoaded();
            return s_path!;
        }
    }

    /// <summary>Names of the execution providers that the library was built with, such as "CPUExecutionProvider".</summary>
    /// <exception cref="NativeException">The library is missing, can't be loaded or is too old.</exception>
    public static IReadOnlyList<string> Providers => Environment().GetAvailableProviders();

    /// <summary>
    /// Begins to load the library on another thread, for programs that will need it soon and have other things to do
    /// first. A failure is reported where the library is needed.
    /// </summary>
    public static void BeginLoading()
    {
        if (Interlocked.Exchange(ref s_begun, 1) == 0)
        {
            _ = Task.Run(Environment).ContinueWith(
                task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>Loads and checks the native library; further calls cost nothing.</summary>
    /// <exception cref="NativeException">The library is missing, can't be loaded or is too old.</exception>
    public static void EnsureLoaded()
    {
        lock (Gate)
        {
            if (s_handle != 0)
            {
                return;
            }

            DisableTelemetry();
            (nint handle, string path, string version) = Load(Candidates(AppContext.BaseDirectory));
            OrtEnvResolver.Register(handle);
            (s_handle, s_path, s_version) = (handle, path, version);
        }
    }

    /// <summary>The process-wide environment; native messages below "fatal" are silenced, errors come as exceptions.</summary>
    /// <returns>The environment; never disposed.</returns>
    internal static OrtEnv Environment()
    {
        EnsureLoaded();
        lock (Gate)
        {
            if (s_environment is null)
            {
                var options = new EnvironmentCreationOptions { logId = "kinora", logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
                s_environment = OrtEnv.IsCreated ? OrtEnv.Instance() : OrtEnv.CreateInstanceWithOptions(ref options);
                s_environment.DisableTelemetryEvents();
            }

            return s_environment;
        }
    }

    /// <summary>The places where the library may lie, most specific first.</summary>
    /// <param name="baseDirectory">Folder of the running program.</param>
    /// <returns>File names with folder, then the bare name for the system's loader.</returns>
    internal static IEnumerable<string> Candidates(string baseDirectory)
    {
        string file = OperatingSystem.IsWindows() ? "onnxruntime.dll" : OperatingSystem.IsMacOS() ? "libonnxruntime.dylib" : "libonnxruntime.so";
        string architecture = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64";
        string system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
        string plugins = OperatingSystem.IsWindows() ? "Windows" : OperatingSystem.IsMacOS() ? "macOS" : "Linux";
        yield return Path.Combine(baseDirectory, file);
        yield return Path.Combine(baseDirectory, "runtimes", $"{system}-{architecture}", "native", file);

        // A build inside a checkout doesn't copy the 28 MB file; it uses npm's.
        for (DirectoryInfo? folder = new(baseDirectory); folder is not null; folder = folder.Parent)
        {
            string package = Path.Combine(folder.FullName, "node_modules", "com.github.asus4.onnxruntime");
            if (Directory.Exists(package))
            {
                yield return Path.Combine(package, "Plugins", plugins, architecture, file);
                break;
            }
        }

        yield return file;
    }

    /// <summary>Loads the first candidate that exists.</summary>
    /// <param name="candidates">File names; those with a folder are tried only if the file is there.</param>
    /// <returns>Handle, file and version of the library.</returns>
    /// <exception cref="NativeException">None is there, or the first that is there can't be loaded or is too old.</exception>
    internal static (nint Handle, string Path, string Version) Load(IEnumerable<string> candidates)
    {
        var tried = new List<string>();
        foreach (string candidate in candidates)
        {
            tried.Add(candidate);
            bool named = Path.IsPathRooted(candidate);
            if (named && !File.Exists(candidate))
            {
                continue;
            }

            nint handle;
            try
            {
                handle = NativeLibrary.Load(candidate);
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
            {
                if (!named)
                {
                    continue;
                }

                throw new NativeException($"loading ONNX Runtime: {FirstLine(e.Message)}; './kinora doctor' says what is missing", candidate, e);
            }

            string version = ReadVersion(handle, candidate);
            CheckVersion(version, candidate);
            return (handle, candidate, version);
        }

        throw new NativeException(
            $"loading ONNX Runtime: expected its native library in one of {string.Join(", ", tried)}, found none; "
            + "run 'npm ci --ignore-scripts' in the checkout ('./kinora doctor' says what else is missing)");
    }

    /// <summary>Refuses libraries older than the binding.</summary>
    /// <param name="version">What the library says of itself.</param>
    /// <param name="path">Its file.</param>
    /// <exception cref="NativeException">Too old, or not a version number.</exception>
    internal static void CheckVersion(string version, string path)
    {
        // "1.30.0-dev" and the like count as the number before the dash.
        if (!System.Version.TryParse(version.Split('-', '+')[0], out Version? parsed) || parsed < MinimumVersion)
        {
            throw new NativeException(
                $"loading ONNX Runtime: expected version {MinimumVersion} or newer, found '{version}'; "
                + "remove the old library or run 'npm ci --ignore-scripts' in the checkout", path);
        }
    }

    internal static string FirstLine(string text)
    {
        int end = text.AsSpan().IndexOfAny('\r', '\n');
        return (end < 0 ? text : text[..end]).Trim();
    }

    // The binding's own static constructor would copy a function table of its own length from whatever library
    // answers, so the version is asked for through the two entry points that never change.
    private static unsafe string ReadVersion(nint handle, string path)
    {
        if (!NativeLibrary.TryGetExport(handle, "OrtGetApiBase", out nint export))
        {
            throw new NativeException("loading ONNX Runtime: the library has no OrtGetApiBase, so it isn't ONNX Runtime", path);
        }

        var apiBase = (nint*)((delegate* unmanaged[Cdecl]<nint>)export)();
        var getVersion = (delegate* unmanaged[Cdecl]<nint>)apiBase[1];
        return Marshal.PtrToStringUTF8(getVersion()) ?? "";
    }

    // The library reads the variable with getenv, which doesn't see what System.Environment sets.
    private static void DisableTelemetry()
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = SetNativeVariable("ORT_DISABLE_TELEMETRY", "1", 1);
        }

        System.Environment.SetEnvironmentVariable("ORT_DISABLE_TELEMETRY", "1");
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetNativeVariable(string name, string value, int overwrite);

    private static class OrtEnvResolver
    {
        public static void Register(nint handle)
        {
            OrtEnv.DisableDllImportResolver = true;
            NativeLibrary.SetDllImportResolver(typeof(OrtEnv).Assembly, (name, _, _) => name == BindingName ? handle : 0);
        }
    }
}
