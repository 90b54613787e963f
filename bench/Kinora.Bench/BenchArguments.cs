using System.Globalization;

namespace Kinora.Bench;

/// <summary>One thing that can be measured.</summary>
/// <param name="Name">First word of the command.</param>
/// <param name="Description">What it measures.</param>
/// <param name="Run">Measures and prints; returns the exit code, other than 0 if outputs disagree.</param>
internal sealed record Benchmark(string Name, string Description, Func<BenchArguments, int> Run);

/// <summary>Options of a benchmark: <c>--name value</c> pairs, the rest are files.</summary>
internal sealed class BenchArguments
{
    private readonly Dictionary<string, string> _options = new(StringComparer.Ordinal);

    public BenchArguments(string[] arguments)
    {
        for (int i = 0; i < arguments.Length; i++)
        {
            if (arguments[i].StartsWith("--", StringComparison.Ordinal))
            {
                string name = arguments[i++][2..];
                _options[name] = i < arguments.Length ? arguments[i] : throw new ConfigException($"--{name}: expected a value behind it");
            }
            else
            {
                Files.Add(arguments[i]);
            }
        }
    }

    /// <summary>Everything that isn't an option.</summary>
    public List<string> Files { get; } = [];

    /// <summary>An option's text, or the default.</summary>
    public string Text(string name, string standard) => _options.GetValueOrDefault(name, standard);

    /// <summary>An option's number, or the default.</summary>
    public int Number(string name, int standard) => !_options.TryGetValue(name, out string? text)
        ? standard
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : throw new ConfigException($"--{name}: expected a number above 0, found '{text}'");
}
