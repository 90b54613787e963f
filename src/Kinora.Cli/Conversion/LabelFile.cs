using System.Globalization;

namespace Kinora.Cli.Conversion;

/// <summary>Reads a text file of class names: one a line, in class order, or each after its number, in any order.</summary>
internal static class LabelFile
{
    private static readonly char[] Separators = [' ', '\t', ',', ':'];

    /// <summary>Reads the names.</summary>
    /// <param name="path">The file.</param>
    /// <param name="classes">Number of classes of the model.</param>
    /// <returns>The names, in class order.</returns>
    /// <exception cref="ConfigException">The file can't be read, or doesn't name each class once.</exception>
    public static LabelMap Read(string path, int classes)
    {
        string[] lines;
        try
        {
            lines = [.. File.ReadAllLines(path).Select(l => l.Trim()).Where(l => l.Length > 0)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"labels: {e.Message}", path, e);
        }

        if (lines.Length != classes)
        {
            throw new ConfigException($"labels: expected {classes} names, one a line, found {lines.Length}", path);
        }

        return new LabelMap(ByNumber(lines) ?? lines);
    }

    // Kinetics' own list is "0 abseiling", "1 air_drumming" …; a name may start with a number, but not all with different ones from 0 on.
    private static string[]? ByNumber(string[] lines)
    {
        var names = new string[lines.Length];
        foreach (string line in lines)
        {
            int end = line.IndexOfAny(Separators);
            if (end < 1
                || !int.TryParse(line.AsSpan(0, end), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                || number >= names.Length || names[number] is not null)
            {
                return null;
            }

            names[number] = line[(end + 1)..].TrimStart(Separators);
        }

        return names;
    }
}
