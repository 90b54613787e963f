namespace Kinora.Training;

/// <summary>
/// Something that happened during a run. Reports come from the compute thread, in order; a receiver that takes long
/// holds up training.
/// </summary>
public abstract record TrainingProgress
{
    private TrainingProgress()
    {
    }

    /// <summary>The plan stands; training starts after it.</summary>
    /// <param name="Plan">What will happen.</param>
    public sealed record Planned(TrainingPlan Plan) : TrainingProgress;

    /// <summary>One optimiser step is done.</summary>
    public sealed record Step : TrainingProgress
    {
        /// <summary>Epoch, from 1.</summary>
        public required int Epoch { get; init; }

        /// <summary>Epochs of the run.</summary>
        public required int Epochs { get; init; }

        /// <summary>Step within the epoch, from 1.</summary>
        public required int StepInEpoch { get; init; }

        /// <summary>Steps of an epoch.</summary>
        public required int StepsPerEpoch { get; init; }

        /// <summary>Loss of this step's batch, in nats.</summary>
        public required double Loss { get; init; }

        /// <summary>Mean loss of the epoch so far, in nats.</summary>
        public required double MeanLoss { get; init; }

        /// <summary>Share of right answers on the epoch's training clips so far, in [0, 1].</summary>
        public required double Accuracy { get; init; }

        /// <summary>Learning rate that this step used, before the factors of parameter groups.</summary>
        public required double LearningRate { get; init; }

        /// <summary>L2 norm of all gradients before clipping.</summary>
        public required double GradientNorm { get; init; }

        /// <summary>Speed over the last steps, clips a second.</summary>
        public required double ClipsPerSecond { get; init; }

        /// <summary>Share of the last steps' time spent waiting for clips, in [0, 1].</summary>
        public required double LoaderShare { get; init; }

        /// <summary>Estimated time to the end of training.</summary>
        public required TimeSpan Remaining { get; init; }
    }

    /// <summary>An evaluation moves on.</summary>
    /// <param name="Split">"validation" or "test".</param>
    /// <param name="Clips">Clips done.</param>
    /// <param name="Total">Clips of the split.</param>
    public sealed record Evaluating(string Split, int Clips, int Total) : TrainingProgress;

    /// <summary>An epoch is over, evaluated where its turn was.</summary>
    /// <param name="Record">Its figures, as in metrics.csv.</param>
    /// <param name="IsBest">Whether it is the best so far.</param>
    public sealed record EpochEnded(EpochRecord Record, bool IsBest) : TrainingProgress;

    /// <summary>The test split was evaluated with the best checkpoint.</summary>
    /// <param name="Result">The figures.</param>
    public sealed record Tested(EvaluationResult Result) : TrainingProgress;

    /// <summary>A checkpoint is on the disk.</summary>
    /// <param name="Path">The file.</param>
    public sealed record CheckpointWritten(string Path) : TrainingProgress;

    /// <summary>Something to tell: an unreadable clip, a resumed run.</summary>
    /// <param name="Message">One sentence.</param>
    public sealed record Notice(string Message) : TrainingProgress;
}

/// <summary>The figures of one epoch: a line of metrics.csv.</summary>
public sealed record EpochRecord
{
    /// <summary>Epoch, from 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>Mean training loss, in nats.</summary>
    public required double TrainLoss { get; init; }

    /// <summary>Share of right answers on (augmented) training clips, in [0, 1].</summary>
    public required double TrainTop1 { get; init; }

    /// <summary>Share of (augmented) training clips whose class was among the best five, in [0, 1].</summary>
    public double TrainTop5 { get; init; }

    /// <summary>Learning rate of the epoch's last step.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Validation loss, in nats; null if the epoch wasn't evaluated.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Validation accuracy, in [0, 1]; null if the epoch wasn't evaluated.</summary>
    public double? ValidationTop1 { get; init; }

    /// <summary>Validation top-5 accuracy, in [0, 1]; null if the epoch wasn't evaluated.</summary>
    public double? ValidationTop5 { get; init; }

    /// <summary>Mean average precision on the validation clips, in [0, 1]; null unless clips may have several labels and the epoch was evaluated.</summary>
    public double? ValidationMeanAveragePrecision { get; init; }

    /// <summary>Training clips that couldn't be read.</summary>
    public required int Failures { get; init; }

    /// <summary>Clips a second while training.</summary>
    public required double ClipsPerSecond { get; init; }

    /// <summary>Share of the training time spent waiting for clips, in [0, 1].</summary>
    public required double LoaderShare { get; init; }

    /// <summary>Time of the epoch's training part, in seconds.</summary>
    public required double TrainSeconds { get; init; }

    /// <summary>Time of its evaluation, in seconds.</summary>
    public required double EvaluationSeconds { get; init; }
}
