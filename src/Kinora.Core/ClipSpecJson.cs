using System.Text;
using System.Text.Json;

namespace Kinora;

/// <summary>
/// <see cref="ClipSpec"/> as JSON: members in camel case, enumerations by name, unknown members refused.
/// </summary>
/// <remarks>
/// Written by hand because every start of the command line reads one: the serialiser's generic converters for these
/// types are compiled at run time, which alone took about 80 ms.
/// </remarks>
internal static class ClipSpecJson
{
    /// <summary>Writes one line of JSON.</summary>
    /// <param name="spec">The specification.</param>
    /// <returns>The text.</returns>
    public static string Write(ClipSpec spec)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteStartObject("sampling");
            json.WriteString("method", spec.Sampling.Method.ToString());
            json.WriteNumber("segments", spec.Sampling.Segments);
            json.WriteNumber("framesPerSegment", spec.Sampling.FramesPerSegment);
            json.WriteNumber("interval", spec.Sampling.Interval);

            // Only where it means something: older programs refuse members that they don't know.
            if (spec.Sampling.Method == SamplingMethod.Timed)
            {
                json.WriteNumber("rate", spec.Sampling.Rate);
            }

            json.WriteEndObject();
            json.WriteStartObject("resize");
            json.WriteString("rule", spec.Resize.Rule.ToString());
            json.WriteNumber("shortSide", spec.Resize.ShortSide);
            json.WriteString("engine", spec.Resize.Engine.ToString());
            json.WriteEndObject();
            json.WriteStartObject("crop");
            json.WriteString("method", spec.Crop.Method.ToString());
            json.WriteNumber("size", spec.Crop.Size);
            json.WriteString("rounding", spec.Crop.Rounding.ToString());
            json.WriteEndObject();
            json.WriteStartObject("normalization");
            WriteRgb(json, "mean", spec.Normalization.Mean);
            WriteRgb(json, "std", spec.Normalization.Std);
            json.WriteNumber("scale", spec.Normalization.Scale);
            json.WriteString("arithmetic", spec.Normalization.Arithmetic.ToString());
            json.WriteEndObject();
            json.WriteString("color", spec.Color.ToString());
            json.WriteString("layout", spec.Layout.ToString());
            if (spec.Input != ClipInput.Rgb)
            {
                json.WriteString("input", spec.Input.ToString());
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    /// <summary>Reads what <see cref="Write"/> wrote; members with a default may be missing.</summary>
    /// <param name="text">JSON text.</param>
    /// <returns>The specification; ranges aren't checked yet.</returns>
    /// <exception cref="JsonException">Not JSON, or a member is unknown, missing or of another type.</exception>
    public static ClipSpec Read(string text)
    {
        using JsonDocument document = JsonDocument.Parse(text);
        var root = new Members(document.RootElement, "");
        Members sampling = root.Object("sampling"), resize = root.Object("resize"), crop = root.Object("crop"), pixels = root.Object("normalization");
        var spec = new ClipSpec(
            new SamplingSpec(
                (SamplingMethod)sampling.Enumeration("method", typeof(SamplingMethod)),
                sampling.Integer("segments"),
                sampling.Integer("framesPerSegment", 1),
                sampling.Integer("interval", 1),
                sampling.Integer("rate", 30)),
            new ResizeSpec(
                (ResizeRule)resize.Enumeration("rule", typeof(ResizeRule)),
                resize.Integer("shortSide"),
                (ResizeEngine)resize.Enumeration("engine", typeof(ResizeEngine), ResizeEngine.Pillow)),
            new CropSpec(
                (CropMethod)crop.Enumeration("method", typeof(CropMethod)),
                crop.Integer("size"),
                (CropRounding)crop.Enumeration("rounding", typeof(CropRounding), CropRounding.HalfEven)),
            new Normalization(
                ReadRgb(pixels.Object("mean")),
                ReadRgb(pixels.Object("std")),
                pixels.Number("scale", 255),
                (NormalizationArithmetic)pixels.Enumeration("arithmetic", typeof(NormalizationArithmetic), NormalizationArithmetic.Single)),
            (ColorMatrix)root.Enumeration("color", typeof(ColorMatrix), ColorMatrix.FromStream),
            (ClipLayout)root.Enumeration("layout", typeof(ClipLayout), ClipLayout.Ntchw),
            (ClipInput)root.Enumeration("input", typeof(ClipInput), ClipInput.Rgb));
        root.RefuseOthers();
        return spec;
    }

    private static void WriteRgb(Utf8JsonWriter json, string name, Rgb rgb)
    {
        json.WriteStartObject(name);
        json.WriteNumber("r", rgb.R);
        json.WriteNumber("g", rgb.G);
        json.WriteNumber("b", rgb.B);
        json.WriteEndObject();
    }

    private static Rgb ReadRgb(Members members) => new(members.Number("r"), members.Number("g"), members.Number("b"));

    /// <summary>The members of one JSON object; remembers which were asked for, so that the others can be refused.</summary>
    private sealed class Members
    {
        private readonly JsonElement _object;
        private readonly string _path;
        private readonly List<string> _known = [];
        private readonly List<Members> _children = [];

        public Members(JsonElement element, string path)
        {
            (_object, _path) = (element, path);
            if (element.ValueKind != JsonValueKind.Object)
            {
                throw new JsonException($"{(path.Length == 0 ? "" : path + ": ")}expected an object, found {Found(element)}");
            }
        }

        public Members Object(string name)
        {
            var child = new Members(Find(name) ?? throw Missing(name), Key(name));
            _children.Add(child);
            return child;
        }

        public int Integer(string name, int? fallback = null) => Find(name) is not { } value
            ? fallback ?? throw Missing(name)
            : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number)
                ? number
                : throw new JsonException($"{Key(name)}: expected an integer, found {Found(value)}");

        public float Number(string name, float? fallback = null) => Find(name) is not { } value
            ? fallback ?? throw Missing(name)
            : value.ValueKind == JsonValueKind.Number && value.TryGetSingle(out float number)
                ? number
                : throw new JsonException($"{Key(name)}: expected a number, found {Found(value)}");

        public object Enumeration(string name, Type type, object? fallback = null)
        {
            if (Find(name) is not { } value)
            {
                return fallback ?? throw Missing(name);
            }

            // Enum.Parse also takes numbers and lists of names, which aren't part of the format.
            string? text = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
            return text is not null && Array.IndexOf(Enum.GetNames(type), text) >= 0
                ? Enum.Parse(type, text)
                : throw new JsonException($"{Key(name)}: expected one of {string.Join(", ", Enum.GetNames(type))}, found {Found(value)}");
        }

        public void RefuseOthers()
        {
            foreach (JsonProperty member in _object.EnumerateObject())
            {
                if (!_known.Contains(member.Name))
                {
                    throw new JsonException($"{Key(member.Name)}: unknown member; expected {string.Join(", ", _known)}");
                }
            }

            _children.ForEach(child => child.RefuseOthers());
        }

        private JsonElement? Find(string name)
        {
            _known.Add(name);
            return _object.TryGetProperty(name, out JsonElement value) ? value : null;
        }

        private JsonException Missing(string name) => new($"{Key(name)}: missing");

        private string Key(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

        private static string Found(JsonElement value)
        {
            string raw = value.GetRawText();
            return raw.Length > 40 ? raw[..40] + "…" : raw;
        }
    }
}
