namespace Kinora.Media.Tests;

public sealed class FrameSamplerTests
{
    public static TheoryData<SamplingMethod, int, int, int> Specs
    {
        get
        {
            var rows = new TheoryData<SamplingMethod, int, int, int>();
            foreach (SamplingMethod method in Enum.GetValues<SamplingMethod>())
            {
                foreach (int segments in new[] { 1, 3, 8, 16, 100 })
                {
                    rows.Add(method, segments, 1, 1);
                }
            }

            rows.Add(SamplingMethod.Uniform, 8, 3, 1);
            rows.Add(SamplingMethod.FrameInterval, 4, 32, 2);
            rows.Add(SamplingMethod.FrameInterval, 1, 8, 5);
            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Specs))]
    public void Indices_AnyLength_InsideTheVideo(SamplingMethod method, int segments, int framesPerSegment, int interval)
    {
        FrameSampler sampler = FrameSampler.Create(new(method, segments, framesPerSegment, interval));
        for (int frameCount = 1; frameCount < 140; frameCount++)
        {
            int[] evaluation = sampler.EvaluationIndices(frameCount);
            Assert.Equal(sampler.EvaluationClips * sampler.FramesPerClip, evaluation.Length);
            Assert.All(evaluation, i => Assert.InRange(i, 0, frameCount - 1));
            for (int sample = 0; sample < 5; sample++)
            {
                int[] training = sampler.TrainingIndices(frameCount, new CounterRandom(1, 0, sample, "sampler"));
                Assert.Equal(method == SamplingMethod.FrameInterval ? evaluation.Length : sampler.FramesPerClip, training.Length);
                Assert.All(training, i => Assert.InRange(i, 0, frameCount - 1));
            }
        }
    }

    [Fact]
    public void EvaluationIndices_Uniform100Frames_MiddlesOfWholeSegments() =>
        Assert.Equal([5, 17, 29, 41, 53, 65, 77, 89], Evaluate(SamplingMethod.Uniform, 8, 100));

    [Fact]
    public void EvaluationIndices_SelectLeft100Frames_MiddlesOfRealSegments() =>
        Assert.Equal([6, 18, 31, 43, 56, 68, 81, 93], Evaluate(SamplingMethod.SelectLeft, 8, 100));

    [Fact]
    public void EvaluationIndices_SelectLeftShortVideo_EveryFrameInOrder() =>
        Assert.Equal([0, 0, 0, 1, 1, 2, 2, 2], Evaluate(SamplingMethod.SelectLeft, 8, 3));

    [Fact]
    public void EvaluationIndices_UniformShortVideo_StartsAgain() =>
        Assert.Equal([0, 1, 2, 0, 1, 2, 0, 1], Evaluate(SamplingMethod.Uniform, 8, 3));

    [Fact]
    public void EvaluationIndices_Linspace_BothEnds() =>
        Assert.Equal([0, 24, 49, 74, 99], Evaluate(SamplingMethod.Linspace, 5, 100));

    [Fact]
    public void EvaluationIndices_Dense300Frames_TenWindows()
    {
        int[] indices = Evaluate(SamplingMethod.Dense, 8, 300);
        Assert.Equal([0, 26, 52, 78, 104, 131, 157, 183, 209, 236], indices.Where((_, i) => i % 8 == 0));
        Assert.Equal([236, 244, 252, 260, 268, 276, 284, 292], indices[72..]);
    }

    [Fact]
    public void TrainingIndices_SameStream_SameFrames()
    {
        FrameSampler sampler = FrameSampler.Create(new(SamplingMethod.Uniform, 8));
        int[] Draw(long sample) => sampler.TrainingIndices(300, new CounterRandom(3, 1, sample, "frames"));
        Assert.Equal(Draw(5), Draw(5));
        Assert.NotEqual(Draw(5), Draw(6));
    }

    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(8, 0, 1)]
    [InlineData(8, 1, 0)]
    public void Create_CountBelowOne_ConfigException(int segments, int framesPerSegment, int interval) =>
        Assert.Throws<ConfigException>(() => FrameSampler.Create(new(SamplingMethod.Uniform, segments, framesPerSegment, interval)));

    [Fact]
    public void EvaluationIndices_NoFrames_ArgumentException() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Evaluate(SamplingMethod.Uniform, 8, 0));

    private static int[] Evaluate(SamplingMethod method, int segments, int frameCount) =>
        FrameSampler.Create(new(method, segments)).EvaluationIndices(frameCount);
}
