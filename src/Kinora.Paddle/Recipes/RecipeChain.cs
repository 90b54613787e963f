using Kinora.Media;

namespace Kinora.Paddle;

/// <summary>
/// One chain of PIPELINE (decode, sample, transform) as a <see cref="ClipSpec"/>. The chain is followed op by op: what the
/// specification can't hold is an error that names the op; what is random becomes its middle and is listed.
/// </summary>
/// <remarks>Source: PaddleVideo ed245e9, its loader's pipelines. Facts about each op stand beside its case.</remarks>
internal sealed class RecipeChain
{
    private readonly RecipeSection _split;
    private readonly RecipeSection? _dataset;

    private Frames _frames;
    private SamplingSpec? _sampling;
    private ColorMatrix _color = ColorMatrix.FromStream;
    private ResizeSpec? _resize;
    private CropSpec? _crop;
    private Normalization? _normalization;
    private ClipLayout? _layout;

    // What is random stays random and comes here; null when a chain of evaluation is read.
    private TrainingAugmentation? _augmentation;

    private RecipeChain(RecipeSection split, RecipeSection? dataset) => (_split, _dataset) = (split, dataset);

    private enum Frames
    {
        // Pictures: of rawframes, decord or OpenCV.
        Pictures,

        // PyAV's: one array that later ops treat as a tensor.
        Tensor,
    }

    /// <summary>Reads a chain.</summary>
    /// <param name="split">PIPELINE.valid or another.</param>
    /// <param name="dataset">DATASET's part of the same name, which holds SlowFast's numbers of views.</param>
    /// <returns>The specification, checked.</returns>
    /// <exception cref="ConfigException">An op that the specification can't express, or wrong arguments.</exception>
    public static ClipSpec Read(RecipeSection split, RecipeSection? dataset) => new RecipeChain(split, dataset).Read();

    /// <summary>Reads PIPELINE.train.</summary>
    /// <param name="split">The chain.</param>
    /// <param name="dataset">DATASET.train.</param>
    /// <returns>The specification, whose sampling is that of training, and what is random.</returns>
    /// <exception cref="ConfigException">An op that neither can express, or wrong arguments.</exception>
    public static (ClipSpec Spec, TrainingAugmentation Augmentation) ReadTraining(RecipeSection split, RecipeSection? dataset)
    {
        var chain = new RecipeChain(split, dataset) { _augmentation = new TrainingAugmentation { FlipProbability = 0 } };
        ClipSpec spec = chain.Read();
        return (spec, chain._augmentation);
    }

    private ClipSpec Read()
    {
        if (_split.Section("decode_sampler") is { } both)
        {
            DecodeSampler(both);
        }
        else
        {
            RecipeSection decode = _split.Require("decode");
            int? clipFrames = Decode(decode);
            Sample(_split.Require("sample"), decode, clipFrames);
        }

        foreach ((string name, RecipeSection op) in _split.Items("transform", "an op with its arguments"))
        {
            Transform(name, op);
            op.Finish();
        }

        _split.Finish();
        var spec = new ClipSpec(
            _sampling!,
            _resize ?? new ResizeSpec(ResizeRule.None, 0),
            _crop ?? throw Lacks("a crop, which gives the input its size"),
            _normalization ?? throw Lacks("Normalization"),
            _color,
            _layout ?? throw Lacks("Image2Array"));
        try
        {
            spec.Validate();
            return spec;
        }
        catch (ConfigException e)
        {
            throw _split.Refuse(e.Message);
        }

        ConfigException Lacks(string what) => _split.Refuse($"transform: expected {what}, found none");
    }

    // Returns the length of PyAV's clips in frames at the rate it decodes for; null for the others, which read whole videos.
    private int? Decode(RecipeSection decode)
    {
        int? clipFrames = null;
        switch (decode.RequireText("name"))
        {
            case "FrameDecoder":
                break;
            case "VideoDecoder":
                string backend = decode.Choice("backend", "cv2", "cv2", "decord", "pyav");
                if (backend != "pyav")
                {
                    _color = backend == "cv2" ? ColorMatrix.Bt601 : ColorMatrix.FromStream;
                    decode.Ignore("only the PyAV backend looks at it", "mode", "sampling_rate", "num_seg", "num_clips", "target_fps");
                    break;
                }

                _frames = Frames.Tensor;
                bool first = decode.Choice("mode", "train", "train", "valid", "test") == "test";
                if (first && _augmentation is not null)
                {
                    decode.Ignore("training draws the clip's start, where the test mode would take the video's", "mode");
                }

                if (!first && _augmentation is null)
                {
                    decode.Note("the clip's start would be random at evaluation; the start of the video is taken, as in the test mode");
                }

                if (decode.Int("num_clips", 1) != 1)
                {
                    throw decode.Wrong("num_clips", "1, as PaddleVideo's test takes the first clip whatever their number");
                }

                clipFrames = checked(decode.Int("sampling_rate", 32) * decode.Int("num_seg", 8));
                _ = decode.Int("target_fps", 30);
                break;
            default:
                throw decode.Wrong("name", "FrameDecoder or VideoDecoder, which give the frames of a video");
        }

        decode.Finish();
        return clipFrames;
    }

    private void Sample(RecipeSection sample, RecipeSection decode, int? clipFrames)
    {
        if (sample.RequireText("name") != "Sampler")
        {
            throw sample.Wrong("name", "Sampler, the only one that a clip specification has rules for");
        }

        int segments = sample.Int("num_seg"), length = sample.Int("seg_len");
        bool linspace = sample.Flag("linspace_sample", false), left = sample.Flag("select_left", false), dense = sample.Flag("dense_sample", false);
        int? interval = sample.Has("frame_interval") ? sample.Int("frame_interval") : null;
        sample.Ignore("says only how the pictures are kept in memory", "use_pil");
        bool middle = sample.Flag("valid_mode", false);
        if (linspace && interval is null)
        {
            sample.Ignore("linspace_sample takes the same frames in each mode", "valid_mode");
        }
        else if (middle && _augmentation is not null)
        {
            sample.Ignore("training draws its frames; those of valid_mode are for evaluation", "valid_mode");
        }
        else if (!middle && _augmentation is null)
        {
            sample.Note("the frames would be random at evaluation; those of valid_mode are taken");
        }

        // In the order in which PaddleVideo asks: the first flag that is set decides, and the others have no effect.
        SamplingMethod method = interval is not null ? SamplingMethod.FrameInterval
            : linspace ? SamplingMethod.Linspace
            : left ? SamplingMethod.SelectLeft
            : dense ? SamplingMethod.Dense
            : SamplingMethod.Uniform;
        bool oneEach = method is SamplingMethod.Linspace or SamplingMethod.SelectLeft or SamplingMethod.Dense;
        if (oneEach && length != 1)
        {
            sample.Ignore($"this sampling ({method}) takes one frame from each segment", "seg_len");
        }

        sample.Finish();
        _sampling = new SamplingSpec(method, segments, oneEach ? 1 : length, interval ?? 1);
        if (clipFrames is not { } frames)
        {
            return;
        }

        if (method != SamplingMethod.Linspace || segments < 1 || frames % segments != 0)
        {
            throw sample.Refuse(
                $"expected linspace_sample with a number of points that divides the {frames} frames of PyAV's clip, found {method} with {segments}; "
                + "a clip specification has no other rule for a part of a video");
        }

        _sampling = new SamplingSpec(SamplingMethod.Timed, 1, segments, frames / segments, decode.Int("target_fps", 30));
    }

    private void DecodeSampler(RecipeSection op)
    {
        if (op.RequireText("name") != "DecodeSampler")
        {
            throw op.Wrong("name", "DecodeSampler, the only one that a clip specification has rules for");
        }

        bool test = op.Flag("test_mode", false);
        op.Ignore("multigrid training only", "default_sampling_rate");
        if (!test && _augmentation is null)
        {
            op.Note("the clip's start would be random at evaluation; the start of the video is taken, as by the predict helper");
        }

        int clips = test ? _dataset?.Int("num_ensemble_views", 1) ?? 1 : 1;
        _sampling = new SamplingSpec(SamplingMethod.Timed, clips, op.Int("num_frames"), op.Int("sampling_rate"), op.Int("target_fps", 30));
        op.Finish();
    }

    private void Transform(string name, RecipeSection op)
    {
        if (_augmentation is not null && Vary(name, op))
        {
            return;
        }

        switch (name)
        {
            case "Scale":
                Resize(op, Scale(op));
                break;
            case "JitterScale":
                op.Ignore("multigrid training only", "short_cycle_factors", "default_min_size");
                int smallest = op.Int("min_size"), largest = op.Int("max_size");
                if (largest != smallest)
                {
                    op.Note($"the size would be random at evaluation, up to {largest}; the smallest, {smallest}, is taken");
                }

                ResizeEngine engine = _frames == Frames.Tensor ? ResizeEngine.Interpolate : ResizeEngine.Pillow;
                Resize(op, new ResizeSpec(ResizeRule.KeepAspectFloor, smallest, engine));
                break;
            case "CenterCrop":
                op.Ignore("the same pixels in each", "backend");
                Crop(op, new CropSpec(CropMethod.Center, op.Int("target_size"), op.Flag("do_round", true) ? CropRounding.HalfEven : CropRounding.Floor));
                break;
            case "TenCrop":
                Crop(op, new CropSpec(CropMethod.Ten, op.Int("target_size")));
                break;
            case "UniformCrop":
                op.Ignore("the same pixels in each", "backend");
                Crop(op, new CropSpec(CropMethod.Three, op.Int("target_size")));
                break;
            case "GroupFullResSample" when op.Flag("flip", false):
                throw op.Wrong("flip", "False, as a clip specification has the three crops without their mirror images only");
            case "GroupFullResSample":
                Crop(op, new CropSpec(CropMethod.FullResolution, op.Int("crop_size")));
                break;
            case "MultiCrop":
                MultiCrop(op);
                break;
            case "RandomCrop":
                op.IgnoreAll("the place would be random at evaluation; the middle is taken");
                Crop(op, new CropSpec(CropMethod.Center, op.Int("target_size")));
                break;
            case "RandomFlip":
                op.IgnoreAll("mirroring would be random at evaluation; nothing is mirrored");
                break;
            case "Normalization":
                Normalize(op);
                break;
            case "Image2Array":
                if (op.IsTraining)
                {
                    // They move tensor_shape, and with it what is normalised; that is checked all the same.
                    LayoutOfTraining(op);
                }

                _layout = !op.Flag("transpose", true) ? ClipLayout.Nthwc
                    : op.Choice("data_format", "tchw", "tchw", "cthw") == "cthw" ? ClipLayout.Ncthw
                    : ClipLayout.Ntchw;
                break;
            case "PackOutput":
                op.Ignore("SlowFast's network takes all frames and chooses those of its slow path itself", "alpha");
                _layout = ClipLayout.Ncthw;
                break;
            case "MultiScaleCrop" or "RandomResizedCrop":
                throw op.Refuse("a part of random size at evaluation, for which a clip specification has no rule; use it in PIPELINE.train only");
            default:
                throw op.Refuse(
                    "no rule of a clip specification; known are CenterCrop, GroupFullResSample, Image2Array, JitterScale, MultiCrop, Normalization, PackOutput, Scale, TenCrop, UniformCrop");
        }
    }

    // The ops of training whose draws stay draws; false for those that are as at evaluation.
    private bool Vary(string name, RecipeSection op)
    {
        TrainingAugmentation before = _augmentation!;
        switch (name)
        {
            case "Scale" when before.RandomResizedCrop is { } random:
                ResizeSpec square = Scale(op);
                _crop = square.Rule == ResizeRule.Square && square.Engine == random.Engine
                    ? new CropSpec(CropMethod.Center, square.ShortSide)
                    : throw op.Refuse("after RandomResizedCrop expected a square resize (fixed_ratio and keep_ratio False) with the same backend, found another");
                return true;
            case "Scale":
                Resize(op, Scale(op));
                _augmentation = before with { Resize = _resize! };
                return true;
            case "JitterScale":
                op.Ignore("multigrid training only", "short_cycle_factors", "default_min_size");
                int min = op.Int("min_size"), max = op.Int("max_size");
                ResizeEngine engine = _frames == Frames.Tensor ? ResizeEngine.Interpolate : ResizeEngine.Pillow;
                Resize(op, new ResizeSpec(ResizeRule.KeepAspectFloor, min, engine));
                _augmentation = min == max && engine != ResizeEngine.Interpolate ? before with { Resize = _resize! } : before with { Jitter = new ShortSideJitterSpec(min, max, engine) };
                return true;
            case "MultiScaleCrop":
                double[] scales = op.Numbers("scales", null, [1, 0.875, 0.75, 0.66]);
                int size = op.Int("target_size");
                _augmentation = before with
                {
                    MultiScaleCrop = new MultiScaleCropSpec
                    {
                        Size = size,
                        Scales = scales,
                        MaxDistort = op.Int("max_distort", 1),
                        FixedPlaces = op.Flag("fix_crop", true),
                        AllowDuplicates = op.Flag("allow_duplication", false),
                        InnerPlaces = op.Flag("more_fix_crop", true),
                        Engine = op.Choice("backend", "pillow", "pillow", "cv2") == "cv2" ? ResizeEngine.OpenCv : ResizeEngine.Pillow,
                    },
                };
                _crop = new CropSpec(CropMethod.Center, size);
                return true;
            case "RandomResizedCrop":
                double[] areas = op.Numbers("area_range", 2, [0.08, 1]), ratios = op.Numbers("aspect_ratio_range", 2, [3.0 / 4, 4.0 / 3]);
                _augmentation = before with
                {
                    RandomResizedCrop = new RandomResizedCropSpec
                    {
                        MinArea = areas[0],
                        MaxArea = areas[1],
                        MinRatio = ratios[0],
                        MaxRatio = ratios[1],
                        Engine = op.Choice("backend", "cv2", "cv2") == "cv2" ? ResizeEngine.OpenCv : ResizeEngine.Pillow,
                    },
                };
                return true;
            case "RandomCrop" or "MultiCrop":
                op.Ignore("multigrid training only", "default_crop_size", "short_cycle_factors");
                _ = op.Flag("test_mode", false) ? throw op.Wrong("test_mode", "False in training") : false;
                _crop = new CropSpec(CropMethod.Center, op.Int("target_size"));
                _augmentation = before with { RandomCrop = true };
                return true;
            case "RandomFlip":
                _augmentation = before with { FlipProbability = op.Number("p", 0.5) };
                return true;
            default:
                return false;
        }
    }

    private static void LayoutOfTraining(RecipeSection op)
    {
        const string reason = "Kinora's networks take frames, channels, height, width; results are the same";
        if (!op.Flag("transpose", true))
        {
            op.Ignore(reason, "transpose");
        }

        if (op.Text("data_format", "tchw") != "tchw")
        {
            op.Ignore(reason, "data_format");
        }
    }

    private ResizeSpec Scale(RecipeSection op)
    {
        bool fixedRatio = op.Flag("fixed_ratio", true);
        bool? keepRatio = op.Flag("keep_ratio");
        bool round = op.Flag("do_round", false);
        if (fixedRatio && keepRatio == true)
        {
            throw op.Refuse("expected fixed_ratio or keep_ratio, found both; PaddleVideo refuses that too");
        }

        if (_frames == Frames.Tensor)
        {
            throw op.Refuse("expected JitterScale, found Scale, which can't resize the tensors of the PyAV backend");
        }

        ResizeRule rule = fixedRatio ? ResizeRule.FixedRatio
            : keepRatio == false ? ResizeRule.Square
            : round ? ResizeRule.KeepAspectRound
            : ResizeRule.KeepAspectTruncate;
        if (rule is ResizeRule.FixedRatio or ResizeRule.Square)
        {
            op.Ignore("nothing is rounded by this rule", "do_round");
        }

        bool openCv = op.Choice("backend", "pillow", "pillow", "cv2") == "cv2";
        return new ResizeSpec(rule, op.Int("short_size"), openCv ? ResizeEngine.OpenCv : ResizeEngine.Pillow);
    }

    private void Resize(RecipeSection op, ResizeSpec resize)
    {
        if (_resize is not null)
        {
            throw op.Refuse("a second resize, for which a clip specification has no room");
        }

        if (_crop is not null)
        {
            throw op.Refuse("a resize after the crop, for which a clip specification has no room");
        }

        // Tensors are resized as floating-point numbers, pictures as bytes: each has its side of the normalisation.
        bool normalized = _normalization is not null;
        if (normalized != (resize.Engine == ResizeEngine.Interpolate))
        {
            throw op.Refuse(normalized
                ? "a resize of pictures after their normalisation, for which a clip specification has no rule"
                : "a resize of PyAV's bytes before their normalisation, for which a clip specification has no rule");
        }

        _resize = resize;
    }

    private void Crop(RecipeSection op, CropSpec crop) =>
        _crop = _crop is null ? crop : throw op.Refuse("a second crop, for which a clip specification has no room");

    private void MultiCrop(RecipeSection op)
    {
        op.Ignore("multigrid training only", "default_crop_size", "short_cycle_factors");
        int size = op.Int("target_size");
        if (!op.Flag("test_mode", false))
        {
            op.Note("the place would be random at evaluation; the middle is taken");
            Crop(op, new CropSpec(CropMethod.Center, size));
            return;
        }

        int crops = _dataset?.Int("num_spatial_crops", 1) ?? 1;
        Crop(op, crops == 3
            ? new CropSpec(CropMethod.Spread, size)
            : throw op.Refuse($"expected 3 crops (DATASET's num_spatial_crops), found {crops}, for which a clip specification has no rule"));
    }

    private void Normalize(RecipeSection op)
    {
        if (_normalization is not null)
        {
            throw op.Refuse("a second normalisation, for which a clip specification has no room");
        }

        bool inPlace = op.Flag("inplace", false);
        double[] shape = op.Numbers("tensor_shape", null, [3, 1, 1]);
        _normalization = NormalizationOf(
            op.Numbers("mean", 3),
            op.Numbers("std", 3),
            inPlace ? NormalizationArithmetic.InPlace : _frames == Frames.Tensor ? NormalizationArithmetic.Double : NormalizationArithmetic.Single);

        // In place, each picture is normalised on its own and the shape isn't looked at.
        int channels = _layout switch { ClipLayout.Ntchw => 3, ClipLayout.Ncthw => 4, _ => 1 };
        bool one = shape.Count(n => n == 3) == 1 && shape.All(n => n is 1 or 3);
        if (inPlace && !one)
        {
            op.Ignore("in place, each picture is normalised by itself, whatever the shape", "tensor_shape");
        }

        bool fits = shape.Length >= channels && shape[^channels] == 3 && shape.Where((_, i) => i != shape.Length - channels).All(n => n == 1);
        if (!inPlace && !fits)
        {
            throw op.Refuse($"tensor_shape: expected 3 for the channels and 1 for the other axes of {_layout ?? ClipLayout.Nthwc}, found [{string.Join(", ", shape)}]");
        }
    }

    /// <summary>Statistics as a specification.</summary>
    /// <param name="mean">Red, green, blue.</param>
    /// <param name="std">Red, green, blue.</param>
    /// <param name="arithmetic">In place, statistics are in levels; otherwise in shares of 255.</param>
    internal static Normalization NormalizationOf(double[] mean, double[] std, NormalizationArithmetic arithmetic) => new(
        new Rgb((float)mean[0], (float)mean[1], (float)mean[2]),
        new Rgb((float)std[0], (float)std[1], (float)std[2]),
        arithmetic == NormalizationArithmetic.InPlace ? 1 : 255,
        arithmetic);
}
