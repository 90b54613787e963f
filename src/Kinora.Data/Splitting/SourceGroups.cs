using System.Text.RegularExpressions;

namespace Kinora.Data;

/// <summary>
/// Tells which clips come from one person or recording. Such clips are so alike that dividing them over training and test
/// measures memory.
/// </summary>
public static partial class SourceGroups
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    // Tried in turn; the first that fits every path and gives fewer groups than clips, but more than one, wins.
    private static readonly (string Name, Regex Pattern)[] _known =
    [
        ("UCF101's _gNN_", Ucf101()),
        ("NTU's person Pnnn", Ntu()),
        ("Kinetics' name_start_end", Kinetics()),
        ("subject, person, actor or video number", Person()),
    ];

    /// <summary>The groups that samples state, else those that their paths suggest.</summary>
    /// <param name="samples">The samples.</param>
    /// <returns>A name a sample; null where none is known.</returns>
    public static IReadOnlyList<string?> Of(IReadOnlyList<VideoSample> samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        return samples.Any(s => s.Group is not null) ? [.. samples.Select(s => s.Group)] : Guess([.. samples.Select(s => s.Path)]).Groups;
    }

    /// <summary>Guesses groups from paths.</summary>
    /// <param name="paths">All paths of a data set.</param>
    /// <returns>A name a path, and by which rule; nulls and null where no rule fits all.</returns>
    public static (IReadOnlyList<string?> Groups, string? Rule) Guess(IReadOnlyList<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        foreach ((string name, Regex pattern) in _known)
        {
            string?[] groups = [.. paths.Select(p => Capture(pattern, Path.GetFileName(p)))];
            int distinct = groups.Distinct(StringComparer.Ordinal).Count();
            if (!groups.Contains(null) && distinct > 1 && distinct < groups.Length)
            {
                return (groups, name);
            }
        }

        return (new string?[paths.Count], null);
    }

    /// <summary>Groups by a pattern.</summary>
    /// <param name="paths">All paths of a data set, with '/' between folders.</param>
    /// <param name="expression">A regular expression; its captures, joined, name the group (without captures: the match).</param>
    /// <returns>A name a path.</returns>
    /// <exception cref="ConfigException">Not a regular expression.</exception>
    /// <exception cref="DatasetException">It doesn't fit some paths; the message names one.</exception>
    public static IReadOnlyList<string> ByPattern(IReadOnlyList<string> paths, string expression)
    {
        ArgumentNullException.ThrowIfNull(paths);
        Regex pattern;
        try
        {
            pattern = new Regex(expression, RegexOptions.CultureInvariant, _patience);
        }
        catch (ArgumentException e)
        {
            throw new ConfigException($"group: expected a regular expression: {e.Message}", null, e);
        }

        try
        {
            string?[] groups = [.. paths.Select(p => Capture(pattern, p))];
            int missing = Array.IndexOf(groups, null);
            return missing < 0
                ? [.. groups.Select(g => g!)]
                : throw new DatasetException($"group: expected '{expression}' to fit every path, found {groups.Count(g => g is null)} of {groups.Length} that it doesn't fit, such as", paths[missing]);
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new ConfigException($"group: expected a regular expression that needs less than a second a path, found '{expression}'", null, e);
        }
    }

    private static string? Capture(Regex pattern, string text)
    {
        Match match = pattern.Match(text);
        return !match.Success ? null
            : match.Groups.Count == 1 ? match.Value
            : string.Join('/', match.Groups.Cast<Group>().Skip(1).Where(g => g.Success).Select(g => g.Value));
    }

    // v_ApplyEyeMakeup_g08_c01: groups are numbered within each class.
    [GeneratedRegex(@"^v_(.+)_g(\d+)_c\d+", RegexOptions.CultureInvariant)]
    private static partial Regex Ucf101();

    // S001C001P001R001A001
    [GeneratedRegex(@"S\d{3}C\d{3}P(\d{3})R\d{3}A\d{3}", RegexOptions.CultureInvariant)]
    private static partial Regex Ntu();

    // 3caPS4FHFF8_000036_000046.mp4: the video, from which several clips may have been cut.
    [GeneratedRegex(@"^([\w-]{11})_\d{6}_\d{6}", RegexOptions.CultureInvariant)]
    private static partial Regex Kinetics();

    [GeneratedRegex(@"(?:^|[^a-zA-Z])(?:subject|subj|person|actor|p|s)[-_]?(\d+)(?:[^0-9]|$)", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Person();
}
