using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Kinora.Cli;

/// <summary>Where a model comes from: written into every checkpoint and model file.</summary>
internal static class Provenance
{
    /// <summary>Kinora's version, with the commit if the build knew it.</summary>
    public static string Version { get; } =
        typeof(Provenance).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>The facts about this process.</summary>
    /// <returns>Names and values.</returns>
    public static IReadOnlyDictionary<string, string> Current() => new Dictionary<string, string>
    {
        ["producer"] = $"kinora {Version}",
        ["created"] = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        ["runtime"] = $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}",
    };
}
