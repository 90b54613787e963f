using System.CommandLine;
using Kinora.Cli.Terminal;
using Kinora.Data;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora data ucf101</c>: PaddleVideo's lists of UCF101.</summary>
internal static class DataUcf101Command
{
    public static Command Create(Output output)
    {
        DataPreparation preparation = new();
        Option<DirectoryInfo?> frames = new("--frames") { Description = "A folder of extracted frames (data frames): its lists are written too.", HelpName = "folder" };
        Command command = new ExampleCommand(
            "ucf101",
            "Writes the lists of UCF101's three official splits under the names that PaddleVideo's recipes have.\n"
            + "UCF101.rar has to be unpacked with unrar first: RAR is a closed format.",
            "data ucf101 data/ucf101/ data/ucf101/", "data ucf101 data/ucf101/ data/ucf101/ --frames data/ucf101/rawframes")
        {
            frames,
        };
        preparation.AddTo(command);
        command.SetAction(async (parsed, ct) =>
        {
            await preparation.FetchAsync(parsed, output, ct).ConfigureAwait(false);
            string target = parsed.GetValue(preparation.Target)!.ToString();
            return DataPreparation.Print(output, Ucf101.Prepare(parsed.GetValue(preparation.Source)!.ToString(), target, parsed.GetValue(frames)?.ToString(), ct), target);
        });
        return command;
    }
}
