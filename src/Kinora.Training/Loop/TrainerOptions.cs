using Kinora.Data;
using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>What surrounds a run: nothing here belongs into a configuration file.</summary>
public sealed record TrainerOptions
{
    /// <summary>The clock. Times are for people only; nothing learned depends on them, but for the number of epochs where the plan chooses it.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Stop, resumable, after this epoch (from 1). Null: run to the end.</summary>
    public int? StopAfterEpoch { get; init; }

    /// <summary>Say where time and memory went: <see cref="TrainingOutcome.Profile"/>, log.txt and metrics.jsonl. It costs nothing to speak of.</summary>
    public bool Profile { get; init; }

    /// <summary>Decoding threads in place of <see cref="DataConfig.Workers"/>; null: those. What is learned doesn't depend on them.</summary>
    public int? Workers { get; init; }

    /// <summary>Measure a few steps for the plan's time estimate.</summary>
    public bool Probe { get; init; } = true;

    /// <summary>What is set anew when a run goes on; see <see cref="ResumedSettings"/>.</summary>
    public IReadOnlyList<ConfigSetting> Changes { get; init; } = [];

    /// <summary>Clips to use in place of those that <see cref="TrainingConfig.Data"/> names, such as one fold of a cross-validation.</summary>
    public DatasetSplits? Splits { get; init; }

    /// <summary>Facts to store in checkpoints beside Kinora's own, such as a source revision.</summary>
    public IReadOnlyDictionary<string, string> Provenance { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Takes over what fits a network from the file in <see cref="ModelConfig.Weights"/>; null reads Kinora's own checkpoints. The
    /// command line puts a reader here that knows other people's files too.
    /// </summary>
    public Func<VideoNetwork, string, LoadReport>? StartWeights { get; init; }

    /// <summary>Who this process is among those that share the run; null: it has the run for itself.</summary>
    public Rendezvous? Rendezvous { get; init; }

    /// <summary>Where the network computes: auto, cpu, cuda or cuda:N (<see cref="Tensors.Device.Parse"/>).</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Processes that share the run.</summary>
    internal int Processes { get; init; } = 1;

    /// <summary>The name was settled by another process: the run's folder may be there already.</summary>
    internal bool KeepName { get; init; }

    /// <summary>Builds networks in place of the catalogue, for tests of the loop.</summary>
    internal Func<string, ModelOptions, VideoNetwork>? NetworkFactory { get; init; }
}
