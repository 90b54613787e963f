using System.Globalization;
using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Paddle;

/// <summary>A network's state as PaddleVideo's recogniser would save it.</summary>
public static class PaddleStateDict
{
    /// <summary>Lists the tensors to be written, with PaddleVideo's names and shapes.</summary>
    /// <param name="network">A network that PaddleVideo has too; it must outlive the writing.</param>
    /// <returns>
    /// All tensors that the network uses and those that PaddleVideo stores idly where their values are known. Internal
    /// names are made up by PaddlePaddle's rule (a kind of layer, a number, a letter); only their difference matters.
    /// </returns>
    /// <exception cref="ConfigException">PaddleVideo has no such network.</exception>
    public static IReadOnlyList<PaddleParameter> Of(VideoNetwork network)
    {
        ArgumentNullException.ThrowIfNull(network);
        PaddleNames names = PaddleNames.For(network);
        var state = network.StateDict().ToDictionary(t => t.Name, t => t.Value, StringComparer.Ordinal);
        PaddleName[] tensors = [.. names.Tensors.Where(t => t.Kinora is not null || names.IdleValue(t) is not null)];
        string[] parameters = ParameterNames(tensors);
        return
        [
            .. tensors.Select((tensor, i) => new PaddleParameter(tensor.Paddle, parameters[i], () =>
            {
                if (tensor.Kinora is null)
                {
                    return names.IdleValue(tensor)!;
                }

                Tensor value = state[tensor.Kinora].Detach();
                return tensor.Transposed ? value.Transpose(0, 1) : value;
            })),
        ];
    }

    private static string[] ParameterNames(PaddleName[] tensors)
    {
        var layers = tensors.GroupBy(t => Layer(t.Paddle)).ToDictionary(g => g.Key, g => g.ToArray(), StringComparer.Ordinal);
        bool volumes = tensors.Any(t => t.Shape.Count == 5);
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var prefixes = new Dictionary<string, string>(StringComparer.Ordinal);
        return [.. tensors.Select(Name)];

        string Name(PaddleName tensor)
        {
            string layer = Layer(tensor.Paddle), last = tensor.Paddle[(tensor.Paddle.LastIndexOf('.') + 1)..];
            bool norm = layers[layer].Any(t => t.Paddle.EndsWith("._mean", StringComparison.Ordinal));
            (string kind, string part) = (last, tensor.Shape.Count) switch
            {
                ("weight" or "bias", _) when norm => (volumes ? "batch_norm3d" : "batch_norm2d", last == "weight" ? "w_0" : "b_0"),
                ("_mean", _) => (volumes ? "batch_norm3d" : "batch_norm2d", "w_1"),
                ("_variance", _) => (volumes ? "batch_norm3d" : "batch_norm2d", "w_2"),
                ("weight" or "bias", _) => (Kind(layers[layer]), last == "weight" ? "w_0" : "b_0"),
                _ => ("create_parameter", "w_0"),
            };

            // A parameter that is no layer's has a number of its own.
            string owner = kind == "create_parameter" ? tensor.Paddle : layer;
            if (!prefixes.TryGetValue(owner, out string? prefix))
            {
                int number = counts.GetValueOrDefault(kind);
                counts[kind] = number + 1;
                prefixes[owner] = prefix = string.Create(CultureInfo.InvariantCulture, $"{kind}_{number}");
            }

            return $"{prefix}.{part}";
        }

        static string Kind(PaddleName[] layer) => layer.FirstOrDefault(t => t.Paddle.EndsWith(".weight", StringComparison.Ordinal))?.Shape.Count switch
        {
            5 => "conv3d",
            4 => "conv2d",
            2 => "linear",
            1 => "layer_norm",
            _ => "layer",
        };

        static string Layer(string name) => name[..Math.Max(name.LastIndexOf('.'), 0)];
    }
}
