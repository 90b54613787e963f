using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Kinora.Testing;

namespace Kinora.Training.Tests;

/// <summary>What a run writes of itself, against what it reported.</summary>
[Collection(ComputeTests.Name)]
public sealed partial class RunJournalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_ThreeEpochs_LogMetricsAndEventsTellWhatHappened()
    {
        var seen = new List<TrainingProgress>();
        TrainingOutcome outcome = Trainer.Run(Config() with { Checkpoints = new CheckpointConfig { LogEverySteps = 2 } }, Options() with { Profile = true }, new Receiver(seen.Add));
        string run = outcome.Plan.RunFolder;
        Assert.Equal(5, outcome.Plan.StepsPerEpoch);
        TrainingProgress.Step[] told = [.. seen.OfType<TrainingProgress.Step>().Where(s => s.StepInEpoch is 1 or 3 or 5)];

        JsonElement[] lines = [.. MetricsFile.Read(Path.Combine(run, "metrics.jsonl"))];
        Assert.Equal(
            ["run", "step", "step", "step", "epoch", "step", "step", "step", "epoch", "step", "step", "step", "epoch", "evaluation", "evaluation", "profile"],
            lines.Select(l => l.GetProperty("type").GetString()));
        JsonElement[] steps = [.. lines.Where(l => l.GetProperty("type").GetString() == "step")];
        Assert.Equal(told.Select(s => (s.Epoch, s.StepInEpoch, s.Loss, s.LearningRate, s.MeanLoss, s.GradientNorm)), steps.Select(l => (Int(l, "epoch"), Int(l, "step"), Number(l, "loss"), Number(l, "learning_rate"), Number(l, "mean_loss"), Number(l, "gradient_norm"))));
        Assert.Equal(told.Select(s => ((s.Epoch - 1) * 5) + s.StepInEpoch), steps.Select(l => Int(l, "global_step")));
        JsonElement[] epochs = [.. lines.Where(l => l.GetProperty("type").GetString() == "epoch")];
        Assert.Equal(outcome.Epochs.Select(e => (e.TrainLoss, e.TrainTop1, e.ValidationLoss!.Value)), epochs.Select(l => (Number(l, "train_loss"), Number(l, "train_top1"), Number(l, "validation_loss"))));
        Assert.All(epochs, l => Assert.Equal((18, 1.0), (Int(l, "clips"), Number(l, "train_top5")))); // three classes
        Assert.Equal(outcome.Test!.Top1, Number(lines.Single(l => l.TryGetProperty("split", out JsonElement split) && split.GetString() == "test"), "top1"));

        // TensorBoard's numbers are the same, as floats.
        IReadOnlyList<EventRecord> events = EventRecords.Read(Directory.EnumerateFiles(Path.Combine(run, "tensorboard")).Single());
        Assert.Equal(told.Select(s => ((float)s.Loss)), Of("train/loss"));
        Assert.Equal(told.Select(s => ((float)s.LearningRate)), Of("train/learning_rate"));
        Assert.Equal(outcome.Epochs.Select(e => (float)e.ValidationTop1!.Value), Of("validation/top1"));
        Assert.Equal([5L, 10, 15], events.Where(e => e.Scalars.Any(s => s.Tag == "validation/loss")).Select(e => e.Step));
        IEnumerable<float> Of(string tag) => events.SelectMany(e => e.Scalars).Where(s => s.Tag == tag).Select(s => s.Value);

        string[] log = [.. File.ReadAllLines(Path.Combine(run, "log.txt")).Select(l => l["2025-01-01 00:00:00Z ".Length..])];
        Match[] logged = [.. log.Select(l => StepLine().Match(l)).Where(m => m.Success)];
        Assert.Equal(told.Select(s => (s.Epoch, s.StepInEpoch - 1, Math.Round(s.Loss, 5))), logged.Select(m => (Int(m, 1), Int(m, 3), Math.Round(double.Parse(m.Groups[4].Value, CultureInfo.InvariantCulture), 5))));
        Assert.Equal(3, log.Count(l => EndLine().IsMatch(l)));
        Assert.Equal(3, log.Count(l => l.StartsWith("END epoch:", StringComparison.Ordinal) && l.Contains(" val loss_avg: ", StringComparison.Ordinal)));
        Assert.Contains(log, l => l.StartsWith("waiting for clips", StringComparison.Ordinal));
    }

    [Fact]
    public void Run_Profile_StagesAddUpAndEachHasTime()
    {
        TrainingConfig config = Config() with { Checkpoints = new CheckpointConfig { EverySteps = 1, TensorBoard = false } };
        TrainingOutcome outcome = Trainer.Run(config, Options() with { Profile = true });
        StepProfile profile = outcome.Profile!;
        Assert.Equal((15, 54L), (profile.Steps, profile.Clips));
        Assert.Equal(profile.Seconds, profile.Stages.Sum(s => s.Seconds), 1e-9);
        Assert.Equal(1, profile.Stages.Sum(s => s.Share), 1e-9);
        Assert.All(profile.Stages, s => Assert.True(s.Seconds > 0, s.Stage.ToString()));
        Assert.InRange(profile.Seconds, 1e-9, outcome.Elapsed.TotalSeconds);
        Assert.InRange(profile.ComputeShare, 1e-9, 1);

        // Weights, gradients or none, and velocities at least; of the process far more.
        Assert.InRange(profile.LiveTensorBytes, 2 * 4 * outcome.Plan.Parameters, profile.PeakTensorBytes);
        Assert.True(profile.PeakProcessBytes > profile.PeakTensorBytes);
        string[] table = profile.ToText().TrimEnd().Split('\n');
        Assert.Equal(1 + 8 + 1 + 2, table.Length);
        Assert.False(Directory.Exists(Path.Combine(outcome.Plan.RunFolder, "tensorboard")));
        Assert.Null(Trainer.Run(config, Options()).Profile);
    }

    [Fact]
    public void Resume_AfterALostStretch_EventsBeginBehindTheCheckpointAndTheLogSaysSo()
    {
        TrainingConfig config = Config() with { Checkpoints = new CheckpointConfig { LogEverySteps = 1 } };
        string run = Trainer.Run(config, Options() with { StopAfterEpoch = 1 }).Plan.RunFolder;
        byte[] first = File.ReadAllBytes(Path.Combine(run, "last.safetensors"));
        Trainer.Resume(run, Options() with { StopAfterEpoch = 2 });
        File.WriteAllBytes(Path.Combine(run, "last.safetensors"), first);
        Trainer.Resume(run, Options());

        string[] files = [.. Directory.EnumerateFiles(Path.Combine(run, "tensorboard")).Order(StringComparer.Ordinal)];
        Assert.Equal([0L, 6, 6], files.Select(f => EventRecords.Read(f).Single(e => e.SessionStatus == 1).Step));
        Assert.Equal(6, EventRecords.Read(files[2]).First(e => e.Scalars.Count > 0).Step);
        int[] steps = [.. MetricsFile.Read(Path.Combine(run, "metrics.jsonl")).Where(l => l.GetProperty("type").GetString() == "step").Select(l => Int(l, "global_step"))];
        Assert.Equal(Enumerable.Range(1, 15), steps);
        Assert.Equal(2, File.ReadAllLines(Path.Combine(run, "log.txt")).Count(l => l.Contains("resumed at epoch 2, step 1; what stands above", StringComparison.Ordinal)));
    }

    private TrainingConfig Config() => TinyRun.Config(_folder);

    private static TrainerOptions Options() => new() { Probe = false, NetworkFactory = TinyNetwork.Create };

    private static double Number(JsonElement line, string name) => line.GetProperty(name).GetDouble();

    private static int Int(JsonElement line, string name) => line.GetProperty(name).GetInt32();

    private static int Int(Match match, int group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    // PaddleVideo's words, see golden/training/log_example.txt.
    [GeneratedRegex(@"^epoch:\[ *(\d+)/(\d+) *\] train step:(\d+) +loss: ([\d.]+) lr: \d\.\d{6} top1: \d\.\d{5} top5: \d\.\d{5} batch_cost: [\d.]+ sec, reader_cost: [\d.]+ sec, ips: [\d.]+ instance/sec, eta: \d+:\d\d:\d\d$")]
    private static partial Regex StepLine();

    [GeneratedRegex(@"^END epoch:\d+ +train loss_avg: [\d.]+ +top1_avg: [\d.]+ top5_avg: [\d.]+ avg_batch_cost: [\d.]+ sec, avg_reader_cost: [\d.]+ sec, batch_cost_sum: [\d.]+ sec, avg_ips: [\d.]+ instance/sec\.$")]
    private static partial Regex EndLine();

    private sealed class Receiver(Action<TrainingProgress> receive) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => receive(value);
    }
}
