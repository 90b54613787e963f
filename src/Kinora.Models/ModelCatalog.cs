namespace Kinora.Models;

/// <summary>Every network that can be built by name: one explicit list.</summary>
public static class ModelCatalog
{
    /// <summary>The network for people without a GPU or millions of clips.</summary>
    public const string DefaultName = "tsm_efficientnet_lite0";

    /// <summary>All networks, the default first.</summary>
    public static IReadOnlyList<ModelEntry> Entries { get; } =
    [
        new(DefaultName, "TSM-EfficientNet-Lite0", "Light and quick on CPUs, starts from ImageNet weights: the choice for a small data set of one's own.",
            8, 224, true, o => new TsmEfficientNetLite0(o)),
        new("pptsmv2", "PP-TSMv2", "PP-LCNetV2 with one temporal shift: PaddleVideo's light network for CPUs.",
            16, 224, false, o => new PpTsmV2(o)),
        new("pptsmv2_lta", "PP-TSMv2 with temporal attention", "PP-TSMv2 that also weighs its frames; T is baked into the weights.",
            16, 224, false, o => new PpTsmV2(o, temporalAttention: true)),
        new("tsn_r50", "TSN ResNet-50", "Frames judged one by one and averaged; blind to time order.",
            3, 224, false, o => new Tsn(o, depth: 50)),
        new("tsn_r18", "TSN ResNet-18", "The same on 18 layers: a quick baseline that can't see motion.", 3, 224, false, o => new Tsn(o, depth: 18)),
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
            ?? throw new ConfigException($"model: expected one of {string.Join(", ", Entries.Select(e => e.Name))}; found '{name}'; "
                + $"did you mean '{Entries.MinBy(e => Distance(e.Name, name))!.Name}'?");
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

    // Edits (Levenshtein's distance) between two short names.
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
            }
        }

        return row[^1];
    }
}
