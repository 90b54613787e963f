using System.Text.Json.Serialization;
using Kinora.Data;

namespace Kinora.Cli.Commands;

/// <summary>What <c>data pack --json</c> prints.</summary>
internal sealed record PackSummary(string Pack, int Clips, int Found, int Shards, long Bytes, IReadOnlyList<UnreadableClip> Unreadable);

/// <summary>A clip that could not be read.</summary>
internal sealed record UnreadableClip(string Path, string Error);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(PackSummary))]
[JsonSerializable(typeof(DatasetReport))]
internal sealed partial class DataJson : JsonSerializerContext;
