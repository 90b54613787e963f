using System.Text.Json;

namespace Kinora.Media.Tests;

/// <summary>Pictures of one clip in memory: [Count, Height, Width, 3] bytes.</summary>
internal sealed record Pictures(byte[] Bytes, int Count, int Width, int Height)
{
    public int[] Shape => [Count, Height, Width, 3];
}

/// <summary>One of PaddleVideo's ops: name, arguments, further inputs.</summary>
internal sealed record PaddleOp(string Name, JsonElement Arguments, JsonElement Inputs)
{
    public static PaddleOp[] Parse(JsonElement ops) =>
        [.. ops.EnumerateArray().Select(op => new PaddleOp(op[0].GetString()!, op.GetArrayLength() > 1 ? op[1] : default, op.GetArrayLength() > 2 ? op[2] : default))];

    public int Int(string name, int otherwise = 0) => Arguments.ValueKind == JsonValueKind.Object ? Arguments.Int(name, otherwise) : otherwise;

    public bool Bool(string name, bool otherwise) => Arguments.ValueKind == JsonValueKind.Object ? Arguments.Bool(name, otherwise) : otherwise;

    public double Real(string name, double otherwise) =>
        Arguments.ValueKind == JsonValueKind.Object && Arguments.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : otherwise;

    public double[]? Reals(string name) =>
        Arguments.ValueKind == JsonValueKind.Object && Arguments.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Array ? value.Doubles() : null;

    public ResizeEngine Engine(string otherwise = "pillow") =>
        (Arguments.ValueKind == JsonValueKind.Object ? Arguments.Text("backend", otherwise) : otherwise) == "cv2" ? ResizeEngine.OpenCv : ResizeEngine.Pillow;

    /// <summary>Scale's arguments as Kinora's rule.</summary>
    public ResizeSpec Resize
    {
        get
        {
            bool fixedRatio = Bool("fixed_ratio", true);
            bool square = Arguments.TryGetProperty("keep_ratio", out JsonElement keep) && keep.ValueKind == JsonValueKind.False;
            ResizeRule rule = fixedRatio ? ResizeRule.FixedRatio
                : square ? ResizeRule.Square
                : Bool("do_round", false) ? ResizeRule.KeepAspectRound
                : ResizeRule.KeepAspectTruncate;
            return new(rule, Int("short_size"), Engine());
        }
    }

    /// <summary>A crop op as Kinora's; null for other ops.</summary>
    public CropSpec? Crop => Name switch
    {
        "CenterCrop" => new(CropMethod.Center, Int("target_size"), Bool("do_round", true) ? CropRounding.HalfEven : CropRounding.Floor),
        "TenCrop" => new(CropMethod.Ten, Int("target_size")),
        "UniformCrop" => new(CropMethod.Three, Int("target_size")),
        "MultiCrop" when Bool("test_mode", false) && Inputs.ValueKind == JsonValueKind.Object && Inputs.Int("spatial_num_clips", 0) == 3 =>
            new(CropMethod.Spread, Int("target_size")),
        "GroupFullResSample" when !Bool("flip", false) => new(CropMethod.FullResolution, Int("crop_size")),
        _ => null,
    };

    /// <summary>MultiScaleCrop's arguments as Kinora's.</summary>
    public MultiScaleCropSpec MultiScaleCrop => MultiScaleCropOf(Arguments);

    /// <summary>RandomResizedCrop's arguments as Kinora's.</summary>
    public RandomResizedCropSpec RandomResizedCrop => new()
    {
        MinArea = Reals("area_range")?[0] ?? 0.08,
        MaxArea = Reals("area_range")?[1] ?? 1,
        MinRatio = Reals("aspect_ratio_range")?[0] ?? 3.0 / 4,
        MaxRatio = Reals("aspect_ratio_range")?[1] ?? 4.0 / 3,
        Engine = Engine("cv2"),
    };

    public static MultiScaleCropSpec MultiScaleCropOf(JsonElement arguments)
    {
        var op = new PaddleOp("MultiScaleCrop", arguments, default);
        var spec = new MultiScaleCropSpec
        {
            Size = op.Int("target_size"),
            MaxDistort = op.Int("max_distort", 1),
            FixedPlaces = op.Bool("fix_crop", true),
            AllowDuplicates = op.Bool("allow_duplication", false),
            InnerPlaces = op.Bool("more_fix_crop", true),
            Engine = op.Engine(),
        };
        return op.Reals("scales") is { Length: > 0 } scales ? spec with { Scales = scales } : spec;
    }
}

/// <summary>Runs ops one after the other through Kinora's kernels, each with a whole picture in between.</summary>
internal static class PaddleOps
{
    /// <summary>Runs one op.</summary>
    /// <returns>The pictures, or null where the op isn't supported.</returns>
    public static Pictures? Run(PaddleOp op, Pictures pictures, IDraws draws, VectorWidth width)
    {
        (int w, int h) = (pictures.Width, pictures.Height);
        switch (op.Name)
        {
            case "Scale":
                (int scaledWidth, int scaledHeight) = ResizeTarget.Of(op.Resize, w, h);
                return Resized(pictures, scaledWidth, scaledHeight, op.Resize.Engine, width);
            case "JitterScale":
                double side = draws.Real(op.Int("min_size"), op.Int("max_size"));
                (int jitterWidth, int jitterHeight) = ResizeTarget.OfJitter((int)Math.Round(side, MidpointRounding.ToEven), w, h);
                return Resized(pictures, jitterWidth, jitterHeight, ResizeEngine.Pillow, width);
            case "MultiScaleCrop":
                PixelWindow window = RandomWindows.MultiScale(op.MultiScaleCrop, w, h, draws);
                return Resized(Cut(pictures, window), op.MultiScaleCrop.Size, op.MultiScaleCrop.Size, op.MultiScaleCrop.Engine, width);
            case "RandomResizedCrop":
                return Cut(pictures, RandomWindows.ResizedCrop(op.RandomResizedCrop, w, h, draws));
            case "RandomCrop":
            case "MultiCrop" when !op.Bool("test_mode", false):
                int target = op.Int("target_size");
                CropViews.RequireSize("random crop", target, w, h);
                int x = draws.Integer(0, w - target + 1);
                return Cut(pictures, new(x, draws.Integer(0, h - target + 1), target, target));
            case "RandomFlip":
                bool flip = draws.Unit() < op.Real("p", 0.5);
                return flip && w == h ? Crops(pictures, w, [new(0, 0, Flip: true)]) : flip ? Mirrored(pictures) : pictures;
            case "GroupFullResSample":
                return Crops(pictures, op.Int("crop_size"), CropViews.FullResolution(op.Int("crop_size"), w, h, op.Bool("flip", false)));
            case "MultiCrop" when op.Crop is { } spread:
                return Crops(pictures, spread.Size, [CropViews.Of(spread, w, h)[op.Inputs.Int("spatial_sample_index", 0)]]);
            default:
                return op.Crop is { } crop ? Crops(pictures, crop.Size, CropViews.Of(crop, w, h)) : null;
        }
    }

    public static Pictures Resized(Pictures pictures, int width, int height, ResizeEngine engine, VectorWidth vectors) =>
        Resized(pictures, width, height, engine, new(0, 0, width, height), vectors);

    public static Pictures Resized(Pictures pictures, int width, int height, ResizeEngine engine, PixelWindow window, VectorWidth vectors)
    {
        var plan = new ResizePlan(pictures.Width, pictures.Height, width, height, engine, window);
        var result = new byte[pictures.Count * window.Width * window.Height * 3];
        byte[] scratch = new byte[plan.ScratchBytes];
        int input = pictures.Width * pictures.Height * 3, output = window.Width * window.Height * 3;
        for (int t = 0; t < pictures.Count; t++)
        {
            var sink = new PictureSink(result.AsSpan(t * output, output), window.Width * 3, window.Y);
            plan.Run(pictures.Bytes.AsSpan(t * input, input), pictures.Width * 3, scratch, vectors, ref sink);
        }

        return new(result, pictures.Count, window.Width, window.Height);
    }

    /// <summary>A window, black where it reaches outside.</summary>
    public static Pictures Cut(Pictures pictures, PixelWindow window)
    {
        var result = new byte[pictures.Count * window.Width * window.Height * 3];
        PixelWindow inside = window.ClipTo(pictures.Width, pictures.Height);
        for (int t = 0; t < pictures.Count; t++)
        {
            for (int y = inside.Y; y < inside.Bottom; y++)
            {
                pictures.Bytes.AsSpan(((((t * pictures.Height) + y) * pictures.Width) + inside.X) * 3, inside.Width * 3)
                    .CopyTo(result.AsSpan(((((t * window.Height) + y - window.Y) * window.Width) + inside.X - window.X) * 3));
            }
        }

        return new(result, pictures.Count, window.Width, window.Height);
    }

    public static Pictures Crops(Pictures pictures, int size, CropView[] crops)
    {
        var result = new byte[crops.Length * pictures.Count * size * size * 3];
        ViewStrides strides = ViewStrides.Of(ClipLayout.Nthwc, pictures.Count, size);
        var whole = new PixelWindow(0, 0, pictures.Width, pictures.Height);
        var plan = new ResizePlan(pictures.Width, pictures.Height, pictures.Width, pictures.Height, ResizeEngine.Pillow, whole);
        int input = pictures.Width * pictures.Height * 3;
        for (int t = 0; t < pictures.Count; t++)
        {
            var sink = new CopyingSink(result.AsSpan(t * strides.Frame), strides, crops, 1, whole);
            plan.Run(pictures.Bytes.AsSpan(t * input, input), pictures.Width * 3, [], VectorWidth.None, ref sink);
        }

        return new(result, crops.Length * pictures.Count, size, size);
    }

    private static Pictures Mirrored(Pictures pictures)
    {
        byte[] result = (byte[])pictures.Bytes.Clone();
        for (int row = 0; row < pictures.Count * pictures.Height; row++)
        {
            for (int x = 0; x < pictures.Width; x++)
            {
                pictures.Bytes.AsSpan(((row * pictures.Width) + pictures.Width - 1 - x) * 3, 3).CopyTo(result.AsSpan(((row * pictures.Width) + x) * 3));
            }
        }

        return pictures with { Bytes = result };
    }
}
