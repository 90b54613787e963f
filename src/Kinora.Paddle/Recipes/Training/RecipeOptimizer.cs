using Kinora.Training;

namespace Kinora.Paddle;

/// <summary>The OPTIMIZER section.</summary>
internal static class RecipeOptimizer
{
    private static readonly string[] PerStep =
    [
        "CustomWarmupCosineDecay", "CustomWarmupPiecewiseDecay", "CustomWarmupAdjustDecay", "CustomWarmupCosineStepDecay", "CustomPiecewiseDecay",
    ];

    private static readonly string[] Known =
    [
        .. PerStep, "CosineAnnealingDecay", "ExponentialDecay", "InverseTimeDecay", "LinearWarmup", "MultiStepDecay", "NaturalExpDecay", "PiecewiseDecay",
        "PolynomialDecay", "StepDecay",
    ];

    /// <summary>Reads the section.</summary>
    /// <param name="section">OPTIMIZER.</param>
    /// <param name="config">What is completed: optimiser, schedule and clipping.</param>
    /// <exception cref="ConfigException">Another optimiser or schedule, or wrong arguments.</exception>
    public static TrainingConfig Read(RecipeSection section, TrainingConfig config)
    {
        OptimizerConfig optimizer = Rule(section);
        (double rate, ScheduleConfig schedule) = section.IsSection("learning_rate")
            ? Schedule(section.Require("learning_rate"))
            : (section.RequireNumber("learning_rate"), new ScheduleConfig { Kind = ScheduleKind.Constant, WarmupEpochs = 0 });
        (double? norm, double? value) = Clipping(section);
        section.Finish();
        return config with
        {
            Optimizer = optimizer with { LearningRate = rate, WeightDecay = optimizer.WeightDecay },
            Schedule = schedule,
            Loop = config.Loop with { ClipNorm = norm, ClipValue = value },
        };
    }

    private static OptimizerConfig Rule(RecipeSection section)
    {
        string name = section.RequireText("name");
        double decay = Decay(section);
        var common = new OptimizerConfig { WeightDecay = decay, Nesterov = false };
        switch (name)
        {
            case "Momentum":
                return common with { Momentum = section.Number("momentum", 0.9), Nesterov = section.Flag("use_nesterov", false) };
            case "SGD":
                return common with { Momentum = 0 };
            case "RMSProp":
                if (section.Flag("centered", false))
                {
                    throw section.Wrong("centered", "False; RMSProp without its mean is the only form here");
                }

                return common with { Kind = OptimizerKind.RmsProp, Rho = section.Number("rho", 0.95), Epsilon = section.Number("epsilon", 1e-6), Momentum = section.Number("momentum", 0) };
            case "Adam" or "AdamW":
                string[] noDecay = (section.Text("no_weight_decay_name") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
                section.Ignore("follows from the precision", "multi_precision");
                return common with
                {
                    Kind = name == "Adam" ? OptimizerKind.Adam : OptimizerKind.AdamW,
                    Beta1 = section.Number("beta1", 0.9),
                    Beta2 = section.Number("beta2", 0.999),
                    Epsilon = section.Number("epsilon", 1e-8),
                    NoDecay = noDecay,
                };
            default:
                throw section.Wrong("name", "one of Adam, AdamW, Momentum, RMSProp, SGD");
        }
    }

    private static double Decay(RecipeSection section)
    {
        if (!section.IsSection("weight_decay"))
        {
            return section.Number("weight_decay", 0);
        }

        RecipeSection decay = section.Require("weight_decay");
        if (decay.RequireText("name") != "L2")
        {
            throw decay.Wrong("name", "L2");
        }

        double value = decay.RequireNumber("value");
        decay.Finish();
        return value;
    }

    private static (double? Norm, double? Value) Clipping(RecipeSection section)
    {
        if (!section.Has("grad_clip"))
        {
            return (null, null);
        }

        if (!section.IsSection("grad_clip"))
        {
            section.Note("grad_clip as a plain number stops PaddleVideo; it is taken as the largest norm of all gradients together");
            return (section.RequireNumber("grad_clip"), null);
        }

        RecipeSection clip = section.Require("grad_clip");
        string name = clip.RequireText("name");
        double value = clip.RequireNumber("value");
        clip.Finish();
        return name switch
        {
            "ClipGradByGlobalNorm" => (value, null),
            "ClipGradByValue" => (null, value),
            _ => throw clip.Wrong("name", "ClipGradByGlobalNorm or ClipGradByValue"),
        };
    }

    /// <summary>Reads a learning-rate schedule.</summary>
    /// <param name="rule">OPTIMIZER.learning_rate.</param>
    /// <returns>The base rate, and the schedule.</returns>
    internal static (double Rate, ScheduleConfig Schedule) Schedule(RecipeSection rule)
    {
        string name = rule.RequireText("name");
        if (!Known.Contains(name))
        {
            throw rule.Wrong("name", $"one of {string.Join(", ", Known)}{NearestName.Suggestion(name, Known)}");
        }

        bool perStep = rule.Flag("iter_step", false);
        rule.Ignore("follows from the name", "iter_step");
        if (perStep != PerStep.Contains(name))
        {
            throw rule.Refuse($"iter_step: expected {(perStep ? "False" : "True")} for {name}, found the opposite, with which PaddleVideo stops");
        }

        (double, ScheduleConfig) read = name switch
        {
            "CustomWarmupCosineDecay" => (rule.RequireNumber("cosine_base_lr"), new ScheduleConfig
            {
                Kind = ScheduleKind.WarmupCosine,
                StartRate = rule.RequireNumber("warmup_start_lr"),
                WarmupEpochs = rule.RequireNumber("warmup_epochs"),
                SpanEpochs = rule.RequireNumber("max_epoch"),
            }),
            "CustomWarmupPiecewiseDecay" => (rule.RequireNumber("step_base_lr"), new ScheduleConfig
            {
                Kind = ScheduleKind.WarmupPiecewise,
                StartRate = rule.RequireNumber("warmup_start_lr"),
                WarmupEpochs = rule.RequireNumber("warmup_epochs"),
                Factors = rule.Numbers("lrs", null),
                Milestones = FromZero(rule, "steps"),
                SpanEpochs = rule.RequireNumber("max_epoch"),
            }),
            "CustomWarmupAdjustDecay" => (rule.RequireNumber("step_base_lr"), new ScheduleConfig
            {
                Kind = ScheduleKind.WarmupStep,
                WarmupEpochs = rule.RequireNumber("warmup_epochs"),
                Gamma = rule.RequireNumber("lr_decay_rate"),
                Milestones = rule.Numbers("boundaries", null),
            }),
            "CustomWarmupCosineStepDecay" => (rule.RequireNumber("base_lr"), new ScheduleConfig
            {
                Kind = ScheduleKind.WarmupCosineStep,
                WarmupEpochs = rule.RequireNumber("warmup_iters"),
                StartFactor = rule.RequireNumber("warmup_ratio"),
                MinRate = rule.RequireNumber("min_lr"),
                SpanEpochs = rule.RequireNumber("max_epoch"),
            }),
            "PiecewiseDecay" or "CustomPiecewiseDecay" => (rule.Numbers("values", null)[0], new ScheduleConfig
            {
                Kind = ScheduleKind.Piecewise,
                Milestones = rule.Numbers("boundaries", null),
                Rates = rule.Numbers("values", null),
                MilestonesInSteps = name == "CustomPiecewiseDecay",
            }),
            "MultiStepDecay" => (Rate(), new ScheduleConfig { Kind = ScheduleKind.MultiStep, Milestones = rule.Numbers("milestones", null), Gamma = rule.Number("gamma", 0.1) }),
            "StepDecay" => (Rate(), new ScheduleConfig { Kind = ScheduleKind.Step, Period = rule.Int("step_size"), Gamma = rule.Number("gamma", 0.1) }),
            "ExponentialDecay" => (Rate(), new ScheduleConfig { Kind = ScheduleKind.Exponential, Gamma = rule.RequireNumber("gamma") }),
            "NaturalExpDecay" => (Rate(), new ScheduleConfig { Kind = ScheduleKind.NaturalExponential, Gamma = rule.RequireNumber("gamma") }),
            "InverseTimeDecay" => (Rate(), new ScheduleConfig { Kind = ScheduleKind.InverseTime, Gamma = rule.RequireNumber("gamma") }),
            "PolynomialDecay" => (Rate(), new ScheduleConfig
            {
                Kind = ScheduleKind.Polynomial,
                Period = rule.Int("decay_steps"),
                MinRate = rule.Number("end_lr", 0.0001),
                Power = rule.Number("power", 1),
                Cycle = rule.Flag("cycle", false),
            }),
            "CosineAnnealingDecay" => (Rate(), new ScheduleConfig { Kind = ScheduleKind.CosineAnnealing, Period = rule.Int("T_max"), MinRate = rule.Number("eta_min", 0) }),
            "LinearWarmup" => Warmup(rule),
            _ => throw rule.Wrong("name", $"one of {string.Join(", ", Known)}"),
        };
        rule.Ignore("says what is printed", "verbose");
        if (name == "CustomWarmupPiecewiseDecay")
        {
            rule.Ignore("the factors are listed one by one in lrs", "gamma");
        }

        rule.Finish();
        return (read.Item1, read.Item2 with { WarmupEpochs = read.Item2.WarmupEpochs ?? 0 });

        double Rate() => rule.RequireNumber("learning_rate");
    }

    private static (double Rate, ScheduleConfig Schedule) Warmup(RecipeSection rule)
    {
        (double rate, ScheduleConfig then) = rule.IsSection("learning_rate")
            ? Schedule(rule.Require("learning_rate"))
            : (rule.RequireNumber("learning_rate"), new ScheduleConfig { Kind = ScheduleKind.Constant, WarmupEpochs = 0 });
        double end = rule.RequireNumber("end_lr");
        if (then.WarmupEpochs > 0)
        {
            throw rule.Refuse("expected a schedule without a warm-up of its own inside LinearWarmup, found one with it");
        }

        return (rate, then with { WarmupEpochs = rule.Int("warmup_steps"), StartRate = rule.RequireNumber("start_lr"), WarmupEndRate = end });
    }

    private static double[] FromZero(RecipeSection rule, string name)
    {
        double[] steps = rule.Numbers(name, null);
        return steps is [0, .. var rest] ? rest : throw rule.Wrong(name, "a list that begins with 0");
    }
}
