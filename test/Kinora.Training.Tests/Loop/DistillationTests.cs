using Kinora.Media;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Training.Tests;

[Collection(ComputeTests.Name)]
public sealed class DistillationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Teacher_LabelsDontCount_StudentLearnsFromItsScoresAloneAndItStaysAsItIs()
    {
        string teacher = Teacher();
        byte[] before = File.ReadAllBytes(teacher);
        TrainingOutcome student = Trainer.Run(
            Config("student", 10) with { Seed = 9, Distillation = Knowledge(teacher) with { LabelWeight = 0, Temperature = 2 } }, Options());
        Assert.Equal(before, File.ReadAllBytes(teacher));
        Assert.True(student.Test!.Top1 > 0.8, $"test accuracy {student.Test.Top1} without a label seen, chance is 0.33");

        // The student alone is in the checkpoint, and it loads as any other.
        using SafetensorsFile file = SafetensorsFile.Open(student.BestCheckpoint!);
        Assert.DoesNotContain(file.Entries, e => e.Name.Contains('/'));
    }

    [Fact]
    public void Teacher_ScoresFromTheDisk_EqualThoseOfEveryBatchWhereNothingIsVaried()
    {
        string teacher = Teacher();
        TrainingConfig config = Config("live", 2) with { Distillation = Knowledge(teacher) };
        config = config with { Augmentation = new AugmentationConfig { Chain = Still, Sampling = Still0 }, Input = new InputConfig { Sampling = Still0 } };
        TrainingOutcome live = Trainer.Run(config, Options());
        TrainingConfig cached = config with { Name = "cached", Distillation = config.Distillation with { CacheScores = true } };
        var asked = new List<TrainingProgress>();
        TrainingOutcome first = Trainer.Run(cached, Options(), new Recorder(asked));
        Assert.Equal(live.Epochs.Select(e => e.TrainLoss), first.Epochs.Select(e => e.TrainLoss), (a, b) => Math.Abs(a - b) < 1e-5 * a);
        Assert.Contains(asked, p => p is TrainingProgress.Evaluating { Split: "teacher", Clips: > 0 and < 18 });

        // A second run finds every score and doesn't ask.
        asked.Clear();
        TrainingOutcome second = Trainer.Run(cached with { Name = "again" }, Options(), new Recorder(asked));
        Assert.Equal(first.Epochs.Select(e => e.TrainLoss), second.Epochs.Select(e => e.TrainLoss));
        Assert.All(asked.OfType<TrainingProgress.Evaluating>().Where(e => e.Split == "teacher"), e => Assert.Equal(18, e.Clips));

        // A damaged file is asked again.
        string file = Directory.EnumerateFiles(_folder["runs/.teacher-scores"]).Single();
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..^7]);
        TrainingOutcome third = Trainer.Run(cached with { Name = "repaired" }, Options());
        Assert.Equal(first.Epochs.Select(e => e.TrainLoss), third.Epochs.Select(e => e.TrainLoss));
    }

    [Fact]
    public void Teacher_MixedClips_CachedScoresAreMixedToo()
    {
        string teacher = Teacher();
        TrainingConfig config = Config("mixed", 2) with { Distillation = Knowledge(teacher) with { CacheScores = true } };
        config = config with { Augmentation = config.Augmentation with { Mix = new() { Kind = Data.MixKind.Mixup, MixupAlpha = 5 } } };
        TrainingOutcome outcome = Trainer.Run(config, Options());
        Assert.All(outcome.Epochs, e => Assert.True(double.IsFinite(e.TrainLoss) && e.TrainLoss > 0));
    }

    [Fact]
    public void Teacher_Features_ProjectionLearnsAndIsPartOfTheCheckpoint()
    {
        string teacher = Teacher();
        TrainingConfig config = Config("features", 4) with { Distillation = Knowledge(teacher) with { Weight = 0, LabelWeight = 0, FeatureWeight = 1 } };
        TrainingOutcome outcome = Trainer.Run(config, Options());
        Assert.True(outcome.Epochs[^1].TrainLoss < 0.7 * outcome.Epochs[0].TrainLoss, $"angle {outcome.Epochs[0].TrainLoss} → {outcome.Epochs[^1].TrainLoss}");
        using SafetensorsFile file = SafetensorsFile.Open(outcome.LastCheckpoint);
        Assert.Contains(file.Entries, e => e.Name == "partner/weight");
        Assert.Contains(file.Entries, e => e.Name == "optimizer/velocity.features.weight");
    }

    [Fact]
    public void Mutual_BothLearn_OnlyTheStudentIsExported()
    {
        TrainingConfig config = Config("mutual", 6) with { Distillation = new DistillationConfig { Kind = DistillationKind.Mutual, Teacher = "tsn_r18" } };
        TrainingOutcome outcome = Trainer.Run(config, Options());
        Assert.True(outcome.Test!.Top1 > 0.8, $"test accuracy {outcome.Test.Top1}");
        using var scope = new TensorScope();
        using SafetensorsFile last = SafetensorsFile.Open(outcome.LastCheckpoint), best = SafetensorsFile.Open(outcome.BestCheckpoint!);
        Assert.Contains(last.Entries, e => e.Name == "partner/fc.weight");
        Assert.NotEqual(last.Read("partner/fc.weight").ToArray<float>(), last.Read("fc.weight").ToArray<float>());
        Assert.DoesNotContain(best.Entries, e => e.Name.Contains('/'));
    }

    [Fact]
    public void Teacher_OtherClasses_ConfigExceptionNamesTheFile()
    {
        string teacher = Teacher();
        foreach (string split in new[] { "train", "val", "test" })
        {
            Directory.Move(Path.Combine(_folder["clips"], split, "red"), Path.Combine(_folder["clips"], split, "crimson"));
        }

        ConfigException e = Assert.Throws<ConfigException>(() => Trainer.Run(
            Config("other", 1) with { Data = new Training.DataConfig { Path = _folder["clips"] }, Distillation = Knowledge(teacher) }, Options()));
        Assert.Contains("distillation.teacherWeights", e.Message, StringComparison.Ordinal);
        Assert.Equal(teacher, e.Path);
    }

    private static TrainingAugmentation Still { get; } = new() { Resize = new(ResizeRule.KeepAspectRound, 32), FlipProbability = 0 };

    // Two points of a clip from its first to its last frame: no draw.
    private static SamplingSpec Still0 { get; } = new(SamplingMethod.Linspace, 2);

    private string Teacher() => Trainer.Run(
        Config("teacher", 8) with { Input = new InputConfig { Sampling = Still0 } }, Options()).BestCheckpoint!;

    private static DistillationConfig Knowledge(string teacher) =>
        new() { Kind = DistillationKind.Teacher, Teacher = null, TeacherWeights = teacher };

    private TrainingConfig Config(string name, int epochs) => new()
    {
        Name = name,
        Output = _folder["runs"],
        Threads = 1,
        Data = new DataConfig { Path = Directory.Exists(_folder["clips"]) ? _folder["clips"] : ColourClips.Create(_folder["clips"]) },
        Model = new ModelConfig { Pretrained = false, Frames = 2, Size = 32 },
        Loop = new LoopConfig { Epochs = epochs, BatchSize = 4, Precision = Precision.Fp32 },
        Optimizer = new OptimizerConfig { LearningRate = 0.05 },
    };

    private static TrainerOptions Options() => new() { Probe = false, NetworkFactory = TinyNetwork.Create };

    private sealed class Recorder(List<TrainingProgress> all) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => all.Add(value);
    }
}
