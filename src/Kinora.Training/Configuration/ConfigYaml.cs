using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Kinora.Training;

/// <summary>
/// Reads and writes records as YAML: one key a property, in camelCase; enum values in camelCase; <c>auto</c> for null.
/// Unknown keys are errors that name the key's path, its line and the nearest known name.
/// </summary>
public static class ConfigYaml
{
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
    public static TrainingConfig Read(string path) => ConfigDraft.Load(path).Build();

    /// <summary>Reads a training configuration from text, without checking ranges.</summary>
    /// <param name="yaml">YAML text.</param>
    /// <param name="path">The file it comes from, for messages.</param>
    /// <returns>The configuration; keys that are not given keep their defaults.</returns>
    /// <exception cref="ConfigException">Bad YAML, unknown keys, or values of another type.</exception>
    public static TrainingConfig Parse(string yaml, string? path = null) => ConfigDraft.Parse(yaml, path).Build();

    /// <summary>Writes a training configuration as text that <see cref="Parse"/> reads back to an equal record.</summary>
    /// <param name="config">The configuration.</param>
    /// <returns>YAML text with every key.</returns>
    public static string Write(TrainingConfig config) => ConfigWriter.Write(config);

    /// <summary>Writes what of a training configuration isn't by default, as text that <see cref="Parse"/> reads back to an equal record.</summary>
    /// <param name="config">The configuration.</param>
    /// <returns>YAML text, a section a paragraph; empty where all is by default.</returns>
    public static string WriteDifferences(TrainingConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return ConfigWriter.WriteDifferences(config);
    }

    /// <summary>All values of a configuration, one by one.</summary>
    /// <param name="config">The configuration.</param>
    /// <returns>Key paths such as <c>loop.epochs</c> with values as they stand in YAML, in the order of the file.</returns>
    public static IReadOnlyList<(string Key, string Value)> Flatten(TrainingConfig config) => ConfigWriter.Flatten(config);

    /// <summary>Writes a configuration with a comment behind each value that says where it comes from.</summary>
    /// <param name="effective">The configuration as it will run, with the plan's choices.</param>
    /// <param name="draft">What was asked for.</param>
    /// <returns>YAML text: the file or option that gave a value, "plan" for what was chosen, "default" for the rest.</returns>
    public static string Explain(TrainingConfig effective, ConfigDraft draft)
    {
        ArgumentNullException.ThrowIfNull(draft);
        Dictionary<string, string> asked = Flatten(draft.Build()).ToDictionary(v => v.Key, v => v.Value, StringComparer.Ordinal);
        IReadOnlyDictionary<string, string> origins = draft.Origins();
        return ConfigWriter.Write(effective, (key, value) => asked.GetValueOrDefault(key) != value ? "plan" : origins.GetValueOrDefault(key) ?? "default");
    }

    /// <summary>Reads YAML text as a tree.</summary>
    internal static YamlMappingNode ReadTree(string yaml, string? path)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException e)
        {
            throw ConfigText.Syntax("training configuration", e, path);
        }

        return stream.Documents switch
        {
            [] => new YamlMappingNode(),
            [{ RootNode: YamlMappingNode root }] => root,
            [{ RootNode: YamlScalarNode { Value: null or "" or "~" or "null" } }] => new YamlMappingNode(),
            [{ RootNode: var other }] => throw new ConfigException(
                $"training configuration: line {other.Start.Line}: the top level: expected keys with values, found {ConfigReader.Found(other)}", path),
            { Count: var count } => throw new ConfigException($"training configuration: expected one YAML document, found {count}", path),
        };
    }
}
