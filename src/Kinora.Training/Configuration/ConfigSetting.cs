namespace Kinora.Training;

/// <summary>One value that somebody gave.</summary>
/// <param name="Key">Its path, such as <c>loop.epochs</c>.</param>
/// <param name="Value">The value as YAML; <c>auto</c> lets the plan choose.</param>
/// <param name="Origin">Where it comes from, such as "--epochs".</param>
public sealed record ConfigSetting(string Key, string Value, string Origin)
{
    /// <summary>Reads what people write on a command line.</summary>
    /// <param name="text">Such as "loop.epochs=20".</param>
    /// <param name="origin">The option that it was given with.</param>
    /// <returns>The setting.</returns>
    /// <exception cref="ConfigException">There is no key before an equals sign.</exception>
    public static ConfigSetting Parse(string text, string origin)
    {
        ArgumentNullException.ThrowIfNull(text);
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0
            ? new ConfigSetting(text[..equals].Trim(), text[(equals + 1)..].Trim(), origin)
            : throw new ConfigException($"{origin}: expected key=value, found '{text}'");
    }

    /// <summary>A text as it is, without YAML's rules: a path, say.</summary>
    /// <param name="key">Its path.</param>
    /// <param name="text">The value.</param>
    /// <param name="origin">Where it comes from.</param>
    /// <returns>The setting.</returns>
    public static ConfigSetting OfText(string key, string text, string origin) => new(key, ConfigWriter.Quoted(text), origin);
}
