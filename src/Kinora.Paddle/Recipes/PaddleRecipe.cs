using Kinora.Models;
using Kinora.Training;

namespace Kinora.Paddle;

/// <summary>One network of a recipe.</summary>
/// <param name="Name">"Teacher", "Student" or another name of a distillation; null for a recipe's only network.</param>
/// <param name="Model">The network in PaddleVideo's words.</param>
public sealed record PaddleRecipeModel(string? Name, PaddleModel Model)
{
    /// <summary>Where its backbone stands; null for a network of no recipe.</summary>
    internal RecipeSection? Backbone { get; init; }

    /// <summary>Where its head stands.</summary>
    internal RecipeSection? Head { get; init; }
}

/// <summary>
/// A PaddleVideo recipe (a YAML file of its <c>configs/recognition</c>), as far as networks and evaluation need it: which
/// network, and the way from a video to its input. Nothing is dropped silently: what has no effect is listed with the
/// reason.
/// </summary>
/// <remarks>
/// Read as PaddleVideo reads it (<see cref="IgnoredKey"/> says where that isn't possible), except that nothing is evaluated as
/// a Python expression. The layouts of the specifications are those of PaddleVideo's inputs; Kinora's own networks take
/// <see cref="ClipLayout.Ntchw"/>.
/// </remarks>
public sealed class PaddleRecipe
{
    private static readonly string[] Sections = ["MODEL", "PIPELINE", "DATASET", "OPTIMIZER"];

    private PaddleRecipe()
    {
    }

    /// <summary>The file it comes from, if any.</summary>
    public string? Path { get; private init; }

    /// <summary>PaddleVideo's <c>model_name</c>, which names its output files; not unique to a network.</summary>
    public string? ModelName { get; private init; }

    /// <summary>PaddleVideo's <c>MODEL.framework</c>, such as "Recognizer2D"; null where the recipe has no network.</summary>
    public string? Framework { get; private init; }

    /// <summary>The networks: one, or those of a distillation in the recipe's order; none in a quantisation recipe.</summary>
    public IReadOnlyList<PaddleRecipeModel> Models { get; private init; } = [];

    /// <summary>The network to evaluate and deploy: the only one, or a distillation's student.</summary>
    /// <exception cref="ConfigException">The recipe has no network, or none is called Student.</exception>
    public PaddleModel Model => Models switch
    {
        [var only] => only.Model,
        [] => throw new ConfigException("PaddleVideo recipe: expected a MODEL section, found none; give the recipe that the network was trained with", Path),
        _ => Models.FirstOrDefault(m => m.Name == "Student")?.Model
            ?? throw new ConfigException($"PaddleVideo recipe: MODEL.models: expected one called Student, found {string.Join(", ", Models.Select(m => m.Name))}", Path),
    };

    /// <summary>How a video's views become one (<c>MODEL.runtime_cfg.test.avg_type</c>); null where the recipe doesn't say.</summary>
    public ViewAverage? ViewAverage { get; private init; }

    /// <summary>PIPELINE.valid: evaluation during training; null where the recipe has none.</summary>
    public ClipSpec? EvaluationSpec { get; private init; }

    /// <summary>PIPELINE.test: evaluation with all views; null where the recipe has none.</summary>
    public ClipSpec? TestSpec { get; private init; }

    /// <summary>What the INFERENCE section's predict helper does; null where the recipe has none.</summary>
    public ClipSpec? InferenceSpec { get; private init; }

    /// <summary>PIPELINE.quant: calibration of a quantisation; null where the recipe has none.</summary>
    public ClipSpec? CalibrationSpec { get; private init; }

    /// <summary>What has no effect, or another effect than it says, in the order of reading.</summary>
    public IReadOnlyList<IgnoredKey> Ignored { get; private init; } = [];

    /// <summary>Reads a recipe from a file.</summary>
    /// <param name="path">YAML file.</param>
    /// <returns>The recipe.</returns>
    /// <exception cref="ConfigException">
    /// Unreadable file, bad YAML, values of another type, or an op that no <see cref="ClipSpec"/> can express; the message
    /// gives key and line.
    /// </exception>
    public static PaddleRecipe Read(string path) => Parse(ConfigText.Read(path), path);

    /// <summary>Whether a file looks like a recipe of PaddleVideo's rather than a configuration of Kinora's: its sections have capital letters.</summary>
    /// <param name="path">YAML file.</param>
    /// <returns>True if a line begins with MODEL, PIPELINE, DATASET or OPTIMIZER.</returns>
    /// <exception cref="ConfigException">The file can't be read.</exception>
    public static bool IsRecipe(string path) =>
        ConfigText.Read(path).Split('\n').Any(line => Sections.Any(s => line.StartsWith(s + ":", StringComparison.Ordinal)));

    /// <summary>Reads a recipe from text.</summary>
    /// <param name="yaml">YAML text.</param>
    /// <param name="path">The file it comes from, for messages.</param>
    /// <returns>The recipe.</returns>
    /// <exception cref="ConfigException">As <see cref="Read"/>.</exception>
    public static PaddleRecipe Parse(string yaml, string? path = null)
    {
        ArgumentNullException.ThrowIfNull(yaml);
        List<IgnoredKey> ignored = [];
        RecipeMap map = RecipeYaml.Read(yaml, path, ignored);
        var reading = new RecipeReading(path, ignored, isTraining: false);
        PaddleRecipe recipe = ReadSections(new RecipeSection(map, "", reading), path, ignored, out RecipeSections sections);
        sections.Model?.Ignore("training only", "loss", "freeze_params_list");
        sections.Pipeline?.Ignore("training only", "train");
        IgnoreTraining(sections.Root);
        reading.ListRest(map);
        return recipe;
    }

    /// <summary>Reads what evaluation needs; whoever calls says what becomes of the rest.</summary>
    internal static PaddleRecipe ReadSections(RecipeSection root, string? path, List<IgnoredKey> ignored, out RecipeSections sections)
    {
        RecipeSection? model = root.Section("MODEL"), pipeline = root.Section("PIPELINE"), dataset = root.Section("DATASET");
        var recipe = new PaddleRecipe
        {
            Path = path,
            ModelName = root.Text("model_name"),
            Framework = model?.Text("framework"),
            Models = model is null ? [] : ReadModels(model),
            ViewAverage = model is null ? null : ReadViewAverage(model),
            EvaluationSpec = Chain("valid"),
            TestSpec = Chain("test"),
            CalibrationSpec = Chain("quant"),
            InferenceSpec = root.Section("INFERENCE") is { } helper ? RecipeInference.Read(helper) : null,
            Ignored = ignored,
        };
        sections = new RecipeSections(root, model, pipeline, dataset);
        return recipe;

        ClipSpec? Chain(string split) => pipeline?.Section(split) is { } chain ? RecipeChain.Read(chain, dataset?.Section(split)) : null;
    }

    private static PaddleRecipeModel[] ReadModels(RecipeSection model) => model.Has("models")
        ? [.. model.Items("models", "a network with its name").Select(m => ReadModel(m.Name, m.Arguments))]
        : [ReadModel(null, model)];

    private static PaddleRecipeModel ReadModel(string? name, RecipeSection model)
    {
        RecipeSection backbone = model.Require("backbone"), head = model.Require("head");
        return new PaddleRecipeModel(name, new PaddleModel(backbone.RequireText("name"), backbone.Plain("name"), head.RequireText("name"), head.Plain("name")))
        {
            Backbone = backbone,
            Head = head,
        };
    }

    private static ViewAverage? ReadViewAverage(RecipeSection model)
    {
        RecipeSection? runtime = model.Section("runtime_cfg"), test = runtime?.Section("test");
        bool said = test?.Has("avg_type") ?? false;
        string? average = said ? test!.Choice("avg_type", "score", "score", "prob") : null;
        test?.Ignore("follows from the network", "num_seg");
        return average switch { "score" => Kinora.Models.ViewAverage.Logits, "prob" => Kinora.Models.ViewAverage.Probabilities, _ => null };
    }

    private static void IgnoreTraining(RecipeSection root)
    {
        root.Ignore(
            "training only",
            "OPTIMIZER", "MIX", "PRECISEBN", "GRADIENT_ACCUMULATION", "MULTIGRID", "epochs", "resume_epoch", "save_interval", "val_interval", "log_interval");
        root.Ignore("where the clips lie and how they are batched is said on the command line", "DATASET");
        root.Ignore("another reader for training and its chain; Kinora has one", "DALI_LOADER");
        IgnoreAlways(root);
    }

    /// <summary>Lists what has no effect in training either.</summary>
    internal static void IgnoreAlways(RecipeSection root)
    {
        root.Ignore("every clip counts once, and the network averages the views", "METRIC");
        root.Ignore("said on the command line", "output_dir", "log_level", "to_static");
        root.Ignore("a folder of PaddleVideo's quantisation, which reads and writes inference programs", "inference_model_dir", "quant_output_dir");
        root.Ignore("the device is chosen on the command line", "use_gpu", "use_npu", "use_xpu");
    }
}

/// <summary>The sections of a recipe that are read in more than one place.</summary>
internal sealed record RecipeSections(RecipeSection Root, RecipeSection? Model, RecipeSection? Pipeline, RecipeSection? Dataset);
