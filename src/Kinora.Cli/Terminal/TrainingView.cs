using Kinora.Training;
using Spectre.Console;

namespace Kinora.Cli.Terminal;

/// <summary>Shows how a training goes: a live bar where a person watches, plain lines elsewhere.</summary>
internal abstract class TrainingView(TextWriter writer) : IProgress<TrainingProgress>
{
    /// <summary>Where lines go.</summary>
    protected TextWriter Writer { get; } = writer;

    /// <summary>Runs a training and shows its progress.</summary>
    /// <param name="output">The command's streams.</param>
    /// <param name="asJson">Standard output is kept for JSON; progress goes to standard error.</param>
    /// <param name="train">The training.</param>
    /// <returns>Its outcome.</returns>
    public static TrainingOutcome Follow(Output output, bool asJson, Func<IProgress<TrainingProgress>, TrainingOutcome> train)
    {
        if (asJson || !output.IsInteractive)
        {
            return train(new PlainTrainingView(asJson ? output.Err : output.Out));
        }

        return output.Console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn())
            .Start(context => train(new LiveTrainingView(context, new ConsoleLines(output.Console))));
    }

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        switch (value)
        {
            case TrainingProgress.Planned planned:
                PlanText.Write(Writer, planned.Plan);
                break;
            case TrainingProgress.Step step:
                OnStep(step);
                break;
            case TrainingProgress.Evaluating evaluating:
                OnEvaluating(evaluating);
                break;
            case TrainingProgress.EpochEnded ended:
                Writer.WriteLine(EpochLine(ended));
                break;
            case TrainingProgress.Notice notice:
                Writer.WriteLine(notice.Message);
                break;
        }
    }

    /// <summary>One training step is done.</summary>
    /// <param name="step">Its figures.</param>
    protected abstract void OnStep(TrainingProgress.Step step);

    /// <summary>An evaluation goes on.</summary>
    /// <param name="evaluating">How far it is.</param>
    protected abstract void OnEvaluating(TrainingProgress.Evaluating evaluating);

    /// <summary>The figures of a step, without its epoch.</summary>
    /// <param name="step">The step.</param>
    /// <returns>One line.</returns>
    protected static string Figures(TrainingProgress.Step step) =>
        $"loss {step.MeanLoss:0.000}  lr {step.LearningRate:0.00000}  top-1 {100 * step.Accuracy,5:0.0} %  {step.ClipsPerSecond:0.0} clips/s  {PlanText.Duration(step.Remaining)} left";

    private static string EpochLine(TrainingProgress.EpochEnded ended)
    {
        EpochRecord record = ended.Record;
        string validation = record.ValidationTop1 is { } top1 ? $"  val loss {record.ValidationLoss:0.000}  val top-1 {100 * top1,5:0.0} %" : "";
        return $"epoch {record.Epoch,3}  loss {record.TrainLoss:0.000}  top-1 {100 * record.TrainTop1,5:0.0} %{validation}  lr {record.LearningRate:0.00000}  "
            + $"{record.ClipsPerSecond:0.0} clips/s{(ended.IsBest ? "  best so far" : "")}{(record.Failures > 0 ? $"  {record.Failures} unreadable clips" : "")}";
    }

    private sealed class PlainTrainingView(TextWriter writer) : TrainingView(writer)
    {
        private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
        private long _last = TimeProvider.System.GetTimestamp();

        protected override void OnStep(TrainingProgress.Step step)
        {
            if (TimeProvider.System.GetElapsedTime(_last) >= Interval)
            {
                _last = TimeProvider.System.GetTimestamp();
                Writer.WriteLine($"  epoch {step.Epoch}/{step.Epochs}  step {step.StepInEpoch}/{step.StepsPerEpoch}  {Figures(step)}");
            }
        }

        protected override void OnEvaluating(TrainingProgress.Evaluating evaluating)
        {
        }
    }

    private sealed class LiveTrainingView(ProgressContext context, TextWriter lines) : TrainingView(lines)
    {
        private ProgressTask? _steps;
        private ProgressTask? _evaluation;

        protected override void OnStep(TrainingProgress.Step step)
        {
            _evaluation?.StopTask();
            _steps ??= context.AddTask("training", maxValue: (double)step.Epochs * step.StepsPerEpoch);
            _steps.Description = $"epoch {step.Epoch}/{step.Epochs}  {Figures(step)}";
            _steps.Value = ((double)(step.Epoch - 1) * step.StepsPerEpoch) + step.StepInEpoch;
        }

        protected override void OnEvaluating(TrainingProgress.Evaluating evaluating)
        {
            if (_steps is not null)
            {
                _steps.Description = $"{evaluating.Split}: {evaluating.Clips} of {evaluating.Total} clips";
                return;
            }

            _evaluation ??= context.AddTask(evaluating.Split, maxValue: evaluating.Total);
            _evaluation.Value = evaluating.Clips;
        }
    }

    /// <summary>A text writer over a console with a live display: lines appear above it.</summary>
    private sealed class ConsoleLines(IAnsiConsole console) : StringWriter
    {
        public override void WriteLine(string? value) => console.WriteLine(value ?? "");

        public override void WriteLine() => console.WriteLine();
    }
}
