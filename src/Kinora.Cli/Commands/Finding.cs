using System.Text.Json.Serialization;

namespace Kinora.Cli.Commands;

/// <summary>How a part of the installation is.</summary>
internal enum FindingState
{
    /// <summary>There and working.</summary>
    Fine,

    /// <summary>Not there, and not needed for classifying.</summary>
    Optional,

    /// <summary>Not there, and needed.</summary>
    Missing,
}

/// <summary>One line of <c>kinora doctor</c>.</summary>
/// <param name="What">The part.</param>
/// <param name="State">How it is.</param>
/// <param name="Found">What was found.</param>
/// <param name="Remedy">What to do, if anything.</param>
internal sealed record Finding(string What, FindingState State, string Found, string? Remedy);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(List<Finding>))]
internal sealed partial class DoctorJson : JsonSerializerContext;
