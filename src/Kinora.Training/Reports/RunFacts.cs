using System.Globalization;

namespace Kinora.Training;

/// <summary>What a report says of the plan of a run.</summary>
internal static class RunFacts
{
    /// <summary>The plan in a dozen lines.</summary>
    /// <param name="plan">The plan.</param>
    public static IEnumerable<Fact> OfPlan(TrainingPlan plan)
    {
        TrainingConfig c = plan.Config;
        yield return new("clips", Text($"{plan.TrainClips} training, {plan.ValidationClips} validation, {plan.TestClips} test{(plan.MultiLabel ? "; several labels each" : "")}"));
        yield return new("network", Text($"{c.Model.Name}, {plan.Parameters / 1e6:0.00} million parameters"));
        yield return new("start", c.Model.Weights ?? (c.Model.Pretrained ? "ImageNet weights" : "random weights"));
        yield return new("length", Text($"{c.Loop.Epochs} epochs of {plan.StepsPerEpoch} steps, {c.Loop.BatchSize} clips each{(plan.Processes > 1 ? Text($" on each of {plan.Processes} processes") : "")}{(c.Loop.Accumulate > 1 ? Text($", {c.Loop.Accumulate} batches a step of the optimiser") : "")}"));
        yield return new("learning rate", Text($"{c.Optimizer.LearningRate:0.######}, {ConfigReader.Camel(c.Schedule.Kind.ToString())} with {c.Schedule.WarmupEpochs:0.##} epochs of warm-up"));
        yield return new("optimiser", OptimizerText(c.Optimizer));
        yield return new("loss", LossText(c.Loss));
        if (c.Distillation is { Kind: not DistillationKind.None } d)
        {
            string second = d.Teacher ?? d.TeacherWeights ?? "";
            string weights = d.Teacher is not null && d.TeacherWeights is string from ? $" from {from}" : "";
            double temperature = d.Temperature ?? (d.Kind == DistillationKind.Mutual ? 1 : 4);
            yield return new("distillation", (d.Kind == DistillationKind.Mutual ? "mutual learning with " : "teacher ") + second + weights
                + Text($", temperature {temperature:0.###}, weight {d.Weight:0.###} beside {d.LabelWeight:0.###} for the labels{(d.CacheScores ? ", its scores asked for once" : "")}"));
        }

        if (c.Loop.WeightAverage is double decay)
        {
            yield return new("weight average", Text($"decay {decay:0.#####}"));
        }

        yield return new("arithmetic", c.Loop.Precision switch
        {
            Precision.Fp16 => "float16 with float32 weights and a scaled loss",
            Precision.Fp64 => "float64",
            _ => plan.BFloat16 ? "bfloat16 with float32 weights" : "float32",
        });
        yield return new("decoded frames", plan.Cached ? Text($"kept in memory, about {plan.CacheBytes / 1048576.0:0} MiB") : "decoded in every epoch");
        yield return new("seed", Text($"{c.Seed}"));
    }

    /// <summary>The values of a configuration that aren't the defaults, with those.</summary>
    /// <param name="config">The configuration as it ran.</param>
    public static IEnumerable<(string Key, string Value, string Default)> Differences(TrainingConfig config)
    {
        Dictionary<string, string> defaults = ConfigYaml.Flatten(new TrainingConfig()).ToDictionary(v => v.Key, v => v.Value, StringComparer.Ordinal);
        return ConfigYaml.Flatten(config).Where(v => defaults.GetValueOrDefault(v.Key, "auto") != v.Value).Select(v => (v.Key, v.Value, defaults.GetValueOrDefault(v.Key, "auto")));
    }

    private static string OptimizerText(OptimizerConfig o)
    {
        string kind = o.Kind switch
        {
            OptimizerKind.RmsProp => Text($"RMSProp, rho {o.Rho:0.###}, momentum {o.Momentum:0.###}"),
            OptimizerKind.Adam => Text($"Adam, betas {o.Beta1:0.####} and {o.Beta2:0.####}"),
            OptimizerKind.AdamW => Text($"AdamW, betas {o.Beta1:0.####} and {o.Beta2:0.####}"),
            _ => Text($"SGD, momentum {o.Momentum:0.###}{(o.Nesterov ? " (Nesterov)" : "")}"),
        };
        return kind + Text($", weight decay {o.WeightDecay:0.######}");
    }

    private static string LossText(LossConfig loss)
    {
        string kind = loss.Kind switch
        {
            LossKind.Binary => "binary cross-entropy of each class",
            LossKind.Focal => Text($"focal, gamma {loss.FocalGamma:0.##}"),
            _ => Text($"cross-entropy, label smoothing {loss.LabelSmoothing:0.##}"),
        };
        return kind + (loss.ClassWeights.Count > 0 ? ", classes weighted" : loss.BalanceClasses ? ", classes balanced" : "");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
