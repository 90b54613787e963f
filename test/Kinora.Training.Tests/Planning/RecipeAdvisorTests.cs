using Kinora.Data;

namespace Kinora.Training.Tests;

/// <summary>Each piece of advice comes where it applies, and nowhere else.</summary>
public sealed class RecipeAdvisorTests
{
    private static readonly TrainingConfig Fitting = new()
    {
        Model = new ModelConfig { Frames = 8, Size = 112 },
        Loop = new LoopConfig { Epochs = 10, BatchSize = 8 },
        Optimizer = new OptimizerConfig { LearningRate = 0.01 },
        Schedule = new ScheduleConfig { WarmupEpochs = 1 },
    };

    private static readonly AdvisedRun Run = new() { TrainPerClass = [40, 40, 40], TrainClips = 120, ValidationClips = 60, StepsPerEpoch = 15, FrameCounts = [8, 30] };

    [Fact]
    public void Advise_AllFits_Nothing() => Assert.Empty(RecipeAdvisor.Advise(Fitting, Run));

    [Fact]
    public void Advise_BatchLargerThanTheClips_LargestThatIsFilled()
    {
        TrainingConfig config = Fitting with { Loop = Fitting.Loop with { BatchSize = 64 } };
        Assert.Empty(RecipeAdvisor.Advise(config, Run));
        Assert.Empty(RecipeAdvisor.Advise(Fitting with { Loop = Fitting.Loop with { BatchSize = 120 } }, Run));
        Says(config, Run with { Processes = 2 }, "a step takes 64 × 2 processes = 128 clips, but there are only 120 for training", "loop.batchSize=60");
        Says(Fitting with { Loop = Fitting.Loop with { BatchSize = 121 } }, Run, "a step takes 121 clips", "loop.batchSize=120");
    }

    [Fact]
    public void Advise_OtherBatchThanTheRecipes_FactorAndOption()
    {
        TrainingConfig config = Fitting with { Optimizer = Fitting.Optimizer with { ReferenceBatch = 128 } };
        Says(config, Run, "meant for 128 clips a step, and this run has 8", "optimizer.scaleToBatch=true multiplies all rates by 0.0625, to 0.000625");
        Says(config with { Loop = config.Loop with { Accumulate = 5 } }, Run with { Processes = 2 }, "this run has 80", "by 0.625");
        Assert.Empty(RecipeAdvisor.Advise(config with { Optimizer = config.Optimizer with { ScaleToBatch = true } }, Run));
        Assert.Empty(RecipeAdvisor.Advise(config, Run with { Processes = 16, TrainClips = 1200 }));
    }

    [Fact]
    public void Advise_IntervalsLongerThanTheRun_WhatWillHappen()
    {
        TrainingConfig config = Fitting with { Loop = Fitting.Loop with { EvaluateEvery = 11 }, Checkpoints = new CheckpointConfig { EveryEpochs = 11 } };
        string[] said = [.. RecipeAdvisor.Advise(config, Run)];
        Assert.Equal(2, said.Length);
        Assert.Contains("loop.evaluateEvery (11) is longer than the run (10 epochs): only the last epoch is validated", said[0], StringComparison.Ordinal);
        Assert.Contains("checkpoints.everyEpochs (11) is longer than the run (10 epochs): no checkpoint is kept", said[1], StringComparison.Ordinal);
        Assert.Empty(RecipeAdvisor.Advise(config with { Loop = config.Loop with { Epochs = 11 } }, Run));
        Says(Fitting with { Loop = Fitting.Loop with { PreciseBatchNormBatches = 200, PreciseBatchNormEvery = 20 } }, Run, "loop.preciseBatchNormEvery (20)", "after the last epoch only");
    }

    [Fact]
    public void Advise_ShortClips_HowManyOfThoseKnown()
    {
        Says(Fitting, Run with { FrameCounts = [7, 8, 3, 100] }, "2 of 4 training clips with a known length have fewer than 8 frames", "model.frames=3");
        Assert.Empty(RecipeAdvisor.Advise(Fitting, Run with { FrameCounts = [] }));
    }

    [Fact]
    public void Advise_SmoothingWithTwoClasses_HighestScore()
    {
        AdvisedRun two = Run with { TrainPerClass = [60, 60] };
        Says(Fitting, two, "loss.labelSmoothing (0.1) with two classes teaches a score of 95 %");
        Assert.Empty(RecipeAdvisor.Advise(Fitting, two with { MultiLabel = true }));
        Assert.Empty(RecipeAdvisor.Advise(Fitting with { Loss = new LossConfig { LabelSmoothing = 0 } }, two));
    }

    [Fact]
    public void Advise_UnequalClasses_Balance()
    {
        AdvisedRun unequal = Run with { TrainPerClass = [100, 9, 0, 11] };
        Says(Fitting, unequal, "the largest class has 100 training clips, the smallest 9", "loss.balanceClasses=true");
        Assert.Empty(RecipeAdvisor.Advise(Fitting, Run with { TrainPerClass = [100, 10, 10] }));
        Assert.Empty(RecipeAdvisor.Advise(Fitting with { Loss = new LossConfig { BalanceClasses = true } }, unequal));
        Assert.Empty(RecipeAdvisor.Advise(Fitting with { Loss = new LossConfig { ClassWeights = [1, 2, 1, 1] } }, unequal));
    }

    [Fact]
    public void Advise_ScheduleAndRunOfDifferentLength_WhatTheRateDoes()
    {
        Says(Fitting with { Schedule = new ScheduleConfig { WarmupEpochs = 10 } }, Run, "schedule.warmupEpochs (10)", "never reaches its peak");
        Says(Fitting with { Schedule = new ScheduleConfig { WarmupEpochs = 1, SpanEpochs = 80 } }, Run, "schedule.spanEpochs (80) is longer than the run (10 epochs)");
        Says(Fitting with { Schedule = new ScheduleConfig { WarmupEpochs = 1, SpanEpochs = 5 } }, Run, "schedule.spanEpochs (5) is shorter than the run (10 epochs)");
        Assert.Empty(RecipeAdvisor.Advise(Fitting with { Schedule = new ScheduleConfig { WarmupEpochs = 1, SpanEpochs = 10 } }, Run));
        var steps = new ScheduleConfig { Kind = ScheduleKind.MultiStep, WarmupEpochs = 0, Milestones = [5, 10, 20] };
        Says(Fitting with { Schedule = steps }, Run, "schedule.milestones 10, 20 lie after the end of the run");
        var inSteps = new ScheduleConfig { Kind = ScheduleKind.Piecewise, WarmupEpochs = 0, MilestonesInSteps = true, Milestones = [20, 149], Rates = [1, 0.1, 0.01] };
        Assert.Empty(RecipeAdvisor.Advise(Fitting with { Schedule = inSteps }, Run));
        Says(Fitting with { Schedule = inSteps with { Milestones = [20, 150] } }, Run, "schedule.milestones 150 lie");
    }

    [Fact]
    public void Advise_AccumulationThatLeavesBatches_HowMany()
    {
        Assert.Empty(RecipeAdvisor.Advise(Fitting with { Loop = Fitting.Loop with { Accumulate = 5 } }, Run));
        Says(Fitting with { Loop = Fitting.Loop with { Accumulate = 4 } }, Run, "loop.accumulate (4) doesn't divide the 15 batches of an epoch", "the gradients of 3 only");
        Says(Fitting with { Loop = Fitting.Loop with { Accumulate = 16 } }, Run, "loop.accumulate (16) is more than the 15 batches");
    }

    [Fact]
    public void Advise_FewValidationClips_WhatOneIsWorth()
    {
        Says(Fitting, Run with { ValidationClips = 20 }, "only 20 validation clips: each of them is 5 % of the accuracy");
        Assert.Empty(RecipeAdvisor.Advise(Fitting, Run with { ValidationClips = 32 }));
    }

    [Fact]
    public void Advise_PatienceThatCannotWork_Says()
    {
        TrainingConfig config = Fitting with { Loop = Fitting.Loop with { Patience = 5 } };
        Assert.Empty(RecipeAdvisor.Advise(config, Run));
        Says(config, Run with { ValidationClips = 0 }, "loop.patience (5) has no effect without validation clips");
        Says(config with { Loop = config.Loop with { EvaluateEvery = 0 } }, Run, "loop.patience (5) has no effect where only the last epoch is validated");
    }

    [Fact]
    public void Of_Splits_CountsClipsOnceAndLengthsWhereTheyAreTheWholeVideos()
    {
        var labels = new LabelMap(["a", "b"]);
        VideoDataset train = new(
            [new("1", 0, 5) { Labels = [0, 1] }, new("2", 1), new("3", 1, 400) { StartSeconds = 1 }, new("4", 1, 9)], labels, "train");
        AdvisedRun run = AdvisedRun.Of(new DatasetSplits(train, train with { Samples = [new("5", 0)] }, null), 2, 3, multiLabel: true, measuredFrames: [7]);
        Assert.Equal((4, 1, 2, 3, true), (run.TrainClips, run.ValidationClips, run.StepsPerEpoch, run.Processes, run.MultiLabel));
        Assert.Equal([1, 4], run.TrainPerClass);
        Assert.Equal([5, 9, 7], run.FrameCounts);
    }

    [Fact]
    public void Scaling_AllRatesOnce()
    {
        TrainingConfig config = Fitting with
        {
            Optimizer = new OptimizerConfig { LearningRate = 0.02, ReferenceBatch = 128, ScaleToBatch = true },
            Schedule = new ScheduleConfig { StartRate = 0.01, WarmupEndRate = 0.02, MinRate = 0.001, Rates = [0.02, 0.002] },
        };
        TrainingConfig scaled = BatchScaling.Apply(config, processes: 4); // 32 clips a step
        Assert.Equal((0.005, 32), (scaled.Optimizer.LearningRate, scaled.Optimizer.ReferenceBatch));
        Assert.Equal((0.0025, 0.005, 0.00025), (scaled.Schedule.StartRate, scaled.Schedule.WarmupEndRate, scaled.Schedule.MinRate));
        Assert.Equal([0.005, 0.0005], scaled.Schedule.Rates);
        Assert.Same(scaled, BatchScaling.Apply(scaled, processes: 4));
        TrainingConfig asked = config with { Optimizer = config.Optimizer with { ScaleToBatch = false } };
        Assert.Same(asked, BatchScaling.Apply(asked, processes: 4));
    }

    [Theory]
    [InlineData("  scaleToBatch: true\n  learningRate: 0.1\n", "optimizer.referenceBatch: expected")]
    [InlineData("  scaleToBatch: true\n  referenceBatch: 128\n", "optimizer.learningRate: expected")]
    [InlineData("  referenceBatch: 0\n", "optimizer.referenceBatch: expected 1 or more")]
    public void Validate_ScalingWithoutWhatItNeeds_NamesTheKey(string optimizer, string message) => Assert.Contains(
        message,
        Assert.Throws<ConfigException>(() => ConfigYaml.Parse("data:\n  path: x\noptimizer:\n" + optimizer).Validate()).Message,
        StringComparison.Ordinal);

    private static void Says(TrainingConfig config, AdvisedRun run, params string[] parts)
    {
        string said = Assert.Single(RecipeAdvisor.Advise(config, run));
        Assert.All(parts, p => Assert.Contains(p, said, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', said);
    }
}
