using System.Globalization;
using Kinora;
using Kinora.Models;
using Kinora.Tensors;
using Kinora.Training;
using Kinora.Training.Tests;

// A training as a process of its own, so that tests can kill it.
//   Kinora.TrainingHost RUN-FOLDER CLIPS EPOCHS WORKERS
// Says "ready" once everything slow is loaded and waits for a line "go LIMIT". Then it starts the run, or goes on with it,
// and says a word for everything that happens; after LIMIT words it stands still until it is killed. At the end: "completed".
string run = args[0], clips = args[1];
int epochs = int.Parse(args[2], CultureInfo.InvariantCulture), workers = int.Parse(args[3], CultureInfo.InvariantCulture);
var config = new TrainingConfig
{
    Name = Path.GetFileName(run),
    Output = Path.GetDirectoryName(run)!,
    Threads = 1,
    Data = new DataConfig { Path = clips },
    Model = new ModelConfig { Pretrained = false, Frames = 2, Size = 32 },
    Loop = new LoopConfig { Epochs = epochs, BatchSize = 4, WeightAverage = 0.9, PreciseBatchNormBatches = 2 },
    Optimizer = new OptimizerConfig { LearningRate = 0.05 },
    Checkpoints = new CheckpointConfig { EverySteps = 2, EveryEpochs = 2, Keep = 2, LogEverySteps = 1 },
};
var options = new TrainerOptions { Probe = false, Workers = workers, NetworkFactory = TinyNetwork.Create };
Torch.Threads = 1;
using (var network = new TinyNetwork(new ModelOptions(3)))
{
    Console.WriteLine("ready");
}

int limit = int.Parse((Console.ReadLine() ?? "go 0").Split(' ')[1], CultureInfo.InvariantCulture);
var progress = new Words(limit);
try
{
    bool begun = File.Exists(Path.Combine(run, "config.yaml"));
    TrainingOutcome outcome = begun ? Trainer.Resume(run, options, progress) : Trainer.Run(config, options, progress);
    Console.WriteLine(outcome.End == TrainingEnd.Completed ? "completed" : "ended");
    return 0;
}
catch (KinoraException e)
{
    await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
    return 1;
}

internal sealed class Words(int limit) : IProgress<TrainingProgress>
{
    private int _said;

    public void Report(TrainingProgress value)
    {
        Console.WriteLine(value.GetType().Name);
        if (++_said >= limit)
        {
            Thread.Sleep(Timeout.Infinite);
        }
    }
}
