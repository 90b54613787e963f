using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kinora.Training;

/// <summary>Writes records as YAML.</summary>
internal static class ConfigWriter
{
    /// <summary>Writes every key.</summary>
    /// <param name="config">The configuration.</param>
    public static string Write(TrainingConfig config)
    {
        var text = new StringBuilder();
        Visit(config, 0, "", (depth, key, value) =>
        {
            text.Append(' ', 2 * depth).Append(key[(key.LastIndexOf('.') + 1)..]).Append(':').Append(value is null ? "" : " ").Append(value).Append('\n');
        });
        return text.ToString();
    }

    /// <summary>Writes every key, with a remark behind each value.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="remark">Gets key path and value; what it says stands in a comment.</param>
    public static string Write(TrainingConfig config, Func<string, string, string> remark)
    {
        var lines = new List<(string Text, string Remark)>();
        Visit(config, 0, "", (depth, key, value) => lines.Add((
            $"{new string(' ', 2 * depth)}{key[(key.LastIndexOf('.') + 1)..]}:{(value is null ? "" : " " + value)}",
            value is null ? "" : remark(key, value))));
        int width = Math.Min(48, lines.Max(l => l.Text.Length));
        var text = new StringBuilder();
        foreach ((string line, string said) in lines)
        {
            text.Append(said.Length == 0 ? line : $"{line.PadRight(width)}  # {said}").Append('\n');
        }

        return text.ToString();
    }

    /// <summary>Key paths and values of all that isn't keys itself.</summary>
    /// <param name="config">The configuration.</param>
    public static IReadOnlyList<(string Key, string Value)> Flatten(TrainingConfig config)
    {
        var values = new List<(string, string)>();
        Visit(config, 0, "", (_, key, value) =>
        {
            if (value is not null)
            {
                values.Add((key, value));
            }
        });
        return values;
    }

    /// <summary>A text as a YAML scalar.</summary>
    /// <param name="s">Any text.</param>
    /// <returns>Plain where it is harmless, else in double quotes, whose escapes are a superset of JSON's.</returns>
    public static string Quoted(string s)
    {
        bool plain = s.Length > 0 && char.IsLetter(s[0]) && s.All(c => char.IsLetterOrDigit(c) || c is '_' or '-' or '/' or '.')
            && s is not (ConfigReader.Auto or "null" or "true" or "false" or "yes" or "no" or "on" or "off");
        return plain ? s : $"\"{JsonEncodedText.Encode(s, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
    }

    // A value of null is the header of the keys that follow.
    private static void Visit(object record, int depth, string prefix, Action<int, string, string?> line)
    {
        foreach (PropertyInfo property in ConfigReader.Properties(record.GetType()))
        {
            object? value = property.GetValue(record);
            string key = prefix + ConfigReader.Camel(property.Name);
            if (value is null)
            {
                line(depth, key, ConfigReader.Auto);
            }
            else if (ConfigReader.IsRecord(value.GetType()))
            {
                line(depth, key, null);
                Visit(value, depth + 1, key + ".", line);
            }
            else
            {
                line(depth, key, value is IEnumerable items and not string ? $"[{string.Join(", ", items.Cast<object>().Select(ScalarText))}]" : ScalarText(value));
            }
        }
    }

    private static string ScalarText(object value) => value switch
    {
        bool b => b ? "true" : "false",
        double d => d.ToString("R", CultureInfo.InvariantCulture),
        float f => f.ToString("R", CultureInfo.InvariantCulture),
        Enum e => ConfigReader.Camel(e.ToString()),
        string s => Quoted(s),
        IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new NotSupportedException($"no YAML form for {value.GetType()}"),
    };
}
