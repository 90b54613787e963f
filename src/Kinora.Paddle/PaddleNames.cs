using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Paddle;

/// <summary>One tensor under both its names.</summary>
/// <param name="Paddle">PaddleVideo's structured name.</param>
/// <param name="Kinora">Kinora's name; null for a tensor that PaddleVideo stores but never uses.</param>
/// <param name="Shape">The shape in PaddleVideo's files.</param>
/// <param name="Transposed">Whether the two axes are exchanged: PaddleVideo stores linear weights as [in, out].</param>
public sealed record PaddleName(string Paddle, string? Kinora, IReadOnlyList<long> Shape, bool Transposed);

/// <summary>The tensors of one network under PaddleVideo's structured names, and the way to load them.</summary>
public sealed class PaddleNames
{
    private readonly Func<string, string> _translate;

    private PaddleNames(IReadOnlyList<PaddleName> tensors, Func<string, string> translate)
    {
        Tensors = tensors;
        _translate = translate;
    }

    /// <summary>All tensors, those of the network first and in its order, then the idle ones.</summary>
    public IReadOnlyList<PaddleName> Tensors { get; }

    /// <summary>Whether PaddleVideo has a counterpart of this network.</summary>
    /// <param name="network">Any network.</param>
    /// <returns>True if <see cref="For"/> accepts it.</returns>
    public static bool Supports(VideoNetwork network) => Map(network) is not null;

    /// <summary>Lists the names of a network.</summary>
    /// <param name="network">A network that PaddleVideo has too.</param>
    /// <returns>Its names.</returns>
    /// <exception cref="ConfigException">PaddleVideo has no such network.</exception>
    public static PaddleNames For(VideoNetwork network)
    {
        ArgumentNullException.ThrowIfNull(network);
        KeyMap map = Map(network)
            ?? throw new ConfigException($"PaddleVideo names: expected a network that PaddleVideo has too, found {network.Name}");
        IEnumerable<PaddleName> used = network.StateDict().Select(entry =>
        {
            long[] shape = [.. entry.Value.Shape];

            // Only the weights of linear layers: other tables of two dimensions keep their order.
            bool transposed = shape.Length == 2 && entry.Name.EndsWith(".weight", StringComparison.Ordinal);
            return new PaddleName(map.ToPaddle(entry.Name), entry.Name, transposed ? [shape[1], shape[0]] : shape, transposed);
        });
        return new PaddleNames([.. used, .. map.Idle], map.ToPaddle);
    }

    // One line a network; the order doesn't matter.
    private static KeyMap? Map(VideoNetwork network) => network switch
    {
        Tsn => TsnKeys.For(network),
        PpTsmV2 => PpTsmV2Keys.For(network),
        SlowFast slowFast => SlowFastKeys.For(slowFast),
        _ => null,
    };

    /// <summary>PaddleVideo's path of a layer.</summary>
    /// <param name="layer">Kinora's path, such as "stages.0.1.conv2".</param>
    /// <returns>Such as "backbone.res2b.conv2".</returns>
    public string Layer(string layer) => _translate(layer);

    /// <summary>Copies tensors of PaddleVideo into the network.</summary>
    /// <param name="network">The network that these names were made for.</param>
    /// <param name="tensors">By structured name; every name of <see cref="Tensors"/> that is used, and no others.</param>
    /// <param name="path">The file they come from, for messages.</param>
    /// <exception cref="CheckpointException">A tensor is missing, superfluous or of another shape; all are counted, the first is named.</exception>
    public void Load(VideoNetwork network, IReadOnlyDictionary<string, Tensor> tensors, string? path = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(tensors);
        var known = Tensors.ToDictionary(t => t.Paddle, StringComparer.Ordinal);
        string[] missing = [.. Tensors.Where(t => t.Kinora is not null && !tensors.ContainsKey(t.Paddle)).Select(t => t.Paddle)];
        string[] superfluous = [.. tensors.Keys.Where(k => !known.ContainsKey(k))];
        if (missing.Length + superfluous.Length > 0)
        {
            throw new CheckpointException(
                $"PaddleVideo weights for {network.Name}: {missing.Length} tensors missing{Example(missing)}, {superfluous.Length} without a place{Example(superfluous)}; "
                + "take the weights of this network, or build the network that the weights are of", path);
        }

        using var scope = new TensorScope();
        var state = new List<(string, Tensor)>();
        foreach (PaddleName name in Tensors.Where(t => t.Kinora is not null))
        {
            Tensor value = tensors[name.Paddle];
            if (!value.Shape.SequenceEqual([.. name.Shape]))
            {
                throw new CheckpointException(
                    $"PaddleVideo weights for {network.Name}: {name.Paddle}: expected [{string.Join(", ", name.Shape)}], found [{string.Join(", ", value.Shape.ToArray())}]", path);
            }

            state.Add((name.Kinora!, name.Transposed ? value.Transpose(0, 1).Contiguous() : value));
        }

        network.LoadStateDict(state);

        static string Example(string[] names) => names.Length == 0 ? "" : $" (such as {names[0]})";
    }
}
