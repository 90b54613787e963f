using System.Globalization;
using System.Text.Json;
using Kinora.Data;
using Kinora.Media;
using Kinora.Training;

namespace Kinora.Cli.Reports;

/// <summary>A clip of a contact sheet: its pictures, or why there are none.</summary>
/// <param name="Path">Video or frame folder.</param>
/// <param name="Label">Its class.</param>
/// <param name="Preview">The pictures; null where the video can't be read.</param>
/// <param name="Error">Why; null where it can.</param>
internal sealed record PreviewedClip(string Path, string Label, ClipPreview? Preview, string? Error);

/// <summary>One self-contained HTML page with contact sheets of training clips: the plain frames, and what training makes of them.</summary>
internal static class PreviewReport
{
    private const int Quality = 85;

    /// <summary>Writes the page.</summary>
    /// <param name="path">The HTML file; replaced as a whole.</param>
    /// <param name="name">The data set.</param>
    /// <param name="labels">Classes.</param>
    /// <param name="options">How the clips were read.</param>
    /// <param name="clips">The clips.</param>
    /// <param name="ct">Stops between clips; nothing is written then.</param>
    public static void Write(string path, string name, LabelMap labels, ClipLoaderOptions options, IReadOnlyList<PreviewedClip> clips, CancellationToken ct)
    {
        using Stream template = typeof(PreviewReport).Assembly.GetManifestResourceStream("Kinora.Cli.Reports.preview.hbs")!;
        using StreamReader reader = new(template);
        var page = new
        {
            css = ReportStyle.Css,
            title = $"Training clips of {name}",
            summary = string.Create(CultureInfo.InvariantCulture, $"{clips.Count} clips · {options.Spec.Frames} frames of {options.Spec.Size} × {options.Spec.Size} · seed {options.Seed}, epoch 0 · kinora {Provenance.Version}"),
            clips = clips.Select(c => Describe(c, labels, ct)).ToArray(),
            spec = options.Spec.ToJson(),
            augmentation = JsonSerializer.Serialize(options.Augmentation, CliJson.Default.TrainingAugmentation),
        };
        AtomicFile.WriteText(path, ReportStyle.Render(reader.ReadToEnd(), page));
    }

    private static object Describe(PreviewedClip clip, LabelMap labels, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        if (clip.Preview is not { } preview)
        {
            return new { path = clip.Path, label = clip.Label, number = "", error = clip.Error, frames = Array.Empty<int>(), rows = Array.Empty<object>() };
        }

        var rows = new List<object> { Row("plain", clip.Label, preview.Plain) };
        rows.AddRange(preview.Views.Select((view, i) => Row(string.Create(CultureInfo.InvariantCulture, $"view {i + 1}"), labels[view.Label], view.Pixels)));
        return new
        {
            path = clip.Path,
            label = clip.Label,
            number = string.Create(CultureInfo.InvariantCulture, $"clip {preview.SampleIndex} of the data set"),
            error = (string?)null,
            frames = preview.FrameIndices,
            rows,
        };

        // The class is worth saying where mirroring made another of it.
        object Row(string name, string label, byte[] pixels)
        {
            int frame = preview.Size * preview.Size * 3;
            return new
            {
                name,
                label = label == clip.Label ? "" : label,
                pictures = Enumerable.Range(0, preview.FrameIndices.Count)
                    .Select(t => Convert.ToBase64String(JpegImage.Encode(pixels.AsSpan(t * frame, frame), preview.Size, preview.Size, Quality)))
                    .ToArray(),
            };
        }
    }
}
