using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Kinora.Training;

/// <summary>
/// Reads and writes records as YAML: one key a property, in camelCase; enum values in camelCase; <c>auto</c> for null.
/// Unknown keys are errors that name the key's path, its line and the nearest known name.
/// </summary>
public static class ConfigYaml
{
    private const string Auto = "auto";

    /// <summary>Reads a training configuration from a file.</summary>
    /// <param name="path">YAML file.</param>
    /// <returns>The configuration, checked.</returns>
    /// <exception cref="ConfigException">Unreadable file, bad YAML, unknown keys, or values out of range.</exception>
    public static TrainingConfig Load(string path)
    {
        TrainingConfig config = Read(path);
        config.Validate(path);
        return config;
    }

    /// <summary>As <see cref="Load"/>, without checking ranges: for a file that options still complete.</summary>
    /// <param name="path">YAML file.</param>
    /// <returns>The configuration; keys that are not given keep their defaults.</returns>
    /// <exception cref="ConfigException">Unreadable file, bad YAML, unknown keys, or values of another type.</exception>
    public static TrainingConfig Read(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"training configuration: cannot be read: {e.Message}", path, e);
        }

        return Parse(text, path);
    }

    /// <summary>Reads a training configuration from text, without checking ranges.</summary>
    /// <param name="yaml">YAML text.</param>
    /// <param name="path">The file it comes from, for messages.</param>
    /// <returns>The configuration; keys that are not given keep their defaults.</returns>
    /// <exception cref="ConfigException">Bad YAML, unknown keys, or values of another type.</exception>
    public static TrainingConfig Parse(string yaml, string? path = null)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException e)
        {
            throw new ConfigException($"training configuration: line {e.Start.Line}: {e.Message}", path, e);
        }

        return stream.Documents.Count switch
        {
            0 => new TrainingConfig(),
            1 => (TrainingConfig)ReadRecord(stream.Documents[0].RootNode, typeof(TrainingConfig), "", path),
            _ => throw new ConfigException($"training configuration: expected one YAML document, found {stream.Documents.Count}", path),
        };
    }

    /// <summary>Writes a training configuration as text that <see cref="Parse"/> reads back to an equal record.</summary>
    /// <param name="config">The configuration.</param>
    /// <returns>YAML text with every key.</returns>
    public static string Write(TrainingConfig config)
    {
        var text = new StringBuilder();
        WriteRecord(text, config, 0);
        return text.ToString();
    }

    private static object ReadRecord(YamlNode node, Type type, string keyPath, string? path)
    {
        object record = Activator.CreateInstance(type)!;
        if (node is YamlScalarNode { Value: null or "" or "~" or "null" })
        {
            return record; // A key with nothing below it: the defaults.
        }

        if (node is not YamlMappingNode mapping)
        {
            throw Wrong(node, keyPath.Length == 0 ? "the top level" : keyPath, "keys with values", path);
        }

        PropertyInfo[] properties = Properties(type);
        foreach ((YamlNode keyNode, YamlNode value) in mapping.Children)
        {
            string key = (keyNode as YamlScalarNode)?.Value ?? "";
            string full = keyPath.Length == 0 ? key : $"{keyPath}.{key}";
            PropertyInfo? property = Array.Find(properties, p => Camel(p.Name) == key);
            if (property is null)
            {
                IEnumerable<string> known = properties.Select(p => Camel(p.Name));
                string hint = NearestName.Find(key, known) is string near
                    ? $"did you mean '{near}'?"
                    : $"expected one of {string.Join(", ", known)}";
                throw new ConfigException($"training configuration: line {keyNode.Start.Line}: unknown key '{full}'; {hint}", path);
            }

            property.SetValue(record, ReadValue(value, property, full, path));
        }

        return record;
    }

    private static object? ReadValue(YamlNode node, PropertyInfo property, string keyPath, string? path)
    {
        Type type = property.PropertyType;
        if (ItemType(type) is Type itemType)
        {
            if (node is not YamlSequenceNode sequence)
            {
                throw Wrong(node, keyPath, "a list", path);
            }

            Array items = Array.CreateInstance(itemType, sequence.Children.Count);
            for (int i = 0; i < items.Length; i++)
            {
                items.SetValue(ReadScalar(sequence.Children[i], itemType, $"{keyPath}[{i}]", path), i);
            }

            return items;
        }

        if (IsRecord(type))
        {
            return ReadRecord(node, type, keyPath, path);
        }

        bool nullable = Nullable.GetUnderlyingType(type) is not null
            || new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable;
        if (nullable && node is YamlScalarNode { Style: ScalarStyle.Plain, Value: Auto or "" or "~" or "null" })
        {
            return null;
        }

        return ReadScalar(node, Nullable.GetUnderlyingType(type) ?? type, keyPath, path);
    }

    private static object ReadScalar(YamlNode node, Type type, string keyPath, string? path)
    {
        if (node is not YamlScalarNode { Value: string text })
        {
            throw Wrong(node, keyPath, "a single value", path);
        }

        CultureInfo culture = CultureInfo.InvariantCulture;
        if (type == typeof(string))
        {
            return text;
        }

        if (type == typeof(bool))
        {
            return text switch
            {
                "true" or "True" or "yes" or "on" => true,
                "false" or "False" or "no" or "off" => false,
                _ => throw Wrong(node, keyPath, "true or false", path),
            };
        }

        if (type == typeof(int))
        {
            return int.TryParse(text, NumberStyles.Integer, culture, out int value) ? value : throw Wrong(node, keyPath, "a whole number", path);
        }

        if (type == typeof(ulong))
        {
            return ulong.TryParse(text, NumberStyles.None, culture, out ulong value) ? value : throw Wrong(node, keyPath, "a whole number, 0 or more", path);
        }

        if (type == typeof(double))
        {
            return double.TryParse(text, NumberStyles.Float, culture, out double value) && double.IsFinite(value)
                ? value
                : throw Wrong(node, keyPath, "a number", path);
        }

        if (type.IsEnum)
        {
            string[] names = Enum.GetNames(type);
            string? name = Array.Find(names, n => Camel(n) == text);
            return name is not null
                ? Enum.Parse(type, name)
                : throw Wrong(node, keyPath, $"one of {string.Join(", ", names.Select(Camel))}", path);
        }

        throw new NotSupportedException($"{keyPath}: no YAML form for {type}");
    }

    private static void WriteRecord(StringBuilder text, object record, int indent)
    {
        foreach (PropertyInfo property in Properties(record.GetType()))
        {
            object? value = property.GetValue(record);
            text.Append(' ', indent).Append(Camel(property.Name)).Append(':');
            if (value is not null && IsRecord(property.PropertyType))
            {
                text.Append('\n');
                WriteRecord(text, value, indent + 2);
            }
            else if (value is IEnumerable items and not string)
            {
                text.Append(" [").AppendJoin(", ", items.Cast<object>().Select(ScalarText)).Append("]\n");
            }
            else
            {
                text.Append(' ').Append(value is null ? Auto : ScalarText(value)).Append('\n');
            }
        }
    }

    private static string ScalarText(object value) => value switch
    {
        bool b => b ? "true" : "false",
        double d => d.ToString("R", CultureInfo.InvariantCulture),
        Enum e => Camel(e.ToString()),
        string s => Quote(s),
        IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new NotSupportedException($"no YAML form for {value.GetType()}"),
    };

    // Letters, digits and a few harmless signs stay plain; all else becomes a double-quoted scalar, whose escapes are
    // a superset of JSON's.
    private static string Quote(string s)
    {
        bool plain = s.Length > 0 && char.IsLetter(s[0]) && s.All(c => char.IsLetterOrDigit(c) || c is '_' or '-' or '/' or '.')
            && s is not (Auto or "null" or "true" or "false" or "yes" or "no" or "on" or "off");
        return plain ? s : $"\"{System.Text.Json.JsonEncodedText.Encode(s, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
    }

    private static PropertyInfo[] Properties(Type type) =>
        [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite)];

    private static bool IsRecord(Type type) => type.IsClass && type != typeof(string) && ItemType(type) is null;

    private static Type? ItemType(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;

    private static string Camel(string name) => char.ToLowerInvariant(name[0]) + name[1..];

    private static ConfigException Wrong(YamlNode node, string keyPath, string expected, string? path)
    {
        string found = node switch
        {
            YamlScalarNode scalar => $"'{scalar.Value}'",
            YamlSequenceNode => "a list",
            _ => "keys with values",
        };
        return new ConfigException($"training configuration: line {node.Start.Line}: {keyPath}: expected {expected}, found {found}", path);
    }
}
