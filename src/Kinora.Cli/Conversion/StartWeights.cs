using Kinora.Models;
using Kinora.Paddle;
using Kinora.Tensors;
using Kinora.Training;

namespace Kinora.Cli.Conversion;

/// <summary>Reads the weights that a training starts from: Kinora's checkpoints, PaddleVideo's files, PyTorch's as safetensors.</summary>
internal static class StartWeights
{
    // A file of images or of other classes lacks a few layers; one that lacks half is of another network.
    private const double LeastShare = 0.5;

    /// <summary>Takes over every tensor that fits; what is missing keeps its initial value.</summary>
    /// <param name="network">The network.</param>
    /// <param name="path">A run folder, a checkpoint, a .pdparams file or a .safetensors file of PyTorch's names.</param>
    /// <returns>What became of each tensor.</returns>
    /// <exception cref="CheckpointException">No such file, or weights of another network.</exception>
    public static LoadReport Load(VideoNetwork network, string path)
    {
        if (Directory.Exists(path))
        {
            return Checkpoint.LoadMatching(network, Checkpoint.Read(path).Path!);
        }

        if (!File.Exists(path))
        {
            throw new CheckpointException("start weights: expected a checkpoint, a run folder or a .pdparams file, found nothing; with a PaddleVideo recipe, -o MODEL.backbone.pretrained='' starts without", path);
        }

        bool paddle = Path.GetExtension(path).Equals(".pdparams", StringComparison.OrdinalIgnoreCase);
        if (!paddle && IsKinora(path))
        {
            return Checkpoint.LoadMatching(network, path);
        }

        var rules = new LoadRules { AllowMissing = ["*"], AllowUnused = ["*"] };
        using WeightSource source = paddle ? PaddleWeights.Open(path) : SafetensorsWeights.Open(path);
        LoadReport report = WeightLoader.Compare(network, source, Names, rules);
        int wanted = report.Matched.Count + report.Missing.Count + report.Misshapen.Count;
        return report.Matched.Count >= LeastShare * wanted
            ? WeightLoader.Load(network, source, Names, rules)
            : throw new CheckpointException($"start weights: expected the tensors of {network.Name}, found {report.Matched.Count} of its {wanted}; are they of another network?", path);
    }

    private static bool IsKinora(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return file.Metadata.ContainsKey(Checkpoint.ClipSpecKey);
    }

    private static IReadOnlyList<WeightNaming> Names(VideoNetwork network, IReadOnlyList<WeightInfo> tensors) =>
        [.. TorchNaming.For(network, tensors), .. PaddleNaming.For(network, tensors), WeightNaming.Kinora(network)];
}
