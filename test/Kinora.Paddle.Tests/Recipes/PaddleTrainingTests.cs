using System.Text.Json;
using Kinora.Media;
using Kinora.Testing;
using Kinora.Training;

namespace Kinora.Paddle.Tests;

/// <summary>PaddleVideo's recipes as trainings.</summary>
public sealed class PaddleTrainingTests
{
    private static string Folder => Path.Combine(SharedData.Checkout, "test/recipes");

    public static TheoryData<string> Files =>
        [.. Directory.EnumerateFiles(Folder, "*.yaml", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Folder, f))
            .Where(f => !f.Contains("quantization", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Read_EveryRecipe_ValidAndNothingUnknownOrSilent(string file)
    {
        PaddleTraining training = PaddleTraining.Read(Path.Combine(Folder, file));
        TrainingConfig config = training.Config;
        Assert.Equal(ConfigYaml.Write(config), ConfigYaml.Write(ConfigYaml.Parse(ConfigYaml.Write(config))));
        Assert.All(training.Ignored, i => Assert.DoesNotContain("no key of PaddleVideo's", i.Reason, StringComparison.Ordinal));
        Assert.DoesNotContain(training.Ignored, i => i.Reason == "training only");
        Assert.NotNull(config.Augmentation.Chain);
        Assert.Equal(1234UL, config.Seed);
        Assert.Equal(file.Contains("ucf101", StringComparison.Ordinal) && !file.Contains("xpu", StringComparison.Ordinal) ? 101 : 400, config.Data.Classes);

        // Each key of the file was read or is listed.
        string[] sections = ["MODEL", "DATASET", "PIPELINE", "OPTIMIZER", "PRECISEBN", "GRADIENT_ACCUMULATION", "DALI_LOADER", "epochs"];
        Assert.DoesNotContain(training.Ignored, i => sections.Contains(i.Key) && !i.Reason.StartsWith("the loader of DALI", StringComparison.Ordinal));
    }

    [Fact]
    public void Read_TsmK400Frames_EveryValue()
    {
        TrainingConfig config = Training("tsm/tsm_k400_frames").Config;
        Assert.Equal(("tsm_r50", 8, 224, 0.5), (config.Model.Name, config.Model.Frames, config.Model.Size, config.Model.Dropout));
        Assert.Equal(("data/k400/train_frames.list", "data/k400/val_frames.list", ListContent.Frames), (config.Data.TrainList, config.Data.ValidationList, config.Data.ListContent));
        Assert.Equal((50, 16, 16, 8, 20.0), (config.Loop.Epochs, config.Loop.BatchSize, config.Loop.EvaluationBatchSize, config.Loop.TestBatchSize, config.Loop.ClipNorm));
        Assert.Equal((OptimizerKind.Sgd, 0.9, false, 1e-4, 0.02), (config.Optimizer.Kind, config.Optimizer.Momentum, config.Optimizer.Nesterov, config.Optimizer.WeightDecay, config.Optimizer.LearningRate));
        Assert.Equal([20, 40], config.Schedule.Milestones);
        Assert.Equal([0.02, 0.002, 0.0002], config.Schedule.Rates);
        Assert.Equal((0.0, Precision.Fp32, 10), (config.Loss.LabelSmoothing, config.Loop.Precision, config.Checkpoints.EveryEpochs));
        Assert.Equal(TrainingAugmentation.Tsm(), config.Augmentation.Chain);
        Assert.Equal(new SamplingSpec(SamplingMethod.SelectLeft, 8), config.Input.Sampling);
        Assert.Equal(new InputConfig(), config.Test);
    }

    [Theory]
    [InlineData("tsn/tsn_k400_videos")]
    [InlineData("pptsn/pptsn_k400_frames")]
    [InlineData("pptsm/pptsm_k400_frames_uniform")]
    [InlineData("movinet/movinet_k400_frame")]
    [InlineData("videoswin/videoswin_small_k400_videos")]
    [InlineData("slowfast/slowfast")]
    public void Read_TrainChain_IsThePresetThatTheRecordedChainsProve(string name)
    {
        TrainingAugmentation expected = name.Split('/')[0] switch
        {
            "tsn" => TrainingAugmentation.Tsn(),
            "pptsn" => TrainingAugmentation.PpTsn(),
            "pptsm" => TrainingAugmentation.PpTsm(),
            "movinet" => TrainingAugmentation.PpTsm(192),
            "videoswin" => TrainingAugmentation.VideoSwin(),
            _ => TrainingAugmentation.SlowFast(),
        };
        TrainingAugmentation found = Training(name).Config.Augmentation.Chain!;
        Assert.Equal(expected with { Resize = found.Resize }, found);
        Assert.True(expected.Jitter is not null || expected.Resize == found.Resize);
    }

    [Fact]
    public void Read_DenseRecipe_TrainsAndTestsByOtherRulesThanItValidates()
    {
        TrainingConfig config = Training("pptsm/pptsm_k400_frames_dense").Config;
        Assert.Equal(SamplingMethod.Dense, config.Augmentation.Sampling!.Method);
        Assert.Equal(SamplingMethod.Uniform, config.Input.Sampling!.Method);
        Assert.Equal((SamplingMethod.Dense, CropMethod.FullResolution), (config.Test.Sampling!.Method, config.Test.Crop!.Method));
        Assert.Equal((5, 200), (config.Loop.PreciseBatchNormEvery, config.Loop.PreciseBatchNormBatches));
    }

    [Fact]
    public void Read_Distillation_BothNetworksAndTheirWeights()
    {
        TrainingConfig config = Training("pptsm/v2/pptsm_lcnet_k400_16frames_uniform_dml_distillation").Config;
        Assert.Equal(("pptsmv2_lta", "data/PPLCNetV2_base_ssld_pretrained.pdparams"), (config.Model.Name, config.Model.Weights));
        DistillationConfig d = config.Distillation;
        Assert.Equal((DistillationKind.Mutual, "pptsm_r50", "data/ResNet50_vd_ssld_v2_pretrained.pdparams", 1.0, 1.0), (d.Kind, d.Teacher, d.TeacherWeights, d.Weight, d.Temperature));
    }

    [Fact]
    public void Read_VideoSwin_AdamWAccumulationAndExemptions()
    {
        TrainingConfig config = Training("videoswin/videoswin_small_k400_videos").Config;
        Assert.Equal((OptimizerKind.AdamW, 0.02, 64), (config.Optimizer.Kind, config.Optimizer.WeightDecay, config.Loop.Accumulate));
        Assert.Equal(16, Training("videoswin/videoswin_small_k400_videos", new() { Processes = 4 }).Config.Loop.Accumulate);
        Assert.Contains("processes", Assert.Throws<ConfigException>(() => Training("videoswin/videoswin_small_k400_videos", new() { Processes = 3 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Overrides_LikePaddleVideo()
    {
        PaddleTraining training = Training("tsm/tsm_k400_frames", new()
        {
            Overrides =
            [
                "MODEL.backbone.pretrained=''", "DATASET.batch_size=4", "OPTIMIZER.learning_rate.values=[0.1, 0.01, 1e-3]", "PIPELINE.train.transform.0.MultiScaleCrop.target_size=112",
                "PIPELINE.valid.transform.1.CenterCrop.target_size=112", "PIPELINE.test.transform.1.CenterCrop.target_size=112", "resume_epoch=7", "MODEL.head.drop_ratio=0.25", "epoch=3",
            ],
            MixedPrecision = true,
            Seed = 5,
            MaxIterations = 9,
        });
        TrainingConfig config = training.Config;
        Assert.Equal((null, 4, 112, 0.25, 7), (config.Model.Weights, config.Loop.BatchSize, config.Model.Size, config.Model.Dropout, training.ResumeEpoch));
        Assert.Equal([0.1, 0.01, 0.001], config.Schedule.Rates);
        Assert.Equal((Precision.Auto, 5UL, 9), (config.Loop.Precision, config.Seed, config.Loop.MaxStepsPerEpoch));
        Assert.Contains(training.Ignored, i => i.Key == "epoch" && i.Reason.Contains("'epochs'", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("DATASET", "expected key=value")]
    [InlineData("DATASETS.batch_size=3", "did you mean 'DATASET'")]
    [InlineData("PIPELINE.train.transform.9.RandomFlip.p=1", "expected an index below")]
    [InlineData("epochs.x=3", "expected keys above it")]
    [InlineData("OPTIMIZER.name=Lamb", "OPTIMIZER.name: expected one of Adam")]
    [InlineData("OPTIMIZER.nesterov=True", "OPTIMIZER.nesterov: unknown")]
    [InlineData("OPTIMIZER.learning_rate.iter_step=True", "expected False for PiecewiseDecay")]
    [InlineData("DATASET.valid.data_prefix=elsewhere", "one data set has one layout")]
    [InlineData("PIPELINE.train.transform.0.MultiScaleCrop.target_size=112", "PIPELINE.train: expected the colours, statistics and size")]
    public void Read_WrongOverride_OneLineThatNamesIt(string one, string message)
    {
        ConfigException e = Assert.Throws<ConfigException>(() => Training("tsm/tsm_k400_frames", new() { Overrides = [one] }));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    public static TheoryData<string, int> Schedules()
    {
        var data = new TheoryData<string, int>();
        if (SharedData.Root is null)
        {
            data.Add("schedules", 0);
            return data;
        }

        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(SharedData.Require("golden/training/lr.json")));
        foreach (string list in new[] { "schedules", "extra" })
        {
            for (int i = 0; i < document.RootElement.GetProperty(list).GetArrayLength(); i++)
            {
                data.Add(list, i);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Schedules))]
    public void Schedule_OfTheImportedConfig_EqualsPaddleEverywhere(string list, int index)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(SharedData.Require("golden/training/lr.json")));
        JsonElement record = document.RootElement.GetProperty(list)[index];
        string rule = record.GetProperty("learning_rate").GetRawText();
        int epochs = record.GetProperty("epochs").GetInt32();
        string yaml = File.ReadAllText(Path.Combine(Folder, "tsm/tsm_k400_frames.yaml"));
        if (record.GetProperty("runs").EnumerateObject().All(r => r.Value.TryGetProperty("build", out _) || r.Value.TryGetProperty("step", out _)))
        {
            // PaddleVideo crashes with it, at once or after the first epoch.
            Assert.Throws<ConfigException>(() => PaddleTraining.Parse(yaml, new() { Overrides = [$"OPTIMIZER.learning_rate={Python(rule)}"] }));
            return;
        }

        PaddleTraining training = PaddleTraining.Parse(yaml, new() { Overrides = [$"OPTIMIZER.learning_rate={Python(rule)}", $"epochs={epochs}"] });
        ScheduleConfig schedule = ConfigYaml.Parse(ConfigYaml.Write(training.Config)).Schedule;
        foreach (JsonProperty run in record.GetProperty("runs").EnumerateObject().Where(r => r.Value.TryGetProperty("initial", out _)))
        {
            int n = int.Parse(run.Name, System.Globalization.CultureInfo.InvariantCulture);
            LearningRateSchedule rates = schedule.Create(training.Config.Optimizer.LearningRate!.Value, epochs, n);
            var found = new List<double>();
            for (int i = 0; i < epochs * n; i++)
            {
                found.Add(rates.Rate);
                if (rates.Interval == ScheduleInterval.Step || (i + 1) % n == 0)
                {
                    rates.MoveNext();
                }
            }

            if (run.Value.TryGetProperty("per_epoch", out JsonElement perEpoch))
            {
                Assert.Equal([.. perEpoch.EnumerateArray().Select(e => e.GetDouble())], found.Where((_, i) => i % n == 0), (a, b) => Math.Abs(a - b) <= 1e-14 * Math.Max(1, Math.Abs(a)));
            }

            if (run.Value.TryGetProperty("per_iteration", out JsonElement steps))
            {
                bool all = steps.TryGetProperty("all", out JsonElement values);
                JsonElement first = all ? values : steps.GetProperty("first50");
                foreach ((int i, double expected) in first.EnumerateArray().Select((e, i) => (i, e.GetDouble())))
                {
                    Assert.Equal(expected, found[i], 1e-14);
                }

                if (!all)
                {
                    Assert.Equal(steps.GetProperty("last").GetDouble(), found[^1], 1e-14);
                    Assert.Equal(steps.GetProperty("sum").GetDouble(), found.Sum(), 1e-9 * Math.Max(1, found.Sum()));
                    Assert.All(steps.GetProperty("every37").EnumerateArray().Select((e, i) => (e.GetDouble(), found[37 * i])), p => Assert.Equal(p.Item1, p.Item2, 1e-14));
                }
            }
        }
    }

    private static string Python(string json) => json.ReplaceLineEndings(" ").Replace("true", "True", StringComparison.Ordinal).Replace("false", "False", StringComparison.Ordinal);

    private static PaddleTraining Training(string name, PaddleTrainingOptions? options = null) => PaddleTraining.Read(Path.Combine(Folder, name + ".yaml"), options);
}
