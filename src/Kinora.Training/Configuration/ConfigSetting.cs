namespace Kinora.Training;

/// <summary>One value that somebody gave.</summary>
/// <param name="Key">Its path, such as <c>loop.epochs</c>.</param>
/// <param name="Value">The value as YAML; <c>auto</c> lets the plan choose.</param>
/// <param name="Origin">Where it comes from, such as "--epochs".</param>
public sealed record ConfigSetting(string Key, string Value, string Origin)
{
    /// <summary>A text as it is, without YAML's rules: a path, say.</summary>
    /// <param name="key">Its path.</param>
    /// <param name="text">The value.</param>
    /// <param name="origin">Where it comes from.</param>
    /// <returns>The setting.</returns>
    public static ConfigSetting OfText(string key, string text, string origin) => new(key, ConfigWriter.Quoted(text), origin);
}
