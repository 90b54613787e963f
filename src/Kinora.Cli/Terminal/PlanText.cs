using Kinora.Training;

namespace Kinora.Cli.Terminal;

/// <summary>A training plan as text: what will be done before it is done.</summary>
internal static class PlanText
{
    /// <summary>Writes a plan.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="plan">The plan.</param>
    public static void Write(TextWriter writer, TrainingPlan plan)
    {
        TrainingConfig config = plan.Config;
        writer.WriteLine($"run        {plan.RunFolder}");
        writer.WriteLine($"data       {plan.TrainClips} training, {plan.ValidationClips} validation, {plan.TestClips} test clips in {plan.Labels.Count} classes");
        int width = Math.Clamp(plan.Classes.Max(c => c.Name.Length), 5, 40);
        writer.WriteLine($"           {"class".PadRight(width)}  train   val  test");
        foreach (ClassClips clips in plan.Classes.Take(MaxClasses))
        {
            writer.WriteLine($"           {clips.Name.PadRight(width)}  {clips.Train,5} {clips.Validation,5} {clips.Test,5}");
        }

        if (plan.Classes.Count > MaxClasses)
        {
            writer.WriteLine($"           … and {plan.Classes.Count - MaxClasses} more classes, {plan.Classes.Skip(MaxClasses).Sum(c => c.Train)} training clips");
        }

        writer.WriteLine($"model      {config.Model.Name}{(config.Model.TemporalShift ? "" : " without temporal shift")}, {plan.Parameters / 1e6:0.00} M parameters, "
            + (config.Model.Pretrained ? "from ImageNet weights" : "from random weights"));
        writer.WriteLine($"input      {plan.ClipSpec.Frames} frames of {plan.ClipSpec.Size} × {plan.ClipSpec.Size} pixels");
        writer.WriteLine($"loop       {config.Loop.Epochs} epochs × {plan.StepsPerEpoch} batches of {config.Loop.BatchSize}, learning rate {config.Optimizer.LearningRate:0.#####}, "
            + $"{(plan.BFloat16 ? "bfloat16" : "float32")}, {(!plan.Cached ? "decoding in every epoch" : plan.CacheBytes > 0 ? $"decoded frames kept in memory ({plan.CacheBytes / 1e6:0} MB)" : "decoded frames kept in memory")}");
        if (plan.EstimatedTime is { } time)
        {
            writer.WriteLine($"time       about {Duration(time)}{(plan.StepTime is { } step ? $" ({step.TotalMilliseconds:0} ms a batch)" : "")}");
        }

        foreach (string note in plan.Notes)
        {
            writer.WriteLine($"note       {note}");
        }

        writer.WriteLine();
    }

    /// <summary>A time span as a person would say it.</summary>
    /// <param name="time">The span.</param>
    /// <returns>"45 s", "3 min 20 s" or "2 h 05 min".</returns>
    public static string Duration(TimeSpan time) => time switch
    {
        { TotalSeconds: < 60 } => $"{time.TotalSeconds:0} s",
        { TotalMinutes: < 60 } => $"{(int)time.TotalMinutes} min {time.Seconds:00} s",
        _ => $"{(int)time.TotalHours} h {time.Minutes:00} min",
    };

    private const int MaxClasses = 40;
}
