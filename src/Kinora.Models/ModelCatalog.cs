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
        new("tsn_r34", "TSN ResNet-34", "The same on 34 layers.", 3, 224, false, o => new Tsn(o, depth: 34)),
        new("tsn_r101", "TSN ResNet-101", "The same on 101 layers.", 3, 224, false, o => new Tsn(o, depth: 101)),
        new("pptsn_r50", "PP-TSN ResNet-50-D", "PaddleVideo's improved TSN; blind to time order too.",
            3, 224, false, o => new PpTsn(o, depth: 50)),
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
