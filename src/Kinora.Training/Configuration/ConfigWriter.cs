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
    // Of a section that is written in one line.
    private const int LongestLine = 110;

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

    /// <summary>Writes the keys whose values aren't the defaults.</summary>
    /// <param name="config">The configuration.</param>
    public static string WriteDifferences(TrainingConfig config)
    {
        string[] sections = [.. Differences(config, new TrainingConfig(), [])];
        var text = new StringBuilder();
        for (int i = 0; i < sections.Length; i++)
        {
            // Sections stand apart; the single values before them stand together.
            bool apart = i > 0 && sections[i].Contains('\n', StringComparison.Ordinal);
            text.Append(apart ? "\n" : "").Append(sections[i]).Append('\n');
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
            && s is not (ConfigReader.Auto or ConfigReader.None or "null" or "true" or "false" or "yes" or "no" or "on" or "off");
        return plain ? s : $"\"{JsonEncodedText.Encode(s, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
    }

    // One text a key: a line, or a header with the lines below it. What is read back begins at the defaults of the section's
    // own type, which needn't be the values that its owner has by default.
    private static IEnumerable<string> Differences(object record, object fresh, HashSet<string> required)
    {
        foreach (PropertyInfo property in ConfigReader.Properties(record.GetType()))
        {
            object? value = property.GetValue(record), standard = property.GetValue(fresh);
            if (!required.Contains(property.Name) && Text(value) == Text(standard))
            {
                continue;
            }

            string key = ConfigReader.Camel(property.Name);
            if (value is null || !ConfigReader.IsRecord(value.GetType()))
            {
                yield return $"{key}: {(value is null ? ConfigReader.NullOf(property) : Text(value))}";
                continue;
            }

            (object begun, HashSet<string> needed) = Fresh(value);
            string[] below = [.. Differences(value, begun, needed)];
            string line = $"{key}: {{{string.Join(", ", below)}}}";
            yield return below.Length == 0 || (record is not TrainingConfig && line.Length <= LongestLine && !line.Contains('\n', StringComparison.Ordinal))
                ? line
                : $"{key}:\n{string.Join('\n', below.Select(b => "  " + b.Replace("\n", "\n  ", StringComparison.Ordinal)))}";
        }
    }

    // What the reader makes of a section that holds only what it must, and the names of that.
    private static (object Record, HashSet<string> Required) Fresh(object record)
    {
        Type type = record.GetType();
        if (type.IsValueType)
        {
            return (Activator.CreateInstance(type)!, [.. ConfigReader.Properties(type).Select(p => p.Name)]);
        }

        if (type.GetConstructor(Type.EmptyTypes) is not null)
        {
            return (Activator.CreateInstance(type)!, []);
        }

        ConstructorInfo constructor = ConfigReader.Constructor(type);
        ParameterInfo[] parameters = constructor.GetParameters();
        object?[] values = [.. parameters.Select(p => p.HasDefaultValue ? p.DefaultValue : type.GetProperty(p.Name!)!.GetValue(record))];
        return (constructor.Invoke(values), [.. parameters.Where(p => !p.HasDefaultValue).Select(p => p.Name!)]);
    }

    private static string Text(object? value)
    {
        if (value is null)
        {
            return ConfigReader.Auto;
        }

        if (ConfigReader.IsRecord(value.GetType()))
        {
            var text = new StringBuilder();
            Visit(value, 0, "", (_, key, inner) => text.Append(key).Append('=').Append(inner).Append('\n'));
            return text.ToString();
        }

        return value is IEnumerable items and not string ? $"[{string.Join(", ", items.Cast<object>().Select(ScalarText))}]" : ScalarText(value);
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
                line(depth, key, ConfigReader.NullOf(property));
            }
            else if (ConfigReader.IsRecord(value.GetType()))
            {
                line(depth, key, null);
                Visit(value, depth + 1, key + ".", line);
            }
            else
            {
                line(depth, key, Text(value));
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
