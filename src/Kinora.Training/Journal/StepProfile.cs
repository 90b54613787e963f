using System.Globalization;
using System.Text;

namespace Kinora.Training;

/// <summary>What a run's time goes into.</summary>
public enum TrainingStage
{
    /// <summary>Waiting for clips: decoding and augmentation that the loader's threads didn't finish in time.</summary>
    LoaderWait,

    /// <summary>Making tensors of the batch.</summary>
    TensorCopy,

    /// <summary>Forward pass and loss, a second network's included.</summary>
    Forward,

    /// <summary>Backward pass.</summary>
    Backward,

    /// <summary>Gradients between processes, clipping, optimiser and the average of the weights.</summary>
    Update,

    /// <summary>Batch norm statistics and evaluation, with their own waiting and forward passes.</summary>
    Evaluation,

    /// <summary>Writing checkpoints.</summary>
    Checkpoints,

    /// <summary>The rest: log, display, report.</summary>
    Other,
}

/// <summary>Time of one stage.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Seconds">Time spent in it.</param>
/// <param name="Share">Of all the time, in [0, 1].</param>
public sealed record StageTime(TrainingStage Stage, double Seconds, double Share);

/// <summary>Where the time and the memory of a run went, in the process that reports and since it was started or resumed.</summary>
public sealed record StepProfile
{
    /// <summary>All stages; their times add up to <see cref="Seconds"/>.</summary>
    public required IReadOnlyList<StageTime> Stages { get; init; }

    /// <summary>Time from the first step to the end, in seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>Batches that were learned from.</summary>
    public required int Steps { get; init; }

    /// <summary>Training clips that were learned from, on all processes.</summary>
    public required long Clips { get; init; }

    /// <summary>Most memory that the process had resident at once, in bytes; decoded frames and planning included.</summary>
    public required long PeakProcessBytes { get; init; }

    /// <summary>Most memory that tensors had at once since the first step, in bytes.</summary>
    public required long PeakTensorBytes { get; init; }

    /// <summary>Memory of tensors at the end: weights, optimiser and what else stays, in bytes.</summary>
    public required long LiveTensorBytes { get; init; }

    /// <summary>Time of one stage.</summary>
    /// <param name="stage">The stage.</param>
    /// <returns>In seconds.</returns>
    public double SecondsOf(TrainingStage stage) => Stages.Single(s => s.Stage == stage).Seconds;

    /// <summary>
    /// Share of a training step's time spent computing, rather than waiting for clips, in [0, 1]; NaN without a step. The
    /// loader keeps up where it is above 0.95.
    /// </summary>
    public double ComputeShare
    {
        get
        {
            double steps = SecondsOf(TrainingStage.LoaderWait) + SecondsOf(TrainingStage.TensorCopy) + SecondsOf(TrainingStage.Forward)
                + SecondsOf(TrainingStage.Backward) + SecondsOf(TrainingStage.Update);
            return steps > 0 ? 1 - (SecondsOf(TrainingStage.LoaderWait) / steps) : double.NaN;
        }
    }

    /// <summary>The profile as a table of text.</summary>
    /// <returns>Lines, ended by line feeds.</returns>
    public string ToText()
    {
        var text = new StringBuilder("stage                      seconds   share  ms/step\n");
        foreach (StageTime stage in Stages)
        {
            bool perStep = stage.Stage < TrainingStage.Evaluation && Steps > 0;
            text.Append(CultureInfo.InvariantCulture, $"{NameOf(stage.Stage),-22} {stage.Seconds,11:0.000} {100 * stage.Share,5:0.0} %");
            text.Append(perStep ? string.Create(CultureInfo.InvariantCulture, $" {1000 * stage.Seconds / Steps,8:0.00}\n") : "\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"{"all",-22} {Seconds,11:0.000} {100,5:0.0} %\n");
        text.Append(CultureInfo.InvariantCulture, $"{Steps} steps, {Clips} clips; {(double.IsNaN(ComputeShare) ? 0 : 100 * ComputeShare):0.0} % of a step is computing\n");
        text.Append(CultureInfo.InvariantCulture, $"memory: {PeakProcessBytes / 1048576.0:0} MiB process at most, {PeakTensorBytes / 1048576.0:0} MiB tensors at most, {LiveTensorBytes / 1048576.0:0} MiB tensors at the end\n");
        return text.ToString();
    }

    /// <summary>A stage in words.</summary>
    /// <param name="stage">The stage.</param>
    /// <returns>Such as "waiting for clips".</returns>
    public static string NameOf(TrainingStage stage) => stage switch
    {
        TrainingStage.LoaderWait => "waiting for clips",
        TrainingStage.TensorCopy => "making tensors",
        TrainingStage.Forward => "forward",
        TrainingStage.Backward => "backward",
        TrainingStage.Update => "clipping and optimiser",
        TrainingStage.Evaluation => "evaluation",
        TrainingStage.Checkpoints => "checkpoints",
        _ => "other",
    };
}
