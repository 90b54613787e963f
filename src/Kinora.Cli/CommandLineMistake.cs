using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;

namespace Kinora.Cli;

/// <summary>Says in one line what is wrong with a command line, with the nearest thing that would be right.</summary>
internal static partial class CommandLineMistake
{
    /// <summary>Finds the first mistake.</summary>
    /// <param name="parsed">The parsed command line.</param>
    /// <returns>One line, or null when there is no mistake or help was asked for.</returns>
    public static string? Describe(ParseResult parsed)
    {
        if (parsed.RootCommandResult.Command.Options.Any(o => o is HelpOption or VersionOption && parsed.GetResult(o) is { Implicit: false }))
        {
            return null;
        }

        Command command = parsed.CommandResult.Command;
        string help = $"see '{Path(parsed.CommandResult)} --help'";
        bool escaped = parsed.Tokens.Any(token => token.Type == TokenType.DoubleDash);
        foreach (Token token in parsed.Tokens)
        {
            // A command that takes many paths would swallow a misspelt option as one of them.
            if (!escaped && token.Type == TokenType.Argument && token.Value.Length > 1 && token.Value[0] == '-' && !double.TryParse(token.Value, out _))
            {
                string name = token.Value.Split('=', ':')[0];
                return $"unknown option '{name}'{NearestName.Suggestion(name, OptionNames(command))}; {help}";
            }
        }

        foreach (ParseError error in parsed.Errors)
        {
            if (parsed.UnmatchedTokens.Count > 0)
            {
                string word = parsed.UnmatchedTokens[0];
                string kind = word.StartsWith('-') ? "option" : command.Subcommands.Count > 0 ? "command" : "argument";
                IEnumerable<string> known = word.StartsWith('-') ? OptionNames(command) : command.Subcommands.Select(c => c.Name);
                return $"unknown {kind} '{word}'{NearestName.Suggestion(word, known)}; {help}";
            }

            return $"{Plain(error.Message)}; {help}";
        }

        return null;
    }

    // The parser names types of .NET where a value can't be read.
    private static string Plain(string message)
    {
        Match match = Unreadable().Match(message);
        return match.Success
            ? $"{match.Groups["what"].Value}: expected {Kind(match.Groups["type"].Value)}, found '{match.Groups["value"].Value}'"
            : message.TrimEnd('.');

        static string Kind(string type) => type switch
        {
            _ when type.Contains("UInt", StringComparison.Ordinal) => "a whole number, 0 or more",
            _ when type.Contains("Int", StringComparison.Ordinal) => "a whole number",
            _ when type.Contains("Double", StringComparison.Ordinal) || type.Contains("Single", StringComparison.Ordinal) => "a number",
            _ when type.Contains("Boolean", StringComparison.Ordinal) => "true or false",
            _ => "another value",
        };
    }

    [GeneratedRegex("^Cannot parse argument '(?<value>.*)' for (?<what>.*?) as expected type '(?<type>.*)'", RegexOptions.CultureInvariant)]
    private static partial Regex Unreadable();

    private static IEnumerable<string> OptionNames(Command command) =>
        command.Options.SelectMany(o => o.Aliases.Append(o.Name)).Where(n => n.StartsWith('-'));

    private static string Path(CommandResult result)
    {
        string name = result.Parent is CommandResult parent ? $"{Path(parent)} {result.Command.Name}" : "kinora";
        return name;
    }
}
