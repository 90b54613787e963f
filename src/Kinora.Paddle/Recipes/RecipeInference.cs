namespace Kinora.Paddle;

/// <summary>
/// The INFERENCE section as a <see cref="ClipSpec"/>: what PaddleVideo's predict helpers do to a video, which isn't always
/// what its evaluation does.
/// </summary>
internal static class RecipeInference
{
    private static readonly double[] Half = [0.45, 0.45, 0.45], Spread = [0.225, 0.225, 0.225];

    // VideoSwin's statistics are in levels of a byte.
    private static readonly double[] Levels = [123.675, 116.28, 103.53], LevelSpread = [58.395, 57.12, 57.375];

    /// <summary>Reads the section.</summary>
    /// <param name="helper">INFERENCE.</param>
    /// <returns>The specification, checked.</returns>
    /// <exception cref="ConfigException">Another helper, or wrong arguments.</exception>
    public static ClipSpec Read(RecipeSection helper)
    {
        helper.Ignore("asked for when classifying (--top-k)", "top_k");
        ClipSpec spec = helper.RequireText("name") switch
        {
            "ppTSM_Inference_helper" => new(
                new(SamplingMethod.Uniform, helper.Int("num_seg", 8), helper.Int("seg_len", 1)),
                new(ResizeRule.FixedRatio, helper.Int("short_size", 256)),
                new(CropMethod.Center, helper.Int("target_size", 224)),
                Normalization.ImageNet),
            "ppTSN_Inference_helper" => new(
                new(SamplingMethod.SelectLeft, helper.Int("num_seg", 25), One(helper)),
                new(ResizeRule.FixedRatio, helper.Int("short_size", 256), ResizeEngine.OpenCv),
                new(CropMethod.Ten, helper.Int("target_size", 224)),
                Normalization.ImageNet),
            "TimeSformer_Inference_helper" => new(
                new(SamplingMethod.Timed, 1, helper.Int("num_seg", 8), 32 * One(helper)),
                new(ResizeRule.KeepAspectFloor, helper.Int("short_size", 224), ResizeEngine.Interpolate),
                new(CropMethod.Three, helper.Int("target_size", 224)),
                RecipeChain.NormalizationOf(helper.Numbers("mean", 3, Half), helper.Numbers("std", 3, Spread), NormalizationArithmetic.Double),
                Layout: ClipLayout.Ncthw),
            "VideoSwin_Inference_helper" => new(
                new(SamplingMethod.FrameInterval, helper.Int("num_seg", 4), helper.Int("seg_len", 32), helper.Int("frame_interval", 2)),
                new(ResizeRule.KeepAspectRound, helper.Int("short_size", 224), ResizeEngine.OpenCv),
                new(CropMethod.Center, helper.Int("target_size", 224)),
                RecipeChain.NormalizationOf(helper.Numbers("mean", 3, Levels), helper.Numbers("std", 3, LevelSpread), NormalizationArithmetic.InPlace),
                Layout: ClipLayout.Ncthw),
            "SlowFast_Inference_helper" => SlowFast(helper),
            _ => throw helper.Wrong(
                "name", "one of ppTSM_Inference_helper, ppTSN_Inference_helper, SlowFast_Inference_helper, TimeSformer_Inference_helper, VideoSwin_Inference_helper"),
        };
        helper.Finish();
        try
        {
            spec.Validate();
            return spec;
        }
        catch (ConfigException e)
        {
            throw helper.Refuse(e.Message);
        }
    }

    private static ClipSpec SlowFast(RecipeSection helper)
    {
        helper.Ignore("SlowFast's network takes all frames and chooses those of its slow path itself", "alpha");
        helper.Note("the helper would crop at a random place, so that its answers vary from run to run; the middle is taken");
        int size = helper.Int("target_size", 256);
        return new ClipSpec(
            new(SamplingMethod.Timed, 1, helper.Int("num_frames", 32), helper.Int("sampling_rate", 2)),
            new(ResizeRule.KeepAspectFloor, size),
            new(CropMethod.Center, size),
            RecipeChain.NormalizationOf(Half, Spread, NormalizationArithmetic.Single),
            Layout: ClipLayout.Ncthw);
    }

    // These helpers hand seg_len to a sampler that takes one frame from each segment whatever it says.
    private static int One(RecipeSection helper)
    {
        if (helper.Int("seg_len", 1) != 1)
        {
            helper.Ignore("this sampling takes one frame from each segment", "seg_len");
        }

        return 1;
    }
}
