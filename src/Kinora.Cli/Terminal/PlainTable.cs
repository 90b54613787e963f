using Spectre.Console;

namespace Kinora.Cli.Terminal;

/// <summary>Columns side by side without lines around them: readable on a terminal, easy to cut apart behind a pipe.</summary>
internal sealed class PlainTable
{
    private const int Unlimited = 10_000;

    private readonly Table _table = new Table().NoBorder();

    /// <summary>A table with headings.</summary>
    /// <param name="columns">Headings, those of right-aligned columns with a leading '&gt;'.</param>
    public PlainTable(params IEnumerable<string> columns)
    {
        foreach (string column in columns)
        {
            bool right = column.StartsWith('>');
            _table.AddColumn(new TableColumn(new Text(right ? column[1..] : column, new Style(decoration: Decoration.Dim)))
            {
                NoWrap = true,
                Alignment = right ? Justify.Right : Justify.Left,
                Padding = new Padding(0, 0, 2, 0),
            });
        }
    }

    /// <summary>Adds a line.</summary>
    /// <param name="bold">Makes its first cell stand out.</param>
    /// <param name="cells">One text a column.</param>
    public void Add(bool bold, params IEnumerable<string> cells) =>
        _table.AddRow(cells.Select((cell, i) => new Text(cell, bold && i == 0 ? new Style(decoration: Decoration.Bold) : null)));

    /// <summary>Writes the table: as wide as the terminal, or as wide as it is where none is.</summary>
    /// <param name="output">The command's streams.</param>
    public void Write(Output output)
    {
        if (output.IsInteractive)
        {
            output.Console.Write(_table);
            return;
        }

        using StringWriter text = new();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = Unlimited;
        console.Write(_table);
        foreach (string line in text.ToString().TrimEnd().Split('\n'))
        {
            output.Out.WriteLine(line.TrimEnd());
        }
    }
}
