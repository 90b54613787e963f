using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>The published files that <c>kinora models pull</c> knows: one explicit list.</summary>
/// <remarks>
/// Addresses and figures are those of PaddleVideo's model-zoo pages (docs/zh-CN/model_zoo/recognition) and of its
/// recipes' comments; the catalogue tests compare recipes and architectures.
/// </remarks>
public static class PublishedModels
{
    /// <summary>Licence of the projects whose authors publish them, PaddleVideo and PaddleClas.</summary>
    public const string Licence = "Apache-2.0";

    private const string V21 = "https://videotag.bj.bcebos.com/PaddleVideo-release2.1/";
    private const string V22 = "https://videotag.bj.bcebos.com/PaddleVideo-release2.2/";
    private const string V23 = "https://videotag.bj.bcebos.com/PaddleVideo-release2.3/";
    private const string Videotag = "https://videotag.bj.bcebos.com/PaddleVideo/";
    private const string ImageNet = "https://paddle-imagenet-models-name.bj.bcebos.com/dygraph/";

    private const string Uniform = "1 clip, centre crop", Dense = "10 dense clips, 3 crops", TenCrop = "25 frames, ten crops", ThreeCrops = "1 clip, 3 crops";

    /// <summary>All files: classifiers first, then backbones.</summary>
    public static IReadOnlyList<PublishedModel> Entries { get; } =
    [
        Kinetics("tsn_k400", "TSN, ResNet-50, trained on 3 segments", V22 + "TSN_k400.pdparams", "tsn_r50", 3, "tsn/tsn_k400_frames.yaml", 69.81, TenCrop, "tsn.md"),
        Kinetics("tsn_k400_8f", "TSN, ResNet-50, trained on 8 segments", V22 + "TSN_k400_8.pdparams", "tsn_r50", 8, "tsn/tsn_k400_frames.yaml", 71.70, TenCrop, "tsn.md"),
        Kinetics("pptsn_k400", "PP-TSN, ResNet-50-vd, trained on 3 segments", V22 + "ppTSN_k400.pdparams", "pptsn_r50", 3, "pptsn/pptsn_k400_frames.yaml", 73.68, TenCrop, "pp-tsn.md"),
        Kinetics("pptsn_k400_8f", "PP-TSN, ResNet-50-vd, distilled, trained on 8 segments", V22 + "ppTSN_k400_8.pdparams", "pptsn_r50", 8, "pptsn/pptsn_k400_frames.yaml", 75.06, TenCrop, "pp-tsn.md"),
        Kinetics("tsm_k400", "TSM, ResNet-50", V21 + "TSM/TSM_k400.pdparams", "tsm_r50", 8, "tsm/tsm_k400_frames.yaml", 71.06, Uniform, "tsm.md"),
        Ucf("tsm_ucf101", "TSM, ResNet-50", V21 + "TSM/TSM_ucf101_nchw.pdparams", "tsm/tsm_ucf101_frames.yaml", 94.42),
        Ucf("tsm_ucf101_amp", "TSM, ResNet-50, trained in mixed precision", V21 + "TSM/TSM_ucf101_amp_nchw.pdparams", "tsm/tsm_ucf101_frames.yaml", 94.40),
        Ucf("tsm_ucf101_amp_nhwc", "TSM, ResNet-50, trained in mixed precision, channels last", V21 + "TSM/TSM_ucf101_amp_nhwc.pdparams", "tsm/tsm_ucf101_frames_nhwc.yaml", 94.55),
        Kinetics("pptsm_k400_uniform", "PP-TSM, ResNet-50-vd", V21 + "PPTSM/ppTSM_k400_uniform.pdparams", "pptsm_r50", 8, "pptsm/pptsm_k400_frames_uniform.yaml", 74.54, Uniform, "pp-tsm.md"),
        Kinetics("pptsm_k400_uniform_distill", "PP-TSM, ResNet-50-vd, distilled", V21 + "PPTSM/ppTSM_k400_uniform_distill.pdparams", "pptsm_r50", 8, "pptsm/pptsm_k400_frames_uniform.yaml", 75.11, Uniform, "pp-tsm.md"),
        Kinetics("pptsm_k400_dense", "PP-TSM, ResNet-50-vd, dense sampling", V21 + "PPTSM/ppTSM_k400_dense.pdparams", "pptsm_r50", 8, "pptsm/pptsm_k400_frames_dense.yaml", 75.69, Dense, "pp-tsm.md"),
        Kinetics("pptsm_k400_dense_distill", "PP-TSM, ResNet-50-vd, dense sampling, distilled", V21 + "PPTSM/ppTSM_k400_dense_distill.pdparams", "pptsm_r50", 8, "pptsm/pptsm_k400_frames_dense.yaml", 76.16, Dense, "pp-tsm.md"),
        Kinetics("pptsm_r101_k400_dense", "PP-TSM, ResNet-101-vd, dense sampling", V22 + "ppTSM_k400_dense_r101.pdparams", "pptsm_r101", 8, "pptsm/pptsm_k400_frames_dense_r101.yaml", 77.15, Dense, "pp-tsm.md"),
        Kinetics("pptsm_r101_k400_uniform_distill", "PP-TSM, ResNet-101-vd, distilled", V22 + "ppTSM_k400_uniform_distill_r101.pdparams", "pptsm_r101", 8, null, 76.35, Uniform, "pp-tsm.md"),
        Kinetics("pptsm_mobilenet_v2_k400", "PP-TSM, MobileNetV2", V23 + "ppTSM_mv2_k400.pdparams", "pptsm_mobilenet_v2", 8, "pptsm/pptsm_mv2_k400_videos_uniform.yaml", 68.09, Uniform, "pp-tsm.md"),
        Kinetics("pptsm_mobilenet_v3_k400", "PP-TSM, MobileNetV3 large", V23 + "ppTSM_mv3_k400.pdparams", "pptsm_mobilenet_v3", 8, "pptsm/pptsm_mv3_k400_frames_uniform.yaml", 69.84, Uniform, "pp-tsm.md"),
        Kinetics("pptsmv2_k400_8f", "PP-TSMv2, 8 frames", V23 + "PPTSMv2_k400_8f.pdparams", "pptsmv2", 8, "pptsm/v2/pptsm_lcnet_k400_8frames_uniform.yaml", 71.81, Uniform, "pp-tsm.md"),
        Kinetics("pptsmv2_k400_16f", "PP-TSMv2, 16 frames", V23 + "PPTSMv2_k400_16f.pdparams", "pptsmv2", 16, "pptsm/v2/pptsm_lcnet_k400_16frames_uniform.yaml", 73.1, Uniform, "pp-tsm.md"),
        Kinetics("pptsmv2_k400_8f_dml", "PP-TSMv2, 8 frames, learnt together with PP-TSM", V23 + "PPTSMv2_k400_8f_dml_student.pdparams", "pptsmv2", 8, "pptsm/v2/pptsm_lcnet_k400_8frames_uniform_dml_distillation.yaml", 72.45, Uniform, "pp-tsm.md"),
        Kinetics("pptsmv2_k400_16f_dml", "PP-TSMv2 with temporal attention, 16 frames, learnt together with PP-TSM", V23 + "PPTSMv2_k400_16f_dml_student.pdparams", "pptsmv2_lta", 16, "pptsm/v2/pptsm_lcnet_k400_16frames_uniform_dml_distillation.yaml", 75.16, Uniform, "pp-tsm.md"),
        Pair("pptsmv2_k400_8f_dml_pair", "PP-TSMv2, 8 frames, in the file that also has its teacher", V23 + "PPTSMv2_k400_8f_dml.pdparams", "pptsmv2", 8, "pptsm/v2/pptsm_lcnet_k400_8frames_uniform_dml_distillation.yaml", 72.45),
        Pair("pptsmv2_k400_16f_dml_pair", "PP-TSMv2 with temporal attention, 16 frames, in the file that also has its teacher", V23 + "PPTSMv2_k400_16f_dml.pdparams", "pptsmv2_lta", 16, "pptsm/v2/pptsm_lcnet_k400_16frames_uniform_dml_distillation.yaml", 75.16),
        Kinetics("slowfast_4x16_k400", "SlowFast 4x16, ResNet-50", Videotag + "SlowFast/SlowFast.pdparams", "slowfast_4x16_r50", 32, "slowfast/slowfast.yaml", 74.35, "10 clips, 3 crops", "slowfast.md", 91.33),
        Kinetics("slowfast_8x8_k400", "SlowFast 8x8, ResNet-50", Videotag + "SlowFast/SlowFast_8*8.pdparams", "slowfast_8x8_r50", 32, "slowfast/slowfast_multigrid.yaml", 75.84, "10 clips, 3 crops", "slowfast.md", 92.33),
        Kinetics("movinet_a0_k400", "MoViNet-A0", V23 + "MoViNetA0_k400.pdparams", "movinet_a0", 50, "movinet/movinet_k400_frame.yaml", 66.62, Uniform, "movinet.md"),
        Kinetics("timesformer_k400", "TimeSformer, ViT-B/16", V22 + "TimeSformer_k400.pdparams", "timesformer", 8, "timesformer/timesformer_k400_videos.yaml", 77.29, ThreeCrops, "timesformer.md"),
        Kinetics("pptimesformer_k400_8f", "PP-TimeSformer, ViT-B/16, 8 frames", V22 + "ppTimeSformer_k400_8f.pdparams", "pp_timesformer", 8, "pptimesformer/pptimesformer_k400_videos.yaml", 78.61, ThreeCrops, "pp-timesformer.md"),
        Kinetics("pptimesformer_k400_8f_distill", "PP-TimeSformer, ViT-B/16, 8 frames, distilled", V22 + "ppTimeSformer_k400_8f_distill.pdparams", "pp_timesformer", 8, "pptimesformer/pptimesformer_k400_videos.yaml", 78.87, ThreeCrops, "pp-timesformer.md"),
        Kinetics("pptimesformer_k400_16f_distill", "PP-TimeSformer, ViT-B/16, 16 frames, distilled", V22 + "ppTimeSformer_k400_16f_distill.pdparams", "pp_timesformer", 16, "pptimesformer/pptimesformer_k400_videos.yaml", 79.44, ThreeCrops, "pp-timesformer.md"),
        Kinetics("videoswin_s_k400", "Video Swin Transformer, small", V22 + "VideoSwin_small_k400.pdparams", "videoswin_s", 32, "videoswin/videoswin_small_k400_videos.yaml", 80.18, "4 clips, 3 crops", "videoswin.md"),
        Kinetics("videoswin_b_k400", "Video Swin Transformer, base", V22 + "VideoSwin_base_k400.pdparams", "videoswin_b", 32, "videoswin/videoswin_base_k400_videos.yaml", 82.40, "4 clips, 3 crops", "videoswin.md"),
        new("pptsm_fight", "PP-TSM, ResNet-50-vd: fight or no fight", new(V23 + "ppTSM_fight.pdparams"), "pptsm_r50", new(2, 8), Accuracy: new("public fight data sets", 89.06, null, Uniform, "applications/FightRecognition/README.md")),
        Backbone("resnet50_imagenet", "ResNet-50", Videotag + "PretrainModel/ResNet50_pretrain.pdparams", "tsm_r50"),
        Backbone("resnet50_vd_ssld_imagenet", "ResNet-50-vd, distilled (SSLD v2)", Videotag + "PretrainModel/ResNet50_vd_ssld_v2_pretrained.pdparams", "pptsm_r50"),
        Backbone("resnet101_vd_ssld_imagenet", "ResNet-101-vd, distilled (SSLD)", V22 + "ResNet101_vd_ssld_pretrained.pdparams", "pptsm_r101"),
        Backbone("mobilenet_v2_ssld_imagenet", "MobileNetV2, distilled (SSLD)", ImageNet + "MobileNetV2_ssld_pretrained.pdparams", "pptsm_mobilenet_v2"),
        Backbone("mobilenet_v3_large_ssld_imagenet", "MobileNetV3 large, distilled (SSLD)", ImageNet + "legendary_models/MobileNetV3_large_x1_0_ssld_pretrained.pdparams", "pptsm_mobilenet_v3"),
        Backbone("pplcnet_v2_base_ssld_imagenet", "PP-LCNetV2 base, distilled (SSLD)", ImageNet + "legendary_models/PPLCNetV2_base_ssld_pretrained.pdparams", "pptsmv2"),
        Backbone("vit_base_patch16_imagenet", "ViT-B/16", ImageNet + "ViT_base_patch16_224_pretrained.pdparams", "timesformer"),
        Backbone("swin_small_imagenet", "Swin Transformer, small", V22 + "swin_small_patch4_window7_224.pdparams", "videoswin_s"),
        Backbone("swin_base_imagenet", "Swin Transformer, base", V22 + "swin_base_patch4_window7_224.pdparams", "videoswin_b"),
    ];

    /// <summary>Looks up a file.</summary>
    /// <param name="name">Its name here.</param>
    /// <returns>Its entry.</returns>
    /// <exception cref="ConfigException">No such name; the message suggests the nearest.</exception>
    public static PublishedModel Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Entries.FirstOrDefault(e => e.Name == name)
            ?? throw new ConfigException(
                $"published model: expected a name of 'kinora models pull', found '{name}'{NearestName.Suggestion(name, Entries.Select(e => e.Name))}");
    }

    private static PublishedModel Kinetics(
        string name, string title, string url, string architecture, int frames, string? recipe, double top1, string views, string page, double? top5 = null) =>
        new(name, title, new Uri(url), architecture, new ModelOptions(400, frames), Recipe: recipe, Accuracy: new("Kinetics-400 validation", top1, top5, views, $"docs/zh-CN/model_zoo/recognition/{page}"));

    private static PublishedModel Pair(string name, string title, string url, string architecture, int frames, string recipe, double top1) =>
        Kinetics(name, title, url, architecture, frames, recipe, top1, Uniform, "pp-tsm.md") with { Part = "Student" };

    private static PublishedModel Ucf(string name, string title, string url, string recipe, double top1) =>
        new(name, title, new Uri(url), "tsm_r50", new ModelOptions(101, 8), Recipe: recipe, Accuracy: new("UCF-101 split 1", top1, null, Uniform, "docs/zh-CN/model_zoo/recognition/tsm.md"));

    private static PublishedModel Backbone(string name, string title, string url, string architecture) =>
        new(name, $"{title}, ImageNet", new Uri(url), architecture, null, PublishedUse.Backbone);
}
