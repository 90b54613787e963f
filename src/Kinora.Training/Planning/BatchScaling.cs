namespace Kinora.Training;

/// <summary>Learning rates in proportion to the clips of a step (arXiv:1706.02677, section 2.1).</summary>
internal static class BatchScaling
{
    /// <summary>Clips that an optimiser step sees.</summary>
    /// <param name="loop">Batch size, filled in, and accumulation.</param>
    /// <param name="processes">Processes that share the run.</param>
    public static long ClipsPerStep(LoopConfig loop, int processes) => (long)loop.BatchSize!.Value * loop.Accumulate * processes;

    /// <summary>What all rates are to be multiplied by; 1 where the configuration names no clips of a step that they are meant for.</summary>
    /// <param name="config">A configuration with its batch size.</param>
    /// <param name="processes">Processes that share the run.</param>
    public static double Factor(TrainingConfig config, int processes) =>
        config.Optimizer.ReferenceBatch is int reference ? ClipsPerStep(config.Loop, processes) / (double)reference : 1;

    /// <summary>Scales all rates, where the configuration asks for it; doing so again changes nothing.</summary>
    /// <param name="config">A configuration with its batch size.</param>
    /// <param name="processes">Processes that share the run.</param>
    public static TrainingConfig Apply(TrainingConfig config, int processes)
    {
        double factor = Factor(config, processes);
        if (!config.Optimizer.ScaleToBatch || factor == 1)
        {
            return config;
        }

        ScheduleConfig schedule = config.Schedule;
        return config with
        {
            Optimizer = config.Optimizer with
            {
                LearningRate = config.Optimizer.LearningRate * factor,
                ReferenceBatch = checked((int)ClipsPerStep(config.Loop, processes)),
            },
            Schedule = schedule with
            {
                StartRate = schedule.StartRate * factor,
                WarmupEndRate = schedule.WarmupEndRate * factor,
                MinRate = schedule.MinRate * factor,
                Rates = [.. schedule.Rates.Select(r => r * factor)],
            },
        };
    }
}
