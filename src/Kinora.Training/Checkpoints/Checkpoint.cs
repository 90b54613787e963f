using System.Globalization;
using System.Text.Json;
using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>
/// A trained network as one safetensors file: the weights, and as metadata everything that is needed to build the
/// network again and to feed it what it was trained on. The keys are those of Kinora's ONNX files.
/// </summary>
public sealed record Checkpoint
{
    /// <summary>Metadata key: <see cref="Kinora.ClipSpec"/> as JSON.</summary>
    public const string ClipSpecKey = "kinora.clip_spec";

    /// <summary>Metadata key: class names, a JSON array.</summary>
    public const string LabelsKey = "kinora.labels";

    /// <summary>Metadata key: effective <see cref="TrainingConfig"/> as YAML.</summary>
    public const string ConfigKey = "kinora.config";

    /// <summary>Metadata key: where the file comes from, a JSON object of strings.</summary>
    public const string ProvenanceKey = "kinora.provenance";

    /// <summary>Metadata key: the <see cref="Kinora.Models.LoadReport"/> of converted weights as JSON.</summary>
    public const string LoadReportKey = "kinora.load_report";

    private const string FormatKey = "kinora.format";
    private const string ModelKey = "kinora.model";
    private const string OptionsKey = "kinora.model_options";
    private const string SeedKey = "kinora.seed";
    private const string EpochKey = "kinora.epoch";
    private const string MetricsKey = "kinora.metrics";
    private const string StateKey = "kinora.training_state";
    private const string Format = "1";
    private const char StateSeparator = '/';

    /// <summary>The file, for a checkpoint that was read.</summary>
    public string? Path { get; init; }

    /// <summary>Name of the network in <see cref="ModelCatalog"/>.</summary>
    public required string Model { get; init; }

    /// <summary>Options that build the network.</summary>
    public required ModelOptions Options { get; init; }

    /// <summary>How clips become the network's input.</summary>
    public required ClipSpec ClipSpec { get; init; }

    /// <summary>Class names.</summary>
    public required LabelMap Labels { get; init; }

    /// <summary>The configuration of the run, with every choice filled in.</summary>
    public required TrainingConfig Config { get; init; }

    /// <summary>Epochs trained, from 1; an unfinished epoch isn't counted.</summary>
    public required int Epoch { get; init; }

    /// <summary>Figures of that epoch, such as "validation_top1".</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>();

    /// <summary>Where the file comes from: Kinora's version, libtorch's version and what the caller added.</summary>
    public IReadOnlyDictionary<string, string> Provenance { get; init; } = new Dictionary<string, string>();

    /// <summary>What became of each tensor of the file that the weights were converted from; null for weights of Kinora's own.</summary>
    public LoadReport? LoadReport { get; init; }

    /// <summary>Everything else that continuing the run needs, as JSON; null in checkpoints for use only.</summary>
    internal string? TrainingState { get; init; }

    /// <summary>The metadata that an ONNX file made from this checkpoint carries.</summary>
    /// <returns>Keys and values.</returns>
    public IReadOnlyDictionary<string, string> ExportMetadata() => new Dictionary<string, string>
    {
        [ClipSpecKey] = ClipSpec.ToJson(),
        [LabelsKey] = JsonSerializer.Serialize(Labels.Names),
        [ConfigKey] = ConfigYaml.Write(Config),
        [ProvenanceKey] = JsonSerializer.Serialize(
            new SortedDictionary<string, string>(Provenance.ToDictionary(), StringComparer.Ordinal)
            {
                ["model"] = Model,
                ["epoch"] = Epoch.ToString(CultureInfo.InvariantCulture),
                ["seed"] = Config.Seed.ToString(CultureInfo.InvariantCulture),
            }),
    };

    /// <summary>Reads a checkpoint's metadata; weights stay on the disk until <see cref="LoadNetwork()"/>.</summary>
    /// <param name="path">A checkpoint, or a run folder (its best checkpoint, else its last).</param>
    /// <returns>The checkpoint.</returns>
    /// <exception cref="CheckpointException">Missing, damaged, or a safetensors file without Kinora's metadata.</exception>
    public static Checkpoint Read(string path)
    {
        string file = Resolve(path);
        using SafetensorsFile safetensors = SafetensorsFile.Open(file);
        IReadOnlyDictionary<string, string> metadata = safetensors.Metadata;
        string format = Get(FormatKey);
        if (format != Format)
        {
            throw new CheckpointException($"read checkpoint: expected format {Format}, found {format}; a newer Kinora wrote it", file);
        }

        try
        {
            TrainingConfig config = ConfigYaml.Parse(Get(ConfigKey), file);
            return new Checkpoint
            {
                Path = file,
                Model = Get(ModelKey),
                Options = JsonSerializer.Deserialize<ModelOptions>(Get(OptionsKey)) ?? throw new JsonException("null"),
                ClipSpec = ClipSpec.FromJson(Get(ClipSpecKey), file),
                Labels = new LabelMap(JsonSerializer.Deserialize<string[]>(Get(LabelsKey)) ?? []) { Independent = config.Loss.Kind == LossKind.Binary },
                Config = config,
                Epoch = int.Parse(Get(EpochKey), CultureInfo.InvariantCulture),
                Metrics = JsonSerializer.Deserialize<Dictionary<string, double>>(Get(MetricsKey)) ?? [],
                Provenance = JsonSerializer.Deserialize<Dictionary<string, string>>(Get(ProvenanceKey)) ?? [],
                LoadReport = metadata.TryGetValue(LoadReportKey, out string? report) ? LoadReport.FromJson(report) : null,
                TrainingState = metadata.GetValueOrDefault(StateKey),
            };
        }
        catch (Exception e) when (e is JsonException or FormatException or ConfigException)
        {
            throw new CheckpointException($"read checkpoint: metadata can't be understood: {e.Message}", file, e);
        }

        string Get(string key) => metadata.TryGetValue(key, out string? value)
            ? value
            : throw new CheckpointException($"read checkpoint: expected metadata '{key}', found none; not a checkpoint that Kinora trained", file);
    }

    /// <summary>Builds the network and loads its weights, in evaluation mode.</summary>
    /// <returns>The network; the caller disposes it.</returns>
    /// <exception cref="CheckpointException">The weights don't fit the network.</exception>
    public VideoNetwork LoadNetwork() => LoadNetwork(null);

    /// <summary>As <see cref="LoadNetwork()"/>, with networks that are not of the catalogue, for tests.</summary>
    internal VideoNetwork LoadNetwork(Func<string, ModelOptions, VideoNetwork>? factory)
    {
        string file = Path ?? throw new InvalidOperationException("only a checkpoint that was read has weights");
        VideoNetwork network = factory?.Invoke(Model, Options) ?? ModelCatalog.CreateBlank(Model, Options);
        try
        {
            LoadWeights(network, file);
            network.Eval();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Writes a checkpoint for use, replacing an older file in one step.</summary>
    /// <param name="path">Name of the file.</param>
    /// <param name="network">The network that this record describes.</param>
    /// <exception cref="CheckpointException">The file can't be written.</exception>
    public void Save(string path, VideoNetwork network)
    {
        ArgumentNullException.ThrowIfNull(network);
        Write(path, network.StateDict());
    }

    /// <summary>Writes the file, replacing an older one in one step.</summary>
    /// <param name="path">Name of the file.</param>
    /// <param name="weights">Parameters and buffers of the network.</param>
    /// <param name="state">Tensors that continuing the run needs, with a slash in each name; null leaves them out.</param>
    internal void Write(string path, IEnumerable<(string Name, Tensor Value)> weights, IEnumerable<(string Name, Tensor Value)>? state = null)
    {
        var metadata = new Dictionary<string, string>(ExportMetadata())
        {
            [FormatKey] = Format,
            [ModelKey] = Model,
            [OptionsKey] = JsonSerializer.Serialize(Options),
            [SeedKey] = Config.Seed.ToString(CultureInfo.InvariantCulture),
            [EpochKey] = Epoch.ToString(CultureInfo.InvariantCulture),
            [MetricsKey] = JsonSerializer.Serialize(Metrics.Where(m => double.IsFinite(m.Value)).ToDictionary()),
            [ProvenanceKey] = JsonSerializer.Serialize(Provenance),
        };
        if (LoadReport is not null)
        {
            metadata[LoadReportKey] = LoadReport.ToJson();
        }

        if (TrainingState is not null)
        {
            metadata[StateKey] = TrainingState;
        }

        SafetensorsFile.Save(path, weights.Concat(state ?? []), metadata);
    }

    /// <summary>Loads weights into a network that fits them.</summary>
    internal static void LoadWeights(VideoNetwork network, string path)
    {
        using var scope = new TensorScope();
        using SafetensorsFile file = SafetensorsFile.Open(path);
        try
        {
            network.LoadStateDict(Tensors(file, state: false));
        }
        catch (CheckpointException e) when (e.Path is null)
        {
            throw new CheckpointException(e.Message, path, e);
        }
    }

    /// <summary>Reads the tensors that continuing a run needs.</summary>
    /// <returns>Names and tensors, in the current scope.</returns>
    internal static IReadOnlyList<(string Name, Tensor Value)> ReadState(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return [.. Tensors(file, state: true)];
    }

    /// <summary>
    /// Takes over every weight that has the name and shape of one of the network's: a classifier for other classes
    /// stays as it is.
    /// </summary>
    /// <param name="network">Receives the weights.</param>
    /// <param name="path">A checkpoint of Kinora's, or a safetensors file with its names.</param>
    /// <returns>What became of each tensor.</returns>
    /// <exception cref="CheckpointException">Weights of another network, or trained with another shift convention.</exception>
    public static LoadReport LoadMatching(VideoNetwork network, string path)
    {
        var rules = new LoadRules { AllowMissing = ["*"], AllowUnused = ["*"] };
        using SafetensorsWeights weights = SafetensorsWeights.Open(path);
        LoadReport report = WeightLoader.Compare(network, weights, OwnNames, rules);

        // A classifier is two tensors; more than a handful of strangers means another network.
        int strangers = report.Missing.Count + report.Misshapen.Count + report.Unused.Count;
        if (report.Matched.Count > 0 && strangers > Math.Max(4, report.Matched.Count / 10))
        {
            ReportedTensor[] examples = [.. report.Missing, .. report.Misshapen, .. report.Unused];
            throw new CheckpointException(
                $"start weights: expected the tensors of {network.Name}, found {report.Matched.Count} of them, {report.Missing.Count} missing, {report.Misshapen.Count} misshapen, "
                + $"{report.Unused.Count} without a place (such as {string.Join(", ", examples.Take(3).Select(t => t.Name))})", path);
        }

        if (ShiftOf(path) is { } shift && network.Options.Shift is { } expected && shift != expected)
        {
            throw new CheckpointException($"start weights: expected shifts of the convention '{expected}', found '{shift}'; weights of one mean something else in the other", path);
        }

        return WeightLoader.Load(network, weights, OwnNames, rules);
    }

    private static IReadOnlyList<WeightNaming> OwnNames(VideoNetwork network, IReadOnlyList<WeightInfo> tensors) => [WeightNaming.Kinora(network)];

    // Null in checkpoints from before there was a choice, and in files from elsewhere.
    private static ShiftConvention? ShiftOf(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        try
        {
            return file.Metadata.TryGetValue(OptionsKey, out string? options) ? JsonSerializer.Deserialize<ModelOptions>(options)?.Shift : null;
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"start weights: metadata '{OptionsKey}' can't be understood: {e.Message}", path, e);
        }
    }

    private static IEnumerable<(string Name, Tensor Value)> Tensors(SafetensorsFile file, bool state) =>
        file.Entries.Where(e => e.Name.Contains(StateSeparator) == state).Select(e => (e.Name, file.Read(e.Name)));

    private static string Resolve(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!Directory.Exists(path))
        {
            return File.Exists(path) ? path : throw new CheckpointException("read checkpoint: expected a checkpoint or the folder of a run, found nothing", path);
        }

        string best = System.IO.Path.Combine(path, RunFolder.BestFile);
        string last = System.IO.Path.Combine(path, RunFolder.LastFile);
        return File.Exists(best) ? best : File.Exists(last)
            ? last
            : throw new CheckpointException($"read checkpoint: expected {RunFolder.BestFile} or {RunFolder.LastFile} in the folder, found neither", path);
    }
}
