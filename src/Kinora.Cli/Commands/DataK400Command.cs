using System.CommandLine;
using Kinora.Cli.Terminal;
using Kinora.Data;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora data k400</c>: PaddleVideo's lists of Kinetics-400.</summary>
internal static class DataK400Command
{
    public static Command Create(Output output)
    {
        DataPreparation preparation = new();
        Command command = new ExampleCommand(
            "k400",
            "Writes train.list, val.list and the class names of Kinetics from its official annotations (CSV or JSON).\n"
            + "Videos are found by name, ID_000010_000020.mp4, in whatever folders they are; those that are missing are counted and named.",
            "data k400 data/k400/ data/k400/", "data k400 data/k400/ data/k400/ --url https://example.com/annotations.tar.gz");
        preparation.AddTo(command);
        command.SetAction(async (parsed, ct) =>
        {
            await preparation.FetchAsync(parsed, output, ct).ConfigureAwait(false);
            string target = parsed.GetValue(preparation.Target)!.ToString();
            PreparationReport report = Kinetics.Prepare(parsed.GetValue(preparation.Source)!.ToString(), target, ct);
            int code = DataPreparation.Print(output, report, target);
            output.Out.WriteLine($"recipes: data_prefix: {report.Videos}");
            return code;
        });
        return command;
    }
}
