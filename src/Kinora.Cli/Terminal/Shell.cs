namespace Kinora.Cli.Terminal;

/// <summary>Commands that are printed so that somebody copies them.</summary>
internal static class Shell
{
    /// <summary>Writes an argument so that a POSIX shell, and PowerShell, takes it as one word and changes nothing in it.</summary>
    /// <param name="argument">A path or another argument.</param>
    /// <returns>The argument, in single quotes where it has to be.</returns>
    /// <remarks>Letters and digits of any script are plain; a leading '-' is no matter of quotes.</remarks>
    public static string Quote(string argument) =>
        argument.Length > 0 && argument.All(c => char.IsLetterOrDigit(c) || c is '/' or '.' or '_' or '-' or '+' or ':' or '@' or '%' or '=' || (c == '\\' && OperatingSystem.IsWindows()))
            ? argument
            : $"'{argument.Replace("'", OperatingSystem.IsWindows() ? "''" : "'\\''", StringComparison.Ordinal)}'";
}
