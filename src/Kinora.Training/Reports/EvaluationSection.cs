using System.Globalization;

namespace Kinora.Training;

/// <summary>What a report shows of an evaluation: classes, confusions and clips. Its size hardly grows with the number of classes.</summary>
internal static class EvaluationSection
{
    private const int MostMatrixClasses = 64;
    private const int MostConfusedClasses = 32;
    private const int MostOpenClasses = 64;
    private const int MostMistakes = 24;
    private const int MostUnsure = 12;
    private const int MostConfusions = 40;

    /// <summary>The section's values.</summary>
    /// <param name="report">The report.</param>
    /// <param name="result">The evaluation.</param>
    /// <param name="split">What the clips are called.</param>
    public static object Of(RunReport report, EvaluationResult result, string split)
    {
        LabelMap labels = report.Plan.Labels;
        ConfusionMatrix confusion = result.Confusion;
        IReadOnlyList<double?>? precisions = result.ClassPrecisions;
        int[] present = [.. Enumerable.Range(0, labels.Count).Where(c => precisions is null ? confusion.Total(c) > 0 : precisions[c] is not null)];
        bool many = present.Length > MostOpenClasses;
        IEnumerable<int> ordered = many ? present.OrderBy(c => precisions?[c] ?? confusion.Accuracy(c)).ThenBy(c => c) : present;
        bool several = report.Plan.MultiLabel; // then a clip isn't wrong because its first label isn't the answer
        object[] classes = [.. ordered.Select(c => precisions is null ? Class(c) : Precision(c))];
        SampleAnswer[] wrong = [.. result.Answers.Where(a => !a.IsRight).OrderByDescending(a => a.Probability).ThenBy(a => a.Index)];
        SampleAnswer[] mistakes = [.. wrong.Take(MostMistakes)];
        SampleAnswer[] unsure = [.. result.Answers.Where(a => a.Predicted >= 0).OrderBy(a => a.Probability).ThenBy(a => a.Index).Except(mistakes).Take(MostUnsure)];
        int[] shown = labels.Count <= MostMatrixClasses ? [.. Enumerable.Range(0, labels.Count)] : MostConfused(confusion);
        return new
        {
            split,
            order = many ? "the weakest first" : "",
            classes = many ? classes[..MostOpenClasses] : classes,
            hasMore = many,
            moreNote = many ? Text($"the other {classes.Length - MostOpenClasses} classes") : "",
            moreClasses = many ? classes[MostOpenClasses..] : [],
            several,
            hasPrecisions = precisions is not null,
            matrixNote = shown.Length < labels.Count ? Text($"the {shown.Length} of {labels.Count} classes that are confused most") : "",
            matrix = several || shown.Length == 0 ? null : Matrix(labels, confusion, shown),
            confusions = several || labels.Count <= MostMatrixClasses ? [] : Confusions(labels, confusion),
            hasMistakes = wrong.Length > 0 && !several,
            mistakesNote = wrong.Length > MostMistakes ? Text($"the {MostMistakes} surest of {wrong.Length}") : Text($"{wrong.Length}, the surest first"),
            mistakes = several ? [] : mistakes.Select(Clip).ToArray(),
            hasUnsure = unsure.Length > 0 && !several,
            unsure = several ? [] : unsure.Select(Clip).ToArray(),
        };

        // All that have it, of those that were read or not.
        object Precision(int c) => new
        {
            name = labels[c],
            percent = Text($"{100 * result.ClassPrecisions![c]:0.#}"),
            percentText = HtmlReport.Percent(result.ClassPrecisions![c]!.Value),
            clips = report.Test is null ? report.Plan.Classes[c].Validation : report.Plan.Classes[c].Test,
        };

        object Class(int c) => new
        {
            name = labels[c],
            percent = Text($"{100 * confusion.Accuracy(c):0.#}"),
            percentText = HtmlReport.Percent(confusion.Accuracy(c)),
            right = confusion[c, c],
            clips = confusion.Total(c),
            confused = Confused(c),
        };

        object Clip(SampleAnswer a) => new
        {
            frames = Pictures(report, a),
            right = a.IsRight,
            actual = labels[a.Label],
            predicted = a.Predicted < 0 ? "nothing" : labels[a.Predicted],
            detail = a.Failure ?? (a.IsRight ? Text($"{HtmlReport.Percent(a.Probability)} sure") : Text($"{HtmlReport.Percent(a.Probability)} sure; the true class had {HtmlReport.Percent(a.LabelProbability)}")),
            path = a.Path,
        };

        string Confused(int actual)
        {
            int best = Enumerable.Range(0, labels.Count).Where(p => p != actual).DefaultIfEmpty(actual).MaxBy(p => confusion[actual, p]);
            return best != actual && confusion[actual, best] > 0 ? Text($"{labels[best]} ({confusion[actual, best]})") : "";
        }
    }

    // Columns are the classes shown, the others together, and no answer, where there are such.
    private static object Matrix(LabelMap labels, ConfusionMatrix confusion, int[] shown)
    {
        int[] rows = [.. shown.Where(a => confusion.Total(a) > 0)];
        int Others(int actual) => confusion.Total(actual) - confusion.Unanswered(actual) - shown.Sum(p => confusion[actual, p]);
        var columns = new List<(string Name, Func<int, int> Count, int Class)>(shown.Select(p => (labels[p], (Func<int, int>)(a => confusion[a, p]), p)));
        if (rows.Any(a => Others(a) > 0))
        {
            columns.Add(("another class", Others, -1));
        }

        if (rows.Any(a => confusion.Unanswered(a) > 0))
        {
            columns.Add(("no answer", confusion.Unanswered, -1));
        }

        return new
        {
            columns = columns.Select(c => c.Name).ToArray(),
            rows = rows.Select(actual => new
            {
                name = labels[actual],
                cells = columns.Select(column =>
                {
                    int count = column.Count(actual);
                    double share = (double)count / confusion.Total(actual);
                    return new
                    {
                        kind = count == 0 ? "" : (actual == column.Class ? "hit" : "miss") + (share > 0.55 ? " strong" : ""),
                        count = count == 0 ? "" : Text($"{count}"),
                        alpha = Text($"{0.15 + (0.85 * share):0.##}"),
                        tip = count == 0 ? "" : Text($"{labels[actual]} → {column.Name}: {count} of {confusion.Total(actual)}"),
                    };
                }).ToArray(),
            }).ToArray(),
        };
    }

    // Both classes of the most frequent confusions, in the order of the classes.
    private static int[] MostConfused(ConfusionMatrix confusion)
    {
        var chosen = new SortedSet<int>();
        foreach ((int actual, int predicted, _) in Wrong(confusion))
        {
            if (chosen.Count >= MostConfusedClasses)
            {
                break;
            }

            chosen.Add(actual);
            chosen.Add(predicted);
        }

        return [.. chosen];
    }

    private static object[] Confusions(LabelMap labels, ConfusionMatrix confusion) =>
        [.. Wrong(confusion).Take(MostConfusions).Select(w => (object)new { actual = labels[w.Actual], predicted = labels[w.Predicted], count = w.Count })];

    private static IEnumerable<(int Actual, int Predicted, int Count)> Wrong(ConfusionMatrix confusion) =>
        from actual in Enumerable.Range(0, confusion.Classes)
        from predicted in Enumerable.Range(0, confusion.Classes)
        where actual != predicted && confusion[actual, predicted] > 0
        orderby confusion[actual, predicted] descending
        select (actual, predicted, confusion[actual, predicted]);

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

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
