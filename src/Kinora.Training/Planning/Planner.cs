using System.Globalization;
using Kinora.Data;
using Kinora.Media;
using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>Clips, network and plan of a run that is ready to start.</summary>
internal sealed record PreparedRun(TrainingPlan Plan, DatasetSplits Splits, SidePairs Sides, VideoNetwork Network) : IDisposable
{
    /// <summary>The second network of a distillation; null where there is none.</summary>
    public SecondNetwork? Second { get; init; }

    /// <summary>What became of the weights that the network starts from; null where there are none.</summary>
    public LoadReport? StartReport { get; init; }

    public void Dispose()
    {
        Second?.Dispose();
        Network.Dispose();
    }
}

/// <summary>Fills in what a configuration leaves open, from the clips, the machine and a measurement.</summary>
internal static class Planner
{
    private const int DefaultBatch = 8;
    private const double DefaultRatePerClip = 0.01 / 8;
    private const double DefaultAdaptiveRatePerClip = 0.0005 / 8;
    private const int FineTuningSize = 112;
    private const int FewestEpochs = 8;

    // Clips seen over a whole run: enough for a small folder, not too many for a large one.
    private const int WantedClipPasses = 2800;
    private const int MostEpochs = 40;

    /// <summary>Prepares a run; must be called on the compute thread.</summary>
    /// <param name="config">What was asked for.</param>
    /// <param name="options">Surroundings.</param>
    /// <param name="resumed">State of the run that is continued, or null for a new one.</param>
    /// <param name="ct">Ends the preparation.</param>
    public static PreparedRun Prepare(TrainingConfig config, TrainerOptions options, RunState? resumed, CancellationToken ct)
    {
        config.Validate();
        config = config with { Name = resumed is null && !options.KeepName ? NewName(config) : config.Name };
        var notes = new List<string>();
        DatasetSplits splits = options.Splits ?? LoadSplits(config, notes);
        VideoDataset train = splits.Train;
        if (train.Samples.Count == 0)
        {
            throw new DatasetException("train: expected at least one training clip, found none", config.Data.Path);
        }

        if (train.Labels.Count < 2)
        {
            throw new DatasetException($"train: expected at least two classes, found {train.Labels.Count}; put the clips of each class into a folder of its own", config.Data.Path);
        }

        int[] perClass = train.CountPerClass();
        int[] empty = [.. Enumerable.Range(0, perClass.Length).Where(c => perClass[c] == 0)];
        if (empty.Length > 0)
        {
            notes.Add($"{empty.Length} of {perClass.Length} classes have no training clip and can't be learned: {string.Join(", ", empty.Take(5).Select(c => train.Labels[c]))}{(empty.Length > 5 ? ", …" : "")}");
        }

        if (splits.Validation.Samples.Count == 0)
        {
            notes.Add("there are no validation clips: the last epoch counts as the best");
        }

        if (Overlap(splits) is string overlap)
        {
            notes.Add(overlap);
        }

        bool multiLabel = IsMultiLabel(config, splits);
        SidePairs sides = Sides(config, train.Labels);
        notes.AddRange(sides.Describe(train.Labels));
        if (multiLabel)
        {
            config = config with { Loss = config.Loss with { Kind = LossKind.Binary } };
            notes.Add("clips have several labels: each class is a yes or no of its own (binary cross-entropy, mean average precision)");
            if (!sides.KeepsAll)
            {
                throw new ConfigException("train: augmentation.flipLabels: expected keep with several labels a clip, because swapping sides isn't there for them; set it, or augmentation.flipProbability=0");
            }
        }

        bool chooses = config.Loop.Precision == Precision.Auto;
        config = FillIn(config, train.Samples.Count, options.Processes);
        Torch.Threads = config.Threads!.Value;
        (VideoNetwork network, LoadReport? report) = CreateNetwork(config, train.Labels.Count, options, notes);
        SecondNetwork? second = null;
        try
        {
            config = config with { Model = config.Model with { Frames = network.Frames, Size = network.Size, Dropout = network.Options.Dropout } };
            if (config.Loop.Precision == Precision.Fp16 && Device.Current.Type != DeviceType.Cuda)
            {
                notes.Add("loop.precision: fp16 needs a GPU; this run computes in float32 with a scaled loss");
            }

            ClipSpec spec = Specification(config.Input, network.EvaluationSpec, "input");
            second = PartnerNetwork.Create(config, network, spec, train.Labels, options, notes);
            RequireFit(spec, network);
            int steps = Math.Min(StepsPerEpoch(train.Samples.Count, config.Loop.BatchSize!.Value * options.Processes), config.Loop.MaxStepsPerEpoch ?? int.MaxValue);
            string? tooLarge = resumed is null && !config.Model.CheckpointGradients ? MemoryEstimate.Warn(config, NetworkCost.Measure(() => Blank(config, train.Labels.Count, options)), MemoryEstimate.Free()) : null;
            if (tooLarge is not null)
            {
                notes.Add(tooLarge);
            }

            RunProbe? probe = options.Probe && resumed is null && tooLarge is null ? Measure(config, splits, chooses, options, ct) : null;
            config = ChoosePrecision(config, probe, notes);
            config = ChooseEpochs(config, train.Samples.Count, splits, steps, probe, notes);
            notes.AddRange(RecipeAdvisor.Advise(config, AdvisedRun.Of(splits, steps, options.Processes, multiLabel, probe?.FrameCounts ?? [])));
            long cacheBytes = resumed?.CacheBytes ?? (probe?.CacheBytesPerClip ?? 0) * train.Samples.Count;
            return new PreparedRun(
                new TrainingPlan
                {
                    Config = config,
                    RunFolder = Path.Combine(config.Output, config.Name!),
                    Labels = train.Labels,
                    Classes = CountClips(splits),
                    TrainClips = train.Samples.Count,
                    ValidationClips = splits.Validation.Samples.Count,
                    TestClips = splits.Test?.Samples.Count ?? 0,
                    ClipSpec = spec,
                    TestSpec = Specification(config.Test, spec, "test"),
                    Parameters = network.CountParameters(),
                    StepsPerEpoch = steps,
                    Processes = options.Processes,
                    BFloat16 = config.Loop.Precision == Precision.Bf16,
                    MultiLabel = multiLabel,
                    Cached = UseCache(config, cacheBytes),
                    CacheBytes = cacheBytes,
                    StepTime = probe?.Step,
                    DecodeTime = probe?.Sparse,
                    EstimatedTime = probe is null ? null : Estimate(config, splits, steps, config.Loop.Epochs!.Value, probe),
                    Notes = notes,
                },
                splits,
                sides,
                network)
            {
                Second = second,
                StartReport = report,
            };
        }
        catch
        {
            second?.Dispose();
            network.Dispose();
            throw;
        }
    }

    /// <summary>Optimiser steps of an epoch: a short last batch counts unless it is less than half full and there are enough others.</summary>
    public static int StepsPerEpoch(int clips, int batch) => DropLast(clips, batch) ? clips / batch : (clips + batch - 1) / batch;

    /// <summary>Whether a short last batch is left out; another clip is left out each epoch.</summary>
    public static bool DropLast(int clips, int batch) => clips / batch >= 4 && clips % batch * 2 < batch;

    /// <summary>Options of the loader of training batches.</summary>
    public static ClipLoaderOptions TrainingLoader(TrainingConfig config, TrainingPlan plan, SidePairs sides, ClipCache? cache) =>
        TrainingLoader(config, plan.ClipSpec, plan.TrainClips, plan.Processes, sides, cache);

    /// <summary>The same before there is a plan.</summary>
    /// <param name="config">The configuration, with what the plan fills in.</param>
    /// <param name="splits">The clips.</param>
    /// <param name="network">The network, or its shapes.</param>
    public static ClipLoaderOptions TrainingLoader(TrainingConfig config, DatasetSplits splits, VideoNetwork network)
    {
        ClipSpec spec = Specification(config.Input, network.EvaluationSpec, "input");
        RequireFit(spec, network);
        return TrainingLoader(config, spec, splits.Train.Samples.Count, processes: 1, Sides(config, splits.Train.Labels), cache: null);
    }

    private static ClipLoaderOptions TrainingLoader(TrainingConfig config, ClipSpec spec, int clips, int processes, SidePairs sides, ClipCache? cache) => new()
    {
        Spec = spec with { Sampling = config.Augmentation.Sampling ?? spec.Sampling },
        Augmentation = Augmentation(config, spec),
        BatchSize = config.Loop.BatchSize!.Value,
        Seed = config.Seed,
        Workers = config.Data.Workers ?? 0,
        DropLast = DropLast(clips, config.Loop.BatchSize!.Value * processes),
        FailureBudget = config.Data.FailureBudget,
        MirroredLabels = sides.KeepsAll ? null : sides.MirroredLabels,
        Mix = config.Augmentation.Mix,
        RepeatedViews = config.Augmentation.Repeats,
        Cache = cache,
    };

    /// <summary>Options of a loader of evaluation batches.</summary>
    public static ClipLoaderOptions EvaluationLoader(TrainingConfig config, ClipSpec spec, ClipCache? cache) => new()
    {
        Spec = spec,
        BatchSize = config.Loop.EvaluationBatchSize ?? config.Loop.BatchSize!.Value,
        Seed = config.Seed,
        Workers = config.Data.Workers ?? 0,
        Cache = cache,
    };

    /// <summary>Options of the loader of the final test, whose frames nobody asks for again.</summary>
    public static ClipLoaderOptions TestLoader(TrainingConfig config, TrainingPlan plan)
    {
        ClipLoaderOptions options = EvaluationLoader(config, plan.TestSpec, cache: null);
        return options with { BatchSize = config.Loop.TestBatchSize ?? options.BatchSize };
    }

    /// <summary>A number that changes when clips or labels change.</summary>
    public static ulong Fingerprint(DatasetSplits splits)
    {
        ulong hash = 0;
        foreach (VideoDataset part in new[] { splits.Train, splits.Validation, splits.Test }.OfType<VideoDataset>())
        {
            foreach (VideoSample sample in part.Samples)
            {
                string name = string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(Path.GetDirectoryName(sample.Path))}/{Path.GetFileName(sample.Path)} {sample.Label}");
                hash = (hash * 0x100000001B3) ^ CounterRandom.Fnv1a64(name);
            }

            hash = (hash * 0x100000001B3) ^ (ulong)part.Samples.Count;
        }

        return hash;
    }

    private static TrainingAugmentation Augmentation(TrainingConfig config, ClipSpec spec) => config.Augmentation.Chain ?? new()
    {
        // Shrinking first makes random crops of large frames cheap, and lets the cache hold frames in that size.
        Resize = spec.Resize,
        MultiScaleCrop = new MultiScaleCropSpec { Size = spec.Size, Scales = config.Augmentation.Scales },
        FlipProbability = config.Augmentation.FlipProbability,
    };

    private static SidePairs Sides(TrainingConfig config, LabelMap labels) => SidePairs.Find(
        labels, (config.Augmentation.Chain?.FlipProbability ?? config.Augmentation.FlipProbability) > 0 ? config.Augmentation.FlipLabels : FlipLabels.Keep);

    /// <summary>The clips of a run.</summary>
    /// <param name="config">Folder or lists.</param>
    /// <param name="notes">Hears what was decided about them.</param>
    public static DatasetSplits LoadSplits(TrainingConfig config, List<string> notes)
    {
        DatasetSplits splits;
        if (config.Data.TrainList is string trainList)
        {
            splits = DatasetList.LoadSplits(trainList, config.Data.ValidationList ?? trainList, config.Data.TestList, new DatasetListOptions
            {
                Prefix = config.Data.ListRoot,
                Format = config.Data.ListContent switch
                {
                    ListContent.Frames => DatasetListFormat.Frames,
                    ListContent.Videos => DatasetListFormat.Videos,
                    _ => DatasetListFormat.Detect,
                },
                Suffix = config.Data.ListSuffix,
                LabelFile = config.Data.LabelFile,
            });
            if (config.Data.ValidationList is null)
            {
                splits = splits with { Validation = splits.Validation with { Samples = [] } };
            }
        }
        else
        {
            splits = DatasetFolder.Load(config.Data.Path);
        }

        if (config.Data.Classes is int classes)
        {
            splits = WithClasses(splits, classes);
        }

        if (splits.ValidationHeldOut)
        {
            notes.Add($"{splits.Validation.Samples.Count} of the training clips were set aside for validation");
        }

        if (splits.TestHeldOut)
        {
            notes.Add($"{splits.Test!.Samples.Count} of the training clips were set aside for the test");
        }

        if (splits.Ignored.Count > 0)
        {
            notes.Add($"{splits.Ignored.Count} files or folders are no clips of a class and are ignored, such as {splits.Ignored[0]}");
        }

        return splits;
    }

    // What was learned by heart is no measure of anything.
    private static string? Overlap(DatasetSplits splits)
    {
        var taught = splits.Train.Samples.Select(Clip).ToHashSet();
        string[] shared =
        [
            .. new[] { ("validation", splits.Validation), ("test", splits.Test) }.Where(s => s.Item2 is not null)
                .Select(s => (Name: s.Item1, Count: s.Item2!.Samples.Count(c => taught.Contains(Clip(c))), All: s.Item2.Samples.Count))
                .Where(s => s.Count > 0).Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Count} of {s.All} {s.Name} clips")),
        ];
        return shared.Length == 0 ? null : $"{string.Join(" and ", shared)} are training clips as well: their accuracy says nothing about clips that the network hasn't seen";

        static (string, double?, double?) Clip(VideoSample sample) => (Path.GetFullPath(sample.Path), sample.StartSeconds, sample.EndSeconds);
    }

    private static bool IsMultiLabel(TrainingConfig config, DatasetSplits splits)
    {
        bool several = new[] { splits.Train, splits.Validation, splits.Test }.OfType<VideoDataset>().Any(d => d.Samples.Any(s => s.Labels.Count != 1));
        return config.Loss.Kind is null or LossKind.Binary
            ? several || config.Loss.Kind == LossKind.Binary
            : several
                ? throw new ConfigException($"train: loss.kind: expected binary, because clips have several labels, found {config.Loss.Kind}")
                : false;
    }

    private static DatasetSplits WithClasses(DatasetSplits splits, int classes)
    {
        LabelMap found = splits.Train.Labels;
        if (classes < found.Count)
        {
            throw new ConfigException($"train: data.classes: expected at least the {found.Count} classes of the clips, found {classes}");
        }

        var labels = new LabelMap([.. found.Names, .. Enumerable.Range(found.Count, classes - found.Count).Select(i => i.ToString(CultureInfo.InvariantCulture))]);
        return splits with
        {
            Train = splits.Train with { Labels = labels },
            Validation = splits.Validation with { Labels = labels },
            Test = splits.Test is null ? null : splits.Test with { Labels = labels },
        };
    }

    private static ClipSpec Specification(InputConfig input, ClipSpec own, string key)
    {
        ClipSpec spec = input.ApplyTo(own);
        try
        {
            spec.Validate();
        }
        catch (ConfigException e)
        {
            throw new ConfigException($"train: {key}: {e.Message}", e.Path, e);
        }

        return spec;
    }

    private static void RequireFit(ClipSpec spec, VideoNetwork network)
    {
        if (spec.Frames != network.Frames)
        {
            throw new ConfigException($"train: input.sampling: expected {network.Frames} frames a clip as {network.Name} is built for, found {spec.Frames}; change it or model.frames");
        }

        if (spec.Size != network.Size)
        {
            throw new ConfigException($"train: input.crop.size: expected {network.Size} pixels as {network.Name} is built for, found {spec.Size}; change it or model.size");
        }
    }

    /// <summary>Fills in what doesn't need the network: threads, frames, size, batch size, precision, rates.</summary>
    /// <param name="config">What was asked for.</param>
    /// <param name="clips">Training clips.</param>
    /// <param name="processes">Processes that share the run.</param>
    public static TrainingConfig FillIn(TrainingConfig config, int clips, int processes)
    {
        ModelEntry entry = ModelCatalog.Find(config.Model.Name);
        bool small = config.Model.Pretrained && entry.HasPretrainedWeights;
        int batch = config.Loop.BatchSize ?? Math.Clamp(clips / processes, 1, DefaultBatch);
        config = BatchScaling.Apply(config with { Loop = config.Loop with { BatchSize = batch } }, processes);
        return config with
        {
            Threads = config.Threads ?? Torch.Threads,
            Model = config.Model with
            {
                Frames = config.Model.Frames ?? config.Input.Sampling?.FramesPerClip ?? entry.Frames,
                Size = config.Model.Size ?? config.Input.Crop?.Size ?? (small ? FineTuningSize : entry.Size),
                Pretrained = config.Model.Pretrained && entry.HasPretrainedWeights && config.Model.Weights is null,
            },
            Loop = config.Loop with
            {
                Precision = config.Loop.Precision == Precision.Auto
                    ? (Autocast.IsSupported || Device.Current.Type == DeviceType.Cuda ? Precision.Bf16 : Precision.Fp32)
                    : config.Loop.Precision,
            },
            Optimizer = config.Optimizer with { LearningRate = config.Optimizer.LearningRate ?? DefaultRate(config.Optimizer.Kind) * batch * processes * config.Loop.Accumulate },
        };
    }

    private static double DefaultRate(OptimizerKind kind) => kind is OptimizerKind.Adam or OptimizerKind.AdamW ? DefaultAdaptiveRatePerClip : DefaultRatePerClip;

    // A finished run is never overwritten.
    private static string NewName(TrainingConfig config)
    {
        if (config.Name is string wanted)
        {
            return !IsTaken(wanted)
                ? wanted
                : throw new ConfigException($"train: name: expected a new run, found one in {Path.Combine(config.Output, wanted)}; choose another name, resume it, or remove the folder");
        }

        string data = Path.TrimEndingDirectorySeparator(Path.GetFullPath(config.Data.TrainList ?? config.Data.Path));
        string name = Path.GetFileNameWithoutExtension(data);
        name = name.Length == 0 ? "run" : name;
        return Enumerable.Range(1, int.MaxValue).Select(i => i == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}-{i}")).First(n => !IsTaken(n));

        bool IsTaken(string name) => new[] { RunFolder.LastFile, RunFolder.BestFile }.Any(f => File.Exists(Path.Combine(config.Output, name, f)));
    }

    /// <summary>How the network is built.</summary>
    /// <param name="config">The configuration, with frames and size filled in.</param>
    /// <param name="classes">Classes of the clips.</param>
    public static ModelOptions NetworkOptions(TrainingConfig config, int classes) =>
        new(classes, config.Model.Frames, config.Model.Size, config.Seed, config.Model.Dropout, config.Model.TemporalShift, config.Model.Pretrained, config.Model.Shift);

    private static VideoNetwork Blank(TrainingConfig config, int classes, TrainerOptions options)
    {
        ModelOptions wanted = NetworkOptions(config, classes) with { Pretrained = false };
        return options.NetworkFactory?.Invoke(config.Model.Name, wanted) ?? ModelCatalog.CreateBlank(config.Model.Name, wanted);
    }

    private static (VideoNetwork Network, LoadReport? Report) CreateNetwork(TrainingConfig config, int classes, TrainerOptions options, List<string> notes)
    {
        ModelOptions modelOptions = NetworkOptions(config, classes);
        VideoNetwork network = options.NetworkFactory?.Invoke(config.Model.Name, modelOptions) ?? ModelCatalog.Create(config.Model.Name, modelOptions);
        LoadReport? report = null;
        if (config.Model.Weights is string weights)
        {
            report = (options.StartWeights ?? Checkpoint.LoadMatching)(network, weights);
            notes.Add($"starts from {weights}: {report.Matched.Count} matched{Listed("new", [.. report.Missing, .. report.Misshapen])}{Listed("unused", report.Unused)}");
        }
        else if (!config.Model.Pretrained)
        {
            notes.Add("starts from random weights: expect to need thousands of clips and many epochs");
        }

        if (config.Loop.Precision == Precision.Fp64)
        {
            network.To(DType.Float64);
        }

        network.CheckpointGradients = config.Model.CheckpointGradients;
        network.ToMemoryFormat(MemoryFormat.ChannelsLast);
        return (network, report);

        static string Listed(string what, IReadOnlyList<ReportedTensor> tensors) =>
            tensors.Count == 0 ? "" : $"; {tensors.Count} {what}: {string.Join(", ", tensors.Take(8).Select(t => t.Name))}{(tensors.Count > 8 ? ", …" : "")}";
    }

    private static TrainingConfig ChooseEpochs(TrainingConfig config, int clips, DatasetSplits splits, int steps, RunProbe? probe, List<string> notes)
    {
        int epochs = config.Loop.Epochs ?? Math.Clamp((WantedClipPasses + clips - 1) / clips, FewestEpochs, MostEpochs);
        if (config.Loop.Epochs is null && probe is not null)
        {
            TimeSpan budget = TimeSpan.FromMinutes(config.Loop.TimeBudgetMinutes);
            int wanted = epochs;
            while (epochs > FewestEpochs && Estimate(config, splits, steps, epochs, probe) > budget)
            {
                epochs--;
            }

            if (epochs < wanted)
            {
                notes.Add(string.Create(CultureInfo.InvariantCulture, $"{epochs} epochs instead of {wanted}, to stay near {budget.TotalMinutes:0.#} minutes (loop.timeBudgetMinutes)"));
            }
        }

        return config with
        {
            Loop = config.Loop with { Epochs = epochs },
            Schedule = config.Schedule with { WarmupEpochs = config.Schedule.Warmup(epochs) },
        };
    }

    // A throw-away copy, so that the run itself starts untouched.
    private static RunProbe Measure(TrainingConfig config, DatasetSplits splits, bool choosesPrecision, TrainerOptions options, CancellationToken ct)
    {
        using VideoNetwork network = CreateNetwork(config, splits.Train.Labels.Count, options, []).Network;
        ClipSpec spec = Specification(config.Input, network.EvaluationSpec, "input");
        Precision[] precisions = choosesPrecision && config.Loop.Precision == Precision.Bf16 && Device.Current.Type == DeviceType.Cpu
            ? [Precision.Fp32, Precision.Bf16]
            : [config.Loop.Precision];
        return RunProbe.Measure(config, network, spec, splits.Train, precisions, options.Clock, ct);
    }

    private static TrainingConfig ChoosePrecision(TrainingConfig config, RunProbe? probe, List<string> notes)
    {
        if (probe?.OtherStep is not TimeSpan other)
        {
            return config;
        }

        bool short16 = probe.Precision == Precision.Bf16;
        notes.Add(string.Create(
            CultureInfo.InvariantCulture,
            $"computes in {(short16 ? "bfloat16" : "float32")}: a step takes {probe.Step.TotalMilliseconds:0} ms, in {(short16 ? "float32" : "bfloat16")} {other.TotalMilliseconds:0} ms (loop.precision)"));
        return config with { Loop = config.Loop with { Precision = probe.Precision } };
    }

    private static TimeSpan Estimate(TrainingConfig config, DatasetSplits splits, int steps, int epochs, RunProbe probe)
    {
        int batch = config.Loop.BatchSize!.Value;
        int workers = config.Data.Workers ?? Environment.ProcessorCount;
        bool cached = UseCache(config, probe.CacheBytesPerClip * splits.Train.Samples.Count);
        double step = probe.Step.TotalSeconds;
        int train = splits.Train.Samples.Count, validation = splits.Validation.Samples.Count, test = splits.Test?.Samples.Count ?? 0;
        double evaluations = Evaluations(config.Loop, epochs) + 1;

        // A forward pass is about a third of a step. Decoding hides behind computing only where cores are free; on two
        // cores both want them, so the sum is the honest estimate.
        double computing = (steps * epochs * step) + (((evaluations * validation) + test) * step / batch / 3);
        double decoding = cached
            ? (probe.Whole.TotalSeconds * train) + (probe.Sparse.TotalSeconds * (validation + test))
            : probe.Sparse.TotalSeconds * ((train * (double)epochs) + (validation * evaluations) + test);
        return TimeSpan.FromSeconds(computing + (decoding / workers));
    }

    /// <summary>Evaluations in so many epochs before the end of a run.</summary>
    public static double Evaluations(LoopConfig loop, int epochs) => loop.EvaluateEvery == 0 ? 1 : Math.Ceiling((double)epochs / loop.EvaluateEvery);

    private static bool UseCache(TrainingConfig config, long bytes) => config.Data.Cache switch
    {
        CacheMode.Off => false,
        CacheMode.Memory => true,
        _ => bytes <= CacheBudget(config),
    };

    /// <summary>Memory that decoded frames may take, in bytes.</summary>
    public static long CacheBudget(TrainingConfig config) => Math.Min((long)config.Data.CacheMegabytes << 20, ClipCache.DefaultBudgetBytes);

    private static ClassClips[] CountClips(DatasetSplits splits)
    {
        int[] train = splits.Train.CountPerClass();
        int[] validation = splits.Validation.CountPerClass();
        int[] test = splits.Test?.CountPerClass() ?? new int[train.Length];
        return [.. splits.Train.Labels.Names.Select((name, i) => new ClassClips(name, train[i], validation[i], test[i]))];
    }
}
