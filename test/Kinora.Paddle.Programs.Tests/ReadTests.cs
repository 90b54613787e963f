using Kinora.Onnx.Export.Graph;
using Kinora.Testing;

namespace Kinora.Paddle.Programs.Tests;

public sealed class ReadTests
{
    public static IEnumerable<TheoryDataRow<string>> ProgramsWithParameters() => GoldenProgram.Names()
        .Where(name => File.Exists(Path.Combine(GoldenProgram.Read(name).Folder, "model.pdiparams")))
        .Select(name => new TheoryDataRow<string>(name));

    public static IEnumerable<TheoryDataRow<string>> ProgramsWithFusedParameters() => GoldenProgram.Names()
        .Where(name => GoldenProgram.Read(name).HasFusedParameters)
        .Select(name => new TheoryDataRow<string>(name));

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(ProgramsWithParameters))]
    public void Read_ParametersFromPaddlePaddle_HaveTheirNamesShapesAndValues(string name)
    {
        GoldenProgram golden = GoldenProgram.Read(name);
        PaddleProgram program = PaddleProgram.Read(golden.ModelPath);

        Assert.Equal(golden.Parameters.Select(p => p.Name), program.Parameters.Keys);
        foreach (GoldenParameter parameter in golden.Parameters)
        {
            Literal found = program.Parameters[parameter.Name];
            Assert.Equal(parameter.Shape, found.Shape);
            double[] expected = parameter.Fused ? Array.ConvertAll(golden.Fused(parameter), v => (double)v) : GoldenFormula.Weight(parameter.Key, parameter.Shape);
            double allowed = parameter.Fused ? 1e-6 : 0;
            float[] values = found.Floats;
            for (int i = 0; i < values.Length; i++)
            {
                Assert.True(Math.Abs(values[i] - (float)expected[i]) <= allowed, $"{parameter.Key}[{i}]: expected {expected[i]}, found {values[i]}");
            }
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(ProgramsWithFusedParameters))]
    public void GoldenProgram_FusedParameters_AreWhatTheExporterComputed(string name)
    {
        GoldenProgram golden = GoldenProgram.Read(name);
        foreach (GoldenParameter parameter in golden.Parameters.Where(p => p.Fused))
        {
            float[] values = golden.Fused(parameter);
            (double[] first, double sum) = golden.FusedSamples(parameter.Key);
            Assert.All(first.Zip(values), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
            Assert.Equal(sum, values.Sum(v => (double)v), 1e-3);
        }
    }

    [Fact]
    public void Read_MissingFile_IsNamed()
    {
        using var folder = new TemporaryFolder();
        ConverterTests.Tiny().Read(folder.Path);
        Assert.Contains("give both", Assert.Throws<CheckpointException>(() => PaddleProgram.Read(folder["other.pdmodel"])).Message);
        File.Delete(folder["model.pdiparams"]);
        Assert.Contains("model.pdiparams", Assert.Throws<CheckpointException>(() => PaddleProgram.Read(folder["model.pdmodel"])).Message);
    }

    [Fact]
    public void Read_SomethingElse_IsRefused()
    {
        using var folder = new TemporaryFolder();
        ConverterTests.Tiny().Read(folder.Path);
        File.WriteAllText(folder["page.pdmodel"], "<html>404</html>");
        File.Copy(folder["model.pdiparams"], folder["page.pdiparams"]);
        Assert.Contains("PaddlePaddle program", Assert.Throws<CheckpointException>(() => PaddleProgram.Read(folder["page.pdmodel"])).Message);
        File.WriteAllBytes(folder["page.pdmodel"], []);
        Assert.Contains("found none", Assert.Throws<CheckpointException>(() => PaddleProgram.Read(folder["page.pdmodel"])).Message);
    }

    [Fact]
    public void Read_ParametersOfAnotherProgram_AreRefused()
    {
        using var folder = new TemporaryFolder();
        ConverterTests.Tiny().Read(folder.Path);
        byte[] bytes = File.ReadAllBytes(folder["model.pdiparams"]);

        File.WriteAllBytes(folder["model.pdiparams"], bytes[..^1]);
        Refused("'fc.w_0'", "damaged");
        File.WriteAllBytes(folder["model.pdiparams"], [.. bytes, 0]);
        Refused("found 1 bytes more");
        File.WriteAllBytes(folder["model.pdiparams"], []);
        Refused("the end of the file");
        Directory.CreateDirectory(folder["other"]);
        ProgramBuilder.WithClips(1, 4).Parameter("only", [1, 2], 2).Read(folder["other"]);
        File.Copy(Path.Combine(folder["other"], "model.pdiparams"), folder["model.pdiparams"], overwrite: true);
        Refused("expected Float32 [8]", "found Float32 [2]");

        void Refused(params string[] parts)
        {
            var error = Assert.Throws<CheckpointException>(() => PaddleProgram.Read(folder["model.pdmodel"]));
            Assert.All(parts, part => Assert.Contains(part, error.Message));
        }
    }

    [Fact]
    public void Read_HugeSizeInARecord_AllocatesNothing()
    {
        using var folder = new TemporaryFolder();
        var builder = new ProgramBuilder();
        builder.Variable("clips", -1, 1, 3, 4, 4).Add("feed", [("X", "feed")], "clips", ("col", 0));
        builder.Variable("huge", ElementType.Float32, [1 << 30, 1 << 30], isParameter: true);
        Assert.Throws<CheckpointException>(() => builder.Read(folder.Path));
        using (FileStream stream = File.Create(folder["model.pdiparams"]))
        {
            ParameterRecord.Write<float>(stream, [], [1 << 30, 1 << 30]);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<CheckpointException>(() => PaddleProgram.Read(folder["model.pdmodel"]));
        Assert.Contains("elements in the last", error.Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    [Theory]
    [InlineData("Float16")]
    [InlineData("BFloat16")]
    [InlineData("Float64")]
    public void Read_OtherRealNumbers_BecomeFloats(string stored)
    {
        ElementType type = Enum.Parse<ElementType>(stored);
        using var folder = new TemporaryFolder();
        ProgramBuilder builder = ProgramBuilder.WithClips(1, 4).Variable("p", type, [3], isParameter: true);
        Assert.Throws<CheckpointException>(() => builder.Read(folder.Path));
        byte[] elements = type switch
        {
            ElementType.Float16 => [.. new[] { 1.5, -2, 0.25 }.SelectMany(v => BitConverter.GetBytes((Half)v))],
            ElementType.BFloat16 => [0xC0, 0x3F, 0x00, 0xC0, 0x80, 0x3E],
            _ => [.. new[] { 1.5, -2, 0.25 }.SelectMany(BitConverter.GetBytes)],
        };
        File.WriteAllBytes(folder["model.pdiparams"], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 8, (byte)type, 16, 3, .. elements]);
        Assert.Equal([1.5, -2, 0.25], PaddleProgram.Read(folder["model.pdmodel"]).Parameters["p"].Doubles);
    }
}
