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
    private const int MostMatrixClasses = 64;
    private const int MostMistakes = 24;
    private const int MostConfusions = 40;

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
            evaluation = shown is null ? null : Evaluation(report, shown, report.Test is null ? "validation clips" : "test clips"),
            plan = Plan(plan),
            environment = report.Environment.Select(f => new { name = f.Name, value = f.Value }).ToArray(),
            notes = plan.Notes,
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
        if (report.Test is EvaluationResult test)
        {
            Add("test top-1", Percent(test.Top1), Clips(test), main: true);
        }

        if (report.Validation is EvaluationResult validation)
        {
            Add("validation top-1", Percent(validation.Top1), Clips(validation), main: report.Test is null);
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
        return
        [
            Chart("Loss", "0.##", null, null,
                new ChartSeries("training", Points(e => e.TrainLoss)), new ChartSeries("validation", Points(e => e.ValidationLoss))),
            Chart("Accuracy, %", "0.#", 0, 100,
                new ChartSeries("training", Points(e => 100 * e.TrainTop1)), new ChartSeries("validation", Points(e => 100 * e.ValidationTop1))),
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

    private static object Evaluation(RunReport report, EvaluationResult result, string split)
    {
        LabelMap labels = report.Plan.Labels;
        ConfusionMatrix confusion = result.Confusion;
        int[] present = [.. Enumerable.Range(0, labels.Count).Where(c => confusion.Total(c) > 0)];
        SampleAnswer[] wrong = [.. result.Answers.Where(a => !a.IsRight).OrderByDescending(a => a.Probability).ThenBy(a => a.Index)];
        return new
        {
            split,
            classes = present.Select(c => new
            {
                name = labels[c],
                percent = Text($"{100 * confusion.Accuracy(c):0.#}"),
                percentText = Percent(confusion.Accuracy(c)),
                right = confusion[c, c],
                clips = confusion.Total(c),
                confused = Confused(c),
            }).ToArray(),
            matrix = labels.Count <= MostMatrixClasses ? Matrix(labels, confusion) : null,
            confusions = Confusions(labels, confusion),
            hasMistakes = wrong.Length > 0,
            mistakesNote = wrong.Length > MostMistakes ? Text($"the {MostMistakes} surest of {wrong.Length}") : Text($"{wrong.Length}, the surest first"),
            mistakes = wrong.Take(MostMistakes).Select(a => new
            {
                frames = Pictures(report, a),
                actual = labels[a.Label],
                predicted = a.Predicted < 0 ? "nothing" : labels[a.Predicted],
                detail = a.Failure ?? Text($"{Percent(a.Probability)} sure; the true class had {Percent(a.LabelProbability)}"),
                path = a.Path,
            }).ToArray(),
        };

        string Confused(int actual)
        {
            int best = Enumerable.Range(0, labels.Count).Where(p => p != actual).MaxBy(p => confusion[actual, p]);
            return labels.Count > 1 && confusion[actual, best] > 0 ? Text($"{labels[best]} ({confusion[actual, best]})") : "";
        }
    }

    private static object Matrix(LabelMap labels, ConfusionMatrix confusion)
    {
        bool unanswered = Enumerable.Range(0, labels.Count).Any(c => confusion.Unanswered(c) > 0);
        return new
        {
            columns = unanswered ? [.. labels.Names, "no answer"] : labels.Names.ToArray(),
            rows = Enumerable.Range(0, labels.Count).Where(a => confusion.Total(a) > 0).Select(actual => new
            {
                name = labels[actual],
                cells = Enumerable.Range(0, labels.Count + (unanswered ? 1 : 0)).Select(predicted =>
                {
                    bool none = predicted == labels.Count;
                    int count = none ? confusion.Unanswered(actual) : confusion[actual, predicted];
                    double share = (double)count / confusion.Total(actual);
                    string kind = count == 0 ? "" : (actual == predicted ? "hit" : "miss") + (share > 0.55 ? " strong" : "");
                    string answer = none ? "no answer" : labels[predicted];
                    return new
                    {
                        kind,
                        count = count == 0 ? "" : Text($"{count}"),
                        alpha = Text($"{0.15 + (0.85 * share):0.##}"),
                        tip = Text($"{labels[actual]} → {answer}: {count} of {confusion.Total(actual)}"),
                    };
                }).ToArray(),
            }).ToArray(),
        };
    }

    private static object[] Confusions(LabelMap labels, ConfusionMatrix confusion)
    {
        IEnumerable<(int Actual, int Predicted, int Count)> wrong =
            from actual in Enumerable.Range(0, labels.Count)
            from predicted in Enumerable.Range(0, labels.Count)
            where actual != predicted && confusion[actual, predicted] > 0
            orderby confusion[actual, predicted] descending
            select (actual, predicted, confusion[actual, predicted]);
        return [.. wrong.Take(MostConfusions).Select(w => (object)new { actual = labels[w.Actual], predicted = labels[w.Predicted], count = w.Count })];
    }

    private static string[] Pictures(RunReport report, SampleAnswer answer)
    {
        if (report.Thumbnails is null || answer.Failure is not null)
        {
            return [];
        }

        try
        {
            return [.. report.Thumbnails(answer).Select(Convert.ToBase64String)];
        }
        catch (MediaException)
        {
            return []; // It was readable for the evaluation; a report without this picture is still a report.
        }
    }

    private static object[] Plan(TrainingPlan plan)
    {
        TrainingConfig c = plan.Config;
        string steps = Text($"{c.Loop.Epochs} epochs of {plan.StepsPerEpoch} steps, {c.Loop.BatchSize} clips each");
        Fact[] facts =
        [
            new("clips", Text($"{plan.TrainClips} training, {plan.ValidationClips} validation, {plan.TestClips} test")),
            new("network", Text($"{c.Model.Name}, {plan.Parameters / 1e6:0.00} million parameters")),
            new("start", c.Model.Weights ?? (c.Model.Pretrained ? "ImageNet weights" : "random weights")),
            new("length", steps),
            new("learning rate", Text($"{c.Optimizer.LearningRate:0.#####}, {c.Schedule.Kind} with {c.Schedule.WarmupEpochs:0.##} epochs of warm-up")),
            new("optimiser", Text($"SGD, momentum {c.Optimizer.Momentum:0.###}{(c.Optimizer.Nesterov ? " (Nesterov)" : "")}, weight decay {c.Optimizer.WeightDecay:0.######}")),
            new("loss", Text($"cross-entropy, label smoothing {c.Loss.LabelSmoothing:0.##}")),
            new("arithmetic", plan.BFloat16 ? "bfloat16 with float32 weights" : "float32"),
            new("decoded frames", plan.Cached ? Text($"kept in memory, about {plan.CacheBytes / 1048576.0:0} MiB") : "decoded in every epoch"),
            new("seed", Text($"{c.Seed}")),
        ];
        return [.. facts.Select(f => (object)new { name = f.Name, value = f.Value })];
    }

    private static string[] Times(EpochRecord e) =>
    [
        Text($"{e.Epoch}"), Text($"{e.TrainSeconds:0.0}"), Text($"{e.EvaluationSeconds:0.0}"), Text($"{e.ClipsPerSecond:0.0}"), Percent(e.LoaderShare), Text($"{e.TrainLoss:0.000}"),
        e.ValidationTop1 is double top1 ? Percent(top1) : "–",
    ];

    private static string Percent(double share) => double.IsNaN(share) ? "–" : Text($"{100 * share:0.0} %");

    private static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? Text($"{(int)time.TotalHours} h {time.Minutes:00} min")
        : time.TotalMinutes >= 1 ? Text($"{(int)time.TotalMinutes} min {time.Seconds:00} s") : Text($"{time.TotalSeconds:0.0} s");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
