using YamlDotNet.RepresentationModel;

namespace Kinora.Training;

/// <summary>
/// A training configuration in the making: a file, then values set one by one on top of it. It remembers where each value
/// came from.
/// </summary>
public sealed class ConfigDraft
{
    private readonly YamlMappingNode _root;
    private readonly string? _path;
    private readonly Dictionary<YamlNode, string> _origins = new(ReferenceEqualityComparer.Instance);

    private ConfigDraft(YamlMappingNode root, string? path, Func<YamlNode, string> origin)
    {
        (_root, _path) = (root, path);
        Note(root, origin);
    }

    /// <summary>An empty draft: every value at its default.</summary>
    public ConfigDraft()
        : this(new YamlMappingNode(), null, _ => "")
    {
    }

    /// <summary>Begins with a file.</summary>
    /// <param name="path">YAML file.</param>
    /// <returns>The draft.</returns>
    /// <exception cref="ConfigException">Unreadable file or bad YAML.</exception>
    public static ConfigDraft Load(string path) => Parse(ConfigText.Read(path), path);

    /// <summary>Begins with text.</summary>
    /// <param name="yaml">YAML text.</param>
    /// <param name="path">The file it comes from, for messages.</param>
    /// <returns>The draft.</returns>
    /// <exception cref="ConfigException">Bad YAML.</exception>
    public static ConfigDraft Parse(string yaml, string? path = null)
    {
        ArgumentNullException.ThrowIfNull(yaml);
        string file = path is null ? "" : Path.GetFileName(path);
        return new ConfigDraft(ConfigYaml.ReadTree(yaml, path), path, node => $"{file}:{node.Start.Line}");
    }

    /// <summary>Begins with the values of a configuration that differ from the defaults.</summary>
    /// <param name="config">The configuration, such as an imported one.</param>
    /// <param name="origin">Where its values come from, for explanations.</param>
    /// <param name="origins">Where single values come from, by key path; they are taken even where they are the defaults. Null for none.</param>
    /// <returns>The draft.</returns>
    public static ConfigDraft From(TrainingConfig config, string origin, IReadOnlyDictionary<string, string>? origins = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        var draft = new ConfigDraft();
        Dictionary<string, string> defaults = ConfigYaml.Flatten(new TrainingConfig()).ToDictionary(v => v.Key, v => v.Value, StringComparer.Ordinal);
        foreach ((string key, string value) in ConfigYaml.Flatten(config))
        {
            string? own = origins?.GetValueOrDefault(key);
            if (own is not null || defaults.GetValueOrDefault(key) != value)
            {
                draft.Set(key, value, own ?? origin);
            }
        }

        return draft;
    }

    /// <summary>Sets one value, over what was there before.</summary>
    /// <param name="key">Its path, such as <c>loop.epochs</c>.</param>
    /// <param name="value">The value as YAML; <c>auto</c> lets the plan choose.</param>
    /// <param name="origin">Where it comes from, such as "--epochs".</param>
    /// <returns>This draft.</returns>
    /// <exception cref="ConfigException">No key has this path, or the value is no YAML.</exception>
    public ConfigDraft Set(string key, string value, string origin)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        ArgumentNullException.ThrowIfNull(value);
        ConfigReader.RequireKey(key, origin);
        string[] parts = key.Split('.');
        YamlMappingNode at = _root;
        foreach (string part in parts[..^1])
        {
            if (at.Children.TryGetValue(part, out YamlNode? below) && below is YamlMappingNode mapping)
            {
                at = mapping;
                continue;
            }

            var fresh = new YamlMappingNode();
            at.Children[part] = fresh;
            at = fresh;
        }

        YamlNode node = ReadValue(key, value, origin);
        at.Children[parts[^1]] = node;
        Note(node, _ => origin);
        return this;
    }

    /// <summary>Sets one value, over what was there before.</summary>
    /// <param name="setting">The value.</param>
    /// <returns>This draft.</returns>
    /// <exception cref="ConfigException">No key has this path, or the value is no YAML.</exception>
    public ConfigDraft Set(ConfigSetting setting)
    {
        ArgumentNullException.ThrowIfNull(setting);
        return Set(setting.Key, setting.Value, setting.Origin);
    }

    /// <summary>What was given here and is different in a configuration that is settled.</summary>
    /// <param name="settled">The configuration, such as a run's.</param>
    /// <returns>Keys with the values given here; what is left to the plan isn't different.</returns>
    public IReadOnlyList<ConfigSetting> DifferencesFrom(TrainingConfig settled)
    {
        ArgumentNullException.ThrowIfNull(settled);
        Dictionary<string, string> theirs = ConfigYaml.Flatten(settled).ToDictionary(v => v.Key, v => v.Value, StringComparer.Ordinal);
        IReadOnlyDictionary<string, string> origins = Origins();
        return
        [
            .. ConfigYaml.Flatten(Build()).Where(v => v.Value is not (ConfigReader.Auto or ConfigReader.None) && origins.ContainsKey(v.Key) && theirs.GetValueOrDefault(v.Key) != v.Value)
                .Select(v => new ConfigSetting(v.Key, v.Value, origins[v.Key])),
        ];
    }

    /// <summary>Sets a value as it is, without YAML's rules: a path, say.</summary>
    /// <param name="key">Its path.</param>
    /// <param name="text">The value.</param>
    /// <param name="origin">Where it comes from.</param>
    /// <returns>This draft.</returns>
    public ConfigDraft SetText(string key, string text, string origin) => Set(key, ConfigWriter.Quoted(text), origin);

    /// <summary>The configuration, without checking ranges.</summary>
    /// <returns>Keys that were not given have their defaults.</returns>
    /// <exception cref="ConfigException">Unknown keys, or values of another type.</exception>
    public TrainingConfig Build() => new ConfigReader(_path, _origins).Read<TrainingConfig>(_root);

    /// <summary>Where the values that were given come from.</summary>
    /// <returns>Key paths with origins, such as "my.yaml:12" or "--epochs".</returns>
    public IReadOnlyDictionary<string, string> Origins()
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        Collect(_root, "");
        return found;

        void Collect(YamlMappingNode node, string prefix)
        {
            foreach ((YamlNode key, YamlNode value) in node.Children)
            {
                string full = prefix + ((YamlScalarNode)key).Value;
                if (value is YamlMappingNode below)
                {
                    Collect(below, full + ".");
                }
                else
                {
                    found[full] = _origins.GetValueOrDefault(value, "");
                }
            }
        }
    }

    private static YamlNode ReadValue(string key, string value, string origin)
    {
        YamlMappingNode tree;
        try
        {
            tree = ConfigYaml.ReadTree($"value: {value}", null);
        }
        catch (ConfigException)
        {
            // A text that YAML reads otherwise, such as "a: b".
            return new YamlScalarNode(value);
        }

        return tree.Children.TryGetValue("value", out YamlNode? node) && tree.Children.Count == 1
            ? node
            : throw new ConfigException($"training configuration: {origin}: {key}: expected one value, found '{value}'");
    }

    private void Note(YamlNode node, Func<YamlNode, string> origin)
    {
        _origins[node] = origin(node);
        switch (node)
        {
            case YamlMappingNode mapping:
                foreach ((YamlNode key, YamlNode value) in mapping.Children)
                {
                    _origins[key] = origin(key);
                    Note(value, origin);
                }

                break;
            case YamlSequenceNode sequence:
                foreach (YamlNode item in sequence.Children)
                {
                    Note(item, origin);
                }

                break;
        }
    }
}
