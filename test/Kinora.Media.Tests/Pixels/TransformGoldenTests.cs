using System.Text.Json;

namespace Kinora.Media.Tests;

/// <summary>PaddleVideo's recorded spatial ops: op by op, and where they form a chain, through the fused executors.</summary>
public sealed class TransformGoldenTests
{
    private const string File = "transforms.json";

    public static TheoryData<int, string> Cases => GoldenFile.Rows(File, "cases", c =>
        $"{(c.GetProperty("in").TryGetProperty("formula", out JsonElement f) ? f.ToString() : c.GetProperty("in").Text("clip"))} {c.GetProperty("ops")}");

    public static TheoryData<int, string> MultiScaleCrops => GoldenFile.Rows(File, "multi_scale_crop",
        r => $"{r.Int("w", 0)}x{r.Int("h", 0)} {r.GetProperty("args")}");

    public static TheoryData<int, string> Roundings => GoldenFile.Rows(File, "crop_rounding", r => $"{r.GetProperty("box")}");

    public static TheoryData<int, string> ResizedCrops => GoldenFile.Rows(File, "random_resized_crop", r => $"{r.Int("w", 0)}x{r.Int("h", 0)}");

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Ops_RecordedCase_SameBytes(int record, string name)
    {
        JsonElement recorded = GoldenFile.Records(File, "cases")[record];
        PaddleOp[] ops = PaddleOp.Parse(recorded.GetProperty("ops"));
        JsonElement input = recorded.GetProperty("in");
        Pictures pictures = Read(input);
        if (input.Text("as") == "tensor")
        {
            CheckTensor(ops, pictures, recorded);
            return;
        }

        JsonElement? force = recorded.TryGetProperty("force", out JsonElement f) ? f : null;
        if (recorded.TryGetProperty("err", out JsonElement error))
        {
            AssertRefusal(ops, pictures, force, error.GetString()!, name);
            return;
        }

        JsonElement output = recorded.GetProperty("out");
        foreach (VectorWidth width in new[] { VectorWidth.None, VectorWidth.Bits128, Resize.BestWidth }.Distinct())
        {
            var draws = new ForcedDraws(force);
            Pictures? result = pictures;
            foreach (PaddleOp op in ops)
            {
                result = result is null ? null : PaddleOps.Run(op, result, draws, width);
                Assert.SkipWhen(result is null, $"op {op.Name} isn't supported: {name}");
            }

            GoldenFile.AssertBytes(output, result!.Shape, result.Bytes);
        }

        if (ops[^1].Name != "MultiCrop" && EvaluationChain(ops, pictures) is { } spec)
        {
            var pipeline = new ClipPipeline(spec);
            byte[] views = new byte[pipeline.Views * pipeline.FloatsPerView];
            pipeline.TransformBytes(ClipOf(pictures), views);
            GoldenFile.AssertBytes(output, [pipeline.Views * pictures.Count, spec.Size, spec.Size, 3], views);
        }

        if (TrainingChain(ops, output) is { } training)
        {
            byte[] clip = new byte[pictures.Count * training.Spec.Size * training.Spec.Size * 3];
            training.TransformBytes(ClipOf(pictures), new ForcedDraws(force), clip);
            GoldenFile.AssertBytes(output, [pictures.Count, training.Spec.Size, training.Spec.Size, 3], clip);
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(MultiScaleCrops))]
    public void MultiScaleSizes_RecordedFrame_SamePairsAndPlaces(int record, string name)
    {
        JsonElement recorded = GoldenFile.Records(File, "multi_scale_crop")[record];
        MultiScaleCropSpec spec = PaddleOp.MultiScaleCropOf(recorded.GetProperty("args"));
        Assert.NotEmpty(name);
        int width = recorded.Int("w", 0), height = recorded.Int("h", 0);
        JsonElement[] pairs = [.. recorded.GetProperty("pairs").EnumerateArray()];
        List<(int Width, int Height)> sizes = RandomWindows.MultiScaleSizes(spec, width, height);
        Assert.Equal(pairs.Select(p => (p[0].GetInt32(), p[1].GetInt32())), sizes);
        for (int i = 0; i < pairs.Length; i++)
        {
            Assert.Equal(
                pairs[i][2].EnumerateArray().Select(p => (p[0].GetDouble(), p[1].GetDouble())),
                RandomWindows.MultiScalePlaces(spec, width, height, sizes[i].Width, sizes[i].Height));
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Roundings))]
    public void Rounded_RecordedBox_SamePixels(int record, string name)
    {
        JsonElement recorded = GoldenFile.Records(File, "crop_rounding")[record];
        Assert.NotEmpty(name);
        double[] box = recorded.GetProperty("box").Doubles();
        PixelWindow window = RandomWindows.Rounded(box[0], box[1], box[2], box[3]);
        Assert.Equal(recorded.GetProperty("first").Ints(), new[] { window.X, window.Y });
        Assert.Equal(recorded.GetProperty("last").Ints(), new[] { window.Right - 1, window.Bottom - 1 });
        Assert.Equal(recorded.GetProperty("size").Ints(), new[] { window.Width, window.Height });
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(ResizedCrops))]
    public void ResizedCrop_RecordedDraws_SameBox(int record, string name)
    {
        JsonElement recorded = GoldenFile.Records(File, "random_resized_crop")[record];
        Assert.NotEmpty(name);
        var draws = new MiddleDraws(recorded.GetProperty("log_ratio").Doubles(), recorded.GetProperty("area").Doubles());
        PixelWindow window = RandomWindows.ResizedCrop(new(), recorded.Int("w", 0), recorded.Int("h", 0), draws);
        Assert.Equal(recorded.GetProperty("box").Ints(), new[] { window.X, window.Y, window.Right, window.Bottom });
        if (recorded.TryGetProperty("offset_ranges", out JsonElement ranges))
        {
            Assert.Equal(ranges.EnumerateArray().Select(r => (r[0].GetInt32(), r[1].GetInt32())), draws.Ranges);
        }
    }

    private static Pictures Read(JsonElement input)
    {
        if (input.TryGetProperty("formula", out JsonElement formula))
        {
            int[] size = formula.Ints();
            return new(FormulaFrames.Create(GoldenFile.Root(File)!.Value.GetProperty("formula"), size[0], size[1], size[2]), size[2], size[0], size[1]);
        }

        return ClipFrames.Read(input);
    }

    // Kinora's frames are always arrays of bytes, so what fails for a mismatch of Python types simply works; what
    // fails because the picture doesn't suit the op is refused here too. A crop without room to move ("empty range")
    // stays where it is.
    private static void AssertRefusal(PaddleOp[] ops, Pictures pictures, JsonElement? force, string error, string name)
    {
        Pictures? result = pictures;
        try
        {
            foreach (PaddleOp op in ops)
            {
                // The draws were refused too, so none are recorded.
                IDraws draws = force is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() > 0 ? new ForcedDraws(force) : new CounterDraws(new CounterRandom(1, "refused"));
                result = result is null ? null : PaddleOps.Run(op, result, draws, Resize.BestWidth);
                Assert.SkipWhen(result is null, $"op {op.Name} isn't supported: {name}");
            }
        }
        catch (MediaException e)
        {
            Assert.Contains("expected", e.Message, StringComparison.Ordinal);
            Assert.Contains($"{pictures.Width}x{pictures.Height}", e.Message, StringComparison.Ordinal);
            return;
        }

        Assert.DoesNotContain("AssertionError", error, StringComparison.Ordinal);
        Assert.True(!error.Contains("ValueError", StringComparison.Ordinal) || error.Contains("empty range", StringComparison.Ordinal), error);
        Assert.Equal(result!.Bytes.Length, result.Shape.Aggregate((a, b) => a * b));
    }

    // Normalization, Image2Array and JitterScale without a crop: Kinora's are always followed by one, so the whole
    // picture is put together of square crops.
    private static void CheckWholeTensor(PaddleOp[] ops, Pictures pictures, JsonElement recorded)
    {
        Assert.True(ops is [{ Name: "Normalization" }, { Name: "Image2Array" }] or [_, _, { Name: "JitterScale" }]);
        float[] table = NormalizationTable.Create(NormalizationTableTests.NormalizationOf(ops[0], "pyav"));
        Assert.Equal(ClipLayout.Ncthw, NormalizationTableTests.LayoutOf(ops[1]));
        (int width, int height, int frames) = (pictures.Width, pictures.Height, pictures.Count);
        if (ops.Length == 3)
        {
            (width, height) = ResizeTarget.OfJitter(ops[2].Int("min_size"), width, height);
        }

        var interpolation = new Interpolation(pictures.Width, pictures.Height, width, height);
        int side = Math.Min(width, height);
        ViewStrides strides = ViewStrides.Of(ClipLayout.Ncthw, 1, side);
        float[] square = new float[strides.View], whole = new float[3 * frames * width * height];
        for (int t = 0; t < frames; t++)
        {
            for (int along = 0; along < Math.Max(width, height); along += side)
            {
                int x = width > height ? Math.Min(along, width - side) : 0, y = width > height ? 0 : Math.Min(along, height - side);
                interpolation.Run(pictures.Bytes.AsSpan(t * pictures.Width * pictures.Height * 3), table, [new(x, y)], 1, strides, square);
                for (int row = 0; row < 3 * side; row++)
                {
                    int target = (((((row / side * frames) + t) * height) + y + (row % side)) * width) + x;
                    square.AsSpan(row * side, side).CopyTo(whole.AsSpan(target));
                }
            }
        }

        GoldenFile.AssertFloats(recorded.GetProperty("out"), [3, frames, height, width], whole);
    }

    // TimeSformer's training; PaddleVideo draws crops with numpy, and fails where there is no room.
    private static void CheckRandomTensor(PaddleOp[] ops, Pictures pictures, JsonElement recorded)
    {
        Assert.True(ops is [{ Name: "Normalization" }, { Name: "Image2Array" }, { Name: "JitterScale" }, { Name: "RandomCrop" }] or [_, _, _, _, { Name: "RandomFlip" }]);
        ClipSpec spec = SpecOf(new(CropMethod.Center, ops[3].Int("target_size")), pictures.Count, new(ResizeRule.None, 0)) with
        {
            Normalization = NormalizationTableTests.NormalizationOf(ops[0], "pyav"),
            Layout = NormalizationTableTests.LayoutOf(ops[1]),
        };
        TrainingAugmentation augmentation = TrainingAugmentation.TimeSformer() with { Jitter = new(ops[2].Int("min_size"), ops[2].Int("max_size"), ResizeEngine.Interpolate) };
        var transform = new TrainingTransform(augmentation, spec);
        float[] found = new float[pictures.Count * 3 * spec.Size * spec.Size];
        Array.Fill(found, float.NaN);
        if (recorded.Has("err"))
        {
            transform.Transform(ClipOf(pictures), new CounterRandom(1, "no room"), found);
            Assert.DoesNotContain(float.NaN, found);
            return;
        }

        var draws = new ForcedDraws(recorded.GetProperty("force"), cropsMissTheEnd: true);
        transform.Transform(ClipOf(pictures), draws, found);
        Assert.Equal(0, draws.Left);
        GoldenFile.AssertFloats(recorded.GetProperty("out"), [3, pictures.Count, spec.Size, spec.Size], found);
    }

    // Normalization, Image2Array, JitterScale, and a crop: the whole chain at once.
    private static void CheckTensor(PaddleOp[] ops, Pictures pictures, JsonElement recorded)
    {
        if (ops.Length < 4)
        {
            CheckWholeTensor(ops, pictures, recorded);
            return;
        }

        if (ops[3].Name == "RandomCrop")
        {
            CheckRandomTensor(ops, pictures, recorded);
            return;
        }

        Assert.True(ops is [{ Name: "Normalization" }, { Name: "Image2Array" }, { Name: "JitterScale" }, { Crop: not null }]);
        var resize = new ResizeSpec(ResizeRule.KeepAspectFloor, ops[2].Int("min_size"), ResizeEngine.Interpolate);
        ClipSpec spec = SpecOf(ops[3].Crop!, pictures.Count, resize) with
        {
            Normalization = NormalizationTableTests.NormalizationOf(ops[0], "pyav"),
            Layout = NormalizationTableTests.LayoutOf(ops[1]),
        };
        var pipeline = new ClipPipeline(spec);
        float[] found = new float[pipeline.Views * pipeline.FloatsPerView];
        if (recorded.Has("err"))
        {
            Assert.Throws<MediaException>(() => pipeline.Transform(ClipOf(pictures), found));
            return;
        }

        pipeline.Transform(ClipOf(pictures), found);

        // PaddleVideo strings the views along time.
        int plane = spec.Size * spec.Size * pictures.Count;
        float[] strung = new float[found.Length];
        for (int view = 0; view < pipeline.Views; view++)
        {
            for (int c = 0; c < 3; c++)
            {
                found.AsSpan(((view * 3) + c) * plane, plane).CopyTo(strung.AsSpan(((c * pipeline.Views) + view) * plane));
            }
        }

        GoldenFile.AssertFloats(recorded.GetProperty("out"), [3, pipeline.Views * pictures.Count, spec.Size, spec.Size], strung);
    }

    private static DecodedClip ClipOf(Pictures pictures) => DecodedClip.FromVideo(
        pictures.Bytes, pictures.Width, pictures.Height, Enumerable.Range(0, pictures.Count).ToArray());

    private static ClipSpec? EvaluationChain(PaddleOp[] ops, Pictures pictures)
    {
        ResizeSpec? resize = ops.Length == 2 && ops[0].Name == "Scale" ? ops[0].Resize : ops.Length == 1 ? new ResizeSpec(ResizeRule.None, 0) : null;
        return resize is not null && ops[^1].Crop is { } crop ? SpecOf(crop, pictures.Count, resize) : null;
    }

    private static ClipSpec SpecOf(CropSpec crop, int frames, ResizeSpec resize) =>
        new(new(SamplingMethod.Uniform, frames), resize, crop, Normalization.ImageNet);

    private static TrainingTransform? TrainingChain(PaddleOp[] ops, JsonElement output)
    {
        // TrainingTransform always ends with the mirror's draw, and resizes a random resized crop whatever its size.
        int[] shape = output.GetProperty("shape").Ints();
        if (ops[^1].Name != "RandomFlip" || shape[1] != shape[2] || ops.Length == 1)
        {
            return null;
        }

        var augmentation = new TrainingAugmentation { FlipProbability = ops[^1].Real("p", 0.5) };
        foreach (PaddleOp op in ops[..^1])
        {
            switch (op.Name)
            {
                case "Scale" when op == ops[0]:
                    augmentation = augmentation with { Resize = op.Resize };
                    break;
                case "MultiScaleCrop":
                    augmentation = augmentation with { MultiScaleCrop = op.MultiScaleCrop };
                    break;
                case "RandomCrop":
                    augmentation = augmentation with { RandomCrop = true };
                    break;
                default:
                    return null;
            }
        }

        return new(augmentation, SpecOf(new(CropMethod.Center, shape[1]), shape[0], new(ResizeRule.None, 0)));
    }

    private sealed class MiddleDraws(double[] logRatios, double[] areas) : IDraws
    {
        private readonly Queue<double> _reals = new(logRatios.Concat(areas));

        public List<(int Low, int High)> Ranges { get; } = [];

        public int Integer(int low, int exclusiveHigh)
        {
            Ranges.Add((low, exclusiveHigh - 1));
            return (low + exclusiveHigh - 1) / 2;
        }

        public int Choice(int count) => throw new InvalidOperationException("not drawn");

        public double Real(double low, double high) => _reals.Dequeue();

        public double Unit() => throw new InvalidOperationException("not drawn");
    }
}
