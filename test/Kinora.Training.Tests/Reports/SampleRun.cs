namespace Kinora.Training.Tests;

/// <summary>A made-up run for report tests.</summary>
internal static class SampleRun
{
    // The smallest JPEG there is: one grey pixel.
    private const string Pixel =
        "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA=";

    public static RunReport Create(int classes = 12)
    {
        string[] names = [.. Enumerable.Range(0, classes).Select(i => i == 0 ? "turn <left>" : $"Step_{(i / 2) + 1}_{(i % 2 == 0 ? "Left" : "Right")}")];
        var labels = new LabelMap(names);
        var config = new TrainingConfig
        {
            Name = "handwash",
            Data = new DataConfig { Path = "handwash" },
            Model = new ModelConfig { Frames = 8, Size = 112, Dropout = 0.2 },
            Loop = new LoopConfig { Epochs = 24, BatchSize = 8 },
            Optimizer = new OptimizerConfig { LearningRate = 0.01 },
            Schedule = new ScheduleConfig { WarmupEpochs = 2.4 },
        };
        var spec = new ClipSpec(new SamplingSpec(SamplingMethod.Uniform, 8), new ResizeSpec(ResizeRule.KeepAspectRound, 128), new CropSpec(CropMethod.Center, 112), Normalization.Symmetric128);
        var plan = new TrainingPlan
        {
            Config = config,
            RunFolder = "runs/handwash",
            Labels = labels,
            Classes = [.. names.Select((n, i) => new ClassClips(n, 6 + (i % 3), 1, i == 1 ? 0 : 4))],
            ClipSpec = spec,
            TestSpec = spec,
            Parameters = 3_386_000,
            StepsPerEpoch = 10,
            BFloat16 = true,
            MultiLabel = false,
            Cached = true,
            CacheBytes = 81L << 20,
            StepTime = TimeSpan.FromSeconds(0.6),
            DecodeTime = TimeSpan.FromMilliseconds(30),
            EstimatedTime = TimeSpan.FromMinutes(3),
            Notes = ["Mirrored clips swap their label: Step_2_Left and Step_2_Right.", "Step_5_Left has no partner and is never mirrored."],
        };
        EpochRecord[] epochs =
        [
            .. Enumerable.Range(1, 24).Select(e => new EpochRecord
            {
                Epoch = e,
                TrainLoss = 0.7 + (1.9 * Math.Exp(-e / 6.0)) + (0.05 * Math.Sin(e * 1.7)),
                TrainTop1 = 1 - (0.9 * Math.Exp(-e / 5.0)),
                LearningRate = 0.01 * (Math.Cos(Math.PI * e / 24) + 1) / 2,
                ValidationLoss = e % 2 == 0 ? 0.75 + (1.7 * Math.Exp(-e / 7.0)) : null,
                ValidationTop1 = e % 2 == 0 ? 0.92 - (0.85 * Math.Exp(-e / 6.0)) : null,
                ValidationTop5 = e % 2 == 0 ? 1 : null,
                Failures = 0,
                ClipsPerSecond = 14.2,
                LoaderShare = 0.06,
                TrainSeconds = 5.7,
                EvaluationSeconds = 0.8,
            }),
        ];
        var board = new ScoreBoard(4 * classes, classes);
        var answers = new List<SampleAnswer>();
        for (int i = 0; i < 4 * classes; i++)
        {
            int label = i / 4;
            int predicted = i % 7 == 3 ? (label + 1) % classes : label;
            string? failure = i == 5 ? "open: expected a video, found an empty file" : null;
            var scores = new float[classes];
            scores[predicted] = 4;
            if (failure is null)
            {
                board.Add(i, 0, label, scores);
            }
            else
            {
                board.AddFailure(i, label);
            }

            answers.Add(new SampleAnswer(i, $"test/{names[label]}/HandWash_{i:000}.mp4", label, failure is null ? predicted : -1, failure is null ? 0.83 : 0, 0.11, failure));
        }

        var result = new EvaluationResult
        {
            Clips = 4 * classes,
            Failures = 1,
            Top1 = board.TopK(1),
            Top5 = board.TopK(5),
            MeanClassAccuracy = board.Confusion().MeanClassAccuracy(),
            Loss = 0.8,
            Confusion = board.Confusion(),
            Answers = answers,
            Elapsed = TimeSpan.FromSeconds(3),
        };
        return new RunReport
        {
            Plan = plan,
            Epochs = epochs,
            BestEpoch = 20,
            Validation = result,
            Test = result,
            Environment = [new("system", "Debian GNU/Linux 12, x86-64"), new("processor", "2 cores, AVX-512, AVX512_BF16"), new("threads", "2"), new(".NET", "10.0.1"), new("libtorch", "1.13.1")],
            Data = [new("training", 82, 31_457_280, new string('a', 64)), new("test", 4 * classes, 9_000_000, new string('b', 64))],
            Profile = new StepProfile
            {
                Stages = [.. Enum.GetValues<TrainingStage>().Select(s => new StageTime(s, 10, 0.125))],
                Seconds = 80,
                Steps = 240,
                Clips = 1920,
                PeakProcessBytes = 1 << 30,
                PeakTensorBytes = 300 << 20,
                LiveTensorBytes = 40 << 20,
            },
            Unreadable = [new("test/Step_1/HandWash_005.mp4", "open: expected a video, found an empty file")],
            FinishedAt = new DateTimeOffset(2025, 3, 4, 10, 20, 0, TimeSpan.Zero),
            Elapsed = TimeSpan.FromSeconds(214),
            Thumbnails = _ => [Convert.FromBase64String(Pixel), Convert.FromBase64String(Pixel), Convert.FromBase64String(Pixel)],
        };
    }
}
