using System.Runtime.InteropServices;

namespace Kinora.Media.Native;

/// <summary>Finds and checks libkinora_media.so.</summary>
internal static class MediaLibrary
{
    internal const string Name = "kinora_media";

    /// <summary>The interface version that this assembly is written against (KM_ABI_VERSION).</summary>
    internal const int AbiVersion = 2;

    private const string FileName = "libkinora_media.so";

    private static readonly Lazy<string> LoadedVersions = new(Load, LazyThreadSafetyMode.ExecutionAndPublication);

    /// <summary>Versions of FFmpeg's libraries as text; loads the library on the first call.</summary>
    /// <exception cref="NativeException">The library is missing or of another version.</exception>
    internal static string Versions => LoadedVersions.Value;

    /// <summary>Loads the library if that hasn't happened yet.</summary>
    /// <exception cref="NativeException">The library is missing or of another version.</exception>
    internal static void Ensure() => _ = LoadedVersions.Value;

    private static unsafe string Load()
    {
        nint library = Find();
        NativeLibrary.SetDllImportResolver(typeof(MediaLibrary).Assembly, (name, _, _) => name == Name ? library : 0);
        int version;
        _ = MediaMethods.AbiVersion(&version);
        if (version != AbiVersion)
        {
            throw new NativeException($"loading {FileName}: expected interface version {AbiVersion}, found {version}; run ./eng/native.sh media", FileName);
        }

        byte* text = stackalloc byte[256];
        _ = MediaMethods.LibraryVersions(text, 256);
        return Marshal.PtrToStringUTF8((nint)text) ?? "";
    }

    // Beside the application (published), in artifacts/native of a checkout (development), where the system looks.
    private static nint Find()
    {
        var tried = new List<string> { Path.Combine(AppContext.BaseDirectory, FileName) };
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "artifacts", "native", FileName);
            if (File.Exists(candidate))
            {
                tried.Add(candidate);
                break;
            }
        }

        tried.Add(FileName);
        string reason = "not found";
        foreach (string path in tried)
        {
            if (path != FileName && !File.Exists(path))
            {
                continue;
            }

            try
            {
                return NativeLibrary.Load(path);
            }
            catch (DllNotFoundException e)
            {
                // A library that is there but lacks a dependency says more than the last, hopeless attempt.
                reason = path == FileName && reason != "not found" ? reason : path == FileName ? "not found" : e.Message.ReplaceLineEndings(" ");
            }
        }

        throw new NativeException($"loading {FileName}: {reason}; run ./kinora doctor", FileName);
    }
}
