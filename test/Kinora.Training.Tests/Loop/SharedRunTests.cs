using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using Kinora.Models;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Training.Tests;

/// <summary>Runs on several ranks, here threads with real connections, against the same run on one.</summary>
[Collection(ComputeTests.Name)]
public sealed class SharedRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(2, 6, 1, false)] // 18 clips: whole batches
    [InlineData(2, 4, 2, false)] // accumulated, and a last batch of 2 of 8
    [InlineData(3, 2, 1, true)]
    public void Run_SharedBatches_TheLossesWeightsAndMetricsOfOneProcess(int size, int each, int accumulate, bool weighted)
    {
        TrainingConfig config = Config(each * size, "whole");
        config = config with { Loop = config.Loop with { Accumulate = accumulate, PreciseBatchNormBatches = 2, WeightAverage = 0.9 } };
        config = weighted ? config with { Loss = config.Loss with { ClassWeights = [1, 3, 0.5] } } : config;
        TrainingOutcome whole = Trainer.Run(config, Options());
        TrainingOutcome[] shared = OnRanks(size, options => Trainer.Run(config with { Name = "shared", Loop = config.Loop with { BatchSize = each } }, options));

        Assert.Equal(config.Loop.Epochs, whole.Epochs.Count);
        foreach (TrainingOutcome outcome in shared)
        {
            Assert.Equal(TrainingEnd.Completed, outcome.End);
            AssertAlike(whole, outcome);
            Assert.Equal((whole.Test!.Clips, whole.Test.Top1), (outcome.Test!.Clips, outcome.Test.Top1));
            Assert.Equal(whole.Test.Answers.Select(a => (a.Index, a.Predicted)), outcome.Test.Answers.Select(a => (a.Index, a.Predicted)));
        }

        AssertCloseTensors(whole.LastCheckpoint, shared[0].LastCheckpoint);
        Assert.True(File.Exists(shared[0].Report));
        Assert.Null(shared[1].Report);
        string[] log = File.ReadAllLines(Path.Combine(shared[0].Plan.RunFolder, "log.txt"));
        Assert.Single(log, line => line.Contains("epoch 1/", StringComparison.Ordinal));
    }

    [Fact]
    public void Run_MutualDistillation_BothNetworksLearnAsOnOneProcess()
    {
        TrainingConfig config = Config(6, "whole");
        config = config with { Distillation = new DistillationConfig { Kind = DistillationKind.Mutual, Teacher = ModelCatalog.DefaultName } };
        TrainingOutcome whole = Trainer.Run(config, Options());
        TrainingOutcome[] shared = OnRanks(2, options => Trainer.Run(config with { Name = "shared", Loop = config.Loop with { BatchSize = 3 } }, options));
        AssertAlike(whole, shared[0]);
        AssertCloseTensors(whole.LastCheckpoint, shared[0].LastCheckpoint);
    }

    [Fact]
    public void Run_UnreadableClips_AllRanksGoOnAndCountTheSame()
    {
        // Sorted by name the damaged clips come first: without luck a whole part of a batch is empty.
        TrainingConfig config = Config(1, "shared", damaged: 3);
        config = config with { Data = config.Data with { FailureBudget = 0.2 } };
        TrainingOutcome[] shared = OnRanks(2, options => Trainer.Run(config, options));
        Assert.All(shared, o => Assert.All(o.Epochs, e => Assert.Equal(3, e.Failures)));
        Assert.Equal(shared[0].Epochs.Select(e => e.TrainLoss), shared[1].Epochs.Select(e => e.TrainLoss));
        Assert.All(shared[0].Epochs, e => Assert.True(double.IsFinite(e.TrainLoss)));

        DatasetException tooMany = Assert.Throws<DatasetException>(() =>
            OnRanks(2, options => Trainer.Run(config with { Name = "strict", Data = config.Data with { FailureBudget = 0.05 } }, options)));
        Assert.Contains("damaged_", tooMany.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resume_CancelledOnOneRankOnly_AllStopTogetherAndGoOnBitForBit()
    {
        TrainingConfig config = Config(3, "whole");
        TrainingOutcome whole = OnRanks(2, options => Trainer.Run(config, options))[0];
        using var source = new CancellationTokenSource();
        int steps = 0;
        var canceller = new Recorder(p =>
        {
            if (p is TrainingProgress.Step && ++steps == 4)
            {
                source.Cancel();
            }
        });
        TrainingOutcome[] cut = OnRanks(2, options =>
            Trainer.Run(config with { Name = "cut" }, options, options.Rendezvous!.Rank == 0 ? canceller : null, options.Rendezvous.Rank == 0 ? source.Token : default));
        Assert.All(cut, o => Assert.Equal(TrainingEnd.Cancelled, o.End));
        TrainingOutcome[] resumed = OnRanks(2, options => Trainer.Resume(cut[0].Plan.RunFolder, options));
        Assert.All(resumed, o => Assert.Equal(TrainingEnd.Completed, o.End));
        Assert.Equal(whole.Epochs.Select(e => (e.TrainLoss, e.ValidationLoss)), resumed[0].Epochs.Select(e => (e.TrainLoss, e.ValidationLoss)));
        AssertCloseTensors(whole.LastCheckpoint, resumed[0].LastCheckpoint, tolerance: 0);
    }

    [Fact]
    public void Resume_AnotherNumberOfProcesses_TheJointBatchStays()
    {
        TrainingConfig config = Config(6, "one");
        TrainingOutcome whole = Trainer.Run(config, Options());
        TrainingOutcome first = Trainer.Run(config with { Name = "parts" }, Options() with { StopAfterEpoch = 1 });
        TrainingOutcome[] second = OnRanks(2, options => Trainer.Resume(first.Plan.RunFolder, options));
        AssertAlike(whole, second[0]);
        CheckpointException odd = Assert.Throws<CheckpointException>(() => OnRanks(4, options => Trainer.Resume(first.Plan.RunFolder, options)));
        Assert.Contains("batches of 6", odd.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_ClipsDiffer_BothRanksSayWhich()
    {
        TrainingConfig config = Config(6, "run");
        string other = ColourClips.Create(_folder["other"], train: 5);
        (TrainingOutcome?[] _, Exception?[] failures) = TryOnRanks(2, options => Trainer.Run(config, options with
        {
            Splits = options.Rendezvous!.Rank == 0 ? null : Data.DatasetFolder.Load(other),
        }));
        Assert.All(failures, f => Assert.Contains("expected the same clips everywhere", Assert.IsType<DistributedException>(f).Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Run_RankZeroCannotStart_TheOthersSayWhy()
    {
        TrainingConfig config = Config(6, "run") with { Data = new DataConfig { Path = _folder["nowhere"] } };
        (TrainingOutcome?[] _, Exception?[] failures) = TryOnRanks(2, options => Trainer.Run(config, options));
        Assert.IsType<DatasetException>(failures[0]);
        Assert.Contains("rank 0 had stopped: ", Assert.IsType<DistributedException>(failures[1]).Message, StringComparison.Ordinal);
    }

    private sealed class Recorder(Action<TrainingProgress> act) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => act(value);
    }

    private static TrainingOutcome[] OnRanks(int size, Func<TrainerOptions, TrainingOutcome> run)
    {
        (TrainingOutcome?[] outcomes, Exception?[] failures) = TryOnRanks(size, run);
        Exception? failure = failures.FirstOrDefault(f => f is not null and not DistributedException) ?? failures.FirstOrDefault(f => f is not null);
        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        return outcomes!;
    }

    private static (TrainingOutcome?[] Outcomes, Exception?[] Failures) TryOnRanks(int size, Func<TrainerOptions, TrainingOutcome> run)
    {
        int port = FreePort();
        var outcomes = new TrainingOutcome?[size];
        var failures = new Exception?[size];
        Thread[] threads = [.. Enumerable.Range(0, size).Select(rank => new Thread(() =>
        {
            try
            {
                outcomes[rank] = run(Options() with { Rendezvous = new Rendezvous(rank, size, rank, "127.0.0.1", port) });
            }
            catch (Exception e)
            {
                failures[rank] = e;
            }
        }))];
        Array.ForEach(threads, t => t.Start());
        Assert.All(threads, t => Assert.True(t.Join(TimeSpan.FromSeconds(120)), "a rank hangs"));
        return (outcomes, failures);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private TrainingConfig Config(int batchSize, string name, int damaged = 0) => new()
    {
        Name = name,
        Output = _folder["runs"],
        Threads = 1,
        Data = new DataConfig { Path = ColourClips.Create(_folder["clips"], validation: 1, damaged: damaged), Workers = 1 },
        Model = new ModelConfig { Pretrained = false, Frames = 2, Size = 32 },
        Loop = new LoopConfig { Epochs = 2, BatchSize = batchSize, Precision = Precision.Fp64 },
        Optimizer = new OptimizerConfig { LearningRate = 0.05 },
    };

    private static TrainerOptions Options() => new() { Probe = false, NetworkFactory = TinyNetwork.Create };

    private static void AssertAlike(TrainingOutcome expected, TrainingOutcome actual)
    {
        Assert.Equal(expected.Epochs.Count, actual.Epochs.Count);
        foreach ((EpochRecord a, EpochRecord b) in expected.Epochs.Zip(actual.Epochs))
        {
            Assert.Equal(a.TrainLoss, b.TrainLoss, 1e-9);
            Assert.Equal(a.ValidationLoss!.Value, b.ValidationLoss!.Value, 1e-6); // scores leave the network as float32
            Assert.Equal((a.TrainTop1, a.ValidationTop1, a.LearningRate, a.Failures), (b.TrainTop1, b.ValidationTop1, b.LearningRate, b.Failures));
        }

        Assert.Equal(expected.BestEpoch, actual.BestEpoch);
    }

    private static void AssertCloseTensors(string expectedPath, string actualPath, double tolerance = 1e-9)
    {
        using var scope = new TensorScope();
        using SafetensorsFile expected = SafetensorsFile.Open(expectedPath), actual = SafetensorsFile.Open(actualPath);
        Assert.Equal(expected.Entries.Select(e => e.Name).Order(), actual.Entries.Select(e => e.Name).Order());
        foreach (SafetensorsEntry entry in expected.Entries)
        {
            double[] a = expected.Read(entry.Name).ToArray<double>(), b = actual.Read(entry.Name).ToArray<double>();
            for (int i = 0; i < a.Length; i++)
            {
                Assert.True(Math.Abs(a[i] - b[i]) <= tolerance, $"{entry.Name}[{i}]: {a[i]:R} and {b[i]:R}");
            }
        }
    }
}
