using Kinora.Testing;

namespace Kinora.Training.Tests;

public sealed class HtmlReportTests
{
    [Fact]
    public void Render_SampleRun_OneSelfContainedPage()
    {
        string page = HtmlReport.Render(SampleRun.Create());
        Assert.Contains("turn &lt;left&gt;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("turn <left>", page, StringComparison.Ordinal);
        Assert.Contains("<svg class=\"chart\"", page, StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme: dark", page, StringComparison.Ordinal);
        Assert.Contains("data:image/jpeg;base64,", page, StringComparison.Ordinal);
        Assert.DoesNotContain("{{", page, StringComparison.Ordinal);
        foreach (string outside in new[] { "http:", "https:", "<script", "<link", "@import", "NaN" })
        {
            Assert.DoesNotContain(outside, page, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public void Render_NothingEvaluated_StillAPage()
    {
        RunReport report = SampleRun.Create() with { Test = null, Validation = null, Epochs = [], BestEpoch = 0 };
        string page = HtmlReport.Render(report);
        Assert.DoesNotContain("Accuracy of each class", page, StringComparison.Ordinal);
        Assert.EndsWith("</html>\n", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_FourHundredClasses_ASmallPageWithTheMostConfusedOnes()
    {
        RunReport report = SampleRun.Create(classes: 400);
        for (int i = 0; i < 5 * 16; i++)
        {
            report.Test!.Confusion.Add(2 * (i % 16), (2 * (i % 16)) + 1);
        }

        report.Test!.Confusion.Add(0, 200);
        string page = HtmlReport.Render(report);
        Assert.InRange(page.Length, 50_000, 1_000_000);
        Assert.Contains("of 400 classes that are confused most", page, StringComparison.Ordinal);
        Assert.Contains("the 32 of 400", page, StringComparison.Ordinal);
        Assert.Contains("→ another class: 1 of ", page, StringComparison.Ordinal);
        Assert.All(report.Plan.Labels.Names.Skip(1), name => Assert.Contains($">{name}<", page, StringComparison.Ordinal));
        int cells = page.Split("<td").Length;
        Assert.True(cells < 8000, $"{cells} cells; the whole matrix would be 160000");
    }

    [Fact]
    public void Render_SeveralLabels_MeanAveragePrecisionInsteadOfConfusions()
    {
        RunReport report = SampleRun.Create();
        report = report with
        {
            Plan = report.Plan with { MultiLabel = true },
            Test = report.Test! with { MeanAveragePrecision = 0.812 },
            Epochs = [.. report.Epochs.Select(e => e with { ValidationMeanAveragePrecision = e.ValidationTop1 })],
        };
        string page = HtmlReport.Render(report);
        Assert.Contains("<b>81.2 %</b>", page, StringComparison.Ordinal);
        Assert.Contains("Mean average precision, %", page, StringComparison.Ordinal);
        Assert.DoesNotContain("Who was taken for whom", page, StringComparison.Ordinal);
        Assert.DoesNotContain("Wrong answers", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_ChangedConfiguration_ValueBesideDefaultAndTheSecondNetwork()
    {
        RunReport report = SampleRun.Create();
        TrainingConfig config = report.Plan.Config with
        {
            Distillation = new DistillationConfig { Kind = DistillationKind.Teacher, TeacherWeights = "runs/big", CacheScores = true },
            Optimizer = new OptimizerConfig { Kind = OptimizerKind.AdamW, LearningRate = 0.003, WeightDecay = 0.05 },
        };
        string page = HtmlReport.Render(report with { Plan = report.Plan with { Config = config } });
        Assert.Contains("""<tr><td>optimizer.weightDecay</td><td>0.05</td><td class="soft">0.0001</td></tr>""", page, StringComparison.Ordinal);
        Assert.Contains("""<tr><td>loop.epochs</td><td>24</td><td class="soft">auto</td></tr>""", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<tr><td>optimizer.momentum</td>", page, StringComparison.Ordinal);
        Assert.Contains("<td>AdamW, betas 0.9 and 0.999, weight decay 0.05</td>", page, StringComparison.Ordinal);
        Assert.Contains("<td>teacher runs/big, temperature 4, weight 1 beside 1 for the labels, its scores asked for once</td>", page, StringComparison.Ordinal);
        Assert.Contains(new string('b', 64), page, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_OneClassWithoutClips_NoDivisionByZero()
    {
        using var folder = new TemporaryFolder();
        HtmlReport.Write(folder["report.html"], SampleRun.Create(classes: 2));
        Assert.True(new FileInfo(folder["report.html"]).Length > 5000);

        // For looking at it: KINORA_SAMPLE_REPORT=/some/file.html keeps a copy.
        if (Environment.GetEnvironmentVariable("KINORA_SAMPLE_REPORT") is { Length: > 0 } copy)
        {
            HtmlReport.Write(copy, SampleRun.Create());
        }
    }
}
