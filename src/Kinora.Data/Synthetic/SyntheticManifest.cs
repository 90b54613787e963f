using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kinora.Data.Synthetic;

/// <summary>What was drawn for one clip. Angles in degrees, sizes in units of the average stature.</summary>
/// <param name="Frames">Length of the clip.</param>
/// <param name="Reversed">Whether the process of the partner class is played backwards.</param>
/// <param name="Heading">Direction in which the person faces: 0 right, 90 towards the camera.</param>
/// <param name="Mirrored">Whether left and right are exchanged.</param>
/// <param name="Fill">Part of the middle square of the picture that the performance fills.</param>
/// <param name="Stature">About the height of the person.</param>
/// <param name="Girth">Thickness of the limbs, 1 on average.</param>
/// <param name="Place">Kind of background.</param>
/// <param name="Clutter">Things standing around.</param>
/// <param name="Distractors">Things moving behind the person.</param>
/// <param name="Occluded">Whether something stands before the person.</param>
/// <param name="CameraMotion">0: tripod, 1: liveliest.</param>
/// <param name="Skin">Colour, before the light.</param>
/// <param name="Shirt">Colour, before the light.</param>
/// <param name="Trousers">Colour, before the light.</param>
/// <param name="Noise">Standard deviation in grey levels.</param>
/// <param name="Blurred">Whether the picture is slightly out of focus.</param>
/// <param name="Brightness">Factor.</param>
/// <param name="Contrast">Factor around middle grey.</param>
/// <param name="Gamma">Exponent.</param>
public sealed record SyntheticParameters(
    int Frames, bool Reversed, double Heading, bool Mirrored, double Fill, double Stature, double Girth,
    string Place, int Clutter, int Distractors, bool Occluded, double CameraMotion,
    string Skin, string Shirt, string Trousers,
    double Noise, bool Blurred, double Brightness, double Contrast, double Gamma);

/// <summary>One clip of the set.</summary>
/// <param name="Path">File, relative to the manifest, with forward slashes.</param>
/// <param name="Split">train, val or test.</param>
/// <param name="Index">Number inside its split; with seed and split it determines every byte.</param>
/// <param name="Action">Class name.</param>
/// <param name="Label">Class index.</param>
/// <param name="Parameters">What was drawn.</param>
public sealed record SyntheticClip(string Path, string Split, int Index, string Action, int Label, SyntheticParameters Parameters);

/// <summary>The manifest.json of a synthetic set: enough to make it again.</summary>
/// <param name="Generator">Always "kinora synthetic motions".</param>
/// <param name="Version">Version of the generator; the same version and options give the same bytes.</param>
/// <param name="Options">The options used, except the number of workers, which changes nothing.</param>
/// <param name="Actions">Class names in label order.</param>
/// <param name="Clips">All clips: train, val, test; by index.</param>
public sealed record SyntheticManifest(string Generator, int Version, SyntheticOptions Options, IReadOnlyList<string> Actions, IReadOnlyList<SyntheticClip> Clips)
{
    /// <summary>Reads a manifest.</summary>
    /// <param name="path">A manifest.json.</param>
    /// <returns>Its content.</returns>
    /// <exception cref="DatasetException">Missing, or not a manifest.</exception>
    public static SyntheticManifest Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), SyntheticJson.Default.SyntheticManifest)
                ?? throw new DatasetException("read manifest: expected an object, found null", path);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"read manifest: {e.Message}; generate the set again with 'kinora data synth'", path, e);
        }
    }

    internal byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, SyntheticJson.Default.SyntheticManifest);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, WriteIndented = true)]
[JsonSerializable(typeof(SyntheticManifest))]
internal sealed partial class SyntheticJson : JsonSerializerContext;
