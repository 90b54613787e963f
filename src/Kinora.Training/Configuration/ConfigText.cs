using YamlDotNet.Core;

namespace Kinora.Training;

/// <summary>The text of a configuration's file, before anything is known of what it holds.</summary>
public static class ConfigText
{
    // Configurations have a few kilobytes; the limit keeps a wrong file from being read whole.
    private const int MaxBytes = 1 << 20;

    /// <summary>Reads a file.</summary>
    /// <param name="path">YAML file.</param>
    /// <returns>Its text.</returns>
    /// <exception cref="ConfigException">No such file, a folder, too large, or unreadable.</exception>
    public static string Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
        {
            throw new ConfigException("config: expected a YAML file, found a folder; name the file inside it (of a run: config.yaml)", path);
        }

        try
        {
            using FileStream file = File.OpenRead(path);
            if (file.Length > MaxBytes)
            {
                throw new ConfigException($"config: expected at most {MaxBytes} bytes of YAML, found {file.Length}; is it another file?", path);
            }

            using var reader = new StreamReader(file);
            return reader.ReadToEnd();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ConfigException("config: expected a YAML file, found none; check its path", path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"config: expected a YAML file that can be read, found one that can't: {e.Message}", path, e);
        }
    }

    /// <summary>A mistake in YAML's own grammar, in one line.</summary>
    /// <param name="what">What messages begin with.</param>
    /// <param name="mistake">What the parser says.</param>
    /// <param name="path">The file, for messages.</param>
    /// <returns>The exception to throw.</returns>
    public static ConfigException Syntax(string what, YamlException mistake, string? path)
    {
        ArgumentNullException.ThrowIfNull(mistake);
        string said = mistake.Message.ReplaceLineEndings(" ").Trim().TrimEnd('.');
        string found = said.Length == 0 ? "something else" : $"a mistake there ({char.ToLowerInvariant(said[0])}{said[1..]})";
        string upTo = mistake.End.Line > mistake.Start.Line ? $" to line {mistake.End.Line}" : "";
        return new ConfigException(
            $"{what}: line {mistake.Start.Line}, column {mistake.Start.Column}{upTo}: expected YAML, found {found}; check indentation (spaces, no tabs), brackets, quotes, and the space after each colon",
            path, mistake);
    }
}
