using System.CommandLine;
using System.Globalization;
using Kinora.Models;
using Kinora.Paddle;
using Kinora.Training;

namespace Kinora.Cli.Commands;

/// <summary>The options of <c>kinora train</c> that say what is trained, and the configuration they make.</summary>
internal sealed class TrainOptions
{
    private readonly Argument<DirectoryInfo?> _data = new("folder") { Arity = ArgumentArity.ZeroOrOne, Description = "A folder of class folders, optionally below train/, val/ and test/." };
    private readonly Option<FileInfo?> _config = new("--config", "-c") { Description = "Training configuration (YAML), or a recipe of PaddleVideo's; options given beside it win." };
    private readonly Option<string[]> _set = new("--set") { Description = "Set a value of the configuration, such as optimizer.momentum=0.95; may be given often.", HelpName = "key=value" };
    private readonly Option<string[]> _override = new("--override", "-o") { Description = "Set a value of a PaddleVideo recipe, such as DATASET.batch_size=8; may be given often.", HelpName = "key=value" };
    private readonly Option<string?> _name = new("--name") { Description = "Name of the run [default: the folder's or the recipe's name]." };
    private readonly Option<string?> _output = new("--output") { Description = "Folder that holds the runs [default: runs]." };
    private readonly Option<string?> _model = new("--model", "-m") { Description = $"Network, see 'kinora models list' [default: {ModelCatalog.DefaultName}]." };
    private readonly Option<string?> _weights = new("--weights", "-w") { Description = "Weights to start from: a run folder, a checkpoint or a .pdparams file." };
    private readonly Option<bool> _scratch = new("--from-scratch") { Description = "Random initial weights instead of ImageNet's." };
    private readonly Option<int?> _frames = new("--frames") { Description = "Frames of a clip." };
    private readonly Option<int?> _size = new("--size") { Description = "Side of the network's input, in pixels." };
    private readonly Option<int?> _epochs = new("--epochs") { Description = "Epochs [default: from the amount of data and --minutes]." };
    private readonly Option<double?> _minutes = new("--minutes") { Description = "How long training may take when --epochs isn't given." };
    private readonly Option<int?> _batch = new("--batch-size") { Description = "Clips of a batch." };
    private readonly Option<double?> _rate = new("--learning-rate", "--lr") { Description = "Peak learning rate." };
    private readonly Option<ulong?> _seed = new("--seed") { Description = "Seed of every random choice [default: 1; with a PaddleVideo recipe 1234]." };
    private readonly Option<int?> _threads = new("--threads") { Description = "Threads of the compute library [default: one a core]." };
    private readonly Option<bool> _noShift = new("--no-temporal-shift") { Description = "Switch the temporal shift off, so that the network can't see time order." };
    private readonly Option<bool> _amp = new("--amp") { Description = "Mixed precision with a PaddleVideo recipe, which is float32 otherwise (Kinora's own configurations choose by the machine)." };
    private readonly Option<bool> _validate = new("--validate") { Description = "Accepted from PaddleVideo's command line: every training validates, because that chooses the best weights." };
    private readonly Option<int?> _maxIterations = new("--max-iters", "--max_iters") { Description = "Most batches of an epoch, for trials." };

    /// <summary>The argument and all options, in the order of the help text.</summary>
    public IReadOnlyList<Symbol> Symbols =>
    [
        _data, _config, _set, _override, _name, _output, _model, _weights, _scratch, _frames, _size, _epochs, _minutes, _batch, _rate, _seed, _threads, _noShift, _amp,
        _validate, _maxIterations,
    ];

    /// <summary>Whether the command line says what to train.</summary>
    public bool SaysWhat(System.CommandLine.Parsing.CommandResult result) => result.GetValue(_data) is not null || result.GetValue(_config) is not null
        || (result.GetValue(_set) ?? []).Any(s => s.StartsWith("data.path=", StringComparison.Ordinal) || s.StartsWith("data.trainList=", StringComparison.Ordinal));

    /// <summary>Makes the configuration.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="note">Hears what of a recipe has no effect, a line each.</param>
    /// <returns>The configuration, and the recipe it comes from, if any.</returns>
    /// <exception cref="ConfigException">A file or an option is wrong.</exception>
    public (ConfigDraft Draft, PaddleTraining? Recipe) Configure(ParseResult parsed, Action<string> note)
    {
        (ConfigDraft draft, PaddleTraining? recipe) = Begin(parsed, note);
        IReadOnlyDictionary<string, string> given = draft.Origins();
        if (parsed.GetValue(_data) is { } folder && given.TryGetValue("data.trainList", out string? origin))
        {
            note($"{folder} is used in place of data.trainList ({origin}) and its like");
        }

        foreach (ConfigSetting setting in Settings(parsed, given.ContainsKey))
        {
            draft.Set(setting);
        }

        return (draft, recipe);
    }

    /// <summary>What the command line says when a run goes on, whose configuration is its own.</summary>
    /// <param name="parsed">The command line.</param>
    /// <returns>The settings.</returns>
    /// <exception cref="ConfigException">A configuration or recipe is given, too.</exception>
    public IReadOnlyList<ConfigSetting> Changes(ParseResult parsed)
    {
        foreach (Option option in (Option[])[_config, _override, _amp])
        {
            if (parsed.GetResult(option) is { Implicit: false })
            {
                throw new ConfigException($"resume: expected nothing that makes another configuration, found {option.Name}; a run goes on with its own");
            }
        }

        return [.. Settings(parsed, _ => true)];
    }

    // A folder replaces the lists that were given.
    private IEnumerable<ConfigSetting> Settings(ParseResult parsed, Func<string, bool> given)
    {
        if (parsed.GetValue(_data) is { } folder)
        {
            yield return ConfigSetting.OfText("data.path", folder.ToString(), "argument");
            foreach (string list in new[] { "data.trainList", "data.validationList", "data.testList" }.Where(given))
            {
                yield return new ConfigSetting(list, "auto", "argument");
            }
        }

        (string Key, string? Value, Option Option)[] texts =
        [
            ("name", parsed.GetValue(_name), _name),
            ("output", parsed.GetValue(_output), _output),
            ("model.name", parsed.GetValue(_model), _model),
            ("model.weights", parsed.GetValue(_weights), _weights),
        ];
        (string Key, object? Value, Option Option)[] values =
        [
            ("seed", parsed.GetValue(_seed), _seed),
            ("threads", parsed.GetValue(_threads), _threads),
            ("model.frames", parsed.GetValue(_frames), _frames),
            ("model.size", parsed.GetValue(_size), _size),
            ("loop.epochs", parsed.GetValue(_epochs), _epochs),
            ("loop.batchSize", parsed.GetValue(_batch), _batch),
            ("loop.timeBudgetMinutes", parsed.GetValue(_minutes), _minutes),
            ("loop.maxStepsPerEpoch", parsed.GetValue(_maxIterations), _maxIterations),
            ("optimizer.learningRate", parsed.GetValue(_rate), _rate),
            ("model.pretrained", parsed.GetValue(_scratch) ? "false" : null, _scratch),
            ("model.temporalShift", parsed.GetValue(_noShift) ? "false" : null, _noShift),
        ];
        foreach ((string key, string? value, Option option) in texts.Where(t => t.Value is not null))
        {
            yield return ConfigSetting.OfText(key, value!, option.Name);
        }

        foreach ((string key, object? value, Option option) in values.Where(v => v.Value is not null))
        {
            yield return new ConfigSetting(key, Convert.ToString(value, CultureInfo.InvariantCulture)!, option.Name);
        }

        foreach (string one in parsed.GetValue(_set) ?? [])
        {
            yield return ConfigSetting.Parse(one, _set.Name);
        }
    }

    private (ConfigDraft Draft, PaddleTraining? Recipe) Begin(ParseResult parsed, Action<string> note)
    {
        string[] overrides = parsed.GetValue(_override) ?? [];
        string? file = parsed.GetValue(_config)?.FullName;
        if (file is null || !PaddleRecipe.IsRecipe(file))
        {
            return overrides.Length == 0 && !parsed.GetValue(_amp)
                ? (file is null ? new ConfigDraft() : ConfigDraft.Load(file), null)
                : throw new ConfigException("-o and --amp: expected a PaddleVideo recipe beside them (--config), found none; use --set for Kinora's own configuration");
        }

        var options = new PaddleTrainingOptions
        {
            Overrides = overrides,
            MixedPrecision = parsed.GetValue(_amp),
            MaxIterations = parsed.GetValue(_maxIterations),
            Processes = Tensors.Rendezvous.FromEnvironment()?.Size ?? 1,
        };
        PaddleTraining recipe = PaddleTraining.Read(file, options);
        string name = Path.GetFileName(file);
        foreach (IgnoredKey key in recipe.Ignored)
        {
            note($"{key.Option ?? $"{name}:{key.Line}"}: {key.Key}: {key.Reason}");
        }

        return (ConfigDraft.From(recipe.Config, name, recipe.Origins), recipe);
    }
}
