namespace Kinora.Models;

/// <summary>Every network that can be built by name: one explicit list.</summary>
public static class ModelCatalog
{
    /// <summary>The network for people without a GPU or millions of clips.</summary>
    public const string DefaultName = "tsm_efficientnet_lite0";

    /// <summary>Licence of the ImageNet weights that travel with Kinora (models/README.md).</summary>
    public const string PretrainedLicence = "Apache-2.0";

    /// <summary>All networks, the default first.</summary>
    public static IReadOnlyList<ModelEntry> Entries { get; } =
    [
        new(DefaultName, "TSM-EfficientNet-Lite0", "Light and quick on CPUs, starts from ImageNet weights: the choice for a small data set of one's own.",
            8, 224, true, o => new TsmEfficientNetLite0(o)),
        new("tsm_efficientnet_lite0_lta", "TSM-EfficientNet-Lite0 with temporal attention", "The same, and it weighs its frames as PP-TSMv2 does; T is baked into the weights.",
            8, 224, true, o => new TsmEfficientNetLite0(o, temporalAttention: true)),
        new("pptsmv2", "PP-TSMv2", "PP-LCNetV2 with one temporal shift: PaddleVideo's light network for CPUs.",
            16, 224, false, o => new PpTsmV2(o)),
        new("pptsmv2_lta", "PP-TSMv2 with temporal attention", "PP-TSMv2 that also weighs its frames; T is baked into the weights.",
            16, 224, false, o => new PpTsmV2(o, temporalAttention: true)),
        new("tsm_r50", "TSM ResNet-50", "Every residual branch sees the neighbour frames: the network of the TSM paper.",
            8, 224, false, o => new Tsm(o, depth: 50)),
        new("tsm_r18", "TSM ResNet-18", "The same on 18 layers, for quick experiments.", 8, 224, false, o => new Tsm(o, depth: 18)),
        new("tsm_r34", "TSM ResNet-34", "The same on 34 layers.", 8, 224, false, o => new Tsm(o, depth: 34)),
        new("tsm_r101", "TSM ResNet-101", "The same on 101 layers.", 8, 224, false, o => new Tsm(o, depth: 101)),
        new("pptsm_r50", "PP-TSM ResNet-50-D", "PaddleVideo's improved TSM: the choice for accuracy with a GPU.",
            8, 224, false, o => new PpTsm(o, depth: 50)),
        new("pptsm_r18", "PP-TSM ResNet-18", "The same on 18 layers.", 8, 224, false, o => new PpTsm(o, depth: 18)),
        new("pptsm_r34", "PP-TSM ResNet-34", "The same on 34 layers.", 8, 224, false, o => new PpTsm(o, depth: 34)),
        new("pptsm_r101", "PP-TSM ResNet-101-D", "The same on 101 layers: the most accurate PP-TSM of PaddleVideo.",
            8, 224, false, o => new PpTsm(o, depth: 101)),
        new("pptsm_r152", "PP-TSM ResNet-152-D", "The same on 152 layers.", 8, 224, false, o => new PpTsm(o, depth: 152)),
        new("tsn_r50", "TSN ResNet-50", "Frames judged one by one and averaged; blind to time order.",
            3, 224, false, o => new Tsn(o, depth: 50)),
        new("tsn_r18", "TSN ResNet-18", "The same on 18 layers: a quick baseline that can't see motion.", 3, 224, false, o => new Tsn(o, depth: 18)),
        new("pptsm_mobilenet_v2", "PP-TSM MobileNetV2", "Shifted inverted residuals: small and cheap, less exact than PP-TSMv2.",
            8, 224, false, o => new PpTsmMobileNetV2(o)),
        new("pptsm_mobilenet_v3", "PP-TSM MobileNetV3", "The same with channel gates: better than MobileNetV2 for less arithmetic.",
            8, 224, false, o => new PpTsmMobileNetV3(o)),
        new("pptsm_mobilenet_v3_small", "PP-TSM MobileNetV3-Small", "A quarter of MobileNetV3's arithmetic, for the weakest processors.",
            8, 224, false, o => new PpTsmMobileNetV3(o, small: true)),
        new("movinet_a0", "MoViNet-A0", "Three-dimensional depthwise convolutions over long, small clips; takes any number of frames.",
            50, 172, false, o => new MoViNet(o)),
        new("timesformer", "TimeSformer", "A vision transformer that looks along time, then across each frame; wants pre-trained weights and a GPU.",
            8, 224, false, TimeSformer.Base),
        new("pp_timesformer", "PP-TimeSformer", "TimeSformer as PaddleVideo tuned it.", 8, 224, false, TimeSformer.PpBase),
        new("videoswin_t", "VideoSwin-T", "Attention in shifted windows of time and space, tiny: the lightest of the transformers.", 32, 224, false, VideoSwin.Tiny),
        new("videoswin_s", "VideoSwin-S", "The same, small: deeper in its third stage.", 32, 224, false, VideoSwin.Small),
        new("videoswin_b", "VideoSwin-B", "The same, base: a third wider; the most accurate network here, and the slowest.", 32, 224, false, VideoSwin.Base),
        new("tsn_r34", "TSN ResNet-34", "The same on 34 layers.", 3, 224, false, o => new Tsn(o, depth: 34)),
        new("tsn_r101", "TSN ResNet-101", "The same on 101 layers.", 3, 224, false, o => new Tsn(o, depth: 101)),
        new("pptsn_r50", "PP-TSN ResNet-50-D", "PaddleVideo's improved TSN; blind to time order too.",
            3, 224, false, o => new PpTsn(o, depth: 50)),
        new("slowfast_4x16_r50", "SlowFast 4x16 ResNet-50", "Two paths over one clip: 4 frames with many channels, 32 with few.",
            32, 224, false, o => new SlowFast(o, SlowFastOptions.FourBySixteen)),
        new("slowfast_8x8_r50", "SlowFast 8x8 ResNet-50", "SlowFast whose slow path sees 8 of the 32 frames: more accurate, dearer.",
            32, 224, false, o => new SlowFast(o, SlowFastOptions.EightByEight)),
        new("slowfast_4x16_r50_mm", "SlowFast 4x16 ResNet-50, mmaction2's form", "For weights of mmaction2, whose lateral connections and head are others.",
            32, 224, false, o => new SlowFast(o, SlowFastOptions.FourBySixteen with { Form = SlowFastForm.MmAction })),
        new("slowfast_8x8_r50_mm", "SlowFast 8x8 ResNet-50, mmaction2's form", "For weights of mmaction2, whose lateral connections and head are others.",
            32, 224, false, o => new SlowFast(o, SlowFastOptions.EightByEight with { Form = SlowFastForm.MmAction })),
        new("ircsn_r152", "ir-CSN 152", "Deep and accurate at 30 M parameters, as its volume convolutions are depthwise: a teacher for distillation.",
            32, 224, false, o => new Csn(o)),
    ];

    /// <summary>Looks up a network.</summary>
    /// <param name="name">Catalogue name.</param>
    /// <returns>Its entry.</returns>
    /// <exception cref="ConfigException">No such name; the message suggests the nearest.</exception>
    public static ModelEntry Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Entries.FirstOrDefault(e => e.Name == name)
            ?? throw new ConfigException(NearestName.Suggestion(name, Entries.Select(e => e.Name)) is { Length: > 0 } near
                ? $"model: expected the name of a network, found '{name}'{near}"
                : $"model: expected one of {string.Join(", ", Entries.Select(e => e.Name))}; found '{name}'");
    }

    /// <summary>Builds a network with initial weights, in training mode.</summary>
    /// <param name="name">Catalogue name.</param>
    /// <param name="options">What the caller chooses; the rest is the network's own.</param>
    /// <returns>The network; the caller disposes it.</returns>
    /// <exception cref="ConfigException">Unknown name, or an option is out of range or not supported by the network.</exception>
    public static VideoNetwork Create(string name, ModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ModelEntry entry = Find(name);
        options.Validate();
        if (options.Pretrained && !entry.HasPretrainedWeights)
        {
            throw new ConfigException($"model {name}: no ImageNet weights for it travel with Kinora; train it from scratch (pretrained: false) or choose {DefaultName}");
        }

        return entry.Factory(options);
    }

    /// <summary>
    /// Builds a network for its names and shapes, or for weights that are about to be loaded: without initial values,
    /// which take most of the time that building takes.
    /// </summary>
    /// <param name="name">Catalogue name.</param>
    /// <param name="options">What the caller chooses; the rest is the network's own. Pretrained weights aren't loaded.</param>
    /// <returns>The network, in training mode; the caller disposes it.</returns>
    /// <exception cref="ConfigException">Unknown name, or an option is out of range or not supported by the network.</exception>
    public static VideoNetwork CreateBlank(string name, ModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return VideoNetwork.Blank(() => Create(name, options with { Pretrained = false }));
    }
}
