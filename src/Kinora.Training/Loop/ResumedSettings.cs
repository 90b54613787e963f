using System.Globalization;

namespace Kinora.Training;

/// <summary>What may be set anew when a run goes on: where its clips are, how it is written down, and how long it lasts.</summary>
public static class ResumedSettings
{
    private static readonly string[] Keys =
    [
        "data.path", "data.trainList", "data.validationList", "data.testList", "data.listRoot", "data.listSuffix", "data.labelFile",
        "data.cache", "data.cacheMegabytes", "data.workers", "data.failureBudget", "data.unreadable",
        "loop.epochs", "loop.patience", "loop.evaluationBatchSize", "loop.testBatchSize", "threads",
    ];

    /// <summary>The configuration with which a run goes on.</summary>
    /// <param name="began">As it began.</param>
    /// <param name="settings">What is set anew.</param>
    /// <returns>The draft, with the origin of each value.</returns>
    /// <exception cref="ConfigException">A setting would change what is learned, or its value is wrong.</exception>
    public static ConfigDraft Apply(TrainingConfig began, IReadOnlyList<ConfigSetting> settings)
    {
        ArgumentNullException.ThrowIfNull(began);
        ArgumentNullException.ThrowIfNull(settings);
        var draft = ConfigDraft.From(began, RunFolder.ConfigFile);
        foreach (ConfigSetting setting in settings)
        {
            draft.Set(setting);
            if (!Keys.Contains(setting.Key) && !setting.Key.StartsWith("checkpoints.", StringComparison.Ordinal))
            {
                throw new ConfigException(
                    $"resume: {setting.Origin}: expected only what leaves the learning as it began (data.path and its like, checkpoints.*, loop.epochs, loop.patience, threads), found {setting.Key}; "
                    + "leave it out, or start a new run from these weights with -w");
            }
        }

        return draft;
    }

    /// <summary>Says what is different, where it matters.</summary>
    /// <param name="began">As the run began.</param>
    /// <param name="now">As it goes on.</param>
    /// <param name="done">Finished epochs.</param>
    /// <returns>A sentence each.</returns>
    /// <exception cref="ConfigException">Fewer epochs are asked for than are done.</exception>
    internal static IEnumerable<string> Describe(TrainingConfig began, TrainingConfig now, int done)
    {
        (int? before, int? after) = (began.Loop.Epochs, now.Loop.Epochs);
        if (before != after)
        {
            yield return after >= done
                ? string.Create(CultureInfo.InvariantCulture, $"{after} epochs instead of {before}: from here on the learning rate is that of a run of {after}")
                : throw new ConfigException(string.Create(CultureInfo.InvariantCulture, $"resume: loop.epochs: expected at least the {done} epochs that are done, found {after?.ToString(CultureInfo.InvariantCulture) ?? "auto"}"));
        }

        if (began.Threads != now.Threads)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{now.Threads} threads instead of {began.Threads}: sums are added in another order, the last bits of the result may differ");
        }
    }
}
