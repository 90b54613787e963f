using System.CommandLine;
using Kinora.Cli.Conversion;
using Kinora.Cli.Terminal;

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
}
