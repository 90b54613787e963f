using System.Text;
using Kinora.Paddle;
using Kinora.Training;

namespace Kinora.Cli.Conversion;

/// <summary>What became of a recipe.</summary>
/// <param name="Input">PaddleVideo's file.</param>
/// <param name="Output">Kinora's file.</param>
/// <param name="Model">Catalogue name of the network.</param>
/// <param name="Ignored">What of the recipe has no effect, or another one than it says.</param>
/// <param name="OtherPurpose">What the recipe is for, where that isn't training.</param>
internal sealed record RecipeSummary(string Input, string Output, string Model, IReadOnlyList<IgnoredKey> Ignored, string? OtherPurpose);

/// <summary>PaddleVideo's recipes as Kinora's training configurations.</summary>
internal static class RecipeConversion
{
    /// <summary>Whether a path names a recipe or a configuration.</summary>
    /// <param name="path">Any path.</param>
    public static bool IsYaml(string path) => Path.GetExtension(path).ToUpperInvariant() is ".YAML" or ".YML";

    /// <summary>Converts a recipe.</summary>
    /// <param name="input">The recipe.</param>
    /// <param name="target">The configuration to create or replace.</param>
    /// <returns>What was converted.</returns>
    /// <exception cref="ConfigException">No recipe, or one that can't be trained here.</exception>
    public static RecipeSummary Run(string input, string target)
    {
        if (!IsYaml(target))
        {
            throw new ConfigException("convert: expected a .yaml file to write, as a recipe holds no weights", target);
        }

        if (!PaddleRecipe.IsRecipe(input))
        {
            throw new ConfigException("convert: expected a recipe of PaddleVideo's (sections MODEL, PIPELINE, DATASET, OPTIMIZER), found none of them", input);
        }

        PaddleTraining training = PaddleTraining.Read(input);
        AtomicFile.WriteText(target, Text(training, Path.GetFileName(input)));
        return new RecipeSummary(input, target, training.Config.Model.Name, training.Ignored, training.OtherPurpose);
    }

    /// <summary>The configuration, with what the recipe loses in comments above it.</summary>
    /// <param name="training">The recipe.</param>
    /// <param name="name">Its file's name.</param>
    public static string Text(PaddleTraining training, string name)
    {
        var text = new StringBuilder($"# Made from PaddleVideo's {name}; what isn't said here is Kinora's default.\n");
        if (training.OtherPurpose is { } purpose)
        {
            text.Append($"# The recipe is {purpose}.\n");
        }

        if (training.Config.Loop.Accumulate > 1)
        {
            text.Append("# loop.accumulate is for one process: divide it by the number of processes.\n");
        }

        if (training.ResumeEpoch > 0)
        {
            text.Append($"# resume_epoch: {training.ResumeEpoch}: go on with `kinora train --resume` instead.\n");
        }

        if (training.Ignored.Count > 0)
        {
            text.Append("#\n# Keys of the recipe that have no effect, or another one than they say:\n");
            foreach (IgnoredKey key in training.Ignored)
            {
                text.Append($"#   line {key.Line}, {OneLine(key.Key)}: {OneLine(key.Reason)}\n");
            }
        }

        return text.Append('\n').Append(ConfigYaml.WriteDifferences(training.Config)).ToString();

        // A line break would end the comment.
        static string OneLine(string s) => new([.. s.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c)]);
    }
}
