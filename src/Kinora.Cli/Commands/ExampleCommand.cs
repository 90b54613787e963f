using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Kinora.Cli.Commands;

/// <summary>A command whose help page ends with examples.</summary>
/// <param name="name">Its name.</param>
/// <param name="description">What it does.</param>
/// <param name="examples">Command lines without the leading "kinora".</param>
internal sealed class ExampleCommand(string name, string description, params string[] examples) : Command(name, description)
{
    /// <summary>Lets the help pages of a command tree end with their examples.</summary>
    /// <param name="root">The whole tree.</param>
    public static void ShowExamples(RootCommand root)
    {
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
    }

    private sealed class HelpWithExamples(HelpAction inner) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            int code = inner.Invoke(parseResult);
            if (parseResult.CommandResult.Command is ExampleCommand command)
            {
                TextWriter writer = parseResult.InvocationConfiguration.Output;
                writer.WriteLine(command.Examples.Count == 1 ? "Example:" : "Examples:");
                foreach (string example in command.Examples)
                {
                    writer.WriteLine($"  kinora {example}");
                }

                writer.WriteLine();
            }

            return code;
        }
    }

    /// <summary>The command lines, without the leading "kinora".</summary>
    public IReadOnlyList<string> Examples { get; } = examples;
}
