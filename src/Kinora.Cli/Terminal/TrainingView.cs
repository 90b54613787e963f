using System.Globalization;
using Kinora.Training;

namespace Kinora.Cli.Terminal;

/// <summary>Shows how a training goes: a table that grows by a line an epoch, and below it what happens now where a person watches.</summary>
internal abstract class TrainingView(TextWriter writer) : IProgress<TrainingProgress>
{
    private bool _severalLabels;
    private bool _hasHeading;

    /// <summary>Where lines go.</summary>
    protected TextWriter Writer { get; } = writer;

    /// <summary>The best epoch so far, in words; empty before there is one.</summary>
    protected string Best { get; private set; } = "";

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

        using var lines = new LiveLines(output.Out, LiveLines.TerminalWidth);
        try
        {
            return train(new LiveTrainingView(output, lines));
        }
        finally
        {
            lines.Show();
        }
    }

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        switch (value)
        {
            case TrainingProgress.Planned planned:
                _severalLabels = planned.Plan.MultiLabel;
                PlanText.Write(Writer, planned.Plan);
                break;
            case TrainingProgress.Step step:
                OnStep(step);
                break;
            case TrainingProgress.Evaluating evaluating:
                OnEvaluating(evaluating);
                break;
            case TrainingProgress.EpochEnded ended:
                OnEpoch(ended);
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
    protected static string Figures(TrainingProgress.Step step) => Text(
        $"loss {step.MeanLoss:0.000}  top-1 {100 * step.Accuracy,5:0.0} %  lr {step.LearningRate:0.00000}  {step.ClipsPerSecond:0.0} clips/s  waiting {100 * step.LoaderShare:0} %");

    /// <summary>A text with numbers as everywhere.</summary>
    /// <param name="text">The text.</param>
    /// <returns>It.</returns>
    protected static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private void OnEpoch(TrainingProgress.EpochEnded ended)
    {
        if (!_hasHeading)
        {
            Writer.WriteLine(Text($"{"epoch",5}  {"loss",7}  {"top-1",7}  {"val loss",8}  {(_severalLabels ? "val mAP" : "val top-1"),9}  {"lr",8}  {"clips/s",7}  {"waiting",7}"));
            _hasHeading = true;
        }

        EpochRecord e = ended.Record;
        double? score = e.ValidationMeanAveragePrecision ?? e.ValidationTop1;
        string loss = e.ValidationLoss is double l ? Text($"{l:0.000}") : "–", share = score is double s ? Text($"{100 * s:0.0} %") : "–";
        Writer.WriteLine(
            Text($"{e.Epoch,5}  {e.TrainLoss,7:0.000}  {100 * e.TrainTop1,5:0.0} %  {loss,8}  {share,9}  {e.LearningRate,8:0.00000}  {e.ClipsPerSecond,7:0.0}  {100 * e.LoaderShare,5:0} %")
            + (ended.IsBest ? "  best" : "") + (e.Failures > 0 ? Text($"  {e.Failures} unreadable clips") : ""));
        if (ended.IsBest && score is not null)
        {
            Best = Text($"best so far: epoch {e.Epoch}, validation {(_severalLabels ? "mAP" : "top-1")} {share}, loss {loss}");
        }
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
                Writer.WriteLine($"  epoch {step.Epoch}/{step.Epochs}  step {step.StepInEpoch}/{step.StepsPerEpoch}  {Figures(step)}  {PlanText.Duration(step.Remaining)} left");
            }
        }

        protected override void OnEvaluating(TrainingProgress.Evaluating evaluating)
        {
        }
    }

    // Three lines: how far, how well, and the best so far.
    private sealed class LiveTrainingView(Output output, LiveLines lines) : TrainingView(lines)
    {
        private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
        private TrainingProgress.Step? _step;
        private long _last;

        protected override void OnStep(TrainingProgress.Step step)
        {
            _step = step;
            if (IsDue(step.StepInEpoch == step.StepsPerEpoch))
            {
                Show(Figures(step));
            }
        }

        protected override void OnEvaluating(TrainingProgress.Evaluating evaluating)
        {
            if (IsDue(evaluating.Clips == evaluating.Total))
            {
                Show($"{evaluating.Split}: {evaluating.Clips} of {evaluating.Total} clips");
            }
        }

        private bool IsDue(bool always)
        {
            bool due = always || TimeProvider.System.GetElapsedTime(_last) >= Interval;
            _last = due ? TimeProvider.System.GetTimestamp() : _last;
            return due;
        }

        private void Show(string now)
        {
            string[] place = _step is { } s ? [Place(s)] : [];
            lines.Show([.. place, now, .. Best.Length > 0 ? [output.Paint(Best, "32")] : Array.Empty<string>()]);
        }

        private string Place(TrainingProgress.Step s)
        {
            double share = (((double)(s.Epoch - 1) * s.StepsPerEpoch) + s.StepInEpoch) / ((double)s.Epochs * s.StepsPerEpoch);
            string place = $"epoch {s.Epoch}/{s.Epochs}  step {s.StepInEpoch}/{s.StepsPerEpoch}", rest = Text($"{100 * share:0} %  {PlanText.Duration(s.Remaining)} left");
            int room = Math.Clamp(LiveLines.TerminalWidth() - place.Length - rest.Length - 5, 0, 40), full = (int)Math.Round(share * room);
            return $"{place}  {output.Paint(new string('━', full), "34")}{output.Paint(new string('━', room - full), "90")}  {rest}";
        }
    }
}
