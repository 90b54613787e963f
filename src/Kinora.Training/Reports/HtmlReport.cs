using System.Globalization;

namespace Kinora.Training;

/// <summary>A name and a value, for a table of facts.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">Its value as text, with unit.</param>
public sealed record Fact(string Name, string Value);

/// <summary>A clip that couldn't be read.</summary>
/// <param name="Path">The video or frame folder.</param>
/// <param name="Reason">One line.</param>
public sealed record UnreadableClip(string Path, string Reason);

/// <summary>What a training report tells.</summary>
public sealed record RunReport
{
    /// <summary>What was planned.</summary>
    public required TrainingPlan Plan { get; init; }

    /// <summary>Figures of every epoch.</summary>
    public required IReadOnlyList<EpochRecord> Epochs { get; init; }

    /// <summary>The best epoch, from 1; 0 if none was evaluated.</summary>
    public required int BestEpoch { get; init; }

    /// <summary>The best checkpoint on the validation split, if there is one.</summary>
    public EvaluationResult? Validation { get; init; }

    /// <summary>The best checkpoint on the test split, if there is one.</summary>
    public EvaluationResult? Test { get; init; }

    /// <summary>Machine and software.</summary>
    public required IReadOnlyList<Fact> Environment { get; init; }

    /// <summary>The splits, so that the same clips can be recognised.</summary>
    public IReadOnlyList<SplitFacts> Data { get; init; } = [];

    /// <summary>Where the time went, if it was measured.</summary>
    public StepProfile? Profile { get; init; }

    /// <summary>Clips that couldn't be read, over all splits.</summary>
    public required IReadOnlyList<UnreadableClip> Unreadable { get; init; }

    /// <summary>When the run ended.</summary>
    public required DateTimeOffset FinishedAt { get; init; }

    /// <summary>Time of the run, in all its parts.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Gives up to three JPEG pictures of a clip for the list of wrong answers; null for no pictures.</summary>
    public Func<SampleAnswer, IReadOnlyList<byte[]>>? Thumbnails { get; init; }
}

/// <summary>Writes the report of a run: one HTML file with everything inside.</summary>
public static class HtmlReport
{
    /// <summary>Writes the page.</summary>
    /// <param name="path">HTML file; replaced if it exists.</param>
    /// <param name="report">What it tells.</param>
    public static void Write(string path, RunReport report) => AtomicFile.WriteText(path, Render(report));

    /// <summary>Makes the page.</summary>
    /// <param name="report">What it tells.</param>
    /// <returns>A self-contained HTML document.</returns>
    public static string Render(RunReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        TrainingPlan plan = report.Plan;
        TrainingConfig config = plan.Config;
        EvaluationResult? shown = report.Test ?? report.Validation;
        return ReportStyle.Render(ReportStyle.Resource("run.hbs"), new
        {
            css = ReportStyle.Css,
            name = config.Name ?? Path.GetFileName(plan.RunFolder),
            subtitle = Text($"{config.Model.Name} · {plan.ClipSpec.Frames} frames of {plan.ClipSpec.Size}×{plan.ClipSpec.Size} · {plan.Labels.Count} classes · finished {report.FinishedAt:yyyy-MM-dd HH:mm} UTC"),
            tiles = Tiles(report),
            charts = Charts(report),
            evaluation = shown is null ? null : EvaluationSection.Of(report, shown, report.Test is null ? "validation clips" : "test clips"),
            plan = RunFacts.OfPlan(plan).Select(f => new { name = f.Name, value = f.Value }).ToArray(),
            environment = report.Environment.Select(f => new { name = f.Name, value = f.Value }).ToArray(),
            notes = plan.Notes,
            data = report.Data.Select(d => new { name = d.Name, clips = d.Clips, megabytes = Text($"{d.Bytes / 1048576.0:0.0}"), hash = d.Hash }).ToArray(),
            profile = report.Profile is null ? null : Profile(report.Profile),
            differences = RunFacts.Differences(config).Select(d => new { key = d.Key, value = d.Value, usual = d.Default }).ToArray(),
            timeColumns = new[] { "epoch", "training s", "evaluation s", "clips/s", "waiting for clips", "loss", "validation top-1" },
            times = report.Epochs.Select(Times).ToArray(),
            failures = report.Unreadable.Select(u => new { path = u.Path, reason = u.Reason }).ToArray(),
            config = ConfigYaml.Write(config),
            clipSpec = plan.ClipSpec.ToJson(),
            clips = plan.Classes.Select(c => new { name = c.Name, train = c.Train, validation = c.Validation, test = c.Test }).ToArray(),
        });
    }

    private static object[] Tiles(RunReport report)
    {
        var tiles = new List<object>();
        bool several = (report.Test ?? report.Validation)?.MeanAveragePrecision is not null;
        if ((report.Test ?? report.Validation)?.MeanAveragePrecision is double map)
        {
            Add(report.Test is null ? "validation mAP" : "test mAP", Percent(map), "mean average precision", main: true);
        }

        if (report.Test is EvaluationResult test)
        {
            Add("test top-1", Percent(test.Top1), Clips(test), main: !several);
        }

        if (report.Validation is EvaluationResult validation)
        {
            Add("validation top-1", Percent(validation.Top1), Clips(validation), main: report.Test is null && !several);
        }

        if ((report.Test ?? report.Validation) is EvaluationResult shown && report.Plan.Labels.Count > 5)
        {
            Add("top-5", Percent(shown.Top5), report.Test is null ? "validation" : "test", main: false);
        }

        Add("best epoch", report.BestEpoch > 0 ? Text($"{report.BestEpoch}") : "–", Text($"of {report.Epochs.Count}"), main: false);
        Add("time", Duration(report.Elapsed), Text($"{report.Plan.Steps} steps"), main: false);
        double speed = report.Epochs.Count == 0 ? 0 : report.Epochs.Average(e => e.ClipsPerSecond);
        Add("training speed", Text($"{speed:0.#}"), "clips a second", main: false);
        return [.. tiles];

        void Add(string label, string value, string note, bool main) => tiles.Add(new { label, value, note, main });
        static string Clips(EvaluationResult r) =>
            Text($"{r.Answers.Count(a => a.IsRight)} of {r.Clips} clips") + (r.Failures > 0 ? Text($", {r.Failures} unreadable") : "");
    }

    private static object[] Charts(RunReport report)
    {
        double? mark = report.BestEpoch > 0 ? report.BestEpoch : null;
        bool several = report.Epochs.Any(e => e.ValidationMeanAveragePrecision is not null);
        return
        [
            Chart("Loss", "0.##", null, null,
                new ChartSeries("training", Points(e => e.TrainLoss)), new ChartSeries("validation", Points(e => e.ValidationLoss))),
            Chart("Accuracy, %", "0.#", 0, 100,
                new ChartSeries("training", Points(e => 100 * e.TrainTop1)), new ChartSeries("validation", Points(e => 100 * e.ValidationTop1))),
            .. several ? [Chart("Mean average precision, %", "0.#", 0, 100, new ChartSeries("validation", Points(e => 100 * e.ValidationMeanAveragePrecision)))] : Array.Empty<object>(),
            Chart("Learning rate", "0.#####", 0, null, new ChartSeries("end of epoch", Points(e => e.LearningRate))),
        ];

        object Chart(string title, string format, double? low, double? high, params ChartSeries[] series)
        {
            ChartSeries[] shown = [.. series.Where(s => s.Points.Count > 0)];
            return new
            {
                title,
                legend = shown.Select((s, index) => new { index, name = s.Name }).ToArray(),
                svg = LineChart.Draw(title, shown, "epoch", low, high, format, mark),
            };
        }

        (double, double)[] Points(Func<EpochRecord, double?> value) =>
            [.. report.Epochs.Where(e => value(e) is not null).Select(e => ((double)e.Epoch, value(e)!.Value))];
    }

    private static string[] Times(EpochRecord e) =>
    [
        Text($"{e.Epoch}"), Text($"{e.TrainSeconds:0.0}"), Text($"{e.EvaluationSeconds:0.0}"), Text($"{e.ClipsPerSecond:0.0}"), Percent(e.LoaderShare), Text($"{e.TrainLoss:0.000}"),
        e.ValidationTop1 is double top1 ? Percent(top1) : "–",
    ];

    private static object Profile(StepProfile profile) => new
    {
        stages = profile.Stages.Select(s => new
        {
            name = StepProfile.NameOf(s.Stage),
            percent = Text($"{100 * s.Share:0.#}"),
            share = Percent(s.Share),
            seconds = Text($"{s.Seconds:0.0}"),
        }).ToArray(),
        note = Text($"{profile.Steps} steps since the run was started or resumed; {Percent(profile.ComputeShare)} of a step is computing; {profile.PeakProcessBytes / 1048576.0:0} MiB process and {profile.PeakTensorBytes / 1048576.0:0} MiB tensors at most"),
    };

    /// <summary>A share as text.</summary>
    internal static string Percent(double share) => double.IsNaN(share) ? "–" : Text($"{100 * share:0.0} %");

    private static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? Text($"{(int)time.TotalHours} h {time.Minutes:00} min")
        : time.TotalMinutes >= 1 ? Text($"{(int)time.TotalMinutes} min {time.Seconds:00} s") : Text($"{time.TotalSeconds:0.0} s");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
