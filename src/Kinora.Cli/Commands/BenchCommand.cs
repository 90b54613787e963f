using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Kinora.Cli.Benchmarks;
using Kinora.Cli.Terminal;
using Kinora.Models;
using Kinora.Onnx;
using Spectre.Console;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora bench</c>: how fast things are on this machine.</summary>
internal static class BenchCommand
{
    private const double BusyShare = 0.8;

    public static Command Create(Output output) => new("bench", "Measures speed on this machine.") { CreateModels(output) };

    private static Command CreateModels(Output output)
    {
        Argument<string[]> names = new("names") { Arity = ArgumentArity.ZeroOrMore, Description = "Networks of 'kinora models list' [default: all]." };
        Option<int[]> threads = new("--threads", "-t")
        {
            Description = "Numbers of threads, each measured.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => Environment.ProcessorCount > 1 ? [1, 2] : [1],
        };
        Option<int?> frames = new("--frames") { Description = "Frames of a clip [default: each network's own]." };
        Option<int?> size = new("--size") { Description = "Side of the input, in pixels [default: each network's own]." };
        Option<double> seconds = new("--seconds") { Description = "Time for measuring one network; each is measured at least once.", DefaultValueFactory = _ => 10 };
        Option<string> cache = new("--cache") { Description = "Folder that keeps exported networks.", DefaultValueFactory = _ => RandomNetworks.DefaultFolder };
        Option<bool> json = new("--json") { Description = "Print the result as JSON; progress goes to standard error." };
        threads.Validators.Add(result =>
        {
            if (result.Tokens.Any(t => int.TryParse(t.Value, CultureInfo.InvariantCulture, out int count) && count is < 1 or > 1024))
            {
                result.AddError($"{threads.Name}: expected numbers from 1 to 1024, found {string.Join(' ', result.Tokens.Select(t => t.Value))}");
            }
        });
        Command command = new ExampleCommand(
            "models",
            "Times networks in ONNX Runtime: milliseconds of one clip in float32, and how much of the processor's peak that is.\n"
            + "Weights are random; each network is exported once and kept. The peak is measured in the same run, by a matrix product of Kinora's own.",
            "bench models", "bench models pptsmv2 tsn_r50 --threads 1 4 --seconds 30", "bench models --json > speed.json")
        {
            names, threads, frames, size, seconds, cache, json,
        };
        command.SetAction((parsed, ct) => Task.FromResult(Run(parsed, ct)));
        return command;

        int Run(ParseResult parsed, CancellationToken ct)
        {
            string[] chosen = parsed.GetValue(names) is { Length: > 0 } given ? [.. given.Distinct()] : [.. ModelCatalog.Entries.Select(e => e.Name)];
            foreach (string name in chosen)
            {
                _ = ModelCatalog.Find(name);
            }

            ModelOptions options = new(RandomNetworks.Classes, parsed.GetValue(frames), parsed.GetValue(size));
            options.Validate();
            using ModelsBenchmark benchmark = new([.. parsed.GetValue(threads)!.Distinct()], parsed.GetValue(seconds), parsed.GetValue(cache)!);
            List<NetworkTiming> timings = [];
            bool cancelled = false;
            try
            {
                Follow(output, parsed.GetValue(json), chosen, (name, progress) => timings.Add(benchmark.Run(name, options, progress, ct)));
            }
            catch (OperationCanceledException) when (timings.Count > 0)
            {
                cancelled = true;    // what was measured until then is worth showing
            }

            ModelsBenchReport report = ModelsBenchReport.Create(OnnxRuntimeLibrary.Version, benchmark.Peaks, timings);
            if (parsed.GetValue(json))
            {
                output.Out.WriteLine(JsonSerializer.Serialize(report, CliJson.Default.ModelsBenchReport));
            }
            else
            {
                Print(output, report);
            }

            foreach (NetworkTiming failed in timings.Where(t => t.Error is not null))
            {
                output.Error($"bench {failed.Name}: {failed.Error}");
            }

            return cancelled ? throw new OperationCanceledException(ct) : timings.Any(t => t.Error is not null) ? ExitCode.Failure : ExitCode.Success;
        }
    }

    // A spinner for a person, a line for each network elsewhere.
    private static void Follow(Output output, bool asJson, string[] names, Action<string, IProgress<string>> measure)
    {
        if (output.IsInteractive && !asJson)
        {
            output.Console.Status().Start("", status => Each((name, i, step) => status.Status = Markup.Escape($"{i + 1} of {names.Length}  {name}: {step}")));
            return;
        }

        string last = "";
        Each((name, i, step) =>
        {
            if (last != name)
            {
                last = name;
                output.Note($"{i + 1} of {names.Length}  {name}");
            }
        });

        void Each(Action<string, int, string> show)
        {
            foreach ((int i, string name) in names.Index())
            {
                measure(name, new Relay<string>(step => show(name, i, step)));
            }
        }
    }

    private static void Print(Output output, ModelsBenchReport report)
    {
        PlainTable table = new("network", ">GFLOP", ">threads", ">ms", ">GFLOP/s", ">of peak", ">rounds");
        foreach (NetworkTiming network in report.Networks)
        {
            foreach ((int i, ThreadTiming timing) in network.Threads.Index())
            {
                table.Add(
                    bold: true,
                    i == 0 ? network.Name : "",
                    i == 0 ? Number(network.MultiplyAdds / 1e9, "0.00") : "",
                    Number(timing.Threads, "0"),
                    Number(timing.Milliseconds, "0.0"),
                    Number(timing.GflopPerSecond, "0.0"),
                    $"{Number(100 * timing.PeakShare, "0")} %",
                    Number(timing.Rounds, "0"));
            }
        }

        table.Write(output);
        output.Out.WriteLine();
        string[] version = report.Kinora.Split('+');
        string commit = version.Length > 1 ? $" ({version[1][..Math.Min(7, version[1].Length)]})" : "";
        output.Note($"{report.Processor}; Kinora {version[0]}{commit}, ONNX Runtime {report.OnnxRuntime}, float32; {report.Date}");
        output.Note($"measured peak: {string.Join(", ", report.Peaks.Select(p => $"{Number(p.GflopPerSecond, "0.0")} GFLOP/s with {p.Threads} thread{(p.Threads == 1 ? "" : "s")}"))}");
        if (report.Peaks.Any(p => p.SustainedGflopPerSecond < BusyShare * p.GflopPerSecond))
        {
            output.Note("Other programs were busy meanwhile (the probe kept up far less than its best): these times are too long.");
        }

        output.Note("A multiply-add counts one, as in 'kinora models list'; data sheets of processors count two.");

        static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
    }
}
