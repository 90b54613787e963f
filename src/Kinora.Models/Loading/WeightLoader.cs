using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>Loads files of weights, whatever names they use, into networks: all that is needed, or nothing.</summary>
public static class WeightLoader
{
    /// <summary>Compares names and shapes of a file with those of a network. Nothing is read or changed.</summary>
    /// <param name="network">The network.</param>
    /// <param name="source">The file.</param>
    /// <param name="provider">Under which names the tensors may be found.</param>
    /// <param name="rules">What may be missing.</param>
    /// <returns>What would become of each tensor.</returns>
    /// <exception cref="ConfigException">A rule that no tensor of the network can meet.</exception>
    public static LoadReport Compare(VideoNetwork network, WeightSource source, NamingProvider provider, LoadRules rules)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(source);
        return Match(network, source, provider, rules).Report(source.Path, network.Name);
    }

    /// <summary>
    /// Loads weights. Tensors are read one at a time, most of them straight to their place, so the memory needed beside
    /// the network is at most that of its largest.
    /// </summary>
    /// <param name="network">The network; float32 or another floating-point type, to which elements are converted.</param>
    /// <param name="source">The file.</param>
    /// <param name="provider">Under which names the tensors may be found.</param>
    /// <param name="rules">What may be missing.</param>
    /// <returns>What became of each tensor.</returns>
    /// <exception cref="CheckpointException">Not everything fits, and the rules don't allow it; the network wasn't changed. Or the file can't be read.</exception>
    /// <exception cref="ConfigException">A rule that no tensor of the network can meet.</exception>
    public static LoadReport Load(VideoNetwork network, WeightSource source, NamingProvider provider, LoadRules rules)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(source);
        WeightMatch match = Match(network, source, provider, rules);
        LoadReport report = match.Report(source.Path, network.Name);
        if (!report.Fits)
        {
            throw Refused(report, source, provider);
        }

        var own = network.StateDict().ToDictionary(t => t.Name, t => t.Value, StringComparer.Ordinal);
        using IDisposable mode = Grad.Disable();
        foreach ((WeightName target, string name, Func<Tensor, Tensor>? adapt) in match.Taken)
        {
            Tensor place = own[target.Kinora!];
            if (adapt is null && target.Convert is null && place.Shape.SequenceEqual([.. target.Shape]))
            {
                source.ReadInto(name, place);
                continue;
            }

            using var scope = new TensorScope();
            Tensor value = source.Read(name);
            value = adapt is null ? value : adapt(value);
            value = target.Convert is null ? value : target.Convert(value);
            if (!place.Shape.SequenceEqual(value.Shape))
            {
                throw new CheckpointException($"load weights: {target.Name}: expected {place} after conversion, found {value}; a defect of Kinora's name tables", source.Path);
            }

            place.CopyFrom(value);
        }

        return report;
    }

    private static WeightMatch Match(VideoNetwork network, WeightSource source, NamingProvider provider, LoadRules rules)
    {
        ArgumentNullException.ThrowIfNull(provider);
        ArgumentNullException.ThrowIfNull(rules);
        IReadOnlyList<WeightNaming> namings = provider(network, source.Tensors);
        rules.Check(network, namings);
        return WeightMatch.Best(source.Tensors, namings, rules);
    }

    private static CheckpointException Refused(LoadReport report, WeightSource source, NamingProvider provider)
    {
        int needed = report.Taken + report.Missing.Count + report.Misshapen.Count;
        if (report.Taken > 0)
        {
            return new CheckpointException(
                $"load weights: expected the {needed} tensors of {report.Network} by their {report.Family} names {report.Style}, found {report.Summary()}; "
                + "take the network that the file is of, or allow what may be missing or unused by a pattern", source.Path);
        }

        string example = source.Tensors.Count > 0 ? $" (such as '{source.Tensors[0].Name}')" : "";
        return new CheckpointException(
            $"load weights: expected the {needed} tensors of {report.Network}, found none of them among the {source.Tensors.Count} of the file{example}; {ArchitectureFinder.Nearest(source, provider)}",
            source.Path);
    }
}
