using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using Kinora.Cli.Terminal;
using Kinora.Media;
using Kinora.Onnx;
using Kinora.Tensors;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora doctor</c>: what is installed, what the machine can do, what is missing and how to get it.</summary>
internal static class DoctorCommand
{
    /// <summary>Processor features that change how fast Kinora is, by their name in /proc/cpuinfo.</summary>
    private static readonly (string Flag, string Meaning)[] Features =
    [
        ("avx2", "vector pixels"), ("avx512f", "wide vectors"), ("avx512_vnni", "fast int8"), ("avx512_bf16", "fast bfloat16 training"),
        ("amx_tile", "matrix unit"), ("amx_bf16", "matrix unit, bfloat16"), ("avx_vnni", "fast int8"),
    ];

    public static Command Create(Output output)
    {
        Option<bool> json = new("--json") { Description = "Print the findings as JSON." };
        Command command = new ExampleCommand(
            "doctor",
            "Says what is installed, which processor features and providers are there, and what is missing and how to get it.\nExits with 1 when something that classifying needs is missing.",
            "doctor")
        {
            json,
        };
        command.SetAction(parsed =>
        {
            List<Finding> findings = [.. Examine()];
            if (parsed.GetValue(json))
            {
                output.Out.WriteLine(JsonSerializer.Serialize(findings, DoctorJson.Default.ListFinding));
            }
            else
            {
                Write(output, findings);
            }

            return findings.Any(f => f.State == FindingState.Missing) ? ExitCode.Failure : ExitCode.Success;
        });
        return command;
    }

    private static void Write(Output output, List<Finding> findings)
    {
        int width = findings.Max(f => f.What.Length);
        foreach (Finding finding in findings)
        {
            string mark = finding.State switch
            {
                FindingState.Fine => output.Paint("ok     ", "32"),
                FindingState.Optional => output.Paint("not yet", "33"),
                _ => output.Paint("missing", "31"),
            };
            output.Out.WriteLine($"{mark}  {finding.What.PadRight(width)}  {finding.Found}");
            if (finding.Remedy is not null)
            {
                output.Out.WriteLine($"{new string(' ', width + 11)}{output.Paint(finding.Remedy, "2")}");
            }
        }
    }

    private static IEnumerable<Finding> Examine()
    {
        yield return new Finding("Kinora", FindingState.Fine, Provenance.Version, null);
        yield return new Finding("system", FindingState.Fine, $"{RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}", null);
        yield return Processor();
        yield return Memory();
        yield return Probe("FFmpeg", true, "./kinora doctor, run from the checkout, installs and builds it", () => VideoReader.LibraryVersions);
        yield return Probe("ONNX Runtime", true, "npm ci --ignore-scripts in the checkout, then ./kinora doctor", () => $"{OnnxRuntimeLibrary.Version}, {OnnxRuntimeLibrary.Location}");
        yield return Providers();
        yield return Probe("libtorch", false, "fetched when you first train; ahead of that: eng/build.sh train", () => $"{Torch.Version}, bfloat16 training {(Autocast.IsSupported ? "yes" : "no (not native to this processor)")}");
        yield return BundledFile("demonstration model", BundledFiles.Model);
        yield return BundledFile("ImageNet weights", BundledFiles.ImageNetWeights);
    }

    private static Finding Processor()
    {
        IReadOnlySet<string> flags = Machine.ProcessorFlags;
        string features = string.Join(", ", Features.Where(f => flags.Contains(f.Flag)).Select(f => f.Flag));
        return new Finding("processor", FindingState.Fine, $"{Machine.ProcessorName}, {Environment.ProcessorCount} threads; {(features.Length > 0 ? features : "no vector features that matter")}", null);
    }

    private static Finding Memory() =>
        new("memory", FindingState.Fine, $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9:0.0} GB", null);

    private static Finding Providers()
    {
        try
        {
            IReadOnlyList<string> all = OnnxRuntimeLibrary.Providers;
            return new Finding("providers", FindingState.Fine, string.Join(", ", all.Select(p => p.Replace("ExecutionProvider", "", StringComparison.Ordinal))), null);
        }
        catch (NativeException)
        {
            return new Finding("providers", FindingState.Optional, "unknown without ONNX Runtime", null);
        }
    }

    private static Finding Probe(string what, bool needed, string remedy, Func<string> describe)
    {
        try
        {
            return new Finding(what, FindingState.Fine, describe(), null);
        }
        catch (NativeException e)
        {
            return new Finding(what, needed ? FindingState.Missing : FindingState.Optional, e.Message, remedy);
        }
    }

    private static Finding BundledFile(string what, string? path) => path is null
        ? new Finding(what, FindingState.Missing, "not beside the program", "clone the repository whole: it belongs to models/")
        : new Finding(what, FindingState.Fine, $"{path} ({new FileInfo(path).Length / 1e6:0.0} MB)", null);
}
