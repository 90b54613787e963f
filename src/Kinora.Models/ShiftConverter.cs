using Kinora.Models.Layers;
using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>
/// Carries weights from one <see cref="ShiftConvention"/> to another: the channels that come from the past and those that
/// come from the future change places in every map that is shifted, and in all weights that write or read it, so that the
/// scores stay the same.
/// </summary>
/// <remarks>
/// Exchanging the inputs of each branch's first convolution isn't enough: the shortcut hands the map on in its old order,
/// so the shift would move the wrong channels. The map itself is permuted, from the layers that add to it to those
/// that read it. That works where both networks shift the same blocks and move equally many channels each way, as
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

        using var scope = new TensorScope();
        using IDisposable noGrad = Grad.Disable();
        Dictionary<string, Tensor> state = source.StateDict().ToDictionary(t => t.Name, t => t.Value, StringComparer.Ordinal);
        foreach ((ShiftedMap theirs, ShiftedMap ours) in Maps(source).Zip(Maps(target)))
        {
            foreach ((string layer, ShiftFold to) in ours.Shifts)
            {
                Check(layer, theirs.Shifts[layer], to);
            }

            // All shifts of a map are alike, save those that don't take place.
            ShiftFold from = theirs.Shifts.Values.FirstOrDefault(fold => !fold.IsEmpty);
            if (from.Order == ours.Shifts.Values.FirstOrDefault(fold => !fold.IsEmpty).Order)
            {
                continue;
            }

            foreach (string name in state.Keys)
            {
                if (ours.Readers.Contains(name, StringComparer.Ordinal))
                {
                    state[name] = ExchangeFolds(state[name], 1, from);
                }

                if (ours.Writers.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)))
                {
                    state[name] = ExchangeFolds(state[name], 0, from);
                }
            }
        }

        target.LoadStateDict(state.Select(t => (t.Key, t.Value)));

        void Check(string layer, ShiftFold from, ShiftFold to)
        {
            if ((from.Past, from.Future) != (to.Past, to.Future))
            {
                throw new ConfigException(
                    $"convert shift: {source.Name} from '{source.Options.Shift}' to '{target.Options.Shift}': expected equally many channels to move, "
                    + $"found {from.Past} from the past and {from.Future} from the future at {layer} in the one, {to.Past} and {to.Future} in the other; "
                    + "choose a T, a divisor or blocks at which they agree");
            }
        }
    }

    private static IEnumerable<ShiftedMap> Maps(VideoNetwork network) => network is IShiftedNetwork shifted
        ? shifted.ShiftedMaps
        : throw new ConfigException($"convert shift: expected a network with temporal shifts, found {network.Name}");

    private static Tensor ExchangeFolds(Tensor weight, int axis, ShiftFold fold)
    {
        int both = fold.First + fold.Second;
        return Tensor.Concat([weight.Slice(axis, fold.First, both), weight.Slice(axis, 0, fold.First), weight.Slice(axis, both, weight.Shape[axis])], axis);
    }
}
