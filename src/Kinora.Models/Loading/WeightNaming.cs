using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>One tensor of a network, as a family of files has it.</summary>
/// <param name="Name">Its name in such files.</param>
/// <param name="Kinora">Kinora's name; null for a tensor that such files hold and no network uses.</param>
/// <param name="Shape">Its shape in such files.</param>
/// <param name="Convert">Makes the network's tensor of the file's, in the current scope; null where they are the same.</param>
public sealed record WeightName(string Name, string? Kinora, IReadOnlyList<long> Shape, Func<Tensor, Tensor>? Convert = null);

/// <summary>Fits a tensor of a related network, such as one for single images, into a place of another shape.</summary>
/// <param name="name">The place, by its family's name.</param>
/// <param name="found">Shape in the file.</param>
/// <param name="expected">Shape that such files would have for this network.</param>
/// <returns>The conversion, in the current scope, or null where there is none.</returns>
public delegate Func<Tensor, Tensor>? WeightAdapter(string name, IReadOnlyList<long> found, IReadOnlyList<long> expected);

/// <summary>One way in which files of a family vary: where a name may have lost or gained a part.</summary>
/// <param name="Description">For reports, such as "below Student.0.".</param>
/// <param name="Translate">A name of the file to the family's full name; null for a tensor that belongs to something else.</param>
public sealed record NameStyle(string Description, Func<string, string?> Translate)
{
    /// <summary>Names taken as they are.</summary>
    public static NameStyle Plain { get; } = new("as they are", name => name);

    /// <summary>
    /// The reason why a tensor of the file, for which there is no place, may be passed over, such as a classifier of
    /// another data set; null where there is no good one.
    /// </summary>
    public Func<string, string?> Excuse { get; init; } = _ => null;

    /// <summary>For a tensor that the file lacks, the family's name of one that may be copied in its place, or null.</summary>
    public Func<string, string?> Substitute { get; init; } = _ => null;

    /// <summary>Fits tensors of another shape.</summary>
    public WeightAdapter Adapt { get; init; } = (_, _, _) => null;

    /// <summary>Of styles in which a file fits several networks, the one with the lowest figure is meant.</summary>
    public int Rank { get; init; }
}

/// <summary>The tensors of one network as a family of files names them, and the ways in which such files vary.</summary>
/// <param name="Family">For reports, such as "PaddleVideo".</param>
/// <param name="Tensors">Every tensor.</param>
/// <param name="Styles">At least one; of equally good ones the first is taken.</param>
public sealed record WeightNaming(string Family, IReadOnlyList<WeightName> Tensors, IReadOnlyList<NameStyle> Styles)
{
    /// <summary>Kinora's own names.</summary>
    /// <param name="network">The network.</param>
    /// <returns>Every tensor of its state under the name it has.</returns>
    public static WeightNaming Kinora(VideoNetwork network)
    {
        ArgumentNullException.ThrowIfNull(network);
        return new WeightNaming("Kinora", [.. network.StateDict().Select(t => new WeightName(t.Name, t.Name, t.Value.Shape.ToArray()))], [NameStyle.Plain]);
    }
}

/// <summary>Says under which names the tensors of a network may be found.</summary>
/// <param name="network">The network; it isn't kept.</param>
/// <param name="tensors">What the file holds.</param>
/// <returns>The families to try, the most likely first.</returns>
public delegate IReadOnlyList<WeightNaming> NamingProvider(VideoNetwork network, IReadOnlyList<WeightInfo> tensors);
