using Kinora.Testing;

namespace Kinora.Training.Tests;

/// <summary>A run of seconds on <see cref="ColourClips"/>, for a <see cref="TinyNetwork"/>.</summary>
internal static class TinyRun
{
    /// <summary>Three epochs of small batches; the clips are made on the first call.</summary>
    /// <param name="folder">Receives clips and runs.</param>
    public static TrainingConfig Config(TemporaryFolder folder)
    {
        string clips = folder["clips"];
        return new TrainingConfig
        {
            Output = folder["runs"],
            Threads = 1,
            Data = new DataConfig { Path = Directory.Exists(clips) ? clips : ColourClips.Create(clips) },
            Model = new ModelConfig { Pretrained = false, Frames = 2, Size = 32 },
            Loop = new LoopConfig { Epochs = 3, BatchSize = 4 },
            Optimizer = new OptimizerConfig { LearningRate = 0.05 },
        };
    }
}
