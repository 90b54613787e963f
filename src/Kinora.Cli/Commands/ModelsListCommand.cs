using System.CommandLine;
using System.Text.Json;
using Kinora.Cli.Terminal;
using Kinora.Models;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora models list</c>: the networks side by side.</summary>
internal static class ModelsListCommand
{
    private const string DefaultMark = " *";
    private const int WidthForViews = 108;

    public static Command Create(Output output)
    {
        Option<bool> json = new("--json") { Description = "Print the networks as a JSON array." };
        Command command = new ExampleCommand(
            "list",
            "Lists the networks that can be trained: their size, what a clip costs, what others reached with them.\nParameters and cost are counted, for 400 classes; a multiply-add counts one.",
            "models list", "models list --json")
        {
            json,
        };
        command.SetAction(parsed =>
        {
            ModelSummary[] models = [.. ModelCatalog.Entries.Select(Summarize)];
            if (parsed.GetValue(json))
            {
                output.Out.WriteLine(JsonSerializer.Serialize(models, CliJson.Default.ModelSummaryArray));
            }
            else
            {
                Print(output, models);
            }

            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>One network, with its parameters and cost counted.</summary>
    /// <param name="entry">Its line of the catalogue.</param>
    /// <returns>The figures.</returns>
    private static ModelSummary Summarize(ModelEntry entry)
    {
        NetworkCost cost = NetworkCost.Measure(entry.Name, new ModelOptions(ModelsCommand.UsualClasses));
        return new ModelSummary(
            entry.Name, entry.Title, entry.Summary, entry.Name == ModelCatalog.DefaultName, entry.Frames, entry.Size,
            cost.Parameters, cost.MultiplyAdds, Math.Round(cost.GigaFlops, 3), ModelsCommand.WeightsLicence(entry), ModelsCommand.Published(entry));
    }

    private static void Print(Output output, ModelSummary[] models)
    {
        bool views = output.Width >= WidthForViews;
        PlainTable table = new(["network", ">parameters", ">GFLOP", ">clip", "weights", ">top-1", .. views ? ["measured on"] : Array.Empty<string>()]);
        foreach (ModelSummary model in models)
        {
            PublishedFigure? published = model.Published.Count > 0 ? model.Published[0] : null;
            table.Add(
                bold: true,
                [
                    model.Name + (model.Default ? DefaultMark : ""),
                    ModelsCommand.Millions(model.Parameters),
                    FormattableString.Invariant($"{model.Gflop:0.00}"),
                    $"{model.Frames} × {model.Size}²",
                    model.Weights ?? "–",
                    published is null ? "–" : FormattableString.Invariant($"{published.Top1:0.00} %"),
                    .. views ? [published?.Views ?? ""] : Array.Empty<string>(),
                ]);
        }

        table.Write(output);
        output.Out.WriteLine();
        output.Note("*        what 'kinora train' takes; about one network: kinora models info NAME");
        output.Note("GFLOP    10⁹ multiply-adds of one clip");
        output.Note("weights  licence of the project that publishes trained weights; fetch them: kinora models pull");
        foreach (IGrouping<string, PublishedFigure> data in models.Where(m => m.Published.Count > 0).Select(m => m.Published[0]).GroupBy(p => p.Data))
        {
            output.Note($"top-1    on {data.Key}, as published: PaddleVideo, {string.Join(", ", data.Select(p => Path.GetDirectoryName(p.Source)).Distinct())}");
        }
    }
}
