namespace Kinora.Models.Layers;

/// <summary>One temporal shift of a network, and the weights whose meaning depends on the order of the shifted channels.</summary>
/// <param name="Layer">The layer that shifts, such as "stages.0.1".</param>
/// <param name="Fold">What moves.</param>
/// <param name="Axes">
/// Tensors of the state and their axes that run over the shifted channels. Exchanging channels along all of them exchanges
/// channels in front of the shift and changes nothing else.
/// </param>
internal sealed record ShiftSite(string Layer, ShiftFold Fold, IReadOnlyList<(string Tensor, int Axis)> Axes);

/// <summary>A network with temporal shifts.</summary>
internal interface IShiftedNetwork
{
    /// <summary>Its shifts; those that move nothing may be left out.</summary>
    IEnumerable<ShiftSite> ShiftSites { get; }
}
