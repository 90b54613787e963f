namespace Kinora.Cli.Terminal;

/// <summary>Commands that are printed for people to copy.</summary>
internal static class Shell
{
    /// <summary>A word as a POSIX shell takes it.</summary>
    /// <param name="word">Any text, such as a path.</param>
    /// <returns>The text itself where it is harmless, else in single quotes.</returns>
    public static string Quote(string word) =>
        word.Length > 0 && word.All(c => char.IsLetterOrDigit(c) || c is '/' or '.' or '_' or '-' or '+' or ':' or ',' or '@' or '%' or '=')
            ? word
            : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
