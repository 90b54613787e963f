using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Paddle;

/// <summary>One tensor under both its names.</summary>
/// <param name="Paddle">PaddleVideo's structured name.</param>
/// <param name="Kinora">Kinora's name; null for a tensor that PaddleVideo stores but never uses.</param>
/// <param name="Shape">The shape in PaddleVideo's files.</param>
/// <param name="Transposed">Whether the two axes are exchanged: PaddleVideo stores linear weights as [in, out].</param>
/// <param name="IsTrained">Whether it is a parameter rather than a buffer.</param>
public sealed record PaddleName(string Paddle, string? Kinora, IReadOnlyList<long> Shape, bool Transposed, bool IsTrained = true);

/// <summary>The tensors of one network under PaddleVideo's structured names, and the way to load them.</summary>
public sealed class PaddleNames
{
    private readonly KeyMap _map;

    private PaddleNames(IReadOnlyList<PaddleName> tensors, KeyMap map)
    {
        Tensors = tensors;
        _map = map;
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
        var buffers = network.NamedBuffers().Select(b => b.Name).ToHashSet(StringComparer.Ordinal);
        IEnumerable<PaddleName> used = network.StateDict().Select(entry =>
        {
            long[] shape = [.. entry.Value.Shape];

            // Only the weights of linear layers: other tables of two dimensions keep their order.
            bool transposed = shape.Length == 2 && entry.Name.EndsWith(".weight", StringComparison.Ordinal);
            return new PaddleName(map.ToPaddle(entry.Name), entry.Name, transposed ? [shape[1], shape[0]] : shape, transposed, !buffers.Contains(entry.Name));
        });
        return new PaddleNames([.. used, .. map.Idle], map);
    }

    // One line a network; the order doesn't matter.
    private static KeyMap? Map(VideoNetwork network) => network switch
    {
        Tsn or Tsm => ResNetKeys.For(network),
        PpTsn or PpTsm => ResNetVdKeys.For(network),
        PpTsmV2 => PpTsmV2Keys.For(network),
        PpTsmMobileNetV2 => PpTsmMobileNetV2Keys.For(network),
        PpTsmMobileNetV3 => PpTsmMobileNetV3Keys.For(network),
        MoViNet => MoViNetKeys.For(network),
        TimeSformer => TimeSformerKeys.For(network),
        VideoSwin => VideoSwinKeys.For(network),
        SlowFast slowFast => SlowFastKeys.For(slowFast),
        _ => null,
    };

    /// <summary>PaddleVideo's path of a layer.</summary>
    /// <param name="layer">Kinora's path, such as "stages.0.1.conv2".</param>
    /// <returns>Such as "backbone.res2b.conv2".</returns>
    public string Layer(string layer) => _map.ToPaddle(layer);

    /// <summary>The value of a tensor that PaddleVideo stores idly, for files that are to look like its own.</summary>
    /// <param name="idle">A tensor without a name of Kinora's.</param>
    /// <returns>New tensor, or null where the value isn't known: files are then written without it.</returns>
    internal Tensor? IdleValue(PaddleName idle) => _map.IdleValue?.Invoke(idle);

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

        PaddleName[] used = [.. Tensors.Where(t => t.Kinora is not null)];
        foreach (PaddleName name in used)
        {
            Tensor value = tensors[name.Paddle];
            if (!value.Shape.SequenceEqual([.. name.Shape]))
            {
                throw new CheckpointException(
                    $"PaddleVideo weights for {network.Name}: {name.Paddle}: expected [{string.Join(", ", name.Shape)}], found [{string.Join(", ", value.Shape.ToArray())}]", path);
            }
        }

        // One by one: a second copy of all weights may be half a gigabyte.
        using IDisposable noGrad = Grad.Disable();
        var state = network.StateDict().ToDictionary(entry => entry.Name, entry => entry.Value, StringComparer.Ordinal);
        foreach (PaddleName name in used)
        {
            using var scope = new TensorScope();
            Tensor value = tensors[name.Paddle];
            state[name.Kinora!].CopyFrom(name.Transposed ? value.Transpose(0, 1) : value);
        }

        static string Example(string[] names) => names.Length == 0 ? "" : $" (such as {names[0]})";
    }
}
