using System.Text.Json.Serialization;

namespace Kinora.Cli;

/// <summary>One entry of <c>models pull --json</c>.</summary>
internal sealed record PullableModel(
    string Name, string Title, string Use, string Architecture, int? Classes, int? Frames, string Url,
    string? Data, double? Top1, double? Top5, string? Views, string? Source);

/// <summary>What <c>models pull NAME --json</c> prints.</summary>
internal sealed record PulledModel(
    string Name, string Path, long Bytes, string Sha256, string Checksum, string Origin, IReadOnlyList<string> Converted);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PullableModel[]))]
[JsonSerializable(typeof(PulledModel))]
internal sealed partial class ModelsPullJson : JsonSerializerContext;
