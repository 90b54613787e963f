using System.Collections.Concurrent;
using System.Text.Json;
using Kinora.Paddle;
using Kinora.Testing;

namespace Kinora.Media.Tests;

/// <summary>
/// What a recorded chain is compared with: the specification that the reader of PaddleVideo's YAML makes of the recipe's
/// file, and the augmentation of its training (reference/pipeline.md, section 4.7).
/// </summary>
internal sealed record RecordedRecipe(ClipSpec Spec, TrainingAugmentation? Augmentation = null)
{
    private static readonly ConcurrentDictionary<string, PaddleRecipe> Recipes = new(StringComparer.Ordinal);

    /// <summary>OpenCV reads the videos: other colours, no rotation, and damaged frames are left out.</summary>
    public bool ReadsWithOpenCv => Spec.Color == ColorMatrix.Bt601;

    /// <summary>PyAV reads the videos: no rotation.</summary>
    public bool ReadsWithPyAv => Spec.Resize.Engine == ResizeEngine.Interpolate;

    /// <summary>SlowFast's chains, which end with two clips.</summary>
    public bool IsSlowFast => Spec.Sampling.Method == SamplingMethod.Timed && !ReadsWithPyAv;

    /// <summary>The recipe of a recorded configuration and split; null where it isn't supported.</summary>
    public static RecordedRecipe? Of(string config, string split)
    {
        PaddleRecipe recipe = Read(config);
        if (split is not "train")
        {
            return (split switch { "valid" => recipe.EvaluationSpec, "test" => recipe.TestSpec, _ => recipe.CalibrationSpec }) is { } spec
                ? new(spec, AugmentationOf(config))
                : null;
        }

        ClipSpec evaluation = recipe.EvaluationSpec!;
        return AugmentationOf(config) is not { } augmentation ? null
            : config.Contains("dense", StringComparison.Ordinal) ? new(evaluation with { Sampling = recipe.TestSpec!.Sampling }, augmentation)
            : new(evaluation, augmentation);
    }

    /// <summary>What the predict helper of a recorded configuration does.</summary>
    public static RecordedRecipe OfHelper(string config, JsonElement helper)
    {
        // The record holds the section's keys, so the section is read from them and not from the recipe's file.
        string yaml = "INFERENCE: " + helper.GetRawText();
        RecordedRecipe recorded = new(PaddleRecipe.Parse(yaml).InferenceSpec!);
        Assert.Equal(Read(config).InferenceSpec, recorded.Spec);
        return recorded;
    }

    private static PaddleRecipe Read(string config) => Recipes.GetOrAdd(
        config, static name => PaddleRecipe.Read(Path.Combine(SharedData.Checkout, "test/recipes", name)));

    private static TrainingAugmentation? AugmentationOf(string config) => config.Split('/')[0] switch
    {
        "tsn" => TrainingAugmentation.Tsn(),
        "pptsn" => TrainingAugmentation.PpTsn(),
        "tsm" => TrainingAugmentation.Tsm(),
        "pptsm" => TrainingAugmentation.PpTsm(),
        "movinet" => TrainingAugmentation.PpTsm(192),
        "videoswin" => TrainingAugmentation.VideoSwin(),
        "slowfast" => TrainingAugmentation.SlowFast(),
        "timesformer" or "pptimesformer" => TrainingAugmentation.TimeSformer(),
        _ => null,
    };
}
