using System.Text.Json;
using System.Text.Json.Serialization;
using Kinora.Models;

namespace Kinora.Cli;

/// <summary>What <c>train --test --json</c> prints.</summary>
internal sealed record TestSummary(int Clips, int Failures, double Top1, double Top5, double? MeanAveragePrecision, double Loss);

/// <summary>What <c>train --json</c> prints.</summary>
internal sealed record TrainSummary(
    string Run, int Epochs, int BestEpoch, double? BestValidationTop1, double? BestValidationMeanAveragePrecision, double? TestTop1, double? TestMeanAveragePrecision, int? TestClips,
    double Seconds, string Model, double OnnxRelativeDifference);

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

/// <summary>One element of <c>models list --json</c>.</summary>
internal sealed record ModelSummary(
    string Name, string Title, string Summary, bool Default, int Frames, int Size, long Parameters, long MultiplyAdds, double Gflop,
    string? Weights, IReadOnlyList<PublishedFigure> Published);

/// <summary>What somebody else states about trained weights of a network; <paramref name="Name"/> is what <c>models pull</c> takes.</summary>
internal sealed record PublishedFigure(string Name, string Title, int? Frames, string Data, double Top1, double? Top5, string Views, string Source);

/// <summary>What <c>models info --json</c> prints.</summary>
internal sealed record ModelDescription(
    string Name, string Title, string Summary, bool Default, int Classes, IReadOnlyList<long> Input, JsonElement ClipSpec, long Parameters, long MultiplyAdds, long ExportedMultiplyAdds,
    string? Weights, IReadOnlyList<PublishedFigure> Published, IReadOnlyDictionary<string, int> Uncounted, IReadOnlyList<LayerDescription> Layers);

/// <summary>One layer of a network, with what lies below it.</summary>
internal sealed record LayerDescription(string Name, string Kind, IReadOnlyList<long>? Output, long Parameters, long MultiplyAdds);

/// <summary>What <c>convert --json</c> prints.</summary>
internal sealed record ConversionSummary(
    string Input, string Output, string Model, int Classes, int Frames, int Size, long Bytes, double? OnnxRelativeDifference, LoadReport? Report);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TrainSummary))]
[JsonSerializable(typeof(TestSummary))]
[JsonSerializable(typeof(Kinora.Paddle.Programs.ProgramReport))]
[JsonSerializable(typeof(ClassifiedClip))]
[JsonSerializable(typeof(EvaluationSummary))]
[JsonSerializable(typeof(ModelSummary[]))]
[JsonSerializable(typeof(ModelDescription))]
[JsonSerializable(typeof(Benchmarks.ModelsBenchReport))]
[JsonSerializable(typeof(ConversionSummary))]
[JsonSerializable(typeof(Conversion.RecipeSummary))]
[JsonSerializable(typeof(Kinora.Media.TrainingAugmentation))]
internal sealed partial class CliJson : JsonSerializerContext;
