using System.Globalization;

namespace Kinora.Training;

/// <summary>Turns a condition that doesn't hold into a message with the key's path.</summary>
internal sealed class ConfigCheck
{
    private readonly string _what;
    private readonly string? _path;
    private readonly string _prefix;

    /// <summary>Checks the values of a file.</summary>
    /// <param name="what">What messages begin with.</param>
    /// <param name="path">The file, or null.</param>
    public ConfigCheck(string what, string? path)
        : this(what, path, "")
    {
    }

    private ConfigCheck(string what, string? path, string prefix) => (_what, _path, _prefix) = (what, path, prefix);

    /// <summary>The same below one more key.</summary>
    /// <param name="key">The key.</param>
    public ConfigCheck In(string key) => new(_what, _path, $"{_prefix}{key}.");

    /// <summary>Refuses a value.</summary>
    /// <param name="holds">What must hold.</param>
    /// <param name="key">The value's key below this prefix.</param>
    /// <param name="expected">What would be right.</param>
    /// <param name="found">What it is.</param>
    /// <exception cref="ConfigException">It doesn't hold.</exception>
    public void Require(bool holds, string key, string expected, object? found)
    {
        if (!holds)
        {
            string text = found switch
            {
                null => "nothing",
                IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
                _ => found.ToString() ?? "nothing",
            };
            throw new ConfigException($"{_what}: {_prefix}{key}: expected {expected}, found {text}", _path);
        }
    }
}
