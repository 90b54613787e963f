using System.CommandLine;
using Kinora.Cli.Terminal;
using Kinora.Data.Synthetic;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora data</c>: data sets.</summary>
internal static class DataCommand
{
    public static Command Create(Output output) => new("data", "Makes, checks, splits and packs data sets.")
    {
        CreateSynthetic(output),
        DataDoctorCommand.Create(output),
        DataFramesCommand.Create(output),
        DataK400Command.Create(output),
        DataListCommand.Create(output),
        DataPackCommand.Create(output),
        DataPreviewCommand.Create(output),
        DataUcf101Command.Create(output),
    };

    private static Command CreateSynthetic(Output output)
    {
        SyntheticOptions defaults = new();
        Argument<DirectoryInfo> folder = new("out") { Description = "The folder to make." };
        Option<ulong> seed = new("--seed") { Description = "Seed; the same seed gives the same bytes.", DefaultValueFactory = _ => defaults.Seed };
        Option<int> train = new("--train") { Description = "Training clips of each action.", DefaultValueFactory = _ => defaults.TrainClipsPerClass };
        Option<int> validation = new("--val") { Description = "Validation clips of each action.", DefaultValueFactory = _ => defaults.ValidationClipsPerClass };
        Option<int> test = new("--test") { Description = "Test clips of each action.", DefaultValueFactory = _ => defaults.TestClipsPerClass };
        Option<string[]> actions = new("--actions")
        {
            Description = $"Which actions, with commas between them, of: {string.Join(", ", SyntheticMotions.AllActions)} [default: {string.Join(",", SyntheticMotions.DefaultActions)}].",
            AllowMultipleArgumentsPerToken = true,
            HelpName = "names",
        };
        Option<int> width = new("--width") { Description = "Picture width in pixels.", DefaultValueFactory = _ => defaults.Width };
        Option<int> height = new("--height") { Description = "Picture height in pixels.", DefaultValueFactory = _ => defaults.Height };
        Option<double> difficulty = new("--difficulty") { Description = "Noise, occlusion and distraction: 0 none, 1 the usual, at most 2.", DefaultValueFactory = _ => defaults.Difficulty };
        Option<bool> flat = new("--flat") { Description = "One folder of clips with list files instead of class folders." };
        Command command = new ExampleCommand(
            "synth",
            "Renders labelled clips of an articulated figure: data to try everything on.\nSome actions come in pairs that differ only in time order (sit_down and stand_up, say).",
            "data synth motions/", "data synth motions/ --seed 7 --train 40 --val 8 --test 8")
        {
            folder, seed, train, validation, test, actions, width, height, difficulty, flat,
        };
        command.SetAction((parsed, ct) =>
        {
            SyntheticOptions options = defaults with
            {
                Seed = parsed.GetValue(seed),
                TrainClipsPerClass = parsed.GetValue(train),
                ValidationClipsPerClass = parsed.GetValue(validation),
                TestClipsPerClass = parsed.GetValue(test),
                Actions = Names(parsed.GetValue(actions)),
                Width = parsed.GetValue(width),
                Height = parsed.GetValue(height),
                Difficulty = parsed.GetValue(difficulty),
                Layout = parsed.GetValue(flat) ? SyntheticLayout.Flat : defaults.Layout,
            };
            string target = parsed.GetValue(folder)!.ToString();
            CountView.Follow(output, "rendering", progress =>
                SyntheticMotions.Generate(target, options, new Relay<SyntheticProgress>(p => progress(p.Done, p.Total)), ct));
            output.Out.WriteLine($"{target}: {options.Actions.Count} actions, {options.Actions.Count * (options.TrainClipsPerClass + options.ValidationClipsPerClass + options.TestClipsPerClass)} clips");
            output.Out.WriteLine($"next: kinora train {Shell.Quote(target)}");
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    // "a,b", "a b" and the option given twice mean the same; without it, the defaults.
    private static string[] Names(string[]? given) => given is { Length: > 0 }
        ? [.. given.SelectMany(g => g.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))]
        : [.. SyntheticMotions.DefaultActions];
}
