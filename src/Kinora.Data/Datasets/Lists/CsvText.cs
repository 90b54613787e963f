using System.Text;

namespace Kinora.Data;

/// <summary>Comma-separated values by RFC 4180: fields in double quotes may hold commas, quotes (doubled) and line breaks.</summary>
internal static class CsvText
{
    /// <summary>Reads records.</summary>
    /// <param name="text">The file, without byte order mark.</param>
    /// <returns>The fields of each record with the number of its first line; empty lines are passed over.</returns>
    /// <exception cref="ListLineException">A quote that isn't closed, or stands inside a field without quotes.</exception>
    public static IEnumerable<(int Line, string[] Fields)> Read(string text)
    {
        int at = 0, line = 1;
        while (at < text.Length)
        {
            int first = line;
            var fields = new List<string>();
            bool more = true;
            while (more)
            {
                fields.Add(at < text.Length && text[at] == '"' ? Quoted(text, ref at, ref line) : Plain(text, ref at, line));
                more = at < text.Length && text[at] == ',';
                at += more ? 1 : 0;
            }

            if (at < text.Length)
            {
                at += text[at] == '\r' && at + 1 < text.Length && text[at + 1] == '\n' ? 2 : 1;
                line++;
            }

            if (fields.Count > 1 || fields[0].Length > 0)
            {
                yield return (first, [.. fields]);
            }
        }
    }

    /// <summary>Writes a field, in quotes where it needs them.</summary>
    /// <param name="field">Any text.</param>
    /// <returns>The field as it stands in a file.</returns>
    public static string Field(string field) =>
        field.AsSpan().IndexOfAny(",\"\r\n") >= 0 || field.StartsWith(' ') || field.EndsWith(' ') || field.StartsWith('\uFEFF')
            ? $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : field;

    private static string Plain(string text, ref int at, int line)
    {
        int length = text.AsSpan(at).IndexOfAny(",\r\n");
        string field = length < 0 ? text[at..] : text.Substring(at, length);
        at += field.Length;
        return field.Contains('"', StringComparison.Ordinal)
            ? throw new ListLineException(line, $"expected a field with quotes to begin with one and to double those inside, found '{Excerpt.Of(field)}'")
            : field;
    }

    private static string Quoted(string text, ref int at, ref int line)
    {
        int first = line;
        var field = new StringBuilder();
        for (at++; at < text.Length; at++)
        {
            char c = text[at];
            if (c == '"')
            {
                if (at + 1 == text.Length || text[at + 1] != '"')
                {
                    at++;
                    return at == text.Length || text[at] is ',' or '\r' or '\n'
                        ? field.ToString()
                        : throw new ListLineException(line, $"expected a comma after the closing quote, found '{text[at]}'");
                }

                at++;
            }
            else if (c == '\n')
            {
                line++;
            }

            field.Append(c);
        }

        throw new ListLineException(first, "expected a closing quote, found the end of the file");
    }
}

/// <summary>Text for messages.</summary>
internal static class Excerpt
{
    private const int Longest = 40;

    /// <summary>The beginning of a text, on one line.</summary>
    public static string Of(string text) => (text.Length <= Longest ? text : text[..Longest] + "…").ReplaceLineEndings(" ");
}
