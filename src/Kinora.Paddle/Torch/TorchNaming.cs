using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>The names of PyTorch's state dictionaries as a family for <see cref="WeightLoader"/>.</summary>
public static class TorchNaming
{
    private const string Family = "PyTorch";

    /// <summary>Lists the family, where the file is of it.</summary>
    /// <param name="network">The network.</param>
    /// <param name="tensors">What the file holds.</param>
    /// <returns>One, or none.</returns>
    public static IReadOnlyList<WeightNaming> For(VideoNetwork network, IReadOnlyList<WeightInfo> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        if (TorchNames.Find(network, [.. tensors.Select(t => t.Name)]) is not { } names)
        {
            return [];
        }

        HashSet<string> ignorable = [.. names.Ignorable];
        NameStyle style = NameStyle.Plain with { Excuse = name => ignorable.Contains(name) ? "PyTorch counts batches; nobody reads the count" : null };
        return [new WeightNaming($"{Family} ({names.Source})", [.. names.Tensors.Select(t => new WeightName(t.File, t.Kinora, t.Shape))], [style])];
    }

    /// <summary>Whether a file was read by these names.</summary>
    /// <param name="report">What became of its tensors.</param>
    public static bool IsTorch(LoadReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return report.Family.StartsWith(Family, StringComparison.Ordinal);
    }
}
