using System.Text.Json;
using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Paddle.Tests;

/// <summary>The MODEL sections of PaddleVideo's recipes, as far as Kinora has their networks.</summary>
internal static class PaddleRecipes
{
    private const string Root = "configs/recognition/";

    // Arguments as the YAML files give them; what they leave out is the class's default.
    private static readonly Dictionary<string, PaddleModel> Models = new(StringComparer.Ordinal)
    {
        ["tsn/tsn_k400_frames"] = Tsn(),
        ["tsn/tsn_k400_videos"] = Tsn(),
        ["tsm/tsm_k400_frames"] = Tsm(),
        ["tsm/tsm_k400_frames_nhwc"] = Tsm("NHWC"),
        ["tsm/tsm_k400_videos"] = Tsm(),
        ["tsm/tsm_ucf101_frames"] = Tsm(classes: 101, dropout: 0.8),
        ["tsm/tsm_ucf101_frames_nhwc"] = Tsm("NHWC", classes: 101, dropout: 0.8),
        ["tsm/tsm_ucf101_videos"] = Tsm(classes: 101, dropout: 0.8),
        ["pptsn/pptsn_k400_frames"] = PpTsn(),
        ["pptsn/pptsn_k400_videos"] = PpTsn(),
        ["pptsm/pptsm_k400_frames_uniform"] = PpTsm(50),
        ["pptsm/pptsm_k400_frames_dense"] = PpTsm(50),
        ["pptsm/pptsm_k400_frames_dense_r101"] = PpTsm(101),
        ["pptsm/pptsm_k400_videos_uniform"] = PpTsm(50),
        ["pptsm/v2/pptsm_lcnet_k400_8frames_uniform"] = PpTsmV2(8),
        ["pptsm/v2/pptsm_lcnet_k400_16frames_uniform"] = PpTsmV2(16),
        ["pptsm/pptsm_mv2_k400_videos_uniform"] = PpTsmMobileNet("PPTSM_MobileNetV2"),
        ["pptsm/pptsm_mv3_k400_frames_uniform"] = PpTsmMobileNet("PPTSM_MobileNetV3"),
        ["movinet/movinet_k400_frame"] = MoViNet(),
        ["timesformer/timesformer_k400_videos"] = TimeSformer("VisionTransformer", "TimeSformerHead", qkvBias: true),
        ["pptimesformer/pptimesformer_k400_videos"] = TimeSformer("VisionTransformer_tweaks", "ppTimeSformerHead", qkvBias: false),
        ["videoswin/videoswin_small_k400_videos"] = VideoSwin(96, 3, 0.1),
        ["videoswin/videoswin_base_k400_videos"] = VideoSwin(128, 4, 0.2),
        ["slowfast/slowfast"] = SlowFast(8, ("fusion_kernel_sz", 5)),
        ["slowfast/slowfast_multigrid"] = SlowFast(4, ("fusion_kernel_sz", 7), ("bn_norm_type", "batchnorm")),
    };

    /// <summary>Builds the network of a recipe; skips the running test where Kinora hasn't got it.</summary>
    /// <param name="config">Path of the YAML file, with or without folder and extension.</param>
    /// <param name="overrides">Changed values of MODEL.backbone.</param>
    /// <param name="classes">Number of classes; null for the recipe's own.</param>
    /// <param name="withoutDropping">Sets the probability of every dropout and drop-path to 0.</param>
    /// <param name="headOverrides">Changed values of MODEL.head.</param>
    public static VideoNetwork Build(string config, IReadOnlyDictionary<string, JsonElement> overrides, int? classes = null, bool withoutDropping = false, IReadOnlyDictionary<string, JsonElement>? headOverrides = null)
    {
        string recipe = config.Replace(Root, "", StringComparison.Ordinal).Replace(".yaml", "", StringComparison.Ordinal);
        PaddleModel? model = Models.GetValueOrDefault(recipe);
        Assert.SkipWhen(model is null, $"not supported yet: {recipe}");
        Dictionary<string, object?> backbone = new(model!.BackboneArguments);
        Dictionary<string, object?> head = new(model.HeadArguments);

        // The class count is the head's business, or the backbone's where the head is the identity.
        if (classes is int count)
        {
            bool onHead = head.ContainsKey("num_classes");
            (onHead ? head : backbone)[onHead || model.Backbone == "MoViNet" ? "num_classes" : "class_num"] = (long)count;
        }

        foreach ((string name, JsonElement value) in overrides.Where(o => o.Key != "name"))
        {
            backbone[name] = Plain(value);
        }

        foreach ((string name, JsonElement value) in headOverrides ?? new Dictionary<string, JsonElement>())
        {
            head[name] = Plain(value);
        }

        VideoNetwork network = PaddleArchitectures.Create(model with { BackboneArguments = backbone, HeadArguments = head });
        if (withoutDropping)
        {
            foreach ((_, Module module) in network.NamedModules())
            {
                switch (module)
                {
                    case Dropout dropout:
                        dropout.Probability = 0;
                        break;
                    case DropPath path:
                        path.Probability = 0;
                        break;
                }
            }
        }

        return network;
    }

    private static PaddleModel Tsn() => new(
        "ResNet", Arguments(("depth", 50)), "TSNHead", Arguments(("num_classes", 400), ("drop_ratio", 0.4), ("std", 0.01)));

    private static PaddleModel Tsm(string layout = "NCHW", int classes = 400, double dropout = 0.5) => new(
        "ResNetTSM",
        Arguments(("num_seg", 8), ("depth", 50), ("data_format", layout)),
        "TSMHead",
        Arguments(("num_classes", classes), ("in_channels", 2048), ("drop_ratio", dropout), ("std", 0.001), ("data_format", layout)));

    private static PaddleModel PpTsn() => new(
        "ResNetTweaksTSN",
        Arguments(("layers", 50)),
        "ppTSNHead",
        Arguments(("num_classes", 400), ("in_channels", 2048), ("drop_ratio", 0.4), ("std", 0.01), ("ls_eps", 0.1)));

    private static PaddleModel PpTsm(int depth) => new(
        "ResNetTweaksTSM",
        Arguments(("depth", depth), ("num_seg", 8)),
        "ppTSMHead",
        Arguments(("num_classes", 400), ("in_channels", 2048), ("drop_ratio", 0.5), ("std", 0.01), ("ls_eps", 0.1)));

    private static PaddleModel PpTsmV2(int frames) => new(
        "PPTSM_v2", Arguments(("num_seg", frames), ("class_num", 400)), "MoViNetHead", Arguments());

    private static PaddleModel PpTsmMobileNet(string backbone) => new(backbone, Arguments(("num_seg", 8)), "MoViNetHead", Arguments());

    private static PaddleModel MoViNet() => new(
        "MoViNet", Arguments(("num_classes", 400), ("causal", false), ("conv_type", "3d")), "MoViNetHead", Arguments());
    private static PaddleModel TimeSformer(string backbone, string head, bool qkvBias) => new(
        backbone,
        Arguments(
            ("img_size", 224), ("patch_size", 16), ("in_channels", 3), ("embed_dim", 768), ("depth", 12), ("num_heads", 12), ("mlp_ratio", 4),
            ("qkv_bias", qkvBias), ("epsilon", 1e-6), ("num_seg", 8), ("attention_type", "divided_space_time")),
        head,
        Arguments(("num_classes", 400), ("in_channels", 768), ("std", 0.02)));

    private static PaddleModel VideoSwin(int width, int heads, double dropPath) => new(
        "SwinTransformer3D",
        Arguments(
            ("patch_size", Longs(2, 4, 4)), ("embed_dim", width), ("depths", Longs(2, 2, 18, 2)), ("num_heads", Longs(heads, 2 * heads, 4 * heads, 8 * heads)),
            ("window_size", Longs(8, 7, 7)), ("mlp_ratio", 4.0), ("qkv_bias", true), ("qk_scale", null), ("drop_rate", 0.0), ("attn_drop_rate", 0.0),
            ("drop_path_rate", dropPath), ("patch_norm", true)),
        "I3DHead",
        Arguments(("num_classes", 400), ("in_channels", 8 * width), ("spatial_type", "avg"), ("drop_ratio", 0.5), ("std", 0.01)));

    private static object?[] Longs(params long[] values) => [.. values.Cast<object?>()];
    private static PaddleModel SlowFast(int alpha, params (string Name, object? Value)[] more) => new(
        "ResNetSlowFast",
        Arguments([("depth", 50), ("alpha", alpha), ("beta", 8), ("width_per_group", 64), .. more]),
        "SlowFastHead",
        Arguments(
            ("width_per_group", 64), ("alpha", alpha), ("beta", 8), ("num_classes", 400), ("num_frames", 32), ("crop_size", 224),
            ("dropout_rate", 0.5), ("multigrid_short", alpha == 4)));

    private static Dictionary<string, object?> Arguments(params (string Name, object? Value)[] values) =>
        values.ToDictionary(v => v.Name, v => v.Value is int number ? (long)number : v.Value, StringComparer.Ordinal);

    private static object? Plain(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.TryGetInt64(out long whole) ? (object)whole : value.GetDouble(),
        JsonValueKind.Array => value.EnumerateArray().Select(Plain).ToArray(),
        _ => throw new NotSupportedException($"{value}"),
    };
}
