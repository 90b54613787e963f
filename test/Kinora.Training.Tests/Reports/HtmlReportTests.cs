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
