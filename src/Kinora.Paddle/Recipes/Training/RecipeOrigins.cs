using System.Globalization;
using Kinora.Training;

namespace Kinora.Paddle;

/// <summary>Which key of a recipe a value of the configuration comes from.</summary>
/// <remarks>
/// Key paths are those of <c>-o</c>, with a star for any key or any place in a list. A value that several keys make together
/// comes from the one that was set by an option, else from their line if it is the same, else from the file as a whole.
/// </remarks>
internal sealed class RecipeOrigins
{
    private const string Rate = "OPTIMIZER.learning_rate.";

    private readonly RecipeMap _root;
    private readonly RecipeMap _file;
    private readonly string _name;
    private readonly PaddleTrainingOptions _options;
    private readonly Dictionary<string, Row> _rows = new(StringComparer.Ordinal);

    /// <summary>Looks at a recipe.</summary>
    /// <param name="root">The recipe with what options set.</param>
    /// <param name="file">The recipe as its file has it.</param>
    /// <param name="path">The file, if there is one.</param>
    /// <param name="options">What the command line says.</param>
    public RecipeOrigins(RecipeMap root, RecipeMap file, string? path, PaddleTrainingOptions options)
    {
        (_root, _file, _options, _name) = (root, file, options, path is null ? "recipe" : Path.GetFileName(path));
        bool distils = At(root, "MODEL.models").Any();
        string network = distils ? "MODEL.models.*.Student." : "MODEL.";
        string split = Present("valid", "train", "quant"), valid = $"PIPELINE.{split}.", test = At(root, "PIPELINE.test").Any() ? "PIPELINE.test." : valid;
        Model(network);
        Data(At(root, "DATASET.train").Any() ? "train" : "quant");
        Chain("input", valid);
        Chain("test", test);
        Several("model.frames", valid + "sample.num_seg", valid + "sample.seg_len", valid + "decode_sampler.num_frames", "DALI_LOADER.num_seg", "DALI_LOADER.seglen");
        First("model.size", [.. Crops(valid), valid + "transform.*.Scale.short_size", "DALI_LOADER.target_size"]);
        Augmentation("PIPELINE.train.");
        Loop();
        Optimizer();
        Schedule();
        if (distils)
        {
            First("distillation.kind", "MODEL.framework");
            Several("distillation.teacher", "MODEL.models.*.Teacher.backbone.*");
            First("distillation.teacherWeights", "MODEL.models.*.Teacher.backbone.pretrained");
            First("distillation.weight", "MODEL.loss.Train.*.loss_weight");
        }

        string Present(params string[] splits) => splits.FirstOrDefault(s => At(root, "PIPELINE." + s).Any()) ?? splits[0];
    }

    /// <summary>All entries that a key path leads to.</summary>
    /// <param name="root">The recipe.</param>
    /// <param name="path">Keys and places in lists, with stars.</param>
    public static IEnumerable<RecipeEntry> At(RecipeMap root, string path)
    {
        IEnumerable<RecipeEntry> at = [new RecipeEntry("", root.Line, root)];
        foreach (string part in path.Split('.'))
        {
            at = at.SelectMany(e => e.Value switch
            {
                RecipeMap map => map.Entries.Where(inner => part == "*" || inner.Key == part).Select(inner => inner with { Key = Join(e.Key, inner.Key) }),
                RecipeList list => list.Items.Select((item, i) => new RecipeEntry(Join(e.Key, i.ToString(CultureInfo.InvariantCulture)), item.Line, item))
                    .Where((_, i) => part == "*" || part == i.ToString(CultureInfo.InvariantCulture)),
                _ => [],
            });
        }

        return at.Where(e => e.Value is not RecipeScalar { Value: null, Option: null });

        static string Join(string above, string key) => above.Length == 0 ? key : $"{above}.{key}";
    }

    /// <summary>The one key that gives a value; null where it is none or not one.</summary>
    /// <param name="key">Key path of the configuration.</param>
    public RecipeEntry? Find(string key) => RowOf(key) is { } row ? Entry(row) : null;

    /// <summary>Where the values of a configuration come from, as far as that is one place.</summary>
    /// <param name="config">What was made of the recipe.</param>
    public IReadOnlyDictionary<string, string> Of(TrainingConfig config)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string key, string value) in ConfigYaml.Flatten(config))
        {
            // What the file has, but not for this value: a choice left open, and the name, which is the file's own.
            if (Find(key) is { } entry && (entry.Value.Option is not null || (value != "auto" && key != "name")))
            {
                found[key] = entry.Value.Option is { } option ? $"-o {option.Split('=')[0].Trim()}" : $"{_name}:{entry.Line}";
            }
        }

        found["seed"] = "PaddleVideo's default";
        found["loop.precision"] = _options.MixedPrecision ? "--amp" : "PaddleVideo's default";
        return found;
    }

    private void Model(string network)
    {
        string backbone = network + "backbone.", head = network + "head.";
        First("name", "model_name");
        Several("model.name", backbone + "*");
        First("model.weights", backbone + "pretrained");
        First("model.dropout", head + "drop_ratio", head + "dropout_rate", backbone + "dropout_prob");
        First("data.classes", head + "num_classes", backbone + "class_num", backbone + "num_classes");
        First("loss.labelSmoothing", head + "ls_eps");
    }

    private void Data(string split)
    {
        First("data.trainList", $"DATASET.{split}.file_path", "DALI_LOADER.file_path");
        First("data.validationList", "DATASET.valid.file_path");
        First("data.testList", "DATASET.test.file_path");
        First("data.listContent", $"DATASET.{split}.format");
        First("data.listRoot", $"DATASET.{split}.data_prefix");
        First("data.listSuffix", $"DATASET.{split}.suffix");
        First("data.workers", "DATASET.num_workers");
    }

    private void Chain(string section, string split)
    {
        Several(section + ".sampling", split + "sample.*", split + "decode_sampler.*", "DALI_LOADER.num_seg", "DALI_LOADER.seglen");
        Several(section + ".resize", split + "transform.*.Scale.*", split + "transform.*.JitterScale.*", "DALI_LOADER.short_size");
        Several(section + ".crop", [.. Crops(split), "DALI_LOADER.target_size"]);
        Several(section + ".normalization", split + "transform.*.Normalization.*", "DALI_LOADER.mean", "DALI_LOADER.std");
        First(section + ".color", split + "decode.backend");
    }

    private void Augmentation(string split)
    {
        string transform = split + "transform.*.";
        Several("augmentation.sampling", split + "sample.*", split + "decode_sampler.*");
        Several("augmentation.chain.resize", transform + "Scale.*");
        Several("augmentation.chain.jitter", transform + "JitterScale.*");
        Several("augmentation.chain.multiScaleCrop", transform + "MultiScaleCrop.*");
        Several("augmentation.chain.randomResizedCrop", transform + "RandomResizedCrop.*");
        First("augmentation.chain.flipProbability", transform + "RandomFlip.p");
        Several("augmentation.chain.randomCrop", transform + "RandomCrop.*", transform + "MultiCrop.*");
        First("augmentation.mix.kind", "MIX.name");
        First("augmentation.mix.mixupAlpha", "MIX.mixup_alpha", Word("MIX.name") == "Mixup" ? "MIX.alpha" : "MIX.mixup_alpha");
        First("augmentation.mix.cutMixAlpha", "MIX.cutmix_alpha", Word("MIX.name") == "Cutmix" ? "MIX.alpha" : "MIX.cutmix_alpha");
        First("augmentation.mix.cutMixProbability", "MIX.cutmix_prob");
    }

    private void Loop()
    {
        First("loop.epochs", "epochs");
        First("loop.batchSize", "DALI_LOADER.batch_size", "DATASET.batch_size");
        First("loop.evaluationBatchSize", "DATASET.valid_batch_size", "DATASET.batch_size");
        First("loop.testBatchSize", "DATASET.test_batch_size");
        First("loop.accumulate", "GRADIENT_ACCUMULATION.global_batch_size");
        First("loop.evaluateEvery", "val_interval");
        First("loop.preciseBatchNormEvery", "PRECISEBN.preciseBN_interval");
        First("loop.preciseBatchNormBatches", "PRECISEBN.num_iters_preciseBN");
        First("loop.clipNorm", "OPTIMIZER.grad_clip.value", "OPTIMIZER.grad_clip");
        First("loop.clipValue", "OPTIMIZER.grad_clip.value");
        First("checkpoints.everyEpochs", "save_interval");
        First("checkpoints.logEverySteps", "log_interval");
    }

    private void Optimizer()
    {
        (string Key, string Name)[] plain =
        [
            ("kind", "name"), ("momentum", "momentum"), ("nesterov", "use_nesterov"), ("beta1", "beta1"), ("beta2", "beta2"), ("rho", "rho"), ("epsilon", "epsilon"),
            ("noDecay", "no_weight_decay_name"),
        ];
        foreach ((string key, string name) in plain)
        {
            First("optimizer." + key, "OPTIMIZER." + name);
        }

        First("optimizer.weightDecay", "OPTIMIZER.weight_decay.value", "OPTIMIZER.weight_decay");
        string[] rates = ["cosine_base_lr", "step_base_lr", "base_lr", "values", "learning_rate"];
        First("optimizer.learningRate", [.. rates.Select(r => Main() + r), Rate + "learning_rate", "OPTIMIZER.learning_rate"]);
        _rows["optimizer.referenceBatch"] = new Row(_file, false, ["GRADIENT_ACCUMULATION.global_batch_size", "DALI_LOADER.batch_size", "DATASET.batch_size"]);
    }

    private void Schedule()
    {
        (string Key, string[] Names)[] warmups =
        [
            ("warmupEpochs", ["warmup_epochs", "warmup_iters", "warmup_steps"]), ("startRate", ["warmup_start_lr", "start_lr"]), ("startFactor", ["warmup_ratio"]),
            ("warmupEndRate", ["end_lr"]),
        ];
        (string Key, string[] Names)[] rules =
        [
            ("kind", ["name"]), ("milestones", ["boundaries", "steps", "milestones"]), ("rates", ["values"]), ("factors", ["lrs"]),
            ("gamma", Word(Rate + "name") == "CustomWarmupPiecewiseDecay" ? ["lr_decay_rate"] : ["gamma", "lr_decay_rate"]), ("spanEpochs", ["max_epoch"]),
            ("period", ["step_size", "T_max", "decay_steps"]), ("minRate", ["min_lr", "eta_min", "end_lr"]), ("power", ["power"]), ("cycle", ["cycle"]),
        ];
        foreach ((string key, string[] names) in warmups)
        {
            First("schedule." + key, [.. names.Select(n => Rate + n)]);
        }

        foreach ((string key, string[] names) in rules)
        {
            First("schedule." + key, [.. names.Select(n => Main() + n)]);
        }
    }

    // The schedule inside a warm-up is the one that the configuration is named after.
    private string Main() => Word(Rate + "name") == "LinearWarmup" ? Rate + "learning_rate." : Rate;

    private string? Word(string path) => At(_root, path).FirstOrDefault()?.Value is RecipeScalar { Value: string word } ? word : null;

    private static string[] Crops(string split) =>
    [
        .. new[] { "CenterCrop", "RandomCrop", "TenCrop", "UniformCrop", "MultiCrop", "MultiScaleCrop" }.Select(c => $"{split}transform.*.{c}.target_size"),
        split + "transform.*.GroupFullResSample.crop_size",
    ];

    private void First(string key, params string[] paths) => _rows[key] = new Row(_root, false, paths);

    private void Several(string key, params string[] paths) => _rows[key] = new Row(_root, true, paths);

    // The longest of the rows that the key lies below.
    private Row? RowOf(string key)
    {
        for (string at = key; ; at = at[..at.LastIndexOf('.')])
        {
            if (_rows.TryGetValue(at, out Row? row) || !at.Contains('.', StringComparison.Ordinal))
            {
                return row;
            }
        }
    }

    private static RecipeEntry? Entry(Row row)
    {
        IEnumerable<RecipeEntry> found = row.Paths.SelectMany(p => At(row.Recipe, p));
        if (!row.Together)
        {
            return found.FirstOrDefault();
        }

        RecipeEntry[] all = [.. found];
        return all.LastOrDefault(e => e.Value.Option is not null) ?? (all.Select(e => e.Line).Distinct().Count() == 1 ? all[0] : null);
    }

    private sealed record Row(RecipeMap Recipe, bool Together, string[] Paths);
}
