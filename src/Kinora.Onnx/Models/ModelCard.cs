using System.Text;
using System.Text.Json;

namespace Kinora.Onnx;

/// <summary>What a model file says about itself: everything needed to feed it and to name its answers.</summary>
/// <param name="Spec">The way from a video to the network's input.</param>
/// <param name="Labels">The class names, in the order of the logits.</param>
/// <param name="Config">The effective training configuration as text, or null.</param>
/// <param name="Provenance">A JSON object about the origin (seed, data, code version, licences), or null.</param>
/// <param name="Properties">All metadata properties of the file, Kinora's and others'.</param>
public sealed record ModelCard(
    ClipSpec Spec, LabelMap Labels, string? Config, string? Provenance, IReadOnlyDictionary<string, string> Properties)
{
    /// <summary>Metadata property with the <see cref="ClipSpec"/> as JSON.</summary>
    public const string SpecKey = "kinora.clip_spec";

    /// <summary>Metadata property with the class names as a JSON array of strings.</summary>
    public const string LabelsKey = "kinora.labels";

    /// <summary>Metadata property that says "independent" where a clip may have several classes; missing elsewhere.</summary>
    public const string ScoresKey = "kinora.scores";

    /// <summary>Metadata property with the training configuration.</summary>
    public const string ConfigKey = "kinora.config";

    /// <summary>Metadata property with the origin as a JSON object.</summary>
    public const string ProvenanceKey = "kinora.provenance";

    /// <summary>Reads the card of an ONNX file. Weights are skipped, so this takes well under a millisecond.</summary>
    /// <param name="path">An .onnx file.</param>
    /// <returns>The card.</returns>
    /// <exception cref="CheckpointException">
    /// The file is missing, isn't ONNX, is damaged, or carries no (or unreadable) clip specification or labels.
    /// </exception>
    public static ModelCard Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return FromProperties(OnnxFile.ReadProperties(path), path);
    }

    /// <summary>Interprets the metadata properties of a model.</summary>
    /// <param name="properties">Property name to value.</param>
    /// <param name="path">The file they come from, for messages.</param>
    /// <returns>The card.</returns>
    /// <exception cref="CheckpointException">The clip specification or the labels are missing or unreadable.</exception>
    internal static ModelCard FromProperties(IReadOnlyDictionary<string, string> properties, string path)
    {
        string Required(string key) => properties.TryGetValue(key, out string? value)
            ? value
            : throw new CheckpointException(
                $"reading model: expected the metadata property '{key}', found {(properties.Count == 0 ? "no properties" : "only " + string.Join(", ", properties.Keys.Order(StringComparer.Ordinal)))}; "
                + "only files that Kinora exported or converted describe their input ('kinora export', 'kinora convert')", path);

        string specification = Required(SpecKey), names = Required(LabelsKey);
        try
        {
            ClipSpec spec = ClipSpec.FromJson(specification);
            return new ModelCard(spec, ReadLabels(names, properties.GetValueOrDefault(ScoresKey)), properties.GetValueOrDefault(ConfigKey), properties.GetValueOrDefault(ProvenanceKey), properties);
        }
        catch (ConfigException e)
        {
            throw new CheckpointException($"reading model: {e.Message}; the file is damaged or from another version, export it again", path, e);
        }
    }

    private static LabelMap ReadLabels(string json, string? scores)
    {
        if (scores is not (null or "independent"))
        {
            throw new ConfigException($"{ScoresKey}: expected independent, found '{scores}'");
        }

        var names = new List<string>();
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json));
        try
        {
            bool opened = reader.Read() && reader.TokenType == JsonTokenType.StartArray;
            while (opened && reader.Read() && reader.TokenType == JsonTokenType.String)
            {
                names.Add(reader.GetString()!);
            }

            bool closed = opened && reader.TokenType == JsonTokenType.EndArray && !reader.Read();
            return closed && names.Count > 0
                ? new LabelMap(names) { Independent = scores is not null }
                : throw new ConfigException($"{LabelsKey}: expected a JSON array of at least one name");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new ConfigException($"{LabelsKey}: expected a JSON array of names, found {OnnxRuntimeLibrary.FirstLine(e.Message)}", null, e);
        }
    }
}
