using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Kinora.Cli.Terminal;
using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora models info</c>: one network, layer by layer.</summary>
internal static class ModelsInfoCommand
{
    private const int BarWidth = 8;
    private const int MaxUncounted = 8;

    public static Command Create(Output output)
    {
        Argument<string> name = new("name") { Description = "A network of 'kinora models list'." };
        Option<int?> frames = new("--frames") { Description = "Frames of a clip [default: the network's own]." };
        Option<int?> size = new("--size") { Description = "Side of the network's input, in pixels [default: the network's own]." };
        Option<int> classes = new("--classes") { Description = "Number of classes.", DefaultValueFactory = _ => ModelsCommand.UsualClasses };
        Option<int> depth = new("--depth") { Description = "How far down to show layers.", DefaultValueFactory = _ => 2 };
        Option<bool> json = new("--json") { Description = "Print everything as JSON, with all layers." };
        Command command = new ExampleCommand(
            "info",
            "Describes one network: the way from a video to its input, its layers with their output shapes, parameters and cost.\nParameters and cost are counted; a multiply-add counts one.",
            $"models info {ModelCatalog.DefaultName}", "models info pptsmv2 --frames 8 --classes 12 --depth 4", "models info tsn_r50 --json")
        {
            name, frames, size, classes, depth, json,
        };
        command.SetAction(parsed =>
        {
            ModelEntry entry = ModelCatalog.Find(parsed.GetValue(name)!);
            ModelOptions options = new(parsed.GetValue(classes), parsed.GetValue(frames), parsed.GetValue(size));
            NetworkCost cost = NetworkCost.Measure(entry.Name, options), exported = NetworkCost.Measure(entry.Name, options, merged: true);
            ClipSpec spec = Specification(entry, options);
            if (parsed.GetValue(json))
            {
                output.Out.WriteLine(JsonSerializer.Serialize(ToJson(entry, options, spec, cost, exported), CliJson.Default.ModelDescription));
            }
            else
            {
                Describe(output, entry, options, spec, cost, exported);
                PrintLayers(output, cost, Math.Max(1, parsed.GetValue(depth)));
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static ClipSpec Specification(ModelEntry entry, ModelOptions options)
    {
        using IDisposable shapes = ShapesOnly.Enable();
        using VideoNetwork network = ModelCatalog.Create(entry.Name, options);
        return network.EvaluationSpec;
    }

    private static void Describe(Output output, ModelEntry entry, ModelOptions options, ClipSpec spec, NetworkCost cost, NetworkCost exported)
    {
        output.Out.WriteLine($"{output.Paint(entry.Name, "1")}  {entry.Title}{(entry.Name == ModelCatalog.DefaultName ? " (the default)" : "")}");
        output.Out.WriteLine(entry.Summary);
        output.Out.WriteLine();
        Line("input", $"{cost.Input[1]} frames of {cost.Input[3]} × {cost.Input[4]} pixels, [N, {string.Join(", ", cost.Input.Skip(1))}]");
        foreach ((string step, string text) in ClipSpecText.Describe(spec))
        {
            Line(step, text);
        }

        Line("output", $"logits of {options.Classes} classes");
        Line("parameters", string.Create(CultureInfo.InvariantCulture, $"{ModelsCommand.Millions(cost.Parameters)} ({cost.Parameters * sizeof(float) / 1e6:0.0} MB in float32)"));
        Line("cost", string.Create(CultureInfo.InvariantCulture, $"{cost.GigaFlops:0.00} GFLOP a clip")
            + (exported.MultiplyAdds == cost.MultiplyAdds ? "" : string.Create(CultureInfo.InvariantCulture, $"; {exported.GigaFlops:0.00} as exported, training-time branches merged")));
        Line("weights", (ModelsCommand.WeightsLicence(entry) ?? "none that Kinora knows of") + (entry.HasPretrainedWeights ? ", from ImageNet; they travel with Kinora" : ""));
        IReadOnlyList<PublishedFigure> published = ModelsCommand.Published(entry);
        foreach (PublishedFigure figure in published)
        {
            Line(figure == published[0] ? "published" : "", string.Create(CultureInfo.InvariantCulture, $"{figure.Top1:0.00} %  {figure.Name}: {figure.Frames} frames, {figure.Views}"));
        }

        foreach (IGrouping<(string Data, string Source), PublishedFigure> figures in published.GroupBy(f => (f.Data, f.Source)))
        {
            Line("", $"top-1 on {figures.Key.Data}: PaddleVideo, {figures.Key.Source}");
        }

        output.Out.WriteLine();

        void Line(string key, string text) => output.Out.WriteLine($"{output.Paint(key.PadRight(12), "2")}{text}");
    }

    private static void PrintLayers(Output output, NetworkCost cost, int depth)
    {
        PlainTable table = new("layer", "output", ">parameters", ">GFLOP", ">share", "");
        foreach ((LayerCost layer, int level) in cost.Network.Flatten().Where(l => l.Depth >= 1 && l.Depth <= depth))
        {
            double share = cost.MultiplyAdds == 0 ? 0 : layer.MultiplyAdds / (double)cost.MultiplyAdds;
            table.Add(
                bold: level == 1,
                new string(' ', 2 * (level - 1)) + layer.Name[(layer.Name.LastIndexOf('.') + 1)..],
                layer.Output is null ? "" : string.Join(" × ", layer.Output),
                layer.Parameters == 0 ? "–" : layer.Parameters.ToString("#,0", CultureInfo.InvariantCulture),
                layer.MultiplyAdds == 0 ? "–" : (layer.MultiplyAdds / 1e9).ToString("0.000", CultureInfo.InvariantCulture),
                layer.MultiplyAdds == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.0} %"),
                ProbabilityBar.Draw(share, BarWidth).TrimEnd());
        }

        table.Write(output);
        output.Out.WriteLine();
        string others = string.Join(", ", cost.Uncounted.OrderByDescending(o => o.Value).Take(MaxUncounted).Select(o => $"{o.Value} {o.Key}"));
        output.Note($"GFLOP: 10⁹ multiply-adds of one clip. Not counted: {others}{(cost.Uncounted.Count > MaxUncounted ? ", …" : "")}.");
    }

    private static ModelDescription ToJson(ModelEntry entry, ModelOptions options, ClipSpec spec, NetworkCost cost, NetworkCost exported)
    {
        using JsonDocument clipSpec = JsonDocument.Parse(spec.ToJson());
        return new ModelDescription(
            entry.Name, entry.Title, entry.Summary, entry.Name == ModelCatalog.DefaultName, options.Classes, cost.Input, clipSpec.RootElement.Clone(),
            cost.Parameters, cost.MultiplyAdds, exported.MultiplyAdds, ModelsCommand.WeightsLicence(entry), ModelsCommand.Published(entry), cost.Uncounted,
            [.. cost.Network.Flatten().Skip(1).Select(l => new LayerDescription(l.Layer.Name, l.Layer.Kind, l.Layer.Output, l.Layer.Parameters, l.Layer.MultiplyAdds))]);
    }
}
