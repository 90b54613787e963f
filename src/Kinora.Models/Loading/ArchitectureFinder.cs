using System.Globalization;
using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>A network of the catalogue that a file of weights may be of.</summary>
/// <param name="Entry">The network.</param>
/// <param name="Options">Options with the classes and frames that the file's shapes tell.</param>
/// <param name="Report">What would become of each tensor.</param>
public sealed record ArchitectureMatch(ModelEntry Entry, ModelOptions Options, LoadReport Report);

/// <summary>Finds out which network a file of weights is of, from its names and shapes.</summary>
public static class ArchitectureFinder
{
    // Numbers that no other dimension of a network has, so that places that follow them are known by them.
    private const int SomeClasses = 1009;
    private const int OtherClasses = 1013;

    private const string HowToBegin = "name the network and the number of classes, and allow the classifier to be missing";

    // Above it a file without a classifier is a backbone; below it is something else.
    private const double Alike = 0.9;

    // The right network is the likest; what the rules allow to be missing may take a little off.
    private const double Slack = 0.1;

    /// <summary>Finds the networks whose every tensor the file has, and no others.</summary>
    /// <param name="source">The file.</param>
    /// <param name="provider">Under which names the tensors may be found.</param>
    /// <param name="rules">What may be missing.</param>
    /// <param name="classes">Number of classes; null reads it off the classifier's shape.</param>
    /// <param name="frames">T; null reads it off where it shows, else takes the network's own.</param>
    /// <returns>
    /// All that fit, best first. Networks that differ in arithmetic only, as TSN and TSM do, fit alike.
    /// </returns>
    /// <exception cref="CheckpointException">None fits; the message names the nearest.</exception>
    public static IReadOnlyList<ArchitectureMatch> Find(
        WeightSource source, NamingProvider provider, LoadRules rules, int? classes = null, int? frames = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(provider);
        ArgumentNullException.ThrowIfNull(rules);
        List<Candidate> candidates = Rank(source, provider);
        var fitting = new List<(ArchitectureMatch Match, int Rank)>();
        string? headless = null;
        foreach (Candidate candidate in candidates.Where(c => c.Likeness > 0 && c.Likeness >= candidates[0].Likeness - Slack))
        {
            if (TryOptions(candidate.Entry, source, provider, classes, frames) is not { } options)
            {
                headless ??= candidate.Likeness >= Alike ? candidate.Entry.Name : null;
                continue;
            }

            try
            {
                (ArchitectureMatch Match, int Rank) found = Compare(candidate.Entry, options, source, provider, rules);
                if (found.Match.Report.Fits)
                {
                    fitting.Add(found);
                }
            }
            catch (ConfigException) when (frames is not null)
            {
                // A network that can't have the frames that are asked for isn't the one that is meant.
            }
        }

        if (fitting.Count > 0)
        {
            return [.. fitting.Where(f => f.Rank == fitting.Min(o => o.Rank)).Select(f => f.Match)];
        }

        throw new CheckpointException(
            headless is not null
                ? $"find the network: expected a classifier that tells the number of classes, found none; the file is most like {headless}: {HowToBegin}"
                : $"find the network: expected the tensors of a network of the catalogue, found {source.Tensors.Count} that fit none; {Describe(candidates, source)}; name a network to see what doesn't fit",
            source.Path);
    }

    /// <summary>Reads classes and frames of a known network off a file.</summary>
    /// <param name="entry">The network.</param>
    /// <param name="source">The file.</param>
    /// <param name="provider">Under which names the tensors may be found.</param>
    /// <param name="classes">Number of classes; null reads it off the classifier's shape.</param>
    /// <param name="frames">T; null reads it off where it shows, else takes the network's own.</param>
    /// <returns>The options.</returns>
    /// <exception cref="CheckpointException">The file has no classifier of this network to read the classes off.</exception>
    public static ModelOptions Options(ModelEntry entry, WeightSource source, NamingProvider provider, int? classes = null, int? frames = null)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(provider);
        if (TryOptions(entry, source, provider, classes, frames) is { } options)
        {
            return options;
        }

        List<Candidate> candidates = Rank(source, provider);
        string advice = candidates.Single(c => c.Entry == entry).Likeness >= Alike ? HowToBegin : Describe(candidates, source);
        throw new CheckpointException($"load weights: expected a classifier of {entry.Name} that tells the number of classes, found none; {advice}", source.Path);
    }

    private static ModelOptions? TryOptions(ModelEntry entry, WeightSource source, NamingProvider provider, int? classes, int? frames)
    {
        IReadOnlyList<WeightNaming> some = Namings(entry, new ModelOptions(SomeClasses), source, provider);
        WeightMatch match = WeightMatch.Best(source.Tensors, some, LoadRules.Strict);
        int? read = One(match.Sizes(Places(some, Namings(entry, new ModelOptions(OtherClasses), source, provider), SomeClasses)));
        int chosen = classes ?? read ?? 0;
        if (chosen < 1)
        {
            return null;
        }

        if (frames is null)
        {
            try
            {
                IReadOnlyList<WeightNaming> longer = Namings(entry, new ModelOptions(SomeClasses, 2 * entry.Frames), source, provider);
                frames = One(match.Sizes(Places(some, longer, entry.Frames)));
            }
            catch (ConfigException)
            {
                // A network that can't have twice its frames has a T of its own.
            }
        }

        return new ModelOptions(chosen, frames);

        static int? One(IEnumerable<long> sizes)
        {
            long[] different = [.. sizes.Distinct()];
            return different is [> 0 and < int.MaxValue] ? (int)different[0] : null;
        }
    }

    /// <summary>Says which network of the catalogue a file is most like.</summary>
    /// <param name="source">The file.</param>
    /// <param name="provider">Under which names the tensors may be found.</param>
    /// <returns>Words for a message.</returns>
    internal static string Nearest(WeightSource source, NamingProvider provider) => Describe(Rank(source, provider), source);

    private static string Describe(List<Candidate> candidates, WeightSource source)
    {
        Candidate best = candidates[0];
        return best.Likeness > 0
            ? string.Create(CultureInfo.InvariantCulture, $"nearest is {best.Entry.Name}, with {best.Known} of the file's {source.Tensors.Count} names")
            : string.Create(CultureInfo.InvariantCulture, $"nearest is {best.Entry.Name}, with {best.Shapes} of the file's {source.Tensors.Count} shapes, though with none of its names");
    }

    // By names first, and by shapes where no name is known at all.
    private static List<Candidate> Rank(WeightSource source, NamingProvider provider)
    {
        var shapes = source.Tensors.GroupBy(t => Key(t.Shape)).ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
        return
        [
            .. ModelCatalog.Entries.Select(entry =>
            {
                IReadOnlyList<WeightNaming> namings = Namings(entry, new ModelOptions(SomeClasses), source, provider);
                WeightMatch match = WeightMatch.Best(source.Tensors, namings, LoadRules.Strict);
                int same = namings[^1].Tensors.GroupBy(t => Key(t.Shape)).Sum(g => Math.Min(g.Count(), shapes.GetValueOrDefault(g.Key)));
                double likeness = 2.0 * same / (source.Tensors.Count + namings[^1].Tensors.Count);
                return new Candidate(entry, match.Likeness, match.Known, likeness, same);
            }).OrderByDescending(c => c.Likeness).ThenByDescending(c => c.ShapeLikeness),
        ];

        static string Key(IEnumerable<long> shape) => string.Join('x', shape);
    }

    private static (ArchitectureMatch Match, int Rank) Compare(ModelEntry entry, ModelOptions options, WeightSource source, NamingProvider provider, LoadRules rules)
    {
        WeightMatch match = WeightMatch.Best(source.Tensors, Namings(entry, options, source, provider), rules);
        return (new ArchitectureMatch(entry, options, match.Report(source.Path, entry.Name)), match.Style.Rank);
    }

    // The network is built for its names and shapes and let go at once.
    private static IReadOnlyList<WeightNaming> Namings(ModelEntry entry, ModelOptions options, WeightSource source, NamingProvider provider)
    {
        using IDisposable shapes = ShapesOnly.Enable();
        using VideoNetwork network = ModelCatalog.CreateBlank(entry.Name, options);
        return provider(network, source.Tensors);
    }

    // Where a size follows a number that was changed between two buildings.
    private static IEnumerable<(string Name, int Axis)> Places(IReadOnlyList<WeightNaming> some, IReadOnlyList<WeightNaming> other, int number) => some
        .Zip(other)
        .SelectMany(pair => pair.First.Tensors.Zip(pair.Second.Tensors))
        .SelectMany(pair => Enumerable.Range(0, pair.First.Shape.Count)
            .Where(axis => pair.First.Shape[axis] == number && pair.Second.Shape[axis] != number)
            .Select(axis => (pair.First.Name, axis)));

    private sealed record Candidate(ModelEntry Entry, double Likeness, int Known, double ShapeLikeness, int Shapes);
}
