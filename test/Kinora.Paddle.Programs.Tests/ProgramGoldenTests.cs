using Kinora.Onnx.Export.Tests;
using Kinora.Testing;

namespace Kinora.Paddle.Programs.Tests;

/// <summary>Every recorded program, filled with weights by formula, converted, and run in ONNX Runtime.</summary>
public sealed class ProgramGoldenTests(ITestOutputHelper output)
{
    // Relative to the greatest; float32 against float64. PaddlePaddle's own float32 engines differ by up to 4e-6.
    private const double Tolerance = 1e-4;

    public static IEnumerable<TheoryDataRow<string>> Programs() => GoldenProgram.Names().Select(name => new TheoryDataRow<string>(name));

    public static IEnumerable<TheoryDataRow<string>> ProgramsWithoutMask() =>
        GoldenProgram.Names().Where(name => GoldenProgram.Read(name).LostItsMask).Select(name => new TheoryDataRow<string>(name));

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Programs))]
    public void Convert_RecordedProgram_GivesTheRecordedAnswers(string name)
    {
        GoldenProgram golden = GoldenProgram.Read(name);
        using var folder = new TemporaryFolder();
        string hash = golden.WriteParameters(folder["model.pdiparams"]);
        Assert.True(golden.HasFusedParameters || hash == golden.ParametersHash, "weights by formula differ from the recorded ones");

        PaddleProgram program = PaddleProgram.Read(golden.ModelPath, folder["model.pdiparams"]);
        ProgramReport report = ProgramConverter.Convert(program, new ProgramOptions { Spec = Specs.Of(golden.Clip[1], golden.Clip[2]) }, folder["model.onnx"]);

        Assert.Equal(golden.Operators, program.Operators);
        Assert.Equal("2.6.2", program.Version);
        Close(golden, Run(report, golden, golden.Clips(), golden.Clip[0]), golden.Answer("dygraph_float64"));
        Assert.All(report.Repairs, repair => Assert.True(repair.Repaired));

        // The batch is free: one clip alone, and three.
        float[] clips = golden.Clips();
        int clip = clips.Length / golden.Clip[0];
        double[] together = Run(report, golden, [.. clips[..clip], .. clips[^clip..], .. clips[..clip]], 3);
        double[] alone = Run(report, golden, clips[..clip], 1);
        double[] expected = golden.Answer("dygraph_float64");
        Close(golden, alone, expected[..report.Classes]);
        Close(golden, together, [.. expected[..report.Classes], .. expected[^report.Classes..], .. expected[..report.Classes]]);

        Assert.False(report.Operators.ContainsKey("BatchNormalization"));
        Assert.InRange(report.FileBytes, report.WeightBytes, (long)(report.WeightBytes * 1.01) + 100_000);
        output.WriteLine($"{report.FileBytes} bytes, {string.Join(", ", report.Operators.OrderByDescending(o => o.Value).Select(o => $"{o.Key} {o.Value}"))}");
        output.WriteLine(string.Join('\n', report.Repairs.Select(r => $"{r.Operator}: {r.Description}").Concat(report.Notes)));
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(ProgramsWithoutMask))]
    public void Convert_MaskLeftAsItIs_GivesTheProgramsAnswers(string name)
    {
        GoldenProgram golden = GoldenProgram.Read(name);
        using var folder = new TemporaryFolder();
        golden.WriteParameters(folder["model.pdiparams"]);
        PaddleProgram program = PaddleProgram.Read(golden.ModelPath, folder["model.pdiparams"]);
        ProgramOptions options = new() { Spec = Specs.Of(golden.Clip[1], golden.Clip[2]), Repair = false };

        ProgramReport report = ProgramConverter.Convert(program, options, folder["model.onnx"]);

        Close(golden, Run(report, golden, golden.Clips(), golden.Clip[0]), golden.Answer("dygraph_float32_mask_zeroed"));
        Assert.NotEmpty(report.Repairs);
        Assert.All(report.Repairs, repair => Assert.False(repair.Repaired));
    }

    private static double[] Run(ProgramReport report, GoldenProgram golden, float[] clips, int count)
    {
        double[] logits = Array.ConvertAll(OnnxFile.Run(report.Path, clips, [count, golden.Clip[1], 3, golden.Clip[2], golden.Clip[2]]), v => (double)v);
        return golden.GivesProbabilities ? Specs.Softmax(logits, report.Classes) : logits;
    }

    private void Close(GoldenProgram golden, double[] found, double[] expected)
    {
        double greatest = golden.Answer("dygraph_float64").Max(Math.Abs);
        Assert.Equal(expected.Length, found.Length);
        double difference = expected.Zip(found).Max(pair => Math.Abs(pair.First - pair.Second)) / greatest;
        output.WriteLine($"difference {difference:E2}");
        Assert.InRange(difference, 0, Tolerance);
    }
}
