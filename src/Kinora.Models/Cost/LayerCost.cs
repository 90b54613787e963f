namespace Kinora.Models;

/// <summary>What a part of a network costs for one clip.</summary>
/// <param name="Name">Full name of the module, such as "stages.0.1.conv1"; empty for the network itself.</param>
/// <param name="Kind">Its type, such as "Conv2d".</param>
/// <param name="Output">Shape of its last output for one clip; null where it has none of its own, as a list of modules.</param>
/// <param name="Parameters">Trained values in it and below.</param>
/// <param name="MultiplyAdds">Multiply-adds in it and below.</param>
/// <param name="Children">Its parts, in order of registration.</param>
public sealed record LayerCost(
    string Name, string Kind, IReadOnlyList<long>? Output, long Parameters, long MultiplyAdds, IReadOnlyList<LayerCost> Children)
{
    /// <summary>This layer and everything below.</summary>
    /// <returns>Parents before children, each with its depth below this layer.</returns>
    public IEnumerable<(LayerCost Layer, int Depth)> Flatten()
    {
        yield return (this, 0);
        foreach (LayerCost child in Children)
        {
            foreach ((LayerCost layer, int depth) in child.Flatten())
            {
                yield return (layer, depth + 1);
            }
        }
    }
}
