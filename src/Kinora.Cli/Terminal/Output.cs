using System.Text;
using Spectre.Console;

namespace Kinora.Cli.Terminal;

/// <summary>The two text streams of a command: what was asked for, and what is said about it.</summary>
/// <param name="outWriter">Standard output: the answer.</param>
/// <param name="errWriter">Standard error: notes, progress and mistakes.</param>
/// <param name="isInteractive">Whether standard output is a terminal, so colours and live progress make sense.</param>
internal sealed class Output(TextWriter outWriter, TextWriter errWriter, bool isInteractive)
{
    private readonly Lazy<IAnsiConsole> _console = new(() => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Ansi = isInteractive ? AnsiSupport.Detect : AnsiSupport.No,
        Interactive = isInteractive ? InteractionSupport.Detect : InteractionSupport.No,
        Out = new AnsiConsoleOutput(outWriter),
    }));

    /// <summary>Standard output.</summary>
    public TextWriter Out { get; } = outWriter;

    /// <summary>Standard error.</summary>
    public TextWriter Err { get; } = errWriter;

    /// <summary>Whether a person watches.</summary>
    public bool IsInteractive { get; } = isInteractive;

    /// <summary>Columns of the terminal; no limit where none is.</summary>
    public int Width => IsInteractive ? Console.Profile.Width : int.MaxValue;

    /// <summary>Tables and live progress. Loaded only when used: a plain answer starts faster without it.</summary>
    public IAnsiConsole Console => _console.Value;

    /// <summary>The process's own streams.</summary>
    /// <returns>UTF-8 writers over standard output and error.</returns>
    public static Output System()
    {
        UTF8Encoding utf8 = new(encoderShouldEmitUTF8Identifier: false);
        return new Output(
            new StreamWriter(global::System.Console.OpenStandardOutput(), utf8) { AutoFlush = true },
            new StreamWriter(global::System.Console.OpenStandardError(), utf8) { AutoFlush = true },
            !global::System.Console.IsOutputRedirected && !global::System.Console.IsErrorRedirected);
    }

    /// <summary>Says one line about what is going on.</summary>
    /// <param name="text">The line.</param>
    public void Note(string text) => Err.WriteLine(Paint(text, "2"));

    /// <summary>Says in one line what went wrong.</summary>
    /// <param name="text">Operation, expected, found, file, what to do.</param>
    public void Error(string text) => Err.WriteLine($"{Paint("kinora:", "31;1")} {text.ReplaceLineEndings(" ")}");

    /// <summary>Wraps text in a terminal colour when a person watches.</summary>
    /// <param name="text">The text.</param>
    /// <param name="code">SGR code, such as "1" for bold.</param>
    /// <returns>The text, coloured or as it is.</returns>
    public string Paint(string text, string code) => IsInteractive ? $"\u001b[{code}m{text}\u001b[0m" : text;
}
