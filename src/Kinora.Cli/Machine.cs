namespace Kinora.Cli;

/// <summary>What the process runs on.</summary>
internal static class Machine
{
    private const string Source = "/proc/cpuinfo";

    private static readonly string[] Lines = File.Exists(Source) ? File.ReadAllLines(Source) : [];

    /// <summary>The processor's name, or "unknown processor".</summary>
    public static string ProcessorName => Field("model name") is { Length: > 0 } name ? name : "unknown processor";

    /// <summary>The processor's features, by their names in /proc/cpuinfo.</summary>
    public static IReadOnlySet<string> ProcessorFlags => Field("flags").Split(' ').ToHashSet();

    private static string Field(string name) =>
        Lines.FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "";
}
