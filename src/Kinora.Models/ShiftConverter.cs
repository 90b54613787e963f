using Kinora.Models.Layers;
using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>
/// Carries weights from one <see cref="ShiftConvention"/> to another. The channels that come from the past and those that
/// come from the future change places in front of every shift; what reads them changes with them, so that the scores stay
/// the same.
/// </summary>
/// <remarks>
/// On residual branches that is a permutation of the input channels of the first convolution: the shortcut beside it
/// isn't touched. It exists only where both networks shift the same blocks and move equally many channels each way, as
/// PaddleVideo's and the original convention do at T = 8 in networks that aren't deep.
/// </remarks>
public static class ShiftConverter
{
    /// <summary>Copies the weights of one network into another of a different convention.</summary>
    /// <param name="source">A network with temporal shifts.</param>
    /// <param name="target">A network of the same architecture, T and classes; its weights are replaced.</param>
    /// <exception cref="ConfigException">
    /// Not the same architecture or T, no temporal shifts, or shifts that move other channels than a permutation can make up for;
    /// nothing was changed.
    /// </exception>
    /// <exception cref="CheckpointException">The networks' tensors have different shapes; nothing was changed.</exception>
    public static void Convert(VideoNetwork source, VideoNetwork target)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        if (source.Name != target.Name || source.Frames != target.Frames)
        {
            throw new ConfigException(
                $"convert shift: expected two networks of one architecture and T, found {source.Name} with T = {source.Frames} and {target.Name} with T = {target.Frames}");
        }

        Dictionary<string, ShiftSite> theirs = Sites(source);
        Dictionary<string, ShiftSite> ours = Sites(target);
        string? single = theirs.Keys.Concat(ours.Keys).FirstOrDefault(layer => !theirs.ContainsKey(layer) || !ours.ContainsKey(layer));
        if (single is not null)
        {
            throw Refused($"expected the same layers to shift, found {single} in one network only");
        }

        using var scope = new TensorScope();
        using IDisposable noGrad = Grad.Disable();
        Dictionary<string, Tensor> state = source.StateDict().ToDictionary(t => t.Name, t => t.Value, StringComparer.Ordinal);
        foreach (ShiftSite site in ours.Values)
        {
            ShiftFold from = theirs[site.Layer].Fold;
            if ((from.Past, from.Future) != (site.Fold.Past, site.Fold.Future))
            {
                throw Refused($"expected equally many channels to move, found {from.Past} from the past and {from.Future} from the future at {site.Layer} "
                    + $"in one network, {site.Fold.Past} and {site.Fold.Future} in the other; choose a T or a divisor at which they agree");
            }

            if (from.Order != site.Fold.Order)
            {
                foreach ((string name, int axis) in site.Axes)
                {
                    state[name] = ExchangeFolds(state[name], axis, from);
                }
            }
        }

        target.LoadStateDict(state.Select(t => (t.Key, t.Value)));

        ConfigException Refused(string why) => new($"convert shift: {source.Name} from '{source.Options.Shift}' to '{target.Options.Shift}': {why}");
    }

    private static Dictionary<string, ShiftSite> Sites(VideoNetwork network) => network is IShiftedNetwork shifted
        ? shifted.ShiftSites.Where(s => !s.Fold.IsEmpty).ToDictionary(s => s.Layer, StringComparer.Ordinal)
        : throw new ConfigException($"convert shift: expected a network with temporal shifts, found {network.Name}");

    private static Tensor ExchangeFolds(Tensor weight, int axis, ShiftFold fold)
    {
        int both = fold.First + fold.Second;
        return Tensor.Concat([weight.Slice(axis, fold.First, both), weight.Slice(axis, 0, fold.First), weight.Slice(axis, both, weight.Shape[axis])], axis);
    }
}
