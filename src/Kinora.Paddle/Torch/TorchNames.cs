using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Paddle;

/// <summary>One tensor under its name in a PyTorch file and under Kinora's; neither is transposed.</summary>
/// <param name="File">The name in the file; where the file hasn't got the tensor, the name it would usually have.</param>
/// <param name="Kinora">Kinora's name.</param>
/// <param name="Shape">The shape in both.</param>
public sealed record TorchName(string File, string Kinora, IReadOnlyList<long> Shape);

/// <summary>The tensors of one network under the names of a PyTorch state dictionary, and the way to load them.</summary>
/// <remarks>
/// State dictionaries are given as safetensors; Kinora reads no pickles of PyTorch's. Whatever the network was wrapped in
/// when it was saved ("module.", "model." and so on) is found from the file's names.
/// </remarks>
public sealed class TorchNames
{
    // How many batches a batch norm has seen: PyTorch counts, with a fixed momentum nobody reads it.
    private const string BatchCount = "num_batches_tracked";

    private TorchNames(TorchSource source, IReadOnlyList<TorchName> tensors, IReadOnlyList<string> ignorable) =>
        (Source, Tensors, Ignorable) = (source, tensors, ignorable);

    /// <summary>Whose names they are.</summary>
    public TorchSource Source { get; }

    /// <summary>All tensors of the network, in its order, whether the file has them or not.</summary>
    public IReadOnlyList<TorchName> Tensors { get; }

    /// <summary>Names in the file that belong to the network and hold nothing that it needs.</summary>
    public IReadOnlyList<string> Ignorable { get; }

    /// <summary>Whether PyTorch files of this network can be read.</summary>
    /// <param name="network">Any network.</param>
    /// <returns>True if <see cref="For"/> knows names for it.</returns>
    public static bool Supports(VideoNetwork network) => Dialects(network).Count > 0;

    /// <summary>Finds out how a file calls the tensors of a network.</summary>
    /// <param name="network">A network that PyTorch files exist of.</param>
    /// <param name="fileKeys">All names in the file.</param>
    /// <param name="path">The file, for messages.</param>
    /// <returns>The names.</returns>
    /// <exception cref="ConfigException">No PyTorch files of this network are known.</exception>
    /// <exception cref="CheckpointException">None of the network's tensors is in the file.</exception>
    public static TorchNames For(VideoNetwork network, IReadOnlyCollection<string> fileKeys, string? path = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(fileKeys);
        IReadOnlyList<TorchDialect> dialects = Dialects(network);
        if (dialects.Count == 0)
        {
            throw new ConfigException($"PyTorch names: expected a network that mmaction2, torchvision, PySlowFast or pytorchvideo has too, found {network.Name}", path);
        }

        return Find(network, fileKeys) ?? throw new CheckpointException(
            $"PyTorch names of {network.Name}: expected {string.Join(" or ", dialects.Select(d => $"{d.Candidates(network.StateDict().First().Name)[0]} ({d.Source})"))} among the file's names, "
            + $"found {string.Join(", ", fileKeys.Take(3))}{(fileKeys.Count > 3 ? $" and {fileKeys.Count - 3} more" : "")}; {Hint(network, fileKeys)}", path);
    }

    /// <summary>As <see cref="For"/>, where the file may be something else.</summary>
    /// <param name="network">Any network.</param>
    /// <param name="fileKeys">All names in the file.</param>
    /// <returns>The names; null where no PyTorch files of the network are known or this isn't one.</returns>
    public static TorchNames? Find(VideoNetwork network, IReadOnlyCollection<string> fileKeys)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(fileKeys);
        IReadOnlyList<TorchDialect> dialects = Dialects(network);
        if (dialects.Count == 0)
        {
            return null;
        }

        (string Name, long[] Shape)[] own = [.. network.StateDict().Select(t => (t.Name, t.Value.Shape.ToArray()))];
        var keys = fileKeys.ToHashSet(StringComparer.Ordinal);
        (TorchDialect dialect, string prefix, int found) = dialects
            .SelectMany(d => Prefixes(d.Candidates(own[0].Name), fileKeys).Select(p => (d, p, own.Count(t => Present(d, p, t.Name, keys) is not null))))
            .OrderByDescending(c => c.Item3)
            .ThenBy(c => c.p.Length)
            .FirstOrDefault((dialects[0], "", 0));
        if (found == 0)
        {
            return null;
        }

        return new TorchNames(
            dialect.Source,
            [.. own.Select(t => new TorchName(Present(dialect, prefix, t.Name, keys) ?? prefix + dialect.Candidates(t.Name)[0], t.Name, t.Shape))],
            [.. fileKeys.Where(k => k.StartsWith(prefix, StringComparison.Ordinal) && k.EndsWith(BatchCount, StringComparison.Ordinal))]);
    }

    // One line a network; the order doesn't matter.
    private static IReadOnlyList<TorchDialect> Dialects(VideoNetwork network) => network switch
    {
        Tsn or Tsm => TorchTsnKeys.Dialects,
        SlowFast slowFast => TorchSlowFastKeys.Dialects(slowFast),
        Csn => TorchCsnKeys.Dialects(network),
        _ => [],
    };

    /// <summary>Copies tensors of a PyTorch file into the network.</summary>
    /// <param name="network">The network that these names were made for.</param>
    /// <param name="tensors">By name in the file: every name of <see cref="Tensors"/>, and no others but <see cref="Ignorable"/>.</param>
    /// <param name="path">The file they come from, for messages.</param>
    /// <exception cref="CheckpointException">A tensor is missing, superfluous or of another shape; all are counted, the first is named.</exception>
    public void Load(VideoNetwork network, IReadOnlyDictionary<string, Tensor> tensors, string? path = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(tensors);
        var known = Tensors.Select(t => t.File).Concat(Ignorable).ToHashSet(StringComparer.Ordinal);
        string[] missing = [.. Tensors.Where(t => !tensors.ContainsKey(t.File)).Select(t => t.File)];
        string[] superfluous = [.. tensors.Keys.Where(k => !known.Contains(k))];
        if (missing.Length + superfluous.Length > 0)
        {
            throw new CheckpointException(
                $"PyTorch weights for {network.Name}: {missing.Length} tensors missing{Example(missing)}, {superfluous.Length} without a place{Example(superfluous)}; "
                + "take the weights of this network, or build the network that the weights are of", path);
        }

        var state = new List<(string, Tensor)>();
        foreach (TorchName name in Tensors)
        {
            Tensor value = tensors[name.File];
            if (!value.Shape.SequenceEqual([.. name.Shape]))
            {
                throw new CheckpointException(
                    $"PyTorch weights for {network.Name}: {name.File}: expected [{string.Join(", ", name.Shape)}], found [{string.Join(", ", value.Shape.ToArray())}]", path);
            }

            state.Add((name.Kinora, value));
        }

        network.LoadStateDict(state);

        static string Example(string[] names) => names.Length == 0 ? "" : $" (such as {names[0]})";
    }

    // What may stand before the names of a dialect: whatever stands before its first tensor.
    private static IEnumerable<string> Prefixes(IReadOnlyList<string> first, IReadOnlyCollection<string> keys) => keys
        .SelectMany(key => first
            .Where(name => key == name || key.EndsWith("." + name, StringComparison.Ordinal))
            .Select(name => key[..^name.Length]))
        .Distinct(StringComparer.Ordinal);

    private static string? Present(TorchDialect dialect, string prefix, string name, HashSet<string> keys) =>
        dialect.Candidates(name).Select(candidate => prefix + candidate).FirstOrDefault(keys.Contains);

    // mmaction2's SlowFast isn't everybody's, and the names are the first that one sees of it.
    private static string Hint(VideoNetwork network, IReadOnlyCollection<string> keys)
    {
        bool twoPaths = keys.Any(k => k.Contains("slow_path.", StringComparison.Ordinal));
        return network is SlowFast && twoPaths
            ? $"the file is mmaction2's, whose form of the network is another: build {network.Name}_mm"
            : "take the weights of this network, or build the network that the weights are of";
    }
}
