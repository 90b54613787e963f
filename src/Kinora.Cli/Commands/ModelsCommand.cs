using System.CommandLine;
using Kinora.Cli.Conversion;
using Kinora.Cli.Terminal;
using Kinora.Models;
using Kinora.Paddle;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora models</c>: what can be trained.</summary>
internal static class ModelsCommand
{
    /// <summary>Classes of Kinetics-400, for which networks are usually described.</summary>
    public const int UsualClasses = 400;

    public static Command Create(Output output) => new("models", "Networks: what can be trained, what they cost, what can be fetched.")
    {
        ModelsListCommand.Create(output),
        ModelsInfoCommand.Create(output),
        ModelsPullCommand.Create(output, PulledConversion.Run),
    };

    /// <summary>A number of parameters as tables show it.</summary>
    /// <param name="parameters">How many.</param>
    /// <returns>Such as "24.33 M".</returns>
    public static string Millions(long parameters) => FormattableString.Invariant($"{parameters / 1e6:0.00} M");

    /// <summary>The published classifiers of a network whose accuracy is known.</summary>
    /// <param name="entry">The network.</param>
    /// <returns>Those for its own number of frames first, otherwise in the order of the list.</returns>
    public static IReadOnlyList<PublishedFigure> Published(ModelEntry entry) =>
    [
        .. PublishedModels.Entries
            .Where(m => m.Architecture == entry.Name && m is { Use: PublishedUse.Classifier, Accuracy: not null, Options: not null })
            .OrderBy(m => m.Options!.Frames == entry.Frames ? 0 : 1)
            .Select(m => new PublishedFigure(
                m.Name, m.Title, m.Options!.Frames, m.Accuracy!.Data, m.Accuracy.Top1, m.Accuracy.Top5, m.Accuracy.Views, m.Accuracy.Source)),
    ];

    /// <summary>The licence of the project that publishes trained weights for a network; null when there are none.</summary>
    /// <param name="entry">The network.</param>
    public static string? WeightsLicence(ModelEntry entry) => entry.HasPretrainedWeights
        ? ModelCatalog.PretrainedLicence
        : PublishedModels.Entries.Any(m => m.Architecture == entry.Name) ? PublishedModels.Licence : null;
}
