using Kinora.Data;
using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>How a configuration's run will read and vary its clips, without starting it.</summary>
public static class TrainingPreview
{
    /// <summary>The clips that a run of a configuration would have.</summary>
    /// <param name="config">Folder or list files.</param>
    /// <returns>The clips of training, validation and, where there are any, test.</returns>
    /// <exception cref="ConfigException">Values out of range, or lists that don't fit them.</exception>
    /// <exception cref="DatasetException">Folder or lists can't be read.</exception>
    public static DatasetSplits Splits(TrainingConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        return Planner.LoadSplits(config, []);
    }

    /// <summary>The options of the loader of training batches, as a run on one process has them.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="splits">The clips, as <see cref="Splits"/> gives them.</param>
    /// <returns>Frames, size, variation, mirrored labels, mixing and seed of the run; no cache.</returns>
    /// <exception cref="ConfigException">Values out of range, an unknown network, or an input that it isn't built for.</exception>
    /// <remarks>The network's layers are laid out to ask for its input, without memory for weights. Loads libtorch.</remarks>
    public static ClipLoaderOptions Options(TrainingConfig config, DatasetSplits splits)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(splits);
        config.Validate();
        config = Planner.FillIn(config, splits.Train.Samples.Count, processes: 1);
        using IDisposable shapes = ShapesOnly.Enable();
        using VideoNetwork network = ModelCatalog.CreateBlank(config.Model.Name, Planner.NetworkOptions(config, splits.Train.Labels.Count));
        return Planner.TrainingLoader(config, splits, network);
    }
}
