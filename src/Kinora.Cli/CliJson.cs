using System.Text.Json.Serialization;

namespace Kinora.Cli;

/// <summary>What <c>train --json</c> prints.</summary>
internal sealed record TrainSummary(
    string Run, int Epochs, int BestEpoch, double? BestValidationTop1, double? TestTop1, int? TestClips, double Seconds, string Model, double OnnxRelativeDifference);

/// <summary>One line of <c>classify --json</c>.</summary>
internal sealed record ClassifiedClip(string Path, IReadOnlyList<Prediction>? Predictions, ClipMilliseconds? Milliseconds, string? Error);

/// <summary>Where the time of one clip went.</summary>
internal sealed record ClipMilliseconds(double Decode, double Pixels, double Network);

/// <summary>What <c>eval --json</c> prints.</summary>
internal sealed record EvaluationSummary(
    string Model, string Data, string Split, int Clips, int Failures, double Top1, double Top5, IReadOnlyList<ClassAccuracy> Classes, IReadOnlyList<ClassifiedMistake> Mistakes);

/// <summary>How often one class was recognised.</summary>
internal sealed record ClassAccuracy(string Label, int Clips, int Right);

/// <summary>A clip that was labelled wrongly or could not be read.</summary>
internal sealed record ClassifiedMistake(string Path, string Label, string? Predicted, float? Probability, string? Error);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TrainSummary))]
[JsonSerializable(typeof(ClassifiedClip))]
[JsonSerializable(typeof(EvaluationSummary))]
internal sealed partial class CliJson : JsonSerializerContext;
