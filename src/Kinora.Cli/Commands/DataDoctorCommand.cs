using System.CommandLine;
using System.Text.Json;
using Kinora.Cli.Reports;
using Kinora.Cli.Terminal;
using Kinora.Data;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora data doctor</c>: what is wrong with a data set.</summary>
internal static class DataDoctorCommand
{
    // Clips named of one kind of problem; the JSON has all.
    private const int Shown = 5;

    public static Command Create(Output output)
    {
        DoctorOptions defaults = new();
        DataInput input = new();
        Option<int> frames = new("--frames") { Description = "Frames that the network looks at; clips with fewer are reported.", DefaultValueFactory = _ => defaults.Frames };
        Option<bool> quick = new("--quick") { Description = "Decode a few frames of each clip only: damage elsewhere goes unseen." };
        Option<int> workers = new("--workers") { Description = "Clips read at a time; 0: one a core.", DefaultValueFactory = _ => defaults.Workers };
        Option<FileInfo?> report = new("--report") { Description = "Write one self-contained HTML page with pictures.", HelpName = "out.html" };
        Option<bool> json = new("--json") { Description = "Print everything as JSON." };
        Command command = new ExampleCommand(
            "doctor",
            "Examines a data set: files that can't be read, wrong lengths, gaps and imbalance of classes, videos that occur twice\n"
            + "(also re-encoded), clips that are too short. The exit code is 1 where something makes training fail or results wrong.",
            "data doctor my-clips/", "data doctor train.list --val-list val.list --prefix videos/ --suffix .avi --report problems.html", "data doctor my-clips.pack/ --json")
        {
            frames, quick, workers, report, json,
        };
        input.AddTo(command);
        command.SetAction((parsed, ct) =>
        {
            IReadOnlyList<(string Part, string Path)> lists = input.Lists(parsed);
            DoctorInput examined = lists.Count > 0 ? DoctorInput.OfLists(lists, input.ListOptions(parsed)) : DoctorInput.Of(input.Load(parsed).Splits);
            DoctorOptions options = new() { Frames = parsed.GetValue(frames), Quick = parsed.GetValue(quick), Workers = parsed.GetValue(workers) };
            DatasetReport found = null!;
            CountView.Follow(output, "reading clips", progress => found = DatasetDoctor.Examine(examined, options, progress, ct));
            if (parsed.GetValue(report) is { } page)
            {
                DatasetPage.Write(page.FullName, input.Name(parsed), found, ct);
                output.Note($"report: {page.FullName}");
            }

            if (parsed.GetValue(json))
            {
                output.Out.WriteLine(JsonSerializer.Serialize(found, DataJson.Default.DatasetReport));
            }
            else
            {
                Print(output, found);
            }

            return Task.FromResult(found.Count(ProblemLevel.Error) > 0 ? ExitCode.Failure : ExitCode.Success);
        });
        return command;
    }

    private static void Print(Output output, DatasetReport report)
    {
        foreach (PartFigures part in report.Parts)
        {
            string sizes = string.Join(", ", part.Sizes.Take(3).Select(s => $"{s.Width}x{s.Height}")) + (part.Sizes.Count > 3 ? $" and {part.Sizes.Count - 3} more" : "");
            output.Out.WriteLine(FormattableString.Invariant(
                $"{output.Paint(part.Name, "1")}: {part.Clips} clips of {part.PerClass.Count(n => n > 0)} classes, {part.Frames.Fewest} to {part.Frames.Most} frames (median {part.Frames.Median}), {part.Seconds / 60:0.0} min, {sizes}"));
        }

        foreach (IGrouping<(ProblemLevel Level, ProblemKind Kind), DatasetProblem> kind in report.Problems.GroupBy(p => (p.Level, p.Kind)))
        {
            string level = kind.Key.Level switch { ProblemLevel.Error => output.Paint("error  ", "31;1"), ProblemLevel.Warning => output.Paint("warning", "33"), _ => "note   " };
            output.Out.WriteLine();
            output.Out.WriteLine($"{level} {Title(kind.Key.Kind)}: {kind.Count()}");
            foreach (DatasetProblem problem in kind.Take(Shown))
            {
                string where = string.Join(", ", problem.Clips.Select(c => c.Path).Take(4)) + (problem.Clips.Count > 4 ? " …" : "");
                output.Out.WriteLine(where.Length > 0 ? $"  {where}: {problem.Message}" : $"  {problem.Message}");
            }

            if (kind.Count() > Shown)
            {
                output.Out.WriteLine($"  and {kind.Count() - Shown} more (--json and --report name all)");
            }
        }

        output.Out.WriteLine();
        output.Out.WriteLine(report.Problems.Count == 0
            ? "nothing is wrong"
            : $"{report.Count(ProblemLevel.Error)} errors, {report.Count(ProblemLevel.Warning)} warnings, {report.Count(ProblemLevel.Note)} notes");
    }

    /// <summary>What a kind of problem is called.</summary>
    /// <param name="kind">The kind.</param>
    /// <returns>A few words.</returns>
    public static string Title(ProblemKind kind) => kind switch
    {
        ProblemKind.ListLine => "lines of lists",
        ProblemKind.Missing => "paths that lead nowhere",
        ProblemKind.Unreadable => "files that are no readable videos",
        ProblemKind.Damaged => "videos that can't be decoded to their end",
        ProblemKind.Length => "lengths other than announced",
        ProblemKind.Classes => "classes without clips or with too few",
        ProblemKind.Balance => "unbalanced classes",
        ProblemKind.DuplicateAcrossParts => "videos in several parts",
        ProblemKind.Duplicate => "videos that occur twice",
        ProblemKind.SharedGroup => "persons or recordings in several parts",
        ProblemKind.Short => "clips with too few frames",
        ProblemKind.Portrait => "portrait clips",
        _ => "unusual frame rates",
    };
}
