namespace Kinora.Models.Layers;

/// <summary>
/// A feature map that temporal shifts read, and the weights that know the order of its channels. In a residual network
/// it is what runs along the shortcuts of a stage: every block reads it and adds to it.
/// </summary>
/// <param name="Shifts">Layers that shift it, and what they move.</param>
/// <param name="Writers">
/// Beginnings of the names of tensors whose first axis runs over its channels: of layers that put it out or work on it
/// channel by channel.
/// </param>
/// <param name="Readers">Names of tensors whose second axis does: of layers that take it in.</param>
internal sealed record ShiftedMap(
    IReadOnlyDictionary<string, ShiftFold> Shifts, IReadOnlyList<string> Writers, IReadOnlyList<string> Readers);

/// <summary>A network with temporal shifts.</summary>
internal interface IShiftedNetwork
{
    /// <summary>
    /// The maps that it shifts. Exchanging two channels of a map along all its axes leaves the rest of the network as it is;
    /// only the shifts see it.
    /// </summary>
    IEnumerable<ShiftedMap> ShiftedMaps { get; }
}
