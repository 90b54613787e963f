using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>What a run ran on, for reports and provenance.</summary>
internal static class MachineFacts
{
    public static IReadOnlyList<Fact> List() =>
    [
        new("system", $"{RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.OSArchitecture}"),
        new("processor", Processor()),
        new("cores", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture)),
        new("native bfloat16", Autocast.IsSupported ? "yes" : "no"),
        new("compute threads", Torch.Threads.ToString(CultureInfo.InvariantCulture)),
        new(".NET", Environment.Version.ToString()),
        new("libtorch", Torch.Version),
        new("Kinora", Version()),
    ];

    public static IReadOnlyDictionary<string, string> Provenance(IReadOnlyDictionary<string, string> more)
    {
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["kinora"] = Version(),
            ["libtorch"] = Torch.Version,
            ["dotnet"] = Environment.Version.ToString(),
        };
        foreach ((string key, string value) in more)
        {
            all[key] = value;
        }

        return all;
    }

    public static string Processor()
    {
        const string key = "model name";
        try
        {
            string? line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith(key, StringComparison.Ordinal));
            return line is null ? RuntimeInformation.ProcessArchitecture.ToString() : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
        }
        catch (IOException)
        {
            return RuntimeInformation.ProcessArchitecture.ToString();
        }
    }

    private static string Version() => typeof(MachineFacts).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
