using System.IO.Enumeration;

namespace Kinora.Models;

/// <summary>What a file of weights may lack or have too much. By default every tensor must meet its counterpart.</summary>
/// <remarks>Patterns are names with <c>*</c> for any characters and <c>?</c> for one, such as <c>head.*</c>.</remarks>
public sealed record LoadRules
{
    /// <summary>Nothing may be missing or superfluous.</summary>
    public static LoadRules Strict { get; } = new();

    /// <summary>
    /// Tensors of the network, by the name of the file's family or by Kinora's, that keep their initial values where the
    /// file lacks them or has them in another shape: a new classifier, say.
    /// </summary>
    public IReadOnlyList<string> AllowMissing { get; init; } = [];

    /// <summary>Tensors of the file that may be passed over.</summary>
    public IReadOnlyList<string> AllowUnused { get; init; } = [];

    /// <summary>The pattern that lets a tensor of the network keep its initial value, or null.</summary>
    internal string? Missing(WeightName name) =>
        AllowMissing.FirstOrDefault(p => Matches(p, name.Name) || (name.Kinora is { } own && Matches(p, own)));

    /// <summary>The pattern that lets a tensor of the file be passed over, or null.</summary>
    internal string? Unused(string name) => AllowUnused.FirstOrDefault(p => Matches(p, name));

    /// <summary>Refuses a pattern that nothing can ever match: most likely a slip.</summary>
    /// <exception cref="ConfigException">There is one.</exception>
    internal void Check(VideoNetwork network, IReadOnlyList<WeightNaming> namings)
    {
        foreach (string pattern in AllowMissing)
        {
            if (!namings.SelectMany(n => n.Tensors).Any(t => Matches(pattern, t.Name) || (t.Kinora is { } own && Matches(pattern, own))))
            {
                string[] layers = [.. namings.SelectMany(n => n.Tensors).Select(t => t.Name.Split('.')[0]).Distinct().Take(8)];
                throw new ConfigException($"load weights: allow missing '{pattern}': expected a pattern of tensors of {network.Name}, none matches; their names start with {string.Join(", ", layers)}");
            }
        }
    }

    private static bool Matches(string pattern, string name) => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);
}
