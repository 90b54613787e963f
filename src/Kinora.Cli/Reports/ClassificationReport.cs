using System.Text.Json;
using HandlebarsDotNet;
using Kinora.Onnx;

namespace Kinora.Cli.Reports;

/// <summary>One self-contained HTML page about classified clips: frames, probabilities, timings and how the clips were read.</summary>
internal static class ClassificationReport
{
    /// <summary>Writes the page.</summary>
    /// <param name="path">The HTML file; replaced as a whole.</param>
    /// <param name="classifier">The classifier that gave the outcomes.</param>
    /// <param name="outcomes">What became of each clip.</param>
    public static void Write(string path, VideoClassifier classifier, IReadOnlyList<ClipOutcome> outcomes)
    {
        using Stream template = typeof(ClassificationReport).Assembly.GetManifestResourceStream("Kinora.Cli.Reports.classification.hbs")!;
        using StreamReader reader = new(template);
        ClassificationResult[] results = [.. outcomes.Where(o => o.Succeeded).Select(o => o.Result!)];
        double seconds = results.Sum(r => r.Timings.TotalMilliseconds) / 1000;
        Dictionary<string, object?> page = new()
        {
            ["title"] = outcomes.Count == 1 ? Path.GetFileName(outcomes[0].Path) : $"{outcomes.Count} clips",
            ["summary"] = $"{classifier.Model.Labels.Count} classes · model {Path.GetFileName(classifier.ModelPath)} · "
                + $"{results.Length} clips in {seconds:0.00} s of work"
                + (results.Length < outcomes.Count ? $" · {outcomes.Count - results.Length} could not be read" : "") + $" · kinora {Provenance.Version}",
            ["clips"] = outcomes.Select(Describe).ToArray(),
            ["spec"] = Indent(classifier.Model.Spec.ToJson()),
            ["provenance"] = classifier.Model.Provenance is { } provenance ? Indent(provenance) : "The model file doesn't say where it comes from.",
        };
        AtomicFile.WriteText(path, Handlebars.Create().Compile(reader.ReadToEnd())(page));
    }

    private static Dictionary<string, object?> Describe(ClipOutcome outcome)
    {
        if (!outcome.Succeeded)
        {
            return new() { ["name"] = outcome.Path, ["error"] = outcome.Failure.Message };
        }

        ClassificationResult result = outcome.Result;
        double rate = result.Duration > TimeSpan.Zero ? result.FrameCount / result.Duration.TotalSeconds : 0;
        return new()
        {
            ["name"] = outcome.Path,
            ["frames"] = result.Thumbnails.Zip(result.FrameIndices, (jpeg, index) => new Dictionary<string, object?>
            {
                ["jpeg"] = Convert.ToBase64String(jpeg.Span),
                ["index"] = index,
                ["seconds"] = rate > 0 ? $"{index / rate:0.00}" : "?",
            }).ToArray(),
            ["predictions"] = result.Predictions.Select(p => new Dictionary<string, object?>
            {
                ["label"] = p.Label,
                ["percent"] = $"{100 * p.Probability:0.00}",
            }).ToArray(),
            ["decode"] = $"{result.Timings.DecodeMilliseconds:0.0}",
            ["pixels"] = $"{result.Timings.PixelsMilliseconds:0.0}",
            ["network"] = $"{result.Timings.NetworkMilliseconds:0.0}",
            ["size"] = $"{result.Width} × {result.Height}{(result.Rotation != 0 ? $", turned by {result.Rotation}°" : "")}",
            ["length"] = $"{result.FrameCount} frames{(result.Duration > TimeSpan.Zero ? $", {result.Duration.TotalSeconds:0.0} s" : "")}",
        };
    }

    private static string Indent(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        using MemoryStream buffer = new();
        using (Utf8JsonWriter writer = new(buffer, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            document.WriteTo(writer);
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }
}
