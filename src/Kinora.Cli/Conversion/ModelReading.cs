using System.Globalization;
using System.Security.Cryptography;
using Kinora.Models;
using Kinora.Paddle;
using Kinora.Tensors;
using Kinora.Training;

namespace Kinora.Cli.Conversion;

/// <summary>Reads models from whatever file they are in.</summary>
internal static class ModelReading
{
    private delegate ConvertedModel Reader(ConversionRequest request, Action<string> note);

    // One line a kind of file.
    private static readonly Dictionary<string, Reader> Readers = new(StringComparer.OrdinalIgnoreCase)
    {
        [".pdparams"] = (request, note) => Weights(request, PaddleWeights.Open, note),
        [".safetensors"] = Safetensors,
    };

    /// <summary>Extensions that can be read.</summary>
    public static IReadOnlyCollection<string> Extensions => Readers.Keys;

    /// <summary>Reads a model.</summary>
    /// <param name="request">What to read, and what the file doesn't say.</param>
    /// <param name="note">Hears what went wrong in detail, before the exception says it in one line.</param>
    /// <returns>The model; the caller disposes it.</returns>
    /// <exception cref="CheckpointException">The file can't be read, or its weights fit no network.</exception>
    public static ConvertedModel Read(ConversionRequest request, Action<string> note)
    {
        if (Directory.Exists(request.Input))
        {
            return Trained(request);
        }

        string extension = Path.GetExtension(request.Input);
        return Readers.TryGetValue(extension, out Reader? reader)
            ? reader(request, note)
            : throw new CheckpointException(
                $"convert: expected a run folder or a file that ends with {string.Join(", ", Readers.Keys)}, found '{extension}'{Advice(extension)}", request.Input);
    }

    private static string Advice(string extension) => extension.ToLowerInvariant() is ".pt" or ".pth" or ".bin" or ".ckpt" or ".tar"
        ? "; a PyTorch checkpoint has to be saved as safetensors first"
        : "";

    private static ConvertedModel Safetensors(ConversionRequest request, Action<string> note)
    {
        using (SafetensorsFile file = SafetensorsFile.Open(request.Input))
        {
            if (!file.Metadata.ContainsKey(Checkpoint.ClipSpecKey))
            {
                return Weights(request, SafetensorsWeights.Open, note);
            }
        }

        return Trained(request);
    }

    // A checkpoint says itself what it is of.
    private static ConvertedModel Trained(ConversionRequest request)
    {
        Checkpoint checkpoint = Checkpoint.Read(request.Input);
        Require("model", request.Model, checkpoint.Model);
        Require("frames", request.Frames, checkpoint.ClipSpec.Frames);
        Require("classes", request.Classes, checkpoint.Labels.Count);
        return new ConvertedModel(
            checkpoint with { Labels = request.Labels is null ? checkpoint.Labels : LabelFile.Read(request.Labels, checkpoint.Labels.Count) },
            checkpoint.LoadNetwork(),
            []);

        void Require(string what, object? asked, object found)
        {
            if (asked is not null && !asked.Equals(found))
            {
                throw new ConfigException(string.Create(CultureInfo.InvariantCulture, $"convert: {what}: expected {asked}, found a checkpoint with {found}; leave the option out"), request.Input);
            }
        }
    }

    private static ConvertedModel Weights(ConversionRequest request, Func<string, WeightSource> open, Action<string> note)
    {
        using WeightSource source = open(request.Input);
        (ModelEntry entry, ModelOptions options) = Choose(request, source);
        TrainingConfig config = new() { Model = new ModelConfig { Name = entry.Name, Pretrained = false, Frames = options.Frames } };
        options = options with { Seed = config.Seed };

        // Initial values are needed only where some of them may stay.
        VideoNetwork network = Create(options);
        if (network.Options.Shift is not null && TorchNaming.IsTorch(WeightLoader.Compare(network, source, Names, request.Rules)))
        {
            // What PyTorch's projects trained moves other channels than PaddleVideo's networks do.
            network.Dispose();
            network = Create(options with { Shift = ShiftConvention.Original });
        }

        try
        {
            LoadReport comparison = WeightLoader.Compare(network, source, Names, request.Rules);
            if (!comparison.Fits && comparison.Matched.Count > 0)
            {
                note(comparison.ToText().TrimEnd());
            }

            LoadReport report = WeightLoader.Load(network, source, Names, request.Rules);
            network.Eval();
            return new ConvertedModel(
                new Checkpoint
                {
                    Model = entry.Name,
                    Options = network.Options,
                    ClipSpec = Spec(request, network),
                    Labels = request.Labels is null ? LabelMap.Numbered(network.Classes) : LabelFile.Read(request.Labels, network.Classes),
                    Config = config,
                    Epoch = 0,
                    Provenance = new Dictionary<string, string>(Provenance.Current())
                    {
                        ["converted_from"] = Path.GetFileName(request.Input),
                        ["converted_from_sha256"] = Hash(request.Input),
                    },
                    LoadReport = report,
                },
                network,
                [
                    .. options.Frames is null ? [$"frames: {network.Frames}, the network's own; the weights don't tell (--frames)"] : Array.Empty<string>(),
                    .. request.Labels is null ? [$"labels: numbered 0 to {network.Classes - 1}; the weights don't tell (--labels)"] : Array.Empty<string>(),
                ]);
        }
        catch
        {
            network.Dispose();
            throw;
        }

        VideoNetwork Create(ModelOptions chosen) => request.Rules.AllowMissing.Count > 0
            ? ModelCatalog.Create(entry.Name, chosen)
            : ModelCatalog.CreateBlank(entry.Name, chosen);
    }

    private static (ModelEntry Entry, ModelOptions Options) Choose(ConversionRequest request, WeightSource source)
    {
        if (request.Recipe is { } recipe)
        {
            using IDisposable shapes = ShapesOnly.Enable();
            using VideoNetwork named = PaddleArchitectures.Create(PaddleRecipe.Read(recipe).Model);
            return Choose(request with { Recipe = null, Model = named.Name, Frames = request.Frames ?? named.Frames }, source);
        }

        if (request.Model is { } name)
        {
            ModelEntry entry = ModelCatalog.Find(name);
            return (entry, ArchitectureFinder.Options(entry, source, Names, request.Classes, request.Frames));
        }

        IReadOnlyList<ArchitectureMatch> found = ArchitectureFinder.Find(source, Names, request.Rules, request.Classes, request.Frames);
        return found is [var only]
            ? (only.Entry, only.Options)
            : throw new CheckpointException(
                $"convert: expected weights that fit one network, found that they fit {string.Join(", ", found.Select(f => f.Entry.Name))} alike, which differ in arithmetic only; say which with --model", request.Input);
    }

    // What the recipe evaluates with, where it is for clips as the network takes them.
    private static ClipSpec Spec(ConversionRequest request, VideoNetwork network) =>
        request.Recipe is { } recipe && PaddleRecipe.Read(recipe).EvaluationSpec is { } spec && spec.Frames == network.Frames
            ? spec with { Layout = ClipLayout.Ntchw }
            : network.EvaluationSpec;

    // Every family of names that is known, in the order in which equally good ones are taken.
    private static IReadOnlyList<WeightNaming> Names(VideoNetwork network, IReadOnlyList<WeightInfo> tensors) =>
        [.. TorchNaming.For(network, tensors), .. PaddleNaming.For(network, tensors)];

    private static string Hash(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
