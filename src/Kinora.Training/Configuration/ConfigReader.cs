using System.Globalization;
using System.Reflection;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Kinora.Training;

/// <summary>Binds a YAML tree to records: by properties, or by the constructor's parameters where a record has no other.</summary>
internal sealed class ConfigReader(string? path, IReadOnlyDictionary<YamlNode, string> origins)
{
    /// <summary>What stands for null where the plan chooses.</summary>
    public const string Auto = "auto";

    /// <summary>What stands for null where there is nothing of the kind.</summary>
    public const string None = "none";

    /// <summary>Binds the root.</summary>
    /// <typeparam name="T">The record.</typeparam>
    /// <param name="root">Keys with values.</param>
    public T Read<T>(YamlMappingNode root)
        where T : class => (T)ReadRecord(root, typeof(T), "");

    /// <summary>What a message says was found.</summary>
    /// <param name="node">The value.</param>
    public static string Found(YamlNode node) => node switch
    {
        YamlScalarNode scalar => $"'{scalar.Value}'",
        YamlSequenceNode => "a list",
        _ => "keys with values",
    };

    /// <summary>The properties that are keys.</summary>
    /// <param name="type">The record.</param>
    public static PropertyInfo[] Properties(Type type) =>
        [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite)];

    /// <summary>How a property's null is written.</summary>
    /// <param name="property">A property that may be null.</param>
    public static string NullOf(PropertyInfo property) => property.IsDefined(typeof(NoneAttribute)) ? None : Auto;

    /// <summary>Whether a type is keys with values.</summary>
    /// <param name="type">Type of a property.</param>
    public static bool IsRecord(Type type) => !type.IsEnum && !type.IsPrimitive && type != typeof(string) && ItemType(type) is null
        && Nullable.GetUnderlyingType(type) is null && type.Namespace?.StartsWith(nameof(Kinora), StringComparison.Ordinal) == true;

    /// <summary>Type of a list's items; null for what is no list.</summary>
    /// <param name="type">Type of a property.</param>
    public static Type? ItemType(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;

    /// <summary>The constructor that a record without an empty one is made by.</summary>
    /// <param name="type">The record.</param>
    public static ConstructorInfo Constructor(Type type) => type.GetConstructors().MaxBy(c => c.GetParameters().Length)!;

    /// <summary>A name as a key.</summary>
    /// <param name="name">Name of a property or an enum value.</param>
    public static string Camel(string name) => char.ToLowerInvariant(name[0]) + name[1..];

    /// <summary>Refuses a key path that leads nowhere.</summary>
    /// <param name="key">Such as <c>loop.epochs</c>.</param>
    /// <param name="origin">Who names it, for the message.</param>
    /// <exception cref="ConfigException">No such key.</exception>
    public static void RequireKey(string key, string origin)
    {
        Type type = typeof(TrainingConfig);
        string[] parts = key.Split('.');
        for (int i = 0; i < parts.Length; i++)
        {
            PropertyInfo[] properties = IsRecord(type) ? Properties(type) : [];
            PropertyInfo property = Array.Find(properties, p => Camel(p.Name) == parts[i])
                ?? throw new ConfigException($"training configuration: {origin}: unknown key '{key}'; {Hint(parts[i], properties)}");
            type = property.PropertyType;
        }
    }

    private static string Hint(string key, PropertyInfo[] properties)
    {
        string[] known = [.. properties.Select(p => Camel(p.Name))];
        return NearestName.Find(key, known) is string near ? $"did you mean '{near}'?"
            : known.Length == 0 ? "there is nothing below it"
            : $"expected one of {string.Join(", ", known)}";
    }

    private object ReadRecord(YamlNode node, Type type, string keyPath)
    {
        if (node is YamlScalarNode { Value: null or "" or "~" or "null" })
        {
            node = new YamlMappingNode(); // A key with nothing below it: the defaults.
        }

        if (node is not YamlMappingNode mapping)
        {
            throw Wrong(node, keyPath, "keys with values");
        }

        PropertyInfo[] properties = Properties(type);
        var values = new Dictionary<PropertyInfo, object?>();
        foreach ((YamlNode keyNode, YamlNode value) in mapping.Children)
        {
            string key = (keyNode as YamlScalarNode)?.Value ?? "";
            string full = keyPath.Length == 0 ? key : $"{keyPath}.{key}";
            PropertyInfo property = Array.Find(properties, p => Camel(p.Name) == key)
                ?? throw new ConfigException($"training configuration: {Place(keyNode)}: unknown key '{full}'; {Hint(key, properties)}", path);
            values[property] = ReadValue(value, property, full);
        }

        object record = Construct(type, values, mapping, keyPath);
        foreach ((PropertyInfo property, object? value) in values)
        {
            property.SetValue(record, value);
        }

        return record;
    }

    // Takes what it uses out of the values.
    private object Construct(Type type, Dictionary<PropertyInfo, object?> values, YamlNode node, string keyPath)
    {
        if (type.IsValueType || type.GetConstructor(Type.EmptyTypes) is not null)
        {
            return Activator.CreateInstance(type)!;
        }

        ConstructorInfo constructor = Constructor(type);
        return constructor.Invoke([.. constructor.GetParameters().Select(parameter =>
        {
            PropertyInfo? given = values.Keys.FirstOrDefault(p => p.Name == parameter.Name);
            if (given is not null)
            {
                values.Remove(given, out object? value);
                return value;
            }

            return parameter.HasDefaultValue
                ? parameter.DefaultValue
                : throw new ConfigException($"training configuration: {Place(node)}: {keyPath}: expected a key '{Camel(parameter.Name!)}', found none", path);
        })]);
    }

    private object? ReadValue(YamlNode node, PropertyInfo property, string keyPath)
    {
        Type type = property.PropertyType;
        bool nullable = Nullable.GetUnderlyingType(type) is not null
            || new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable;
        if (nullable && node is YamlScalarNode { Style: ScalarStyle.Plain, Value: var word } && (word is Auto or "" or "~" or "null" || (word is None or "off" && property.IsDefined(typeof(NoneAttribute)))))
        {
            return null;
        }

        if (ItemType(type) is Type itemType)
        {
            if (node is not YamlSequenceNode sequence)
            {
                throw Wrong(node, keyPath, "a list");
            }

            Array items = Array.CreateInstance(itemType, sequence.Children.Count);
            for (int i = 0; i < items.Length; i++)
            {
                items.SetValue(ReadScalar(sequence.Children[i], itemType, $"{keyPath}[{i}]"), i);
            }

            return items;
        }

        type = Nullable.GetUnderlyingType(type) ?? type;
        return IsRecord(type) ? ReadRecord(node, type, keyPath) : ReadScalar(node, type, keyPath);
    }

    private object ReadScalar(YamlNode node, Type type, string keyPath)
    {
        if (node is not YamlScalarNode { Value: string text })
        {
            throw Wrong(node, keyPath, "a single value");
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
                _ => throw Wrong(node, keyPath, "true or false"),
            };
        }

        if (type == typeof(int))
        {
            return int.TryParse(text, NumberStyles.Integer, culture, out int value) ? value : throw Wrong(node, keyPath, "a whole number");
        }

        if (type == typeof(ulong))
        {
            return ulong.TryParse(text, NumberStyles.None, culture, out ulong value) ? value : throw Wrong(node, keyPath, "a whole number, 0 or more");
        }

        if (type == typeof(double))
        {
            return double.TryParse(text, NumberStyles.Float, culture, out double value) && double.IsFinite(value)
                ? value
                : throw Wrong(node, keyPath, "a number");
        }

        if (type == typeof(float))
        {
            return float.TryParse(text, NumberStyles.Float, culture, out float value) && float.IsFinite(value)
                ? value
                : throw Wrong(node, keyPath, "a number");
        }

        if (type.IsEnum)
        {
            string[] names = Enum.GetNames(type);
            string? name = Array.Find(names, n => Camel(n) == text);
            return name is not null
                ? Enum.Parse(type, name)
                : throw Wrong(node, keyPath, $"one of {string.Join(", ", names.Select(Camel))}");
        }

        throw new NotSupportedException($"{keyPath}: no YAML form for {type}");
    }

    // Of a file: its line; of a value that was set: who set it.
    private string Place(YamlNode node) => origins.TryGetValue(node, out string? origin) && node.Start.Line <= 1 && origin.StartsWith('-')
        ? origin
        : $"line {node.Start.Line}";

    private ConfigException Wrong(YamlNode node, string keyPath, string expected) =>
        new($"training configuration: {Place(node)}: {keyPath}: expected {expected}, found {Found(node)}", path);
}
