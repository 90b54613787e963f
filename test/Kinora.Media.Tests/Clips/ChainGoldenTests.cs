using System.Text.Json;

namespace Kinora.Media.Tests;

/// <summary>PaddleVideo's whole chains, from the file to the network's input, bit for bit.</summary>
public sealed class ChainGoldenTests
{
    private const string File = "chains.json";

    public static TheoryData<int, string> Chains => GoldenFile.Rows(File, "chains", r => $"{r.Text("recipe")} {r.Text("split")} {r.Text("source")}");

    public static TheoryData<int, string> Predictions => GoldenFile.Rows(File, "predict", r => $"{r.Text("recipe")} {r.Text("source")}");

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Chains))]
    public void Chain_Recorded_SameIndicesBytesAndFloats(int record, string name)
    {
        JsonElement recorded = GoldenFile.Records(File, "chains")[record];
        RecordedRecipe? recipe = RecordedRecipe.Of(recorded.Text("config"), recorded.Text("split"));
        Assert.SkipWhen(recipe is null, $"recipe isn't supported: {name}");

        // SlowFast's and TimeSformer's validation is as random as their training; Kinora's is its deterministic counterpart.
        bool alwaysRandom = recipe!.IsSlowFast || recorded.Text("config").StartsWith("timesformer", StringComparison.Ordinal);
        Check(recorded, recipe, recorded.Text("split") == "train" || (alwaysRandom && recorded.Text("split") == "valid"));
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Predictions))]
    public void Predict_Recorded_SameBatch(int record, string name)
    {
        JsonElement recorded = GoldenFile.Records(File, "predict")[record];
        RecordedRecipe recipe = RecordedRecipe.OfHelper(recorded.Text("config"), recorded.GetProperty("helper"));
        Assert.NotEmpty(name);
        if (recipe.IsSlowFast)
        {
            CheckSlowFastHelper(recorded, recipe);
            return;
        }

        Check(recorded, recipe, training: false);
    }

    private static void Check(JsonElement recorded, RecordedRecipe recipe, bool training)
    {
        using IFrameSource source = ClipFrames.Open(recorded.Text("source"), recipe.Spec.Color, !recipe.ReadsWithOpenCv && !recipe.ReadsWithPyAv);
        SkipWhereOpenCvDropsFrames(recorded.Text("source"), recipe, source);
        if (recipe.ReadsWithPyAv)
        {
            CheckPyAv(recorded, recipe, source, training);
            return;
        }

        if (recipe.IsSlowFast && !training)
        {
            CheckView(recorded, recipe, source);
            return;
        }

        var pipeline = new ClipPipeline(recipe.Spec);
        var draws = new ForcedDraws(recorded.TryGetProperty("forced", out JsonElement forced) ? forced : null);
        LegacySource kind = source is RawFrameFolder ? LegacySource.Frames : LegacySource.Video;
        LegacyIndices legacy = training
            ? pipeline.Sampler.LegacyTrainingIndices(source.FrameCount, kind, draws, source.FramesPerSecond)
            : pipeline.Sampler.LegacyEvaluationIndices(source.FrameCount, kind, source.FramesPerSecond);
        Assert.Equal(recorded.GetProperty("indices").Ints(), legacy.Requested);
        if (recorded.Has("err"))
        {
            CheckRefusal(recipe, pipeline, source, legacy);
            return;
        }

        Assert.Equal(recorded.Bool("indices_were_float", false), legacy.Fractional && kind == LegacySource.Video && recorded.Has("indices_were_float"));
        if (recorded.TryGetProperty("frame_size", out JsonElement size))
        {
            Assert.Equal(size.Ints(), new[] { source.Width, source.Height });
        }

        using DecodedClip clip = pipeline.Decode(source, legacy.ToFrameIndices(), TestContext.Current.CancellationToken);
        if (training)
        {
            CheckTraining(recorded, recipe, clip, draws, source.FramesPerSecond);
            return;
        }

        int views = pipeline.Views, frames = pipeline.Frames, edge = recipe.Spec.Size;
        if (recorded.TryGetProperty("uint8", out JsonElement bytes))
        {
            byte[] found = GC.AllocateUninitializedArray<byte>(views * pipeline.FloatsPerView);
            pipeline.TransformBytes(clip, found);
            GoldenFile.AssertBytes(bytes, [views * frames, edge, edge, 3], found);
        }

        float[] floats = GC.AllocateUninitializedArray<float>(views * pipeline.FloatsPerView);
        pipeline.Transform(clip, floats);
        CheckFloats(recorded.GetProperty("out"), recipe.Spec.Layout, views, frames, edge, floats);

        // Where PaddleVideo's indices are sound, Kinora's own way gives the same without being told them (for time's
        // sake not on the hundreds of views of the ten-crop tests).
        if (!legacy.Fractional && recipe.Spec.Sampling.Method != SamplingMethod.Dense && views == 1)
        {
            float[] own = GC.AllocateUninitializedArray<float>(floats.Length);
            pipeline.Process(source, own, TestContext.Current.CancellationToken);
            Assert.True(own.AsSpan().SequenceEqual(floats), "Process differs from Decode and Transform");
        }
    }

    private static void CheckTraining(JsonElement recorded, RecordedRecipe recipe, DecodedClip clip, ForcedDraws draws, double framesPerSecond)
    {
        var transform = new TrainingTransform(recipe.Augmentation!, recipe.Spec);
        int edge = recipe.Spec.Size;
        float[] floats = new float[clip.Count * 3 * edge * edge];
        transform.Transform(clip, draws, floats);
        Assert.Equal(0, draws.Left);
        CheckFloats(recorded.GetProperty("out"), recipe.Spec.Layout, 1, clip.Count, edge, floats);

        if (recorded.TryGetProperty("uint8", out JsonElement bytes))
        {
            // Once more from the start: the sampler's draws come first.
            var again = new ForcedDraws(recorded.GetProperty("forced"));
            LegacySource kind = recorded.Text("source").StartsWith("rawframes/", StringComparison.Ordinal) ? LegacySource.Frames : LegacySource.Video;
            FrameSampler.Create(recipe.Spec.Sampling).LegacyTrainingIndices(clip.FrameCount, kind, again, framesPerSecond);
            byte[] found = new byte[floats.Length];
            transform.TransformBytes(clip, again, found);
            GoldenFile.AssertBytes(bytes, [clip.Count, edge, edge, 3], found);
        }
    }

    // SlowFast's helper takes the first clip, and a random crop of it.
    private static void CheckSlowFastHelper(JsonElement recorded, RecordedRecipe recipe)
    {
        using IFrameSource source = ClipFrames.Open(recorded.Text("source"));
        FrameSampler sampler = FrameSampler.Create(recipe.Spec.Sampling with { Segments = 1 });
        int[] indices = sampler.LegacyEvaluationIndices(source.FrameCount, LegacySource.Video, source.FramesPerSecond).Requested;
        Assert.Equal(recorded.GetProperty("indices").Ints(), indices);
        if (recorded.Has("err"))
        {
            Assert.SkipWhen(indices.Max() < SoundFrames(recorded.Text("source")), "decord fails at a frame that nobody asked for");
            Assert.Throws<MediaException>(() => DecodedClip.Decode(source, indices, TestContext.Current.CancellationToken));
            return;
        }

        using DecodedClip clip = DecodedClip.Decode(source, indices, TestContext.Current.CancellationToken);
        ClipSpec spec = recipe.Spec with { Crop = new(CropMethod.Center, recorded.GetProperty("helper").Int("target_size", 0)) };
        var augmentation = new TrainingAugmentation { Jitter = new(spec.Size, spec.Size), RandomCrop = true, FlipProbability = 0 };
        var draws = new ForcedDraws(recorded.GetProperty("forced"));
        draws.Append("random", 0);
        float[] floats = new float[clip.Count * 3 * spec.Size * spec.Size];
        new TrainingTransform(augmentation, spec).Transform(clip, draws, floats);
        Assert.Equal(0, draws.Left);
        CheckFloats(recorded.GetProperty("out"), spec.Layout, 1, clip.Count, spec.Size, floats);
    }

    // TimeSformer and PP-TimeSformer: a part of the video, resized after the normalisation.
    private static void CheckPyAv(JsonElement recorded, RecordedRecipe recipe, IFrameSource source, bool training)
    {
        Assert.SkipWhen(recorded.Text("source") == "clips/test.avi", "PyAV swaps neighbouring frames of AVI files with B-frames");
        var pipeline = new ClipPipeline(recipe.Spec);
        int views = pipeline.Views, frames = pipeline.Frames, edge = recipe.Spec.Size;
        float[] floats = GC.AllocateUninitializedArray<float>(views * pipeline.FloatsPerView);
        if (recorded.Has("err"))
        {
            Assert.Throws<MediaException>(() => pipeline.Process(source, floats, TestContext.Current.CancellationToken));
            return;
        }

        var draws = new ForcedDraws(recorded.TryGetProperty("forced", out JsonElement forced) ? forced : null, cropsMissTheEnd: true);
        using DecodedClip clip = DecodePyAv(recorded, pipeline, source, draws);
        if (recorded.TryGetProperty("uint8", out JsonElement bytes))
        {
            byte[] decoded = new byte[frames * clip.Width * clip.Height * 3];
            for (int t = 0; t < frames; t++)
            {
                clip.Frame(t).CopyTo(decoded.AsSpan(t * clip.Width * clip.Height * 3));
            }

            GoldenFile.AssertBytes(bytes, [frames, clip.Height, clip.Width, 3], decoded);
        }

        if (training)
        {
            new TrainingTransform(recipe.Augmentation!, recipe.Spec).Transform(clip, draws, floats);
            Assert.Equal(0, draws.Left);
        }
        else
        {
            pipeline.Transform(clip, floats);
        }

        CheckFloats(recorded.GetProperty("out"), recipe.Spec.Layout, views, frames, edge, floats);
    }

    // The test's clip is the beginning of the video; the others start at a random place.
    private static DecodedClip DecodePyAv(JsonElement recorded, ClipPipeline pipeline, IFrameSource source, ForcedDraws draws)
    {
        int[] own = pipeline.Sampler.EvaluationIndices(source.FrameCount, source.FramesPerSecond);
        if (!recorded.Has("forced") || !recorded.GetProperty("forced").EnumerateArray().Any(d => d.Text("draw") == "uniform"))
        {
            Assert.Equal(recorded.GetProperty("indices").Ints(), own);
            return pipeline.Decode(source, TestContext.Current.CancellationToken);
        }

        // Matroska files have no duration in the stream's header; then PaddleVideo decodes all and chooses as Kinora does.
        JsonElement kept = recorded.GetProperty("pyav");
        if (recorded.Text("source").EndsWith(".mkv", StringComparison.Ordinal))
        {
            int[] chosen = pipeline.Sampler.TrainingIndices(source.FrameCount, draws, source.FramesPerSecond);
            Assert.Equal(recorded.GetProperty("indices").Ints(), chosen);
            return pipeline.Decode(source, chosen, TestContext.Current.CancellationToken);
        }

        const double manyTicksPerFrame = 512;
        (int first, int count, int[] relative) = ((TimedSampler)pipeline.Sampler).PyAvTraining(source.FrameCount, source.FramesPerSecond, manyTicksPerFrame, draws);
        Assert.Equal(kept.Int("frames_kept", 0), count);
        Assert.Equal(recorded.GetProperty("indices").Ints(), relative);
        return pipeline.Decode(source, relative.Select(i => first + i).ToArray(), TestContext.Current.CancellationToken);
    }

    // SlowFast's test: one of its thirty views at a time, as the record has it; the slow clip is every eighth frame or so.
    private static void CheckView(JsonElement recorded, RecordedRecipe recipe, IFrameSource source)
    {
        int clip = recorded.GetProperty("view").Int("temporal", 0), crop = recorded.GetProperty("view").Int("spatial", 0);
        SamplingSpec sampling = recipe.Spec.Sampling;
        int frames = sampling.FramesPerClip, edge = recipe.Spec.Size;
        Range ofClip = (clip * frames)..((clip + 1) * frames);
        FrameSampler sampler = FrameSampler.Create(sampling);
        int[] indices = sampler.EvaluationIndices(source.FrameCount, source.FramesPerSecond)[ofClip];
        int[] requested = sampler.LegacyEvaluationIndices(source.FrameCount, LegacySource.Video, source.FramesPerSecond).Requested[ofClip];
        Assert.Equal(recorded.GetProperty("indices").Ints(), requested);
        var pipeline = new ClipPipeline(recipe.Spec with { Sampling = sampling with { Segments = 1 } });
        if (recorded.Has("err") && requested.AsSpan().SequenceEqual(indices))
        {
            // decord reads ahead, so it fails at damage behind the frames that it was asked for.
            Assert.SkipWhen(indices.Max() < SoundFrames(recorded.Text("source")), "decord fails at a frame that nobody asked for");
            Assert.Throws<MediaException>(() => pipeline.Decode(source, indices, TestContext.Current.CancellationToken));
            return;
        }

        // Where PaddleVideo asks for a frame past the end, Kinora takes the last one.
        using DecodedClip decoded = pipeline.Decode(source, indices, TestContext.Current.CancellationToken);
        float[] floats = GC.AllocateUninitializedArray<float>(pipeline.Views * pipeline.FloatsPerView);
        pipeline.Transform(decoded, floats);
        if (recorded.Has("err"))
        {
            Assert.DoesNotContain(floats, float.IsNaN);
            return;
        }

        byte[] bytes = GC.AllocateUninitializedArray<byte>(floats.Length);
        pipeline.TransformBytes(decoded, bytes);
        GoldenFile.AssertBytes(recorded.GetProperty("uint8"), [frames, edge, edge, 3], bytes.AsSpan(crop * pipeline.FloatsPerView, pipeline.FloatsPerView));
        ReadOnlySpan<float> fast = floats.AsSpan(crop * pipeline.FloatsPerView, pipeline.FloatsPerView);
        CheckFloats(recorded.GetProperty("out"), recipe.Spec.Layout, 1, frames, edge, fast.ToArray());
    }

    // PaddleVideo fails in one of three ways: it asks for frames that don't exist, or in a way that its reader refuses
    // (Kinora's own indices then simply work), or a frame is damaged (which is an error here too).
    private static void CheckRefusal(RecordedRecipe recipe, ClipPipeline pipeline, IFrameSource source, LegacyIndices legacy)
    {
        float[] floats = GC.AllocateUninitializedArray<float>(pipeline.Views * pipeline.FloatsPerView);
        if (!legacy.IsReadable(source.FrameCount))
        {
            Assert.Throws<MediaException>(() => pipeline.Decode(source, legacy.ToFrameIndices(), TestContext.Current.CancellationToken));
            pipeline.Process(source, floats, TestContext.Current.CancellationToken);
        }
        else if (legacy.Fractional && recipe.ReadsWithOpenCv)
        {
            pipeline.Process(source, floats, TestContext.Current.CancellationToken);
        }
        else
        {
            Assert.Throws<MediaException>(() => pipeline.Decode(source, legacy.ToFrameIndices(), TestContext.Current.CancellationToken));
        }
    }

    private static void CheckFloats(JsonElement digest, ClipLayout layout, int views, int frames, int size, float[] found)
    {
        if (digest.ValueKind == JsonValueKind.Array && digest.GetArrayLength() == 1)
        {
            digest = digest[0];
        }
        else if (digest.ValueKind == JsonValueKind.Array)
        {
            // SlowFast's two clips: the fast one has all frames, the slow one some of them.
            Assert.Equal((2, ClipLayout.Ncthw, 1), (digest.GetArrayLength(), layout, views));
            int[] slow = Linspace.Truncated(0, frames - 1, frames / 8);
            int plane = size * size;
            float[] picked = new float[3 * slow.Length * plane];
            for (int i = 0; i < 3 * slow.Length; i++)
            {
                found.AsSpan(((i / slow.Length * frames) + slow[i % slow.Length]) * plane, plane).CopyTo(picked.AsSpan(i * plane));
            }

            CheckFloats(digest[0], layout, 1, slow.Length, size, picked);
            digest = digest[1];
        }

        int[] shape = layout switch
        {
            ClipLayout.Ntchw => [views * frames, 3, size, size],
            ClipLayout.Ncthw => [3, views * frames, size, size],
            _ => [views * frames, size, size, 3],
        };

        // PaddleVideo strings the views along time; with channels first that is another order in memory.
        if (layout == ClipLayout.Ncthw && views > 1)
        {
            int plane = frames * size * size;
            float[] strung = GC.AllocateUninitializedArray<float>(found.Length);
            for (int view = 0; view < views; view++)
            {
                for (int c = 0; c < 3; c++)
                {
                    found.AsSpan(((view * 3) + c) * plane, plane).CopyTo(strung.AsSpan(((c * views) + view) * plane));
                }
            }

            found = strung;
        }

        // The predict helpers add a batch axis.
        int[] recordedShape = digest.GetProperty("shape").Ints();
        GoldenFile.AssertFloats(digest, recordedShape.Length == 5 && recordedShape[0] == 1 ? [1, .. shape] : shape, found);
    }

    // Frames up to the first damaged one.
    private static int SoundFrames(string clip) =>
        GoldenFile.Records("decode.json", "clips").Single(c => c.Text("clip") == clip).GetProperty("pyav").Int("frames", 0);

    // OpenCV goes on after a damaged frame and numbers the rest one lower; Kinora refuses the damaged frame instead.
    private static void SkipWhereOpenCvDropsFrames(string clip, RecordedRecipe recipe, IFrameSource source)
    {
        foreach (JsonElement decoded in GoldenFile.Records("decode.json", "clips"))
        {
            Assert.SkipWhen(
                recipe.ReadsWithOpenCv && decoded.Text("clip") == clip && decoded.GetProperty("cv2").Int("frames", source.FrameCount) != source.FrameCount,
                $"OpenCV drops the damaged frames of {clip}; here they are errors");
        }
    }
}
