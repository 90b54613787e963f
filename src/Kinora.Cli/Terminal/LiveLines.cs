using System.Text;

namespace Kinora.Cli.Terminal;

/// <summary>The end of a terminal: its last lines change in place, and what is written appears above them.</summary>
/// <param name="terminal">A terminal that understands ANSI sequences.</param>
/// <param name="width">Its columns at a moment.</param>
internal sealed class LiveLines(TextWriter terminal, Func<int> width) : StringWriter
{
    private const string EraseBelow = "\u001b[J";
    private string[] _lines = [];

    /// <summary>Columns of this process's terminal; 80 where it has none.</summary>
    public static int TerminalWidth()
    {
        try
        {
            return Console.WindowWidth > 0 ? Console.WindowWidth : 80;
        }
        catch (IOException)
        {
            return 80;
        }
    }

    /// <summary>Shows other lines in place of those shown.</summary>
    /// <param name="lines">Lines, cut off at the terminal's edge; with none the place is given back.</param>
    public void Show(params string[] lines)
    {
        string erase = Erase();
        _lines = lines;
        terminal.Write(erase + Visible());
        terminal.Flush();
    }

    /// <inheritdoc/>
    public override void WriteLine(string? value)
    {
        terminal.Write($"{Erase()}{value}{Environment.NewLine}{Visible()}");
        terminal.Flush();
    }

    /// <inheritdoc/>
    public override void WriteLine() => WriteLine("");

    /// <summary>Cuts a text off so that it fits on one line of a terminal.</summary>
    /// <param name="line">Text, perhaps with colours.</param>
    /// <param name="columns">Most characters that are seen.</param>
    /// <returns>The text; colours end with it.</returns>
    internal static string Cut(string line, int columns)
    {
        var text = new StringBuilder();
        int seen = 0;
        for (int i = 0; i < line.Length; i++)
        {
            if (line[i] == '\u001b')
            {
                int end = line.IndexOf('m', i);
                text.Append(line, i, end - i + 1);
                i = end;
            }
            else if (seen++ < columns)
            {
                text.Append(line[i]);
            }
        }

        return text.ToString();
    }

    // The cursor stands behind the last of them. The last column stays free: writing there makes some terminals wrap.
    private string Visible()
    {
        int columns = Math.Max(1, width() - 1);
        return string.Join(Environment.NewLine, _lines.Select(l => Cut(l, columns)));
    }

    private string Erase() => _lines.Length == 0 ? "" : _lines.Length == 1 ? $"\r{EraseBelow}" : $"\r\u001b[{_lines.Length - 1}A{EraseBelow}";
}
