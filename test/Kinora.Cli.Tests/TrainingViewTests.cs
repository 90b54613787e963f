using System.Text.RegularExpressions;
using Kinora.Cli.Terminal;
using Kinora.Training;

namespace Kinora.Cli.Tests;

public sealed partial class TrainingViewTests
{
    [Fact]
    public void Follow_NotATerminal_ATableWithALineAnEpoch()
    {
        string[] lines = Lines(Show(isInteractive: false));
        Assert.Equal("epoch     loss    top-1  val loss  val top-1        lr  clips/s  waiting", lines[0]);
        Assert.Equal("    1    1.500   40.0 %     1.250     62.5 %   0.01000     14.2      6 %  best", lines[1]);
        Assert.Equal("skipped, unreadable: x.mp4", lines[2]);
        Assert.Equal("    2    1.400   40.0 %         –          –   0.01000     14.2      6 %  2 unreadable clips", lines[3]);
        Assert.Equal(4, lines.Length);
        Assert.All(lines, l => Assert.DoesNotContain('\u001b', l));
    }

    [Fact]
    public void Follow_Terminal_TheTableStaysAndTheRestIsLive()
    {
        string text = Colour().Replace(Show(isInteractive: true), "");
        foreach (string part in new[]
        {
            "epoch     loss    top-1", "    1    1.500   40.0 %     1.250", "skipped, unreadable: x.mp4", "epoch 1/3  step 5/5  ━━━━", "━  33 %  20 s left",
            "loss 1.500  top-1  40.0 %  lr 0.01000  14.2 clips/s  waiting 6 %", "validation: 8 of 8 clips", "best so far: epoch 1, validation top-1 62.5 %, loss 1.250",
        })
        {
            Assert.Contains(part, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void LiveLines_LinesAboveAndChanges_TheScreenShowsEachOnceInOrder()
    {
        using var text = new StringWriter();
        using (var lines = new LiveLines(text, () => 12))
        {
            lines.WriteLine("first");
            lines.Show("one");
            lines.Show("\u001b[34mone\u001b[0m more than fits", "two", "three");
            lines.WriteLine("second");
            lines.Show("four");
            lines.WriteLine();
            lines.Show();
            lines.WriteLine("last");
        }

        Assert.Equal(["first", "second", "", "last", ""], Screen(text.ToString(), out int widest));
        Assert.Equal(11, widest);
    }

    // What a terminal shows after line feeds, returns, cursor up and erase below.
    private static string[] Screen(string text, out int widest)
    {
        var rows = new List<string> { "" };
        (int row, int column) = (0, 0);
        widest = 0;
        foreach (Match part in Parts().Matches(text))
        {
            switch (part.Value)
            {
                case "\n":
                    (row, column) = (row + 1, 0);
                    rows.AddRange(Enumerable.Repeat("", Math.Max(0, row + 1 - rows.Count)));
                    break;
                case "\r":
                    column = 0;
                    break;
                case "\u001b[J":
                    rows.RemoveRange(row + 1, rows.Count - row - 1);
                    rows[row] = rows[row][..column];
                    break;
                case [.., 'A'] when part.Value[0] == '\u001b':
                    row -= int.Parse(part.Value[2..^1], System.Globalization.CultureInfo.InvariantCulture);
                    break;
                case [.., 'm'] when part.Value[0] == '\u001b':
                    break;
                default:
                    Assert.Equal(column, rows[row].Length); // never over something
                    rows[row] += part.Value;
                    column++;
                    widest = Math.Max(widest, column);
                    break;
            }
        }

        return [.. rows];
    }

    [GeneratedRegex(@"\u001b\[\d*[A-Za-z]|[\s\S]")]
    private static partial Regex Parts();

    [GeneratedRegex(@"\u001b\[\d*m")]
    private static partial Regex Colour();

    [Fact]
    public void Follow_Json_StandardOutputStaysEmpty()
    {
        using StringWriter outText = new(), errText = new();
        TrainingView.Follow(new Output(outText, errText, isInteractive: false), asJson: true, Play);
        Assert.Equal("", outText.ToString());
        Assert.Contains("  best", errText.ToString(), StringComparison.Ordinal);
    }

    private static string Show(bool isInteractive)
    {
        using StringWriter outText = new(), errText = new();
        TrainingView.Follow(new Output(outText, errText, isInteractive), asJson: false, Play);
        Assert.Equal("", errText.ToString());
        return outText.ToString();
    }

    private static string[] Lines(string text) => text.TrimEnd().Split('\n');

    private static TrainingOutcome Play(IProgress<TrainingProgress> progress)
    {
        for (int step = 1; step <= 5; step++)
        {
            progress.Report(Step(1, step));
        }

        progress.Report(new TrainingProgress.Evaluating("validation", 8, 8));
        progress.Report(new TrainingProgress.EpochEnded(Epoch(1, 1.5, 1.25), IsBest: true));
        progress.Report(new TrainingProgress.Notice("skipped, unreadable: x.mp4"));
        progress.Report(Step(2, 5));
        progress.Report(new TrainingProgress.EpochEnded(Epoch(2, 1.4, null) with { Failures = 2 }, IsBest: false));
        return null!;
    }

    private static TrainingProgress.Step Step(int epoch, int step) => new()
    {
        Epoch = epoch,
        Epochs = 3,
        StepInEpoch = step,
        StepsPerEpoch = 5,
        Loss = 1.6,
        MeanLoss = 1.5,
        Accuracy = 0.4,
        LearningRate = 0.01,
        GradientNorm = 2,
        ClipsPerSecond = 14.2,
        LoaderShare = 0.06,
        Remaining = TimeSpan.FromSeconds(20),
    };

    private static EpochRecord Epoch(int epoch, double loss, double? validation) => new()
    {
        Epoch = epoch,
        TrainLoss = loss,
        TrainTop1 = 0.4,
        LearningRate = 0.01,
        ValidationLoss = validation,
        ValidationTop1 = validation is null ? null : 0.625,
        Failures = 0,
        ClipsPerSecond = 14.2,
        LoaderShare = 0.06,
        TrainSeconds = 5,
        EvaluationSeconds = 1,
    };
}
