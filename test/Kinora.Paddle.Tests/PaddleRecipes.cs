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
        ["pptsm/v2/pptsm_lcnet_k400_8frames_uniform"] = PpTsmV2(8),
        ["pptsm/v2/pptsm_lcnet_k400_16frames_uniform"] = PpTsmV2(16),
        ["slowfast/slowfast"] = SlowFast(8, ("fusion_kernel_sz", 5)),
        ["slowfast/slowfast_multigrid"] = SlowFast(4, ("fusion_kernel_sz", 7), ("bn_norm_type", "batchnorm")),
    };

    /// <summary>Builds the network of a recipe; skips the running test where Kinora hasn't got it.</summary>
    /// <param name="config">Path of the YAML file, with or without folder and extension.</param>
    /// <param name="overrides">Changed values of MODEL.backbone.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="withoutDropping">Sets the probability of every dropout and drop-path to 0.</param>
    public static VideoNetwork Build(string config, IReadOnlyDictionary<string, JsonElement> overrides, int classes, bool withoutDropping = false)
    {
        string recipe = config.Replace(Root, "", StringComparison.Ordinal).Replace(".yaml", "", StringComparison.Ordinal);
        PaddleModel? model = Models.GetValueOrDefault(recipe);
        Assert.SkipWhen(model is null, $"not supported yet: {recipe}");
        Dictionary<string, object?> backbone = new(model!.BackboneArguments);
        Dictionary<string, object?> head = new(model.HeadArguments);

        // The class count is the head's business, or the backbone's where the head is the identity.
        if (head.ContainsKey("num_classes"))
        {
            head["num_classes"] = (long)classes;
        }
        else
        {
            backbone[model.Backbone == "MoViNet" ? "num_classes" : "class_num"] = (long)classes;
        }

        foreach ((string name, JsonElement value) in overrides.Where(o => o.Key != "name"))
        {
            backbone[name] = Plain(value);
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

    private static PaddleModel PpTsmV2(int frames) => new(
        "PPTSM_v2", Arguments(("num_seg", frames), ("class_num", 400)), "MoViNetHead", Arguments());

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
        JsonValueKind.Number => value.TryGetInt64(out long whole) ? whole : value.GetDouble(),
        JsonValueKind.Array => value.EnumerateArray().Select(Plain).ToArray(),
        _ => throw new NotSupportedException($"{value}"),
    };
}
