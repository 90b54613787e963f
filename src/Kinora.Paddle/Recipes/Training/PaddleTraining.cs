using Kinora.Data;
using Kinora.Media;
using Kinora.Models;
using Kinora.Tensors;
using Kinora.Training;

namespace Kinora.Paddle;

/// <summary>What PaddleVideo's command line says beside a recipe.</summary>
public sealed record PaddleTrainingOptions
{
    /// <summary><c>-o key=value</c>, in order.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary><c>--amp</c>: mixed precision; without it float32.</summary>
    public bool MixedPrecision { get; init; }

    /// <summary><c>--seed</c>.</summary>
    public ulong Seed { get; init; } = 1234;

    /// <summary><c>--max_iters</c>: most batches of an epoch; null for all.</summary>
    public int? MaxIterations { get; init; }

    /// <summary>Processes that train together: gradient accumulation depends on it.</summary>
    public int Processes { get; init; } = 1;
}

/// <summary>A PaddleVideo recipe as a training: the same records that Kinora's own configuration files are bound to.</summary>
/// <remarks>
/// Nothing is dropped silently: <see cref="Ignored"/> lists what has no effect or another one than it says, with the reason.
/// Where PaddleVideo's behaviour is a defect (see the remarks there), the correct behaviour is taken.
/// </remarks>
public sealed class PaddleTraining
{
    private const int UsualProcesses = 8;

    // Backbones whose num_seg is the number of frames that they shift or attend over; left out it is 8.
    private static readonly string[] FixedFrames =
        ["ResNetTSM", "ResNetTweaksTSM", "PPTSM_v2", "PPTSM_MobileNetV2", "PPTSM_MobileNetV3", "VisionTransformer", "VisionTransformer_tweaks"];

    private readonly RecipeSection _root;
    private readonly RecipeSections _sections;
    private readonly PaddleTrainingOptions _options;
    private readonly RecipeMap _file;
    private readonly string? _path;

    private PaddleTraining(PaddleRecipe recipe, RecipeSections sections, PaddleTrainingOptions options, RecipeMap file, string? path) =>
        (Recipe, _sections, _root, _options, _file, _path) = (recipe, sections, sections.Root, options, file, path);

    /// <summary>The networks and the ways from a video to their input.</summary>
    public PaddleRecipe Recipe { get; }

    /// <summary>The training.</summary>
    public TrainingConfig Config { get; private set; } = new();

    /// <summary>Where values come from, by key of <see cref="Config"/>: a file and its line, or an option. Others follow from the file as a whole.</summary>
    public IReadOnlyDictionary<string, string> Origins { get; private set; } = new Dictionary<string, string>();

    /// <summary>What the recipe is for, in one line, where that isn't training; null where it is.</summary>
    public string? OtherPurpose { get; private set; }

    /// <summary><c>resume_epoch</c>: the epoch after which an earlier run is continued; 0 for a new one.</summary>
    public int ResumeEpoch { get; private set; }

    /// <summary>What has no effect, or another effect than it says, in the order of reading.</summary>
    public IReadOnlyList<IgnoredKey> Ignored => Recipe.Ignored;

    /// <summary>Reads a recipe.</summary>
    /// <param name="path">YAML file.</param>
    /// <param name="options">What the command line says; null for its defaults.</param>
    /// <returns>The training.</returns>
    /// <exception cref="ConfigException">As <see cref="PaddleRecipe.Read(string)"/>, and for what Kinora can't train.</exception>
    public static PaddleTraining Read(string path, PaddleTrainingOptions? options = null) => Parse(ConfigText.Read(path), options, path);

    /// <summary>Reads a recipe from text.</summary>
    /// <param name="yaml">YAML text.</param>
    /// <param name="options">What the command line says; null for its defaults.</param>
    /// <param name="path">The file it comes from, for messages.</param>
    /// <returns>The training.</returns>
    /// <exception cref="ConfigException">As <see cref="Read"/>.</exception>
    public static PaddleTraining Parse(string yaml, PaddleTrainingOptions? options = null, string? path = null)
    {
        ArgumentNullException.ThrowIfNull(yaml);
        options ??= new PaddleTrainingOptions();
        List<IgnoredKey> ignored = [];
        RecipeMap file = RecipeYaml.Read(yaml, path, ignored), map = RecipeOverrides.Apply(file, options.Overrides, path, ignored);
        var reading = new RecipeReading(path, ignored, isTraining: true);
        PaddleRecipe recipe = PaddleRecipe.ReadSections(new RecipeSection(map, "", reading), path, ignored, out RecipeSections sections);
        var training = new PaddleTraining(recipe, sections, options, file, path);
        var origins = new RecipeOrigins(map, file, path, options);
        if (sections.Model is null && (recipe.CalibrationSpec is not null || sections.Dataset?.Has("quant") == true))
        {
            training.ImportCalibration();
        }
        else
        {
            training.Import();
        }

        PaddleRecipe.IgnoreAlways(sections.Root);
        reading.ListRest(map);
        training.Validate(origins);
        training.Origins = origins.Of(training.Config);
        return training;
    }

    // A value out of range, said of the recipe's key.
    private void Validate(RecipeOrigins origins)
    {
        try
        {
            Config.Validate();
        }
        catch (ConfigException e)
        {
            throw e.Message.Split(": ", 3) is ["training configuration", var key, var problem] && origins.Find(key) is { } entry
                ? new ConfigException($"PaddleVideo recipe: {entry.Place}: {entry.Key} ({key} in Kinora): {problem}", _path, e)
                : new ConfigException(e.Message, _path, e);
        }
    }

    // -o model_name names the run; the file's own is shared by several recipes and would make their runs collide.
    private string? Name()
    {
        string? file = _path is null ? null : Path.GetFileNameWithoutExtension(_path), chosen = _root.Text("model_name");
        if (chosen is not null && _options.Overrides.Any(o => o.Split('=')[0].Trim() == "model_name"))
        {
            return chosen;
        }

        _root.Ignore($"names PaddleVideo's output, and several recipes share it; the run is called after the file{(file is null ? "" : $", {file}")} (-o model_name or --name calls it otherwise)", "model_name");
        return file;
    }

    private void Import()
    {
        int batch = Batch();
        Config = new TrainingConfig
        {
            Name = Name(),
            Seed = _options.Seed,
            Loss = new LossConfig { LabelSmoothing = LabelSmoothing() },
            Loop = new LoopConfig
            {
                Epochs = _root.Int("epochs"),
                BatchSize = batch,
                MaxStepsPerEpoch = _options.MaxIterations,
                Precision = _options.MixedPrecision ? Precision.Auto : Precision.Fp32,
                EvaluateEvery = _root.Int("val_interval", 1),
            },
            Checkpoints = new CheckpointConfig { EveryEpochs = _root.Int("save_interval", 1), Keep = null, LogEverySteps = _root.Int("log_interval", 10) },
        };
        ResumeEpoch = _root.Int("resume_epoch", 0);
        Networks();
        Config = RecipeOptimizer.Read(_root.Require("OPTIMIZER"), Config);
        NoDecay();
        if (_root.Section("DALI_LOADER") is { } dali)
        {
            Dali(dali);
            _root.Ignore("DALI_LOADER says how clips are read", "PIPELINE", "DATASET");
        }
        else
        {
            Chains(_sections.Pipeline ?? throw _root.Refuse("PIPELINE: missing"));
            Data(_sections.Dataset ?? throw _root.Refuse("DATASET: missing"), "train", batch);
        }

        Mix();
        PreciseBatchNorm();

        Accumulation(batch);
        Config = Config with { Optimizer = Config.Optimizer with { ReferenceBatch = ReferenceBatch(batch) } };
        _root.Ignore("every epoch trains on clips of the full length and size: the same network, in more time", "MULTIGRID");
        _root.Ignore("what PaddleVideo's predict tool does to a video; a run's model does what PIPELINE.valid says", "INFERENCE");
        _sections.Pipeline?.Ignore("calibration of a quantisation, not training", "quant");
        _sections.Dataset?.Ignore("calibration of a quantisation, not training", "quant", "batch_nums");
    }

    // Static quantisation of an exported model: no network and no training, but a list of clips and the way from them to an input.
    private void ImportCalibration()
    {
        RecipeSection dataset = _sections.Dataset ?? throw _root.Refuse("DATASET: missing");
        ClipSpec spec = Recipe.CalibrationSpec ?? throw _root.Refuse("PIPELINE.quant: missing");
        OtherPurpose = "one for static quantisation of an exported model with calibration clips (PaddleVideo's deploy/slim); `kinora export` writes the float model";
        int batch = dataset.Int("batch_size", 1);
        Config = new TrainingConfig
        {
            Name = _path is null ? null : Path.GetFileNameWithoutExtension(_path),
            Seed = _options.Seed,
            Model = new ModelConfig { Name = PublishedName(), Pretrained = false, Frames = spec.Frames, Size = spec.Size },
            Input = Input(spec),
            Loop = new LoopConfig { BatchSize = batch, Precision = _options.MixedPrecision ? Precision.Auto : Precision.Fp32, MaxStepsPerEpoch = _options.MaxIterations },
        };
        Data(dataset, "quant", batch);
        _sections.Pipeline!.Require("quant").Note("calibration clips and their chain become training list and input; all that training needs besides is Kinora's default");
        dataset.Ignore("batches of a calibration", "batch_nums");
    }

    // Such a recipe names its network only by what its files are called.
    private string PublishedName()
    {
        string name = _root.RequireText("model_name");
        string? network = name switch
        {
            "TSN" => "tsn_r50",
            "TSM" => "tsm_r50",
            "ppTSN" => "pptsn_r50",
            "ppTSM" => "pptsm_r50",
            "ppTSMv2" => "pptsmv2",
            "MoViNet" => "movinet_a0",
            "SlowFast" => "slowfast_4x16_r50",
            "TimeSformer" => "timesformer",
            "ppTimeSformer" => "pp_timesformer",
            "VideoSwin" => "videoswin_s",
            "VideoSwin_base" => "videoswin_b",
            _ => null,
        };
        _root.Ignore($"several networks of PaddleVideo share it; {network ?? "none"} is taken (--model, or model.name, says another)", "model_name");
        return network ?? throw _root.Wrong("model_name", "a network's name, as there is no MODEL section (TSN, TSM, ppTSN, ppTSM, ppTSMv2, MoViNet, SlowFast, TimeSformer, ppTimeSformer, VideoSwin, VideoSwin_base)");
    }

    // PaddleVideo's rates are for eight processes, or for the clips that accumulation makes a step of; as the file says it,
    // since a batch that fits another machine (-o) doesn't change what its rates are meant for.
    private int ReferenceBatch(int batch) => Original("GRADIENT_ACCUMULATION.global_batch_size")
        ?? UsualProcesses * (Original("DALI_LOADER.batch_size") ?? Original("DATASET.batch_size") ?? batch);

    private int? Original(string key) => RecipeOrigins.At(_file, key).FirstOrDefault()?.Value is RecipeScalar { Value: long number } && number is > 0 and < int.MaxValue / UsualProcesses ? (int)number : null;

    private int Batch() => _root.Section("DALI_LOADER") is { } dali ? dali.Int("batch_size") : _sections.Dataset?.Int("batch_size") ?? throw _root.Refuse("DATASET: missing");

    private double LabelSmoothing() => Recipe.Models is [{ Name: null, Head: { } head }] ? head.Number("ls_eps", 0) : 0;

    private void Networks()
    {
        PaddleModel student = Recipe.Model;
        using VideoNetwork network = Blank(Named(student));
        Framework(student);
        ModelOptions options = network.Options;
        Config = Config with
        {
            Data = Config.Data with { Classes = network.Classes },
            Model = new ModelConfig
            {
                Name = network.Name,
                Pretrained = false,
                Weights = Pretrained(student),
                Frames = options.Frames,
                Size = options.Size,
                Dropout = options.Dropout,
            },
        };
        RecipeSection? model = _sections.Model;
        if (Recipe.ViewAverage is { } average && average != (student.Backbone is "SwinTransformer3D" or "VisionTransformer_tweaks" or "ResNetSlowFast" ? ViewAverage.Probabilities : ViewAverage.Logits))
        {
            model?.Section("runtime_cfg")?.Section("test")?.Ignore("the network averages its views in its own way", "avg_type");
        }

        if (Recipe.Models is [{ Name: null }])
        {
            model?.Ignore("cross-entropy, as for every single network", "loss");
            model?.Ignore("distillation only", "freeze_params_list");
            return;
        }

        PaddleModel teacher = Recipe.Models.FirstOrDefault(m => m.Name == "Teacher")?.Model
            ?? throw model!.Refuse($"models: expected one called Teacher beside the student, found {string.Join(", ", Recipe.Models.Select(m => m.Name))}");
        if (Recipe.Models.Count > 2)
        {
            throw model!.Refuse($"models: expected Teacher and Student, found {string.Join(", ", Recipe.Models.Select(m => m.Name))}");
        }

        Recipe.Models.ToList().ForEach(m => m.Head!.Ignore("the losses of a distillation take plain labels", "ls_eps"));
        using VideoNetwork partner = Blank(Named(teacher));
        if (partner.Classes != network.Classes)
        {
            throw Named(teacher).Head!.Wrong("num_classes", $"{network.Classes}, the student's", $"{partner.Classes}");
        }

        double weight = MutualWeight(model!);
        if (model!.Numbers("freeze_params_list", null, [0, 0]).Any(f => f != 0))
        {
            throw model.Wrong("freeze_params_list", "False for both networks; PaddleVideo leaves a frozen teacher's batch norms learning. Set distillation.kind to teacher in a configuration of Kinora's own instead");
        }

        Config = Config with
        {
            Distillation = new DistillationConfig
            {
                Kind = DistillationKind.Mutual,
                Teacher = partner.Name,
                TeacherWeights = Pretrained(teacher),
                TeacherPretrained = false,
                Temperature = 1,
                Weight = weight,
            },
        };
    }

    // Two losses against the labels and one between the networks, as PaddleVideo's recipes have them.
    private static double MutualWeight(RecipeSection model)
    {
        if (model.Section("loss") is not { } loss)
        {
            throw model.Refuse("loss: missing; a distillation needs DistillationCELoss for both networks and DistillationDMLLoss");
        }

        double weight = -1;
        var labelled = new HashSet<string>(StringComparer.Ordinal);
        foreach (RecipeSection term in loss.Sections("Train"))
        {
            string name = term.RequireText("name");
            string[] pair = term.Texts("model_name_pairs", 2);
            double factor = term.Number("loss_weight", 1);
            if (name == "DistillationDMLLoss" && pair.Order(StringComparer.Ordinal).SequenceEqual(["Student", "Teacher"]) && weight < 0)
            {
                _ = term.Choice("act", "softmax", "softmax");
                _ = term.Number("eps", 1e-12) == 1e-12 ? 0 : throw term.Wrong("eps", "1e-12");
                weight = factor;
            }
            else if (name == "DistillationCELoss" && pair is ["Student" or "Teacher", "GroundTruth"] && factor == 1 && labelled.Add(pair[0]))
            {
                term.Ignore("the gradient says it", "key");
            }
            else
            {
                throw term.Refuse("expected DistillationCELoss of Student and of Teacher with GroundTruth (weight 1) and DistillationDMLLoss of both, found another term");
            }

            term.Finish();
        }

        loss.Ignore("evaluation always measures the student's cross-entropy", "Val");
        return weight >= 0 && labelled.Count == 2
            ? weight
            : throw loss.Refuse("Train: expected DistillationCELoss of both networks and DistillationDMLLoss, found fewer");
    }

    private PaddleRecipeModel Named(PaddleModel model) => Recipe.Models.First(m => m.Model == model);

    // Each of PaddleVideo's frameworks drives the networks of its kind only.
    private void Framework(PaddleModel student)
    {
        string expected = Recipe.Models is not [{ Name: null }] ? "RecognizerDistillation" : student.Backbone switch
        {
            "MoViNet" => "MoViNetRecognizerFrame",
            "ResNetSlowFast" => "Recognizer3D",
            "VisionTransformer" or "VisionTransformer_tweaks" or "SwinTransformer3D" => "RecognizerTransformer",
            _ => "Recognizer2D",
        };
        if (Recipe.Framework is { } found && found != expected)
        {
            throw _sections.Model!.Wrong("framework", $"{expected}, {(expected == "RecognizerDistillation" ? "which drives several networks" : $"which drives {student.Backbone}")}");
        }
    }

    // What the networks are built for and what they are fed are said in two places, and must be the same.
    private void RequireAgreement(params (string Split, ClipSpec Spec)[] chains)
    {
        int size = chains[0].Spec.Size;
        foreach (PaddleRecipeModel model in Recipe.Models)
        {
            foreach ((string split, ClipSpec spec) in chains)
            {
                bool fixedFrames = FixedFrames.Contains(model.Model.Backbone);
                Require(model.Backbone!, "num_seg", spec.Frames, fixedFrames ? 8 : null, $"the frames of a clip of PIPELINE.{split}");
                Require(model.Head!, "num_seg", spec.Frames, null, $"the frames of a clip of PIPELINE.{split}");
                Require(model.Head!, "num_frames", spec.Frames, model.Model.Backbone == "ResNetSlowFast" ? 32 : null, $"the frames of a clip of PIPELINE.{split}");
            }

            Require(model.Backbone!, "img_size", size, null, "the pixels of PIPELINE.valid");
            Require(model.Head!, "crop_size", size, null, "the pixels of PIPELINE.valid");
        }

        static void Require(RecipeSection section, string name, int expected, int? fallback, string what)
        {
            if ((section.Has(name) ? section.Int(name) : fallback ?? expected) != expected)
            {
                throw section.Wrong(name, $"{expected}, {what}", $"{fallback}");
            }
        }
    }

    private VideoNetwork Blank(PaddleRecipeModel named)
    {
        PaddleModel model = named.Model;
        VideoNetwork network;
        using (ShapesOnly.Enable())
        {
            network = PaddleArchitectures.Create(named, 0, out IReadOnlyList<ConfigException> beyond);
            if (beyond.Count > 0)
            {
                network.Dispose();
                throw beyond[0];
            }

            try
            {
                // What a checkpoint says must build the same network again.
                using VideoNetwork again = ModelCatalog.CreateBlank(network.Name, network.Options);
                if (again.NamedParameters().Select(Shape).SequenceEqual(network.NamedParameters().Select(Shape)))
                {
                    return network;
                }
            }
            catch (ConfigException)
            {
                // Not in the catalogue: said below.
            }
        }

        string name = network.Name;
        network.Dispose();
        throw named.Backbone!.Refuse($"expected a network of the catalogue (`kinora models list`), found {model.Backbone} with arguments that make another one than {name}");

        static string Shape((string Name, Tensor Value) parameter) => $"{parameter.Name} {string.Join('x', parameter.Value.Shape.ToArray())}";
    }

    private static string? Pretrained(PaddleModel model) =>
        model.BackboneArguments.TryGetValue("pretrained", out object? file) && file is string { Length: > 0 } path ? path : null;

    // The tokens are parts of PaddleVideo's names; the network's rules mostly say the same already.
    private void NoDecay()
    {
        IReadOnlyList<string> tokens = Config.Optimizer.NoDecay;
        if (tokens.Count == 0)
        {
            return;
        }

        using VideoNetwork network = Blank(Named(Recipe.Model));
        ILookup<bool, (string Paddle, string Kinora)> trained = PaddleNames.For(network).Tensors.Where(t => t is { IsTrained: true, Kinora: not null })
            .ToLookup(t => tokens.Any(token => t.Paddle.Contains(token, StringComparison.Ordinal)), t => (t.Paddle, t.Kinora!));
        string[] exempt = [.. trained[true].Select(t => t.Kinora).Where(name => network.RuleFor(name).WeightDecay != 0)];
        RecipeSection optimizer = _root.Require("OPTIMIZER");
        foreach (string token in tokens.Where(token => !trained[true].Any(t => t.Paddle.Contains(token, StringComparison.Ordinal))))
        {
            optimizer.Ignore($"'{token}' is part of no parameter's name", "no_weight_decay_name");
        }

        string[] besides = [.. trained[false].Where(t => network.RuleFor(t.Kinora).WeightDecay == 0).Select(t => t.Paddle)];
        if (besides.Length > 0)
        {
            optimizer.Ignore($"the network itself leaves {besides.Length} more parameters without decay, such as {besides[0]}", "no_weight_decay_name");
        }

        Config = Config with { Optimizer = Config.Optimizer with { NoDecay = exempt } };
    }

    private void Chains(RecipeSection pipeline)
    {
        RecipeSection train = pipeline.Require("train");
        (ClipSpec random, TrainingAugmentation augmentation) = RecipeChain.ReadTraining(train, _sections.Dataset?.Section("train"));
        ClipSpec evaluation = Recipe.EvaluationSpec ?? random;
        ClipSpec test = Recipe.TestSpec ?? evaluation;
        if (random.Normalization != evaluation.Normalization || random.Color != evaluation.Color || random.Size != evaluation.Size)
        {
            throw train.Refuse($"expected the colours, statistics and size of the evaluation, found {random.Size} pixels with others; a network sees one kind of input");
        }

        RequireAgreement([("train", random), .. Recipe.EvaluationSpec is null ? [] : new[] { ("valid", evaluation) }, .. Recipe.TestSpec is null ? [] : new[] { ("test", test) }]);
        int frames = evaluation.Frames, size = evaluation.Size;
        Config = Config with
        {
            Model = Config.Model with { Frames = frames, Size = size },
            Input = Input(evaluation),
            Test = test == evaluation ? new InputConfig() : Input(test),
            Augmentation = Config.Augmentation with
            {
                Chain = augmentation,
                FlipLabels = FlipLabels.Keep,
                Sampling = random.Sampling == evaluation.Sampling ? null : random.Sampling,
            },
        };
    }

    private static InputConfig Input(ClipSpec spec) => new()
    {
        Sampling = spec.Sampling,
        Resize = spec.Resize,
        Crop = spec.Crop,
        Normalization = spec.Normalization,
        Color = spec.Color,
    };

    private void Data(RecipeSection dataset, string split, int batch)
    {
        RecipeSection train = dataset.Require(split);
        RecipeSection? valid = dataset.Section("valid"), test = dataset.Section("test");
        string format = train.RequireText("format");
        ListContent content = format switch
        {
            "FrameDataset" => ListContent.Frames,
            "VideoDataset" or "SFVideoDataset" => ListContent.Videos,
            _ => throw train.Wrong("format", "FrameDataset, VideoDataset or SFVideoDataset"),
        };
        string suffix = train.Text("suffix", "")!, prefix = train.Text("data_prefix", "")!;
        if (content == ListContent.Frames)
        {
            suffix = suffix is "" or "img_{:05}.jpg" or "img_{:05d}.jpg" ? "" : throw train.Wrong("suffix", "img_{:05}.jpg, the names that `kinora data frames` writes");
        }

        foreach (RecipeSection part in new[] { train, valid, test }.OfType<RecipeSection>())
        {
            bool same = part.Text("format") == format && part.Text("data_prefix", "") == train.Text("data_prefix", "") && part.Text("suffix", "") == train.Text("suffix", "");
            _ = same ? 0 : throw part.Refuse("expected format, data_prefix and suffix as in train, found others; one data set has one layout");
            part.Ignore("a clip that can't be read is never replaced by another", "num_retries");
            part.Ignore("follows from the part", "test_mode");
            part.IgnoreUnasked("only a test of several clips and crops of a video looks at it", "num_ensemble_views", "num_spatial_crops");
        }

        int workers = dataset.Int("num_workers", 0);
        Config = Config with
        {
            Data = Config.Data with
            {
                TrainList = train.RequireText("file_path"),
                ValidationList = valid?.RequireText("file_path"),
                TestList = test?.RequireText("file_path"),
                ListContent = content,
                ListRoot = prefix.Length == 0 ? "." : prefix,
                ListSuffix = suffix,
                Workers = workers == 0 ? null : workers,
            },
            Loop = Config.Loop with { EvaluationBatchSize = dataset.Int("valid_batch_size", batch), TestBatchSize = dataset.Int("test_batch_size", 8) },
        };
        dataset.Ignore("evaluation reads with as many workers as training", "valid_num_workers", "test_num_workers");
        dataset.Ignore("the order of an evaluation has no effect on its result", "shuffle_valid", "shuffle");
    }

    // NVIDIA's loader: decodes, resizes the short side, crops at random and mirrors, all on the graphics processor.
    private void Dali(RecipeSection dali)
    {
        double[] mean = dali.Numbers("mean", 3), std = dali.Numbers("std", 3);
        var sampling = new SamplingSpec(SamplingMethod.Uniform, dali.Int("num_seg"), dali.Int("seglen", 1));
        var resize = new ResizeSpec(ResizeRule.KeepAspectRound, dali.Int("short_size"), ResizeEngine.OpenCv);
        int size = dali.Int("target_size");
        _ = dali.Int("batch_size"); // taken before all else
        dali.Note("the loader of DALI isn't there: the same steps with TSN's own (short side, multi-scale crop, mirror), on the processor");
        Config = Config with
        {
            Data = Config.Data with { TrainList = dali.RequireText("file_path"), ListRoot = "." },
            Model = Config.Model with { Frames = sampling.FramesPerClip, Size = size },
            Input = new InputConfig
            {
                Sampling = sampling,
                Resize = resize,
                Crop = new CropSpec(CropMethod.Center, size, CropRounding.Floor),
                Normalization = RecipeChain.NormalizationOf(mean, std, NormalizationArithmetic.Single),
            },
            Augmentation = Config.Augmentation with { Chain = TrainingAugmentation.Tsn(size) with { Resize = resize }, FlipLabels = FlipLabels.Keep },
        };
    }

    // PaddleVideo cuts along the wrong axes of two-dimensional networks' batches; here boxes lie in the picture.
    private void Mix()
    {
        if (_root.Section("MIX") is not { } section)
        {
            return;
        }

        string name = section.RequireText("name");
        BatchMix mix = name switch
        {
            "Mixup" => new BatchMix { Kind = MixKind.Mixup, MixupAlpha = section.Number("alpha", 0.2) },
            "Cutmix" => new BatchMix { Kind = MixKind.CutMix, CutMixAlpha = section.Number("alpha", 0.2) },
            "VideoMix" => new BatchMix
            {
                Kind = MixKind.VideoMix,
                CutMixProbability = section.Number("cutmix_prob", 0.5),
                MixupAlpha = section.Number("mixup_alpha", 0.2),
                CutMixAlpha = section.Number("cutmix_alpha", 1),
            },
            _ => throw section.Wrong("name", "Mixup, Cutmix or VideoMix"),
        };
        section.Finish();
        if (mix.Kind != MixKind.Mixup)
        {
            section.Note("the box lies in height and width of all frames, where PaddleVideo takes other axes; augmentation.mix.legacy gives PaddleVideo's");
        }

        Config = Config with { Augmentation = Config.Augmentation with { Mix = mix } };
    }

    private void PreciseBatchNorm()
    {
        if (_root.Section("PRECISEBN") is not { } section)
        {
            return;
        }

        Config = Config with
        {
            Loop = Config.Loop with { PreciseBatchNormEvery = section.Int("preciseBN_interval"), PreciseBatchNormBatches = section.Int("num_iters_preciseBN") },
        };
    }

    private void Accumulation(int batch)
    {
        if (_root.Section("GRADIENT_ACCUMULATION") is not { } section)
        {
            return;
        }

        int global = section.Int("global_batch_size"), step = batch * _options.Processes;
        if (global % step != 0)
        {
            throw section.Wrong("global_batch_size", $"a multiple of {step}: {batch} clips on {_options.Processes} process{(_options.Processes == 1 ? "" : "es")}");
        }

        Config = Config with { Loop = Config.Loop with { Accumulate = global / step } };
    }
}
