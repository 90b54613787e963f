using System.Text.Json;

namespace Kinora.Media.Tests;

/// <summary>PaddleVideo's recorded index lists, and that Kinora's own are legal in the same places.</summary>
public sealed class SamplerGoldenTests
{
    private const string File = "sampler.json";

    public static TheoryData<int, string> Valid => GoldenFile.Rows(File, "valid",
        r => $"{r.Text("mode")} {r.Text("format")} {r.GetProperty("args")}");

    public static TheoryData<int, string> TrainSupport => GoldenFile.Rows(File, "train_support",
        r => $"{r.Text("mode")} L={r.Int("L", 0)} {r.GetProperty("args")}");

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Valid))]
    public void LegacyEvaluationIndices_RecordedRows_SameRequest(int record, string name)
    {
        JsonElement group = GoldenFile.Records(File, "valid")[record];
        FrameSampler sampler = SamplerFor(group, name);
        LegacySource source = group.Text("format") == "frame" ? LegacySource.Frames : LegacySource.Video;
        foreach (JsonElement row in group.GetProperty("rows").EnumerateArray())
        {
            int frameCount = row.Int("L", 0);
            int[] expected = row.GetProperty("idx").Ints();
            if (row.TryGetProperty("start_idx", out JsonElement start))
            {
                int[] between = ((LinspaceSampler)sampler).EvaluationIndices(frameCount, start.GetDouble(), row.GetProperty("end_idx").GetDouble());
                Assert.Equal(expected, source == LegacySource.Frames ? between.Select(i => i + 1) : between);
                continue;
            }

            LegacyIndices found = sampler.LegacyEvaluationIndices(frameCount, source);
            Assert.Equal(expected, found.Requested);
            Assert.Equal(row.Bool("float", false), found.Fractional);
            Assert.Equal(FailsInPaddle(row, source), !found.IsReadable(frameCount));

            int[] own = sampler.EvaluationIndices(frameCount);
            Assert.All(own, i => Assert.InRange(i, 0, frameCount - 1));
            Assert.Equal(expected.Length, own.Length);
            if (found.IsReadable(frameCount) && !found.Fractional && sampler is not DenseSampler)
            {
                Assert.Equal(found.ToFrameIndices(), own);
            }
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(TrainSupport))]
    public void LegacyTrainingIndices_RecordedSupport_SameValues(int record, string name)
    {
        JsonElement row = GoldenFile.Records(File, "train_support")[record];
        FrameSampler sampler = SamplerFor(row, name);
        int frameCount = row.Int("L", 0);
        JsonElement[] positions = [.. row.GetProperty("positions").EnumerateArray()];
        var values = new HashSet<int>[positions.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = [];
        }

        bool sorted = true, fractional = false;
        foreach (IDraws draws in AllDraws(frameCount))
        {
            LegacyIndices found = sampler.LegacyTrainingIndices(frameCount, LegacySource.Video, draws);
            Assert.Equal(positions.Length, found.Requested.Length);
            for (int i = 0; i < values.Length; i++)
            {
                values[i].Add(found.Requested[i]);
            }

            sorted &= found.Requested.Zip(found.Requested.Skip(1)).All(p => p.First <= p.Second);
            fractional |= found.Fractional;
        }

        for (int i = 0; i < positions.Length; i++)
        {
            Assert.Equal(
                (positions[i].Int("min", -1), positions[i].Int("max", -1), positions[i].Int("n", -1)),
                (values[i].Min(), values[i].Max(), values[i].Count));
            if (positions[i].TryGetProperty("values", out JsonElement list))
            {
                Assert.Equal(list.Ints(), values[i].Order());
            }
        }

        Assert.Equal(row.Bool("sorted", true), sorted);
        Assert.Equal(row.Bool("float", false), fractional);

        foreach (IDraws draws in AllDraws(frameCount))
        {
            Assert.All(sampler.TrainingIndices(frameCount, draws), i => Assert.InRange(i, 0, frameCount - 1));
        }
    }

    [Fact]
    public void Timed_RecordedSlowFastClips_SameRequest()
    {
        Assert.SkipWhen(GoldenFile.Root(File) is null, "no reference material");
        JsonElement slowFast = GoldenFile.Root(File)!.Value.GetProperty("slowfast");
        int compared = 0;
        foreach (JsonElement row in slowFast.GetProperty("test").EnumerateArray())
        {
            (int frames, int count, double rate) = (row.Int("num_frames", 0), row.Int("L", 0), row.GetProperty("fps").GetDouble());
            FrameSampler sampler = FrameSampler.Create(new(SamplingMethod.Timed, 10, frames, row.Int("sampling_rate", 0)));
            LegacyIndices found = sampler.LegacyEvaluationIndices(count, LegacySource.Video, rate);
            int[] own = sampler.EvaluationIndices(count, rate);
            Assert.All(own, i => Assert.InRange(i, 0, count - 1));
            for (int clip = 0; clip < 10; clip++)
            {
                Range part = (clip * frames)..((clip + 1) * frames);
                if (Clip(row, clip) is { ValueKind: JsonValueKind.Array } recorded)
                {
                    compared++;
                    Assert.Equal(recorded.Ints(), found.Requested[part]);
                    Assert.Equal(recorded.Ints(), own[part]);
                }
                else if (Clip(row, clip) is { ValueKind: JsonValueKind.String })
                {
                    Assert.Contains(count, found.Requested[part]);
                }
            }
        }

        foreach (JsonElement row in slowFast.GetProperty("train").EnumerateArray().Where(r => r.GetProperty("idx").ValueKind == JsonValueKind.Array))
        {
            FrameSampler sampler = FrameSampler.Create(new(SamplingMethod.Timed, 1, row.Int("num_frames", 0), row.Int("sampling_rate", 0)));
            int[] found = sampler.TrainingIndices(row.Int("L", 0), new ShareDraws(row.GetProperty("u").GetDouble()), row.GetProperty("fps").GetDouble());
            Assert.Equal(row.GetProperty("idx").Ints(), found);
        }

        Assert.True(compared > 400, $"{compared} clips");

        // All clips alike, a list of ten, or some of them by number.
        static JsonElement? Clip(JsonElement row, int clip) => row.TryGetProperty("all_clips", out JsonElement all) ? all
            : row.GetProperty("clips") is { ValueKind: JsonValueKind.Array } list ? list[clip]
            : row.GetProperty("clips").TryGetProperty($"{clip}", out JsonElement one) ? one : null;
    }

    [Fact]
    public void Timed_RecordedPyAvClips_SameFrames()
    {
        Assert.SkipWhen(GoldenFile.Root(File) is null, "no reference material");
        int compared = 0;
        FrameSampler sampler = FrameSampler.Create(new(SamplingMethod.Timed, 1, 8, 32));
        foreach (JsonElement row in GoldenFile.Records(File, "pyav").Where(r => r.Text("mode") == "test" && r.Has("source_frames")))
        {
            compared++;
            Assert.Equal(row.GetProperty("source_frames").Ints(), sampler.EvaluationIndices(row.Int("L", 0), row.GetProperty("fps").GetDouble()));
        }

        Assert.True(compared > 100, $"{compared} clips");
    }

    [Fact]
    public void Timed_RecordedRandomPyAvClips_SameFrames()
    {
        Assert.SkipWhen(GoldenFile.Root(File) is null, "no reference material");
        int compared = 0;
        FrameSampler sampler = FrameSampler.Create(new(SamplingMethod.Timed, 1, 8, 32));
        foreach (JsonElement row in GoldenFile.Records(File, "pyav").Where(r => r.Text("mode") == "valid" && r.Has("source_frames")))
        {
            compared++;
            var draws = new ShareDraws(row.GetProperty("u").GetDouble());
            (int frameCount, double rate) = (row.Int("L", 0), row.GetProperty("fps").GetDouble());
            int[] expected = row.GetProperty("source_frames").Ints(), own = sampler.TrainingIndices(frameCount, draws, rate);
            if (row.Text("header") == "no duration")
            {
                Assert.Equal(expected, own);
                continue;
            }

            (int first, int kept, int[] relative) = ((TimedSampler)sampler).PyAvTraining(frameCount, rate, row.Int("step", 1), draws);
            Assert.Equal((row.Int("first", -1), row.Int("count", -1)), (first, kept));
            Assert.Equal(expected, relative.Select(i => first + i));

            // Timestamps are whole numbers, frames too: that moves the clip by a frame at most.
            Assert.All(own.Zip(expected), p => Assert.InRange(p.First - p.Second, -1, 1));
        }

        Assert.Equal(288, compared);
    }

    private static FrameSampler SamplerFor(JsonElement record, string name)
    {
        JsonElement args = record.GetProperty("args");
        SamplingMethod? method = record.Text("mode") switch
        {
            "uniform" => SamplingMethod.Uniform,
            "select_left" => SamplingMethod.SelectLeft,
            "dense" => SamplingMethod.Dense,
            "linspace" => SamplingMethod.Linspace,
            "frame_interval" => SamplingMethod.FrameInterval,
            _ => null,
        };
        Assert.SkipWhen(method is null, $"sampling mode isn't supported: {name}");
        return FrameSampler.Create(new(method!.Value, args.Int("num_seg", 1), args.Int("seg_len", 1), args.Int("frame_interval", 1)));
    }

    private static bool FailsInPaddle(JsonElement row, LegacySource source) =>
        row.TryGetProperty("err", out JsonElement errors) && errors.Has(source == LegacySource.Frames ? "frame" : "decord");

    // Every single draw takes all its values, all draws together their first and last ones, and many mixed ones.
    private static IEnumerable<IDraws> AllDraws(int frameCount)
    {
        for (int i = 0; i <= frameCount; i++)
        {
            yield return new PatternDraws(_ => i);
        }

        yield return new PatternDraws(draw => (draw & 1) == 0 ? int.MaxValue : 0);
        yield return new PatternDraws(draw => (draw & 1) == 0 ? 0 : int.MaxValue);
        for (int i = 0; i < 100; i++)
        {
            yield return new CounterDraws(new CounterRandom(1, 0, i, "support"));
        }
    }

    // A share of the range.
    private sealed class ShareDraws(double share) : IDraws
    {
        public int Integer(int low, int exclusiveHigh) => throw new InvalidOperationException("not drawn");

        public int Choice(int count) => throw new InvalidOperationException("not drawn");

        public double Real(double low, double high) => low + (share * (high - low));

        public double Unit() => throw new InvalidOperationException("not drawn");
    }

    // Integer draws by number; values past the range become its last one.
    private sealed class PatternDraws(Func<int, int> pattern) : IDraws
    {
        private int _draw;

        public int Integer(int low, int exclusiveHigh) => Math.Clamp(pattern(_draw++), low, exclusiveHigh - 1);

        public int Choice(int count) => Integer(0, count);

        public double Real(double low, double high) => low;

        public double Unit() => 0;
    }
}
