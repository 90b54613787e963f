using System.Text.Json;

namespace Kinora.Training.Tests;

/// <summary>Builds a schedule from a <c>learning_rate</c> section in PaddleVideo's words.</summary>
internal static class PaddleSchedule
{
    private static readonly string[] PerStep =
    [
        "CustomWarmupCosineDecay", "CustomWarmupPiecewiseDecay", "CustomWarmupAdjustDecay", "CustomWarmupCosineStepDecay", "CustomPiecewiseDecay",
    ];

    /// <summary>The schedule, or null for a name that isn't known.</summary>
    public static LearningRateSchedule? Create(JsonElement rule, int n)
    {
        string name = rule.GetProperty("name").GetString()!;
        bool perStep = rule.TryGetProperty("iter_step", out JsonElement flag) && flag.GetBoolean();
        if (perStep != PerStep.Contains(name))
        {
            throw new ConfigException($"{name}: expected iter_step: {(perStep ? "false" : "true")}, found the opposite");
        }

        return name switch
        {
            "CustomWarmupCosineDecay" => new WarmupCosineSchedule(Get("warmup_start_lr"), Get("warmup_epochs"), Get("cosine_base_lr"), Get("max_epoch"), n),
            "CustomWarmupPiecewiseDecay" => new WarmupPiecewiseSchedule(
                Get("warmup_start_lr"), Get("warmup_epochs"), Get("step_base_lr"), List("lrs"), List("steps"), Get("max_epoch"), n),
            "CustomWarmupAdjustDecay" => new WarmupStepSchedule(Get("step_base_lr"), Get("warmup_epochs"), Get("lr_decay_rate"), List("boundaries"), n),
            "CustomWarmupCosineStepDecay" => new WarmupCosineStepSchedule(
                Get("warmup_iters"), Get("warmup_ratio"), Get("min_lr"), Get("base_lr"), Get("max_epoch"), n),
            "CustomPiecewiseDecay" => new PiecewiseSchedule(List("boundaries"), List("values"), ScheduleInterval.Step),
            "PiecewiseDecay" => new PiecewiseSchedule(List("boundaries"), List("values")),
            "MultiStepDecay" => new MultiStepSchedule(Get("learning_rate"), List("milestones"), Get("gamma", 0.1)),
            "StepDecay" => FormulaSchedule.Step(Get("learning_rate"), (int)Get("step_size"), Get("gamma", 0.1)),
            "ExponentialDecay" => FormulaSchedule.Exponential(Get("learning_rate"), Get("gamma")),
            "NaturalExpDecay" => FormulaSchedule.NaturalExponential(Get("learning_rate"), Get("gamma")),
            "InverseTimeDecay" => FormulaSchedule.InverseTime(Get("learning_rate"), Get("gamma")),
            "PolynomialDecay" => FormulaSchedule.Polynomial(
                Get("learning_rate"), (int)Get("decay_steps"), Get("end_lr", 0.0001), Get("power", 1), rule.TryGetProperty("cycle", out JsonElement c) && c.GetBoolean()),
            "CosineAnnealingDecay" => new CosineAnnealingSchedule(Get("learning_rate"), (int)Get("T_max"), Get("eta_min", 0)),
            "LinearWarmup" => Warmup(),
            _ => null,
        };

        LearningRateSchedule? Warmup()
        {
            JsonElement inner = rule.GetProperty("learning_rate");
            LearningRateSchedule? then = inner.ValueKind == JsonValueKind.Number ? new MultiStepSchedule(inner.GetDouble(), []) : Create(inner, n);
            return then is null ? null : new LinearWarmupSchedule(then, (int)Get("warmup_steps"), Get("start_lr"), Get("end_lr"));
        }

        double Get(string key, double? missing = null) => rule.TryGetProperty(key, out JsonElement value)
            ? value.GetDouble()
            : missing ?? throw new ConfigException($"{name}: {key} is missing");
        double[] List(string key) => [.. rule.GetProperty(key).EnumerateArray().Select(e => e.GetDouble())];
    }
}
