using System.Text.Json;

namespace Kinora.Media.Tests;

public sealed class NormalizationTableTests
{
    private const string File = "batch.json";

    public static TheoryData<int, string> Recorded => GoldenFile.Rows(File, "normalisation", r => r.Text("name"));

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Recorded))]
    public void Create_RecordedVariant_SameBits(int record, string name)
    {
        JsonElement recorded = GoldenFile.Records(File, "normalisation")[record];
        PaddleOp[] ops = PaddleOp.Parse(recorded.GetProperty("ops"));
        PaddleOp? unsupported = ops.FirstOrDefault(op => op.Name is not ("Normalization" or "Image2Array"));
        Assert.SkipWhen(unsupported is not null, $"op {unsupported?.Name} isn't supported: {name}");
        float[] table = NormalizationTable.Create(NormalizationOf(ops.Single(op => op.Name == "Normalization"), recorded.Text("as")));
        if (recorded.TryGetProperty("table", out JsonElement levels))
        {
            for (int c = 0; c < 3; c++)
            {
                Assert.Equal(levels[c].Doubles().Select(v => (float)v), table.AsSpan(c * 256, 256).ToArray());
            }
        }

        ClipLayout layout = LayoutOf(ops.Single(op => op.Name == "Image2Array"));
        foreach (JsonElement one in recorded.GetProperty("cases").EnumerateArray())
        {
            int[] size = one.GetProperty("formula").Ints();
            byte[] frames = FormulaFrames.Create(GoldenFile.Root(File)!.Value.GetProperty("formula"), size[0], size[1], size[2]);
            (float[] values, int[] shape) = Applied(frames, size[0], size[1], size[2], table, layout);

            // An error of the recorded code (an unset Python variable) says nothing about the numbers.
            if (!one.Has("err"))
            {
                GoldenFile.AssertFloats(one.GetProperty("out")[0], shape, values);
            }
        }
    }

    [Fact]
    public void Create_Symmetric128_ExactMultiples()
    {
        float[] table = NormalizationTable.Create(Normalization.Symmetric128);
        for (int x = 0; x < 256; x++)
        {
            Assert.Equal((x - 127) / 128f, table[x]);
            Assert.Equal(table[x], table[x + 512]);
        }
    }

    internal static Normalization NormalizationOf(PaddleOp op, string kind)
    {
        double[] mean = op.Reals("mean")!, std = op.Reals("std")!;
        bool inPlace = op.Bool("inplace", false);
        return new(
            new((float)mean[0], (float)mean[1], (float)mean[2]),
            new((float)std[0], (float)std[1], (float)std[2]),
            inPlace ? 1 : 255,
            inPlace ? NormalizationArithmetic.InPlace : kind == "pyav" ? NormalizationArithmetic.Double : NormalizationArithmetic.Single);
    }

    internal static ClipLayout LayoutOf(PaddleOp op) =>
        !op.Bool("transpose", true) ? ClipLayout.Nthwc
        : op.Arguments.ValueKind == JsonValueKind.Object && op.Arguments.Text("data_format", "tchw") == "cthw" ? ClipLayout.Ncthw
        : ClipLayout.Ntchw;

    private static (float[] Values, int[] Shape) Applied(byte[] frames, int width, int height, int count, float[] table, ClipLayout layout)
    {
        var values = new float[frames.Length];
        int plane = width * height;
        for (int i = 0; i < frames.Length; i++)
        {
            int c = i % 3, pixel = i / 3 % plane, t = i / 3 / plane;
            int at = layout switch
            {
                ClipLayout.Ntchw => (((t * 3) + c) * plane) + pixel,
                ClipLayout.Ncthw => (((c * count) + t) * plane) + pixel,
                _ => i,
            };
            values[at] = table[(c * 256) + frames[i]];
        }

        return (values, layout switch
        {
            ClipLayout.Ntchw => [count, 3, height, width],
            ClipLayout.Ncthw => [3, count, height, width],
            _ => [count, height, width, 3],
        });
    }
}
