using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kinora.Onnx.Export.Format;

/// <summary>The metadata of every ONNX file that Kinora writes, whatever the network came from.</summary>
internal static class ModelProperties
{
    /// <summary>Lists keys and values; readers find them under the same keys.</summary>
    /// <param name="spec">The way from a video to the input.</param>
    /// <param name="labels">Class names.</param>
    /// <param name="config">Effective configuration as text; empty leaves it out.</param>
    /// <param name="provenance">Where the weights come from.</param>
    public static IReadOnlyList<(string Key, string Value)> Of(
        ClipSpec spec, LabelMap labels, string config, IReadOnlyDictionary<string, string> provenance) =>
    [
        ("kinora.clip_spec", spec.ToJson()),
        ("kinora.labels", Json(writer =>
        {
            writer.WriteStartArray();
            foreach (string name in labels.Names)
            {
                writer.WriteStringValue(name);
            }

            writer.WriteEndArray();
        })),
        .. labels.Independent ? [("kinora.scores", "independent")] : Array.Empty<(string, string)>(),
        .. config.Length == 0 ? Array.Empty<(string, string)>() : [("kinora.config", config)],
        ("kinora.provenance", Json(writer =>
        {
            writer.WriteStartObject();
            foreach ((string key, string value) in provenance)
            {
                writer.WriteString(key, value);
            }

            writer.WriteEndObject();
        })),
    ];

    private static string Json(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            write(writer);
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
