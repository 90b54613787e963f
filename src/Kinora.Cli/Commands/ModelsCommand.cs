using System.CommandLine;
using Kinora.Cli.Terminal;
using Kinora.Models;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora models</c>: what can be trained.</summary>
internal static class ModelsCommand
{
    public static Command Create(Output output)
    {
        Command list = new ExampleCommand("list", "Lists the networks that can be trained.", "models list");
        list.SetAction(_ =>
        {
            int width = ModelCatalog.Entries.Max(e => e.Name.Length);
            foreach (ModelEntry entry in ModelCatalog.Entries)
            {
                string weights = entry.HasPretrainedWeights ? "ImageNet weights" : "random weights";
                string isDefault = entry.Name == ModelCatalog.DefaultName ? " (default)" : "";
                output.Out.WriteLine($"{output.Paint(entry.Name.PadRight(width), "1")}  {entry.Frames,2} × {entry.Size}²  {weights,-16}  {entry.Title}{isDefault}: {entry.Summary}");
            }

            return ExitCode.Success;
        });
        return new Command("models", "What can be trained.") { list, ModelsPullCommand.Create(output) };
    }
}
