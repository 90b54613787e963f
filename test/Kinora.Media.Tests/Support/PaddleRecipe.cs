using System.Text.Json;

namespace Kinora.Media.Tests;

/// <summary>
/// What PaddleVideo's YAML files and predict helpers do to a video, as Kinora's specifications
/// (reference/pipeline.md, sections 3.7, 4.7 and 13).
/// </summary>
internal sealed record PaddleRecipe(ClipSpec Spec, TrainingAugmentation? Augmentation = null, bool ReadsWithOpenCv = false)
{
    private static readonly Normalization Swin = new(
        new(123.675f, 116.28f, 103.53f), new(58.395f, 57.12f, 57.375f), Scale: 1, NormalizationArithmetic.InPlace);

    private static readonly ResizeSpec FixedRatio = new(ResizeRule.FixedRatio, 256);
    private static readonly ResizeSpec RoundOpenCv = new(ResizeRule.KeepAspectRound, 256, ResizeEngine.OpenCv);

    /// <summary>The recipe of a configuration file and split; null where it isn't supported.</summary>
    public static PaddleRecipe? Of(string config, string split)
    {
        string family = config.Split('/')[0], file = config.Split('/')[^1];
        bool test = split == "test", train = split == "train";
        switch (family)
        {
            case "tsn":
            case "pptsn":
                bool linspace = test && family == "pptsn" && file.Contains("videos", StringComparison.Ordinal);
                return new(
                    new(
                        new(linspace ? SamplingMethod.Linspace : SamplingMethod.SelectLeft, test ? 25 : 3),
                        linspace ? RoundOpenCv with { Rule = ResizeRule.KeepAspectTruncate } : RoundOpenCv,
                        new(test ? CropMethod.Ten : CropMethod.Center, 224, CropRounding.Floor),
                        Normalization.ImageNet),
                    family == "tsn" ? TrainingAugmentation.Tsn() : TrainingAugmentation.PpTsn());
            case "tsm":
                return new(
                    new(
                        new(SamplingMethod.SelectLeft, 8),
                        new(ResizeRule.KeepAspectTruncate, 256),
                        new(CropMethod.Center, 224),
                        Normalization.ImageNet,
                        Layout: file.Contains("nhwc", StringComparison.Ordinal) ? ClipLayout.Nthwc : ClipLayout.Ntchw),
                    TrainingAugmentation.Tsm(),
                    ReadsWithOpenCv: file.StartsWith("tsm_ucf101_videos", StringComparison.Ordinal));
            case "pptsm":
                bool dense = file.Contains("dense", StringComparison.Ordinal);
                int frames = file.Contains("16frames", StringComparison.Ordinal) ? 16 : 8;
                return new(
                    new(
                        new(dense && (test || train) ? SamplingMethod.Dense : SamplingMethod.Uniform, frames),
                        FixedRatio,
                        new(dense && test ? CropMethod.FullResolution : CropMethod.Center, 224),
                        Normalization.ImageNet),
                    TrainingAugmentation.PpTsm());
            case "movinet":
                return new(
                    new(new(SamplingMethod.Uniform, 50), new(ResizeRule.FixedRatio, 192), new(CropMethod.Center, 172), Normalization.ImageNet),
                    TrainingAugmentation.PpTsm(192));
            case "videoswin":
                return new(
                    new(
                        new(SamplingMethod.FrameInterval, test ? 4 : 1, 32, 2),
                        RoundOpenCv with { ShortSide = test ? 224 : 256 },
                        new(test ? CropMethod.Three : CropMethod.Center, 224, CropRounding.Floor),
                        Swin,
                        Layout: ClipLayout.Ncthw),
                    TrainingAugmentation.VideoSwin());
            default:
                return null;
        }
    }

    /// <summary>What a predict helper does; null where it isn't supported.</summary>
    public static PaddleRecipe? OfHelper(JsonElement helper)
    {
        int side = helper.Int("short_size", 256), size = helper.Int("target_size", 224), length = helper.Int("seg_len", 1);
        return helper.Text("name") switch
        {
            "ppTSM_Inference_helper" => new(new ClipSpec(
                new(SamplingMethod.Uniform, helper.Int("num_seg", 8), length),
                FixedRatio with { ShortSide = side },
                new(CropMethod.Center, size),
                Normalization.ImageNet)),
            "ppTSN_Inference_helper" => new(new ClipSpec(
                new(SamplingMethod.SelectLeft, helper.Int("num_seg", 25), length),
                new(ResizeRule.FixedRatio, side, ResizeEngine.OpenCv),
                new(CropMethod.Ten, size),
                Normalization.ImageNet)),
            "VideoSwin_Inference_helper" => new(new ClipSpec(
                new(SamplingMethod.FrameInterval, helper.Int("num_seg", 4), helper.Int("seg_len", 32), helper.Int("frame_interval", 2)),
                RoundOpenCv with { ShortSide = helper.Int("short_size", 224) },
                new(CropMethod.Center, size),
                Swin,
                Layout: ClipLayout.Ncthw)),
            _ => null,
        };
    }
}
