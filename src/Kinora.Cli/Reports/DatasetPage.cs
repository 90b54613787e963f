using HandlebarsDotNet;
using Kinora.Cli.Commands;
using Kinora.Data;
using Kinora.Media;

namespace Kinora.Cli.Reports;

/// <summary>One self-contained HTML page about a data set: its classes, and what is wrong with it, with pictures.</summary>
internal static class DatasetPage
{
    // A page must stay small enough to be opened.
    private const int MaxPictures = 300, ShortSide = 96, Quality = 75, MaxClips = 200;

    /// <summary>Writes the page.</summary>
    /// <param name="path">The HTML file; replaced as a whole.</param>
    /// <param name="name">What was examined.</param>
    /// <param name="report">What was found.</param>
    /// <param name="ct">Stops between pictures.</param>
    public static void Write(string path, string name, DatasetReport report, CancellationToken ct)
    {
        using Stream template = typeof(DatasetPage).Assembly.GetManifestResourceStream("Kinora.Cli.Reports.dataset.hbs")!;
        using StreamReader reader = new(template);
        int most = Math.Max(1, report.Parts.SelectMany(p => p.PerClass).DefaultIfEmpty().Max()), pictures = 0;
        Dictionary<string, object?> page = new()
        {
            ["title"] = name,
            ["summary"] = $"{report.Parts.Sum(p => p.Clips)} clips · {report.Classes.Count} classes · {report.Count(ProblemLevel.Error)} errors, {report.Count(ProblemLevel.Warning)} warnings, {report.Count(ProblemLevel.Note)} notes · kinora {Provenance.Version}",
            ["parts"] = report.Parts.Select(p => new Dictionary<string, object?>
            {
                ["name"] = p.Name,
                ["clips"] = p.Clips,
                ["unreadable"] = p.Unreadable,
                ["frames"] = $"{p.Frames.Fewest} – {p.Frames.Median} – {p.Frames.Most}",
                ["minutes"] = FormattableString.Invariant($"{p.Seconds / 60:0.0}"),
                ["sizes"] = string.Join(", ", p.Sizes.Take(4).Select(s => $"{s.Width}×{s.Height} ({s.Clips})")),
            }).ToArray(),
            ["classes"] = report.Classes.Select((label, c) => new Dictionary<string, object?>
            {
                ["label"] = label,
                ["counts"] = report.Parts.Select(p => new Dictionary<string, object?> { ["count"] = p.PerClass[c], ["percent"] = FormattableString.Invariant($"{100.0 * p.PerClass[c] / most:0.0}") }).ToArray(),
            }).ToArray(),
            ["kinds"] = report.Problems.GroupBy(p => (p.Level, p.Kind)).Select(kind => new Dictionary<string, object?>
            {
                ["title"] = DataDoctorCommand.Title(kind.Key.Kind),
                ["level"] = kind.Key.Level.ToString().ToLowerInvariant(),
                ["count"] = kind.Count(),
                ["more"] = kind.Count() > MaxClips ? kind.Count() - MaxClips : null,
                ["problems"] = kind.Take(MaxClips).Select(problem => new Dictionary<string, object?>
                {
                    ["message"] = problem.Message,
                    ["clips"] = problem.Clips.Select(Describe).ToArray(),
                }).ToArray(),
            }).ToArray(),
        };
        AtomicFile.WriteText(path, Handlebars.Create().Compile(reader.ReadToEnd())(page));

        Dictionary<string, object?> Describe(ProblemClip clip)
        {
            ct.ThrowIfCancellationRequested();
            byte[]? jpeg = pictures < MaxPictures ? Picture(clip.Path, ct) : null;
            pictures += jpeg is null ? 0 : 1;
            return new() { ["path"] = clip.Path, ["part"] = clip.Part, ["label"] = clip.Label, ["jpeg"] = jpeg is null ? null : Convert.ToBase64String(jpeg) };
        }
    }

    // The middle frame, small; null where it can't be decoded.
    private static byte[]? Picture(string path, CancellationToken ct)
    {
        try
        {
            if (DatasetFolder.IsVideoName(path) || Directory.Exists(path))
            {
                using IFrameSource source = FrameSource.Open(path, cancellationToken: ct);
                byte[] frame = new byte[source.Width * source.Height * 3];
                source.ReadFrames([source.FrameCount / 2], frame, ct);
                FrameScaler scaler = new(new ResizeSpec(ResizeRule.KeepAspectTruncate, ShortSide), source.Width, source.Height);
                byte[] small = new byte[scaler.Width * scaler.Height * 3];
                scaler.Scale(frame, small);
                return JpegImage.Encode(small, scaler.Width, scaler.Height, Quality);
            }
        }
        catch (MediaException)
        {
            // The message beside the empty place says why.
        }

        return null;
    }
}
