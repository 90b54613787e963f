using Kinora.Onnx.Export.Tests;
using Kinora.Testing;

namespace Kinora.Paddle.Programs.Tests;

/// <summary>Programs that were exported for several crops in a row, converted to take one: Kinora averages views itself.</summary>
public sealed class ViewTests
{
    [Theory]
    [InlineData("timesformer", 4)]
    [InlineData("pptimesformer", 4)]
    [InlineData("tsn_r50", 2)]
    [InlineData("pptsn_r50vd", 10)]
    public void Convert_FramesOfOneView_AverageToTheProgramsAnswer(string name, int frames)
    {
        GoldenProgram golden = GoldenProgram.Read(name);
        using var folder = new TemporaryFolder();
        golden.WriteParameters(folder["model.pdiparams"]);
        PaddleProgram program = PaddleProgram.Read(golden.ModelPath, folder["model.pdiparams"]);
        ProgramReport report = ProgramConverter.Convert(program, new ProgramOptions { Spec = Specs.Of(frames, golden.Clip[2]) }, folder["model.onnx"]);

        // Frames of all views lie one after the other, so a longer batch is the same memory.
        int views = golden.Clip[1] / frames;
        long[] shape = [golden.Clip[0] * views, frames, 3, golden.Clip[2], golden.Clip[2]];
        double[] scores = Array.ConvertAll(OnnxFile.Run(report.Path, golden.Clips(), shape), v => (double)v);
        scores = golden.GivesProbabilities ? Specs.Softmax(scores, report.Classes) : scores;
        double[] expected = golden.Answer("dygraph_float64");
        for (int i = 0; i < expected.Length; i++)
        {
            (int clip, int k) = (i / report.Classes, i % report.Classes);
            double mean = Enumerable.Range(0, views).Average(view => scores[(((clip * views) + view) * report.Classes) + k]);
            Assert.Equal(expected[i], mean, 1e-4 * expected.Max(Math.Abs));
        }

        Assert.Contains($"{views} views of {frames} frames", report.Notes[0]);
    }

    [Fact]
    public void Convert_ViewsThatTheProgramCutsItself_AreComputedOnce()
    {
        GoldenProgram golden = GoldenProgram.Read("timesformer");
        using var folder = new TemporaryFolder();
        golden.WriteParameters(folder["model.pdiparams"]);
        PaddleProgram program = PaddleProgram.Read(golden.ModelPath, folder["model.pdiparams"]);
        ProgramReport all = ProgramConverter.Convert(program, new ProgramOptions { Spec = Specs.Of(12, 64) }, folder["all.onnx"]);
        ProgramReport one = ProgramConverter.Convert(program, new ProgramOptions { Spec = Specs.Of(4, 64) }, folder["one.onnx"]);

        Assert.Equal(3, all.Operators["Conv"]);
        Assert.Equal(1, one.Operators["Conv"]);
        Assert.Equal(all.Operators["Softmax"], 3 * one.Operators["Softmax"]);
    }
}
