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

    [Theory]
    [InlineData("MODEL.head.in_channels=512", "MODEL.head.in_channels: expected 2048, found 512")]
    [InlineData("MODEL.backbone.num_seg=4", "MODEL.backbone.num_seg: expected 8, the frames of a clip of PIPELINE.train, found 4")]
    [InlineData("PIPELINE.test.sample.num_seg=16", "MODEL.backbone.num_seg: expected 16, the frames of a clip of PIPELINE.test, found 8")]
    [InlineData("MODEL.framework=Recognizer3D", "MODEL.framework: expected Recognizer2D, which drives ResNetTSM, found 'Recognizer3D'")]
    [InlineData("MODEL.backbone.data_format=CHWN", "MODEL.backbone.data_format: expected NCHW or NHWC")]
    [InlineData("MODEL.backbone.depth=fifty", "PaddleVideo recipe: -o MODEL.backbone.depth=fifty: MODEL.backbone.depth: expected a whole number")]
    [InlineData("MODEL.backbone.deph=50", "PaddleVideo recipe: -o MODEL.backbone.deph=50: MODEL.backbone.deph: expected no such argument of ResNetTSM")]
    [InlineData("MODEL.backbone.name=ResNetTSN", "did you mean 'ResNetTSM'?")]
    [InlineData("MODEL.head.name=TSNHead", "MODEL.head.name: expected TSMHead, the head of ResNetTSM")]
    [InlineData("MODEL.backbone.depth=51", "MODEL.backbone: ")]
    [InlineData("epochs=abc", "PaddleVideo recipe: -o epochs=abc: epochs: expected a whole number, found 'abc'")]
    [InlineData("epochs=-1", "PaddleVideo recipe: -o epochs=-1: epochs (loop.epochs in Kinora): expected 1 to 100000, found -1")]
    [InlineData("OPTIMIZER.learning_rate.name=MultistepDecay", "OPTIMIZER.learning_rate.name: expected one of CustomWarmupCosineDecay, ")]
    [InlineData("OPTIMIZER.learning_rate.name=MultistepDecay", "(did you mean 'MultiStepDecay'?), found 'MultistepDecay'")]
    public void Read_ValueThatNoNetworkHas_RefusedWithItsPlace(string one, string message)
    {
        ConfigException e = Assert.Throws<ConfigException>(() => Training("tsm/tsm_k400_frames", new() { Overrides = [one] }));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.Contains("tsm_k400_frames.yaml", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("line 0", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Read_ArgumentInTheFile_MistakeNamesItsLine()
    {
        string yaml = File.ReadAllText(Path.Combine(Folder, "tsm/tsm_k400_frames.yaml")).Replace("depth: 50", "depth: fifty", StringComparison.Ordinal);
        ConfigException e = Assert.Throws<ConfigException>(() => PaddleTraining.Parse(yaml, null, "some.yaml"));
        Assert.Equal("PaddleVideo recipe: line 9: MODEL.backbone.depth: expected a whole number, found 'fifty' [some.yaml]", e.Message);
    }

    [Fact]
    public void Read_ChannelsLast_ListedInNetworkAndChains()
    {
        IReadOnlyList<IgnoredKey> ignored = Training("tsm/tsm_k400_frames_nhwc").Ignored;
        Assert.Equal(
            ["MODEL.backbone.data_format", "MODEL.head.data_format", "PIPELINE.test.transform[2].Image2Array.transpose", "PIPELINE.train.transform[2].Image2Array.transpose", "PIPELINE.valid.transform[2].Image2Array.transpose"],
            ignored.Where(i => i.Reason.Contains("results are the same", StringComparison.Ordinal)).Select(i => i.Key).Order(StringComparer.Ordinal));
        Assert.All(ignored, i => Assert.True(i.Line > 0));
    }

    [Fact]
    public void Read_WithoutEffect_ListedWithTheirPlace()
    {
        IReadOnlyList<IgnoredKey> ignored = Training("tsm/tsm_k400_frames", new() { Overrides = ["MODEL.head.std=0.5", "INFERENCE.target_size=112"] }).Ignored;
        Assert.Contains(ignored, i => i is { Key: "MODEL.head.std", Line: 0, Option: "MODEL.head.std=0.5" } && i.Reason.Contains("0.001", StringComparison.Ordinal));
        Assert.Contains(ignored, i => i is { Key: "INFERENCE", Line: > 0 });
        Assert.Contains(ignored, i => i.Key == "model_name" && i.Reason.Contains("tsm_k400_frames", StringComparison.Ordinal));
        Assert.DoesNotContain(Training("tsm/tsm_k400_frames").Ignored, i => i.Key is "MODEL.head.std" or "MODEL.head.in_channels" or "MODEL.framework");
    }

    [Fact]
    public void Read_ModelNameAsOption_NamesTheRun()
    {
        Assert.Equal("tsm_k400_frames", Training("tsm/tsm_k400_frames").Config.Name);
        PaddleTraining named = Training("tsm/tsm_k400_frames", new() { Overrides = ["model_name=mine"] });
        Assert.Equal("mine", named.Config.Name);
        Assert.DoesNotContain(named.Ignored, i => i.Key == "model_name");
    }

    [Theory]
    [InlineData("MODEL.backbone.drop_path_rate=0.3", "drop_path_rate: expected 0.1, which the network of the catalogue has, found 0.3")]
    [InlineData("OPTIMIZER.no_weight_decay_name=norm", null)]
    [InlineData("MODEL.runtime_cfg.test.avg_type=score", null)]
    public void Read_WhatOnlyPaddleVideosNetworkHas_RefusedOrListed(string one, string? message)
    {
        var options = new PaddleTrainingOptions { Overrides = [one] };
        if (message is not null)
        {
            Assert.Contains(message, Assert.Throws<ConfigException>(() => Training("videoswin/videoswin_small_k400_videos", options)).Message, StringComparison.Ordinal);
            return;
        }

        Assert.Contains(Training("videoswin/videoswin_small_k400_videos", options).Ignored, i => i.Option == one);
    }

    [Fact]
    public void Read_Quantisation_ListAndChainBecomeAConfiguration()
    {
        PaddleTraining training = Training("pptsm/pptsm_k400_frames_uniform_quantization");
        TrainingConfig config = training.Config, trained = Training("pptsm/pptsm_k400_frames_uniform").Config;
        Assert.Contains("static quantisation", training.OtherPurpose, StringComparison.Ordinal);
        Assert.Null(Training("pptsm/pptsm_k400_frames_uniform").OtherPurpose);
        Assert.Equal(("pptsm_r50", 8, 224, 1, null), (config.Model.Name, config.Model.Frames, config.Model.Size, config.Loop.BatchSize, config.Loop.Epochs));
        Assert.Equal(("data/k400/val_small_frames.list", "data/k400/rawframes", ListContent.Frames), (config.Data.TrainList, config.Data.ListRoot, config.Data.ListContent));
        Assert.Equal(trained.Input, config.Input);
        Assert.Equal(ConfigYaml.Write(config), ConfigYaml.Write(ConfigYaml.Parse(ConfigYaml.WriteDifferences(config))));
        Assert.Superset(
            new HashSet<string> { "DATASET.batch_nums", "inference_model_dir", "quant_output_dir", "model_name", "log_level" }, training.Ignored.Select(i => i.Key).ToHashSet());
    }

    [Fact]
    public void Read_BatchAsOption_ReferenceStaysTheFiles()
    {
        PaddleTraining training = Training("tsm/tsm_k400_frames", new() { Overrides = ["DATASET.batch_size=4"] });
        Assert.Equal((4, 128), (training.Config.Loop.BatchSize, training.Config.Optimizer.ReferenceBatch));
        training = Training("videoswin/videoswin_small_k400_videos", new() { Overrides = ["DATASET.batch_size=2", "GRADIENT_ACCUMULATION.global_batch_size=8"] });
        Assert.Equal((4, 64), (training.Config.Loop.Accumulate, training.Config.Optimizer.ReferenceBatch));
    }

    // What an option changes is said to come from it, and what the file says from the file's line.
    [Theory]
    [InlineData("tsm/tsm_k400_frames", "epochs=7", "loop.epochs")]
    [InlineData("tsm/tsm_k400_frames", "DATASET.batch_size=4", "loop.batchSize", "loop.evaluationBatchSize")]
    [InlineData("tsm/tsm_k400_frames", "DATASET.train.file_path=a.list", "data.trainList")]
    [InlineData("tsm/tsm_k400_frames", "DATASET.num_workers=2", "data.workers")]
    [InlineData("tsm/tsm_k400_frames", "OPTIMIZER.momentum=0.8", "optimizer.momentum")]
    [InlineData("tsm/tsm_k400_frames", "OPTIMIZER.weight_decay.value=0.2", "optimizer.weightDecay")]
    [InlineData("tsm/tsm_k400_frames", "OPTIMIZER.grad_clip.value=2", "loop.clipNorm")]
    [InlineData("tsm/tsm_k400_frames", "OPTIMIZER.learning_rate.values=[0.1, 0.2, 0.3]", "optimizer.learningRate", "schedule.rates")]
    [InlineData("tsm/tsm_k400_frames", "OPTIMIZER.learning_rate.boundaries=[1, 2]", "schedule.milestones")]
    [InlineData("tsm/tsm_k400_frames", "MODEL.backbone.depth=101", "model.name")]
    [InlineData("tsm/tsm_k400_frames", "MODEL.backbone.pretrained=a.pdparams", "model.weights")]
    [InlineData("tsm/tsm_k400_frames", "MODEL.head.num_classes=7", "data.classes")]
    [InlineData("tsm/tsm_k400_frames", "MODEL.head.drop_ratio=0.25", "model.dropout")]
    [InlineData("pptsm/pptsm_k400_frames_dense", "PIPELINE.valid.transform.0.Scale.short_size=288", "input.resize.shortSide")]
    [InlineData("tsm/tsm_k400_frames", "PIPELINE.train.transform.0.MultiScaleCrop.more_fix_crop=False", "augmentation.chain.multiScaleCrop.innerPlaces")]
    [InlineData("tsm/tsm_k400_frames", "save_interval=3", "checkpoints.everyEpochs")]
    [InlineData("tsm/tsm_k400_frames", "log_interval=3", "checkpoints.logEverySteps")]
    [InlineData("pptsm/pptsm_k400_frames_uniform", "MIX.alpha=0.4", "augmentation.mix.mixupAlpha")]
    [InlineData("pptsm/pptsm_k400_frames_uniform", "MODEL.head.ls_eps=0.2", "loss.labelSmoothing")]
    [InlineData("pptsm/pptsm_k400_frames_uniform", "PRECISEBN.preciseBN_interval=7", "loop.preciseBatchNormEvery")]
    [InlineData("pptsm/pptsm_k400_frames_uniform", "OPTIMIZER.learning_rate.max_epoch=7", "schedule.spanEpochs")]
    [InlineData("pptsm/pptsm_k400_frames_uniform", "OPTIMIZER.learning_rate.warmup_epochs=7", "schedule.warmupEpochs")]
    [InlineData("videoswin/videoswin_small_k400_videos", "GRADIENT_ACCUMULATION.global_batch_size=8", "loop.accumulate")]
    public void Origins_OfAnOptionAndOfTheFile_ArePlacesThatChangeTheValue(string recipe, string one, params string[] keys)
    {
        PaddleTraining plain = Training(recipe), changed = Training(recipe, new() { Overrides = [one] });
        Dictionary<string, string> before = ConfigYaml.Flatten(plain.Config).ToDictionary(v => v.Key, v => v.Value, StringComparer.Ordinal);
        Assert.Equal(keys.Order(StringComparer.Ordinal), ConfigYaml.Flatten(changed.Config).Where(v => before[v.Key] != v.Value).Select(v => v.Key).Order(StringComparer.Ordinal));
        string file = Path.GetFileName(recipe) + ".yaml";
        string[] lines = File.ReadAllLines(Path.Combine(Folder, recipe + ".yaml"));
        string name = one.Split('=')[0].Split('.')[^1];
        foreach (string key in keys)
        {
            Assert.Equal($"-o {one.Split('=')[0]}", changed.Origins[key]);
            if (key != "model.name")
            {
                string[] place = plain.Origins[key].Split(':');
                Assert.Equal(file, place[0]);
                Assert.Contains($"{name}:", lines[int.Parse(place[1], System.Globalization.CultureInfo.InvariantCulture) - 1], StringComparison.Ordinal);
            }
        }
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
