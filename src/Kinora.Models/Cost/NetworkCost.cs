using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>What one clip costs a network, in all and layer by layer.</summary>
/// <param name="Network">The whole network and, below it, its layers.</param>
/// <param name="Input">Shape of the clip, [1, T, 3, H, W].</param>
/// <param name="Uncounted">Operators that compute something and aren't counted, with how often they were called.</param>
/// <remarks>
/// Counted are the multiply-adds of convolutions, linear layers and matrix products, each as one, as the tables of the
/// field do under the name of FLOPs (ResNet-50: 4.1 G for an image of 224 × 224). Not counted are biases, normalisations,
/// activations, poolings, softmaxes and sums, which take time but little of it.
/// </remarks>
public sealed record NetworkCost(LayerCost Network, IReadOnlyList<long> Input, IReadOnlyDictionary<string, int> Uncounted)
{
    /// <summary>
    /// Values that the operators of one clip put out, without those that overwrite or only move others: training keeps about as
    /// many until the backward pass.
    /// </summary>
    public long Activations { get; init; }

    /// <summary>Multiply-adds of one clip.</summary>
    public long MultiplyAdds => Network.MultiplyAdds;

    /// <summary>Multiply-adds of one clip in units of 10⁹, as papers state them.</summary>
    public double GigaFlops => MultiplyAdds / 1e9;

    /// <summary>Trained values.</summary>
    public long Parameters => Network.Parameters;

    /// <summary>Counts what a network of the catalogue costs.</summary>
    /// <param name="name">Catalogue name.</param>
    /// <param name="options">Classes, frames, size.</param>
    /// <param name="merged">Counts the network as it is exported: with its training-time branches merged.</param>
    /// <returns>The cost of one clip of the network's frames and size.</returns>
    /// <exception cref="ConfigException">Unknown name, or an option is out of range.</exception>
    public static NetworkCost Measure(string name, ModelOptions options, bool merged = false) =>
        Measure(() => ModelCatalog.Create(name, options), merged);

    /// <summary>Counts what a network costs.</summary>
    /// <param name="build">Builds it; the network gets no values and is disposed of.</param>
    /// <param name="merged">Counts the network as it is exported: with its training-time branches merged.</param>
    /// <returns>The cost of one clip of the network's frames and size.</returns>
    /// <remarks>
    /// One forward pass is recorded in which operators work out shapes only, so the largest network takes milliseconds
    /// and next to no memory, and the count is exact.
    /// </remarks>
    public static NetworkCost Measure(Func<VideoNetwork> build, bool merged = false)
    {
        ArgumentNullException.ThrowIfNull(build);
        using var scope = new TensorScope();
        using IDisposable shapes = ShapesOnly.Enable();
        using IDisposable noGrad = Grad.Disable();
        using VideoNetwork network = build();
        if (merged)
        {
            network.Reparameterize();
        }

        network.Eval();
        var meter = new LayerMeter("", network, parent: null);
        using Recording recording = Recording.Start();
        Dictionary<int, LayerMeter> owners = meter.Bind(recording);
        Tensor clip = Tensor.Zeros([1, network.Frames, 3, network.Size, network.Size]);
        meter.Output = network.Forward(clip).Shape.ToArray();
        recording.Stop();
        long activations = recording.Calls.Where(OperatorCost.IsArithmetic)
            .Sum(call => call.Outputs.Except(call.Arguments.Select(a => a.TensorId)).Sum(id => recording.Tensor(id).Count));
        IReadOnlyDictionary<string, int> uncounted = Count(recording, owners, meter);
        return new NetworkCost(meter.ToCost(), clip.Shape.ToArray(), uncounted) { Activations = activations };
    }

    // A call belongs to the layer whose parameter it takes. One that takes none (the products inside an attention)
    // belongs to the innermost layer that has calls both before and after it.
    private static Dictionary<string, int> Count(Recording recording, Dictionary<int, LayerMeter> owners, LayerMeter root)
    {
        var uncounted = new Dictionary<string, int>();
        var homeless = new List<(int Time, long MultiplyAdds)>();
        for (int time = 0; time < recording.Calls.Count; time++)
        {
            RecordedCall call = recording.Calls[time];
            int[] operands = [.. call.Arguments.SelectMany(a => a.Kind == RecordedKind.Tensors ? a.TensorIds : [a.TensorId]).Where(id => id >= 0)];
            LayerMeter? owner = null;
            foreach (int id in operands)
            {
                if (owners.TryGetValue(id, out LayerMeter? layer))
                {
                    owner ??= layer;
                    layer.Called(time);
                }
            }

            // What is computed from parameters alone is as good as a parameter: a reshaped weight, say.
            if (owner is not null && operands.All(owners.ContainsKey))
            {
                foreach (int output in call.Outputs)
                {
                    _ = owners.TryAdd(output, owner);
                }
            }

            if (OperatorCost.MultiplyAdds(call, recording) is long count)
            {
                if (owner is null)
                {
                    homeless.Add((time, count));
                }

                owner?.Add(count);
            }
            else if (OperatorCost.IsArithmetic(call))
            {
                string name = OperatorCost.ShortName(call);
                uncounted[name] = uncounted.GetValueOrDefault(name) + 1;
            }
        }

        foreach ((int time, long count) in homeless)
        {
            root.Innermost(time).Add(count);
        }

        return uncounted;
    }
}
